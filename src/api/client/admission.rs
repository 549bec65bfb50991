//! When a request may leave: the budget, the number of requests of the run, its end.

use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;

use super::super::call::Call;
use super::super::error::Cause;
use super::super::leave::{Leave, Pair, Reservation};
use super::super::parts::Wait;
use super::{Client, chain};
use crate::budget::{Lane, Millis, Permit, Verdict, Why};
use crate::ledger::{Ledger, LedgerError};

/// When to try again while another process writes its own request down, or a step is not over.
const LEDGER_PAUSE: Duration = Duration::from_millis(10);

type Asked<P> = Result<Verdict<P>, LedgerError>;

impl Client {
    /// Waits until the budget lets one request leave.
    pub(super) async fn admit(&self) -> Result<Permit, Cause> {
        self.wait_for_leave(1, Ledger::take).await
    }

    /// Waits until the budget lets a look and the write that rests on it leave.
    pub(in crate::api) async fn pair(&self) -> Result<Pair, Cause> {
        Ok(Pair::new(self, self.wait_for_leave(2, Ledger::take_pair).await?))
    }

    /// Waits until the budget lets one write leave, and keeps its place.
    pub(in crate::api) async fn reserve(&self) -> Result<Reservation, Cause> {
        let permit = self.wait_for_leave(1, Ledger::take_place).await?;
        Ok(Reservation::new(self, permit))
    }

    /// The same, where that needs no waiting.
    pub(in crate::api) fn reserve_now(&self) -> Option<Reservation> {
        match self.ask_for_leave(1, Ledger::take_place) {
            Ok(Verdict::Go(permit)) => Some(Reservation::new(self, permit)),
            Ok(Verdict::Wait { .. }) | Err(_) => None,
        }
    }

    /// Append, then count, then leave: from here on nothing is waited for but the request itself.
    pub(super) async fn depart(&self, call: &Call<'_>, mut leave: Leave) -> Result<Permit, Cause> {
        leave.check(self.now())?;
        if let Some(Err(reason)) = call.leaving.map(|leaving| leaving()) {
            return Err(Cause::Local(reason));
        }
        loop {
            let now = self.now();
            // What was appended meanwhile may have taken its time.
            leave.check(now)?;
            self.check_deadline(now)?;
            let Some(permit) = leave.permit() else { return Err(Cause::LookTooOld) };
            let departed = self.shared.ledger.depart(Millis::from(now), permit);
            match departed.map_err(|error| Cause::Ledger(chain(&error)))? {
                None => return leave.take().ok_or(Cause::LookTooOld),
                Some(Why::Busy | Why::Spread) => {
                    let soon = now.checked_add(LEDGER_PAUSE).unwrap_or(now);
                    self.shared.clock.sleep_until(soon).await;
                }
                Some(_) => return Err(Cause::LookTooOld),
            }
        }
    }

    async fn wait_for_leave<P>(
        &self,
        requests: u32,
        take: impl Fn(&Ledger, Millis, Lane) -> Asked<P>,
    ) -> Result<P, Cause> {
        loop {
            match self.ask_for_leave(requests, &take)? {
                Verdict::Go(permits) => return Ok(permits),
                Verdict::Wait { until, .. } => {
                    // Waiting in vain helps nobody: say at once that the time will not do.
                    let until = Timestamp::from(until);
                    self.check_deadline(until)?;
                    self.tell_wait(until);
                    if !self.may_wait_until(until).await {
                        return Err(Cause::Stopped);
                    }
                }
            }
        }
    }

    /// Tells whoever listens that a request waits. Why is looked up where the wait is worth a word.
    fn tell_wait(&self, until: Timestamp) {
        let now = self.now();
        let is_long = until.duration_since(now).as_secs() > 0;
        let view = is_long.then(|| self.shared.ledger.view(Millis::from(now)).ok()).flatten();
        let short_since = view.and_then(|view| view.short_since).map(Timestamp::from);
        self.shared.config.waits.send_replace(Some(Wait { until, short_since }));
    }

    /// Asks once for leave for so many requests, and counts them.
    fn ask_for_leave<P>(
        &self,
        requests: u32,
        take: impl Fn(&Ledger, Millis, Lane) -> Asked<P>,
    ) -> Result<Verdict<P>, Cause> {
        self.count_calls(requests)?;
        let now = self.now();
        let verdict = self.check_deadline(now).and_then(|()| {
            let verdict = take(&self.shared.ledger, Millis::from(now), self.lane);
            verdict.map_err(|error| Cause::Ledger(chain(&error)))
        });
        if !matches!(verdict, Ok(Verdict::Go(_))) {
            self.shared.calls.fetch_sub(requests, Ordering::Relaxed);
        }
        verdict
    }

    /// Counts requests, where so many more are allowed.
    fn count_calls(&self, requests: u32) -> Result<(), Cause> {
        let Some(calls_max) = self.shared.config.calls_max else {
            self.shared.calls.fetch_add(requests, Ordering::Relaxed);
            return Ok(());
        };
        let count = |calls: u32| calls.checked_add(requests).filter(|calls| *calls <= calls_max);
        let counted = self.shared.calls.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count);
        counted.map(drop).map_err(|_| Cause::OverCalls { calls_max })
    }

    /// Takes back a request that was counted and does not leave.
    pub(in crate::api) fn give_back(&self, permit: Permit) {
        self.shared.calls.fetch_sub(1, Ordering::Relaxed);
        self.shared.ledger.unsent(self.millis(), permit);
    }
}
