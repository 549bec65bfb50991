//! What can only be seen with all documents together: the same name twice, references to nothing,
//! names that were, and settings that contradict each other.

use std::collections::BTreeMap;

use super::draft::{Drafts, Mention, derived, has, number_of, text_of};
use super::reader::Findings;
use super::suggest::Names;
use crate::model::{
    Desired, Diagnostic, FieldPath, Guard, Key, Kind, Name, Origin, Resource, Setting, Source,
};

/// Joins the drafts to what is wanted. It is wholly valid only when no finding is an error.
pub(super) fn join(drafts: Drafts, findings: &mut Findings) -> Desired<Source> {
    let Drafts { resources, tombstones, guards, mentions, renames, home: _ } = drafts;
    let mut desired = Desired { guard: one_guard(guards, findings), ..Desired::default() };
    for mut resource in resources {
        contradictions(&resource, findings);
        resource.on_create.extend(derived(&resource));
        if let Some(first) = desired.resources.get(&resource.key) {
            declared_twice(&resource.key, &resource.origin, &first.origin, findings);
        } else {
            desired.resources.insert(resource.key.clone(), resource);
        }
    }
    for tombstone in tombstones {
        let declared = desired.resources.get(&tombstone.key).map(|resource| &resource.origin);
        let buried = desired.tombstones.get(&tombstone.key).map(|earlier| &earlier.origin);
        if let Some(first) = declared.or(buried) {
            declared_twice(&tombstone.key, &tombstone.origin, first, findings);
        } else {
            desired.tombstones.insert(tombstone.key.clone(), tombstone);
        }
    }
    check_renames(&desired, &renames, findings);
    connect(&mut desired, &mentions, findings);
    desired
}

fn declared_twice(key: &Key, origin: &Origin, first: &Origin, findings: &mut Findings) {
    let Key { kind, name } = key;
    let message = format!("{kind} `{name}` is declared twice");
    let hint = format!("the first stands at {first}");
    findings.push(Diagnostic::error("duplicate-resource", message).at(origin.clone()).hint(hint));
}

/// Two guards may stand there, for example one in each file, when they mean the same project.
fn one_guard(guards: Vec<Guard>, findings: &mut Findings) -> Option<Guard> {
    let mut kept: Option<Guard> = None;
    for guard in guards {
        let Some(first) = &mut kept else {
            kept = Some(guard);
            continue;
        };
        let differs = first.name != guard.name
            || matches!((&first.id, &guard.id), (Some(one), Some(other)) if one != other);
        if differs {
            let message = "these manifests are for two different projects";
            let hint = format!("`{}` is named at {}", first.name, first.origin);
            let finding = Diagnostic::error("two-projects", message).at(guard.origin).hint(hint);
            findings.push(finding);
        } else if first.id.is_none() {
            first.id = guard.id;
        }
    }
    kept
}

/// Settings of one resource that cannot be true together.
fn contradictions(resource: &Resource<Source>, findings: &mut Findings) {
    let place = |setting: Setting| {
        let field = resource.fields.get(&FieldPath::Setting(setting));
        field.map_or(&resource.origin, |field| &field.origin).clone()
    };
    let name = &resource.key.name;
    let schedule = text_of(resource, Setting::Schedule);
    let finding = match (text_of(resource, Setting::Type), schedule) {
        (Some("cron"), None) if !has(resource, Setting::Schedule) => Some(
            Diagnostic::error("schedule", format!("the cron service `{name}` has no `schedule`"))
                .at(place(Setting::Type))
                .hint("for example `schedule: \"0 2 * * *\"`"),
        ),
        (Some(kind), Some(_)) if kind != "cron" => Some(
            Diagnostic::error("schedule", format!("a {kind} service has no `schedule`"))
                .at(place(Setting::Schedule))
                .hint("write `type: cron`, or remove the schedule"),
        ),
        (Some(_) | None, _) => None,
    };
    finding.into_iter().for_each(|finding| findings.push(finding));
    if has(resource, Setting::Image) && has(resource, Setting::Repo) {
        // Only the platform knows which of them it runs. Neither is no contradiction: what a
        // manifest does not declare stays as it is.
        let message = format!("the service `{name}` has both an `image` and a `repo`");
        findings.push(
            Diagnostic::warning("image-and-repo", message)
                .at(place(Setting::Image))
                .hint("an image runs instead of what is built from source; keep one of them"),
        );
    }
    let min = number_of(resource, Setting::MinInstances);
    let max = number_of(resource, Setting::MaxInstances);
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        let message = format!("`minInstances` is {min}, more than `maxInstances`, which is {max}");
        findings.push(Diagnostic::error("out-of-range", message).at(place(Setting::MinInstances)));
    }
}

/// A previous name must be free: nobody has it, and nobody else had it.
fn check_renames(
    desired: &Desired<Source>,
    renames: &[(Key, Name, Origin)],
    findings: &mut Findings,
) {
    let mut claimed: BTreeMap<Key, &Key> = BTreeMap::new();
    for (key, previous, origin) in renames {
        let old = Key::new(key.kind, previous.clone());
        let message = if old == *key {
            Some(format!("`{previous}` is its name, not a previous one"))
        } else if desired.resources.contains_key(&old) {
            Some(format!("the previous name `{previous}` belongs to another {}", key.kind))
        } else {
            let first = claimed.insert(old, key);
            first.map(|first| {
                format!("the previous name `{previous}` is claimed by `{}` as well", first.name)
            })
        };
        if let Some(message) = message {
            findings.push(Diagnostic::error("previous-name", message).at(origin.clone()));
        }
    }
}

/// Follows every mention: to a dependency, or to an error with the name that was probably meant.
fn connect(desired: &mut Desired<Source>, mentions: &[Mention], findings: &mut Findings) {
    for Mention { from, to, .. } in mentions {
        if desired.resources.contains_key(to)
            && let Some(resource) = desired.resources.get_mut(from)
        {
            resource.depends_on.insert(to.clone());
        }
    }
    let mut names: BTreeMap<Kind, Names<'_>> = BTreeMap::new();
    let is_dangling = |it: &&Mention| !it.is_external && !desired.resources.contains_key(&it.to);
    for Mention { from, to, origin, is_external: _ } in mentions.iter().filter(is_dangling) {
        let names = names.entry(to.kind).or_insert_with(|| {
            let keys = desired.resources.keys().filter(|key| key.kind == to.kind);
            Names::new(keys.map(|key| key.name.as_str()).collect())
        });
        findings.push(dangling(desired, names, from, to, origin));
    }
}

fn dangling(
    desired: &Desired<Source>,
    names: &mut Names<'_>,
    from: &Key,
    to: &Key,
    origin: &Origin,
) -> Diagnostic {
    let (kind, name) = (to.kind, &to.name);
    let verb = if desired.tombstones.contains_key(to) {
        "which must go"
    } else {
        "which no manifest defines"
    };
    let message = format!("{} `{}` refers to {kind} `{name}`, {verb}", from.kind, from.name);
    let diagnostic = Diagnostic::error("unknown-reference", message).at(origin.clone());
    let other_kind = Kind::ALL
        .into_iter()
        .find(|other| desired.resources.contains_key(&Key::new(*other, name.clone())));
    match (names.nearest(name.as_str()), other_kind) {
        (Some(near), _) => diagnostic.hint(format!("did you mean `{near}`?")),
        (None, Some(other)) => diagnostic.hint(format!("there is a {other} of that name")),
        (None, None) => {
            diagnostic.hint("`external: true` on the reference, when it lives elsewhere")
        }
    }
}
