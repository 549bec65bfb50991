//! Generated values that give way: when, why, and what is remembered of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::super::{FieldReason, Plan, Policy, plan};
use super::scene::parse;
use crate::model::{
    Derivation, DeriveValue, EnvKey, FieldPath, FieldValue, Fingerprint, GeneratedValue,
    Generation, Key, RotationCause, Secret, SecretOrigin, Snapshot,
};

/// Derives `KEY number`, marked as such.
struct Row;

impl DeriveValue for Row {
    fn derive(&self, _: &Key, env_key: &EnvKey, number: u32) -> Secret {
        let value = format!("{} {number}", env_key.as_str());
        let mark = Fingerprint::new(format!("mark of {value}"));
        Secret::new(value.into(), mark, SecretOrigin::Generated)
    }

    fn mark(&self) -> String {
        "row".to_owned()
    }
}

fn salt() -> EnvKey {
    EnvKey::new("SALT").unwrap()
}

fn path() -> FieldPath {
    FieldPath::Env(salt())
}

fn api() -> Key {
    "service/api".parse().unwrap()
}

/// A service of ours with a generated value, which was written so many days ago, and the third of
/// its row; the platform shows no value.
fn scene(rotate: Option<&str>, days: Option<i64>, is_ordered: bool) -> Snapshot {
    let (mut snapshot, _) = parse(
        "want service/api env.SALT=gen:first
         live service/api#s1 env.SALT=hidden
         ours service/api#s1 env.SALT=gen:SALT_2",
    );
    let desired = Arc::make_mut(&mut snapshot.desired);
    desired.derivation = Some(Derivation::new(Row));
    let resource = desired.resources.get_mut(&api()).unwrap();
    let rotate = rotate.map(|text| text.parse().unwrap());
    resource.generated =
        BTreeMap::from([(salt(), GeneratedValue { rotate, ..GeneratedValue::default() })]);
    let inventory = Arc::make_mut(&mut snapshot.inventory);
    let entry = inventory.entries.get_mut(&api()).unwrap();
    entry.applied.insert(path(), (&FieldValue::from(Row.derive(&api(), &salt(), 2))).into());
    entry.generated = BTreeMap::from([(salt(), Generation { number: 2, is_ordered })]);
    let written = |days: i64| snapshot.now - SignedDuration::from_hours(24 * days);
    entry.changed_at = days.map(|days| (path(), written(days))).into_iter().collect();
    turned(snapshot)
}

/// Lets each value have its turn, as every look does.
fn turned(mut snapshot: Snapshot) -> Snapshot {
    snapshot.desired = Arc::clone(&snapshot.desired).in_turn(&snapshot.inventory, snapshot.now);
    snapshot
}

fn causes(plan: &Plan) -> Vec<RotationCause> {
    let fields = plan.changes.iter().flat_map(|change| &change.fields);
    let causes = fields.filter_map(|field| match field.reason {
        FieldReason::Rotated(cause) => Some(cause),
        _ => None,
    });
    causes.collect()
}

#[track_caller]
fn check(
    rotate: Option<&str>,
    days: Option<i64>,
    is_ordered: bool,
    expected: Option<RotationCause>,
) {
    let snapshot = scene(rotate, days, is_ordered);
    let planned = plan(&snapshot, &Policy::default());
    assert_eq!(causes(&planned), Vec::from_iter(expected), "{planned:#?}");
    let written = planned.changes.iter().flat_map(|change| &change.steps).count();
    assert_eq!(written, usize::from(expected.is_some()), "{planned:#?}");
}

#[test]
fn a_value_gives_way_when_it_is_old_or_when_a_person_says_so_and_else_stays() {
    let age = RotationCause::Age("90d".parse().unwrap());
    check(None, Some(4_000), false, None);
    check(Some("90d"), Some(89), false, None);
    check(Some("90d"), Some(90), false, Some(age));
    check(Some("90d"), Some(91), false, Some(age));
    check(Some("90d"), Some(-4_000), false, None);
    check(Some("90d"), None, false, None);
    check(None, None, true, Some(RotationCause::Order));
    check(Some("90d"), Some(0), true, Some(RotationCause::Order));
}

/// What the record of a change says, once it is done.
fn remembered(snapshot: &Snapshot) -> (Generation, Option<Timestamp>, FieldValue) {
    let planned = plan(snapshot, &Policy::default());
    let record = planned.changes[0].record.clone().unwrap();
    let changed_at = record.changed_at.get(&path()).copied();
    (record.generated[&salt()], changed_at, record.applied[&path()].clone())
}

/// So the next pass finds nothing to do (L1), and one that died before it was recorded writes the very
/// same value (L3).
#[test]
fn the_next_value_is_written_and_remembered_with_its_place_and_its_time() {
    let mut snapshot = scene(Some("90d"), Some(90), true);
    let (generation, changed_at, value) = remembered(&snapshot);
    assert_eq!(generation, Generation { number: 3, is_ordered: false });
    assert_eq!(changed_at, Some(snapshot.now));
    assert_eq!(value, FieldValue::from(Row.derive(&api(), &salt(), 3)));
    assert_eq!(remembered(&turned(snapshot.clone())).2, value, "however often it is begun");
    let inventory = Arc::make_mut(&mut snapshot.inventory);
    let entry = inventory.entries.get_mut(&api()).unwrap();
    entry.generated.insert(salt(), generation);
    entry.changed_at.extend(changed_at.map(|at| (path(), at)));
    entry.applied.insert(path(), (&value).into());
    let calm = plan(&turned(snapshot), &Policy::default());
    assert!(calm.is_idle() && calm.changes.is_empty(), "{calm:#?}");
}

/// The value before it is known to whoever shows texts, so that it is struck there (S9).
#[test]
fn the_value_in_use_and_the_one_before_it_are_both_secret() {
    let desired = scene(Some("90d"), Some(90), false).desired;
    let value = &desired.resources[&api()].fields[&path()].value;
    assert_eq!(*value, FieldValue::from(Row.derive(&api(), &salt(), 3)));
    let replaced: Vec<&str> = desired.replaced.iter().map(Secret::expose).collect();
    assert_eq!(replaced, ["SALT 2"]);
}

/// Its age is known from then on, so that it gives way some day.
#[test]
fn a_value_of_unknown_age_begins_to_age_when_it_is_seen() {
    let snapshot = scene(Some("90d"), None, false);
    let planned = plan(&snapshot, &Policy::default());
    assert!(planned.changes.is_empty(), "{planned:#?}");
    let memory = &planned.remember[&api()];
    assert_eq!(memory.changed_at.get(&path()), Some(&snapshot.now));
    let kept = plan(&scene(None, None, false), &Policy::default());
    assert!(kept.is_idle(), "nobody asks for its age: {kept:#?}");
}
