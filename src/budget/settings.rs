//! What a user may set, the lanes, and the numbers that nobody should have to set.

use std::time::Duration;

/// The window in which the API counts requests (F8).
pub const WINDOW: Duration = Duration::from_secs(60);

/// How much longer than the window one of our own requests is counted.
///
/// Two requests sent a window apart may arrive closer together than that. Half a second is more
/// than the spread of latency on any healthy connection, and costs under one per cent.
pub const SLACK: Duration = Duration::from_millis(500);

/// What a budget is configured with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetConfig {
    /// How many requests the API is believed to allow in a minute.
    pub limit: u32,
    /// The most requests we send in any minute, whatever the API would allow.
    pub rate: u32,
    /// How much of `rate` background work leaves alone, so that the other lanes find room.
    pub reserve: u32,
    /// Spreads the instants at which several agents come back after a refusal.
    pub seed: u64,
}

impl Default for BudgetConfig {
    /// 300 as the API says (F8); 285 keeps one agent clear of it in every window the API might
    /// use; 90 is 30 % of the window.
    fn default() -> Self {
        Self { limit: 300, rate: 285, reserve: 90, seed: 0 }
    }
}

impl BudgetConfig {
    /// Returns the limit, at least one.
    pub(super) fn limit(&self) -> u32 {
        self.limit.max(1)
    }

    /// Returns the cap on own requests in a window: at least one, never more than the limit.
    pub(super) fn rate(&self) -> u32 {
        self.rate.clamp(1, self.limit())
    }

    /// Returns what `lane` leaves to the lanes before it, of a window of `window` requests.
    pub(super) fn floor(&self, lane: Lane, window: u32) -> u32 {
        match lane {
            Lane::Urgent | Lane::Converge => 0,
            Lane::Background => {
                let share = u64::from(self.reserve.min(self.rate() - 1)) * u64::from(window);
                u32::try_from(share / u64::from(self.limit())).unwrap_or(u32::MAX)
            }
        }
    }
}

/// Who is waiting for a request.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// A person waits, a rollback, a guard.
    Urgent,
    /// The writes of a commit, and the reads that plan them.
    Converge,
    /// Drift polls, sweeps, the status of deployments.
    Background,
}
