//! Stands in for the budget until it is there.
use std::time::Duration;
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    Urgent,
    Converge,
    Background,
}
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    pub status: u16,
    pub remaining: Option<String>,
    pub reset: Option<String>,
    pub retry_after: Option<String>,
    pub date: Option<String>,
}
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);
pub struct Permit;
pub enum Verdict {
    Go(Permit),
    Wait { until: Millis },
}
#[derive(Clone)]
pub struct Ledger;
impl Ledger {
    pub fn take(&self, _now: Millis, _lane: Lane) -> Verdict {
        Verdict::Go(Permit)
    }
    pub fn learn(&self, _now: Millis, _permit: Permit, _limits: &Limits) {}
    pub fn lost(&self, _now: Millis, _permit: Permit) {}
    pub fn unsent(&self, _now: Millis, _permit: Permit) {}
}
pub struct Retries(u32);
impl Retries {
    pub fn new(_seed: u64, _deadline: Millis) -> Self {
        Self(0)
    }
    pub fn next(&mut self, now: Millis, told: Option<Duration>) -> Option<Millis> {
        self.0 += 1;
        Some(Millis(
            now.0 + told.map_or(1000 << self.0.min(6), |t| t.as_millis() as u64),
        ))
    }
}
