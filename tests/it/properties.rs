//! What holds for whole manifests, however they are cut into files and in whatever order they
//! stand. The laws of one room are beside the room.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;
use stoker::manifest;
use stoker::model::{Coverage, Kind, Listing, Live, Project, Snapshot};
use stoker::plan::{Plan, Policy, plan};
use stoker::render::json::{Context, SavedPlan};
use stoker::secret::{self, FingerprintKey};
use stoker::source::Tree;

use crate::mutation;

/// The plan of these files for an empty project.
fn planned(files: &BTreeMap<String, String>) -> Plan {
    let tree = Tree::from_texts(files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    let loaded = manifest::load(&tree);
    let declared = loaded.desired.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
    let key = FingerprintKey::from_bytes([7; 32]);
    let desired = secret::resolve(declared, &tree, &|_| Some("hunter2".to_owned()), &key).unwrap();
    let listing =
        |kind| (kind, Listing { coverage: Coverage::Complete, objects: Vec::new(), pages: 1 });
    let live = Live {
        project: Project { id: None, name: "emulator".to_owned(), region: None, plan: None },
        listings: Kind::ALL.map(listing).into(),
        gone: Default::default(),
        requests: 4,
    };
    let origin = "https://api.example.com/v1".to_owned();
    let now = "2026-11-25T00:00:00Z".parse().unwrap();
    let (desired, inventory) = (desired.into(), Arc::default());
    plan(&Snapshot { origin, desired, live, inventory, now }, &Policy::default())
}

/// A plan without the places and the digest of the files it was made from.
fn without_places(mut plan: Plan) -> Plan {
    plan.digest = String::new();
    plan.changes.iter_mut().for_each(|change| change.origin = None);
    plan
}

/// Turns every list that is a set, of variables, domains, groups and policies, by so much.
fn turned(document: &Value, by: &Index) -> Value {
    let mut document = document.clone();
    for pointer in [
        "/spec/envVars",
        "/spec/domains",
        "/spec/envGroups",
        "/lifecycle/managementPolicies",
        "/lifecycle/ignoreChanges",
    ] {
        if let Some(Value::Array(items)) = document.pointer_mut(pointer)
            && !items.is_empty()
        {
            let middle = by.index(items.len());
            items.rotate_left(middle);
        }
    }
    document
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_plan_depends_neither_on_files_nor_on_the_order_of_documents_and_lists(
        documents in Just(mutation::base()).prop_shuffle(),
        files in proptest::collection::vec("[a-z]{1,3}\\.yaml", 6),
        by in any::<Index>(),
    ) {
        let in_one = |documents: &[Value]| {
            let texts: Vec<String> = documents.iter().map(|it| format!("---\n{it}\n")).collect();
            BTreeMap::from([("stack.yaml".to_owned(), texts.concat())])
        };
        let expected = without_places(planned(&in_one(&mutation::base())));
        let mut scattered: BTreeMap<String, String> = BTreeMap::new();
        for (document, file) in documents.iter().zip(files) {
            let text = format!("---\n{}\n", turned(document, &by));
            scattered.entry(file).or_default().push_str(&text);
        }
        prop_assert_eq!(without_places(planned(&scattered)), expected);
    }

    #[test]
    fn a_saved_plan_is_read_as_it_was_written(revision in any::<String>(), name in any::<String>()) {
        let files = BTreeMap::from([("a.yaml".to_owned(), mutation::base()[3].to_string())]);
        let mut plan = planned(&files);
        plan.revision = Some(revision);
        plan.project.name = name;
        let saved = SavedPlan::new(&plan, Context::default());
        let written = saved.to_json();
        prop_assert!(!written.replace('\n', "").contains(char::is_control));
        prop_assert_eq!(SavedPlan::parse(&written).unwrap(), saved);
    }
}
