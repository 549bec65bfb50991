//! A look and the write that rests on it: admitted together, and the second counted when it leaves.
//!
//! A write asks for leave before its look, because whoever asks after it may wait for a minute, and
//! then the look says nothing any more (S10).

use super::millis::Millis;
use super::settings::{Lane, SLACK, WINDOW};
use super::state::{BudgetSession, InFlight, Permit};
use super::take::{Budget, Verdict, Want, Why, wait};

impl Budget {
    /// Asks for leave to send a look at once, and after its answer the write that rests on it: both
    /// or none. The second permit is good for nothing before [`Budget::depart`].
    ///
    /// *Guarantees* and *assumes* what [`Budget::take`] does; and that `rate` is two at least.
    pub fn take_pair(
        &mut self,
        now: Millis,
        session: &mut BudgetSession,
        lane: Lane,
    ) -> Verdict<(Permit, Permit)> {
        let now = self.state.advance(now);
        match self.admit(now, session, lane, Want::Pair) {
            Some((until, why)) => wait(now, until, why),
            None => {
                let is_look = self.is_dry(now, lane, 2);
                let look = self.send(now, session, lane, is_look);
                Verdict::Go((look, self.reserve(now, session, lane, false)))
            }
        }
    }

    /// Asks for a place for one write whose look takes requests of its own, as a list does. It is
    /// good for nothing before [`Budget::depart`].
    ///
    /// *Guarantees* and *assumes* what [`Budget::take`] does.
    pub fn take_place(&mut self, now: Millis, session: &mut BudgetSession, lane: Lane) -> Verdict {
        let now = self.state.advance(now);
        match self.admit(now, session, lane, Want::Place) {
            Some((until, why)) => wait(now, until, why),
            None => {
                let is_look = self.is_dry(now, lane, 1);
                Verdict::Go(self.reserve(now, session, lane, is_look))
            }
        }
    }

    fn reserve(
        &mut self,
        now: Millis,
        session: &mut BudgetSession,
        lane: Lane,
        is_look: bool,
    ) -> Permit {
        let permit = self.send(now, session, lane, is_look);
        if let Some(flight) = self.state.flights.last_mut() {
            flight.is_reserved = true;
        }
        permit
    }

    /// Lets a request leave whose permit was taken earlier. From here on it counts as of now: it is
    /// on the wire now, and must not be forgotten sooner (S4). It was counted all the time, so it
    /// needs no new room; only what was learned meanwhile can stand in its way.
    ///
    /// # Errors
    /// With what stands in its way. The permit is then to be handed back as never sent; but where a
    /// step is not over yet ([`Why::Spread`]) it is good a moment later.
    pub fn depart(
        &mut self,
        now: Millis,
        session: &BudgetSession,
        permit: &mut Permit,
    ) -> Result<(), Why> {
        let now = self.state.advance(now);
        if self.frozen(now).is_some() {
            return Err(Why::Frozen);
        }
        let place = self.state.sent.partition_point(|sent| *sent < permit.sent_at);
        let is_known = self.state.sent.get(place) == Some(&permit.sent_at);
        // One that is counted no more was given to somebody else.
        if !is_known || now.since(permit.sent_at) >= WINDOW + SLACK {
            return Err(Why::Rate);
        }
        // Another client may have used up what was there for it; one that goes to find out may go.
        let others = self.state.flights.iter().filter(|flight| flight.id != permit.id).count();
        let left = self.left(now).map(|left| left as usize);
        if left.is_some_and(|left| left <= others) && !permit.is_look {
            return Err(Why::Remaining);
        }
        if !self.may_step(now) {
            return Err(Why::Spread);
        }
        self.state.sent.remove(place);
        self.state.sent.push_back(now);
        self.state.flights.retain(|flight| flight.id != permit.id);
        let flight =
            InFlight { id: permit.id, session: session.id, sent_at: now, is_reserved: false };
        self.state.flights.push(flight);
        permit.sent_at = now;
        Ok(())
    }
}
