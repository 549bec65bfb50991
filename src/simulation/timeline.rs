//! The emulator's record and our marks as one sequence, each request with the run that sent it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::emulator::{Act, Exchange, Kind, Mutation, RecordEntry, RecordedEvent, Verb};

use super::witness::{Mark, Marked, ProcessLife, Witness};
use super::world::VISITOR;

/// Something that happened, in its place among everything else.
pub(super) enum Happened<'w> {
    /// A request of ours, as it came to the platform.
    Asked(Request<'w>),
    /// A request of ours that was carried out after its answer was lost.
    Late { run: Option<ProcessLife>, body: Option<&'w Value>, effects: &'w [Mutation] },
    /// What others did.
    Others { act: Option<&'w Act>, effects: &'w [Mutation] },
    /// Something noted that is no request.
    Marked(&'w Mark),
}

/// A request of ours.
pub(super) struct Request<'w> {
    /// Milliseconds from the start, on the true clock.
    pub at: u64,
    pub run: ProcessLife,
    /// The number of its mark.
    pub number: usize,
    /// What it wrote.
    pub body: Option<&'w Value>,
    pub carries_secret: bool,
    pub asked: &'w Exchange,
    pub effects: &'w [Mutation],
}

impl<'w> Request<'w> {
    /// Returns the name in its body.
    pub fn name(&self) -> Option<&'w str> {
        self.body?["name"].as_str()
    }
}

/// Joins record and marks.
pub(super) fn timeline(witness: &Witness) -> Vec<(u64, Happened<'_>)> {
    let mut entries = witness.record.entries();
    let mut delayed: Vec<Delayed<'_>> = Vec::new();
    let mut timeline = Vec::new();
    for (number, Marked { at, mark }) in witness.marks.iter().enumerate() {
        let Mark::Sent { run, body, carries_secret } = mark else {
            timeline.push((*at, Happened::Marked(mark)));
            continue;
        };
        for entry in entries.by_ref() {
            match ours(entry) {
                None => timeline.push((*at, not_ours(entry, &mut delayed))),
                Some(asked) => {
                    if asked.fault.as_ref().is_some_and(|it| it.starts_with("apply-late")) {
                        delayed.push(Delayed { run: *run, body: body.as_deref(), asked });
                    }
                    let (body, effects) = (body.as_deref(), entry.effects.as_slice());
                    let (run, carries_secret) = (*run, *carries_secret);
                    let at = *at;
                    let request = Request { at, run, number, body, carries_secret, asked, effects };
                    timeline.push((at, Happened::Asked(request)));
                    break;
                }
            }
        }
    }
    let end = witness.marks.last().map_or(0, |last| last.at);
    timeline.extend(entries.map(|entry| (end, not_ours(entry, &mut delayed))));
    timeline
}

fn ours(entry: &RecordEntry) -> Option<&Exchange> {
    match &entry.event {
        RecordedEvent::Request(asked) if !asked.query.contains(VISITOR) => Some(asked),
        RecordedEvent::Request(_) | RecordedEvent::Act(_) | RecordedEvent::Late(_) => None,
    }
}

/// A request whose answer was lost, and that may still be carried out.
struct Delayed<'w> {
    run: ProcessLife,
    body: Option<&'w Value>,
    asked: &'w Exchange,
}

fn not_ours<'w>(entry: &'w RecordEntry, delayed: &mut Vec<Delayed<'w>>) -> Happened<'w> {
    let effects = entry.effects.as_slice();
    match &entry.event {
        RecordedEvent::Late(late) => {
            let is_it = |Delayed { asked, .. }: &Delayed<'_>| {
                (&asked.method, &asked.path) == (&late.method, &late.path)
            };
            let place = delayed.iter().position(is_it);
            let delayed = place.map(|place| delayed.remove(place));
            let run = delayed.as_ref().map(|delayed| delayed.run);
            Happened::Late { run, body: delayed.and_then(|delayed| delayed.body), effects }
        }
        RecordedEvent::Act(act) => Happened::Others { act: Some(act), effects },
        RecordedEvent::Request(_) => Happened::Others { act: None, effects },
    }
}

/// Counts how often each thing was created and deleted by the first process before a time.
pub(super) fn counts(witness: &Witness, until: u64) -> BTreeMap<(Kind, String), (u64, u64)> {
    let mut counts: BTreeMap<(Kind, String), (u64, u64)> = BTreeMap::new();
    for (_, happened) in timeline(witness).into_iter().filter(|(at, _)| *at < until) {
        let (run, effects) = match &happened {
            Happened::Asked(request) => (Some(request.run), request.effects),
            Happened::Late { run, body: _, effects } => (*run, *effects),
            Happened::Others { .. } | Happened::Marked(_) => continue,
        };
        if run.is_none_or(|run| run.process != 0) {
            continue;
        }
        for effect in effects {
            let count = counts.entry((effect.kind, effect.name.clone())).or_default();
            match effect.verb {
                Verb::Created => count.0 += 1,
                Verb::Deleted => count.1 += 1,
                Verb::Patched | Verb::Deployed | Verb::RolledBack => {}
            }
        }
    }
    counts.retain(|_, count| *count != (0, 0));
    counts
}
