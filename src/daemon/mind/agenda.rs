//! When a mind looks: what is due, what is retried, and which deployments are followed.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::budget::Millis;
use crate::budget::backoff::Retries;
use crate::follow::{LOOK_FIRST, Watch};
use crate::model::{Key, RemoteId};
use crate::status::Trigger;

use super::super::queue::RetryQueue;
use super::super::settings::Settings;
use super::others::OtherDeployers;

/// What is due, and when.
pub(super) struct Agenda {
    pub due: BTreeSet<Trigger>,
    pub ticked_at: Timestamp,
    pub queue: RetryQueue,
    pub retries: Retries,
    pub retry_at: Option<Timestamp>,
    pub interval: Duration,
    /// How many requests the project and its lists cost.
    pub lists: u32,
    pub look_at: Timestamp,
    pub looks: u64,
    pub moving_looks: u32,
    pub watch: Watch,
    pub follow_at: Option<Timestamp>,
    pub follow_pause: Duration,
    pub follow_until: Option<Timestamp>,
    pub rollbacks: Vec<(Key, RemoteId)>,
    pub others: OtherDeployers,
}

impl Agenda {
    /// The first pass is due at once.
    pub fn new(settings: &Settings, now: Timestamp) -> Self {
        let interval = settings.interval;
        Self {
            due: BTreeSet::from([Trigger::Start]),
            ticked_at: now,
            queue: RetryQueue::new(settings.seed),
            retries: Retries::new(settings.seed, Millis(u64::MAX)),
            retry_at: None,
            interval,
            lists: 0,
            look_at: now.checked_add(interval).unwrap_or(Timestamp::MAX),
            looks: 0,
            moving_looks: 0,
            watch: Watch::default(),
            follow_at: None,
            follow_pause: LOOK_FIRST,
            follow_until: None,
            rollbacks: Vec::new(),
            others: OtherDeployers::default(),
        }
    }
}
