//! Until when a request may go on: its own limits, the deadline of the run, the end of an agent.
//!
//! It deliberately sends nothing and repeats nothing. What a cut request means is the cause's.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::client::Client;
use super::error::Cause;
use crate::clock::Clock;

/// How long one request may take, from its first byte to the last of the answer.
///
/// The settle time of a lost create (S3) begins when its try leaves ([`super::Leaving`]) and
/// is four times as long, so nothing of ours is still on its way when it has passed. It also ends
/// an answer that drips a byte a second.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);

/// How long the answer to a read may take to begin.
///
/// Gateways give a slow back end up to 30 s and answer for it then; a list takes a second. A write
/// has all of its time: giving one up costs the settle time, giving a read up costs a request.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// Until when the work of a client may go on.
pub(super) struct ClientDeadline {
    clock: Clock,
    /// When the last answer must be there; `--timeout`.
    deadline: Option<Timestamp>,
    /// When an agent must be done, once that is known.
    ending: watch::Sender<Option<Timestamp>>,
}

impl ClientDeadline {
    pub(super) fn new(clock: Clock, deadline: Option<Timestamp>) -> Self {
        Self { clock, deadline, ending: watch::Sender::new(None) }
    }
}

impl Client {
    /// Says when the work of this client and its clones must be over. Who waits for the budget, or
    /// to try again, beyond that fails at once: nothing of theirs was sent. What is under way is
    /// finished.
    pub fn end_by(&self, end: Timestamp) {
        self.until().ending.send_replace(Some(end));
    }

    /// Waits until a time, to go on with a request then. Returns false as soon as it is known that
    /// there will be no time left for it.
    pub async fn wait_until(&self, time: Timestamp) -> bool {
        self.check_deadline(time).is_ok() && self.may_wait_until(time).await
    }

    /// Waits until a time. Returns whether it is not beyond the end of the work, as soon as that is
    /// known.
    pub(super) async fn may_wait_until(&self, time: Timestamp) -> bool {
        let ClientDeadline { clock, deadline: _, ending } = self.until();
        let mut ending = ending.subscribe();
        let is_too_soon = |end: &Option<Timestamp>| end.is_some_and(|end| time > end);
        tokio::select! {
            _ = ending.wait_for(is_too_soon) => false,
            () = clock.sleep_until(time) => true,
        }
    }

    pub(super) fn check_deadline(&self, at: Timestamp) -> Result<(), Cause> {
        match self.until().deadline {
            Some(deadline) if at > deadline => Err(Cause::OverDeadline { deadline }),
            _ => Ok(()),
        }
    }

    /// Gives a request the time it may take, and not more than is left until the deadline.
    pub(super) async fn in_time<T>(
        &self,
        request: impl Future<Output = Result<T, Cause>>,
    ) -> Result<T, Cause> {
        self.cut_off(REQUEST_TIME_MAX, request).await
    }

    /// Waits for the head of an answer, of a read not for as long as the whole may take.
    pub(super) async fn in_silence<T>(
        &self,
        is_read: bool,
        head: impl Future<Output = Result<T, Cause>>,
    ) -> Result<T, Cause> {
        if is_read { self.cut_off(SILENCE_MAX, head).await } else { head.await }
    }

    async fn cut_off<T>(
        &self,
        time_max: Duration,
        request: impl Future<Output = Result<T, Cause>>,
    ) -> Result<T, Cause> {
        let ClientDeadline { clock, deadline, ending: _ } = self.until();
        let left = deadline.map(|deadline| {
            (Duration::try_from(deadline.duration_since(clock.now())).unwrap_or_default(), deadline)
        });
        let (limit, late) = match left.filter(|(left, _)| *left < time_max) {
            Some((left, deadline)) => (left, Cause::CutOff { deadline }),
            None => (time_max, Cause::TimedOut(time_max)),
        };
        tokio::time::timeout(limit, request).await.unwrap_or(Err(late))
    }
}
