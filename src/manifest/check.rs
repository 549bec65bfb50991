//! What can only be seen with all documents together: the same name twice, references to nothing,
//! names that were, and settings that contradict each other.

use std::collections::BTreeMap;

use super::draft::{Drafts, Mention, derived, has, number_of, text_of};
use super::reader::{DocumentForm, Findings};
use super::suggest::Names;
use crate::model::{
    Desired, Diagnostic, FieldPath, Guard, Key, Kind, NAMES_MOVING_MAX, Name, Origin, Resource,
    Setting, Severity, ValueSource, circles,
};

/// Joins the drafts to what is wanted. It is wholly valid only when no finding is an error.
pub(super) fn join(drafts: Drafts, findings: &mut Findings) -> Desired<ValueSource> {
    let Drafts {
        resources,
        tombstones,
        guards,
        mentions,
        renames,
        home: _,
        environment: _,
        has_environments: _,
    } = drafts;
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
    check_renames(&renames, findings);
    connect(&mut desired, &mentions, findings);
    desired
}

fn declared_twice(key: &Key, origin: &Origin, first: &Origin, findings: &mut Findings) {
    let Key { kind, name } = key;
    let message = format!("{kind} `{name}` is declared twice");
    let hint = format!("the first is at {first}");
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
fn contradictions(resource: &Resource<ValueSource>, findings: &mut Findings) {
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
                .hint("an image replaces a build from source; keep one of them"),
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

/// A previous name is nobody else's previous one, and not more names go round than a plan exchanges.
fn check_renames(renames: &[(Key, Name, Origin)], findings: &mut Findings) {
    // Who claims a name first, and where in the list.
    let mut claims: BTreeMap<Key, (&Key, usize)> = BTreeMap::new();
    for (number, (key, previous, _)) in renames.iter().enumerate() {
        let old = Key::new(key.kind, previous.clone());
        if old != *key {
            claims.entry(old).or_insert((key, number));
        }
    }
    // Each name is claimed once: what a resource was is what another one is.
    let circles = circles(claims.keys(), |key| claims.get(key).map(|(claimer, _)| *claimer));
    let counted = circles.iter().flat_map(|circle| circle.iter().map(|key| (*key, circle.len())));
    let counts: BTreeMap<&Key, usize> = counted.collect();
    let count_with = |key: &Key| counts.get(key).copied().unwrap_or_default();
    for (number, (key, previous, origin)) in renames.iter().enumerate() {
        let old = Key::new(key.kind, previous.clone());
        let message = match claims.get(&old) {
            _ if old == *key => format!("`{previous}` is its current name, not a previous one"),
            Some((first, claim)) if *claim != number => {
                format!("the previous name `{previous}` is claimed by `{}` as well", first.name)
            }
            Some(_) if count_with(&old).min(count_with(key)) > NAMES_MOVING_MAX => format!(
                "`{}` is one of {} that exchange their names, and at most {NAMES_MOVING_MAX} do so \
                 in one commit",
                key.name,
                count_with(key)
            ),
            Some(_) | None => continue,
        };
        findings.push(Diagnostic::error("previous-name", message).at(origin.clone()));
    }
}

/// Follows every mention: to a dependency, or to an error with the name that was probably meant.
fn connect(desired: &mut Desired<ValueSource>, mentions: &[Mention], findings: &mut Findings) {
    for Mention { from, to, .. } in mentions {
        if desired.resources.contains_key(to)
            && let Some(resource) = desired.resources.get_mut(from)
        {
            resource.depends_on.insert(to.clone());
        }
    }
    let mut names: BTreeMap<Kind, Names<'_>> = BTreeMap::new();
    let is_dangling = |it: &&Mention| !it.is_external && !desired.resources.contains_key(&it.to);
    for mention in mentions.iter().filter(is_dangling) {
        let kind = mention.to.kind;
        let names = names.entry(kind).or_insert_with(|| {
            let keys = desired.resources.keys().filter(|key| key.kind == kind);
            Names::new(keys.map(|key| key.name.as_str()).collect())
        });
        findings.push(dangling(desired, names, mention));
    }
}

fn dangling(
    desired: &Desired<ValueSource>,
    names: &mut Names<'_>,
    mention: &Mention,
) -> Diagnostic {
    let Mention { from, to, origin, is_external: _, form } = mention;
    let (kind, name) = (to.kind, &to.name);
    let must_go = desired.tombstones.contains_key(to);
    let verb = if must_go { "which must go" } else { "which no manifest defines" };
    let message = format!("{} `{}` refers to {kind} `{name}`, {verb}", from.kind, from.name);
    let diagnostic = Diagnostic::error("unknown-reference", message).at(origin.clone());
    let other_kind = Kind::ALL
        .into_iter()
        .find(|other| desired.resources.contains_key(&Key::new(*other, name.clone())));
    match (names.nearest(name.as_str()), other_kind) {
        (Some(near), _) => diagnostic.hint(format!("did you mean `{near}`?")),
        (None, Some(other)) => diagnostic.hint(format!("there is a {other} of that name")),
        // In a Blueprint it may be anything that lives already; a plan looks whether it does.
        (None, None) if *form == DocumentForm::Blueprint && !must_go => Diagnostic {
            severity: Severity::Warning,
            ..diagnostic
                .hint("it must already exist; say so with `external: true` on the reference")
        },
        (None, None) => {
            diagnostic.hint("write `external: true` on the reference if it is managed elsewhere")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what is said of services whose previous names are given as `now<before`.
    fn check(renames: &[&str]) -> Vec<String> {
        let name = |text: &str| Name::new(text).unwrap();
        let origin = Origin { file: "a.yaml".to_owned(), line: 1, column: 1 };
        let rename = |text: &&str| {
            let (now, before) = text.split_once('<').unwrap();
            (Key::new(Kind::Service, name(now)), name(before), origin.clone())
        };
        let renames: Vec<_> = renames.iter().map(rename).collect();
        let mut findings = Findings::default();
        check_renames(&renames, &mut findings);
        findings.into_sorted().into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn names_may_move_on_and_go_round_and_each_is_claimed_once() {
        assert!(check(&["c<b", "b<a", "a<old"]).is_empty());
        assert!(check(&["a<b", "b<c", "c<a", "e<d", "d<x"]).is_empty());
        let round = |count: usize| {
            let renames = (0..count).map(|number| format!("n{}<n{number}", (number + 1) % count));
            let renames: Vec<String> = renames.collect();
            check(&renames.iter().map(String::as_str).collect::<Vec<_>>())
        };
        assert!(round(16).is_empty());
        let long = round(17);
        assert_eq!(long.len(), 17, "{long:?}");
        assert!(long.iter().all(|message| message.contains("at most 16")), "{long:?}");
        let twice = check(&["a<b", "c<b", "a<b"]);
        assert_eq!(twice, ["the previous name `b` is claimed by `a` as well"; 2]);
        assert_eq!(check(&["a<a"]), ["`a` is its current name, not a previous one"]);
        assert!(check(&["a<b", "b<a", "b<c", "c<d"]).is_empty());
    }
}
