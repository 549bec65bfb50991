//! May a request leave now? A list of obstacles, each of which says until when it stands.
//!
//! The caps on our own requests need no header and hold in every kind of window the API may use.
//! Remaining makes room for other clients of the token, and for smaller windows than expected.

use std::time::Duration;

use super::credits::SHARE_OF_OTHERS;
use super::millis::Millis;
use super::settings::{BudgetConfig, Lane, SLACK, WINDOW};
use super::state::{BudgetSession, InFlight, Observation, Permit, State, count};

/// After this long without an answer, what is left is found out by one request alone.
const FRESH_MAX: Duration = Duration::from_secs(5);

/// How long one request alone holds up the others; a server may drip a byte a second.
const ALONE_MAX: Duration = Duration::from_secs(5);

/// How often to ask again while the answer to another request is awaited.
const POLL: Duration = Duration::from_millis(25);

/// How long after Reset to come back: clocks and roundings differ.
const RESET_MARGIN: Duration = Duration::from_millis(100);

/// How long to wait when nothing remains and the answer did not say until when.
const RESET_UNKNOWN: Duration = Duration::from_secs(5);

/// The longest wait between two looks at a server that has nothing left.
const LOOK_MAX: Duration = Duration::from_secs(30);

/// Most requests in flight; at usual latencies it sends a whole window in two seconds.
///
/// What is in flight is also what can be refused before we know that another client used the
/// window up, so it is not larger.
pub(super) const FLIGHTS_MAX: u32 = 32;

/// How many more may be in flight in the urgent lane.
const FLIGHTS_URGENT: u32 = 8;

/// How many requests may leave, and when, for one token of one API.
#[derive(Debug, Clone)]
pub struct Budget {
    pub(super) config: BudgetConfig,
    pub(super) state: State,
}

/// May a request leave now, or a look and the write that rests on it?
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict<P = Permit> {
    /// Yes, at once. Each permit is handed back with what became of the request.
    Go(P),
    /// No; ask again then.
    Wait {
        /// When to ask again.
        until: Millis,
        /// What is in the way.
        why: Why,
    },
}

/// What is in the way of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The process started too often without an orderly end.
    Starting,
    /// The API refused, and said or was presumed to need this long.
    Frozen,
    /// We sent as many in the last minute as we allow ourselves.
    Rate,
    /// One request is on its way to find out what is left.
    Alone,
    /// The API has nothing left for this lane.
    Remaining,
    /// As many are in flight as what is left makes safe.
    InFlight,
    /// Background work, and work longer than a window, is spread over it.
    Spread,
    /// Another process holds the ledger.
    Busy,
}

/// What leave is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// A request that leaves at once.
    Request,
    /// A place for a write that leaves later.
    Place,
    /// A look that leaves at once, and a place for the write that rests on it.
    Pair,
}

impl Want {
    const fn requests(self) -> u32 {
        match self {
            Self::Request | Self::Place => 1,
            Self::Pair => 2,
        }
    }
}

pub(super) type Obstacle = Option<(Millis, Why)>;

impl Budget {
    /// Returns the budget of a token that was never used.
    #[must_use]
    pub fn new(config: BudgetConfig) -> Self {
        Self::resume(config, State::default())
    }

    /// Returns the budget with what was remembered of it.
    #[must_use]
    pub fn resume(config: BudgetConfig, state: State) -> Self {
        Self { config, state }
    }

    /// Returns what must be remembered.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Ends the budget, and returns what must be remembered.
    #[must_use]
    pub fn into_state(self) -> State {
        self.state
    }

    /// Asks for leave to send one request in `lane`, at once.
    ///
    /// *Guarantees*: at most `rate` permits in any minute, whatever answers the budget is told,
    /// except those that were handed back as never sent.
    /// *Assumes* that the request leaves within half a second of `now`, and that time does not run
    /// backwards: where it does, it stands still until `now` catches up.
    pub fn take(&mut self, now: Millis, session: &mut BudgetSession, lane: Lane) -> Verdict {
        let now = self.state.advance(now);
        match self.admit(now, session, lane, Want::Request) {
            Some((until, why)) => wait(now, until, why),
            None => {
                let is_look = self.is_dry(now, lane, 1);
                Verdict::Go(self.send(now, session, lane, is_look))
            }
        }
    }

    /// Returns what stands in the way of so many requests at once, and notes who waits for it.
    pub(super) fn admit(
        &mut self,
        now: Millis,
        session: &BudgetSession,
        lane: Lane,
        want: Want,
    ) -> Obstacle {
        let found = self.obstacle(now, session, lane, want);
        match found {
            Some(obstacle) => self.queue(now, session.id, (lane, want.requests()), obstacle),
            None => self.served(session.id, want.requests()),
        }
        found
    }

    /// Returns what stands in the way of so many requests at once.
    pub(super) fn obstacle(
        &self,
        now: Millis,
        session: &BudgetSession,
        lane: Lane,
        want: Want,
    ) -> Obstacle {
        // Who has waited longer finds its room before us.
        let needed = want.requests() + self.ahead(now, session.id, lane);
        self.starting(now, session, lane)
            .or_else(|| self.frozen(now))
            .or_else(|| self.rate(now, lane, needed))
            .or_else(|| self.alone(now, lane, want))
            .or_else(|| self.remaining(now, lane, needed))
            .or_else(|| self.smooth(now, lane))
            .or_else(|| self.stepped(now, lane, want))
            .or_else(|| self.in_flight(now, session, lane))
            .or_else(|| match lane {
                Lane::Urgent => None,
                Lane::Converge => self.paced(now, session),
                Lane::Background => self.spread(now),
            })
    }

    /// Whether the API was last seen with less left than that.
    pub(super) fn is_dry(&self, now: Millis, lane: Lane, needed: u32) -> bool {
        self.credits(now, lane).is_some_and(|credits| credits < i64::from(needed))
    }

    pub(super) fn send(
        &mut self,
        now: Millis,
        session: &mut BudgetSession,
        lane: Lane,
        is_look: bool,
    ) -> Permit {
        let run = self.run(now, session);
        let id = self.state.next_id;
        self.state.next_id += 1;
        self.state.sent.push_back(now);
        let flight = InFlight { id, session: session.id, sent_at: now, is_reserved: false };
        self.state.flights.push(flight);
        match lane {
            Lane::Urgent => {}
            Lane::Converge => {
                session.run = run;
                if (run.before + session.converged).is_multiple_of(self.config.rate()) {
                    session.run.window_began = now;
                }
                session.converged = session.converged.saturating_add(1);
                session.last_converge = now;
            }
            Lane::Background => self.state.last_background = now,
        }
        Permit { id, sent_at: now, is_look }
    }

    fn starting(&self, now: Millis, session: &BudgetSession, lane: Lane) -> Obstacle {
        let ready_at = self.ready_at(session);
        (lane != Lane::Urgent && now < ready_at).then_some((ready_at, Why::Starting))
    }

    pub(super) fn frozen(&self, now: Millis) -> Obstacle {
        let until = self.state.refusals.frozen_until;
        (now < until).then_some((until, Why::Frozen))
    }

    /// The caps on our own requests of the last minute: what is configured, and what is left of
    /// the limit by other clients.
    fn rate(&self, now: Millis, lane: Lane, needed: u32) -> Obstacle {
        let allowed = self.allowed(lane, needed);
        let own = self.state.own(now);
        let excess = (own + needed).checked_sub(allowed).filter(|excess| *excess > 0)?;
        // The oldest that must be forgotten before there is room.
        let counted = self.state.sent.len() - own as usize;
        let blocking = self.state.sent.get(counted + excess as usize - 1);
        Some((blocking.unwrap_or(&now).plus(WINDOW + SLACK), Why::Rate))
    }

    /// Returns how many of our own `lane` may have in a minute, when it needs so many at once.
    fn allowed(&self, lane: Lane, needed: u32) -> u32 {
        let believed = self.believed();
        let others = self.state.others.used.min(believed / SHARE_OF_OTHERS);
        let shared = believed.saturating_sub(others + percent(believed, 2));
        let floor = self.config.floor(lane, self.config.limit());
        let allowed = self.config.rate().min(shared).saturating_sub(floor);
        allowed.max(needed.min(self.config.rate()))
    }

    /// When it is not known what is left, one request finds out, and it is one that was wanted.
    fn alone(&self, now: Millis, lane: Lane, want: Want) -> Obstacle {
        let is_unknown = match &self.state.observation {
            None => true,
            Some(seen) => {
                // What is only foreseen is found out by one request too.
                let needed = i64::from(want.requests());
                now > seen.at.plus(FRESH_MAX)
                    || self.told_credits(now, lane).is_some_and(|credits| credits < needed)
            }
        };
        // Somebody waits in the urgent lane; only after a refusal must even he go alone.
        let may_join = lane == Lane::Urgent && !self.is_refused();
        if may_join || !(is_unknown || self.is_refused()) {
            return None;
        }
        // What has its place finds out when it leaves; what it waits for must not wait for it.
        let is_on_its_way = |flight: &InFlight| !flight.is_reserved || want != Want::Request;
        let young =
            |flight: &InFlight| is_on_its_way(flight) && now.since(flight.sent_at) < ALONE_MAX;
        self.state.flights.iter().any(young).then(|| (now.plus(POLL), Why::Alone))
    }

    fn remaining(&self, now: Millis, lane: Lane, needed: u32) -> Obstacle {
        let missing = i64::from(needed) - self.credits(now, lane)?;
        if missing <= 0 {
            return None;
        }
        let seen = self.state.observation.as_ref()?;
        let look = self.next_look(seen, missing);
        (now < look).then_some((look, Why::Remaining))
    }

    /// When to find out again whether there is something left.
    fn next_look(&self, seen: &Observation, missing: i64) -> Millis {
        if let Some(per_second) = self.state.refill.per_second() {
            let refilled = Duration::from_secs_f64(missing as f64 / per_second);
            return self.state.latest.plus(refilled.min(LOOK_MAX));
        }
        let freed = self.freed_at(missing);
        let reset = match seen.reset_at {
            Some(reset_at) => reset_at.plus(RESET_MARGIN),
            None => seen.at.plus(RESET_UNKNOWN),
        };
        // Where Reset keeps coming and nothing is left, another client is taking it.
        let patience = match self.state.dry_looks {
            0 => Duration::ZERO,
            looks => Duration::from_secs(1 << (looks - 1).min(10)).min(LOOK_MAX),
        };
        let look = reset.max(seen.at.plus(patience));
        freed.map_or(look, |freed| freed.min(look))
    }

    fn in_flight(&self, now: Millis, session: &BudgetSession, lane: Lane) -> Obstacle {
        // Of this process only: another may have been killed and never get its answers.
        let is_own = |flight: &&InFlight| flight.session == session.id && !flight.is_reserved;
        let own = self.state.flights.iter().filter(is_own);
        let most = match self.told_credits(now, lane) {
            None => FLIGHTS_MAX,
            // Half of what is left: another client like us may see the same half.
            Some(credits) => {
                let left = credits + i64::from(self.state.in_flight());
                (u32::try_from(left.max(0)).unwrap_or(u32::MAX) / 2).clamp(1, FLIGHTS_MAX)
            }
        };
        let most = if lane == Lane::Urgent { most + FLIGHTS_URGENT } else { most };
        (count(own.count()) >= most).then(|| (now.plus(POLL), Why::InFlight))
    }

    fn is_refused(&self) -> bool {
        self.state.refusals.failures > 0
    }
}

pub(super) fn wait<P>(now: Millis, until: Millis, why: Why) -> Verdict<P> {
    let soonest = now.plus(Duration::from_millis(1));
    Verdict::Wait { until: until.max(soonest), why }
}

/// Returns `share` per cent of `whole`, rounded up.
pub(super) fn percent(whole: u32, share: u32) -> u32 {
    whole.saturating_mul(share).div_ceil(100)
}
