//! Planning an export gives no changes, whatever the platform holds and whatever is remembered of it.
//!
//! The worlds are drawn, not thought of: settings of any text and number, many and huge variables,
//! references, masks, names that no manifest can hold; with a memory of some of them, and without.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use stoker::manifest;
use stoker::model::*;
use stoker::plan::{Plan, Policy, plan};
use stoker::secret::{self, FingerprintKey};
use stoker::source::Tree;

use crate::commands::Machine;

/// Texts that a platform may hold and a manifest may choke on.
const TEXTS: &[&str] = &[
    "",
    " ",
    "web",
    "worker",
    "cron",
    "static",
    "job",
    "node",
    "postgres",
    "redis",
    "16",
    "16.4",
    "0 2 * * *",
    "30 23 L * *",
    "@daily",
    "not a schedule",
    "/health",
    "health",
    "a b",
    "yes",
    "0x1F",
    "${HOME}",
    "$${HOME}",
    "line\nbreak",
    "tab\there",
    "\u{7}",
    "\u{202e}rtl",
    "ünïcode",
    "- a",
    "a: b",
    "#",
    "&a",
    "*",
    "!!null x",
    "git@github.com:acme/shop.git",
    "https://u:p@git.dev/acme/shop",
    "example.com",
    "*.example.com",
    "not a domain",
    "shared",
    "Not A Name",
    "-1",
    "1e3",
    "'",
    "\"",
];

const KEYS: &[&str] =
    &["A", "B_C", "PORT", "API_TOKEN", "STACKBLAZE_ID", "lower", "WITH.DOT", "DATABASE_URL"];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => select(TEXTS).prop_map(str::to_owned),
        2 => any::<String>(),
        1 => Just("x".repeat(70_000)),
    ]
}

fn value() -> impl Strategy<Value = FieldValue> {
    let items = proptest::collection::btree_set(select(TEXTS).prop_map(str::to_owned), 0..3);
    prop_oneof![
        6 => text().prop_map(FieldValue::Text),
        3 => prop_oneof![any::<i64>(), 0..200_i64].prop_map(FieldValue::Integer),
        1 => any::<bool>().prop_map(FieldValue::Boolean),
        2 => items.prop_map(FieldValue::Set),
    ]
}

/// A value that a setting can have by its type, and any text.
fn setting_value(setting: Setting) -> BoxedStrategy<FieldValue> {
    let items = proptest::collection::btree_set(select(TEXTS).prop_map(str::to_owned), 0..3);
    match setting {
        Setting::Domains | Setting::EnvGroups => items.prop_map(FieldValue::Set).boxed(),
        _ => value().boxed(),
    }
}

fn shown(value: impl Strategy<Value = FieldValue> + 'static) -> BoxedStrategy<LiveValue> {
    prop_oneof![
        8 => value.prop_map(LiveValue::Shown),
        1 => Just(LiveValue::Hidden),
        1 => Just(LiveValue::Absent),
    ]
    .boxed()
}

fn settings() -> impl Strategy<Value = BTreeMap<FieldPath, LiveValue>> {
    let all: Vec<Setting> =
        Setting::ALL.iter().copied().filter(|it| *it != Setting::Name).collect();
    let some = subsequence(all, 0..12);
    some.prop_flat_map(|settings| {
        let pairs =
            settings.into_iter().map(|it| (Just(FieldPath::Setting(it)), shown(setting_value(it))));
        pairs.collect::<Vec<_>>().prop_map(|pairs| pairs.into_iter().collect())
    })
}

fn variables() -> impl Strategy<Value = BTreeMap<FieldPath, LiveValue>> {
    let reference = select(&["main", "api"][..]).prop_map(|name| {
        let name = Name::new(name).unwrap();
        let property = "connectionString".to_owned();
        FieldValue::from(Reference { kind: Kind::Database, name, property, env_key: None })
    });
    let one = prop_oneof![
        6 => shown(text().prop_map(FieldValue::Text)),
        1 => shown(reference),
    ];
    let few = proptest::collection::btree_map(select(KEYS).prop_map(str::to_owned), one, 0..6);
    let many = Just(()).prop_map(|()| {
        let value = || LiveValue::Shown(FieldValue::Text("v".to_owned()));
        (0..250).map(|n| (format!("MANY_{n}"), value())).collect()
    });
    prop_oneof![12 => few, 1 => many].prop_map(|variables: BTreeMap<String, LiveValue>| {
        let path = |key: &str| FieldPath::Env(EnvKey::new(key).unwrap());
        variables.into_iter().map(|(key, value)| (path(&key), value)).collect()
    })
}

fn object(id: usize) -> impl Strategy<Value = LiveObject> {
    let names = &["api", "main", "shared", "web-2", "Bad Name", "x"][..];
    let type_ = prop_oneof![
        4 => select(&["web", "worker", "cron", "postgres"][..]).prop_map(Some),
        1 => Just(None),
    ];
    let kind = select(&Kind::ALL[..]);
    (kind, select(names), type_, settings(), variables(), any::<bool>()).prop_map(
        move |(kind, name, type_, settings, variables, shows_env)| {
            let mut fields = settings;
            let type_ = type_.map(|it| LiveValue::Shown(FieldValue::Text(it.to_owned())));
            fields.extend(type_.map(|it| (FieldPath::Setting(Setting::Type), it)));
            if kind != Kind::Database {
                fields.extend(variables);
            }
            LiveObject {
                kind,
                id: RemoteId::new(&format!("id_{id}")).unwrap(),
                name: name.to_owned(),
                created_at: Some("2026-01-15T10:30:00Z".to_owned()),
                status: None,
                url: None,
                replicas: Some(1),
                fields,
                shows_env,
            }
        },
    )
}

fn world() -> impl Strategy<Value = Vec<LiveObject>> {
    (0..6_usize).prop_flat_map(|count| (0..count).map(object).collect::<Vec<_>>())
}

/// What is remembered of some of them: most of it as it lives, some of it otherwise.
fn inventory(objects: &[LiveObject], seed: u64) -> Inventory {
    let mut inventory = Inventory::default();
    for (place, object) in objects.iter().enumerate() {
        let bits = seed >> (place * 8);
        let Some(name) = Name::new(&object.name).ok().filter(|_| bits & 1 == 1) else { continue };
        let applied = object.fields.iter().filter_map(|(path, value)| match value {
            LiveValue::Shown(value) => Some((path.clone(), Applied::from(value))),
            LiveValue::Hidden if bits & 2 == 0 => {
                Some((path.clone(), Applied::Text("written".to_owned())))
            }
            LiveValue::Hidden | LiveValue::Absent => None,
        });
        let entry = serde_json::json!({
            "id": object.id, "createdAt": object.created_at,
            "claim": if bits & 4 == 0 { "created" } else { "named" },
            "remembered": { "protect": bits & 8 == 0 }, "toleratedEnv": [], "dependsOn": [],
            "applied": {}, "envManaged": bits & 16 == 0, "envAdditive": bits & 32 == 0,
        });
        let entry: Entry = serde_json::from_value(entry).unwrap();
        let entry = Entry { applied: applied.collect(), ..entry };
        inventory.entries.entry(Key::new(object.kind, name)).or_insert(entry);
    }
    inventory
}

/// Exports a world, reads what was printed and plans it.
fn planned(objects: &[LiveObject], inventory: &Inventory) -> (String, Plan) {
    let (exported, _) = manifest::export(objects, inventory);
    let text = manifest::print(&exported);
    let tree = Tree::from_texts([("live.yaml", text.as_str())]);
    let loaded = manifest::load(&tree);
    let errors: Vec<_> = loaded.diagnostics.iter().filter(|it| it.is_error()).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{text}");
    let key = FingerprintKey::from_bytes([7; 32]);
    let desired = secret::resolve(loaded.desired.unwrap(), &tree, &|_: &str| None, &key).unwrap();
    let listing = |kind: Kind| {
        let objects = objects.iter().filter(|it| it.kind == kind).cloned().collect();
        (kind, Listing { coverage: Coverage::Complete, objects, pages: 1 })
    };
    let project = Project { id: None, name: "shop".to_owned(), region: None, plan: None };
    let snapshot = Snapshot {
        origin: "https://api.test/v1".to_owned(),
        desired: desired.into(),
        live: Live {
            project,
            listings: Kind::ALL.into_iter().map(listing).collect(),
            gone: BTreeSet::new(),
            unread: BTreeMap::new(),
            requests: 4,
        },
        inventory: inventory.clone().into(),
        now: "2026-03-01T12:00:00Z".parse().unwrap(),
    };
    let plan = plan(&snapshot, &Policy::default());
    (text, plan)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn planning_an_export_gives_no_changes(objects in world(), seed: u64) {
        for inventory in [Inventory::default(), inventory(&objects, seed)] {
            let (text, plan) = planned(&objects, &inventory);
            let writes = plan.changes.iter().filter(|it| !it.steps.is_empty()).count();
            prop_assert_eq!(writes, 0, "{}\n{:#?}\n{:#?}", text, plan.changes, inventory);
            let is_blocked = |key: &Key| plan.changes.iter().any(|it| it.key == *key && it.blocked.is_some());
            let exported = manifest::export(&objects, &inventory).0;
            let blocked: Vec<&Key> = exported.resources.keys().filter(|key| is_blocked(key)).collect();
            prop_assert!(blocked.is_empty(), "{}\n{:#?}", text, plan.changes);
        }
    }
}

#[test]
fn an_export_carries_protection_and_labels_and_says_what_it_cannot() {
    let machine = Machine::new();
    let manifest = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata:\n  name: api\n  \
        labels: { team: shop }\nspec: { type: web, image: nginx, envVars: [{ key: A, value: a }] }\n\
        lifecycle: { protect: true, prune: false, envVars: additive }\n";
    machine.write("api.yaml", manifest);
    assert_eq!(machine.run("apply api.yaml --sandbox -y").exit, 0);
    let ran = machine.run("export --sandbox --to live");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("ignoreChanges"), "{}", ran.stderr);
    let text = machine.read("live/services/api.yaml");
    for said in ["team: shop", "protect: true", "prune: false", "envVars: additive"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let ran = machine.run("plan live --sandbox --detailed-exitcode");
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("No changes."), "{}", ran.stdout);
    // What is there is somebody's.
    let ran = machine.run("export --sandbox --to live");
    assert_eq!(ran.exit, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("nothing was written"), "{}", ran.stderr);
}
