//! Whether and when a failed request is sent again.
//!
//! The waits are the budget's arithmetic; here is only the judgement. It deliberately sends
//! nothing: each try asks the budget for leave like any other request.

use std::time::Duration;

use jiff::Timestamp;

use super::client::Client;
use super::error::{ApiError, Cause, Error};
use super::transport::Reach;
use crate::budget::Millis;
use crate::budget::backoff::Retries;

/// How often one request is tried when there is no good answer.
///
/// What takes longer than waits of 1, 2 and 4 s is better served by the next pass, which knows the
/// rest of the world again.
const TRIES_MAX: u32 = 4;

/// How long a request is tried that never left: longer than the other side needs to start again.
/// Nothing happened and no budget is spent, so only time counts.
const ABSENCE_MAX: Duration = Duration::from_secs(15);

/// The shortest and the longest pause between such tries.
const ABSENCE_PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(2));

/// How many tries one counts for whose answer did not come in time.
///
/// What was silent for as long as a request may take is asked once more and not three times: a
/// silent read ends within three quarters of a minute, one that drips within little more than one.
const TRIES_OF_SILENCE: u32 = 2;

/// How often one request is refused for too many requests before it gives up.
///
/// The budget freezes longer after each, up to two minutes, so these span a quarter of an hour.
const REFUSALS_MAX: u32 = 10;

/// The longest a server's Retry-After is obeyed by one request.
const TOLD_MAX: Duration = Duration::from_secs(120);

/// How often a write leaves, or should have, each time after a look of its own (S10).
///
/// Where the API or another client lets a look through and then refuses the write, more of the same
/// only spends requests; a later pass finds another minute.
pub const ROUNDS_MAX: u32 = 3;

/// How long one request is tried at most, when the run has no deadline.
const TRY_TIME_MAX: Duration = Duration::from_secs(30 * 60);

/// What to do after a failed try.
pub(super) enum Next {
    /// Try again then.
    Again(Millis),
    /// Report the failure.
    GiveUp,
}

/// The tries of one request.
#[derive(Debug)]
pub(super) struct Tries {
    waits: Retries,
    failures: u32,
    refusals: u32,
    absence: Absence,
}

/// The time in which nobody is there to take a request.
#[derive(Debug)]
struct Absence {
    pauses: Retries,
    since: Option<Millis>,
    deadline: Millis,
}

impl Tries {
    pub(super) fn new(seed: u64, now: Timestamp, deadline: Option<Timestamp>) -> Self {
        let latest = now.checked_add(TRY_TIME_MAX).unwrap_or(Timestamp::MAX);
        let deadline = deadline.map_or(latest, |deadline| deadline.min(latest));
        let deadline = Millis::from(deadline);
        // The pauses have ends of their own, so that they need not end with the doubling.
        let pauses = Retries::new(seed, Millis(u64::MAX));
        let absence = Absence { pauses, since: None, deadline };
        Self { waits: Retries::new(seed, deadline), failures: 0, refusals: 0, absence }
    }

    /// Decides after a failure; `may_repeat` is whether what may have happened may be sent again,
    /// `told` how long the server asked to be left alone.
    pub(super) fn after(
        &mut self,
        cause: &Cause,
        may_repeat: bool,
        now: Millis,
        told: Option<Duration>,
    ) -> Next {
        match hope(cause) {
            Hope::None => Next::GiveUp,
            Hope::AfterMisfortune if !may_repeat => Next::GiveUp,
            Hope::AfterRefusal => {
                self.absence.end();
                self.refusals += 1;
                // The budget knows when; asking it at once is asking it to wait.
                if self.refusals < REFUSALS_MAX { Next::Again(now) } else { Next::GiveUp }
            }
            Hope::AfterNothing => self.absence.next(now).map_or(Next::GiveUp, Next::Again),
            Hope::AfterMisfortune => self.after_misfortune(cause, now, told),
        }
    }

    fn after_misfortune(&mut self, cause: &Cause, now: Millis, told: Option<Duration>) -> Next {
        self.absence.end();
        let is_silence = matches!(cause, Cause::TimedOut(_));
        self.failures += if is_silence { TRIES_OF_SILENCE } else { 1 };
        if self.failures >= TRIES_MAX {
            return Next::GiveUp;
        }
        let told = told.map(|told| told.min(TOLD_MAX));
        self.waits.next(now, told).map_or(Next::GiveUp, Next::Again)
    }
}

impl Absence {
    /// Returns when to see again whether somebody is there; nothing when it has been long enough.
    fn next(&mut self, now: Millis) -> Option<Millis> {
        let since = *self.since.get_or_insert(now);
        let (shortest, longest) = ABSENCE_PAUSES;
        let pause = self.pauses.next(now, None)?.since(now).clamp(shortest, longest);
        let at = now.plus(pause);
        (at.since(since) <= ABSENCE_MAX && at <= self.deadline).then_some(at)
    }

    /// Somebody was there: when nobody is again, that is another absence.
    fn end(&mut self) {
        self.since = None;
        self.pauses.succeeded();
    }
}

/// The rounds of one write: each is a look and the write that rests on it.
#[derive(Debug)]
pub struct Rounds {
    client: Client,
    tries: Tries,
    writes: u32,
    may_have_happened: bool,
}

impl Rounds {
    pub(super) const fn new(client: Client, tries: Tries) -> Self {
        Self { client, tries, writes: 0, may_have_happened: false }
    }

    /// Returns when to look again after a look that failed; nothing when it is no use.
    pub fn after_look(&mut self, error: &Error) -> Option<Timestamp> {
        let may_repeat = self.client.trusts_retries();
        self.next(error, may_repeat)
    }

    /// Returns when to look again after a write that failed; nothing when it is no use, or was
    /// tried often enough. `is_same_twice` is whether doing it twice is doing it once.
    pub fn after_write(&mut self, error: &Error, is_same_twice: bool) -> Option<Timestamp> {
        // What found nobody there took no part in a crowd.
        self.writes += u32::from(!matches!(hope(error.cause()), Hope::AfterNothing));
        self.may_have_happened |= error.may_have_happened();
        if self.is_over() {
            return None;
        }
        let may_repeat = is_same_twice && self.client.trusts_retries();
        if may_repeat && tells_nothing_of_a_write(error.cause()) {
            let now = self.client.millis();
            return at(self.tries.after_misfortune(error.cause(), now, error.wait_told()));
        }
        self.next(error, may_repeat)
    }

    /// Whether a write of an earlier round may have been carried out.
    #[must_use]
    pub const fn may_have_happened(&self) -> bool {
        self.may_have_happened
    }

    /// Whether the write was tried as often as it may be.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.writes >= ROUNDS_MAX
    }

    fn next(&mut self, error: &Error, may_repeat: bool) -> Option<Timestamp> {
        let now = self.client.millis();
        at(self.tries.after(error.cause(), may_repeat, now, error.wait_told()))
    }
}

fn at(next: Next) -> Option<Timestamp> {
    match next {
        Next::Again(at) => Some(Timestamp::from(at)),
        Next::GiveUp => None,
    }
}

/// Whether a write may have been carried out though something else than the API answered: a page
/// with a good status, a redirect. A read is not asked again for it; a look tells what became of a
/// write.
fn tells_nothing_of_a_write(cause: &Cause) -> bool {
    let is_elsewhere = matches!(cause, Cause::NotTheApi { .. } | Cause::Redirected { .. });
    is_elsewhere && cause.may_have_happened()
}

/// Whether another try can be better.
enum Hope {
    /// The same request will have the same answer, or none may be sent.
    None,
    /// 429, or it was held back: it was not carried out, and the budget says when it may leave again.
    AfterRefusal,
    /// It never left, so nothing happened.
    AfterNothing,
    /// It may have happened: only what is the same twice may be sent again.
    AfterMisfortune,
}

fn hope(cause: &Cause) -> Hope {
    match cause {
        Cause::Api(ApiError { status: 429, .. }) => Hope::AfterRefusal,
        Cause::Api(ApiError { status: 408 | 425 | 500.., .. }) => Hope::AfterMisfortune,
        Cause::Transport(error) if error.is_distrust() => Hope::None,
        Cause::LookTooOld => Hope::AfterRefusal,
        Cause::Transport(error) if error.reach == Reach::NeverLeft => Hope::AfterNothing,
        Cause::Transport(_) | Cause::TimedOut(_) | Cause::Unreadable { .. } => {
            Hope::AfterMisfortune
        }
        Cause::Api(_)
        | Cause::WrongGeneration(_)
        | Cause::NotTheApi { .. }
        | Cause::Redirected { .. }
        | Cause::TooLarge { .. }
        | Cause::OverCalls { .. }
        | Cause::OverDeadline { .. }
        | Cause::CutOff { .. }
        | Cause::Stopped
        | Cause::Ledger(_)
        | Cause::Local(_) => Hope::None,
    }
}
