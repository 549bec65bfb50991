//! What other clients of the same token use: what they used in this window, and what to expect.
//!
//! They are seen only through Remaining, so every count here is a lower bound: our own requests
//! that the API may or may not have counted yet are all taken as counted.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::millis::Millis;
use super::settings::WINDOW;

/// How many windows are remembered.
const HISTORY_MAX: usize = 10;

/// Turns closer together than this belong to one window: some servers reset all the time.
const TURN_MIN: Duration = Duration::from_secs(55);

/// The shortest time from which use is projected onto the whole window.
const PROJECTION_MIN: Duration = Duration::from_secs(5);

/// What other clients do with the token.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct OtherClients {
    /// What they used in the server's current window, at least.
    pub used: u32,
    /// What they will have used at its end if they go on as they did.
    pub projected: u32,
    /// The windows before, oldest first.
    history: VecDeque<Slice>,
    /// When the server's current window ends, as its first answer had it: a bucket's Reset moves.
    turns_at: Option<Millis>,
    /// When the last slice of history began.
    began: Millis,
    /// The largest Remaining of this window.
    largest: Option<u32>,
    /// Whether the API's window turned while we looked, so that the largest Remaining is its size.
    has_turned: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Slice {
    used: u32,
    largest: Option<u32>,
}

impl OtherClients {
    /// Returns the size of the API's window: the limit, until Remaining has shown better.
    pub fn window(&self, limit: u32) -> u32 {
        if self.has_turned { self.largest(limit) } else { limit }
    }

    /// Returns the largest window seen, or `limit` if none was.
    pub fn largest(&self, limit: u32) -> u32 {
        let seen = self.history.iter().filter_map(|slice| slice.largest).chain(self.largest).max();
        // The request that was told of it had been counted.
        seen.map_or(limit, |largest| largest.saturating_add(1))
    }

    /// Says whether anything is known about other clients.
    pub fn is_known(&self) -> bool {
        self.used > 0 || !self.history.is_empty()
    }

    /// Returns what they are expected to use in a window: the second largest of the last ten.
    pub fn expected(&self, limit: u32) -> u32 {
        // More than the window holds was never used: the window is smaller than was believed.
        let largest = self.largest(limit);
        let possible = |used: u32| if used > largest { 0 } else { used };
        let mut used: Vec<u32> = self.history.iter().map(|slice| possible(slice.used)).collect();
        used.sort_unstable();
        // The 90th percentile by nearest rank.
        let rank = (used.len() * 9).div_ceil(10);
        let usual = rank.checked_sub(1).map_or(0, |index| used[index]);
        usual.max(self.projected)
    }

    /// Takes note of Remaining.
    pub fn saw_remaining(&mut self, remaining: u32) {
        self.largest = Some(self.largest.unwrap_or(0).max(remaining));
    }

    /// Takes note that they used at least `used` of the window that began `elapsed` ago.
    pub fn saw_use(&mut self, used: u32, elapsed: Duration) {
        self.used = self.used.max(used);
        let elapsed = elapsed.max(PROJECTION_MIN).as_secs_f64();
        let whole = f64::from(self.used) * (WINDOW.as_secs_f64() / elapsed).max(1.0);
        // A cast from a float saturates.
        self.projected = whole as u32;
    }

    /// Takes note that nothing can be said about them.
    pub fn cannot_be_seen(&mut self) {
        self.used = 0;
        self.projected = 0;
    }

    /// Takes note of Reset, and says whether the API's window turned.
    pub fn saw_reset(&mut self, now: Millis, reset_at: Option<Millis>) -> bool {
        let has_turned = self.turns_at.is_some_and(|turns_at| turns_at <= now);
        if has_turned {
            self.turned(now);
        }
        self.turns_at = self.turns_at.filter(|_| !has_turned).or(reset_at);
        has_turned
    }

    fn turned(&mut self, now: Millis) {
        let slice = Slice { used: self.used, largest: self.largest };
        match self.history.back_mut() {
            Some(last) if now.since(self.began) < TURN_MIN => {
                last.used = last.used.max(slice.used);
                last.largest = last.largest.max(slice.largest);
            }
            _ => {
                self.history.push_back(slice);
                self.began = now;
            }
        }
        if self.history.len() > HISTORY_MAX {
            self.history.pop_front();
        }
        self.largest = None;
        self.has_turned = true;
        self.cannot_be_seen();
    }
}
