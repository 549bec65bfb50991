//! Manifests that vanish one by one: a slow `rm -r`, a wrong `rsync --delete`, a share that goes
//! away. What they declared stays, but for the few that the fuse lets go in an hour (S7).

use std::collections::BTreeMap;
use std::time::Duration;

use stoker::daemon::settings::Settings;
use stoker::emulator::{EmulatorConfig, Faults, Kind, Mutation, RecordEntry, RecordedEvent, Verb};
use stoker::plan::{Conclusion, Policy};
use stoker::source::{self, Tree};

use crate::kept::{Kept, settings};
use crate::stage::{Stage, pruning};

/// Ten services, and three databases that may go with their manifests.
const SERVICES: usize = 10;
const DATABASES: usize = 3;

/// How many files are left in the end.
const LEFT: usize = 2;

/// A directory with one manifest in each file; those that vanish first have the first names.
struct Directory(tempfile::TempDir);

impl Directory {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for number in 0..SERVICES {
            let text = format!(
                "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: s{number} }}\n\
                 spec: {{ type: worker, runtime: node, repo: github.com/acme/shop }}\n"
            );
            std::fs::write(directory.path().join(format!("{number}-service.yaml")), text).unwrap();
        }
        for number in 0..DATABASES {
            let text = format!(
                "apiVersion: stackblaze.cloud/v1\nkind: Database\nmetadata: {{ name: d{number} }}\n\
                 spec: {{ type: postgres, version: '16', plan: standard, storageGB: 10 }}\n\
                 lifecycle: {{ prune: true }}\n"
            );
            let name = format!("{}-database.yaml", number * 4 + 1);
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        Self(directory)
    }

    fn read(&self) -> Tree {
        source::load(&[self.0.path().to_owned()], None).unwrap()
    }

    /// Removes the first file; none when only those are left that stay.
    fn lose_one(&self) -> bool {
        let files = std::fs::read_dir(self.0.path()).unwrap().map(|it| it.unwrap().path());
        let mut files: Vec<_> = files.collect();
        files.sort();
        let vanishes = files.len() > LEFT;
        if vanishes {
            std::fs::remove_file(&files[0]).unwrap();
        }
        vanishes
    }
}

/// The deletes of each kind that the platform carried out, and when, in milliseconds.
fn deletes(stage: &Stage) -> BTreeMap<Kind, Vec<u64>> {
    let mut deletes: BTreeMap<Kind, Vec<u64>> = BTreeMap::new();
    for RecordEntry { at, effects, event, .. } in stage.emulator.record().entries() {
        assert!(matches!(event, RecordedEvent::Request(_)), "only the agent acts");
        for Mutation { kind, .. } in effects.iter().filter(|effect| effect.verb == Verb::Deleted) {
            deletes.entry(*kind).or_default().push(*at);
        }
    }
    deletes
}

fn count(stage: &Stage) -> usize {
    deletes(stage).values().map(Vec::len).sum()
}

/// Lets an agent keep a directory of which a file vanishes after each pause.
async fn vanish(pause: Duration) -> Kept {
    let directory = Directory::new();
    let kept = Kept::begin(Stage::on(EmulatorConfig::default()), settings(), directory.read());
    kept.stage.wait(300).await;
    assert_eq!(kept.ready(), "True Synced", "{:#?}", kept.status());
    while directory.lose_one() {
        kept.write(Ok(directory.read()));
        tokio::time::sleep(pause).await;
    }
    kept
}

#[tokio::test(start_paused = true)]
async fn files_that_vanish_within_seconds_take_nothing_with_them_and_it_is_said() {
    for milliseconds in [400, 1_000, 3_000, 50_000] {
        let kept = vanish(Duration::from_millis(milliseconds)).await;
        kept.stage.wait(120).await;
        assert_eq!(kept.ready(), "False SourceShrinking", "{milliseconds}: {:#?}", kept.status());
        let told = kept.handle.recent_events();
        let told = told
            .iter()
            .filter(|event| event.reason.as_str() == "SourceShrinking" && event.key.is_none());
        let told: Vec<&str> = told.map(|event| event.message.as_str()).collect();
        assert!((2..5).contains(&told.len()), "{told:#?}");
        assert!(told[0].starts_with("the source is shrinking: 2 resources lost in 2 steps"));
        kept.stage.wait(6 * 3_600).await;
        assert_eq!(count(&kept.stage), 0, "{milliseconds}");
        assert_eq!(kept.ready_of("service/s0"), "False Fuse");
        assert_eq!(kept.status().pending.len(), SERVICES + DATABASES - LEFT);
        kept.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn files_that_vanish_slowly_take_three_services_an_hour_and_no_database() {
    for seconds in [70, 200, 290] {
        let kept = vanish(Duration::from_secs(seconds)).await;
        kept.stage.wait(120).await;
        let gone = deletes(&kept.stage);
        assert_eq!(gone.keys().collect::<Vec<_>>(), [&Kind::Service], "{seconds}");
        assert_eq!(gone[&Kind::Service].len(), 3, "{seconds}");
        // What is left to go is more than an hour's, however long it waits.
        kept.stage.wait(24 * 3_600).await;
        assert_eq!(count(&kept.stage), 3, "{seconds}");
        kept.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_is_started_anew_each_time_counts_on() {
    let directory = Directory::new();
    let mut stage = Stage::on(EmulatorConfig::default());
    loop {
        let kept = Kept::begin(stage, settings(), directory.read());
        kept.stage.wait(240).await;
        stage = kept.end().await;
        if !directory.lose_one() {
            break;
        }
    }
    assert_eq!(count(&stage), 3);
}

#[tokio::test(start_paused = true)]
async fn one_that_goes_goes_when_the_directory_has_been_quiet() {
    let kept =
        Kept::begin(Stage::on(EmulatorConfig::default()), settings(), Directory::new().read());
    kept.stage.wait(300).await;
    let directory = Directory::new();
    directory.lose_one();
    kept.write(Ok(directory.read()));
    kept.stage.wait(55).await;
    assert_eq!(count(&kept.stage), 0);
    assert_eq!(kept.ready_of("service/s0"), "False SourceShrinking");
    kept.stage.wait(15).await;
    assert_eq!(count(&kept.stage), 1, "{:#?}", kept.told());
    assert_eq!(kept.ready(), "True Synced");
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_number_for_the_agent_is_for_each_hour() {
    let mut policy = pruning();
    policy.permissions.deletes_max = Some(5);
    let directory = Directory::new();
    let settings = Settings { policy, ..settings() };
    let kept = Kept::begin(Stage::on(EmulatorConfig::default()), settings, directory.read());
    kept.stage.wait(300).await;
    while directory.lose_one() {
        kept.write(Ok(directory.read()));
        kept.stage.wait(100).await;
    }
    assert_eq!(count(&kept.stage), 5);
    kept.end().await;
}

/// Applies a directory again and again, of which one more file has vanished each time.
async fn apply_vanishing(
    stage: &Stage,
    policy: &Policy,
    commit: impl Fn(usize) -> Option<String>,
) -> Vec<Conclusion> {
    let directory = Directory::new();
    stage.apply(&directory.read(), policy).await;
    stage.wait(600).await;
    let mut conclusions = Vec::new();
    while directory.lose_one() {
        let mut tree = directory.read();
        if let Some(commit) = commit(conclusions.len()) {
            tree = tree.with_revision(commit);
        }
        let (_, report) = stage.apply(&tree, policy).await;
        conclusions.push(report.conclusion());
        stage.wait(10).await;
    }
    conclusions
}

#[tokio::test(start_paused = true)]
async fn applying_again_and_again_counts_over_the_hour_and_a_lost_answer_counts_as_well() {
    for faults in ["", "lose-answer@DELETE /**", "cut:0@DELETE /**"] {
        let stage = Stage::new();
        stage.emulator.play(Faults::parse(faults).unwrap());
        apply_vanishing(&stage, &pruning(), |_| None).await;
        assert_eq!(count(&stage), 3, "{faults}");
        let inventory = stage.inventory();
        assert_eq!(inventory.deletes.len(), 3, "{faults}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_commit_is_an_order_and_the_same_again_is_none() {
    let stage = Stage::new();
    apply_vanishing(&stage, &pruning(), |_| Some("the same".to_owned())).await;
    assert_eq!(count(&stage), 3);
    let stage = Stage::new();
    let each = |number: usize| Some(format!("commit {number}"));
    let conclusions = apply_vanishing(&stage, &pruning(), each).await;
    assert_eq!(count(&stage), SERVICES + DATABASES - LEFT, "{conclusions:?}");
    let stage = Stage::new();
    let back_and_forth = |number: usize| Some(format!("commit {}", number % 2));
    apply_vanishing(&stage, &pruning(), back_and_forth).await;
    assert_eq!(count(&stage), 6);
}

#[tokio::test(start_paused = true)]
async fn who_is_asked_begins_anew() {
    let stage = Stage::new();
    let mut ordered = pruning();
    ordered.request.is_ordered = true;
    apply_vanishing(&stage, &ordered, |_| None).await;
    assert_eq!(count(&stage), SERVICES + DATABASES - LEFT);
}
