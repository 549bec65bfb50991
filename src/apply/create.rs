//! Creating: the intent on disk before the POST leaves, and never a second POST on a guess (S3).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::api::{Links, WriteError};
use crate::model::{Claim, FieldPath, FieldValue, Intent, LiveObject};
use crate::plan::{Change, CreateAnswer, Outcome};

use super::outcome::{failed, lost, not_recorded, not_sent, still_open};
use super::resolve::Resolved;
use super::{Hands, Happening, Patience};

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
        links: &Links,
    ) -> Result<(), Outcome> {
        let key = &change.key;
        let mut attempt = 1;
        loop {
            let begun = Mutex::new(None);
            // Not before: a POST may wait for minutes until the budget lets it leave, and from the
            // time in the intent on the settle time counts.
            let leaving = || {
                let intent = change.intent(attempt, self.clock.now());
                let outcome = self.store().begin_intent(key.clone(), intent.clone());
                let refused = outcome.as_ref().err().map(ToString::to_string);
                *begun.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some(outcome.map(|()| intent));
                refused.map_or(Ok(()), Err)
            };
            let answer = self.writer.create(key.kind, &key.name, fields, links, &leaving).await;
            let error = match answer {
                Ok(object) => return self.created(change, fields, &object, Claim::Created),
                Err(error) => error,
            };
            let intent = match begun.into_inner().unwrap_or_else(PoisonError::into_inner) {
                Some(Ok(intent)) => intent,
                Some(Err(refused)) => return Err(not_sent(refused)),
                // It was never given leave; of an earlier try it is proven that it did not happen.
                None => return self.did_not_happen(change, &error),
            };
            match self.after(change, fields, error, &intent).await {
                Unanswered::SendAgain => attempt += 1,
                Unanswered::Ended(outcome) => return outcome,
            }
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
        if !answer(&error).must_be_looked_for(intent.attempt) {
            return Unanswered::Ended(self.did_not_happen(change, &error));
        }
        if self.patience == Patience::Leave {
            // The intent stays: until it has settled nothing is created under the name (S3).
            return Unanswered::Ended(Err(lost(error.error())));
        }
        (self.observe)(Happening::Resolving(key, self.settle));
        match self.resolve(key, intent).await {
            Resolved::Appeared(object) => {
                Unanswered::Ended(self.created(change, fields, &object, Claim::Presumed))
            }
            Resolved::SendAgain => Unanswered::SendAgain,
            Resolved::GaveUp => Unanswered::Ended(self.did_not_happen(change, &error)),
            Resolved::Unknown(cause, reason) => {
                Unanswered::Ended(Err(still_open(cause, format!("{error}; {reason}"))))
            }
        }
    }

    fn did_not_happen(&self, change: &Change, error: &WriteError) -> Result<(), Outcome> {
        self.store().abandon_intent(change.key.clone()).map_err(not_recorded)?;
        Err(failed(error))
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
