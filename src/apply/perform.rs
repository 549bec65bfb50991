//! One change, step by step, from its first request to its record.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::api::{Deletion, EnvPatch, Error, Lookup, Patch, WriteError};
use crate::model::{
    Entry, EnvKey, FieldPath, FieldValue, Key, Kind, Live, LiveObject, LiveValue, RemoteId,
};
use crate::plan::{Action, Change, Outcome, Precondition, Record, Step};
use crate::store::Event;

use super::outcome::{
    failed, failed_here, lost, not_recorded, not_sent, out_of_time, stale, unread, unresolved,
};
use super::sweep::Sweep;
use super::{Hands, Happening, Patience};

/// How long we wait for a deploy that stands in the way of a PATCH (409).
const BUSY_MAX: Duration = Duration::from_secs(600);

/// The time between two tries while a deploy is in progress.
const BUSY_PAUSE: Duration = Duration::from_secs(10);

/// How long we wait for a deleted object to be gone before its successor is created.
const GOING_MAX: Duration = Duration::from_secs(300);

/// The time between two looks at an object that is going.
const GOING_PAUSE: Duration = Duration::from_secs(3);

impl Hands<'_> {
    /// Performs one change and returns what became of it.
    pub(super) async fn perform(&self, change: &Change, live: &Live, sweep: &Sweep) -> Outcome {
        let done = self.try_perform(change, live, sweep).await;
        done.err().unwrap_or(Outcome::Applied)
    }

    async fn try_perform(
        &self,
        change: &Change,
        live: &Live,
        sweep: &Sweep,
    ) -> Result<(), Outcome> {
        let is_remembered_by_a_step = change.steps.iter().any(|step| match step {
            Step::Create { .. } | Step::Patch { .. } | Step::Delete { .. } => true,
            Step::Deploy { .. } => false,
        });
        if !is_remembered_by_a_step {
            self.remember_without_writing(change, sweep)?;
        }
        for step in &change.steps {
            match step {
                Step::Create { fields } => {
                    // A replacement's name is taken until a moment ago, by what we deleted.
                    let forbidden = sweep.doubts_absence(&change.key);
                    if let Some(doubt) = forbidden.filter(|_| change.action != Action::Replace) {
                        return Err(doubt);
                    }
                    let links = self.links(live, fields.iter());
                    self.create(change, fields, &links).await?;
                }
                Step::Patch { id, fields, precondition } => {
                    self.patch(change, id, fields, precondition, live).await?;
                }
                Step::Deploy { id } => self.deploy(change, id).await?,
                Step::Delete { id, precondition } => {
                    if let Some(doubt) = sweep.forbids_delete(change.key.kind) {
                        return Err(doubt);
                    }
                    self.delete(change, id, precondition).await?;
                }
            }
        }
        Ok(())
    }

    /// Adoptions and what is to be forgotten: only the inventory changes.
    fn remember_without_writing(&self, change: &Change, sweep: &Sweep) -> Result<(), Outcome> {
        let doubt = sweep.doubts_absence(&change.key);
        if let Some(doubt) = doubt.filter(|_| change.forgets_what_a_list_lacks()) {
            return Err(doubt);
        }
        match (&change.record, &change.id) {
            (Some(record), Some(id)) => {
                let entry = record.clone().into_entry(id.clone(), None);
                self.record(&change.key, record, entry)
            }
            // An entry that is gone, or the intent of a create that is known not to have happened.
            (None, _) => {
                let key = change.key.clone();
                let gone = [Event::Forgotten { key: key.clone() }, Event::Abandoned { key }];
                self.store().commit_all(&gone).map_err(not_recorded)
            }
            (Some(_), None) => Ok(()),
        }
    }

    async fn patch(
        &self,
        change: &Change,
        id: &RemoteId,
        fields: &BTreeMap<FieldPath, Option<FieldValue>>,
        precondition: &Precondition,
        live: &Live,
    ) -> Result<(), Outcome> {
        let patience = self.later(BUSY_MAX);
        loop {
            let object = match self.reader.get(change.key.kind, id).await {
                Ok(Lookup::Found(object)) => object,
                Ok(Lookup::Gone) => return Err(stale("it is gone".to_owned())),
                Err(error) => return Err(unread(&error)),
            };
            if let Some(reason) = precondition.broken_by(&object) {
                return Err(stale(reason));
            }
            let fields = &precondition.left_of(fields, &object);
            if fields.is_empty() {
                return self.patched(change, id, Some(&object));
            }
            let env_whole = self.env_whole(change, fields, &object)?;
            let written = fields.iter().filter_map(|(path, value)| Some((path, value.as_ref()?)));
            // Where the whole list is sent, also what did not change refers to something.
            let whole =
                env_whole.iter().flatten().map(|(key, value)| (FieldPath::Env(key.clone()), value));
            let whole: Vec<(FieldPath, &FieldValue)> = whole.collect();
            let whole = whole.iter().map(|(path, value)| (path, *value));
            let links = self.links(live, written.chain(whole));
            let patch = Patch { changes: fields, env_whole: env_whole.as_ref(), links: &links };
            let is_newly_owed = self.owe_deploy(change, id)?;
            let error = match self.writer.patch(id, patch).await {
                Ok(answer) => return self.patched(change, id, answer.as_ref()),
                Err(error) => error,
            };
            if is_newly_owed && !may_have_happened(&error) {
                self.store().pay_deploy(id).map_err(not_recorded)?;
            }
            match error {
                WriteError::Busy(busy) if self.may_wait(patience) => {
                    self.wait_busy(change, &busy).await?;
                }
                error => return Err(failed(&error)),
            }
        }
    }

    /// Writes down, before a PATCH leaves, that it takes effect only with the deploy after it (A6):
    /// nothing on the platform tells a run that finds it written whether it was deployed. Returns
    /// whether no earlier change was owed one.
    fn owe_deploy(&self, change: &Change, id: &RemoteId) -> Result<bool, Outcome> {
        let needs_deploy = change.steps.contains(&Step::Deploy { id: id.clone() });
        if needs_deploy { self.store().owe_deploy(id).map_err(not_sent) } else { Ok(false) }
    }

    fn patched(
        &self,
        change: &Change,
        id: &RemoteId,
        answer: Option<&LiveObject>,
    ) -> Result<(), Outcome> {
        match (&change.record, change.entry_of_patched(id, answer)) {
            (Some(record), Some(entry)) => self.record(&change.key, record, entry),
            (_, None) | (None, Some(_)) => Ok(()),
        }
    }

    /// Deploys where a PATCH takes effect only so (A6). The PATCH is recorded by then, and until
    /// a deploy is accepted it stays on record as owed.
    async fn deploy(&self, change: &Change, id: &RemoteId) -> Result<(), Outcome> {
        // The PATCH before it may have found nothing left to write.
        if !self.store().inventory().deploys_owed.contains(id) {
            return Ok(());
        }
        let patience = self.later(BUSY_MAX);
        loop {
            match self.writer.deploy(id, None, false).await {
                Ok(_) => return self.store().pay_deploy(id).map_err(not_recorded),
                Err(WriteError::Busy(busy)) if self.may_wait(patience) => {
                    self.wait_busy(change, &busy).await?;
                }
                Err(WriteError::Ambiguous(error)) => return Err(lost(&error)),
                Err(error) => return Err(failed(&error)),
            }
        }
    }

    /// Returns every variable the service is to have, where the API replaces the whole list (A5).
    ///
    /// A value that the platform hides and we do not know would be lost: then nothing is written.
    fn env_whole(
        &self,
        change: &Change,
        written: &BTreeMap<FieldPath, Option<FieldValue>>,
        object: &LiveObject,
    ) -> Result<Option<BTreeMap<EnvKey, FieldValue>>, Outcome> {
        let writes_env = written.keys().any(|path| path.env_key().is_some());
        if !writes_env || self.reader.client().dialect().env_patch == EnvPatch::Merge {
            return Ok(None);
        }
        let not_ours = change.record.as_ref().is_none_or(|record| {
            !record.env_managed
                || !record.tolerated_env.is_empty()
                || !record.set_by_hand.is_empty()
        });
        if !object.shows_env && not_ours {
            return Err(failed_here(format!(
                "failed to update {}: this API replaces all variables at once and does not show \
                 them, and some are not ours to remove",
                change.key
            )));
        }
        let known = change.record.iter().flat_map(|record| &record.applied);
        let mut whole: BTreeMap<EnvKey, FieldValue> = known
            .filter_map(|(path, value)| Some((path.env_key()?.clone(), value.clone())))
            .collect();
        for (path, shown) in &object.fields {
            let Some(key) = path.env_key() else { continue };
            if written.contains_key(path) || whole.contains_key(key) {
                continue;
            }
            match shown {
                LiveValue::Shown(value) => drop(whole.insert(key.clone(), value.clone())),
                LiveValue::Absent => {}
                LiveValue::Hidden => {
                    return Err(failed_here(format!(
                        "failed to update {}: this API replaces all variables at once, and the \
                         value of {path} is neither shown nor declared",
                        change.key
                    )));
                }
            }
        }
        Ok(Some(whole))
    }

    async fn delete(
        &self,
        change: &Change,
        id: &RemoteId,
        precondition: &Precondition,
    ) -> Result<(), Outcome> {
        let kind = change.key.kind;
        match self.reader.get(kind, id).await {
            Ok(Lookup::Found(object)) => {
                if let Some(reason) = precondition.broken_by(&object) {
                    return Err(stale(reason));
                }
                match self.writer.delete(kind, id).await.map_err(|error| failed(&error))? {
                    Deletion::Done | Deletion::Underway => {}
                    Deletion::WasGone => self.prove_gone(kind, id).await?,
                }
            }
            Ok(Lookup::Gone) => self.prove_gone(kind, id).await?,
            Err(error) => return Err(unread(&error)),
        }
        self.store().forget(change.key.clone()).map_err(not_recorded)?;
        match change.action {
            Action::Replace => self.until_gone(kind, id).await,
            Action::Create
            | Action::Update
            | Action::Adopt
            | Action::Forget
            | Action::Delete
            | Action::None => Ok(()),
        }
    }

    /// Refuses to forget what the list still shows: it was there a moment ago, and one 404 must
    /// not make an orphan of it (L4).
    async fn prove_gone(&self, kind: Kind, id: &RemoteId) -> Result<(), Outcome> {
        let listing = self.reader.list(kind).await.map_err(|error| unread(&error))?;
        if listing.proves_gone(id) {
            return Ok(());
        }
        Err(unresolved(format!(
            "the API says that {kind} {id} is not there, and its list does not"
        )))
    }

    /// Waits until a deleted object is gone, so that its successor can have its name.
    async fn until_gone(&self, kind: Kind, id: &RemoteId) -> Result<(), Outcome> {
        let patience = self.later(GOING_MAX);
        loop {
            match self.reader.get(kind, id).await {
                Ok(Lookup::Gone) => return Ok(()),
                Ok(Lookup::Found(_)) if self.may_wait(patience) => {
                    if !self.reader.client().wait_until(self.later(GOING_PAUSE)).await {
                        let reason = format!("{kind} {id} was deleted and is still there");
                        return Err(out_of_time(reason));
                    }
                }
                Ok(Lookup::Found(_)) => {
                    return Err(failed_here(format!(
                        "{kind} {id} was deleted and is still there; the next run creates its \
                         successor"
                    )));
                }
                Err(error) => return Err(unread(&error)),
            }
        }
    }

    /// Records an entry; a renamed one leaves its old key in the same event.
    pub(super) fn record(&self, key: &Key, record: &Record, entry: Entry) -> Result<(), Outcome> {
        let key = key.clone();
        let recorded = match record.renamed_from.clone() {
            Some(from) => self.store().rename(from, key, entry),
            None => self.store().record(key, entry),
        };
        recorded.map_err(not_recorded)
    }

    /// Waits for a deploy that is in progress, unless there will be no time left after it.
    async fn wait_busy(&self, change: &Change, busy: &Error) -> Result<(), Outcome> {
        (self.observe)(Happening::Busy(&change.key));
        let is_in_time = self.reader.client().wait_until(self.later(BUSY_PAUSE)).await;
        if is_in_time { Ok(()) } else { Err(out_of_time(busy)) }
    }

    /// Whether there is time to wait, and nobody asks us to end.
    fn may_wait(&self, patience: Timestamp) -> bool {
        let is_patient = match self.patience {
            Patience::Wait => true,
            Patience::Leave => false,
        };
        is_patient && self.clock.now() < patience && !*self.stop.borrow()
    }

    fn later(&self, span: Duration) -> Timestamp {
        self.clock.now().checked_add(span).unwrap_or(Timestamp::MAX)
    }
}

/// Whether a write that failed may have been carried out all the same.
const fn may_have_happened(error: &WriteError) -> bool {
    match error {
        WriteError::Ambiguous(_) => true,
        WriteError::Busy(_)
        | WriteError::Refused(_)
        | WriteError::NotApplied(_)
        | WriteError::OverBudget(_) => false,
    }
}
