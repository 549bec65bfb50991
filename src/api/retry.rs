//! Whether and when a failed request is sent again.
//!
//! The waits are the budget's arithmetic; here is only the judgement. It deliberately sends
//! nothing: each try asks the budget for leave like any other request.

use std::time::Duration;

use jiff::Timestamp;

use super::error::{ApiError, Cause};
use super::transport::Reach;
use crate::budget::Millis;
use crate::budget::backoff::Retries;

/// How often one request is tried when there is no good answer.
///
/// With waits of 1, 2 and 4 s it outlasts a restart on the other side; what takes longer is
/// better served by the next pass, which knows the rest of the world again.
const TRIES_MAX: u32 = 4;

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
pub(super) struct Tries {
    waits: Retries,
    failures: u32,
    refusals: u32,
}

impl Tries {
    pub(super) fn new(seed: u64, now: Timestamp, deadline: Option<Timestamp>) -> Self {
        let latest = now.checked_add(TRY_TIME_MAX).unwrap_or(Timestamp::MAX);
        let deadline = deadline.map_or(latest, |deadline| deadline.min(latest));
        let deadline = Millis(u64::try_from(deadline.as_millisecond()).unwrap_or(0));
        Self { waits: Retries::new(seed, deadline), failures: 0, refusals: 0 }
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
                self.refusals += 1;
                // The budget knows when; asking it at once is asking it to wait.
                if self.refusals < REFUSALS_MAX { Next::Again(now) } else { Next::GiveUp }
            }
            Hope::AfterMisfortune | Hope::AfterNothing => {
                let is_silence = matches!(cause, Cause::TimedOut(_));
                self.failures += if is_silence { TRIES_OF_SILENCE } else { 1 };
                if self.failures >= TRIES_MAX {
                    return Next::GiveUp;
                }
                let told = told.map(|told| told.min(TOLD_MAX));
                self.waits.next(now, told).map_or(Next::GiveUp, Next::Again)
            }
        }
    }
}

/// Whether another try can be better.
enum Hope {
    /// The same request will have the same answer, or none may be sent.
    None,
    /// 429: it was not carried out, and the budget says when it may leave again.
    AfterRefusal,
    /// It never left, so nothing happened.
    AfterNothing,
    /// It may have happened: only what is the same twice may be sent again.
    AfterMisfortune,
}

fn hope(cause: &Cause) -> Hope {
    match cause {
        Cause::Api(ApiError { status: 429, .. })
        | Cause::WrongGeneration(ApiError { status: 429, .. }) => Hope::AfterRefusal,
        Cause::Api(ApiError { status: 408 | 425 | 500.., .. }) => Hope::AfterMisfortune,
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
