//! Reading: one object, a list, what a service did and does.
//!
//! A [`Reader`] cannot write; planning is handed nothing else. What is read of a whole project at
//! once is in `live.rs`, beside this file.

use std::cmp::Reverse;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::answer::Answer;
use super::call::{Call, LIST_BODY_MAX};
use super::client::Client;
use super::error::{Cause, Error, ErrorKind};
use super::leave::Reservation;
use super::page::{self, PageQuery, Pages};
use super::route::Route;
use super::wire::{self, Deployment, Groups, Member, Metrics};
use crate::model::{Coverage, Kind, Listing, LiveObject, Project, RemoteId, Unknown, moment};

/// How often a list that moves is read until two passes agree (S2).
const PASSES_MAX: u32 = 4;

/// How many pages of deployments are read: the latest matter, a long history does not.
const DEPLOYMENT_PAGES_MAX: u32 = 10;

/// The right to read. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) client: Client,
}

/// What asking for one object by its id has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// It is there.
    Found(Box<LiveObject>),
    /// The API itself says that it is not: 404 with a parsed `error.code` (S2).
    Gone,
}

impl Client {
    /// Returns the right to read.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { client: self.clone() }
    }

    /// Returns the object that an answer holds, bare or wrapped (A2).
    pub(super) fn object_of(
        &self,
        call: &Call<'_>,
        answer: Answer,
        singular: &str,
    ) -> Result<Map<String, Value>, Error> {
        let object = answer.object().map_err(|cause| Error::new(call.doing.as_str(), cause))?;
        Ok(wire::unwrapped(object, self.dialect().envelope(), singular))
    }
}

impl Reader {
    /// Returns the client behind it, for its counts and what it saw.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the project that the token selects (F3).
    ///
    /// # Errors
    /// When it cannot be read; then nothing else can be relied on either.
    pub async fn project(&self) -> Result<Project, Error> {
        let doing = "read the project";
        let object = self.object(&Call::get(doing, Route::Project), "project").await?;
        wire::read_project(&object)
            .ok_or_else(|| unreadable(doing, "it holds no usable name and id of a project"))
    }

    /// Lists a kind to its end.
    ///
    /// # Errors
    /// When the token is not accepted or the budget is used up. Any other trouble is told by the
    /// listing's coverage: unknown is not absent (S2).
    pub async fn list(&self, kind: Kind) -> Result<Listing, Error> {
        let pages = self.pages(kind).await?;
        Ok(self.understand(kind, pages))
    }

    /// Lists a kind until two passes in a row show the same ids, or in one page, which is one
    /// moment: what S2 asks for before a create or a delete.
    ///
    /// # Errors
    /// As [`Reader::list`].
    pub async fn list_steadily(&self, kind: Kind) -> Result<Listing, Error> {
        let mut listing = self.list(kind).await?;
        let mut pages = listing.pages;
        for _ in 1..PASSES_MAX {
            if !listing.coverage.is_complete() || listing.pages == 1 {
                return Ok(Listing { pages, ..listing });
            }
            let before = listing;
            listing = self.list(kind).await?;
            pages += listing.pages;
            if listing.coverage.is_complete() && listing.confirms(&before) {
                return Ok(Listing { pages, ..listing });
            }
        }
        let reason = "it changed each time it was read".to_owned();
        let coverage = Coverage::Unknown(Unknown::Incomplete(reason));
        Ok(Listing { coverage, pages, ..listing })
    }

    /// Reads one object by its id. Env groups have no such request (F4).
    ///
    /// # Errors
    /// When the answer neither shows the object nor proves that it is gone.
    pub async fn get(&self, kind: Kind, id: &RemoteId) -> Result<Lookup, Error> {
        let call = self.one(kind, id)?;
        let answer = self.client.send(&call).await;
        self.lookup(kind, id, &call, answer)
    }

    /// The same, once, with leave that was taken before.
    pub(super) async fn get_once(
        &self,
        kind: Kind,
        id: &RemoteId,
        leave: Reservation,
    ) -> Result<Lookup, Error> {
        let call = Call { is_look: true, ..self.one(kind, id)? };
        let answer = self.client.look_once(&call, leave).await;
        self.lookup(kind, id, &call, answer)
    }

    /// Returns the request for one object.
    fn one<'a>(&self, kind: Kind, id: &'a RemoteId) -> Result<Call<'a>, Error> {
        let doing = format!("read {}", self.client.known().name_of(kind, id));
        match Route::object(kind, id) {
            Some(route) => Ok(Call::get(doing, route)),
            None => {
                let reason = format!("the API cannot read a single {kind}");
                Err(Error::new(doing, Cause::Local(reason)))
            }
        }
    }

    fn lookup(
        &self,
        kind: Kind,
        id: &RemoteId,
        call: &Call<'_>,
        answer: Result<Answer, Error>,
    ) -> Result<Lookup, Error> {
        let object = answer.and_then(|answer| self.client.object_of(call, answer, kind.as_str()));
        let object = match object {
            Ok(object) => object,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Lookup::Gone),
            Err(error) => return Err(error),
        };
        let live = wire::read_object(kind, self.client.dialect(), &self.groups(), &object)
            .map_err(|reason| unreadable(&call.doing, &reason))?;
        if live.id != *id {
            return Err(unreadable(&call.doing, "another object was returned"));
        }
        Ok(Lookup::Found(Box::new(live)))
    }

    /// Lists the latest deployments of a service, newest first.
    ///
    /// # Errors
    /// When the first page cannot be read.
    pub async fn deployments(&self, id: &RemoteId) -> Result<Vec<Deployment>, Error> {
        let shelf = PageQuery {
            id_keys: &["deployment_id", "id"],
            pages_max: DEPLOYMENT_PAGES_MAX,
            ..PageQuery::whole(
                format!("list the deployments of {}", self.called(id)),
                Route::Deployments(id),
                "deployments",
            )
        };
        let pages = page::read_all(&self.client, &shelf).await?;
        if let (true, Some(reason)) = (pages.items.is_empty(), pages.incomplete) {
            return Err(unreadable(&shelf.doing, &reason));
        }
        let mut deployments: Vec<Deployment> =
            pages.items.iter().filter_map(wire::read_deployment).collect();
        // Without times the platform's order stands. Their texts do not sort as they do: `…30.7Z`
        // stands before `…30Z`.
        let began = |deployment: &Deployment| deployment.created_at.as_deref().and_then(moment);
        deployments.sort_by_cached_key(|deployment| Reverse(began(deployment)));
        Ok(deployments)
    }

    /// Reads one deployment with its log.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn deployment(&self, id: &RemoteId, did: &RemoteId) -> Result<Deployment, Error> {
        let doing = format!("read deployment {did} of {}", self.called(id));
        let call = Call {
            body_max: LIST_BODY_MAX,
            ..Call::get(doing.as_str(), Route::Deployment(id, did))
        };
        let object = self.object(&call, "deployment").await?;
        wire::read_deployment(&object).ok_or_else(|| unreadable(&doing, "it has no usable id"))
    }

    /// Reads the metrics of a service.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn metrics(&self, id: &RemoteId) -> Result<Metrics, Error> {
        let doing = format!("read the metrics of {}", self.called(id));
        let object = self.object(&Call::get(doing, Route::Metrics(id)), "metrics").await?;
        Ok(wire::read_metrics(&object))
    }

    /// Lists the members of the project.
    ///
    /// # Errors
    /// When they cannot be read to the last.
    pub async fn members(&self) -> Result<Vec<Member>, Error> {
        let shelf = PageQuery {
            id_keys: &[],
            ..PageQuery::whole("list the members of the project", Route::Members, "members")
        };
        let pages = page::read_all(&self.client, &shelf).await?;
        match pages.incomplete {
            Some(reason) => Err(unreadable(&shelf.doing, &reason)),
            None => Ok(pages.items.iter().map(wire::read_member).collect()),
        }
    }

    /// Asks for an object.
    pub(super) async fn object(
        &self,
        call: &Call<'_>,
        singular: &str,
    ) -> Result<Map<String, Value>, Error> {
        self.client.object_of(call, self.client.send(call).await?, singular)
    }

    /// Reads the pages of a kind; trouble that does not end the run makes them incomplete.
    pub(super) async fn pages(&self, kind: Kind) -> Result<Result<Pages, Unknown>, Error> {
        let doing = format!("list {}", kind.plural());
        let shelf = PageQuery::whole(doing, Route::Collection(kind), kind.plural());
        match page::read_all(&self.client, &shelf).await {
            Ok(pages) => Ok(Ok(pages)),
            Err(error) => match error.kind() {
                ErrorKind::Authentication | ErrorKind::OverBudget | ErrorKind::Local => Err(error),
                _ => Ok(Err(unknown(&error))),
            },
        }
    }

    /// Turns the pages of a kind into a listing. Env groups come first: services name them by id.
    pub(super) fn understand(&self, kind: Kind, pages: Result<Pages, Unknown>) -> Listing {
        let Pages { items, count, mut incomplete } = match pages {
            Ok(pages) => pages,
            Err(unknown) => {
                if kind == Kind::EnvGroup {
                    self.learn_groups(&[], false);
                }
                let coverage = Coverage::Unknown(unknown);
                return Listing { coverage, objects: Vec::new(), pages: 1 };
            }
        };
        let groups = self.groups();
        let mut objects = Vec::new();
        // Each item goes when it was read: both forms of a long list need not be held at once.
        for item in items {
            match wire::read_object(kind, self.client.dialect(), &groups, &item) {
                Ok(object) => objects.push(object),
                Err(reason) => incomplete = incomplete.or(Some(reason)),
            }
        }
        let coverage = match incomplete {
            None => Coverage::Complete,
            Some(reason) => Coverage::Unknown(Unknown::Incomplete(reason)),
        };
        self.client.known().learn(&objects);
        if kind == Kind::EnvGroup {
            self.learn_groups(&objects, coverage.is_complete());
        }
        Listing { coverage, objects, pages: count }
    }

    /// Returns what a service is called in an error.
    fn called(&self, service: &RemoteId) -> String {
        self.client.known().name_of(Kind::Service, service)
    }

    fn groups(&self) -> Arc<Groups> {
        Arc::clone(&self.client.groups())
    }

    fn learn_groups(&self, objects: &[LiveObject], are_all: bool) {
        let named = objects.iter().map(|object| (object.id.clone(), object.name.clone()));
        let mut groups = self.client.groups();
        let called = groups.called.clone();
        let names = named.chain(called.clone()).collect();
        *groups = Arc::new(Groups { names, are_all, called });
    }

    /// Calls a group by its declared name from now on, whatever the platform calls it (A22): a
    /// service names it by id, and is declared to have it by that name.
    pub(super) fn call_group(&self, id: &RemoteId, name: &str) {
        let mut groups = self.client.groups();
        let groups = Arc::make_mut(&mut groups);
        groups.names.insert(id.clone(), name.to_owned());
        groups.called.insert(id.clone(), name.to_owned());
    }

    /// Adds the name of a group that is too new for a stale replica to show it (S3).
    pub(super) fn recall_group(&self, id: &RemoteId, name: &str) {
        let mut groups = self.client.groups();
        let names = &mut Arc::make_mut(&mut groups).names;
        names.entry(id.clone()).or_insert_with(|| name.to_owned());
    }
}

/// Returns what a failed read leaves unknown, and why.
pub(super) fn unknown(error: &Error) -> Unknown {
    match error.kind() {
        ErrorKind::Permission => Unknown::Forbidden,
        _ => Unknown::Incomplete(error.cause().to_string()),
    }
}

/// Makes the error of an answer that came and says something else than it should.
pub(super) fn unreadable(doing: &str, reason: &str) -> Error {
    Error::new(doing, Cause::Unreadable { reason: reason.to_owned(), request_id: None })
}
