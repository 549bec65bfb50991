//! What looking and doing cost in requests: the limits of the suite, B1 and B2, to the request.

use std::sync::Arc;

use stoker::emulator::{Act, EmulatorConfig, Fields, Kind, Paging, Shapes};
use stoker::plan::{Action, Policy};
use stoker::source::Tree;

use crate::stage::{Stage, manifests};

/// How many of each kind are there: eight in ten are services.
struct Park {
    services: usize,
    databases: usize,
    groups: usize,
}

impl Park {
    const fn of(objects: usize) -> Self {
        let (databases, groups) = (objects * 3 / 20, objects / 20);
        Self { services: objects - databases - groups, databases, groups }
    }

    /// Returns a platform on which they live, with lists of that page size.
    fn stage(&self, page: u32) -> Stage {
        let stage = Stage::on(EmulatorConfig {
            list_fields: Shapes::every(Fields::All),
            paging: Paging { size: page, size_max: page, per_page: true },
            ..EmulatorConfig::default()
        });
        let make = |kind, body| stage.emulator.act(&Act::Create { kind, body }).unwrap();
        for number in 0..self.services {
            let name = format!("s{number}");
            let body = serde_json::json!({"name": name, "type": "web_service", "image": "nginx"});
            make(Kind::Service, body);
        }
        for number in 0..self.databases {
            let name = format!("d{number}");
            make(Kind::Database, serde_json::json!({"name": name, "type": "postgres"}));
        }
        for number in 0..self.groups {
            make(Kind::EnvGroup, serde_json::json!({"name": format!("g{number}")}));
        }
        stage
    }

    /// Returns the manifests of what lives; the first `changed` services have another image, and
    /// `added` more are declared.
    fn tree(&self, changed: usize, added: usize) -> Tree {
        let document = |kind: &str, name: String, spec: &str| {
            format!(
                "---\napiVersion: stackblaze.cloud/v1\nkind: {kind}\nmetadata: {{ name: {name} }}\n\
                 spec: {{ {spec} }}\n"
            )
        };
        let service = |number: usize| {
            let image = if number < changed { "nginx:2" } else { "nginx" };
            document("Service", format!("s{number}"), &format!("type: web, image: \"{image}\""))
        };
        let services = (0..self.services + added).map(service);
        let databases =
            (0..self.databases).map(|it| document("Database", format!("d{it}"), "type: postgres"));
        let groups = (0..self.groups).map(|it| document("EnvGroup", format!("g{it}"), ""));
        manifests(&services.chain(databases).chain(groups).collect::<String>())
    }

    /// Returns the requests that reading it takes at least: the pages, and the project.
    fn limit(&self, page: u32) -> usize {
        let pages = |number: usize| number.div_ceil(usize::try_from(page).unwrap()).max(1);
        pages(self.services) + pages(self.databases) + pages(self.groups) + 1
    }
}

#[tokio::test(start_paused = true)]
async fn b1_a_plan_without_changes_costs_the_pages_and_the_project() {
    for objects in [100, 1_000, 10_000] {
        let park = Park::of(objects);
        let desired = Arc::new(Stage::new().desired(&park.tree(0, 0)));
        for page in [20, 50, 100] {
            let stage = park.stage(page);
            let planned = stage.open().plan(Arc::clone(&desired), &Policy::default()).await;
            let plan = planned.unwrap().plan;
            assert!(!plan.is_pending(), "{objects} {page}");
            assert_eq!(plan.changes.len(), objects, "all are found: {objects} {page}");
            let asked = stage.emulator.record().requests().count();
            assert_eq!(asked, park.limit(page), "{objects} {page}");
            assert_eq!(usize::try_from(plan.cost.reads).unwrap(), asked, "{objects} {page}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn b2_an_apply_costs_what_its_plan_foretold_and_no_more_than_the_limit() {
    for writes in [1, 100, 1_000] {
        let park = Park::of(10_000);
        let stage = park.stage(100);
        let (changed, added) = (writes - writes / 2, writes / 2);
        let began = stage.clock.now();
        let (plan, _) = stage.apply(&park.tree(changed, added), &Policy::default()).await;
        let seconds = stage.clock.now().duration_since(began).as_secs();
        let count = |action| plan.changes.iter().filter(|it| it.action == action).count();
        assert_eq!((count(Action::Update), count(Action::Create)), (changed, added));
        let asked = stage.emulator.record().requests().count();
        assert_eq!(stage.emulator.record().writes(), writes);
        let foretold = usize::try_from(plan.cost.reads + plan.cost.writes).unwrap();
        // Where the creates wait for the next minute, the list they rest on is read again, once for
        // all of them and at most every nine seconds (S2). Nobody waits within the first minute.
        let rereads = usize::try_from(seconds / 9).unwrap();
        assert!(foretold > 285 || rereads == 0, "{writes}: {seconds} s");
        let added = rereads * park.services.div_ceil(100);
        assert!((foretold..=foretold + added).contains(&asked), "{writes}: {asked} of {foretold}");
        // Twice the lists, the writes, and each changed object once more before it is written (S10).
        let most = 2 * park.limit(100) + writes + changed + added;
        assert!(asked <= most, "{writes}: {asked} over {most}");
    }
}
