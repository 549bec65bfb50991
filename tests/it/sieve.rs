//! The three perturbations of Sieve (OSDI '22) over the whole lives of resources: the agent dies in
//! a state between two writes, reads a state that is past, or never sees a state at all.
//!
//! Each life is a list of manifests, one line of the table. Undisturbed it is the reference, and how
//! often each object is made and deleted in it follows from the manifests alone. Every perturbation
//! is tried in every life, and the number of times is printed.

use std::collections::BTreeSet;

use serde_json::Value;
use stoker::emulator::{Act, EmulatorConfig, Faults, Kind};
use stoker::model::{self, Claim, Key};
use stoker::source::Tree;

use crate::faults::{Counts, first};
use crate::laws;
use crate::mortal::{Death, Moment, Point, die};
use crate::stage::{Stage, brief, edited, manifests, pruning};
use crate::tally;

/// The life of resources: what the manifests say, one after the other.
struct Life {
    name: &'static str,
    /// Whether somebody made `jobs` before it all began.
    is_there_before: bool,
    manifests: Vec<Tree>,
}

/// How a life ended.
struct End {
    truth: Vec<Value>,
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
        Life { is_there_before: true, ..life("adopt", vec![stack(None), stack(Some(&enabled))]) },
        life("disable, enable", vec![first(), stack(Some(&disabled)), stack(Some(&enabled))]),
        life("scale down, up", vec![scaled(3), scaled(1), scaled(3)]),
        life("recreate", vec![first(), stack(None), first()]),
    ]
}

impl Life {
    fn stage(&self) -> Stage {
        let stage =
            Stage::in_memory(EmulatorConfig { names_unique: false, ..EmulatorConfig::default() });
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
        assert_eq!(end.counts, self.counts(&self.manifests), "{}", self.name);
        end
    }

    /// How often each object is made and deleted when these manifests are seen, one after the
    /// other: made when it is declared and not there, deleted when it was ours and is declared no
    /// more. What gets another name is counted under the one it was made with.
    fn counts(&self, seen: &[Tree]) -> Counts {
        let mut counts = Counts::new();
        let mut there: BTreeSet<Key> = BTreeSet::new();
        if self.is_there_before {
            there.insert(jobs());
        }
        let mut ours = BTreeSet::new();
        for tree in seen {
            let declared = declared(tree);
            for (key, previous) in &declared {
                if let Some(before) = previous.iter().find(|before| ours.remove(*before)) {
                    there.remove(before);
                } else if !there.contains(key) {
                    counts.entry(counted(key)).or_default().0 += 1;
                }
                there.insert(key.clone());
                ours.insert(key.clone());
            }
            for gone in ours.clone() {
                if !declared.iter().any(|(key, _)| *key == gone) {
                    counts.entry(counted(&gone)).or_default().1 += 1;
                    ours.remove(&gone);
                    there.remove(&gone);
                }
            }
        }
        counts
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

fn jobs() -> Key {
    "service/jobs".parse().unwrap()
}

/// What manifests declare, and what each was called before.
fn declared(tree: &Tree) -> Vec<(Key, Vec<Key>)> {
    let resources = stoker::manifest::load(tree).desired.unwrap().resources;
    let with_names = resources.into_iter().map(|(key, resource)| {
        let before = resource.previous_names.into_iter();
        let before = before.map(|name| Key { kind: key.kind, name }).collect();
        (key, before)
    });
    with_names.collect()
}

/// A key as the emulator's record counts it.
fn counted(key: &Key) -> (Kind, String) {
    let kind = match key.kind {
        model::Kind::Service => Kind::Service,
        model::Kind::Database => Kind::Database,
        model::Kind::EnvGroup => Kind::EnvGroup,
    };
    (kind, key.name.as_str().to_owned())
}

/// Where there is a state between: right after a write to the platform, and in each step of the
/// disk.
const PLACES: [fn(usize) -> Point; 2] =
    [|number| Point::Request(number + 1, Moment::Applied), |step| Point::Step(step, 0)];

#[tokio::test(start_paused = true)]
async fn an_agent_that_dies_in_any_state_between_ends_the_same() {
    for life in lives() {
        let reference = life.reference().await;
        let (mut deaths, mut left) = (0, 0);
        for step in 0..life.manifests.len() {
            for place in PLACES {
                for number in 0.. {
                    let mut stage = life.until(step).await;
                    let point = place(number);
                    let context = format!("{} {step} {point:?}", life.name);
                    let death = die(&mut stage, &life.manifests[step], &pruning(), point).await;
                    if !death.has_died {
                        break;
                    }
                    if is_look(&death, point) {
                        continue;
                    }
                    deaths += 1;
                    life.go_on(&stage, step).await;
                    if is_left_to_people(&stage) {
                        left += 1;
                        life.waits_for_people(&stage, step, &reference, &context).await;
                        continue;
                    }
                    let end = life.end(&stage, &context).await;
                    assert_eq!(end.truth, reference.truth, "{context}");
                    assert_eq!(end.counts, reference.counts, "{context}");
                }
            }
        }
        let what = format!("sieve: {}: {left} left to people, states between", life.name);
        tally::at_least(20, deaths, &what);
    }
}

/// Whether it died in a request that only looks: that makes no state.
fn is_look(death: &Death, point: Point) -> bool {
    matches!(point, Point::Request(..)) && death.method == http::Method::GET
}

/// Whether `jobs` was made by a create whose answer was lost, and lives by that: presumed, it stays
/// until a person confirms it (S3), and lives that delete it end another way.
fn is_left_to_people(stage: &Stage) -> bool {
    let claim = stage.inventory().entries.get(&jobs()).map(|entry| entry.claim);
    claim == Some(Claim::Presumed)
}

impl Life {
    /// What is left to people is there once, is not deleted and not made again, and is reported
    /// where no manifest declares it (S3, L4). All else is as in the reference, and nothing more is
    /// written.
    async fn waits_for_people(
        &self,
        stage: &Stage,
        lost_in: usize,
        reference: &End,
        context: &str,
    ) {
        let last = self.manifests.last().unwrap();
        let is_declared = declared(last).iter().any(|(key, _)| *key == jobs());
        let expected: &[&str] = if is_declared { &[] } else { &["blocked service/jobs: presumed"] };
        let writes = stage.emulator.record().writes();
        for _ in 0..3 {
            stage.wait(200).await;
            let (plan, _) = stage.apply(last, &pruning()).await;
            assert_eq!(brief(&plan), expected, "{context}");
        }
        assert_eq!(stage.emulator.record().writes(), writes, "{context}");
        // Whatever this life says last: where nobody declares it, people are asked.
        let plan = stage.plan(&stack(None), &pruning()).await;
        assert!(brief(&plan).contains(&"blocked service/jobs: presumed".to_owned()), "{context}");
        assert_eq!(stage.emulator.ids(Kind::Service, "jobs").len(), 1, "{context}");
        let but_jobs = |truth: &[Value]| -> Vec<Value> {
            truth.iter().filter(|thing| thing["name"] != "jobs").cloned().collect()
        };
        let truth = laws::truth(&stage.emulator);
        if is_declared {
            assert_eq!(truth, reference.truth, "{context}");
        } else {
            assert_eq!(but_jobs(&truth), reference.truth, "{context}");
        }
        let mut counts = reference.counts.clone();
        // From the create that was lost on, none was deleted, and so none made again.
        let until_then = self.counts(&self.manifests[..=lost_in])[&counted(&jobs())];
        counts.insert(counted(&jobs()), until_then);
        assert_eq!(laws::creates_and_deletes(&stage.emulator), counts, "{context}");
        laws::the_rate_is_kept(stage, context);
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_reads_a_past_state_ends_the_same() {
    for life in lives() {
        let reference = life.reference().await;
        let mut pasts = 0;
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
                    pasts += 1;
                }
            }
        }
        tally::at_least(6, pasts, &format!("sieve: {}: past states", life.name));
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
            let seen = [&life.manifests[..missed], &life.manifests[missed + 1..]].concat();
            assert_eq!(end.counts, life.counts(&seen), "{context}");
        }
        let missed = life.manifests.len() - 1;
        tally::at_least(1, missed, &format!("sieve: {}: states nobody saw", life.name));
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
