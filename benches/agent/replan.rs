//! Reading and planning again when one file of many has changed (performance, B19).

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use stoker::api::Recollection;
use stoker::daemon::declare::declare;
use stoker::daemon::source::{Files, Source};
use stoker::plan::{Policy, plan};
use stoker::source::Checkout;

use crate::project::{secrets, stage, tree};
use crate::saves::{changing, edited, write_all};
use crate::usage::{Meter, milliseconds, percentile};

pub const HEAD: &str = "One file of many has changed: CPU to read, to check, and to plan again.\n\n\
                        | files | read | check | plan | together | check, when nothing has changed |";

const ROUNDS: u32 = 9;

pub fn row(files: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async move {
        let directory = tempfile::tempdir().unwrap();
        write_all(directory.path(), files);
        let stage = stage();
        stage.apply(&tree(files), &Policy::default()).await;
        let source = Files {
            paths: vec![directory.path().to_owned()],
            overlays: Vec::new(),
            variables: Arc::default(),
            checkout: Checkout::default(),
            environment: None,
        };
        let (project, inventory) = (stage.open(), stage.inventory());
        let (mut times, mut known) = ([const { Vec::new() }; 5], None);
        for round in 0..ROUNDS {
            let path = changing(directory.path(), files);
            fs::write(&path, edited(&fs::read_to_string(&path).unwrap(), round)).unwrap();
            let mut meter = Meter::of(std::process::id());
            let reading = source.read(None, None).await.unwrap();
            let read = meter.read().cpu;
            let declared = declare(reading.clone(), &secrets(), known).unwrap();
            let checked = meter.read().cpu;
            let again = declare(reading, &secrets(), Some(Arc::clone(&declared))).unwrap();
            let checked_again = meter.read().cpu;
            assert!(Arc::ptr_eq(&declared, &again), "the same text is the same state");
            let (desired, inventory) = (Arc::clone(&declared.desired), Arc::clone(&inventory));
            known = Some(declared);
            let (policy, anew) = (Policy::default(), Recollection::default());
            let looked = project.refresh(desired, inventory, &policy, anew).await;
            let (snapshot, _) = looked.unwrap();
            let before_plan = meter.read().cpu;
            let planned = plan(&snapshot, &policy);
            let after_plan = meter.read().cpu;
            assert_eq!(planned.changes.len(), 1, "one thing has changed");
            let planning = after_plan - before_plan;
            let same = checked_again - checked;
            let row: [Duration; 5] = [read, checked - read, planning, checked + planning, same];
            for (times, time) in times.iter_mut().zip(row) {
                times.push(time);
            }
        }
        let medians = times.map(|mut times| milliseconds(percentile(&mut times, 50)));
        println!("| {files} | {} |", medians.join(" | "));
    });
}
