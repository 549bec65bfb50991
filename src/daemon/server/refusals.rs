//! What is refused from outside, in the log: the first of a kind at once, the others counted.
//!
//! Whoever can reach the server could otherwise write as much into the log as he sends. The one
//! place from which the server logs what strangers cause.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::shared::ShutdownSignal;
use crate::clock::Clock;
use crate::model::Name;

/// How long after a line the next ones of its kind are counted: a flood writes one line of each
/// kind in this time, and tells how many it stands for.
const HELD_BACK: Duration = Duration::from_secs(60);

/// What can happen as often as a stranger likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RefusalKind {
    /// A webhook with a wrong signature, or one that is too old.
    Webhook,
    /// A webhook without any signature: the noise of the network.
    Unsigned,
    /// A webhook that came before.
    Replay,
    /// A connection that broke.
    Connection,
    /// A request that a defect of ours ended.
    Request,
}

/// What is counted, for each kind and project.
type Kinds = BTreeMap<(RefusalKind, Option<Name>), Held>;

/// What was refused lately; clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Refusals {
    clock: Clock,
    kinds: Arc<Mutex<Kinds>>,
}

/// The refusals of one kind since its last line.
#[derive(Clone, Debug)]
struct Held {
    until: Timestamp,
    count: u64,
    last: String,
}

impl Refusals {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, kinds: Arc::default() }
    }

    /// Logs a refusal, or counts it where one of its kind was logged within the last minute.
    pub(super) fn note(&self, refused: RefusalKind, project: Option<&Name>, why: impl Display) {
        let now = self.clock.now();
        let mut kinds = self.kinds();
        let held = kinds.entry((refused, project.cloned())).or_insert_with(|| Held::until(now));
        if now < held.until {
            held.count += 1;
            held.last = why.to_string();
            return;
        }
        log(refused, project, held.count, &why);
        *held = Held::until(after(now));
    }

    /// Tells how many were held back, once a minute, until the server ends.
    pub(super) async fn keep_telling(self, closing: ShutdownSignal) {
        let mut ending = std::pin::pin!(closing.begun());
        loop {
            let next = after(self.clock.now());
            tokio::select! {
                () = &mut ending => return self.tell(Timestamp::MAX),
                () = self.clock.sleep_until(next) => self.tell(next),
            }
        }
    }

    /// Tells of the kinds whose time is over, and forgets those of which no more came.
    fn tell(&self, now: Timestamp) {
        self.kinds().retain(|(refused, project), held| {
            if now < held.until {
                return true;
            }
            if held.count > 0 {
                log(*refused, project.as_ref(), held.count, &held.last);
                *held = Held::until(after(now));
                return true;
            }
            false
        });
    }

    fn kinds(&self) -> MutexGuard<'_, Kinds> {
        // Counts are whole after every statement, so a panic elsewhere spoils nothing.
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    const fn until(until: Timestamp) -> Self {
        Self { until, count: 0, last: String::new() }
    }
}

fn after(now: Timestamp) -> Timestamp {
    now.checked_add(HELD_BACK).unwrap_or(Timestamp::MAX)
}

/// Writes one line, and how many of its kind were held back since the last.
fn log(refused: RefusalKind, project: Option<&Name>, held_back: u64, why: &impl Display) {
    let project = project.map(Name::as_str);
    let held_back = (held_back > 0).then_some(held_back);
    match refused {
        RefusalKind::Webhook => tracing::warn!(project, held_back, "webhook refused: {why}"),
        RefusalKind::Unsigned => tracing::debug!(project, held_back, "webhook refused: {why}"),
        RefusalKind::Replay => tracing::info!(project, held_back, "webhook ignored: {why}"),
        RefusalKind::Connection => tracing::debug!(held_back, "a connection broke: {why}"),
        RefusalKind::Request => tracing::error!(held_back, "a request was abandoned: {why}"),
    }
}
