//! Changing a service: what is left to write after the look, and what must be written with it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::api::{Answers, EnvPatch, Links, Patch, Rounds, WriteError};
use crate::model::{
    Entry, EnvKey, FieldPath, FieldValue, Live, LiveObject, LiveValue, Name, RemoteId, Setting,
};
use crate::plan::{Change, Outcome, Precondition, Step};

use super::Hands;
use super::outcome::{failed, failed_here, not_recorded, not_sent, stale};
use super::perform::{BUSY_MAX, found};

impl Hands<'_> {
    pub(super) async fn patch(
        &self,
        change: &Change,
        id: &RemoteId,
        fields: &BTreeMap<FieldPath, Option<FieldValue>>,
        precondition: &Precondition,
        live: &Live,
    ) -> Result<(), Outcome> {
        let patience = self.later(BUSY_MAX);
        let answers = self.answers(change, fields, live).await?;
        let mut rounds = self.writer.rounds();
        loop {
            let (lookup, leave) = self.look(change.key.kind, id, &mut rounds).await?;
            let object = found(lookup)?;
            let (broken, left) = if rounds.may_have_happened() {
                let broken = precondition.broken_after_a_try(fields, &object);
                (broken, precondition.left_after_a_try(fields, &object))
            } else {
                (precondition.broken_by(&object), precondition.left_of(fields, &object))
            };
            if let Some(reason) = broken {
                return Err(stale(reason));
            }
            if left.is_empty() {
                return self.patched(change, id, Some(&object));
            }
            let env_whole = self.env_whole(change, &left, &object)?;
            let links = self.links_of(live, &left, env_whole.as_ref());
            let env_whole = env_whole.as_ref();
            let patch = Patch { changes: &left, env_whole, links: &links, answers: &answers };
            let is_newly_owed = self.owe_deploy(change, id)?;
            let error = match self.writer.patch(leave, id, patch).await {
                Ok(answer) => return self.patched(change, id, answer.as_ref()),
                Err(error) => error,
            };
            let is_open = rounds.may_have_happened() || error.error().may_have_happened();
            if is_newly_owed && !is_open {
                self.store().pay_deploy(id).map_err(not_recorded)?;
            }
            self.after_patch(change, &mut rounds, error, patience).await?;
        }
    }

    /// After a PATCH that failed: waits for a service that is busy as long as there is patience, else
    /// as [`Hands::again`].
    async fn after_patch(
        &self,
        change: &Change,
        rounds: &mut Rounds,
        error: WriteError,
        patience: Timestamp,
    ) -> Result<(), Outcome> {
        match error {
            WriteError::Busy(busy) if self.may_wait(patience) => {
                self.wait_busy(change, &busy).await
            }
            error => self.again(rounds, &error, true).await,
        }
    }

    /// Gives another object of ours a name for the moment. That is on disk before it is sent: whoever
    /// goes on after a crash must know whose name it is.
    pub(super) async fn make_way(
        &self,
        change: &Change,
        id: &RemoteId,
        name: &Name,
        precondition: &Precondition,
    ) -> Result<(), Outcome> {
        self.remember_interim(id, name)?;
        let patience = self.later(BUSY_MAX);
        let text = FieldValue::Text(name.to_string());
        let fields = BTreeMap::from([(FieldPath::Setting(Setting::Name), Some(text))]);
        let (links, answers) = (Links::default(), Answers::default());
        let mut rounds = self.writer.rounds();
        loop {
            let (lookup, leave) = self.look(change.key.kind, id, &mut rounds).await?;
            let object = found(lookup)?;
            if rounds.may_have_happened() && object.name == name.as_str() {
                return Ok(());
            }
            if let Some(reason) = precondition.broken_by(&object) {
                return Err(stale(reason));
            }
            let patch =
                Patch { changes: &fields, env_whole: None, links: &links, answers: &answers };
            let error = match self.writer.patch(leave, id, patch).await {
                Ok(answer) => return has_made_way(answer.as_ref(), &precondition.name),
                Err(error) => error,
            };
            self.after_patch(change, &mut rounds, error, patience).await?;
        }
    }

    /// Writes down, before it is sent, what an object of ours is called for the moment.
    fn remember_interim(&self, id: &RemoteId, name: &Name) -> Result<(), Outcome> {
        let mut store = self.store();
        let mut entries = store.inventory().entries.iter();
        let known = entries.find(|(_, entry)| entry.id == *id);
        let known = known.map(|(key, entry)| (key.clone(), entry.clone()));
        let (key, entry) = known.ok_or_else(|| stale("it is no longer in the state".to_owned()))?;
        let interim_name = Some(name.to_string());
        store.record(key, Entry { interim_name, ..entry }).map_err(not_sent)
    }

    /// Reads what the values refer to, where the API does not resolve it (A17): before the look,
    /// which must be the last request before the write.
    async fn answers(
        &self,
        change: &Change,
        fields: &BTreeMap<FieldPath, Option<FieldValue>>,
        live: &Live,
    ) -> Result<Answers, Outcome> {
        let known = change.record.iter().flat_map(|record| &record.applied);
        let is_whole = self.replaces_env() && fields.keys().any(|path| path.env_key().is_some());
        let known = known.filter(|(path, _)| is_whole && path.env_key().is_some());
        let written = fields.iter().filter_map(|(path, value)| Some((path, value.as_ref()?)));
        let values: Vec<(&FieldPath, &FieldValue)> = written.chain(known).collect();
        let links = self.links(live, values.iter().copied());
        let doing = format!("update {}", change.key);
        let values = values.iter().map(|(_, value)| *value);
        self.writer.resolve(&doing, values, &links).await.map_err(|error| failed(&error))
    }

    /// Returns the ids of what a PATCH refers to; where the whole list is sent, also what did not
    /// change refers to something.
    fn links_of(
        &self,
        live: &Live,
        fields: &BTreeMap<FieldPath, Option<FieldValue>>,
        env_whole: Option<&BTreeMap<EnvKey, FieldValue>>,
    ) -> Links {
        let written = fields.iter().filter_map(|(path, value)| Some((path, value.as_ref()?)));
        let whole = env_whole.into_iter().flatten();
        let whole: Vec<(FieldPath, &FieldValue)> =
            whole.map(|(key, value)| (FieldPath::Env(key.clone()), value)).collect();
        let whole = whole.iter().map(|(path, value)| (path, *value));
        self.links(live, written.chain(whole))
    }

    fn replaces_env(&self) -> bool {
        self.reader.client().dialect().env_patch == EnvPatch::Replace
    }

    /// Writes down, before a PATCH leaves, that it takes effect only with the deploy after it (A6):
    /// nothing on the platform tells a run that finds it written whether it was deployed. Returns
    /// whether no earlier change was owed one.
    fn owe_deploy(&self, change: &Change, id: &RemoteId) -> Result<bool, Outcome> {
        let needs_deploy = change.steps.iter().any(|step| matches!(step, Step::Deploy { .. }));
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
        if !writes_env || !self.replaces_env() {
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
}

/// Nothing may follow where the platform says that the name is still the one of before.
fn has_made_way(answer: Option<&LiveObject>, before: &str) -> Result<(), Outcome> {
    match answer {
        Some(object) if object.name == before => {
            Err(failed_here(format!("the platform has not renamed {}", object.id)))
        }
        Some(_) | None => Ok(()),
    }
}
