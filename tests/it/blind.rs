//! Lists come, and the details of what they list do not: what was not seen is unknown, and nobody
//! says that it is as declared (S2).

use std::collections::BTreeMap;
use std::sync::Arc;

use stoker::clock::Clock;
use stoker::emulator::{
    Access, Act, Durations, Emulator, EmulatorConfig, Faults, Fields, Kind, Shapes, TOKEN, serve,
};
use stoker::plan::{Action, Conclusion, Plan, Policy};
use stoker::render::json::{Preamble, SavedPlan};
use stoker::render::{Estimate, drift_as_text, plan_as_markdown, plan_as_text};
use stoker::sandbox::emulator_clock;
use stoker::source::Tree;
use stoker::status::{ConditionType, ProjectStatus, SyncStatus, Truth};
use tokio::net::TcpListener;

use crate::commands::{Machine, Ran};
use crate::faults::first;
use crate::kept::{Kept, settings};
use crate::laws;
use crate::stage::{Stage, brief, edited, manifests, pruning};

/// Every way in which an answer does not come: refused, failed, another page, half of it, nothing.
const WAYS: [&str; 8] =
    ["fail:500", "fail:503", "fail:403", "html", "truncate:17", "cut:17", "empty", "hang"];

/// The same of everything that is asked for by its id.
fn blind(way: &str) -> Faults {
    Faults::parse(&format!("{way}@GET /services/*; {way}@GET /databases/*")).unwrap()
}

/// Lists show so little that details are needed.
fn config() -> EmulatorConfig {
    EmulatorConfig { list_fields: Shapes::every(Fields::Summary), ..EmulatorConfig::default() }
}

async fn applied() -> Stage {
    let stage = Stage::on(config());
    stage.apply(&first(), &Policy::default()).await;
    stage.wait(600).await;
    stage
}

const BOTH: [&str; 2] = ["blocked service/api: unseen", "blocked service/jobs: unseen"];

#[tokio::test(start_paused = true)]
async fn a_plan_that_saw_no_details_says_of_what_it_did_not_see_it() {
    for way in WAYS {
        let stage = applied().await;
        stage.emulator.play(blind(way));
        let plan = stage.plan(&first(), &Policy::default()).await;
        assert_eq!(brief(&plan), BOTH, "{way}");
        assert_eq!((plan.summary().unknown, plan.summary().blocked), (2, 0), "{way}");
        assert!(plan.is_held_back() && !plan.is_pending(), "{way}");
        let text = plan_as_text(&plan, &Estimate::default()).to_plain();
        assert!(text.contains("  ? service/api  is unknown: "), "{text}");
        assert!(text.contains("Plan: 0 to add, 0 to change, 0 to destroy. 2 unknown, "), "{text}");
        let drift = drift_as_text(&plan).to_plain();
        assert!(drift.contains("No drift was seen. 2 unknown.\n"), "{drift}");
        let markdown = plan_as_markdown(&plan, &Estimate::default());
        assert!(markdown.contains("| 0 | 0 | 0 | 0 | 0 | 2 | 0 | 0 |\n"), "{markdown}");
        assert!(markdown.contains("<b>service&#47;api</b> is unknown"), "{markdown}");
        told_as_json(&plan);
    }
}

fn told_as_json(plan: &Plan) {
    let saved = SavedPlan::new(plan, Preamble::default());
    assert_eq!(saved.summary.unknown, 2);
    let told = saved.diagnostics.iter().map(|it| (it.severity.as_str(), it.code.as_str()));
    assert_eq!(told.collect::<Vec<_>>(), [("warning", "unseen"); 2]);
    assert!(saved.diagnostics[0].message.starts_with("service/api is unknown: "));
}

#[tokio::test(start_paused = true)]
async fn an_apply_that_saw_no_details_is_not_done_and_writes_nothing() {
    for way in WAYS {
        let stage = applied().await;
        let (writes, known) = (stage.emulator.record().writes(), stage.inventory());
        stage.emulator.play(blind(way));
        // Also where something is asked for: what would be overwritten was not seen.
        for tree in [first(), edited(&first(), "production", "staging")] {
            let (_, report) = stage.apply(&tree, &Policy::default()).await;
            assert_eq!(report.conclusion(), Conclusion::Unseen, "{way}: {report:#?}");
            assert_eq!(report.counts().unknown, 2, "{way}");
        }
        assert_eq!(stage.emulator.record().writes(), writes, "{way}");
        assert_eq!(stage.inventory(), known, "{way}");
        stage.emulator.play(Faults::default());
        laws::it_settles(&stage, &first(), &pruning(), way).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_seen_is_not_taken_over_by_its_name() {
    for way in WAYS {
        let mut stage = applied().await;
        // Whoever takes over remembers nothing.
        stage.state = stoker::store::Medium::Memory(Default::default());
        stage.emulator.play(blind(way));
        let (plan, report) = stage.apply(&first(), &Policy::default()).await;
        let unseen = plan.changes.iter().filter(|it| it.key.kind != stoker::model::Kind::EnvGroup);
        assert!(unseen.clone().all(|it| it.action == Action::Adopt && it.blocked.is_some()));
        assert_eq!(unseen.count(), 3, "{way}: {plan:#?}");
        assert_eq!(report.conclusion(), Conclusion::Unseen, "{way}: {report:#?}");
        let owned: Vec<_> = stage.inventory().entries.keys().map(ToString::to_string).collect();
        assert_eq!(owned, ["envgroup/shared"], "{way}");
    }
}

/// When everything was last as declared, as `stoker_last_success_timestamp_seconds` tells it.
fn last_success(status: &ProjectStatus) -> jiff::Timestamp {
    let is_success = |outcome: &str| ["Synced", "Applied"].contains(&outcome);
    status.history.iter().find(|pass| is_success(pass.outcome.as_str())).unwrap().started_at
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_sees_no_details_is_not_in_sync_until_it_does() {
    for way in WAYS {
        let kept = Kept::on(config(), settings()).await;
        kept.stage.wait(600).await;
        let synced = kept.status().synced.clone();
        kept.stage.emulator.play(blind(way));
        // Until the next look it does not know.
        kept.stage.wait(900).await;
        let begun = kept.stage.clock.now();
        kept.stage.wait(3_600).await;
        assert_eq!(kept.ready_of("service/api"), "Unknown Unseen", "{way}");
        assert_eq!(kept.ready(), "Unknown Unseen", "{way}");
        let status = kept.status();
        assert!(last_success(&status) < begun, "{way}: {:#?}", status.history.first());
        assert_eq!((status.history[0].outcome.as_str(), &status.synced), ("Unseen", &synced));
        let drifted = status.conditions.get(ConditionType::Drifted).unwrap();
        assert_eq!((drifted.status, drifted.reason.as_str()), (Truth::Unknown, "Unseen"), "{way}");
        // A right that is missing needs a person, and anything else may pass.
        assert_eq!(status.conditions.is_true(ConditionType::Stalled), way == "fail:403", "{way}");
        kept.stage.emulator.play(Faults::default());
        kept.stage.wait(900).await;
        assert_eq!(kept.ready(), "True Synced", "{way}: {:#?}", kept.told());
        kept.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_may_list_and_not_look_is_never_said_to_be_in_sync() {
    let kept = Kept::on(config(), settings()).await;
    let access = Access { may_read_details: false, ..Access::default() };
    let limit = Act::Limit { token: TOKEN.to_owned(), access: Some(access) };
    kept.stage.emulator.act(&limit).unwrap();
    kept.stage.wait(24 * 3_600).await;
    assert_eq!(kept.ready(), "Unknown Unseen", "{:#?}", kept.told());
    let told = kept.told();
    assert_eq!(told.iter().filter(|it| *it == "Unseen").count(), 2, "{told:?}");
    // It goes on looking, and at no more than its share.
    let sent = kept.stage.emulator.record().requests().count();
    kept.stage.wait(6 * 3_600).await;
    let sent = kept.stage.emulator.record().requests().count() - sent;
    assert!((6 * 10..6 * 60 * 285 / 20).contains(&sent), "{sent}");
    kept.end().await;
}

/// So many services that the details of all are not read at each look.
fn many() -> Tree {
    let service = |number: usize| {
        format!(
            "---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: s{number} }}\n\
             spec: {{ type: web, runtime: node, repo: github.com/acme/shop, plan: standard }}\n"
        )
    };
    manifests(&(0..120).map(service).collect::<String>())
}

#[tokio::test(start_paused = true)]
async fn what_did_not_come_is_not_recalled_and_keeps_nothing_else_from_being_read_in_turn() {
    let kept = Kept::begin(Stage::on(config()), settings(), many());
    kept.stage.wait(3 * 3_600).await;
    assert_eq!(kept.ready(), "True Synced");
    let ids: BTreeMap<String, String> = (0..100)
        .map(|number| format!("s{number}"))
        .map(|name| (kept.stage.emulator.ids(Kind::Service, &name).remove(0), name))
        .collect();
    let faults: Vec<_> = ids.keys().map(|id| format!("fail:503@GET /services/{id}")).collect();
    kept.stage.emulator.play(Faults::parse(&faults.join(";")).unwrap());
    kept.stage.wait(3 * 3_600).await;
    let is_unseen = |status: &Arc<ProjectStatus>, name: &str| {
        let mut resources = status.resources.iter();
        let one = resources.find(|it| it.key.name.as_str() == name).unwrap();
        let is_unknown = one.conditions.get(ConditionType::Ready).unwrap().status == Truth::Unknown;
        assert_eq!(is_unknown, one.sync_status == SyncStatus::Unknown, "{one:#?}");
        is_unknown
    };
    let status = kept.status();
    assert!(ids.values().all(|name| is_unseen(&status, name)), "{:#?}", status.history.first());
    assert!((100..120).all(|number| !is_unseen(&status, &format!("s{number}"))));
    laws::set(&kept.stage, "s110", "plan", "\"enterprise\"");
    kept.stage.wait(1_800).await;
    let truth = kept.stage.emulator.truth(Kind::Service);
    assert!(!truth.iter().any(|service| service["plan"] == "enterprise"), "{:?}", kept.told());
    kept.stage.emulator.play(Faults::default());
    kept.stage.wait(3_600).await;
    assert_eq!(kept.ready(), "True Synced");
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_renamed_unseen_is_not_in_sync_under_its_old_name() {
    let kept = Kept::on(config(), settings()).await;
    kept.stage.emulator.play(blind("fail:503"));
    let renamed = "name: worker, previousNames: [jobs]";
    kept.write(Ok(edited(&first(), "name: jobs", renamed)));
    kept.stage.wait(400).await;
    assert_eq!(kept.ready_of("service/worker"), "Unknown Unseen");
    let status = kept.status();
    assert!(!status.resources.iter().any(|it| it.key.name.as_str() == "jobs"), "{status:#?}");
    kept.stage.emulator.play(Faults::default());
    kept.stage.wait(900).await;
    assert_eq!(kept.ready(), "True Synced", "{:#?}", kept.told());
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_repair_whose_rollback_cannot_be_ruled_out_is_held_as_unseen_and_not_as_rolled_back() {
    let kept = Kept::on(config(), settings()).await;
    kept.stage.emulator.play(Faults::parse("fail:503@GET /services/*/deployments").unwrap());
    let writes = kept.writes();
    laws::set(&kept.stage, "api", "plan", "\"enterprise\"");
    kept.stage.wait(900).await;
    assert_eq!(
        (kept.writes(), kept.ready_of("service/api")),
        (writes, "Unknown Unseen".to_owned())
    );
    kept.stage.emulator.play(Faults::default());
    kept.stage.wait(900).await;
    assert_eq!(kept.ready(), "True Synced", "{:#?}", kept.told());
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn env_groups_that_could_not_be_listed_are_not_said_to_be_attached_as_declared() {
    let stage = applied().await;
    stage.emulator.play(Faults::parse("fail:403@GET /envgroups").unwrap());
    let plan = stage.plan(&first(), &Policy::default()).await;
    let expected = ["blocked envgroup/shared: incomplete_view", "blocked service/api: unseen"];
    assert_eq!(brief(&plan), expected);
    // What is asked for is written all the same: the details were seen.
    let tree = edited(&first(), "production", "staging");
    let (_, report) = stage.apply(&tree, &Policy::default()).await;
    assert_eq!(report.counts().written, 1, "{report:#?}");
}

const WEB: &str = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {name: web}\n\
    spec: {type: web, image: nginx, plan: standard}\n";

#[test]
fn every_command_ends_with_the_code_of_what_it_did_not_see() {
    let machine = Machine::new();
    machine.write("web.yaml", WEB);
    let durations =
        Durations { queued_ms: 1, building_ms: 1, deploying_ms: 1, ..Durations::default() };
    let clock = emulator_clock(&Clock::system());
    let emulator = Emulator::new(EmulatorConfig { durations, ..config() }, clock);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    runtime.spawn(serve(emulator.clone(), listener, std::future::pending()));
    let run = |arguments: &str| {
        let mut command = machine.command(arguments);
        command.env("STACKBLAZE_API_URL", &url).env("STACKBLAZE_TOKEN", TOKEN);
        Ran::of(command)
    };
    run("apply web.yaml -y").says(0, &["Applied: 1 done."]);
    run("plan web.yaml --detailed-exitcode").says(0, &["No changes."]);
    // These are not tried again, so nobody has to wait.
    for way in ["fail:403", "html"] {
        emulator.play(blind(way));
        run("plan web.yaml").says(0, &["service/web  is unknown: ", "1 unknown"]);
        run("plan web.yaml --detailed-exitcode").says(5, &["1 unknown"]);
        run("drift web.yaml --detailed-exitcode").says(5, &["No drift was seen. 1 unknown."]);
        run("drift web.yaml").says(0, &["1 unknown"]);
        run("apply web.yaml -y").says(4, &["1 unknown"]);
        run("run web.yaml --once").says(4, &["1 resource was not seen"]);
        let status = run("run web.yaml --once -o json").says(4, &[]).json();
        let resource = &status["projects"][0]["resources"][0];
        assert_eq!(resource["conditions"][0]["status"], "Unknown", "{resource:#}");
        run("doctor").fails();
        run("export service/web").fails();
        run("describe service/web").fails();
        run("wait service/web --timeout 1s").fails();
        let plan = run("plan web.yaml -o json").says(0, &[]).json();
        assert_eq!(plan["summary"]["unknown"], 1, "{plan:#}");
        assert_eq!(plan["diagnostics"][0]["code"], "unseen", "{plan:#}");
        emulator.play(Faults::default());
        run("plan web.yaml --detailed-exitcode").says(0, &["No changes."]);
    }
    emulator.play(blind("fail:403"));
    std::fs::remove_dir_all(machine.path("state")).unwrap();
    run("apply web.yaml -y").says(4, &["adopt blocked", "1 unknown"]);
}
