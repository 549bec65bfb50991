//! Writing: every change of the platform, each with an outcome that says what is known of it.
//!
//! A [`Writer`] exists only where the pin held (S5). It deliberately decides nothing: what to
//! write, and whether, is the plan's; what a lost answer means for the next run is the store's.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::body::Body;
use super::call::{Call, Leaving};
use super::client::Client;
use super::dialect::{EnvPatch, Resolver};
use super::error::{Error, ErrorKind};
use super::leave::{Leave, Pair, Reservation, TenureCheck};
use super::outcome::{Deletion, WriteError, before_the_write, judge, missing, odd};
use super::reader::Reader;
use super::retry::Rounds;
use super::route::Route;
use super::wire::{self, BodyDraft, Deployment, Groups, Links, ResolvedReferences};
use crate::model::{
    EnvKey, FieldPath, FieldValue, Kind, LiveObject, Name, Reference, RemoteId, Setting,
};

/// The right to write to the pinned project. It cannot be made but by [`Client::writer`].
#[derive(Clone)]
pub struct Writer {
    client: Client,
    reader: Reader,
    tenure: Option<TenureCheck>,
}

/// Something to be created.
#[derive(Clone, Copy, Debug)]
pub struct Create<'a> {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: &'a Name,
    /// Its fields.
    pub fields: &'a BTreeMap<FieldPath, FieldValue>,
    /// The ids of what the values refer to.
    pub links: &'a Links,
    /// What the values refer to, where we must say it ourselves.
    pub answers: &'a Answers,
}

/// What references mean, read beforehand where the API does not resolve them (A17).
#[derive(Clone, Debug, Default)]
pub struct Answers(ResolvedReferences);

/// A change of one service.
#[derive(Clone, Copy, Debug)]
pub struct Patch<'a> {
    /// What changes; `None` takes a field away.
    pub changes: &'a BTreeMap<FieldPath, Option<FieldValue>>,
    /// Every variable the service is to have afterwards, changed or not. Needed where the API
    /// replaces the whole list (A5); what is not in it is then removed.
    pub env_whole: Option<&'a BTreeMap<EnvKey, FieldValue>>,
    /// The ids of what the values refer to.
    pub links: &'a Links,
    /// What the values refer to, where we must say it ourselves.
    pub answers: &'a Answers,
}

impl Writer {
    /// Makes the right to write; only who has asked the pin may.
    pub(super) fn new(client: &Client) -> Self {
        Self { client: client.clone(), reader: client.reader(), tenure: None }
    }

    /// Binds every write to the tenure of who writes: one that may have ended sends nothing more.
    #[must_use]
    pub fn under(self, tenure: Option<TenureCheck>) -> Self {
        Self { tenure, ..self }
    }

    /// Waits until a look at an object and the write that rests on it may both leave.
    ///
    /// # Errors
    /// When the number of requests or the time is used up.
    pub async fn pair(&self) -> Result<Pair, Error> {
        let pair = self.client.pair().await;
        let pair = pair.map_err(|cause| Error::new("read before a write", cause))?;
        Ok(pair.under(self.tenure.clone()))
    }

    /// Waits until one write may leave, and keeps its place until it is known what it rests on.
    ///
    /// # Errors
    /// As [`Writer::pair`].
    pub async fn reserve(&self) -> Result<Reservation, Error> {
        let place = self.client.reserve().await;
        let place = place.map_err(|cause| Error::new("send a write", cause))?;
        Ok(place.under(self.tenure.clone()))
    }

    /// The same, where that needs no waiting.
    #[must_use]
    pub fn reserve_now(&self) -> Option<Reservation> {
        Some(self.client.reserve_now()?.under(self.tenure.clone()))
    }

    /// Begins to count how often a write is tried.
    #[must_use]
    pub fn rounds(&self) -> Rounds {
        Rounds::new(self.client.clone(), self.client.tries())
    }

    pub(super) const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Waits until a time; returns whether that is not beyond the end of the work.
    pub(super) async fn may_wait_until(&self, until: Timestamp) -> bool {
        self.client.may_wait_until(until).await
    }

    /// Creates an object.
    ///
    /// *Guarantees*: `leaving` is told right before it leaves, and what it refuses is not sent; it is
    /// sent once. *Assumes* that `leaving` brings the intent to disk (S3), and that `leave` rests on
    /// a list without the name (S2).
    ///
    /// # Errors
    /// By what is known of the outcome; a 2xx without a usable id is ambiguous.
    pub async fn create(
        &self,
        leave: Leave,
        create: Create<'_>,
        leaving: Leaving<'_>,
    ) -> Result<LiveObject, WriteError> {
        let Create { kind, name, fields, links, answers: Answers(resolved) } = create;
        let doing = format!("create {kind}/{name}");
        let mut draft = BodyDraft::new(kind, self.client.dialect(), links, resolved);
        let name_path = FieldPath::Setting(Setting::Name);
        let named = FieldValue::Text(name.as_str().to_owned());
        let others = fields.iter().filter(|(path, _)| **path != name_path);
        for (path, value) in std::iter::once((&name_path, &named)).chain(others) {
            draft.field(path, Some(value)).map_err(|reason| missing(&doing, reason))?;
        }
        let body = draft.finish();
        let call = Call::write(doing, Method::POST, Route::Collection(kind), Some(&body));
        let call = Call { leaving: Some(leaving), ..call };
        let answer = self.send(&call, leave).await?;
        let object = self.client.object_of(&call, answer, kind.as_str());
        let mut object = object.map_err(judge)?;
        // The answer may leave out what it was told; an id is what makes it done.
        let name_field = self.client.dialect().field_name(kind, Setting::Name).unwrap_or("name");
        object.entry(name_field).or_insert_with(|| name.as_str().into());
        let object = self.live_of(&call, kind, &object)?;
        self.client.known().learn([&object]);
        match kind {
            Kind::EnvGroup if object.name != name.as_str() => {
                self.reader.call_group(&object.id, name.as_str());
            }
            Kind::EnvGroup => self.reader.recall_group(&object.id, name.as_str()),
            Kind::Database | Kind::Service => {}
        }
        Ok(object)
    }

    /// Changes a service. Nothing else can be changed (F4).
    ///
    /// Returns what the API shows of it afterwards, unless it shows nothing: no body, or an object
    /// without an id. Which object it was stood in the request, so a good status is enough.
    ///
    /// # Errors
    /// By what is known of the outcome; another object's answer is ambiguous.
    pub async fn patch(
        &self,
        leave: Leave,
        id: &RemoteId,
        patch: Patch<'_>,
    ) -> Result<Option<LiveObject>, WriteError> {
        let doing = format!("update {}", self.client.known().name_of(Kind::Service, id));
        let Patch { changes, env_whole, links, answers: Answers(resolved) } = patch;
        let whole = self.env_to_replace(&doing, changes, env_whole)?;
        let mut draft = BodyDraft::new(Kind::Service, self.client.dialect(), links, resolved);
        let is_env = |path: &FieldPath| matches!(path, FieldPath::Env(_));
        for (path, value) in changes.iter().filter(|(path, _)| whole.is_none() || !is_env(path)) {
            draft.field(path, value.as_ref()).map_err(|reason| missing(&doing, reason))?;
        }
        if let Some(env) = whole {
            draft.with_variables();
            for (key, value) in env {
                let path = FieldPath::Env(key.clone());
                draft.field(&path, Some(value)).map_err(|reason| missing(&doing, reason))?;
            }
        }
        let body = draft.finish();
        let call = Call::write(doing, Method::PATCH, Route::Service(id), Some(&body));
        let answer = self.send(&call, leave).await?;
        if answer.is_empty() {
            return Ok(None);
        }
        let request_id = answer.request_id.clone();
        let object = self.client.object_of(&call, answer, Kind::Service.as_str());
        let object = object.map_err(judge)?;
        if !object.contains_key("id") {
            return Ok(None);
        }
        let live = self.live_of(&call, Kind::Service, &object)?;
        if live.id != *id {
            return Err(odd(&call, request_id, "it shows another object"));
        }
        Ok(Some(live))
    }

    /// Deletes a service or a database. Env groups cannot be deleted (F4).
    ///
    /// *Assumes* that S1 and S7 hold: the right to delete is not this room's to know.
    ///
    /// # Errors
    /// By what is known of the outcome.
    pub async fn delete(
        &self,
        leave: Leave,
        kind: Kind,
        id: &RemoteId,
    ) -> Result<Deletion, WriteError> {
        let doing = format!("delete {}", self.client.known().name_of(kind, id));
        let Some(route) = Route::object(kind, id) else {
            return Err(missing(&doing, format!("the API cannot delete a {kind}")));
        };
        let call = Call::write(doing, Method::DELETE, route, None);
        let done = |answer: Answer| {
            answer.check_done().map_err(|cause| Error::new(call.doing.as_str(), cause))
        };
        match self.client.send_once(&call, leave).await.and_then(done) {
            Ok(answer) if answer.status == 202 => Ok(Deletion::Underway),
            Ok(_) => Ok(Deletion::Done),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Deletion::WasGone),
            Err(error) => Err(judge(error)),
        }
    }

    /// Deploys a service anew.
    ///
    /// # Errors
    /// By what is known of the outcome; it is not sent again when that is open.
    pub async fn deploy(
        &self,
        leave: Leave,
        id: &RemoteId,
        branch: Option<&str>,
        clear_cache: bool,
    ) -> Result<Deployment, WriteError> {
        let mut order = json!({ "clear_cache": clear_cache });
        if let (Some(branch), Some(order)) = (branch, order.as_object_mut()) {
            order.insert("branch".to_owned(), branch.into());
        }
        let body = Body::new(&order, Vec::new());
        let doing = format!("deploy {}", self.client.known().name_of(Kind::Service, id));
        let call = Call::write(doing, Method::POST, Route::Deploy(id), Some(&body));
        self.start_deployment(&call, leave).await
    }

    /// Rolls a service back to its previous deployment.
    ///
    /// # Errors
    /// By what is known of the outcome; it is never sent again when that is open, because twice
    /// goes back two.
    pub async fn rollback(&self, leave: Leave, id: &RemoteId) -> Result<Deployment, WriteError> {
        let doing = format!("roll back {}", self.client.known().name_of(Kind::Service, id));
        let body = Body::new(&json!({}), Vec::new());
        let call = Call::write(doing, Method::POST, Route::Rollback(id), Some(&body));
        self.start_deployment(&call, leave).await
    }

    async fn start_deployment(
        &self,
        call: &Call<'_>,
        leave: Leave,
    ) -> Result<Deployment, WriteError> {
        let answer = self.send(call, leave).await?;
        let request_id = answer.request_id.clone();
        let object = self.client.object_of(call, answer, "deployment").map_err(judge)?;
        wire::read_deployment(&object).ok_or_else(|| odd(call, request_id, "it has no usable id"))
    }

    async fn send(&self, call: &Call<'_>, leave: Leave) -> Result<Answer, WriteError> {
        self.client.send_once(call, leave).await.map_err(judge)
    }

    fn live_of(
        &self,
        call: &Call<'_>,
        kind: Kind,
        object: &Map<String, Value>,
    ) -> Result<LiveObject, WriteError> {
        // What it shows of env groups is read again with the next list, which knows their names.
        wire::read_object(kind, self.client.dialect(), &Groups::default(), object)
            .map_err(|reason| odd(call, None, &reason))
    }

    /// Returns the list of variables to send whole, where the API takes no other (A5).
    fn env_to_replace<'a>(
        &self,
        doing: &str,
        changes: &BTreeMap<FieldPath, Option<FieldValue>>,
        env_whole: Option<&'a BTreeMap<EnvKey, FieldValue>>,
    ) -> Result<Option<&'a BTreeMap<EnvKey, FieldValue>>, WriteError> {
        let changes_env = changes.keys().any(|path| matches!(path, FieldPath::Env(_)));
        match self.client.dialect().env_patch {
            EnvPatch::Merge => Ok(None),
            EnvPatch::Replace if !changes_env => Ok(None),
            EnvPatch::Replace => env_whole.map(Some).ok_or_else(|| {
                missing(doing, "all variables must be sent, and not all are known".to_owned())
            }),
        }
    }

    /// Reads what values refer to where the API does not resolve it itself (A17). It may take as
    /// long as requests take, so it comes before the look that a write rests on.
    ///
    /// # Errors
    /// When something cannot be read; nothing was written then.
    pub async fn resolve<'a>(
        &self,
        doing: &str,
        values: impl Iterator<Item = &'a FieldValue>,
        links: &Links,
    ) -> Result<Answers, WriteError> {
        let mut resolved = ResolvedReferences::new();
        if self.client.dialect().resolve_references == Resolver::Platform {
            return Ok(Answers(resolved));
        }
        let wanted: BTreeSet<&Reference> = values
            .filter_map(|value| match value {
                FieldValue::Reference(reference) => Some(reference.as_ref()),
                _ => None,
            })
            .collect();
        for reference in wanted {
            let value = self.resolve_one(doing, reference, links).await?;
            resolved.insert(reference.clone(), value);
        }
        Ok(Answers(resolved))
    }

    async fn resolve_one(
        &self,
        doing: &str,
        reference: &Reference,
        links: &Links,
    ) -> Result<SecretString, WriteError> {
        let Reference { kind, name, property: _, env_key: _ } = reference;
        let id = match kind {
            Kind::Database => links.databases.get(name),
            Kind::Service => links.services.get(name),
            Kind::EnvGroup => None,
        };
        let Some((id, route)) = id.and_then(|id| Some((id, Route::object(*kind, id)?))) else {
            return Err(missing(doing, format!("the id of {kind}/{name} is not known yet")));
        };
        let call = Call::get(format!("read {}", self.client.known().name_of(*kind, id)), route);
        let object = self.reader.object(&call, kind.as_str()).await;
        // Only a read failed, so the write did not happen, whatever became of the read.
        let object = object.map_err(before_the_write)?;
        wire::resolve(&object, reference)
            .ok_or_else(|| missing(doing, format!("the API does not show `{reference}`")))
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Writer").finish_non_exhaustive()
    }
}
