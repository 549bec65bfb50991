//! One change, from its first request to its record.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::api::{EnvPatch, Links, Lookup, Patch, WriteError};
use crate::model::{
    Applied, Claim, EnvKey, FieldPath, FieldValue, Intent, Inventory, Key, Kind, Live, LiveObject,
    LiveValue, RemoteId,
};
use crate::plan::{Action, Change, FieldReason, Outcome, Precondition, Record, Step};
use crate::store::{Event, StoreError};

use super::precondition::{Look, look};
use super::resolve::Resolved;
use super::sweep::Sweep;
use super::{Hands, Happening};

/// How often a create is sent whose answers were lost and that was proven not to have happened.
const CREATES_MAX: u32 = 3;

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
        self.try_perform(change, live, sweep)
            .await
            .err()
            .unwrap_or(Outcome::Applied)
    }

    async fn try_perform(
        &self,
        change: &Change,
        live: &Live,
        sweep: &Sweep,
    ) -> Result<(), Outcome> {
        let links = self.links(live);
        for step in &change.steps {
            match step {
                Step::Create { fields } => {
                    if change.action != Action::Replace
                        && let Some(reason) = sweep.forbids_create(&change.key)
                    {
                        return Err(Outcome::Stale { message: reason });
                    }
                    self.create(change, fields, &links).await?;
                }
                Step::Patch {
                    id,
                    fields,
                    precondition,
                } => {
                    self.patch(change, id, fields, precondition, &links).await?;
                }
                Step::Delete { id, precondition } => {
                    if let Some(reason) = sweep.forbids_delete(change.key.kind) {
                        return Err(Outcome::Stale { message: reason });
                    }
                    self.delete(change, id, precondition).await?;
                }
            }
        }
        if change.steps.is_empty() {
            self.remember_without_writing(change)?;
        }
        Ok(())
    }

    /// Adoptions and what is to be forgotten: only the inventory changes.
    fn remember_without_writing(&self, change: &Change) -> Result<(), Outcome> {
        match (&change.record, &change.id) {
            (Some(record), Some(id)) => {
                let entry = record.clone().into_entry(id.clone(), None);
                self.record(&change.key, record, entry)
            }
            // An entry that is gone, or the intent of a create that is known not to have happened.
            (None, _) => {
                let gone = [
                    Event::Forgotten {
                        key: change.key.clone(),
                    },
                    Event::Abandoned {
                        key: change.key.clone(),
                    },
                ];
                self.store().commit_all(&gone).map_err(not_recorded)
            }
            (Some(_), None) => Ok(()),
        }
    }

    /// Creates, with the intent on disk before the POST leaves (S3).
    async fn create(
        &self,
        change: &Change,
        fields: &BTreeMap<FieldPath, FieldValue>,
        links: &Links,
    ) -> Result<(), Outcome> {
        let key = &change.key;
        let mut last = None;
        for attempt in 1..=CREATES_MAX {
            let intent = self.intent(change, attempt);
            let started_at = intent.started_at;
            self.store()
                .begin_intent(key.clone(), intent)
                .map_err(not_sent)?;
            let error = match self.writer.create(key.kind, &key.name, fields, links).await {
                Ok(object) => return self.created(change, fields, &object, Claim::Created),
                Err(error) => error,
            };
            let was_sent_before = attempt > 1;
            match &error {
                WriteError::Ambiguous(_) => {
                    (self.observe)(Happening::Resolving(key, self.settle));
                    match self.resolve(key, started_at).await {
                        Resolved::Appeared(object) => {
                            return self.created(change, fields, &object, Claim::Presumed);
                        }
                        Resolved::DidNotHappen => last = Some(error),
                        Resolved::Unknown(reason) => {
                            let reason = format!("{error}; {reason}");
                            return Err(Outcome::Unresolved { message: reason });
                        }
                    }
                }
                // The name is taken: an earlier try of ours may have been carried out very late.
                WriteError::Refused(refusal)
                    if was_sent_before && refusal.api().is_some_and(|api| api.status == 409) =>
                {
                    return match self.resolve(key, started_at).await {
                        Resolved::Appeared(object) => {
                            self.created(change, fields, &object, Claim::Presumed)
                        }
                        Resolved::DidNotHappen | Resolved::Unknown(_) => Err(failed(&error)),
                    };
                }
                WriteError::Refused(_)
                | WriteError::Busy(_)
                | WriteError::NotApplied(_)
                | WriteError::OverBudget(_) => {
                    self.store()
                        .abandon_intent(key.clone())
                        .map_err(not_recorded)?;
                    return Err(failed(&error));
                }
            }
        }
        self.store()
            .abandon_intent(key.clone())
            .map_err(not_recorded)?;
        Err(last.as_ref().map_or_else(
            || Outcome::Unresolved {
                message: "it was not sent".to_owned(),
            },
            failed,
        ))
    }

    fn intent(&self, change: &Change, attempt: u32) -> Intent {
        let record = change.record.as_ref();
        let applied = record.iter().flat_map(|record| &record.applied);
        Intent {
            started_at: self.clock.now(),
            attempt,
            applied: applied
                .map(|(path, value)| (path.clone(), Applied::from(value)))
                .collect(),
            remembered: record.map(|record| record.remembered).unwrap_or_default(),
            depends_on: record
                .map(|record| record.depends_on.clone())
                .unwrap_or_default(),
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
        let mut entry = record
            .clone()
            .into_entry(object.id.clone(), object.created_at.clone());
        entry.claim = claim;
        // Variables the platform adds by itself are not ours to remove.
        let added = object
            .fields
            .keys()
            .filter(|path| !fields.contains_key(path));
        entry.tolerated_env.extend(added.filter_map(env_key));
        self.record(&change.key, record, entry)
    }

    async fn patch(
        &self,
        change: &Change,
        id: &RemoteId,
        fields: &BTreeMap<FieldPath, Option<FieldValue>>,
        precondition: &Precondition,
        links: &Links,
    ) -> Result<(), Outcome> {
        let patience = self.clock.now().checked_add(BUSY_MAX);
        let patience = patience.unwrap_or(jiff::Timestamp::MAX);
        loop {
            let object = match look(self.reader, change.key.kind, id, precondition).await {
                Look::Same(object) => object,
                Look::Gone => {
                    return Err(Outcome::Stale {
                        message: "it is gone".to_owned(),
                    });
                }
                Look::Stale(reason) => return Err(Outcome::Stale { message: reason }),
                Look::Unread(error) => return Err(unread(&error)),
            };
            let env_whole = self.env_whole(change, &object)?;
            let patch = Patch {
                changes: fields,
                env_whole: env_whole.as_ref(),
                links,
            };
            match self.writer.patch(id, patch).await {
                Ok(answer) => return self.patched(change, id, answer.as_ref()),
                Err(WriteError::Busy(_)) if self.clock.now() < patience && !*self.stop.borrow() => {
                    (self.observe)(Happening::Busy(&change.key));
                    let next = self.clock.now().checked_add(BUSY_PAUSE).unwrap_or(patience);
                    self.clock.sleep_until(next).await;
                }
                Err(error) => return Err(failed(&error)),
            }
        }
    }

    fn patched(
        &self,
        change: &Change,
        id: &RemoteId,
        answer: Option<&LiveObject>,
    ) -> Result<(), Outcome> {
        let Some(record) = &change.record else {
            return Ok(());
        };
        let mut entry = record.clone().into_entry(id.clone(), None);
        // A repair that the answer shows to have stayed is no sign of a field that will not settle.
        let repaired = change
            .fields
            .iter()
            .filter(|field| field.reason == FieldReason::Drift);
        for field in repaired {
            let shown = answer.and_then(|object| object.shows(&field.path));
            let stayed = match (shown, &field.after) {
                (Some(LiveValue::Shown(now)), Some(wanted)) => {
                    let canonical =
                        |value| crate::model::canonical(change.key.kind, &field.path, value);
                    canonical(now) == canonical(wanted)
                }
                (Some(LiveValue::Absent), None) => true,
                _ => false,
            };
            if stayed {
                entry.rewrites.remove(&field.path);
            }
        }
        self.record(&change.key, record, entry)
    }

    /// Returns every variable the service is to have, where the API replaces the whole list (A5).
    ///
    /// A value that the platform hides and we do not know would be lost: then nothing is written.
    fn env_whole(
        &self,
        change: &Change,
        object: &LiveObject,
    ) -> Result<Option<BTreeMap<EnvKey, FieldValue>>, Outcome> {
        if self.reader.client().dialect().env_patch == EnvPatch::Merge {
            return Ok(None);
        }
        let written = change.steps.iter().find_map(|step| match step {
            Step::Patch { fields, .. } => Some(fields),
            Step::Create { .. } | Step::Delete { .. } => None,
        });
        let known = change.record.iter().flat_map(|record| &record.applied);
        let mut whole: BTreeMap<EnvKey, FieldValue> = known
            .filter_map(|(path, value)| Some((env_key(path)?, value.clone())))
            .collect();
        for (path, shown) in &object.fields {
            let Some(key) = env_key(path) else { continue };
            let is_written = written.is_some_and(|fields| fields.contains_key(path));
            if is_written || whole.contains_key(&key) {
                continue;
            }
            match shown {
                LiveValue::Shown(value) => drop(whole.insert(key, value.clone())),
                LiveValue::Absent => {}
                LiveValue::Hidden => {
                    let message = format!(
                        "failed to update {}: this API replaces all variables at once, and the \
                         value of {path} is neither shown nor declared",
                        change.key
                    );
                    return Err(Outcome::Failed {
                        message,
                        request_id: None,
                    });
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
        match look(self.reader, kind, id, precondition).await {
            Look::Same(_) => match self.writer.delete(kind, id).await {
                Ok(_) => {}
                Err(error) => return Err(failed(&error)),
            },
            Look::Gone => {}
            Look::Stale(reason) => return Err(Outcome::Stale { message: reason }),
            Look::Unread(error) => return Err(unread(&error)),
        }
        self.store()
            .forget(change.key.clone())
            .map_err(not_recorded)?;
        match change.action {
            Action::Replace => self.until_gone(kind, id).await,
            _ => Ok(()),
        }
    }

    /// Waits until a deleted object is gone, so that its successor can have its name.
    async fn until_gone(&self, kind: Kind, id: &RemoteId) -> Result<(), Outcome> {
        let patience = self
            .clock
            .now()
            .checked_add(GOING_MAX)
            .unwrap_or(jiff::Timestamp::MAX);
        loop {
            match self.reader.get(kind, id).await {
                Ok(Lookup::Gone) => return Ok(()),
                Ok(Lookup::Found(_)) if self.clock.now() < patience => {
                    let next = self
                        .clock
                        .now()
                        .checked_add(GOING_PAUSE)
                        .unwrap_or(patience);
                    self.clock.sleep_until(next).await;
                }
                Ok(Lookup::Found(_)) => {
                    let message = format!(
                        "{kind} {id} was deleted and is still there; its successor is created by \
                         the next run"
                    );
                    return Err(Outcome::Failed {
                        message,
                        request_id: None,
                    });
                }
                Err(error) => return Err(unread(&error.to_string())),
            }
        }
    }

    fn record(
        &self,
        key: &Key,
        record: &Record,
        entry: crate::model::Entry,
    ) -> Result<(), Outcome> {
        let key = key.clone();
        let recorded = match record.renamed_from.clone() {
            Some(from) => self.store().rename(from, key, entry),
            None => self.store().record(key, entry),
        };
        recorded.map_err(not_recorded)
    }

    /// Returns the ids by which bodies name what they refer to: what we remember, created in this
    /// run or before, then what lives.
    fn links(&self, live: &Live) -> Links {
        let mut links = Links::default();
        for kind in Kind::ALL {
            for object in &live.listing(kind).objects {
                if let Ok(name) = crate::model::Name::new(&object.name) {
                    link(&mut links, &Key::new(kind, name), &object.id);
                }
            }
        }
        let store = self.store();
        let Inventory {
            pin: _,
            entries,
            intents: _,
        } = store.inventory();
        for (key, entry) in entries {
            link(&mut links, key, &entry.id);
        }
        links
    }
}

fn link(links: &mut Links, key: &Key, id: &RemoteId) {
    let names = match key.kind {
        Kind::EnvGroup => &mut links.env_groups,
        Kind::Database => &mut links.databases,
        Kind::Service => &mut links.services,
    };
    names.insert(key.name.clone(), id.clone());
}

fn env_key(path: &FieldPath) -> Option<EnvKey> {
    match path {
        FieldPath::Env(key) => Some(key.clone()),
        FieldPath::Setting(_) => None,
    }
}

fn failed(error: &WriteError) -> Outcome {
    let request_id = error.error().request_id().map(str::to_owned);
    Outcome::Failed {
        message: error.to_string(),
        request_id,
    }
}

fn unread(error: &str) -> Outcome {
    Outcome::Failed {
        message: error.to_owned(),
        request_id: None,
    }
}

/// The intent could not be written, so the POST was not sent (S3).
fn not_sent(error: StoreError) -> Outcome {
    Outcome::Failed {
        message: format!("{error}; nothing was sent"),
        request_id: None,
    }
}

/// It was done, and could not be written down: the next run finds it by its name or its intent.
fn not_recorded(error: StoreError) -> Outcome {
    Outcome::Unresolved {
        message: error.to_string(),
    }
}
