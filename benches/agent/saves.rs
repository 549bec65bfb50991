//! From a save to the first write, with the real watch on real files (performance, B15).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use stoker::daemon::source::Files;
use stoker::daemon::trigger::{FileWatch, Watches};
use stoker::source::Checkout;
use stoker::status::Trigger;

use crate::project::{Kept, Probe, documents, settings, stage};
use crate::usage::{milliseconds, percentile};

pub const HEAD: &str = "From a save to the first write; the debounce is 300 ms.\n\n\
                        | resources | saves | p50 | p99 | of it debounce | passes a save | writes a save |";

/// As the settings have it.
const DEBOUNCE: Duration = Duration::from_millis(300);

const SAVES: u32 = 60;

/// How long after a write a second pass for the same save would have come.
const ECHO: Duration = Duration::from_millis(500);

pub fn row(resources: usize) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async move {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("manifests");
        write_all(&root, resources);
        let mut stage = stage();
        let probe = Probe::of(&stage.transport);
        stage.transport = Arc::clone(&probe) as _;
        let source = Arc::new(Files {
            paths: vec![root.clone()],
            overlays: Vec::new(),
            variables: Arc::default(),
            checkout: Checkout::default(),
            environment: None,
        });
        let mut kept = Kept::begin(stage, source, settings(Duration::from_secs(3_600)));
        let (watches, bell) = (Watches::begin().unwrap(), kept.handle.bell.clone());
        let _watch =
            FileWatch::begin(&watches, std::slice::from_ref(&root), bell, DEBOUNCE).unwrap();
        kept.settle().await;
        let (mut times, mut passes, mut writes) = (Vec::new(), 0, 0);
        for number in 0..SAVES {
            tokio::time::sleep(ECHO).await;
            while kept.passes.try_recv().is_ok() {}
            probe.take();
            let saved_at = save(&root, resources, number);
            // The pass for the save, and whatever follows it.
            let mut seen = vec![kept.passes.recv().await.unwrap()];
            tokio::time::sleep(DEBOUNCE + ECHO).await;
            while let Ok(pass) = kept.passes.try_recv() {
                seen.push(pass);
            }
            let (written_at, count) = probe.take();
            times.push(written_at.unwrap() - saved_at);
            writes += count;
            let for_files = seen.iter().filter(|pass| pass.triggers.contains(&Trigger::Files));
            passes += for_files.count();
        }
        println!(
            "| {resources} | {SAVES} | {} | {} | {} | {:.2} | {:.2} |",
            milliseconds(percentile(&mut times, 50)),
            milliseconds(percentile(&mut times, 99)),
            milliseconds(DEBOUNCE),
            passes as f64 / f64::from(SAVES),
            f64::from(writes) / f64::from(SAVES),
        );
        kept.end().await;
    });
}

/// Writes one file for each resource.
pub fn write_all(root: &Path, resources: usize) {
    fs::create_dir_all(root).unwrap();
    for (number, text) in documents(resources).iter().enumerate() {
        fs::write(root.join(format!("{number:05}.yaml")), text).unwrap();
    }
}

/// Changes the last service, as editors do: in place, or by a new file in the
/// place of the old one. Returns when that was done.
fn save(root: &Path, resources: usize, number: u32) -> Instant {
    let path = changing(root, resources);
    let text = edited(&fs::read_to_string(&path).unwrap(), number);
    if number.is_multiple_of(2) {
        fs::write(&path, text).unwrap();
    } else {
        let draft = root.join(".draft");
        fs::write(&draft, text).unwrap();
        fs::rename(&draft, &path).unwrap();
    }
    Instant::now()
}

/// The file that is changed: the last one is a service's.
pub fn changing(root: &Path, resources: usize) -> PathBuf {
    root.join(format!("{:05}.yaml", resources - 1))
}

/// The manifest of a service with another command in it.
pub fn edited(text: &str, number: u32) -> String {
    let (before, after) = text.split_once("startCommand: ").unwrap();
    let (_, after) = after.split_once('\n').unwrap();
    format!("{before}startCommand: node level-{number}.js\n{after}")
}
