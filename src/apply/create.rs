//! Creating: the intent on disk before the POST leaves, and never a second POST on a guess (S3).

use std::collections::BTreeMap;

use crate::api::{Links, WriteError};
use crate::model::{Applied, Claim, FieldPath, FieldValue, Intent, LiveObject};
use crate::plan::{Change, Outcome};

use super::outcome::{failed, not_recorded, not_sent, unresolved};
use super::resolve::Resolved;
use super::{Hands, Happening, Patience};

/// How often a create is sent whose answers were lost and that was proven not to have happened.
const CREATES_MAX: u32 = 3;

/// A create that was sent and has no good answer.
enum Unanswered {
    /// It is known not to have happened; it may be sent again.
    DidNotHappen(WriteError),
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
            let intent = intent(change, attempt, self.clock.now());
            let started_at = intent.started_at;
            self.store().begin_intent(key.clone(), intent).map_err(not_sent)?;
            let error = match self.writer.create(key.kind, &key.name, fields, links).await {
                Ok(object) => return self.created(change, fields, &object, Claim::Created),
                Err(error) => error,
            };
            match self.after(change, fields, error, attempt, started_at).await {
                Unanswered::DidNotHappen(_) if attempt < CREATES_MAX => attempt += 1,
                Unanswered::DidNotHappen(error) => {
                    self.store().abandon_intent(key.clone()).map_err(not_recorded)?;
                    return Err(failed(&error));
                }
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
        attempt: u32,
        started_at: jiff::Timestamp,
    ) -> Unanswered {
        let key = &change.key;
        // A name that is taken may have been taken by an earlier try that was carried out late.
        let is_taken = error.error().api().is_some_and(|api| api.status == 409);
        let must_look = match &error {
            WriteError::Ambiguous(_) => true,
            WriteError::Refused(_) => attempt > 1 && is_taken,
            WriteError::Busy(_) | WriteError::NotApplied(_) | WriteError::OverBudget(_) => false,
        };
        if !must_look {
            let abandoned = self.store().abandon_intent(key.clone()).map_err(not_recorded);
            return Unanswered::Ended(abandoned.and(Err(failed(&error))));
        }
        if self.patience == Patience::Leave {
            // The intent stays: until it has settled nothing is created under the name (S3).
            return Unanswered::Ended(Err(unresolved(error.to_string())));
        }
        (self.observe)(Happening::Resolving(key, self.settle));
        match self.resolve(key, started_at).await {
            Resolved::Appeared(object) => {
                Unanswered::Ended(self.created(change, fields, &object, Claim::Presumed))
            }
            Resolved::DidNotHappen => Unanswered::DidNotHappen(error),
            Resolved::Unknown(reason) => {
                Unanswered::Ended(Err(unresolved(format!("{error}; {reason}"))))
            }
        }
    }

    /// Records what a create made: with the answer seen it is ours, else it is presumed to be.
    fn created(
        &self,
        change: &Change,
        fields: &BTreeMap<FieldPath, FieldValue>,
        object: &LiveObject,
        claim: Claim,
    ) -> Result<(), Outcome> {
        let Some(record) = &change.record else {
            return Ok(());
        };
        let mut entry = record.clone().into_entry(object.id.clone(), object.created_at.clone());
        entry.claim = claim;
        entry.made_at = Some(self.clock.now());
        // Variables the platform adds by itself are not ours to remove.
        let added = object.fields.keys().filter(|path| !fields.contains_key(path));
        entry.tolerated_env.extend(added.filter_map(FieldPath::env_key).cloned());
        self.record(&change.key, record, entry)
    }
}

fn intent(change: &Change, attempt: u32, now: jiff::Timestamp) -> Intent {
    let record = change.record.as_ref();
    let applied = record.iter().flat_map(|record| &record.applied);
    Intent {
        started_at: now,
        attempt,
        applied: applied.map(|(path, value)| (path.clone(), Applied::from(value))).collect(),
        remembered: record.map(|record| record.remembered).unwrap_or_default(),
        depends_on: record.map(|record| record.depends_on.clone()).unwrap_or_default(),
    }
}
