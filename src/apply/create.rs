//! Creating: the intent on disk before the POST leaves, and never a second POST on a guess (S3).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::api::{Create, WriteError};
use crate::model::{Claim, FieldPath, FieldValue, Intent, Live, LiveObject};
use crate::plan::{Change, CreateAnswer, Outcome};

use super::outcome::{failed, lost, not_recorded, not_sent, still_open, unread};
use super::resolve::LostCreate;
use super::sweep::{self, Sweep};
use super::{Hands, Happening, Patience};

/// The longest between the time in an intent and its create: others count from that time how long the
/// create may be under way, and a state that many machines reach may take seconds to answer.
const APPEND_TIME_MAX: jiff::SignedDuration = jiff::SignedDuration::from_secs(5);

/// What became of one try that made nothing we know of.
enum Untried {
    /// It was not sent.
    NotSent(Outcome),
    /// It was sent, or was about to be: then the intent is on disk.
    NoAnswer(WriteError, Option<Intent>),
}

/// What follows on a create that was sent and has no good answer.
enum Unanswered {
    /// It is known not to have happened; it is sent again.
    SendAgain,
    /// It ended, one way or the other.
    Ended(Result<(), Outcome>),
}

impl Hands<'_> {
    /// Creates an object, again when an earlier try is proven not to have happened.
    pub(super) async fn create(
        &self,
        change: &Change,
        fields: &BTreeMap<FieldPath, FieldValue>,
        live: &Live,
        sweep: &Sweep,
    ) -> Result<(), Outcome> {
        let key = &change.key;
        let links = &self.links(live, fields.iter());
        let answers = self.writer.resolve(&format!("create {key}"), fields.values(), links).await;
        let answers = &answers.map_err(|error| failed(&error))?;
        let create = Create { kind: key.kind, name: &key.name, fields, links, answers };
        let mut rounds = self.writer.rounds();
        let mut attempt = 1;
        loop {
            let (error, intent) = match self.try_create(change, create, sweep, attempt).await {
                Ok(object) => return self.created(change, fields, &object, Claim::Created),
                Err(Untried::NoAnswer(error, intent)) => (error, intent),
                Err(Untried::NotSent(outcome)) => {
                    // Of an earlier try it is proven that it did not happen.
                    if attempt > 1 {
                        self.abandon(change)?;
                    }
                    return Err(outcome);
                }
            };
            let open = intent.filter(|_| answer(&error).must_be_looked_for(attempt));
            let Some(intent) = open else {
                self.abandon(change)?;
                self.again(&mut rounds, &error, false).await?;
                continue;
            };
            match self.after(change, fields, error, &intent).await {
                Unanswered::SendAgain => attempt += 1,
                Unanswered::Ended(outcome) => return outcome,
            }
        }
    }

    /// Sends a create once, if the name is still free and somebody still wants it.
    async fn try_create(
        &self,
        change: &Change,
        create: Create<'_>,
        sweep: &Sweep,
        attempt: u32,
    ) -> Result<LiveObject, Untried> {
        // Its place in the budget first: who asks for that after the list may wait for a minute.
        let place = self.unless_stopped(self.writer.reserve()).await.map_err(Untried::NotSent)?;
        let place = place.map_err(|error| Untried::NotSent(unread(&error)))?;
        let list = sweep.young(change.key.kind, self.reader, self.clock).await;
        let list = list.map_err(Untried::NotSent)?;
        if let Some(doubt) = list.doubt(change, self.store().inventory()) {
            return Err(Untried::NotSent(doubt));
        }
        if self.is_stopped() {
            return Err(Untried::NotSent(Outcome::NotStarted));
        }
        let bystanders = list.bystanders(change.key.kind, self.store().inventory());
        let begun = Mutex::new(None);
        // From the time in the intent on the settle time counts, so it is the last thing before.
        let leaving = || {
            let intent = change.intent(attempt, self.clock.now(), &bystanders);
            let outcome = self.store().begin_intent(change.key.clone(), intent.clone());
            let slow = self.clock.now().duration_since(intent.started_at) > APPEND_TIME_MAX;
            let refused = outcome.as_ref().err().map(ToString::to_string);
            let refused =
                refused.or_else(|| slow.then(|| "writing it down took too long".to_owned()));
            *begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome.map(|()| intent));
            refused.map_or(Ok(()), Err)
        };
        let leave = place.resting_on(list.seen_at(), sweep::LIST_AGE_MAX);
        let error = match self.writer.create(leave, create, &leaving).await {
            Ok(object) => {
                list.made(&object);
                return Ok(object);
            }
            Err(error) => error,
        };
        match begun.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(Err(refused)) => Err(Untried::NotSent(not_sent(refused))),
            Some(Ok(intent)) => Err(Untried::NoAnswer(error, Some(intent))),
            None => Err(Untried::NoAnswer(error, None)),
        }
    }

    /// Finds out what became of a create that has no good answer.
    async fn after(
        &self,
        change: &Change,
        fields: &BTreeMap<FieldPath, FieldValue>,
        error: WriteError,
        intent: &Intent,
    ) -> Unanswered {
        let key = &change.key;
        if self.execution.patience == Patience::Leave {
            // The intent stays: until it has settled nothing is created under the name (S3).
            return Unanswered::Ended(Err(lost(error.error())));
        }
        (self.execution.observe)(Happening::Resolving(key, self.settle));
        match self.resolve(key, intent).await {
            LostCreate::Appeared(object) => {
                Unanswered::Ended(self.created(change, fields, &object, Claim::Presumed))
            }
            LostCreate::SendAgain => Unanswered::SendAgain,
            LostCreate::GaveUp => Unanswered::Ended(self.abandon(change).and(Err(failed(&error)))),
            LostCreate::Unknown(cause, reason) => {
                Unanswered::Ended(Err(still_open(cause, format!("{error}; {reason}"))))
            }
        }
    }

    /// Forgets the intent of a create that is proven not to have happened.
    fn abandon(&self, change: &Change) -> Result<(), Outcome> {
        self.store().abandon_intent(change.key.clone()).map_err(not_recorded)
    }

    /// Records what a create made.
    fn created(
        &self,
        change: &Change,
        fields: &BTreeMap<FieldPath, FieldValue>,
        object: &LiveObject,
        claim: Claim,
    ) -> Result<(), Outcome> {
        let entry = change.entry_of_created(fields, object, claim, self.clock.now());
        match (&change.record, entry) {
            (Some(record), Some(entry)) => self.record(&change.key, record, entry),
            (_, None) | (None, Some(_)) => Ok(()),
        }
    }
}

/// What came in place of a good answer.
fn answer(error: &WriteError) -> CreateAnswer {
    match error {
        WriteError::Ambiguous(_) => CreateAnswer::Lost,
        WriteError::Refused(error) if error.api().is_some_and(|api| api.status == 409) => {
            CreateAnswer::NameTaken
        }
        WriteError::Refused(_)
        | WriteError::Busy(_)
        | WriteError::NotApplied(_)
        | WriteError::OverBudget(_) => CreateAnswer::DidNotHappen,
    }
}
