//! What closes a stream of records: how the run ended, and what it cost.
//!
//! Who reads `-o ndjson` of a command that plans knows by these two lines that nothing is missing,
//! also after an error.

use std::ffi::OsString;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::api::Client;
use crate::render::json::{SavedCost, line};

use super::arguments::Command;
use super::exit::Exit;

/// The commands whose records are closed.
const CLOSED: [&str; 4] = ["plan", "apply", "drift", "destroy"];

/// A line that closes the records of a command.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ClosingRecord {
    /// The last line but one: how the run ended.
    Summary(ClosingSummary),
    /// The last line: what it cost.
    Cost(SpentCost),
}

/// How a run ended.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClosingSummary {
    /// What was counted: the `summary` of the plan or of the report; nothing where it came to neither.
    #[serde(flatten)]
    counts: Map<String, Value>,
    /// The exit code.
    exit_code: u8,
}

/// What a run cost.
#[derive(Serialize, JsonSchema)]
pub struct SpentCost {
    /// What carrying the plan out costs; nothing where it came to none.
    #[serde(flatten)]
    foretold: Option<SavedCost>,
    /// How many requests were sent.
    sent: u32,
}

/// What is known of a run when it ends.
#[derive(Default)]
pub struct Closing {
    summary: Mutex<Map<String, Value>>,
    cost: OnceLock<SavedCost>,
    client: OnceLock<Client>,
    /// How many requests other runs sent that this one is made of.
    sent_by_others: AtomicU32,
}

impl Closing {
    /// Notes how many of each there are; the last word counts.
    pub fn sum_up(&self, summary: &impl Serialize) {
        if let Ok(Value::Object(summary)) = serde_json::to_value(summary) {
            *self.summary.lock().unwrap_or_else(PoisonError::into_inner) = summary;
        }
    }

    /// Returns what was counted so far.
    #[must_use]
    pub fn counts(&self) -> Map<String, Value> {
        self.summary.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds what is known of the run of one of several projects.
    pub fn add(&self, other: &Self) {
        let mut sum = self.summary.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, count) in other.counts() {
            let known = sum.get(&name).and_then(Value::as_u64).unwrap_or(0);
            if let Some(count) = count.as_u64() {
                sum.insert(name, (known + count).into());
            }
        }
        self.sent_by_others.fetch_add(other.sent(), Ordering::Relaxed);
    }

    /// How many requests were sent.
    fn sent(&self) -> u32 {
        let own = self.client.get().map_or(0, Client::calls);
        own + self.sent_by_others.load(Ordering::Relaxed)
    }

    /// Notes what carrying the plan out costs.
    pub fn cost(&self, cost: SavedCost) {
        // A run has one plan.
        let _ = self.cost.set(cost);
    }

    /// Notes who counts the requests that leave.
    pub fn count(&self, client: &Client) {
        // A run that plans has one connection.
        let _ = self.client.set(client.clone());
    }

    /// Returns the records that close the output of a command; nothing for one that plans nothing.
    pub fn records(&self, command: &Command, exit: Exit) -> Option<String> {
        if !CLOSED.contains(&command.character().name) {
            return None;
        }
        Some(records(self.counts(), exit, self.cost.get(), self.sent()))
    }
}

/// Returns the records that close a call that could not be read.
pub fn of_call(words: &[OsString], exit: Exit) -> String {
    let is_closed = |word: &OsString| CLOSED.iter().any(|name| word == name);
    if words.iter().skip(1).any(is_closed) {
        records(Map::new(), exit, None, 0)
    } else {
        String::new()
    }
}

fn records(counts: Map<String, Value>, exit: Exit, cost: Option<&SavedCost>, sent: u32) -> String {
    let summary = ClosingRecord::Summary(ClosingSummary { exit_code: exit.code(), counts });
    let cost = ClosingRecord::Cost(SpentCost { foretold: cost.copied(), sent });
    line(&summary) + &line(&cost)
}
