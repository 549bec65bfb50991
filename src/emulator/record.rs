//! The oracle: everything that happened, in order, for tests to judge by.
//!
//! It names tokens by their holder and keeps no body of a request, so no secret that was sent
//! is in it. Acts are kept as they were given.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::act::Act;
use super::choice::Kind;
use super::limiter::WINDOW_MS;

/// The most entries kept; the oldest go first.
///
/// A day of a busy token is 432,000 requests. A simulation is far below it, and a sandbox that
/// runs for weeks stays bounded.
const ENTRIES_MAX: usize = 500_000;

/// The most entries that are saved: enough to see what happened last.
const SAVED_MAX: usize = 1_000;

/// An append-only list of requests and of what other people did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    entries: VecDeque<RecordEntry>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordEntry {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// The holder of the token, `person`, or `late` for a request applied after its answer was
    /// lost.
    pub actor: String,
    /// What.
    pub event: RecordedEvent,
    /// What it changed.
    pub effects: Vec<Mutation>,
}

/// The kinds of things that happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordedEvent {
    /// A request came, or was refused at the door.
    Request(Exchange),
    /// A person or another system did something without the API.
    Act(Act),
    /// A request was applied after its answer was lost.
    Late(Exchange),
}

/// A request and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// Its method.
    pub method: String,
    /// Its path below `/v1`, without the query.
    pub path: String,
    /// Its query as it was sent.
    pub query: String,
    /// The status that was sent, or would have been had the answer not been lost; 0 where none
    /// was decided.
    pub status: u16,
    /// Whether it reached the server; a refused connection did not.
    pub reached: bool,
    /// Whether the answer arrived, whole or not.
    pub answered: bool,
    /// Whether it changed anything.
    pub applied: bool,
    /// The fault that was played, in the words of [`Faults::parse`](super::Faults::parse).
    pub fault: Option<String>,
    /// Fields of the body that nobody knows.
    pub ignored: Vec<String>,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mutation {
    /// What was done.
    pub verb: Verb,
    /// To what kind.
    pub kind: Kind,
    /// To which.
    pub id: String,
    /// Its name after the change.
    pub name: String,
}

/// What can be done to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// It was made.
    Created,
    /// It was changed.
    Patched,
    /// It went, or began to.
    Deleted,
    /// A deployment of it began.
    Deployed,
    /// A deployment of an earlier state began.
    RolledBack,
}

impl Recording {
    /// Returns what happened, oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &RecordEntry> {
        self.entries.iter()
    }

    /// Returns the requests that came, oldest first, with the time of each.
    pub fn requests(&self) -> impl DoubleEndedIterator<Item = (u64, &Exchange)> {
        self.entries.iter().filter_map(|entry| match &entry.event {
            RecordedEvent::Request(asked) => Some((entry.at, asked)),
            RecordedEvent::Act(_) | RecordedEvent::Late(_) => None,
        })
    }

    /// Counts how often the API created a thing of this kind and name.
    pub fn creates(&self, kind: Kind, name: &str) -> usize {
        self.by_api(Verb::Created, kind, name)
    }

    /// Counts how often the API deleted a thing of this kind and name.
    pub fn deletes(&self, kind: Kind, name: &str) -> usize {
        self.by_api(Verb::Deleted, kind, name)
    }

    /// Counts the requests that changed something.
    pub fn writes(&self) -> usize {
        self.requests().filter(|(_, asked)| asked.applied).count()
    }

    /// Counts the answers with 429.
    pub fn refused_for_rate(&self) -> usize {
        self.requests().filter(|(_, asked)| asked.status == 429).count()
    }

    /// Returns the most requests that reached the server within any 60 seconds.
    pub fn requests_max_in_a_minute(&self) -> usize {
        let mut window = VecDeque::new();
        let mut most = 0;
        for (at, _) in self.requests().filter(|(_, asked)| asked.reached) {
            window.push_back(at);
            while window.front().is_some_and(|first| first + WINDOW_MS <= at) {
                window.pop_front();
            }
            most = most.max(window.len());
        }
        most
    }

    pub(crate) fn push(&mut self, entry: RecordEntry) {
        if self.entries.len() == ENTRIES_MAX {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// Keeps what is worth saving.
    pub(crate) fn recent(&self) -> Self {
        let skipped = self.entries.len().saturating_sub(SAVED_MAX);
        Self { entries: self.entries.iter().skip(skipped).cloned().collect() }
    }

    fn by_api(&self, verb: Verb, kind: Kind, name: &str) -> usize {
        self.entries
            .iter()
            .filter(|entry| !matches!(entry.event, RecordedEvent::Act(_)))
            .flat_map(|entry| &entry.effects)
            .filter(|effect| (effect.verb, effect.kind, effect.name.as_str()) == (verb, kind, name))
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_minute_is_found_wherever_it_begins() {
        let mut record = Recording::default();
        for at in [0, 59_999, 60_000, 100_000, 119_998, 119_999, 400_000] {
            let asked = Exchange {
                method: "GET".into(),
                path: "/services".into(),
                query: String::new(),
                status: 200,
                reached: true,
                answered: true,
                applied: false,
                fault: None,
                ignored: Vec::new(),
            };
            let event = RecordedEvent::Request(asked);
            record.push(RecordEntry { at, actor: "agent".into(), event, effects: Vec::new() });
        }
        // 59,999 to 119,998 are four; 119,999 lies a whole minute after the first of them.
        assert_eq!(record.requests_max_in_a_minute(), 4);
    }
}
