//! What a plan last saw of the platform, kept in the state directory for `stoker plan
//! --refresh=false`.
//!
//! It is no state: nothing is ever written on its strength, and what is ours is read anew. It holds no
//! secret (S9): of variables only what this state wrote in clear. Once anything was written down after
//! it, it is not used any more.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::note_undetailed;
use crate::model::{
    Applied, Coverage, Desired, Entry, FieldPath, FieldValue, Inventory, Kind, Listing, Live,
    LiveObject, LiveValue, Project, RemoteId, Snapshot, Unknown, is_secret_at,
};
use crate::owner;
use crate::reconcile::{WrongProject, check_guard, check_pin};
use crate::render::json::{line, seal};

use super::code::ErrorCode;
use super::failure::Failure;

/// The file in the state directory.
const FILE: &str = "last-look.json";

/// The version of its form.
const VERSION: u32 = 1;

/// The largest file that is read: ten thousand services with hundreds of variables each.
const BYTES_MAX: u64 = 256 << 20;

/// What was seen, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LastLook {
    version: u32,
    origin: String,
    project: Project,
    /// When it was seen.
    pub at: Timestamp,
    /// A mark of what was ours then.
    inventory: String,
    listings: Vec<Shelf>,
    gone: BTreeSet<RemoteId>,
    unread: Vec<(Kind, RemoteId, Unknown)>,
    detailed: BTreeSet<(Kind, RemoteId)>,
    requests: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Shelf {
    kind: Kind,
    unseen: Option<Unknown>,
    pages: u32,
    objects: Vec<Thing>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Thing {
    id: RemoteId,
    name: String,
    created_at: Option<String>,
    status: Option<String>,
    replicas: Option<u32>,
    fields: BTreeMap<FieldPath, Shown>,
    shows_env: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Shown {
    Value(Applied),
    Hidden,
    Absent,
}

impl LastLook {
    /// Returns what is kept of a look, with what was read in detail.
    pub fn of(snapshot: &Snapshot, detailed: BTreeSet<(Kind, RemoteId)>) -> Self {
        let Snapshot { origin, desired: _, live, inventory, now } = snapshot;
        let entries = inventory.entries.iter();
        let entries: BTreeMap<(Kind, &RemoteId), &Entry> =
            entries.map(|(key, entry)| ((key.kind, &entry.id), entry)).collect();
        let shelves = live.listings.iter().map(|(kind, listing)| {
            let Listing { coverage, objects, pages } = listing;
            let unseen = match coverage {
                Coverage::Complete => None,
                Coverage::Unknown(unknown) => Some(unknown.clone()),
            };
            let own = |object: &LiveObject| entries.get(&(object.kind, &object.id)).copied();
            let objects = objects.iter().map(|object| thing(object, own(object))).collect();
            Shelf { kind: *kind, unseen, pages: *pages, objects }
        });
        let unread = live.unread.iter();
        let unread = unread.map(|((kind, id), why)| (*kind, id.clone(), why.clone()));
        Self {
            version: VERSION,
            origin: origin.clone(),
            project: live.project.clone(),
            at: *now,
            inventory: mark(inventory),
            listings: shelves.collect(),
            gone: live.gone.clone(),
            unread: unread.collect(),
            detailed,
            requests: live.requests,
        }
    }

    /// Keeps it; who may only read the state directory goes on without.
    pub fn keep(&self, state: &Path) {
        let write = || {
            let mut draft = tempfile::NamedTempFile::new_in(state)?;
            draft.write_all(sealed(&line(self)).as_bytes())?;
            owner::inherit(draft.as_file(), state)?;
            draft.persist(state.join(FILE)).map_err(|error| error.error)
        };
        if let Err(error) = write() {
            tracing::debug!(%error, "the live state was not saved for a plan without a refresh");
        }
    }

    /// Reads what was kept.
    ///
    /// # Errors
    /// When there is nothing, it is damaged, or something was written down since.
    pub fn read(state: &Path, inventory: &Inventory) -> Result<Self, Failure> {
        let path = state.join(FILE);
        let look = read_file(&path).map_err(|why| {
            Failure::new(
                ErrorCode::State,
                format!("there is no saved live state to plan on: {why}"),
            )
            .hint("`stoker plan` without --refresh=false reads it and saves it")
        })?;
        if look.inventory == mark(inventory) {
            return Ok(look);
        }
        let message =
            format!("what is ours has changed since the live state was read, at {:.0}", look.at);
        Err(Failure::new(ErrorCode::State, message)
            .hint("`stoker plan` without --refresh=false reads it again"))
    }

    /// Returns the snapshot of it, for these manifests.
    ///
    /// # Errors
    /// When it is of another project than the one meant (S5).
    pub fn snapshot(
        self,
        origin: &str,
        desired: Desired,
        inventory: Arc<Inventory>,
        now: Timestamp,
    ) -> Result<Snapshot, WrongProject> {
        let Self { project, listings, gone, unread, detailed, requests, .. } = self;
        let listings = listings.into_iter().map(|shelf| (shelf.kind, shelf.into()));
        let unread = unread.into_iter().map(|(kind, id, why)| ((kind, id), why));
        let (listings, unread) = (listings.collect(), unread.collect());
        let mut live = Live { project, listings, gone, unread, requests };
        check_pin(inventory.pin.as_ref(), &self.origin, &live.project)?;
        if self.origin != origin {
            let found = live.project.name.clone();
            let (origin, pinned_origin) = (origin.to_owned(), self.origin);
            return Err(WrongProject::Pin { pinned: found.clone(), found, origin, pinned_origin });
        }
        check_guard(desired.guard.as_ref(), &live.project)?;
        let desired = Arc::new(desired).in_turn(&inventory, now);
        note_undetailed(&mut live, &desired, &inventory, &detailed);
        let origin = origin.to_owned();
        Ok(Snapshot { origin, desired, live, inventory, now })
    }
}

fn read_file(path: &Path) -> Result<LastLook, String> {
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut file = file.take(BYTES_MAX + 1);
    file.read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > BYTES_MAX {
        return Err("it is too large".to_owned());
    }
    let damaged = || "it is damaged, or of another version".to_owned();
    let body = text.split_once('\n').map_or("", |(_, body)| body);
    if text != sealed(body) {
        return Err(damaged());
    }
    let look: LastLook =
        serde_json::from_str(body).map_err(|error| format!("it cannot be read: {error}"))?;
    if look.version == VERSION { Ok(look) } else { Err(damaged()) }
}

/// Returns what stands in the file: a mark over the body, then the body.
fn sealed(body: &str) -> String {
    format!("{}\n{body}", mark_of(body))
}

/// Returns a mark of what is ours.
fn mark(inventory: &Inventory) -> String {
    mark_of(&line(inventory))
}

fn mark_of(text: &str) -> String {
    seal(&Value::String(text.to_owned()))
}

/// Keeps of an object what may stand on a disk; `entry` is what is remembered of it.
fn thing(object: &LiveObject, entry: Option<&Entry>) -> Thing {
    let LiveObject { kind: _, id, name, created_at, status, url: _, replicas, fields, shows_env } =
        object;
    let in_clear = |path: &FieldPath| match path {
        FieldPath::Setting(_) => true,
        FieldPath::Env(_) => entry
            .and_then(|entry| entry.applied.get(path))
            .is_some_and(|applied| !matches!(applied, Applied::Secret(_))),
    };
    let kept = |path: &FieldPath, value: &LiveValue| match value {
        LiveValue::Absent => Shown::Absent,
        LiveValue::Shown(value) if in_clear(path) && !is_secret_at(path, value) => {
            Shown::Value(Applied::from(value))
        }
        LiveValue::Shown(_) | LiveValue::Hidden => Shown::Hidden,
    };
    Thing {
        id: id.clone(),
        name: name.clone(),
        created_at: created_at.clone(),
        status: status.clone(),
        replicas: *replicas,
        fields: fields.iter().map(|(path, value)| (path.clone(), kept(path, value))).collect(),
        shows_env: *shows_env,
    }
}

impl From<Shelf> for Listing {
    fn from(shelf: Shelf) -> Self {
        let Shelf { kind, unseen, pages, objects } = shelf;
        let coverage = unseen.map_or(Coverage::Complete, Coverage::Unknown);
        let objects = objects.into_iter().map(|thing| {
            let Thing { id, name, created_at, status, replicas, fields, shows_env } = thing;
            let fields = fields.into_iter().map(|(path, shown)| (path, shown.into())).collect();
            let url = None;
            LiveObject { kind, id, name, created_at, status, url, replicas, fields, shows_env }
        });
        Self { coverage, objects: objects.collect(), pages }
    }
}

impl From<Shown> for LiveValue {
    fn from(shown: Shown) -> Self {
        match shown {
            Shown::Value(Applied::Text(text)) => Self::Shown(FieldValue::Text(text)),
            Shown::Value(Applied::Integer(number)) => Self::Shown(FieldValue::Integer(number)),
            Shown::Value(Applied::Boolean(truth)) => Self::Shown(FieldValue::Boolean(truth)),
            Shown::Value(Applied::Set(items)) => Self::Shown(FieldValue::Set(items)),
            Shown::Value(Applied::Reference(it)) => Self::Shown(FieldValue::Reference(it)),
            Shown::Value(Applied::Secret(_)) | Shown::Hidden => Self::Hidden,
            Shown::Absent => Self::Absent,
        }
    }
}
