//! Any text from outside on paper: harmless on a terminal, in a log of a CI, in JSON and in
//! Markdown (S12).
//!
//! The same plan is written with the input and with a plain word: wherever the input adds a mark
//! that means something there, it got through.

use std::collections::{BTreeMap, BTreeSet};

use stoker::manifest::to_yaml;
use stoker::model::{
    Diagnostic, Effect, FieldPath, FieldValue, Kind, Origin, Project, RemoteId, Snippet,
};
use stoker::plan::{
    Action, Blocked, BlockedReason, Change, ChangeResult, Cost, FailureCause, FieldAction,
    FieldChange, FieldReason, Outcome, Plan, Reason, Report, Unmanaged,
};
use stoker::render::json::{Preamble, SavedPlan};
use stoker::render::{
    Estimate, diagnostics_as_ansi, diagnostics_as_text, github_annotations, inert,
    plan_as_markdown, plan_as_text, report_as_markdown, report_as_text,
};

/// Marks that mean something in Markdown or HTML.
const MARKS: [char; 16] =
    ['`', '|', '<', '>', '@', '[', ']', '(', ')', '*', '_', '#', '!', ':', '~', '/'];

/// Writes text everywhere and looks at it as a terminal and a browser would.
pub fn escaper(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let line = inert(&text);
    assert!(!line.contains(is_live), "{line:?}");
    assert_eq!(inert(&line), line, "what is inert stays as it is");
    no_mark(&line);
    let (plan, report) = (plan(&text), report(&text));
    let estimate = Estimate::default();
    for paper in [plan_as_text(&plan, &estimate), report_as_text(&report)] {
        lines_only(&paper.to_plain());
        no_command(&paper.to_plain());
        colours_only(&paper.to_ansi());
        no_command(&paper.to_ansi());
    }
    let findings = [finding(&text)];
    lines_only(&diagnostics_as_text(&findings));
    no_command(&diagnostics_as_text(&findings));
    colours_only(&diagnostics_as_ansi(&findings));
    let annotations = github_annotations(&findings);
    lines_only(&annotations);
    assert_eq!(annotations.lines().count(), 1, "one finding is one command: {annotations:?}");
    no_mark(&annotations);
    let saved = SavedPlan::new(&plan, Preamble::default());
    lines_only(&saved.to_json());
    for printed in [saved.to_json(), saved.to_ndjson(), to_yaml(&saved).expect("its keys are text")]
    {
        no_command(&printed);
    }
    let plain_plan = plan_as_markdown(&self::plan("word"), &estimate);
    no_new_marks(&plan_as_markdown(&plan, &estimate), &plain_plan);
    no_command(&plan_as_markdown(&plan, &estimate));
    no_new_marks(&report_as_markdown(&report), &report_as_markdown(&self::report("word")));
}

/// What moves a cursor, turns text around or hides it. Said again here, so that a hole in the
/// renderer's own list is seen.
fn is_live(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}')
        || matches!(c, '\u{61c}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{e0001}'..='\u{e007f}')
}

/// No line is a command to the build server that reads it: said again here, by another rule.
fn no_command(text: &str) {
    no_mark(text);
    let begins = |line: &str| line.trim_start_matches(char::is_whitespace).get(..2) == Some("::");
    assert!(!text.split('\n').any(begins), "{text:?}");
}

fn no_mark(text: &str) {
    let text = text.to_ascii_lowercase();
    for mark in ["##[", "##vso[", "##teamcity["] {
        assert!(!text.contains(mark), "{text:?}");
    }
}

fn lines_only(text: &str) {
    assert!(!text.replace('\n', "").contains(is_live), "{text:?}");
}

/// Takes away what sets a colour, and nothing else that begins with an escape.
fn colours_only(text: &str) {
    let mut pieces = text.split('\u{1b}');
    let mut rest = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let after = piece
            .strip_prefix('[')
            .map(|piece| piece.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';'));
        let after = after.and_then(|piece| piece.strip_prefix('m'));
        rest.push_str(after.expect("an escape of ours sets a colour"));
    }
    lines_only(&rest);
}

/// The text adds no mark, no line and no link to what is written around it.
fn no_new_marks(written: &str, plain: &str) {
    let (rest, plain) = (without_references(written), without_references(plain));
    for mark in MARKS {
        let count = |text: &str| text.matches(mark).count();
        assert_eq!(count(&rest), count(&plain), "{mark} got through: {written}");
    }
    assert_eq!(rest.lines().count(), plain.lines().count(), "{written:?}");
    assert!(!rest.to_lowercase().contains("www."), "{written}");
    assert!(!rest.replace('\n', "").contains(is_live), "{written:?}");
}

/// Returns text without its character references.
fn without_references(text: &str) -> String {
    let mut pieces = text.split("&#");
    let mut rest = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (digits, after) = piece.split_once(';').expect("every reference ends");
        assert!(digits.bytes().all(|byte| byte.is_ascii_digit()), "{digits}");
        // What stood on both sides of a reference does not come together.
        rest.push(' ');
        rest.push_str(after);
    }
    assert!(!rest.contains('&'), "a mark of HTML got through: {rest}");
    rest
}

fn plan(text: &str) -> Plan {
    let id = RemoteId::new("svc_1").expect("it is an id");
    let field = |path: &str, after: Option<FieldValue>| FieldChange {
        path: path.parse::<FieldPath>().expect("it is a path"),
        action: FieldAction::Change,
        before: Some(FieldValue::Text(text.to_owned())),
        after,
        reason: FieldReason::Requested,
        sensitive: false,
        hint: Some(text.to_owned()),
    };
    let blocked = |message: &str| Blocked {
        reason: BlockedReason::NotOwned,
        message: message.to_owned(),
        hint: Some(text.to_owned()),
    };
    let change = |key: &str, blocked| Change {
        key: key.parse().expect("it is a key"),
        action: Action::Update,
        reason: Reason::Drift,
        origin: Some(Origin { file: text.to_owned(), line: 3, column: 1 }),
        labels: BTreeMap::from([("team".to_owned(), text.to_owned())]),
        effect: Effect::Restart,
        has_data: false,
        replicas: Some(3),
        id: Some(id.clone()),
        adopts: None,
        fields: vec![
            field("branch", None),
            field("domains", Some(FieldValue::Set(BTreeSet::from([text.to_owned()])))),
        ],
        blocked,
        steps: Vec::new(),
        after: BTreeSet::new(),
        record: None,
    };
    Plan {
        origin: "https://api.example.com/v1".to_owned(),
        project: Project { id: None, name: text.to_owned(), region: None, plan: None },
        revision: Some(text.to_owned()),
        digest: String::new(),
        changes: vec![change("service/api", None), change("service/web", Some(blocked(text)))],
        unmanaged: vec![Unmanaged { kind: Kind::Service, name: text.to_owned(), id: id.clone() }],
        unchanged: Vec::new(),
        settled: Vec::new(),
        remember: BTreeMap::new(),
        by_hand: Vec::new(),
        wants: BTreeSet::new(),
        likely_renames: Vec::new(),
        is_stateless: false,
        cost: Cost::default(),
    }
}

fn report(text: &str) -> Report {
    let result = |name: &str, outcome| ChangeResult {
        key: name.parse().expect("it is a key"),
        action: Action::Update,
        outcome,
    };
    let message = text.to_owned();
    let failed = Outcome::Failed {
        cause: FailureCause::Other,
        message: message.clone(),
        request_id: Some(message.clone()),
    };
    let results = vec![
        result("service/a", failed),
        result("service/b", Outcome::Stale { message: message.clone() }),
        result("service/c", Outcome::Unresolved { cause: FailureCause::Other, message }),
    ];
    Report { results, stopped: false }
}

fn finding(text: &str) -> Diagnostic {
    let origin = Origin { file: text.to_owned(), line: 1, column: 1 };
    let mut finding = Diagnostic::error("fuzzed", text).at(origin).hint(text);
    finding.snippet = Some(Snippet { text: text.to_owned(), line_first: 1, span: 0..text.len() });
    finding
}
