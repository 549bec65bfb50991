//! What holds for whole manifests, however they are cut into files and in whatever order they
//! stand. The laws of one room are beside the room.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use stoker::emulator::EmulatorConfig;
use stoker::manifest;
use stoker::model::{Coverage, Kind, Listing, Live, Project, Snapshot};
use stoker::plan::{Plan, Policy, plan};
use stoker::render::json::{Preamble, SavedPlan};
use stoker::secret::{self, Finders, FingerprintKey, FoundValues};
use stoker::source::Tree;

use crate::generated::{Form, stack};
use crate::manifests::assert_reads_back;
use crate::mutation;
use crate::stage::{self, Stage, brief, pruning};

/// How many passes one wish may need after another (L1).
const PASSES_MAX: usize = 3;

/// The plan of these files for an empty project.
fn planned(files: &BTreeMap<String, String>) -> Plan {
    let tree = Tree::from_texts(files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    let loaded = manifest::load(&tree);
    let declared = loaded.desired.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
    let key = FingerprintKey::from_bytes([7; 32]);
    let variable = |_: &str| Some("hunter2".to_owned());
    let found = FoundValues::of(&declared, &tree, &Finders::of_environment(&variable));
    let desired = secret::resolve(declared, &tree, &found, &key).unwrap();
    let listing =
        |kind| (kind, Listing { coverage: Coverage::Complete, objects: Vec::new(), pages: 1 });
    let live = Live {
        project: Project { id: None, name: "emulator".to_owned(), region: None, plan: None },
        listings: Kind::ALL.map(listing).into(),
        gone: Default::default(),
        unread: Default::default(),
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

/// A Blueprint's variables are additive: that alone is another promise than the native form makes.
fn as_exact(mut plan: Plan) -> Plan {
    let records = plan.changes.iter_mut().filter_map(|change| change.record.as_mut());
    records.for_each(|record| record.env_additive = false);
    plan
}

/// One file with these documents.
fn in_one(documents: &[Value]) -> BTreeMap<String, String> {
    let texts: Vec<String> = documents.iter().map(|it| format!("---\n{it}\n")).collect();
    BTreeMap::from([("stack.yaml".to_owned(), texts.concat())])
}

fn tree(documents: &[Value]) -> Tree {
    stage::manifests(&in_one(documents)["stack.yaml"])
}

fn form() -> impl Strategy<Value = Form> {
    select(&[Form::Native, Form::Blueprint][..])
}

/// Turns every list of a Blueprint, and the variables of its items, by so much.
fn turned_blueprint(document: &Value, by: &Index) -> Value {
    let mut document = document.clone();
    let lists = document.as_object_mut().unwrap().values_mut();
    for list in lists.filter_map(Value::as_array_mut) {
        let variables = list.iter_mut().filter_map(|item| item.get_mut("envVars")?.as_array_mut());
        variables.for_each(|items| turn(items, by));
        turn(list, by);
    }
    document
}

fn turn(items: &mut [Value], by: &Index) {
    if !items.is_empty() {
        items.rotate_left(by.index(items.len()));
    }
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
        if let Some(Value::Array(items)) = document.pointer_mut(pointer) {
            turn(items, by);
        }
    }
    document
}

/// A generator that makes the same few things would prove nothing.
#[test]
fn stacks_are_valid_and_have_everything_a_project_may_have() {
    let mut runner = TestRunner::deterministic();
    let mut seen = String::new();
    for _ in 0..200 {
        let stack = stack().new_tree(&mut runner).unwrap().current();
        for form in [Form::Native, Form::Blueprint] {
            let documents = stack.documents(form);
            let loaded = manifest::load(&tree(&documents));
            assert!(loaded.desired.is_some(), "{:#?}", loaded.diagnostics);
            seen.push_str(&in_one(&documents)["stack.yaml"]);
        }
    }
    for word in [
        r#""type":"web""#,
        r#""type":"worker""#,
        r#""type":"cron""#,
        r#""type":"static""#,
        r#""type":"postgres""#,
        r#""type":"valkey""#,
        r#""kind":"EnvGroup""#,
        "fromDatabase",
        "fromService",
        "fromGroup",
        r#""envGroups":["#,
        "generateValue",
        r#""sync":false"#,
        r#""caches":[{"#,
        "scaling",
        "disk",
        r#""value":"""#,
        r#""envVars":[]"#,
    ] {
        assert!(seen.contains(word), "{word}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_plan_depends_neither_on_files_nor_on_the_order_of_documents_and_lists(
        documents in Just(mutation::base()).prop_shuffle(),
        files in proptest::collection::vec("[a-z]{1,3}\\.yaml", 6),
        by in any::<Index>(),
    ) {
        let expected = without_places(planned(&in_one(&mutation::base())));
        let mut scattered: BTreeMap<String, String> = BTreeMap::new();
        for (document, file) in documents.iter().zip(files) {
            let text = format!("---\n{}\n", turned(document, &by));
            scattered.entry(file).or_default().push_str(&text);
        }
        prop_assert_eq!(without_places(planned(&scattered)), expected);
    }

    #[test]
    fn the_plan_of_any_stack_depends_neither_on_its_form_nor_on_any_order(
        (stack, documents) in stack().prop_flat_map(|stack| {
            let documents = stack.documents(Form::Native);
            (Just(stack), Just(documents).prop_shuffle())
        }),
        by in any::<Index>(),
    ) {
        let expected = without_places(planned(&in_one(&stack.documents(Form::Native))));
        let turned: Vec<Value> = documents.iter().map(|it| turned(it, &by)).collect();
        prop_assert_eq!(&without_places(planned(&in_one(&turned))), &expected);
        let blueprint = stack.documents(Form::Blueprint);
        let turned: Vec<Value> = blueprint.iter().map(|it| turned_blueprint(it, &by)).collect();
        prop_assert_eq!(&as_exact(without_places(planned(&in_one(&turned)))), &expected);
    }

    #[test]
    fn any_stack_reads_back_as_it_was_printed(stack in stack(), form in form()) {
        let loaded = manifest::load(&tree(&stack.documents(form)));
        assert_reads_back(&loaded.desired.unwrap());
    }

    #[test]
    fn the_plan_of_what_was_applied_is_empty(first in stack(), second in stack(), form in form()) {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let stage = Stage::in_memory(EmulatorConfig::default());
            let (first, second) = (tree(&first.documents(form)), tree(&second.documents(form)));
            stage.apply(&first, &pruning()).await;
            let left = brief(&stage.plan(&first, &pruning()).await);
            assert_eq!(left, [""; 0], "on an empty platform one pass is enough");
            for _ in 0..PASSES_MAX {
                stage.wait(200).await;
                stage.apply(&second, &pruning()).await;
            }
            // What may not be changed or deleted is shown as blocked, and stays.
            let plan = stage.plan(&second, &pruning()).await;
            assert!(plan.changes.iter().all(|it| it.blocked.is_some()), "{plan:#?}");
            assert!(plan.remember.is_empty(), "{:#?}", plan.remember);
        });
    }

    #[test]
    fn a_saved_plan_is_read_as_it_was_written(revision in any::<String>(), name in any::<String>()) {
        let files = BTreeMap::from([("a.yaml".to_owned(), mutation::base()[3].to_string())]);
        let mut plan = planned(&files);
        plan.revision = Some(revision);
        plan.project.name = name;
        let saved = SavedPlan::new(&plan, Preamble::default());
        let written = saved.to_json();
        prop_assert!(!written.replace('\n', "").contains(char::is_control));
        prop_assert_eq!(SavedPlan::parse(&written).unwrap(), saved);
    }
}
