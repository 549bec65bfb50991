//! What the platform shows, and how much of it: unknown is never taken for absent (S2).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Entry, FieldPath, FieldValue, Key, Kind, RemoteId};

/// The project a token selects (F3, A12).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Project {
    /// Its id; without one the name pins the project.
    pub id: Option<RemoteId>,
    /// Its name.
    pub name: String,
    /// Its region, when shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Its plan, when shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

/// The live state of one project at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// The project.
    pub project: Project,
    /// One listing for every kind.
    pub listings: BTreeMap<Kind, Listing>,
    /// Ids of ours that answered 404 with a parsed `error.code`: proof that they are gone (S2).
    pub gone: BTreeSet<RemoteId>,
    /// What is listed and whose details were asked for and did not come, with why: what its list item
    /// does not show is unknown, and nothing is concluded from it (S2).
    pub unread: BTreeMap<(Kind, RemoteId), Unknown>,
    /// How many requests reading all this took: what reading it again will cost.
    pub requests: u32,
}

impl Live {
    /// Returns the listing of a kind; one that was never read is unknown.
    #[must_use]
    pub fn listing(&self, kind: Kind) -> &Listing {
        static UNREAD: Listing =
            Listing { coverage: Coverage::Unknown(Unknown::Unread), objects: Vec::new(), pages: 0 };
        self.listings.get(&kind).unwrap_or(&UNREAD)
    }

    /// Returns the objects of that kind and that very name; more than one is ambiguous.
    #[must_use]
    pub fn named(&self, key: &Key) -> Vec<&LiveObject> {
        let objects = &self.listing(key.kind).objects;
        objects.iter().filter(|object| object.name == key.name.as_str()).collect()
    }

    /// Notes what asking by id said of something of ours that a complete list lacks: there, or
    /// gone by the API's own word (S2).
    pub fn note_unlisted(
        &mut self,
        kind: Kind,
        entry: &Entry,
        there: Option<LiveObject>,
        now: Timestamp,
    ) {
        let id = &entry.id;
        let Some(listing) = self.listings.get_mut(&kind) else {
            return;
        };
        match there {
            None if entry.is_new(now) => {
                listing.doubt(format!("{kind} {id} is too new to be shown"))
            }
            None => {
                self.gone.insert(id.clone());
            }
            Some(object) => {
                // What is on its way out may be left out of lists; else the list is stale.
                if !object.is_going() {
                    listing.doubt(format!("{kind} {id} is there but not in it"));
                }
                listing.objects.push(object);
            }
        }
    }

    /// Returns the object with that id.
    #[must_use]
    pub fn with_id(&self, kind: Kind, id: &RemoteId) -> Option<&LiveObject> {
        self.listing(kind).objects.iter().find(|object| object.id == *id)
    }
}

/// All that was read of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Whether it is all there is.
    pub coverage: Coverage,
    /// What was read, in the platform's order. Part of the whole when coverage is unknown.
    pub objects: Vec<LiveObject>,
    /// How many pages were read: what reading it again costs in requests.
    pub pages: u32,
}

impl Listing {
    /// Whether, with the pass before it, it justifies a write: it shows the same ids, or came in
    /// one page, which is one moment (S2). Only of a complete listing anything may be concluded.
    #[must_use]
    pub fn confirms(&self, before: &Self) -> bool {
        let ids = |listing: &Self| -> BTreeSet<RemoteId> {
            listing.objects.iter().map(|object| object.id.clone()).collect()
        };
        self.pages == 1 || ids(self) == ids(before)
    }

    /// Whether it agrees with a 404 that an object is gone, or going (L4).
    #[must_use]
    pub fn proves_gone(&self, id: &RemoteId) -> bool {
        let is_there = |object: &LiveObject| object.id == *id && !object.is_going();
        self.coverage.is_complete() && !self.objects.iter().any(is_there)
    }

    /// Notes that nothing may be concluded from what is missing; the first reason stays.
    pub fn doubt(&mut self, reason: String) {
        if self.coverage.is_complete() {
            self.coverage = Coverage::Unknown(Unknown::Incomplete(reason));
        }
    }
}

/// Whether a listing is all there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// `total` equal on all pages, the items add up to it, ids distinct (S2).
    Complete,
    /// Not proven to be all: nothing may be concluded from what is missing.
    Unknown(Unknown),
}

/// Why a listing is not known to be complete, or an object not known in its details.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Unknown {
    /// 403: the token may not read it (F2).
    Forbidden,
    /// Pages that do not add up, an item that cannot be read, a failed request; the text says what.
    Incomplete(String),
    /// Nobody asked.
    Unread,
}

impl Coverage {
    /// Whether "it is not there" may be concluded.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        matches!(self, Self::Complete)
    }
}

/// What the platform shows of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveValue {
    /// The value.
    Shown(FieldValue),
    /// There is a value, which is masked or left out.
    Hidden,
    /// Shown to be without a value (`null`).
    Absent,
}

/// One object as the platform shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveObject {
    /// Its kind.
    pub kind: Kind,
    /// Its id.
    pub id: RemoteId,
    /// Its name: foreign text, perhaps none that a manifest could declare.
    pub name: String,
    /// When it was created, as the platform writes it; compared before a delete (S1).
    pub created_at: Option<String>,
    /// Its status word; an open set (A15).
    pub status: Option<String>,
    /// Its address.
    pub url: Option<String>,
    /// How many instances run. With autoscaling it moves by itself and is never drift.
    pub replicas: Option<u32>,
    /// The fields that are shown. A missing path means: the platform does not say.
    pub fields: BTreeMap<FieldPath, LiveValue>,
    /// Whether the variables were shown as a whole: then a missing key is not there.
    pub shows_env: bool,
}

impl LiveObject {
    /// Whether it is being deleted: it is shown until it is gone, and no longer counts (A7).
    #[must_use]
    pub fn is_going(&self) -> bool {
        self.status.as_deref() == Some("deleting")
    }

    /// Returns what is shown of a field; `None` when the platform does not say.
    #[must_use]
    pub fn shows(&self, path: &FieldPath) -> Option<&LiveValue> {
        static ABSENT: LiveValue = LiveValue::Absent;
        match (self.fields.get(path), path) {
            (Some(value), _) => Some(value),
            (None, FieldPath::Env(_)) if self.shows_env => Some(&ABSENT),
            (None, _) => None,
        }
    }
}
