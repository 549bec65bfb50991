//! May a request leave now? A list of obstacles, each of which says until when it stands.
//!
//! The caps on our own requests need no header and hold in every kind of window the API may use.
//! Remaining makes room for other clients of the token, and for smaller windows than expected.

use std::time::Duration;

use super::millis::Millis;
use super::settings::{Config, Lane, SLACK, WINDOW};
use super::state::{Flight, Observation, Permit, Session, State, count};

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
const FLIGHTS_MAX: u32 = 32;

/// How many more may be in flight in the urgent lane.
const FLIGHTS_URGENT: u32 = 8;

/// Never keep back more of a window than this part for other clients.
const SHARE_OF_OTHERS: u32 = 2;

/// How many requests may leave, and when, for one token of one API.
#[derive(Debug, Clone)]
pub struct Budget {
    pub(super) config: Config,
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
    pub fn new(config: Config) -> Self {
        Self::resume(config, State::default())
    }

    /// Returns the budget with what was remembered of it.
    #[must_use]
    pub fn resume(config: Config, state: State) -> Self {
        Self { config, state }
    }

    /// Returns what must be remembered.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Asks for leave to send one request in `lane`, at once.
    ///
    /// *Guarantees*: at most `rate` permits in any minute, whatever answers the budget is told,
    /// except those that were handed back as never sent.
    /// *Assumes* that the request leaves within half a second of `now`, and that time does not run
    /// backwards: where it does, it stands still until `now` catches up.
    pub fn take(&mut self, now: Millis, session: &mut Session, lane: Lane) -> Verdict {
        let now = self.state.advance(now);
        match self.obstacle(now, session, lane, Want::Request) {
            Some((until, why)) => wait(now, until, why),
            None => {
                let is_look = self.is_dry(now, lane, 1);
                Verdict::Go(self.send(now, session, lane, is_look))
            }
        }
    }

    /// Returns what stands in the way of so many requests at once.
    pub(super) fn obstacle(
        &self,
        now: Millis,
        session: &Session,
        lane: Lane,
        want: Want,
    ) -> Obstacle {
        let needed = want.requests();
        self.starting(now, session, lane)
            .or_else(|| self.frozen(now))
            .or_else(|| self.rate(now, lane, needed))
            .or_else(|| self.alone(now, lane, want))
            .or_else(|| self.remaining(now, lane, needed))
            .or_else(|| self.smooth(now, lane))
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
        session: &mut Session,
        lane: Lane,
        is_look: bool,
    ) -> Permit {
        let id = self.state.next_id;
        self.state.next_id += 1;
        self.state.sent.push_back(now);
        let flight = Flight { id, session: session.id, sent_at: now, is_reserved: false };
        self.state.flights.push(flight);
        match lane {
            Lane::Urgent => {}
            Lane::Converge => {
                if session.converged.is_multiple_of(self.config.rate()) {
                    session.window_began = now;
                }
                session.converged = session.converged.saturating_add(1);
                session.last_converge = now;
            }
            Lane::Background => self.state.last_background = now,
        }
        Permit { id, sent_at: now, is_look }
    }

    fn starting(&self, now: Millis, session: &Session, lane: Lane) -> Obstacle {
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
        let believed = self.believed();
        let others = self.state.others.used.min(believed / SHARE_OF_OTHERS);
        let shared = believed.saturating_sub(others + percent(believed, 2));
        let floor = self.config.floor(lane, self.config.limit());
        let allowed = self.config.rate().min(shared).saturating_sub(floor);
        let allowed = allowed.max(needed.min(self.config.rate()));
        let own = self.state.own(now);
        let excess = (own + needed).checked_sub(allowed).filter(|excess| *excess > 0)?;
        // The oldest that must be forgotten before there is room.
        let counted = self.state.sent.len() - own as usize;
        let blocking = self.state.sent.get(counted + excess as usize - 1);
        Some((blocking.unwrap_or(&now).plus(WINDOW + SLACK), Why::Rate))
    }

    /// When it is not known what is left, one request finds out, and it is one that was wanted.
    fn alone(&self, now: Millis, lane: Lane, want: Want) -> Obstacle {
        let is_unknown = match &self.state.observation {
            None => true,
            Some(seen) => now > seen.at.plus(FRESH_MAX) || self.is_dry(now, lane, want.requests()),
        };
        // Somebody waits in the urgent lane; only after a refusal must even he go alone.
        let may_join = lane == Lane::Urgent && !self.is_refused();
        if may_join || !(is_unknown || self.is_refused()) {
            return None;
        }
        // What has its place finds out when it leaves; what it waits for must not wait for it.
        let is_on_its_way = |flight: &Flight| !flight.is_reserved || want != Want::Request;
        let young =
            |flight: &Flight| is_on_its_way(flight) && now.since(flight.sent_at) < ALONE_MAX;
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
        let reset = match seen.reset_at {
            Some(reset_at) => reset_at.plus(RESET_MARGIN),
            None => seen.at.plus(RESET_UNKNOWN),
        };
        // Where Reset keeps coming and nothing is left, another client is taking it.
        let patience = match self.state.dry_looks {
            0 => Duration::ZERO,
            looks => Duration::from_secs(1 << (looks - 1).min(10)).min(LOOK_MAX),
        };
        reset.max(seen.at.plus(patience))
    }

    /// An API that has refused us and does not tell what is left may be a small bucket.
    fn smooth(&self, now: Millis, lane: Lane) -> Obstacle {
        let tells = self.state.observation.is_some_and(|seen| seen.remaining.is_some());
        if tells || lane == Lane::Urgent || now >= self.state.refusals.smooth_until {
            return None;
        }
        let until = self.state.sent.back()?.plus(WINDOW / self.believed());
        (now < until).then_some((until, Why::Spread))
    }

    fn in_flight(&self, now: Millis, session: &Session, lane: Lane) -> Obstacle {
        // Of this process only: another may have been killed and never get its answers.
        let is_own = |flight: &&Flight| flight.session == session.id && !flight.is_reserved;
        let own = self.state.flights.iter().filter(is_own);
        let most = match self.credits(now, lane) {
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

    /// Work longer than a window leaves evenly, as far as that does not make it end later.
    ///
    /// The n-th request waits for the one `rate` before it anyway. So those that the last, partly
    /// filled window will need leave at once in each window, and the rest has until its end.
    fn paced(&self, now: Millis, session: &Session) -> Obstacle {
        let rate = self.config.rate();
        let last_window = (session.expected.checked_sub(1)?) % rate + 1;
        let is_over = session.converged >= session.expected;
        let spread = (session.converged % rate + 1).checked_sub(last_window)?;
        if is_over || spread == 0 {
            return None;
        }
        let interval = WINDOW / (rate - last_window + 1);
        // Where the API was slow, catch up, but not in a burst.
        let on_time = session.window_began.plus(interval * spread);
        let until = on_time.max(session.last_converge.plus(interval / 2));
        (now < until).then_some((until, Why::Spread))
    }

    /// Background work has time: what is left is spread until Reset.
    fn spread(&self, now: Millis) -> Obstacle {
        let lane = Lane::Background;
        let seen = self.state.observation.as_ref()?;
        let left = seen.reset_at.map_or(Duration::ZERO, |reset_at| reset_at.since(now));
        let allowed = self.config.rate() - self.config.floor(lane, self.config.rate());
        let (span, share) = match self.credits(now, lane) {
            Some(credits) if !left.is_zero() => (left, credits.max(1)),
            _ => (WINDOW, i64::from(allowed.max(1))),
        };
        let interval = span.div_f64(share as f64);
        let until = self.state.last_background.plus(interval);
        (now < until).then_some((until, Why::Spread))
    }

    /// Returns how many requests `lane` may still send; nothing when the API does not tell.
    pub(super) fn credits(&self, now: Millis, lane: Lane) -> Option<i64> {
        let left = i64::from(self.left(now)?) - i64::from(self.state.in_flight());
        let window = self.state.others.window(self.config.limit());
        let floor = self.config.floor(lane, window);
        Some(left - i64::from(self.kept_back(lane)) - i64::from(floor))
    }

    /// Returns what the API has left: what it said, and what came back since.
    pub(super) fn left(&self, now: Millis) -> Option<u32> {
        let seen = self.state.observation.as_ref()?;
        let remaining = seen.remaining?;
        let per_second = self.state.refill.per_second().unwrap_or(0.0);
        let refilled = (now.since(seen.at).as_secs_f64() * per_second) as u32;
        let most = self.state.others.largest(self.config.limit()).max(remaining);
        Some(remaining.saturating_add(refilled).min(most))
    }

    /// Returns what is kept back for what other clients are expected to use yet, and for surprise.
    fn kept_back(&self, lane: Lane) -> u32 {
        if lane == Lane::Urgent {
            return 1;
        }
        let others = &self.state.others;
        let window = others.largest(self.config.limit()).min(self.config.limit());
        let most = window / SHARE_OF_OTHERS;
        if !others.is_known() {
            return percent(window, 3).max(1);
        }
        let expected = others.expected(window).min(most);
        let surprise = percent(window, 2).max((2.5 * f64::from(expected).sqrt()) as u32).max(1);
        (expected.saturating_sub(others.used) + surprise).min(most)
    }

    /// Returns the limit we go by: the configured one, less what refusals have taught us.
    pub(super) fn believed(&self) -> u32 {
        self.config.limit().saturating_sub(self.state.withheld).max(1)
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
