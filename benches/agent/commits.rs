//! From a commit to the first write, with a repository on this disk (performance, B16).

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stoker::daemon::source::Repository;
use stoker::daemon::trigger::poll;
use stoker::source::git::{GitReference, GitSettings, GitSource, RefName, RepositoryPath};
use stoker::status::Trigger;

use crate::project::{Kept, Probe, settings, stage};
use crate::saves::{changing, edited, write_all};
use crate::usage::{milliseconds, percentile};

pub const HEAD: &str = "From a push to the first write; a bare repository on this disk.\n\n\
                        | resources | pushes | webhook p50 | p99 | poll (1 s) p50 | p99 | passes a push |";

const PUSHES: u32 = 20;

const POLL: Duration = Duration::from_secs(1);

pub fn row(resources: usize) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async move {
        let scene = Scene::new(resources);
        let (mut hooked, hooked_passes) = scene.measure(Trigger::Webhook, 0).await;
        let (mut polled, polled_passes) = scene.measure(Trigger::Git, PUSHES).await;
        println!(
            "| {resources} | {PUSHES} | {} | {} | {} | {} | {:.2} |",
            milliseconds(percentile(&mut hooked, 50)),
            milliseconds(percentile(&mut hooked, 99)),
            milliseconds(percentile(&mut polled, 50)),
            milliseconds(percentile(&mut polled, 99)),
            (hooked_passes + polled_passes) as f64 / f64::from(2 * PUSHES),
        );
    });
}

/// A repository, and a place to commit from.
struct Scene {
    directory: tempfile::TempDir,
    resources: usize,
}

impl Scene {
    fn new(resources: usize) -> Self {
        let scene = Self { directory: tempfile::tempdir().unwrap(), resources };
        let bare = scene.path("origin.git");
        git(scene.directory.path(), &["init", "-q", "--bare", "-b", "main", &bare]);
        let work = scene.path("work");
        git(scene.directory.path(), &["init", "-q", "-b", "main", &work]);
        write_all(Path::new(&work).join("manifests").as_path(), resources);
        git(Path::new(&work), &["remote", "add", "origin", &bare]);
        scene.push();
        scene
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_string_lossy().into_owned()
    }

    /// Commits everything and pushes it; returns when the push was done.
    fn push(&self) -> Instant {
        let work = self.path("work");
        git(Path::new(&work), &["add", "-A"]);
        git(Path::new(&work), &["commit", "-q", "-m", "a change"]);
        git(Path::new(&work), &["push", "-q", "origin", "main"]);
        Instant::now()
    }

    /// Pushes again and again; the agent is told by a webhook's bell, or asks by itself. Returns
    /// the times, and how many passes there were for them.
    async fn measure(&self, trigger: Trigger, first: u32) -> (Vec<Duration>, usize) {
        let mut stage = stage();
        let probe = Probe::of(&stage.transport);
        stage.transport = Arc::clone(&probe) as _;
        let cache = self.directory.path().join(format!("copy-{first}"));
        let git = GitSource::new(self.settings(), cache);
        let source = Arc::new(Repository { git, environment: None, variables: Arc::default() });
        let mut kept = Kept::begin(stage, source, settings(Duration::from_secs(3_600)));
        kept.settle().await;
        let bell = kept.handle.bell.clone();
        let poller = (trigger == Trigger::Git).then(|| poll(POLL, bell.clone(), trigger));
        let (mut times, mut passes) = (Vec::new(), 0);
        for number in first..first + PUSHES {
            // Not in step with the poll.
            tokio::time::sleep(Duration::from_millis(u64::from(number * 137 % 1_000))).await;
            while kept.passes.try_recv().is_ok() {}
            probe.take();
            let root = Path::new(&self.path("work")).join("manifests");
            let path = changing(&root, self.resources);
            fs::write(&path, edited(&fs::read_to_string(&path).unwrap(), number)).unwrap();
            let pushed_at = self.push();
            if trigger == Trigger::Webhook {
                bell.ring(trigger);
            }
            // The end of the last push's deployment may ask for a look of its own in between.
            while kept.passes.recv().await.unwrap().written == 0 {
                passes += 1;
            }
            tokio::time::sleep(POLL).await;
            passes += 1;
            while kept.passes.try_recv().is_ok() {
                passes += 1;
            }
            // A push may be seen before git has said that it is done.
            times.push(probe.take().0.unwrap().saturating_duration_since(pushed_at));
        }
        if let Some(poller) = poller {
            poller.abort();
        }
        kept.end().await;
        (times, passes)
    }

    fn settings(&self) -> GitSettings {
        let branch = GitReference::Branch(RefName::new("main").unwrap());
        let path = std::env::var("PATH").unwrap_or_default();
        let variable = move |name: &str| (name == "PATH").then(|| path.clone());
        let mut settings = GitSettings::new(&self.path("origin.git"), branch, &variable).unwrap();
        settings.path = Some(RepositoryPath::new("manifests").unwrap());
        settings
    }
}

fn git(directory: &Path, arguments: &[&str]) {
    let ran = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(directory)
        .status()
        .unwrap();
    assert!(ran.success(), "git {arguments:?}");
}
