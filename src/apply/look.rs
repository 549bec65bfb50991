//! What comes before each write: leave for both, a look, and whether anybody still wants it
//! (S1, S10).

use jiff::Timestamp;

use crate::api::{Leave, Lookup, ROUNDS_MAX, Rounds, WriteError};
use crate::model::{Kind, RemoteId};
use crate::plan::{FailureCause, Outcome};

use super::Hands;
use super::outcome::{failed, unread, unresolved};

impl Hands<'_> {
    /// Looks at an object, as often as looks are tried, and returns what it saw with leave for the
    /// write that rests on it. While it waits it hears that the pass is no longer wanted.
    pub(super) async fn look(
        &self,
        kind: Kind,
        id: &RemoteId,
        rounds: &mut Rounds,
    ) -> Result<(Lookup, Leave), Outcome> {
        let stopped = stopped(rounds);
        loop {
            let pair = self.unless_stopped(self.writer.pair()).await.map_err(&stopped)?;
            let error = match pair.map_err(|error| unread(&error))?.look(kind, id).await {
                // The look may have taken its time.
                Ok(_) if self.is_stopped() => return Err(stopped(Outcome::NotStarted)),
                Ok(seen) => return Ok(seen),
                Err(error) => error,
            };
            match rounds.after_look(&error) {
                Some(at) => self.pause(at).await.map_err(&stopped)?,
                None => return Err(unread(&error)),
            }
        }
    }

    /// After a write that failed: returns when it is time to look again, or with what became of the
    /// change when it is no use. `is_same_twice` is whether doing it twice is doing it once.
    pub(super) async fn again(
        &self,
        rounds: &mut Rounds,
        error: &WriteError,
        is_same_twice: bool,
    ) -> Result<(), Outcome> {
        match rounds.after_write(error.error(), is_same_twice) {
            Some(at) => self.pause(at).await.map_err(stopped(rounds)),
            None if rounds.is_over() => Err(crowded_out(error)),
            None => Err(failed(error)),
        }
    }

    /// Waits for something that may take its time; ends early when nobody wants the pass any more.
    pub(super) async fn unless_stopped<T>(
        &self,
        waiting: impl Future<Output = T>,
    ) -> Result<T, Outcome> {
        let mut stop = self.execution.stop.clone();
        tokio::select! {
            biased;
            () = super::stopped(&mut stop) => Err(Outcome::NotStarted),
            done = waiting => Ok(done),
        }
    }

    /// Whether nobody wants the pass any more.
    pub(super) fn is_stopped(&self) -> bool {
        *self.execution.stop.borrow()
    }

    async fn pause(&self, until: Timestamp) -> Result<(), Outcome> {
        self.unless_stopped(self.clock.sleep_until(until)).await
    }
}

/// What is said of a change that was stopped: after a lost try nobody can say that it was not begun.
fn stopped(rounds: &Rounds) -> impl Fn(Outcome) -> Outcome + use<> {
    let is_begun = rounds.may_have_happened();
    move |outcome| if is_begun { halfway(outcome) } else { outcome }
}

/// Of what is begun, nobody can say that it was not.
pub(super) fn halfway(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::NotStarted => {
            unresolved("it was stopped halfway; the next run continues".to_owned())
        }
        outcome => outcome,
    }
}

/// A write that could not leave right after its look, or was refused then, too often.
fn crowded_out(error: &WriteError) -> Outcome {
    let outcome = failed(error);
    let is_crowded = matches!(error, WriteError::NotApplied(_));
    match outcome {
        Outcome::Failed { cause: FailureCause::Other, message, request_id } if is_crowded => {
            let message = format!(
                "{message}; it was given up after {ROUNDS_MAX} attempts, since each write must \
                 directly follow its read"
            );
            Outcome::Failed { cause: FailureCause::Other, message, request_id }
        }
        outcome => outcome,
    }
}
