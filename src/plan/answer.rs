//! What follows on the answer to a write, and on a look for a create whose answer was lost (S3).
//!
//! The executor's decisions without its hands: it is told what came, what a list shows and what
//! time it is, and what it is to remember is returned. Nothing is sent and nothing is written here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{
    Applied, Claim, Entry, FieldPath, FieldValue, Intent, Inventory, Key, Kind, Listing,
    LiveObject, LiveValue, RemoteId, Setting, is_same,
};

use super::difference::is_written;
use super::stranger::strangers;
use super::{Action, Change, Step};

/// How often a create is sent whose answers were lost and that was proven not to have happened.
const CREATES_MAX: u32 = 3;

/// What came in place of a good answer to a create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateAnswer {
    /// It may have happened.
    Lost,
    /// It was refused, because something has the name.
    NameTaken,
    /// It was refused, or never sent.
    DidNotHappen,
}

impl CreateAnswer {
    /// Whether only a look can tell what became of the create.
    ///
    /// A name that is taken may have been taken by an earlier try that was carried out late.
    #[must_use]
    pub const fn must_be_looked_for(self, attempt: u32) -> bool {
        match self {
            Self::Lost => true,
            Self::NameTaken => attempt > 1,
            Self::DidNotHappen => false,
        }
    }
}

/// What a list shows of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sighting<'a> {
    /// Exactly one object has it.
    One(&'a LiveObject),
    /// The list is complete, and nothing has it.
    Nothing,
    /// The list is complete, nothing has it, and these may be its under another name (A22).
    Strangers(Vec<&'a LiveObject>),
    /// Nobody can tell; the text says why.
    Unclear(&'static str),
}

/// Looks in a list for what a create may have made: by its name, and, where names are not known to
/// be kept, among what nobody knows (A22).
#[must_use]
pub fn sight<'a>(
    listing: &'a Listing,
    key: &Key,
    intent: &Intent,
    inventory: &Inventory,
    keeps_names: bool,
) -> Sighting<'a> {
    let mut found = listing.objects.iter().filter(|object| object.name == key.name.as_str());
    let is_complete = listing.coverage.is_complete();
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => Sighting::Unclear("several objects have the name now"),
        (Some(object), None) if is_complete => Sighting::One(object),
        (None, None) if is_complete && keeps_names => Sighting::Nothing,
        (None, None) if is_complete => {
            match strangers(listing, key, intent, inventory).as_slice() {
                [] => Sighting::Nothing,
                some => Sighting::Strangers(some.to_vec()),
            }
        }
        (Some(_) | None, None) => Sighting::Unclear("the listing is incomplete"),
        (None, Some(_)) => Sighting::Unclear("the listing changed while it was read"),
    }
}

/// What a look for a lost create leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AfterLook<'a> {
    /// It is there, and presumed to be ours.
    Presume(&'a LiveObject),
    /// It may yet be under way: look again when it has settled.
    LookAgain,
    /// It did not happen, and may be sent again.
    SendAgain,
    /// It did not happen, and was sent often enough: its intent is void.
    GiveUp,
    /// These may be it under another name: a person says whose they are (A22).
    AskWhose(Vec<&'a LiveObject>),
    /// Nobody can tell; the intent stays on disk for the next run.
    Unknown(&'static str),
}

/// Decides what follows on a look that was taken at `looked_at`, for the create of that intent.
///
/// Before the settle time is over nothing does, whatever is seen: what has the name may be somebody
/// else's, and what we made may yet come beside it (S3, L4).
#[must_use]
pub fn after_look<'a>(
    sighting: Sighting<'a>,
    intent: &Intent,
    settle: Duration,
    looked_at: Timestamp,
) -> AfterLook<'a> {
    let has_settled = looked_at >= settled_at(intent.started_at, settle);
    match sighting {
        _ if !has_settled => AfterLook::LookAgain,
        Sighting::One(object) => AfterLook::Presume(object),
        Sighting::Nothing if intent.attempt < CREATES_MAX => AfterLook::SendAgain,
        Sighting::Nothing => AfterLook::GiveUp,
        Sighting::Strangers(some) => AfterLook::AskWhose(some),
        Sighting::Unclear(reason) => AfterLook::Unknown(reason),
    }
}

/// Returns from when on a list shows what became of a create (S3).
#[must_use]
pub fn settled_at(started_at: Timestamp, settle: Duration) -> Timestamp {
    started_at.checked_add(settle).unwrap_or(Timestamp::MAX)
}

/// Returns why a name is not free now, as the plan says; nothing when it is (S2, S10). What was just
/// deleted to make room for its successor is none.
///
/// What the plan's list did not show of an earlier create may show now: under its name, or under
/// another one (A22).
#[must_use]
pub fn rival(
    listing: &Listing,
    key: &Key,
    predecessor: Option<&RemoteId>,
    inventory: &Inventory,
    keeps_names: bool,
) -> Option<String> {
    let mut others = listing.objects.iter().filter(|object| Some(&object.id) != predecessor);
    let rival = others.find(|object| object.name == key.name.as_str());
    if let Some(rival) = rival {
        return Some(format!("{} has appeared under that name", rival.id));
    }
    let intent = inventory.intents.get(key).filter(|_| !keeps_names)?;
    let strangers = strangers(listing, key, intent, inventory);
    let stranger = strangers.into_iter().find(|object| Some(&object.id) != predecessor)?;
    Some(format!("{} has appeared and may be its result, under another name", stranger.id))
}

impl Change {
    /// Whether it may only be done while a list, read once more, still does not show something or
    /// still shows it (S2): creates, deletes, and forgetting what only a list proves to be gone.
    #[must_use]
    pub fn rests_on_a_list(&self) -> bool {
        let needs_one = |step: &Step| match step {
            Step::Create { .. } | Step::Delete { .. } => true,
            Step::Patch { .. }
            | Step::MakeWay { .. }
            | Step::Complete { .. }
            | Step::Deploy { .. } => false,
        };
        self.forgets_what_a_list_lacks() || self.steps.iter().any(needs_one)
    }

    /// Whether it forgets what no 404 proves to be gone: a create whose answer was lost, and an env
    /// group, which cannot be asked for by its id (F4). One list that moved while it was read would
    /// else make an orphan of it (L4).
    #[must_use]
    pub fn forgets_what_a_list_lacks(&self) -> bool {
        let is_forgotten = match self.action {
            Action::Forget => self.blocked.is_none(),
            Action::Create
            | Action::Update
            | Action::Replace
            | Action::Adopt
            | Action::Delete
            | Action::None => false,
        };
        let has_other_proof = match self.key.kind {
            Kind::Service | Kind::Database => self.id.is_some(),
            Kind::EnvGroup => false,
        };
        is_forgotten && !has_other_proof
    }

    /// Returns what must be on disk before the POST of this change leaves (S3).
    #[must_use]
    pub fn intent(&self, attempt: u32, now: Timestamp, bystanders: &BTreeSet<RemoteId>) -> Intent {
        let record = self.record.as_ref();
        let applied = record.iter().flat_map(|record| &record.applied);
        Intent {
            started_at: now,
            attempt,
            applied: applied.map(|(path, value)| (path.clone(), Applied::from(value))).collect(),
            remembered: record.map(|record| record.remembered).unwrap_or_default(),
            depends_on: record.map(|record| record.depends_on.clone()).unwrap_or_default(),
            bystanders: bystanders.clone(),
        }
    }

    /// Returns what is remembered of what a create made: with its answer seen it is ours, else it
    /// is presumed to be.
    #[must_use]
    pub fn entry_of_created(
        &self,
        written: &BTreeMap<FieldPath, FieldValue>,
        object: &LiveObject,
        claim: Claim,
        now: Timestamp,
    ) -> Option<Entry> {
        let record = self.record.clone()?;
        let mut entry = record.into_entry(object.id.clone(), object.created_at.clone());
        entry.claim = claim;
        entry.made_at = Some(now);
        entry.given_name = given(&self.key, object);
        // Variables the platform adds by itself are not ours to remove.
        let added = object.fields.keys().filter(|path| !written.contains_key(path));
        entry.tolerated_env.extend(added.filter_map(FieldPath::env_key).cloned());
        Some(entry)
    }

    /// Returns what is remembered of an object that was patched. Of its answer only the name
    /// counts: it may show what was sent where reads show something else (L1).
    #[must_use]
    pub fn entry_of_patched(&self, id: &RemoteId, answer: Option<&LiveObject>) -> Option<Entry> {
        let mut entry = self.record.clone()?.into_entry(id.clone(), None);
        if let Some(before) = self.renamed_from() {
            // Still the name of before is none that was given: the platform has not renamed it.
            let is_new = |name: &String| before.is_none_or(|before| before != name);
            entry.given_name = answer.and_then(|object| given(&self.key, object)).filter(is_new);
        }
        Some(entry)
    }

    /// Returns the name before, where it gives its object another one.
    fn renamed_from(&self) -> Option<Option<&String>> {
        let name = FieldPath::Setting(Setting::Name);
        let field = self.fields.iter().find(|field| field.path == name && is_written(field))?;
        match &field.before {
            Some(FieldValue::Text(before)) => Some(Some(before)),
            Some(_) | None => Some(None),
        }
    }

    /// Whether it gives its object a name.
    pub(super) fn writes_name(&self) -> bool {
        self.renamed_from().is_some()
    }
}

/// Returns the name an answer shows in place of the one that was sent (A22).
fn given(key: &Key, object: &LiveObject) -> Option<String> {
    (object.name != key.name.as_str()).then(|| object.name.clone())
}

/// Whether an object shows a field as it is to be; of what is hidden nobody can say.
pub(super) fn shows_as(object: &LiveObject, path: &FieldPath, wanted: Option<&FieldValue>) -> bool {
    match (object.shows(path), wanted) {
        (Some(LiveValue::Shown(now)), Some(wanted)) => is_same(object.kind, path, now, wanted),
        (Some(LiveValue::Absent), None) => true,
        (None | Some(LiveValue::Hidden | LiveValue::Absent), _)
        | (Some(LiveValue::Shown(_)), None) => false,
    }
}
