//! What closes a stream of records: how the run ended, and what it cost.
//!
//! Who reads `-o ndjson` of a command that plans knows by these two lines that nothing is missing,
//! also after an error.

use std::ffi::OsString;
use std::sync::{Mutex, OnceLock, PoisonError};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::api::Client;
use crate::render::json::{SavedCost, line};

use super::arguments::Command;
use super::exit::Exit;

/// The commands whose records are closed.
const CLOSED: [&str; 4] = ["plan", "apply", "drift", "destroy"];

/// What is known of a run when it ends.
#[derive(Default)]
pub struct Closing {
    summary: Mutex<Map<String, Value>>,
    cost: OnceLock<SavedCost>,
    client: OnceLock<Client>,
}

impl Closing {
    /// Notes how many of each there are; the last word counts.
    pub fn sum_up(&self, summary: &impl Serialize) {
        if let Ok(Value::Object(summary)) = serde_json::to_value(summary) {
            *self.summary.lock().unwrap_or_else(PoisonError::into_inner) = summary;
        }
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
        let mut summary = self.summary.lock().unwrap_or_else(PoisonError::into_inner).clone();
        summary.insert("exitCode".to_owned(), exit.code().into());
        let sent = self.client.get().map_or(0, Client::calls);
        Some(records(&summary, self.cost.get(), sent))
    }
}

/// Returns the records that close a call that could not be read.
pub fn of_call(words: &[OsString], exit: Exit) -> String {
    let is_closed = |word: &OsString| CLOSED.iter().any(|name| word == name);
    if words.iter().skip(1).any(is_closed) {
        let summary = Map::from_iter([("exitCode".to_owned(), exit.code().into())]);
        records(&summary, None, 0)
    } else {
        String::new()
    }
}

fn records(summary: &Map<String, Value>, cost: Option<&SavedCost>, sent: u32) -> String {
    let mut cost = cost.map_or_else(|| json!({}), |cost| json!(cost));
    cost["sent"] = sent.into();
    line(&json!({ "summary": summary })) + &line(&json!({ "cost": cost }))
}
