//! A plan as a person reads it in a terminal.
//!
//! The sign at the left carries the meaning. What stands in the way comes after what will be done,
//! what would be pruned after that, and the counts last, where the eye rests.

use crate::model::{FieldPath, FieldValue, Key, Kind, Setting};
use crate::plan::{Action, Blocked, Change, FieldAction, FieldChange, FieldReason, Plan, Reason};

use super::diff;
use super::paper::{Line, Paper, Style};
use super::phrase::{self, plural};
use super::unsettled;

/// The column of the manifest's place, unless a heading is longer.
const ORIGIN_COLUMN: usize = 58;

/// How much longer a heading may be before it stops pushing the other places away.
const ORIGIN_SLACK: usize = 16;

/// The columns a field's values take, unless one is longer.
const VALUE_COLUMNS: usize = 27;

/// A hint stands on the line of its obstacle up to this width, else on its own.
const LINE_COLUMNS_MAX: usize = 110;

/// What carrying out a plan takes, as the budget foretells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// How long, in whole seconds.
    pub seconds: u64,
    /// How many requests are left in this minute, and of how many, when it is known.
    pub left: Option<(u32, u32)>,
}

/// Returns the whole plan.
#[must_use]
pub fn plan_as_text(plan: &Plan, estimate: &Estimate) -> Paper {
    let mut paper = Paper::new();
    let column = origin_column(plan);
    let shown = unsettled::shown(plan);
    let changes = shown.iter();
    let (blocked, done): (Vec<_>, Vec<_>) = changes.partition(|change| change.blocked.is_some());
    let blocked = blocked.into_iter();
    let (prunable, blocked): (Vec<_>, Vec<_>) = blocked.partition(|c| phrase::is_prune_off(c));
    for change in done {
        paper.gap();
        push_change(&mut paper, change, column);
    }
    for change in blocked {
        paper.gap();
        push_blocked(&mut paper, change);
    }
    if !prunable.is_empty() {
        paper.gap();
        paper.push(Line::of("  Not deleted, because pruning is off:"));
    }
    for change in prunable {
        push_blocked(&mut paper, change);
    }
    paper.gap();
    for likely in &plan.likely_renames {
        paper.push(Line::of("  ").plain(phrase::likely_rename(likely)));
    }
    paper.gap();
    paper.extend(by_hand_as_text(plan));
    paper.gap();
    if let Some(line) = unsettled::unjudged(plan) {
        paper.push(Line::of("  ").plain(line));
    }
    paper.gap();
    paper.push(Line::default().with(Style::Bold, phrase::summary(plan)));
    paper.push(Line::of(cost(plan, estimate)));
    paper
}

/// Returns what people must set, a resource a line; nothing when all of it is set.
#[must_use]
pub fn by_hand_as_text(plan: &Plan) -> Paper {
    let open = plan.by_hand.iter().filter_map(|one| Some((&one.key, phrase::by_hand(one)?)));
    let mut open = open.peekable();
    let mut paper = Paper::new();
    if open.peek().is_some() {
        paper.push(Line::of("  ").plain(phrase::BY_HAND));
    }
    for (key, text) in open {
        let line = Line::of("  ").with(Style::Changed, format!("! {key}"));
        paper.push(line.plain(format!("  {text}")));
    }
    paper
}

/// Returns only what changed on the platform, from what was declared to what is there.
#[must_use]
pub fn drift_as_text(plan: &Plan) -> Paper {
    let mut paper = Paper::new();
    let moved = moved(plan);
    for change in unknown(plan) {
        let fields = Vec::new();
        paper.gap();
        push_blocked(&mut paper, &Change { fields, ..change.clone() });
    }
    for Moved { key, is_gone, fields } in &moved {
        paper.gap();
        let (sign, style, rest) =
            if *is_gone { ("-", Style::Removed, GONE) } else { ("~", Style::Changed, "") };
        paper.push(object_line(sign, style, &key.to_string(), rest));
        push_fields(&mut paper, fields, Reasons::OfWhatMoved);
    }
    paper.gap();
    paper.push(Line::default().with(Style::Bold, drift_summary(&moved, unknown(plan).count())));
    paper
}

/// What is said of a resource of ours that lives no longer.
pub(super) const GONE: &str = "gone from the platform";

/// What moved of one resource, seen from the platform: what we would remove was added there.
pub(super) struct Moved<'a> {
    pub key: &'a Key,
    pub is_gone: bool,
    /// Without those of a resource that is gone: all of it is.
    pub fields: Vec<FieldChange>,
}

/// Returns what moved on the platform without a manifest.
pub(super) fn moved(plan: &Plan) -> Vec<Moved<'_>> {
    let resources = plan.changes.iter().map(|change| {
        let drifted = change.fields.iter().filter(|field| field.reason == FieldReason::Drift);
        let is_gone = change.reason == Reason::Missing;
        let fields = drifted.filter(|_| !is_gone).map(|field| FieldChange {
            before: field.after.clone(),
            after: field.before.clone(),
            ..field.clone()
        });
        Moved { key: &change.key, is_gone, fields: fields.collect() }
    });
    resources.filter(|moved| moved.is_gone || !moved.fields.is_empty()).collect()
}

/// Counts what moved. Where not all was seen, it is not said that nothing did.
pub(super) fn drift_summary(moved: &[Moved<'_>], unknown: usize) -> String {
    let (resources, fields) = (moved.len(), moved.iter().map(|it| it.fields.len()).sum());
    let seen = match (resources, unknown) {
        (0, 0) => return "No drift.".to_owned(),
        (0, _) => "No drift was seen".to_owned(),
        _ => {
            let (r, f) = (plural(resources), plural(fields));
            format!("Drift: {resources} resource{r}, {fields} field{f}")
        }
    };
    match unknown {
        0 => format!("{seen}."),
        unknown => format!("{seen}. {unknown} unknown."),
    }
}

/// Whether the reason of each field is worth a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reasons {
    Shown,
    /// Shown beside the sign of what was done by hand, not of our repair.
    OfWhatMoved,
    /// In a create everything is requested.
    Omitted,
}

fn heading(change: &Change) -> Line {
    let text = format!("# {} {}", change.key, phrase::verb(change));
    let line = Line::of("  ").with(Style::Bold, text);
    match phrase::because(change.reason) {
        Some(because) => line.with(Style::Dim, format!(" ({because})")),
        None => line,
    }
}

/// Headings decide where the places stand; one very long heading does not push all others away.
fn origin_column(plan: &Plan) -> usize {
    let placed = plan.changes.iter().filter(|change| change.origin.is_some());
    let widths = placed.map(|change| heading(change).width() + 2);
    let fitting = widths.filter(|width| *width <= ORIGIN_COLUMN + ORIGIN_SLACK);
    fitting.max().unwrap_or(0).max(ORIGIN_COLUMN)
}

fn push_change(paper: &mut Paper, change: &Change, column: usize) {
    let mut line = heading(change);
    if let Some(origin) = &change.origin {
        line = line.pad_to(column).with(Style::Dim, origin.to_string());
    }
    if let Some(effect) = phrase::effect(change) {
        line = line.plain("   ").with(Style::Changed, effect);
    }
    paper.push(line);

    let (sign, style) = phrase::sign(change);
    let key = change.key.to_string();
    if change.action == Action::Forget {
        return;
    }
    if change.action == Action::Create && change.fields.iter().all(is_creation) {
        let (headline, rest) = headline(change);
        paper.push(object_line(sign, style, &key, &headline));
        push_fields(paper, &rest, Reasons::Omitted);
        return;
    }
    // The id matters where an object becomes ours or ceases to be.
    let shows_id = change.action != Action::Update || change.adopts.is_some();
    let id = change.id.as_ref().filter(|_| shows_id);
    let id = id.map(ToString::to_string).unwrap_or_default();
    paper.push(object_line(sign, style, &key, &id));
    if let Some(way) = phrase::makes_way(change) {
        paper.push(Line::of("      ").plain(way));
    }
    push_fields(paper, &change.fields, Reasons::Shown);
}

fn is_creation(field: &FieldChange) -> bool {
    let is_of_create = match field.reason {
        FieldReason::Requested | FieldReason::Derived | FieldReason::Later => true,
        FieldReason::Rotated(_)
        | FieldReason::Drift
        | FieldReason::Unverifiable
        | FieldReason::Accepted
        | FieldReason::Flapping => false,
    };
    field.action == FieldAction::Add && is_of_create
}

fn object_line(sign: &str, style: Style, key: &str, rest: &str) -> Line {
    let line = Line::of("  ").with(style, format!("{sign} {key}"));
    match rest {
        "" => line,
        rest => line.plain("    ").plain(rest),
    }
}

/// Returns the few values by which people know a resource, and the fields they leave.
fn headline(change: &Change) -> (String, Vec<FieldChange>) {
    use Setting::{Plan, Runtime, StorageGb, Type, Version};
    let told: &[Setting] = match change.key.kind {
        Kind::Database => &[Type, Version, Plan, StorageGb],
        Kind::Service => &[Type, Runtime, Plan],
        Kind::EnvGroup => &[],
    };
    let is_told = |field: &FieldChange| match &field.path {
        FieldPath::Setting(setting) => {
            let is_derived = field.reason == FieldReason::Derived;
            told.contains(setting) && !is_derived && !phrase::is_hidden(field)
        }
        FieldPath::Env(_) => false,
    };
    let mut parts: Vec<String> = Vec::new();
    for setting in told {
        let path = FieldPath::Setting(*setting);
        let field = change.fields.iter().find(|field| field.path == path && is_told(field));
        let Some(text) = field.and_then(|field| field.after.as_ref()).map(phrase::value) else {
            continue;
        };
        match (setting, parts.last_mut()) {
            (Version, Some(engine)) => *engine = format!("{engine} {text}"),
            (StorageGb, _) => parts.push(format!("{text} GB")),
            _ => parts.push(text),
        }
    }
    let rest = change.fields.iter().filter(|field| !is_told(field));
    (parts.join(", "), rest.cloned().collect())
}

fn push_fields(paper: &mut Paper, fields: &[FieldChange], reasons: Reasons) {
    let paths = fields.iter().map(|field| Line::of(field.path.to_string()).width());
    let value_column = 8 + paths.max().unwrap_or(0) + 3;
    for field in fields {
        let (sign, style) = match reasons {
            Reasons::Shown | Reasons::Omitted => phrase::field_sign(field),
            Reasons::OfWhatMoved => phrase::hand_sign(field),
        };
        let line = Line::of("      ").with(style, sign);
        let mut line = line.plain(" ").plain(field.path.to_string());
        let block = difference(field);
        let values = match block.as_slice() {
            [] => phrase::values(field),
            _ => "(text below)".to_owned(),
        };
        let mut reason_column = value_column;
        if !values.is_empty() {
            line = line.pad_to(value_column).plain(values);
            reason_column += VALUE_COLUMNS;
        }
        let is_told = matches!(field.reason, FieldReason::Derived | FieldReason::Later);
        if reasons != Reasons::Omitted || is_told {
            line = line.pad_to(reason_column);
            line = line.with(Style::Dim, phrase::field_reason(field));
        }
        paper.push(line);
        for (sign, style, text) in block {
            paper.push(Line::of("          ").with(style, format!("{sign} {text}")));
        }
        if let Some(hint) = &field.hint {
            let label = match field.reason {
                FieldReason::Unverifiable => "to settle it",
                FieldReason::Requested
                | FieldReason::Rotated(_)
                | FieldReason::Derived
                | FieldReason::Later
                | FieldReason::Drift
                | FieldReason::Accepted
                | FieldReason::Flapping => "to leave it alone",
            };
            let line = Line::of(format!("          {label}:  "));
            paper.push(line.with(Style::Bold, hint.as_str()));
        }
    }
}

/// Returns the difference of a long value; nothing for a short or a hidden one.
fn difference(field: &FieldChange) -> Vec<diff::DiffLine> {
    if phrase::is_hidden(field) {
        return Vec::new();
    }
    let text = |value: &Option<FieldValue>| value.as_ref().map(ToString::to_string);
    let before = text(&field.before).unwrap_or_default();
    let after = text(&field.after).unwrap_or_default();
    if diff::is_long(&before) || diff::is_long(&after) {
        diff::lines(&before, &after)
    } else {
        Vec::new()
    }
}

fn push_blocked(paper: &mut Paper, change: &Change) {
    let Some(blocked) = &change.blocked else {
        return;
    };
    let (sign, style) = phrase::sign(change);
    let line = Line::of("  ").with(style, format!("{sign} {}", change.key));
    let what = phrase::obstructed(change, blocked);
    let line = line.plain(format!("  {what}: {}", blocked.message));
    match &blocked.hint {
        None => paper.push(line),
        Some(hint) => {
            let joined = line.clone().with(Style::Dim, format!(" ({hint})"));
            if joined.width() <= LINE_COLUMNS_MAX {
                paper.push(joined);
            } else {
                paper.push(line);
                paper.push(Line::of("      ").with(Style::Bold, "hint: ").plain(hint));
            }
        }
    }
    push_fields(paper, &change.fields, Reasons::Shown);
}

/// Returns the changes of a plan that nothing is known of but that not all was seen.
pub(super) fn unknown(plan: &Plan) -> impl Iterator<Item = &Change> {
    plan.changes.iter().filter(|it| it.blocked.as_ref().is_some_and(Blocked::is_unseen))
}

/// Returns what carrying a plan out costs.
pub(super) fn cost(plan: &Plan, estimate: &Estimate) -> String {
    let (reads, writes) = (plan.cost.reads, plan.cost.writes);
    let requests = reads.saturating_add(writes);
    let s = if requests == 1 { "" } else { "s" };
    let left = estimate.left.map(|(left, limit)| format!("; {left} of {limit} left this minute"));
    format!(
        "Cost: {requests} request{s} ({reads} read, {writes} write), about {}{}.{}{}",
        duration(estimate.seconds),
        left.unwrap_or_default(),
        phrase::rereading(plan, estimate),
        phrase::interruptions(plan)
    )
}

/// Returns a duration as people say it: `45 s`, `3 min 20 s`, `2 h 5 min`.
fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        // A request takes some time, however little the budget makes it wait.
        (0, 0, seconds) => format!("{} s", seconds.max(1)),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}
