//! What was seen of a run: the emulator's record, and beside it what only the simulation can know.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::emulator::Recording;
use crate::model::{Desired, Inventory};
use crate::status::{ConditionType, ProjectStatus};

use super::scene::FinalState;
use super::schedule::Schedule;

/// A process in one of its lives: a run of the program, from start to death.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ProcessLife {
    /// Which process: each has a state and a token of its own.
    pub process: usize,
    /// Which of its lives, or which command beside it.
    pub life: u32,
}

/// Something noted.
#[derive(Clone, Debug)]
pub(super) struct Marked {
    /// When, in milliseconds from the start.
    pub at: u64,
    /// What.
    pub mark: Mark,
}

/// How the machine of a process stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Machine {
    /// How often it was started anew.
    pub boot: u32,
    /// By how much its clock is off, in milliseconds.
    pub clock_off_ms: i64,
}

/// What is noted. The n-th `Sent` is the n-th request of the record that is no visitor's.
#[derive(Clone, Debug)]
pub(super) enum Mark {
    /// A life began.
    Began {
        run: ProcessLife,
        machine: Machine,
    },
    /// A request left; of a write what it holds.
    Sent {
        run: ProcessLife,
        body: Option<Arc<Value>>,
        carries_secret: bool,
    },
    /// The answer to the request of that mark reached the process.
    Heard {
        number: usize,
    },
    /// A process was told not to ask again for so many milliseconds (429).
    Told {
        run: ProcessLife,
        wait_ms: u64,
    },
    /// A reading of the source; nothing when it was not wholly valid.
    Read {
        run: ProcessLife,
        desired: Option<Arc<Desired>>,
        /// The commit it is of; none of plain files.
        commit: Option<String>,
        /// Whether it is the newest state, and not an older one because that cannot be used.
        is_newest: bool,
    },
    Passed {
        run: ProcessLife,
        written: usize,
        message: String,
    },
    /// After a pass: the paths of what is said to be as declared.
    Said {
        run: ProcessLife,
        ready: Vec<String>,
    },
    Ended {
        run: ProcessLife,
    },
    /// A run could not begin, or its state could not be opened.
    Stuck {
        run: ProcessLife,
        why: String,
    },
    Leaked {
        place: String,
    },
    Project {
        is_home: bool,
    },
    /// The manifests became another revision.
    Committed {
        revision: usize,
    },
    /// The history of the manifests was rewritten.
    Rewritten,
    /// One service fails from now on, and no other; none any more without a name.
    Unfair {
        service: Option<String>,
    },
    /// Trouble is over.
    Quiet,
    /// It has had the time to settle.
    Settled,
}

/// What was seen of a run.
pub struct Witness {
    /// What was played.
    pub schedule: Schedule,
    /// What the emulator recorded.
    pub record: Recording,
    pub(super) marks: Vec<Marked>,
    pub(super) truth: FinalState,
    pub(super) status: Option<Arc<ProjectStatus>>,
    /// What each process remembers at the end.
    pub(super) inventories: BTreeMap<usize, Inventory>,
    /// The revision that was wanted at the end.
    pub(super) revision: usize,
}

impl Witness {
    /// Returns everything as text: two runs of one schedule give the same, byte for byte.
    #[must_use]
    pub fn transcript(&self) -> String {
        let entries = self.record.entries().map(|entry| {
            serde_json::to_string(entry).expect("an entry has only plain keys and values")
        });
        let marks = self.marks.iter().map(|Marked { at, mark }| match mark {
            Mark::Read { run, desired, commit: _, is_newest } => {
                let digest = desired.as_ref().map(|desired| desired.digest.clone());
                let age = if *is_newest { "newest" } else { "older" };
                format!("{at} {run:?} read {age} {digest:?}")
            }
            // A body may hold secrets, and a transcript is for people.
            Mark::Sent { run, body, carries_secret: _ } => {
                let name = body.as_ref().and_then(|body| body["name"].as_str());
                let fields = body.as_ref().and_then(|body| body.as_object()).into_iter();
                let fields: Vec<&str> = fields.flatten().map(|(field, _)| field.as_str()).collect();
                format!("{at} {run:?} sent {} {}", name.unwrap_or_default(), fields.join(","))
            }
            mark => format!("{at} {mark:?}"),
        });
        let said = self.status.iter().flat_map(|status| &status.resources).map(|resource| {
            let ready = resource.conditions.get(ConditionType::Ready);
            let ready = ready.map(|ready| format!("{} {}", ready.reason, ready.message));
            format!("{} {}", resource.key, ready.unwrap_or_default())
        });
        entries.chain(marks).chain(said).collect::<Vec<_>>().join("\n")
    }
}
