//! Reading and planning again when one file of many has changed (performance, B19).

use std::fs;
use std::time::Duration;

use stoker::daemon::declare::declare;
use stoker::daemon::source::{Files, Source};
use stoker::plan::{Policy, plan};
use stoker::reconcile::refresh;

use crate::project::{secrets, stage, tree};
use crate::saves::{edited, write_all};
use crate::usage::{Meter, milliseconds, percentile};

pub const HEAD: &str = "One file of many has changed: CPU to read, to check, and to plan again.\n\n\
                        | files | read | declare | plan | together |";

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
        let source = Files { paths: vec![directory.path().to_owned()] };
        let (client, inventory) = (stage.client(), stage.inventory());
        let mut times = [const { Vec::new() }; 4];
        for round in 0..ROUNDS {
            let path = directory.path().join("00000.yaml");
            fs::write(&path, edited(&fs::read_to_string(&path).unwrap(), round)).unwrap();
            let mut meter = Meter::of(std::process::id());
            let reading = source.read(None, None).await.unwrap();
            let read = meter.read().cpu;
            let declared = declare(reading, &secrets()).unwrap();
            let checked = meter.read().cpu;
            let reader = client.reader();
            let desired = declared.desired;
            let inventory = inventory.clone();
            let snapshot = refresh(&reader, desired, inventory, &stage.clock).await.unwrap();
            let before_plan = meter.read().cpu;
            let planned = plan(&snapshot, &Policy::default());
            let after_plan = meter.read().cpu;
            assert_eq!(planned.changes.len(), 1, "one thing has changed");
            let planning = after_plan - before_plan;
            let row: [Duration; 4] = [read, checked - read, planning, checked + planning];
            for (times, time) in times.iter_mut().zip(row) {
                times.push(time);
            }
        }
        let medians = times.map(|mut times| milliseconds(percentile(&mut times, 50)));
        println!("| {files} | {} |", medians.join(" | "));
    });
}
