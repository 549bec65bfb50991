//! Every advice a plan prints is followed, word by word, and must lead somewhere: what was blocked is
//! carried out in the end, and nobody is given the same advice for the same reason twice.

use std::time::Duration;

use serde_json::{Value, json};
use stoker::clock::Clock;
use stoker::emulator::{Act, Emulator, EmulatorConfig, Kind, Naming};
use stoker::model::{Claim, Entry, Intent, Key, Remembered, RemoteId, Rewrite};
use stoker::sandbox::emulator_clock;
use stoker::store::Store;

use crate::commands::Machine;

/// How many advices in a row may be needed: each leads on to another obstacle, and the last to none.
const ADVICES_MAX: usize = 4;

/// A machine whose sandbox is as a test wants it.
struct Scene {
    machine: Machine,
    manifest: String,
    flags: String,
}

/// A situation: how it comes about, and what is asked for in it.
struct Case {
    name: &'static str,
    key: &'static str,
    /// The word of what stands in the way at first.
    reason: &'static str,
    /// How many advices its hint gives.
    advices: usize,
    arrange: fn(&mut Scene),
}

impl Scene {
    fn new() -> Self {
        let machine = Machine::new();
        Self { machine, manifest: String::new(), flags: String::new() }
    }

    /// Changes the platform, as people do, or begins one of another kind.
    fn platform<T>(&self, act: impl FnOnce(&Emulator) -> T) -> T {
        let place = self.machine.place("state/sandbox/world.json");
        let clock = emulator_clock(&Clock::system());
        let emulator = match std::fs::read(&place) {
            Ok(saved) => {
                Emulator::restore(&serde_json::from_slice(&saved).unwrap(), clock).unwrap()
            }
            Err(_) => Emulator::new(EmulatorConfig::default(), clock),
        };
        let done = act(&emulator);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, emulator.save().to_string()).unwrap();
        done
    }

    fn configure(&self, change: impl FnOnce(&mut EmulatorConfig)) {
        self.platform(|emulator| emulator.reconfigure(change));
    }

    fn make(&self, kind: Kind, body: Value) -> String {
        self.platform(|emulator| emulator.act(&Act::Create { kind, body }).unwrap().unwrap())
    }

    fn service(&self, name: &str) -> String {
        self.make(Kind::Service, json!({ "name": name, "type": "web_service", "image": "nginx" }))
    }

    fn rename(&self, kind: Kind, from: &str, to: &str) {
        self.platform(|emulator| {
            let id = emulator.ids(kind, from).remove(0);
            emulator.act(&Act::Rename { kind, id, name: to.to_owned() }).unwrap()
        });
    }

    fn store(&self) -> Store {
        Store::open(&self.machine.place("state/sandbox"), "a test").unwrap()
    }

    /// Remembers a create that was begun long ago and never answered.
    fn begin(&self, key: &str) {
        let intent = Intent {
            started_at: Clock::system().now() - Duration::from_secs(600),
            attempt: 1,
            applied: [].into(),
            remembered: Remembered::default(),
            depends_on: [].into(),
            bystanders: [].into(),
        };
        self.store().begin_intent(key.parse().unwrap(), intent).unwrap();
    }

    /// Changes what is remembered of a resource.
    fn remember(&self, key: &str, change: impl FnOnce(&mut Entry)) {
        let key: Key = key.parse().unwrap();
        let mut store = self.store();
        let mut entry = store.inventory().entries[&key].clone();
        change(&mut entry);
        store.record(key, entry).unwrap();
    }

    fn declare(&mut self, manifests: &[&str]) {
        self.manifest = manifests.join("---\n");
    }

    /// Applies what is declared so far.
    fn apply(&self) {
        self.machine.write("stack.yaml", &self.manifest);
        self.machine.run("apply stack.yaml --sandbox -y").says(0, &[]);
    }

    /// Returns the change of a resource, when the plan has one.
    fn change(&self, key: &str) -> Option<Value> {
        self.machine.write("stack.yaml", &self.manifest);
        let plan = format!("plan stack.yaml --sandbox -o json {}", self.flags);
        let plan = self.machine.run(&plan).says(0, &[]).json();
        plan["changes"].as_array().unwrap().iter().find(|change| change["key"] == key).cloned()
    }

    /// Does what an advice says. `id` is the one among several that is meant.
    fn follow(&mut self, advice: &str, key: &str, id: &str) {
        let document = key.split('/').next_back().unwrap();
        if let Some(command) = advice.strip_prefix("stoker ") {
            let command = command.replace("=ID", &format!("={id}"));
            let confirmed = if command.starts_with("destroy") { " --confirm emulator" } else { "" };
            self.machine.run(&format!("{command}{confirmed} --sandbox")).says(0, &[]);
        } else if advice.starts_with("--") {
            self.flags += &format!(" {advice}");
        } else if let Some(line) = advice.strip_prefix("lifecycle: { adopt: always }") {
            self.manifest = self.manifest.replace("adopt: never", &format!("adopt: always{line}"));
        } else if advice.starts_with("ignoreChanges: ") {
            let spec = format!("metadata: {{ name: {document} }}\n");
            let lifecycle = format!("{spec}lifecycle: {{ {advice} }}\n");
            self.manifest = self.manifest.replace(&spec, &lifecycle);
        } else if advice.starts_with("metadata: ") {
            let named = format!("metadata: {{ name: {document} }}");
            self.manifest = self.manifest.replace(&named, advice);
        } else if advice.starts_with("delete ") {
            self.manifest += &format!(
                "---\napiVersion: stackblaze.cloud/v1\nkind: Database\nmetadata: {{ name: \
                 {document} }}\nspec: {{ state: Absent, approval: \"{advice}\" }}\n"
            );
        } else {
            panic!("nobody knows how to follow `{advice}`");
        }
    }
}

/// Returns what stands in the way, and every advice that is given: the pieces in backticks that can
/// be typed or pasted, or a whole hint that is such a line.
fn obstacle(change: Option<&Value>) -> Option<(String, String, Vec<String>)> {
    let change = change?;
    let flapping = change["fields"].as_array()?.iter().find(|field| field["reason"] == "flapping");
    if let Some(field) = flapping {
        let hint = field["hint"].as_str().unwrap().to_owned();
        return Some(("flapping".to_owned(), String::new(), vec![hint]));
    }
    let blocked = change["blocked"].as_object()?;
    let text = |name: &str| blocked[name].as_str().unwrap_or_default().to_owned();
    let hint = text("hint");
    let is_line = hint.starts_with("delete ");
    // What comes second is said again, alone, once the first is done.
    let first = hint.split(", then ").next().unwrap();
    let quoted = first.split('`').skip(1).step_by(2).map(str::to_owned);
    let advices: Vec<String> = if is_line { vec![hint.clone()] } else { quoted.collect() };
    let advices = advices.into_iter().filter(|advice| advice != "previousNames").collect();
    Some((text("reason"), text("message"), advices))
}

const WEB: &str = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: { name: web }\n\
    spec: { type: web, image: nginx }\n";
const API: &str = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: { name: api }\n\
    spec: { type: web, image: nginx }\n";
const MAIN: &str = "apiVersion: stackblaze.cloud/v1\nkind: Database\nmetadata: { name: main }\n\
    spec: { type: postgres, version: '16', plan: starter, storageGB: 1 }\n";
const SHARED: &str = "apiVersion: stackblaze.cloud/v1\nkind: EnvGroup\nmetadata: { name: shared }\n\
    spec: { envVars: [ { key: A, value: b } ] }\n";

fn services(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| WEB.replace("name: web", &format!("name: {name}"))).collect()
}

/// Every situation in which a plan gives advice, as far as one run can bring it about.
const CASES: &[Case] = &[
    Case {
        name: "a lost create may have made a service under another name",
        key: "service/api",
        reason: "perhaps_ours",
        advices: 2,
        arrange: |scene| {
            scene.configure(|config| config.names = Naming::Numbered);
            scene.begin("service/api");
            scene.service("api");
            scene.declare(&[API]);
        },
    },
    Case {
        name: "a lost create may have made any of two",
        key: "service/api",
        reason: "perhaps_ours",
        advices: 2,
        arrange: |scene| {
            scene.begin("service/api");
            scene.service("some");
            scene.service("other");
            scene.declare(&[API]);
        },
    },
    Case {
        name: "a lost create may have made a database under another name",
        key: "database/main",
        reason: "perhaps_ours",
        advices: 2,
        arrange: |scene| {
            scene.begin("database/main");
            scene.make(
                Kind::Database,
                json!({ "name": "MAIN", "type": "postgres",
                "version": "16", "plan": "starter", "storage_gb": 1 }),
            );
            scene.declare(&[MAIN]);
        },
    },
    Case {
        name: "a lost create that nobody wants may have made something under another name",
        key: "service/api",
        reason: "perhaps_ours",
        advices: 2,
        arrange: |scene| {
            scene.declare(&[WEB]);
            scene.apply();
            scene.begin("service/api");
            scene.service("API");
        },
    },
    Case {
        name: "several have the name",
        key: "service/api",
        reason: "ambiguous_name",
        advices: 1,
        arrange: |scene| {
            scene.configure(|config| config.names_unique = false);
            scene.service("api");
            scene.service("api");
            scene.declare(&[API]);
        },
    },
    Case {
        name: "a lost create that nobody wants may have made any of two with the name",
        key: "service/api",
        reason: "ambiguous_name",
        advices: 2,
        arrange: |scene| {
            scene.configure(|config| config.names_unique = false);
            scene.declare(&[WEB]);
            scene.apply();
            scene.begin("service/api");
            scene.service("api");
            scene.service("api");
        },
    },
    Case {
        name: "one object is remembered as two resources",
        key: "service/api",
        reason: "ambiguous_name",
        advices: 1,
        arrange: |scene| {
            scene.declare(&[WEB]);
            scene.apply();
            let mut store = scene.store();
            let entry = store.inventory().entries[&"service/web".parse().unwrap()].clone();
            store.record("service/api".parse().unwrap(), entry).unwrap();
            scene.declare(&[WEB, API]);
        },
    },
    Case {
        name: "adoption is refused",
        key: "service/api",
        reason: "adoption_refused",
        advices: 2,
        arrange: |scene| {
            scene.service("api");
            scene.declare(&[&API.replace("spec:", "lifecycle: { adopt: never }\nspec:")]);
        },
    },
    Case {
        name: "a type cannot be changed",
        key: "service/api",
        reason: "immutable",
        advices: 1,
        arrange: |scene| {
            scene.declare(&[API, WEB]);
            scene.apply();
            scene.declare(&[&API.replace("type: web", "type: worker"), WEB]);
        },
    },
    Case {
        name: "a type cannot be changed of what is not ours yet",
        key: "service/api",
        reason: "immutable",
        advices: 1,
        arrange: |scene| {
            scene.service("api");
            scene.declare(&[&API.replace("type: web", "type: worker")]);
        },
    },
    Case {
        name: "pruning is off",
        key: "service/api",
        reason: "prune_off",
        advices: 1,
        arrange: |scene| {
            scene.declare(&[API, WEB]);
            scene.apply();
            scene.declare(&[WEB]);
        },
    },
    Case {
        name: "too much would go",
        key: "service/a",
        reason: "fuse",
        advices: 1,
        arrange: |scene| {
            let all = services(&["a", "b", "c", "d"]);
            scene.declare(&all.iter().map(String::as_str).collect::<Vec<_>>());
            scene.apply();
            scene.declare(&[&all[3]]);
            scene.flags = "--prune".to_owned();
        },
    },
    Case {
        name: "nothing of a kind would be left",
        key: "service/api",
        reason: "fuse",
        advices: 1,
        arrange: |scene| {
            scene.declare(&[API, SHARED]);
            scene.apply();
            scene.declare(&[SHARED]);
            scene.flags = "--prune".to_owned();
        },
    },
    Case {
        name: "a manifest protected it",
        key: "service/api",
        reason: "protected",
        advices: 1,
        arrange: |scene| {
            scene.declare(&[&API.replace("spec:", "lifecycle: { protect: true }\nspec:"), WEB]);
            scene.apply();
            scene.declare(&[WEB]);
            scene.flags = "--prune".to_owned();
        },
    },
    Case {
        name: "it was adopted by its name",
        key: "service/api",
        reason: "not_owned",
        advices: 1,
        arrange: |scene| {
            scene.service("api");
            scene.declare(&[API, WEB]);
            scene.apply();
            scene.declare(&[WEB]);
            scene.flags = "--prune".to_owned();
        },
    },
    Case {
        name: "it only may be ours",
        key: "service/api",
        reason: "presumed",
        advices: 1,
        arrange: |scene| {
            scene.declare(&[API, WEB]);
            scene.apply();
            scene.remember("service/api", |entry| entry.claim = Claim::Presumed);
            scene.declare(&[WEB]);
            scene.flags = "--prune".to_owned();
        },
    },
    Case {
        name: "a name that the platform gave is no obstacle to adopting by the key",
        key: "service/api",
        reason: "presumed",
        advices: 1,
        arrange: |scene| {
            scene.configure(|config| config.names = Naming::Capitals);
            scene.declare(&[API, WEB]);
            scene.apply();
            scene.remember("service/api", |entry| entry.claim = Claim::Presumed);
            scene.declare(&[WEB]);
            scene.flags = "--prune".to_owned();
        },
    },
    Case {
        name: "a database goes only with an approval",
        key: "database/main",
        reason: "approval_missing",
        advices: 1,
        arrange: |scene| {
            let kept = MAIN.replace("name: main", "name: kept");
            scene.declare(&[MAIN, &kept]);
            scene.apply();
            scene.declare(&[&kept]);
            scene.flags = "--prune".to_owned();
        },
    },
    Case {
        name: "it was renamed and is not wanted any more",
        key: "service/api",
        reason: "prune_off",
        advices: 2,
        arrange: |scene| {
            scene.declare(&[API, WEB]);
            scene.apply();
            scene.rename(Kind::Service, "api", "mine");
            scene.declare(&[WEB]);
        },
    },
    Case {
        name: "when it was created is not remembered",
        key: "service/api",
        reason: "not_owned",
        advices: 1,
        arrange: |scene| {
            scene.declare(&[API, WEB]);
            scene.apply();
            scene.remember("service/api", |entry| entry.created_at = None);
            scene.declare(&[WEB]);
            scene.flags = "--prune".to_owned();
        },
    },
    Case {
        name: "its id means another object now",
        key: "service/api",
        reason: "not_owned",
        advices: 1,
        arrange: |scene| {
            scene.declare(&[API, WEB]);
            scene.apply();
            let long_ago = Some("2020-01-01T00:00:00Z".to_owned());
            scene.remember("service/api", |entry| entry.created_at = long_ago);
            scene.declare(&[WEB]);
            scene.flags = "--prune".to_owned();
        },
    },
    Case {
        name: "a database was renamed by hand",
        key: "database/main",
        reason: "immutable",
        advices: 1,
        arrange: |scene| {
            scene.declare(&[MAIN]);
            scene.apply();
            scene.rename(Kind::Database, "main", "other");
        },
    },
    Case {
        name: "an env group was renamed by hand",
        key: "envgroup/shared",
        reason: "immutable",
        advices: 1,
        arrange: |scene| {
            scene.declare(&[SHARED]);
            scene.apply();
            scene.rename(Kind::EnvGroup, "shared", "other");
        },
    },
    Case {
        name: "a name cannot be changed back",
        key: "service/api",
        reason: "immutable",
        advices: 1,
        arrange: |scene| {
            scene.declare(&[API]);
            scene.apply();
            scene.rename(Kind::Service, "api", "other");
            scene.flags = "--dialect rename=unsupported".to_owned();
        },
    },
    Case {
        name: "a name does not settle",
        key: "service/api",
        reason: "flapping",
        advices: 1,
        arrange: |scene| {
            scene.declare(&[API]);
            scene.apply();
            scene.rename(Kind::Service, "api", "other");
            scene.remember("service/api", |entry| {
                let rewrite = Rewrite { count: 2, read_back: None, agreed_since: None };
                entry.rewrites.insert("name".parse().unwrap(), rewrite);
            });
        },
    },
    Case {
        name: "a tombstone names what is not ours",
        key: "service/api",
        reason: "not_owned",
        advices: 1,
        arrange: |scene| {
            scene.service("api");
            let gone = API.replace("spec: { type: web, image: nginx }", "spec: { state: Absent }");
            scene.declare(&[WEB]);
            scene.apply();
            scene.declare(&[WEB, &gone]);
            scene.flags = "--prune".to_owned();
        },
    },
];

/// The one of several that is meant: the newest thing of the kind.
fn meant(scene: &Scene, key: &str) -> String {
    let kind = if key.starts_with("database") { Kind::Database } else { Kind::Service };
    let things = scene.platform(|emulator| emulator.truth(kind));
    things.last().map_or_else(String::new, |it| it["id"].as_str().unwrap().to_owned())
}

fn check(case: &Case, number: usize) {
    let mut scene = Scene::new();
    (case.arrange)(&mut scene);
    let mut seen: Vec<(String, Vec<String>)> = Vec::new();
    for round in 0..=ADVICES_MAX {
        let change = scene.change(case.key);
        let Some((reason, message, advices)) = obstacle(change.as_ref()) else {
            assert!(round > 0, "{}: nothing stood in the way: {change:?}", case.name);
            let apply = format!("apply stack.yaml --sandbox -y {}", scene.flags);
            scene.machine.run(&apply).says(0, &[]);
            return;
        };
        let context = format!("{}, advice {number}, round {round}: {message}", case.name);
        if round == 0 {
            assert_eq!(reason, case.reason, "{context}");
            assert_eq!(advices.len(), case.advices, "{context}: {advices:?}");
        }
        let advice = if round == 0 { advices.get(number) } else { advices.first() };
        let advice = advice.unwrap_or_else(|| panic!("{context}: it leads nowhere")).clone();
        let verdict = (reason, advices);
        assert!(!seen.contains(&verdict), "{context}: it leads in a circle");
        seen.push(verdict);
        let id = meant(&scene, case.key);
        scene.follow(&advice, case.key, &id);
    }
    panic!("{}: no end of advices: {seen:#?}", case.name);
}

#[test]
fn every_advice_that_is_printed_leads_to_a_change_that_is_carried_out() {
    for case in CASES {
        for number in 0..case.advices {
            check(case, number);
        }
    }
}

#[test]
fn a_namesake_that_nobody_of_us_made_is_told() {
    let mut scene = Scene::new();
    scene.configure(|config| config.names_unique = false);
    scene.declare(&[WEB]);
    scene.apply();
    let ran = scene.machine.run("plan stack.yaml --sandbox").says(0, &["No changes."]);
    assert!(!ran.stderr.contains("another Stoker"), "{}", ran.stderr);
    let id = scene.service("web");
    let ran = scene.machine.run("plan stack.yaml --sandbox").says(0, &["No changes."]);
    let told = format!("{id} has the name of service/web and is not ours; does another Stoker");
    assert!(ran.stderr.contains(&told), "{}", ran.stderr);
}

#[test]
fn an_object_is_adopted_by_its_id_and_never_as_two_resources() {
    let mut scene = Scene::new();
    scene.declare(&[WEB]);
    scene.apply();
    let id = scene.platform(|emulator| emulator.ids(Kind::Service, "web").remove(0));
    let ran = scene.machine.run(&format!("adopt service/api={id} --sandbox"));
    ran.says(1, &["is ours already, as service/web", "stoker release service/web"]);
    let ran = scene.machine.run("adopt service/api=svc_nobody --sandbox");
    ran.says(1, &["there is no service with the id svc_nobody"]);
    assert!(RemoteId::new(&id).is_ok());
}
