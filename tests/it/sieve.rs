//! The three perturbations of Sieve (OSDI '22) over the whole lives of resources: the agent dies in
//! a state between two writes, reads a state that is past, or never sees a state at all.
//!
//! Each life is a list of manifests, one line of the table. Undisturbed it is the reference.

use stoker::emulator::{Act, Config, Faults, Kind};
use stoker::source::Tree;

use crate::faults::{Counts, first};
use crate::laws;
use crate::mortal::{Moment, Point, die};
use crate::stage::{Stage, edited, manifests, pruning};

/// The life of resources: what the manifests say, one after the other.
struct Life {
    name: &'static str,
    /// Whether somebody made `jobs` before it all began.
    is_there_before: bool,
    manifests: Vec<Tree>,
}

/// How a life ended.
struct End {
    truth: Vec<serde_json::Value>,
    counts: Counts,
}

/// The usual stack with `jobs` written another way; nothing for without it.
fn stack(jobs: Option<&str>) -> Tree {
    let usual = "{ type: worker, runtime: node, repo: github.com/acme/shop }";
    if let Some(jobs) = jobs {
        return edited(&first(), &format!("{{ name: jobs }}\nspec: {usual}"), jobs);
    }
    let text = String::from_utf8(first().files()[0].bytes.clone()).unwrap();
    let documents = text.split("---\n").filter(|document| !document.contains("name: jobs"));
    manifests(&documents.collect::<Vec<_>>().join("---\n"))
}

fn scaled(instances: u32) -> Tree {
    let scaling = format!("scaling: {{ minInstances: {instances}, maxInstances: {instances} }}");
    edited(
        &first(),
        "plan: standard\n  envGroups",
        &format!("plan: standard\n  {scaling}\n  envGroups"),
    )
}

fn lives() -> Vec<Life> {
    let life = |name, manifests| Life { name, is_there_before: false, manifests };
    let jobs = "spec: { type: worker, runtime: node, repo: github.com/acme/shop";
    let renamed = format!("{{ name: main, previousNames: [jobs] }}\n{jobs} }}");
    let disabled = format!(
        "{{ name: jobs }}\nlifecycle: {{ managementPolicies: [Observe] }}\n{jobs}, plan: premium }}"
    );
    let enabled = format!("{{ name: jobs }}\n{jobs}, plan: premium }}");
    vec![
        life("create", vec![stack(None), first()]),
        life("scale", vec![scaled(1), scaled(3)]),
        life("env change", vec![first(), edited(&first(), "production", "staging")]),
        life("delete", vec![first(), stack(None)]),
        life("rename", vec![first(), stack(Some(&renamed))]),
        Life { is_there_before: true, ..life("adopt", vec![stack(None), first()]) },
        life("disable, enable", vec![first(), stack(Some(&disabled)), stack(Some(&enabled))]),
        life("scale down, up", vec![scaled(3), scaled(1), scaled(3)]),
        life("recreate", vec![first(), stack(None), first()]),
    ]
}

impl Life {
    fn stage(&self) -> Stage {
        let stage = Stage::on(Config { names_unique: false, ..Config::default() });
        if self.is_there_before {
            make_jobs(&stage);
        }
        stage
    }

    /// Lives on from one of its manifests, undisturbed.
    async fn go_on(&self, stage: &Stage, from: usize) {
        for tree in &self.manifests[from..] {
            stage.apply(tree, &pruning()).await;
            stage.wait(200).await;
            stage.apply(tree, &pruning()).await;
            stage.wait(200).await;
        }
    }

    async fn reference(&self) -> End {
        let stage = self.stage();
        self.go_on(&stage, 0).await;
        let end = self.end(&stage, self.name).await;
        assert!(!end.truth.is_empty(), "{}", self.name);
        end
    }

    /// Checks what holds at the end of every life, and returns how this one ended.
    async fn end(&self, stage: &Stage, context: &str) -> End {
        let last = self.manifests.last().unwrap();
        laws::it_settles(stage, last, &pruning(), context).await;
        laws::nothing_is_there_twice(stage, context);
        laws::the_rate_is_kept(stage, context);
        let counts = laws::creates_and_deletes(&stage.emulator);
        End { truth: laws::truth(&stage.emulator), counts }
    }

    /// The stage as it is when the agent first sees one of its manifests.
    async fn until(&self, step: usize) -> Stage {
        let stage = self.stage();
        let before = Life { manifests: self.manifests[..step].to_vec(), ..*self };
        before.go_on(&stage, 0).await;
        stage
    }
}

/// A person makes a service as the manifests declare it.
fn make_jobs(stage: &Stage) -> String {
    let body = serde_json::json!({
        "name": "jobs", "type": "background_worker", "runtime": "node",
        "repo": "github.com/acme/shop",
    });
    let act = Act::Create { kind: Kind::Service, body };
    stage.emulator.act(&act).unwrap().expect("a create answers the id")
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_dies_in_any_state_between_ends_the_same() {
    for life in lives() {
        let reference = life.reference().await;
        for step in 0..life.manifests.len() {
            for number in 1.. {
                let mut stage = life.until(step).await;
                let context = format!("{} {step} {number}", life.name);
                let point = Point::Request(number, Moment::Applied);
                let death = die(&mut stage, &life.manifests[step], &pruning(), point).await;
                if !death.has_died {
                    break;
                }
                // Only a write makes a state between.
                if death.method == http::Method::GET {
                    continue;
                }
                life.go_on(&stage, step).await;
                if is_left_to_people(&stage) {
                    continue;
                }
                let end = life.end(&stage, &context).await;
                assert_eq!(end.truth, reference.truth, "{context}");
                assert_eq!(end.counts, reference.counts, "{context}");
            }
        }
    }
}

/// Whether `jobs` was made by a create whose answer was lost: presumed, it stays until a person
/// confirms it (S3), and lives that delete it end another way.
fn is_left_to_people(stage: &Stage) -> bool {
    let jobs = "service/jobs".parse().unwrap();
    let memory = stage.inventory();
    let claim = memory.entries.get(&jobs).map(|entry| entry.claim);
    let is_there = !stage.emulator.ids(Kind::Service, "jobs").is_empty();
    let is_left = claim == Some(stoker::model::Claim::Presumed);
    assert!(!is_left || is_there, "what is presumed went");
    is_left && stage.emulator.record().deletes(Kind::Service, "jobs") == 0
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_reads_a_past_state_ends_the_same() {
    for life in lives() {
        let reference = life.reference().await;
        for step in 1..life.manifests.len() {
            for past in ["stale:55000", "hide-new:55000"] {
                for place in ["**", "/services", "/services/*"] {
                    let context = format!("{} {step} {past} {place}", life.name);
                    let stage = life.until(step - 1).await;
                    stage.apply(&life.manifests[step - 1], &pruning()).await;
                    // At once: what was just done is not in the past that is read now.
                    let faults = Faults::parse(&format!("{past}@GET {place}")).unwrap();
                    stage.emulator.play(faults);
                    stage.apply(&life.manifests[step], &pruning()).await;
                    stage.wait(20).await;
                    stage.apply(&life.manifests[step], &pruning()).await;
                    stage.emulator.play(Faults::default());
                    life.go_on(&stage, step).await;
                    let end = life.end(&stage, &context).await;
                    assert_eq!(end.truth, reference.truth, "{context}");
                    assert_eq!(end.counts, reference.counts, "{context}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_of_the_manifests_that_nobody_saw_leaves_no_trace() {
    for life in lives() {
        let reference = life.reference().await;
        for missed in 0..life.manifests.len() - 1 {
            let context = format!("{} without {missed}", life.name);
            let stage = life.until(missed).await;
            life.go_on(&stage, missed + 1).await;
            let end = life.end(&stage, &context).await;
            assert_eq!(end.truth, reference.truth, "{context}");
            // What nobody asked for was not made, and so not deleted either.
            let sum = |counts: &Counts| {
                let add =
                    |all: (usize, usize), one: &(usize, usize)| (all.0 + one.0, all.1 + one.1);
                counts.values().fold((0, 0), add)
            };
            let ((made, deleted), most) = (sum(&end.counts), sum(&reference.counts));
            assert!(made <= most.0 && deleted <= most.1, "{context}: {:?}", end.counts);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_people_put_in_the_place_of_ours_unseen_is_not_deleted() {
    for life in lives() {
        for step in 1..=life.manifests.len() {
            let context = format!("{} {step}", life.name);
            let stage = life.until(step).await;
            let Some(id) = stage.emulator.ids(Kind::Service, "jobs").pop() else {
                continue;
            };
            stage.emulator.act(&Act::Delete { kind: Kind::Service, id }).unwrap();
            let theirs = make_jobs(&stage);
            life.go_on(&stage, step.min(life.manifests.len() - 1)).await;
            let services = stage.emulator.truth(Kind::Service);
            let is_there = services.iter().any(|service| service["id"] == theirs.as_str());
            assert!(is_there, "{context}");
            laws::nothing_is_there_twice(&stage, &context);
            let writes = stage.emulator.record().writes();
            life.go_on(&stage, life.manifests.len() - 1).await;
            assert_eq!(stage.emulator.record().writes(), writes, "{context}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_went_there_and_back_unseen_is_not_written() {
    for life in lives() {
        let last = life.manifests.len() - 1;
        let stage = life.until(last + 1).await;
        let writes = stage.emulator.record().writes();
        let id = stage.emulator.ids(Kind::Service, "api").remove(0);
        let services = stage.emulator.truth(Kind::Service);
        let api = services.iter().find(|service| service["id"] == id.as_str()).unwrap();
        let plan = api["plan"].clone();
        for value in ["\"premium\"".to_owned(), plan.to_string()] {
            laws::set(&stage, "api", "plan", &value);
        }
        let name =
            |name: &str| Act::Rename { kind: Kind::Service, id: id.clone(), name: name.to_owned() };
        stage.emulator.act(&name("other")).unwrap();
        stage.emulator.act(&name("api")).unwrap();
        life.go_on(&stage, last).await;
        assert_eq!(stage.emulator.record().writes(), writes, "{}", life.name);
    }
}
