//! Laws that hold for any snapshot whatever.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::paper::print;
use super::scene::parse;
use super::world::World;
use crate::model::*;
use crate::plan::*;

const WISHES: &[&str] = &[
    "plan=a",
    "plan=b",
    "type=web",
    "disk.sizeGB=5",
    "env.A=1",
    "env.B=secret:x",
    "env.C=gen:y",
    "env",
    "env.D=ref:database/a",
    "was=b",
    "was=c,d",
    "protect",
    "prune=true",
    "prune=false",
    "adopt=match",
    "ignore=plan",
    "no-update",
    "after=database/a",
    "after=service/b,envgroup/a",
    "env.P=ref:service/a after=service/a",
    "env.Q=ref:service/b env.R=ref:service/c after=service/b,service/c",
];
const SIGHTS: &[&str] = &[
    "plan=a",
    "plan=b",
    "plan=hidden",
    "plan=null",
    "type=cron",
    "disk.sizeGB=9",
    "env.A=1",
    "env.A=2",
    "env.B=x",
    "env.B=hidden",
    "env.X=1",
    "no-env",
    "born=unknown",
    "born=2026-02-02T02:02:02Z",
];
const MEMORIES: &[&str] = &[
    "plan=a",
    "plan=b",
    "env.A=1",
    "env.B=secret:x",
    "env.B=secret:z",
    "env.X=1",
    "env.C=gen:y",
    "named",
    "presumed",
    "adopted",
    "protect",
    "prune=true",
    "tolerates=X",
    "env-unmanaged",
    "repaired=plan:2",
    "after=database/a",
    "after=service/c",
    "born=unknown",
    "was=b",
    "was=c,d",
];
const FLAGS: &[&str] = &[
    "prune",
    "max-deletes=2",
    "destroy",
    "adopt=never",
    "target=service/a",
    "exclude=service/b",
    "replace=service/a=s1",
    "write-unverifiable",
    "prune-adopted",
];

fn some(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    subsequence(words, 0..=4).prop_map(|words| words.join(" "))
}

fn name() -> impl Strategy<Value = String> {
    let kind = select(&["service", "database", "envgroup"][..]);
    (kind, select(&["a", "b", "c", "d"][..])).prop_map(|(kind, name)| format!("{kind}/{name}"))
}

fn id() -> impl Strategy<Value = String> {
    (1..9_u8).prop_map(|n| format!("s{n}"))
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (name(), some(WISHES)).prop_map(|(key, words)| format!("want {key} {words}")),
        6 => (name(), id(), some(SIGHTS)).prop_map(|(key, id, words)| format!("live {key}#{id} {words}")),
        6 => (name(), id(), some(MEMORIES)).prop_map(|(key, id, words)| format!("ours {key}#{id} {words}")),
        1 => (name(), 0..400_u32, some(MEMORIES)).prop_map(|(key, age, words)| format!("intent {key} {age}s {words}")),
        1 => id().prop_map(|id| format!("gone {id}")),
        1 => select(&["partial services", "forbidden databases"][..]).prop_map(str::to_owned),
        1 => name().prop_map(|key| format!("tomb {key} delete {key} id=s1 created=2026-01-15 before=2026-12-31")),
    ]
}

fn scene() -> impl Strategy<Value = String> {
    let lines = proptest::collection::vec(line(), 0..24);
    (subsequence(FLAGS, 0..=3), lines).prop_map(|(flags, mut lines)| {
        lines.push(format!("run adopt=always {}", flags.join(" ")));
        lines.join("\n")
    })
}

/// Parses a scene in which no listing shows an id twice: such a one would not be complete (S2).
fn parse_distinct(scene: &str) -> (Snapshot, Policy) {
    let (mut snapshot, policy) = parse(scene);
    for listing in snapshot.live.listings.values_mut() {
        let mut ids = BTreeSet::new();
        listing.objects.retain(|it| ids.insert(it.id.clone()));
    }
    (snapshot, policy)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_applied_needs_nothing_more(scene in scene(), shows: bool) {
        let (snapshot, policy) = parse_distinct(&scene);
        let mut world = World { snapshot, ids: 0, shows };
        let mut last = plan(&world.snapshot, &policy);
        // A second pass may do what had to wait for the first: adopt a name that became free,
        // forget what has gone. The third has nothing to do, and so has every one after it.
        for _ in 0..3 {
            world.apply(&last);
            let mut policy = policy.clone();
            policy.request.replace.clear();
            last = plan(&world.snapshot, &policy);
        }
        prop_assert!(!last.is_pending(), "{}\n---\n{}", scene, print(&last));
        prop_assert!(last.remember.is_empty(), "{}\n---\n{:?}", scene, last.remember);
    }

    #[test]
    fn nothing_unsettled_is_written_unasked(scene in scene()) {
        let (snapshot, mut policy) = parse_distinct(&scene);
        policy.permissions.write_unverifiable = false;
        let plan = plan(&snapshot, &policy);
        let replaced = |change: &&Change| change.action != Action::Replace;
        for field in plan.changes.iter().filter(replaced).flat_map(|change| &change.fields) {
            let is_open = field.reason == FieldReason::Unverifiable;
            prop_assert!(!is_open || field.action == FieldAction::Leave, "{}\n{:?}", scene, field);
        }
    }

    #[test]
    fn the_order_of_listings_means_nothing(scene in scene(), turn: Index) {
        let (snapshot, policy) = parse_distinct(&scene);
        let mut turned = snapshot.clone();
        for listing in turned.live.listings.values_mut() {
            if !listing.objects.is_empty() {
                let middle = turn.index(listing.objects.len());
                listing.objects.rotate_left(middle);
            }
        }
        prop_assert_eq!(plan(&snapshot, &policy), plan(&turned, &policy));
    }

    #[test]
    fn no_write_breaks_a_law(scene in scene()) {
        let (snapshot, policy) = parse(&scene);
        let plan = plan(&snapshot, &policy);
        let Snapshot { desired, live, inventory, .. } = &snapshot;
        let mut passed = BTreeSet::new();
        for change in &plan.changes {
            let Change { key, action, steps, blocked, after, .. } = change;
            prop_assert!(passed.insert(key.clone()), "one change for each key");
            prop_assert!(after.iter().all(|it| passed.contains(it)), "what comes first stands first");
            prop_assert!(blocked.is_none() || steps.is_empty());
            prop_assert_eq!(blocked.is_none() && action.writes(), !steps.is_empty());
            for step in steps {
                match step {
                    Step::Create { .. } => {
                        prop_assert!(live.listing(key.kind).coverage.is_complete());
                        // What has the name is deleted, or moves on to another one before.
                        let first = plan.changes.iter().filter(|it| after.contains(&it.key));
                        let moves: Vec<_> = first.filter_map(|it| it.id.as_ref()).collect();
                        let mut named = live.named(key).into_iter();
                        prop_assert!(*action == Action::Replace || named.all(|it| moves.contains(&&it.id)));
                        prop_assert!(desired.resources.contains_key(key));
                    }
                    Step::Deploy { .. } => prop_assert!(false, "this platform deploys by itself"),
                    Step::Complete { fields, after, .. } => {
                        prop_assert_eq!(Some(step), steps.last());
                        prop_assert!(!fields.is_empty());
                        let is_planned = |key: &Key| {
                            plan.changes.iter().any(|it| it.key == *key && !it.steps.is_empty())
                        };
                        prop_assert!(after.iter().all(is_planned));
                        let recorded = &change.record.as_ref().unwrap().applied;
                        prop_assert!(fields.keys().all(|path| !recorded.contains_key(path)));
                    }
                    Step::Patch { id, .. } | Step::MakeWay { id, .. } => {
                        prop_assert_eq!(key.kind, Kind::Service);
                        prop_assert!(live.with_id(key.kind, id).is_some());
                    }
                    Step::Delete { id, precondition } => {
                        let entry = &inventory.entries[key];
                        prop_assert_eq!(&entry.id, id);
                        prop_assert_eq!(&entry.created_at, &precondition.created_at);
                        prop_assert_eq!(key.name.as_str(), &precondition.name);
                        prop_assert!(!matches!(entry.claim, Claim::Presumed));
                        prop_assert!(entry.claim != Claim::Named || policy.permissions.prune_adopted);
                        prop_assert!(!entry.remembered.protect && entry.remembered.prune != Some(false));
                        prop_assert!(live.listing(key.kind).coverage.is_complete());
                        prop_assert!(key.kind != Kind::EnvGroup);
                        prop_assert!(*action == Action::Replace || !desired.resources.contains_key(key) || policy.request.destroy);
                    }
                }
            }
        }
    }

    #[test]
    fn the_fuse_bounds_every_hour_but_of_destroy(
        scene in scene(),
        lately in proptest::collection::vec((id(), -60..7_200_i64), 0..4),
    ) {
        let (mut snapshot, mut policy) = parse(&scene);
        policy.request.destroy = false;
        let mut gone = BTreeSet::new();
        for (id, age) in lately {
            let at = snapshot.now - jiff::SignedDuration::from_secs(age);
            let id = crate::model::RemoteId::new(&id).unwrap();
            if age < 3_600 {
                gone.insert(id.clone());
            }
            let sent = SentDelete { kind: Kind::Service, id, at, commit: None };
            Arc::make_mut(&mut snapshot.inventory).deletes.push(sent);
        }
        let plan = plan(&snapshot, &policy);
        let deletes = plan.changes.iter().filter(|it| it.action == Action::Delete && !it.steps.is_empty());
        let deleted: Vec<Kind> = deletes.map(|it| it.key.kind).collect();
        let again = plan.changes.iter().filter(|it| it.action == Action::Delete && !it.steps.is_empty());
        for change in again.filter(|it| it.key.kind == Kind::Service) {
            gone.extend(change.id.clone());
        }
        let others = deleted.iter().filter(|kind| **kind != Kind::Service).count();
        prop_assert!(deleted.is_empty() || gone.len() + others <= policy.permissions.deletes_max.unwrap_or(3));
        for kind in Kind::ALL {
            let ours = snapshot.inventory.entries.keys().filter(|it| it.kind == kind).count();
            let gone = deleted.iter().filter(|it| **it == kind).count();
            prop_assert!(gone == 0 || gone < ours);
        }
        prop_assert!(policy.permissions.prune != Prune::Off || deleted.is_empty());
    }
}

#[test]
fn ten_thousand_services_are_planned_and_all_of_them() {
    let mut scene = String::new();
    for n in 0..10_000 {
        scene +=
            &format!("want service/s{n} plan=b env.A=1\nlive service/s{n}#i{n} plan=a env.A=1\n");
        scene += &format!("ours service/s{n}#i{n} plan=a env.A=1\n");
    }
    let (snapshot, policy) = parse(&scene);
    let plan = plan(&snapshot, &policy);
    assert_eq!(plan.summary().change, 10_000);
    assert_eq!(plan.cost.reads, 4 + 10_000);
    let mut progress = Progress::new(&plan);
    while let Some(key) = progress.begin_next() {
        progress.finish(&key, Outcome::Applied);
    }
    assert_eq!(progress.report().counts().written, 10_000);
}
