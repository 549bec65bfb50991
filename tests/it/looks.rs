//! What a write rests on is young when it leaves (S1, S2, S10), also where the budget or the platform
//! makes it wait, and whatever people do in that time.

use std::sync::Arc;
use std::time::Duration;

use stoker::budget::{self, Millis};
use stoker::daemon::settings::Settings;
use stoker::daemon::window::{Window, WindowKind, Windows};
use stoker::emulator::{Act, EmulatorConfig, Faults, Kind, RecordedEvent};
use stoker::ledger::Ledger;
use stoker::plan::{Conclusion, Outcome, Policy};
use stoker::source::Tree;

use crate::faults::first;
use crate::kept::{Kept, settings};
use crate::laws::{self, set};
use crate::stage::{Stage, edited, manifests, pruning};

/// Services of one plan.
fn many(count: usize, plan: &str) -> Tree {
    let one = |number: usize| {
        format!(
            "---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: s{number} }}\n\
             spec: {{ type: web, runtime: node, plan: {plan}, repo: github.com/acme/shop }}\n"
        )
    };
    manifests(&(0..count).map(one).collect::<String>())
}

fn slow(rate: u32) -> Stage {
    let mut stage = Stage::new();
    let now = Millis(u64::try_from(stage.clock.now().as_millisecond()).unwrap());
    let config = budget::BudgetConfig { rate, ..budget::BudgetConfig::default() };
    stage.ledger = Arc::new(Ledger::in_memory(config, now));
    stage
}

#[tokio::test(start_paused = true)]
async fn at_ten_requests_a_minute_each_write_leaves_right_after_what_it_rests_on() {
    let stage = slow(10);
    let (_, report) = stage.apply(&many(12, "standard"), &pruning()).await;
    assert_eq!(report.counts().written, 12, "{report:#?}");
    let (_, report) = stage.apply(&many(12, "starter"), &pruning()).await;
    assert_eq!(report.counts().written, 12, "{report:#?}");
    let (_, report) = stage.apply(&many(9, "starter"), &pruning()).await;
    assert_eq!(report.counts().written, 3, "{report:#?}");
    laws::looks_are_young(&stage, "10/m");
    assert!(stage.emulator.record().requests_max_in_a_minute() <= 10);
}

#[tokio::test(start_paused = true)]
async fn at_the_usual_rate_no_write_of_200_waits_after_its_look() {
    let stage = Stage::new();
    stage.apply(&many(200, "standard"), &Policy::default()).await;
    stage.wait(20).await;
    let (_, report) = stage.apply(&many(200, "starter"), &Policy::default()).await;
    assert_eq!(report.counts().written, 200, "{report:#?}");
    laws::looks_are_young(&stage, "285/m");
    laws::the_rate_is_kept(&stage, "285/m");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_while_320_creates_wait_is_not_made_twice() {
    let stage = Stage::on(EmulatorConfig { names_unique: false, ..EmulatorConfig::default() });
    let tree = many(320, "standard");
    let policy = Policy::default();
    let somebody = async {
        stage.wait(20).await;
        let body = serde_json::json!({"name": "s319", "type": "background_worker"});
        stage.emulator.act(&Act::Create { kind: Kind::Service, body }).unwrap();
    };
    let ((plan, report), ()) = tokio::join!(stage.apply(&tree, &policy), somebody);
    assert_eq!(report.counts().written, 319, "{:?}", report.counts());
    assert_eq!(stage.emulator.ids(Kind::Service, "s319").len(), 1);
    laws::looks_are_young(&stage, "320 creates");
    laws::the_rate_is_kept(&stage, "320 creates");
    // One list read again serves all creates of ten seconds.
    let asked = stage.emulator.record().requests().count();
    let shown = usize::try_from(plan.cost.reads + plan.cost.writes).unwrap();
    assert!(asked > shown && asked < shown + 40, "{asked} requests, {shown} were shown");
}

/// Lets the first write of a method be refused for six seconds, and somebody act after three of them.
async fn refused_once(
    stage: &Stage,
    tree: &Tree,
    method: &str,
    act: impl FnOnce(&Stage),
) -> stoker::plan::Report {
    let faults = format!("429:6@{method} /**#1");
    stage.emulator.play(Faults::parse(&faults).unwrap());
    let somebody = async {
        stage.wait(3).await;
        act(stage);
    };
    let policy = pruning();
    let ((_, report), ()) = tokio::join!(stage.apply(tree, &policy), somebody);
    let record = stage.emulator.record();
    let refused = record.requests().filter(|(_, asked)| asked.status == 429).count();
    assert_eq!(refused, 1, "the write was refused after a good look");
    laws::looks_are_young(stage, method);
    report
}

async fn applied() -> Stage {
    let stage = Stage::new();
    let (_, report) = stage.apply(&first(), &pruning()).await;
    assert_eq!(report.conclusion(), Conclusion::Done, "{report:#?}");
    stage.wait(600).await;
    stage
}

fn id(stage: &Stage, name: &str) -> String {
    stage.emulator.ids(Kind::Service, name).remove(0)
}

/// The shop without its jobs, which nobody else needs.
fn without_jobs() -> Tree {
    let text = String::from_utf8(first().files()[0].bytes.clone()).unwrap();
    let kept = text.split("---").filter(|document| !document.contains("name: jobs"));
    manifests(&kept.collect::<Vec<_>>().join("---"))
}

fn outcome<'a>(report: &'a stoker::plan::Report, key: &str) -> &'a Outcome {
    let result = report.results.iter().find(|result| result.key.to_string() == key);
    &result.unwrap_or_else(|| panic!("{key} is not in {report:#?}")).outcome
}

#[tokio::test(start_paused = true)]
async fn what_was_renamed_while_its_delete_waited_stays() {
    let stage = applied().await;
    let tree = without_jobs();
    let report = refused_once(&stage, &tree, "DELETE", |stage| {
        let (kind, id) = (Kind::Service, id(stage, "jobs"));
        stage.emulator.act(&Act::Rename { kind, id, name: "precious".to_owned() }).unwrap();
    });
    let report = report.await;
    assert!(matches!(outcome(&report, "service/jobs"), Outcome::Stale { .. }), "{report:#?}");
    assert_eq!(stage.emulator.ids(Kind::Service, "precious").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_made_anew_while_its_delete_waited_stays() {
    let stage = applied().await;
    let tree = without_jobs();
    let report = refused_once(&stage, &tree, "DELETE", |stage| {
        let (kind, id) = (Kind::Service, id(stage, "jobs"));
        stage.emulator.act(&Act::Delete { kind, id }).unwrap();
        let body = serde_json::json!({"name": "jobs", "type": "background_worker"});
        stage.emulator.act(&Act::Create { kind, body }).unwrap();
    });
    report.await;
    assert_eq!(stage.emulator.ids(Kind::Service, "jobs").len(), 1);
    let record = stage.emulator.record();
    let sent = record.requests().filter(|(_, asked)| asked.method == "DELETE").count();
    assert_eq!(sent, 1, "the look was the last request");
}

#[tokio::test(start_paused = true)]
async fn what_was_edited_by_hand_while_its_change_waited_is_not_overwritten() {
    let stage = applied().await;
    let tree = edited(&first(), "plan: standard\n", "plan: starter\n");
    let report = refused_once(&stage, &tree, "PATCH", |stage| {
        set(stage, "api", "plan", "\"premium\"");
    });
    let report = report.await;
    assert!(matches!(outcome(&report, "service/api"), Outcome::Stale { .. }), "{report:#?}");
    let mut things = stage.emulator.truth(Kind::Service).into_iter();
    assert_eq!(things.find(|it| it["name"] == "api").unwrap()["plan"], "premium");
}

#[tokio::test(start_paused = true)]
async fn a_manifest_that_is_back_stops_the_delete_that_waits() {
    let kept = Kept::on(EmulatorConfig::default(), settings()).await;
    kept.stage.emulator.play(Faults::parse("429:6@DELETE /**#1").unwrap());
    kept.write(Ok(without_jobs()));
    let refused = |kept: &Kept| {
        let record = kept.stage.emulator.record();
        record.requests().filter(|(_, asked)| asked.status == 429).count()
    };
    // What files have lost goes when they have been quiet for a minute.
    for _ in 0..100 {
        if refused(&kept) == 0 {
            kept.stage.wait(1).await;
        }
    }
    assert_eq!(refused(&kept), 1, "the delete waits");
    kept.write(Ok(first()));
    kept.stage.wait(120).await;
    assert_eq!(kept.ready(), "True Synced", "{:#?}", kept.told());
    let stage = kept.end().await;
    assert_eq!(stage.emulator.record().deletes(Kind::Service, "jobs"), 0);
    laws::looks_are_young(&stage, "back");
}

#[tokio::test(start_paused = true)]
async fn a_suspension_stops_what_waits_for_the_budget() {
    let kept = Kept::begin(slow(10), settings(), many(12, "standard"));
    kept.stage.wait(3_600).await;
    let writes = kept.writes();
    assert_eq!(writes, 12, "{:#?}", kept.told());
    kept.write(Ok(many(12, "starter")));
    kept.stage.wait(30).await;
    let until = kept.stage.clock.now().checked_add(Duration::from_secs(3_600)).unwrap();
    let reason = "a person works".to_owned();
    kept.handle.order(stoker::status::Order::Suspend { reason, until }).await.unwrap();
    let begun = kept.writes();
    assert!(begun < writes + 12, "some still wait");
    kept.stage.wait(600).await;
    assert_eq!(kept.writes(), begun);
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_window_that_closes_stops_what_waits_for_the_budget() {
    let hour = Duration::from_secs(3_600);
    let window = Window::new(WindowKind::Allow, "0 0 * * *", hour, "UTC").unwrap();
    let settings = Settings { windows: Windows::from(vec![window]), ..settings() };
    // The stage begins at midnight.
    let kept = Kept::begin(slow(10), settings, many(12, "standard"));
    kept.stage.wait(3_540).await;
    assert_eq!(kept.writes(), 12, "{:#?}", kept.told());
    kept.write(Ok(many(12, "starter")));
    kept.stage.wait(1_800).await;
    assert!(kept.writes() < 24, "some still waited");
    let stage = kept.end().await;
    let record = stage.emulator.record();
    let start = record.entries().next().unwrap().at;
    let mut writes = record.requests().filter(|(_, asked)| asked.method != "GET");
    assert!(writes.all(|(at, _)| at < start + 3_602_000));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_refused_after_each_look_ends_after_three() {
    let stage = applied().await;
    stage.emulator.play(Faults::parse("429:1@PATCH /**").unwrap());
    let tree = edited(&first(), "plan: standard\n", "plan: starter\n");
    let (_, report) = stage.apply(&tree, &pruning()).await;
    let Outcome::Failed { message, .. } = outcome(&report, "service/api") else {
        panic!("{report:#?}")
    };
    assert!(message.contains("given up after 3 attempts"), "{message}");
    let path = format!("/services/{}", id(&stage, "api"));
    let record = stage.emulator.record();
    let asked = |method: &str| {
        let of = record.requests().filter(|(_, asked)| asked.path == path);
        of.filter(|(_, asked)| asked.method == method && asked.status == 429).count()
    };
    assert_eq!(asked("PATCH"), 3);
    laws::looks_are_young(&stage, "refused");
}

#[tokio::test(start_paused = true)]
async fn a_lost_change_is_looked_for_and_not_written_again() {
    for (fault, patches) in [("lose-answer", 1), ("fail:503", 2)] {
        let stage = applied().await;
        stage.emulator.play(Faults::parse(&format!("{fault}@PATCH /**#1")).unwrap());
        let tree = edited(&first(), "plan: standard\n", "plan: starter\n");
        let (_, report) = stage.apply(&tree, &pruning()).await;
        assert_eq!(report.conclusion(), Conclusion::Done, "{fault}: {report:#?}");
        let record = stage.emulator.record();
        let sent = record.requests().filter(|(_, asked)| asked.method == "PATCH").count();
        assert_eq!(sent, patches, "{fault}");
        laws::looks_are_young(&stage, fault);
    }
}

#[tokio::test(start_paused = true)]
async fn a_deploy_that_waits_after_its_patch_is_preceded_by_another_look() {
    let stage = Stage::on(EmulatorConfig { deploy_after_patch: true, ..EmulatorConfig::default() });
    let stage = Stage { dialect: speaking("deploy_after_patch=true"), ..stage };
    let (_, report) = stage.apply(&first(), &pruning()).await;
    assert_eq!(report.conclusion(), Conclusion::Done, "{report:#?}");
    stage.wait(600).await;
    stage.emulator.play(Faults::parse("429:6@POST /services/*/deploy#1").unwrap());
    let tree = edited(&first(), "plan: standard\n", "plan: starter\n");
    let (_, report) = stage.apply(&tree, &pruning()).await;
    assert_eq!(report.conclusion(), Conclusion::Done, "{report:#?}");
    laws::what_is_written_runs(&stage, "deploy");
    laws::looks_are_young(&stage, "deploy");
}

fn speaking(setting: &str) -> stoker::api::Dialect {
    let mut dialect = stoker::api::Dialect::default();
    dialect.set(setting).unwrap();
    dialect
}

#[tokio::test(start_paused = true)]
async fn a_create_that_was_refused_rests_on_another_list() {
    let stage = Stage::on(EmulatorConfig { names_unique: false, ..EmulatorConfig::default() });
    stage.emulator.play(Faults::parse("429:30@POST /services#1").unwrap());
    let somebody = async {
        stage.wait(3).await;
        for name in ["api", "jobs"] {
            let body = serde_json::json!({"name": name, "type": "background_worker"});
            stage.emulator.act(&Act::Create { kind: Kind::Service, body }).unwrap();
        }
    };
    let (tree, policy) = (first(), Policy::default());
    let ((_, report), ()) = tokio::join!(stage.apply(&tree, &policy), somebody);
    let record = stage.emulator.record();
    let start = record.entries().next().unwrap().at;
    let ours = record.entries().filter(|entry| !matches!(entry.event, RecordedEvent::Act(_)));
    let later = ours.filter(|entry| entry.at > start + 3_000).flat_map(|entry| &entry.effects);
    let twins = later.filter(|effect| ["api", "jobs"].contains(&effect.name.as_str())).count();
    assert_eq!(twins, 0, "{report:#?}");
    let is_stale = |key: &str| matches!(outcome(&report, key), Outcome::Stale { .. });
    assert!(is_stale("service/api") || is_stale("service/jobs"), "{report:#?}");
    laws::looks_are_young(&stage, "refused create");
}
