//! Any bytes as a manifest: read or refused, and what is read can be printed and read again.

use std::path::PathBuf;

use stoker::manifest::{self, Loaded};
use stoker::model::{Desired, ValueSource};
use stoker::source::{self, Tree};

/// The most findings of one run, and the line that says that there are more.
const FINDINGS_MAX: usize = 201;

/// Reads bytes as one file of manifests.
pub fn manifests(input: &[u8]) {
    let mut bytes = input;
    let tree = source::load(&[PathBuf::from("-")], Some(&mut bytes)).expect("it is within limits");
    let Loaded { desired, diagnostics } = manifest::load(&tree);
    assert!(diagnostics.len() <= FINDINGS_MAX, "{} findings", diagnostics.len());
    let Some(desired) = desired else {
        assert!(diagnostics.iter().any(|finding| finding.is_error()), "refused without a reason");
        return;
    };
    let printed = manifest::print(&desired);
    let again = manifest::load(&Tree::from_texts([("again.yaml", printed.as_str())]));
    let Some(again) = again.desired else {
        panic!("what was printed is refused: {:#?}\n{printed}", again.diagnostics);
    };
    assert_eq!(said(&again), said(&desired), "{printed}");
}

/// What manifests say, without where they say it.
fn said(desired: &Desired<ValueSource>) -> Vec<String> {
    let resources = desired.resources.values().map(|resource| {
        let fields: Vec<_> =
            resource.fields.iter().map(|(path, field)| (path, &field.value)).collect();
        let by_hand: Vec<_> = resource.set_by_hand.keys().collect();
        format!(
            "{} {:?} {:?} {fields:?} {} {by_hand:?} {:?} {:?}",
            resource.key,
            resource.labels,
            resource.previous_names,
            resource.declares_env,
            resource.lifecycle,
            resource.depends_on
        )
    });
    let tombstones = desired.tombstones.values();
    let tombstones = tombstones.map(|it| format!("{} {:?}", it.key, it.approval));
    let guard = desired.guard.iter().map(|guard| format!("{} {:?}", guard.name, guard.id));
    resources.chain(tombstones).chain(guard).collect()
}
