//! How things stand with a resource: what the questions of ownership end in.

use crate::model::{Claim, Entry, Intent, Key, LiveObject, RemoteId, Resource};

use super::{Action, Blocked, BlockedReason, Reason};

/// One resource, and how things stand with it.
pub(super) struct Claimed<'a> {
    pub key: &'a Key,
    pub desired: Option<&'a Resource>,
    pub standing: Standing<'a>,
}

/// How things stand with one resource.
pub(super) enum Standing<'a> {
    /// Wanted, and proven not to live.
    Absent(Reason),
    /// Wanted, and ours already.
    Ours(Ours<'a>),
    /// Wanted, and lives without being ours yet.
    Found(Found<'a>),
    /// Nobody can tell what is to be done.
    Unclear(Unclear<'a>),
    /// Ours, and to go.
    Unwanted { entry: &'a Entry, object: &'a LiveObject, reason: Reason },
    /// Remembered, and there is nothing left to remember.
    Gone(Option<RemoteId>),
}

/// An object of ours that is wanted.
pub(super) struct Ours<'a> {
    pub entry: &'a Entry,
    pub object: &'a LiveObject,
    pub renamed_from: Option<Key>,
}

/// An object that becomes ours.
pub(super) struct Found<'a> {
    pub object: &'a LiveObject,
    pub claim: Claim,
    pub intent: Option<&'a Intent>,
    pub renamed_from: Option<Key>,
}

/// What cannot be decided from what was read.
pub(super) struct Unclear<'a> {
    pub action: Action,
    pub reason: Reason,
    pub entry: Option<&'a Entry>,
    pub id: Option<RemoteId>,
    pub blocked: Blocked,
}

/// Another one of ours has the name.
pub(super) fn taken(object: &LiveObject, owner: &Key) -> String {
    format!("{} has the name now, and it is {owner}", object.id)
}

pub(super) fn ambiguous<'a>(
    entry: Option<&'a Entry>,
    id: Option<&RemoteId>,
    message: String,
) -> Standing<'a> {
    unclear(entry, id, message, "rename or delete the wrong one on the platform".to_owned())
}

pub(super) fn unclear<'a>(
    entry: Option<&'a Entry>,
    id: Option<&RemoteId>,
    message: String,
    hint: String,
) -> Standing<'a> {
    Standing::Unclear(Unclear {
        action: Action::Update,
        reason: Reason::Requested,
        entry,
        id: id.cloned(),
        blocked: Blocked { reason: BlockedReason::AmbiguousName, message, hint: Some(hint) },
    })
}
