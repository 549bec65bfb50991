//! What was shown, as a mark: a saved plan is carried out as reviewed, or not at all (S10).
//!
//! A signature holds no secret and no fingerprint of one: a reviewed plan may be applied by another
//! machine, which has another key. What a secret becomes is not shown, so it is not signed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sha2::{Digest, Sha256};

use crate::model::{FieldPath, FieldValue, Key, Live, LiveValue, RemoteId};

use super::{Change, FieldAction, FieldChange, FieldReason, Plan, Precondition, Step, planner};

/// What is left of a reviewed plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewed {
    /// The fresh plan, less all that was not shown as it is now.
    pub plan: Plan,
    /// Reviewed changes that are not carried out, and why.
    pub stale: BTreeMap<Key, StaleReason>,
}

/// Why a reviewed change is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaleReason {
    /// It would do something else now, or to something else.
    Changed,
    /// There is nothing left to do.
    NotNeeded,
    /// It needs a change that was not reviewed, or that is stale itself.
    NeedsStale,
}

/// Keeps of a fresh plan exactly what a person was shown.
///
/// `saved` is the signature of every change of the saved plan. Whether it was made for the same
/// project is for the caller to check first (S5).
#[must_use]
pub fn review(saved: &BTreeMap<Key, String>, mut fresh: Plan, live: &Live) -> Reviewed {
    let mut stale: BTreeMap<Key, StaleReason> =
        saved.keys().map(|key| (key.clone(), StaleReason::NotNeeded)).collect();
    let mut kept: BTreeSet<Key> = BTreeSet::new();
    let mut changes = std::mem::take(&mut fresh.changes);
    changes.retain(|change| {
        let Some(signature) = saved.get(&change.key) else {
            return false;
        };
        let is_the_same = *signature == change.signature();
        if is_the_same {
            stale.remove(&change.key);
            kept.insert(change.key.clone());
        } else {
            stale.insert(change.key.clone(), StaleReason::Changed);
        }
        is_the_same
    });
    drop_incomplete(&mut changes, &mut kept, &mut stale);
    Reviewed { plan: planner::recount(changes, fresh, live), stale }
}

/// Drops what needs a change that is not carried out, to begin or to be completed, and what needs that.
fn drop_incomplete(
    changes: &mut Vec<Change>,
    kept: &mut BTreeSet<Key>,
    stale: &mut BTreeMap<Key, StaleReason>,
) {
    loop {
        let count = changes.len();
        changes.retain(|change| {
            let mut needed = change.after.iter().chain(change.completed_after());
            let is_kept = needed.all(|key| kept.contains(key));
            if !is_kept {
                kept.remove(&change.key);
                stale.insert(change.key.clone(), StaleReason::NeedsStale);
            }
            is_kept
        });
        if changes.len() == count {
            return;
        }
    }
}

impl Change {
    /// Returns a digest of all that was shown of the change and of what must hold when it is
    /// carried out, in hexadecimal.
    #[must_use]
    pub fn signature(&self) -> String {
        let Self {
            key,
            action,
            reason,
            origin: _,
            effect,
            replicas: _,
            has_data: _,
            id,
            adopts,
            fields,
            blocked,
            steps,
            after: _,
            record: _,
        } = self;
        let mut seal = Seal(Sha256::new());
        seal.word(key);
        seal.word(&format_args!("{action:?} {reason:?} {effect:?} {adopts:?}"));
        seal.word(id.as_ref().map_or("", RemoteId::as_str));
        seal.word(blocked.as_ref().map_or("", |it| it.reason.as_str()));
        for field in fields {
            seal.field(field);
        }
        for step in steps {
            seal.step(step);
        }
        hex::encode(seal.0.finalize())
    }
}

/// A digest of words, each with its length, so that no two sequences run together.
struct Seal(Sha256);

impl Seal {
    fn word(&mut self, word: &(impl fmt::Display + ?Sized)) {
        let text = word.to_string();
        self.0.update(text.len().to_be_bytes());
        self.0.update(text.as_bytes());
    }

    fn field(&mut self, field: &FieldChange) {
        let FieldChange { path, action, before, after, reason, sensitive, hint: _ } = field;
        self.word("field");
        self.word(path);
        self.word(match action {
            FieldAction::Add => "add",
            FieldAction::Change => "change",
            FieldAction::Remove => "remove",
            FieldAction::Leave => "leave",
        });
        self.word(match reason {
            FieldReason::Requested => "requested",
            FieldReason::Rotated(_) => "rotated",
            FieldReason::Drift => "drift",
            FieldReason::Derived => "derived",
            FieldReason::Later => "later",
            FieldReason::Unverifiable => "unverifiable",
            FieldReason::Accepted => "accepted",
            FieldReason::Flapping => "flapping",
        });
        for value in [before, after] {
            match value {
                Some(value) if !sensitive => self.value(value),
                Some(_) | None => self.word("-"),
            }
        }
    }

    fn value(&mut self, value: &FieldValue) {
        let kind = match value {
            FieldValue::Text(_) => "text",
            FieldValue::Integer(_) => "integer",
            FieldValue::Boolean(_) => "boolean",
            FieldValue::Set(_) => "set",
            FieldValue::Secret(_) => "secret",
            FieldValue::Reference(_) => "reference",
        };
        self.word(kind);
        match value {
            FieldValue::Set(items) => {
                self.word(&items.len());
                items.iter().for_each(|item| self.word(item));
            }
            // It shows only that it is a secret.
            FieldValue::Text(_)
            | FieldValue::Integer(_)
            | FieldValue::Boolean(_)
            | FieldValue::Secret(_)
            | FieldValue::Reference(_) => self.word(value),
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Create { fields } => {
                self.word("create");
                fields.keys().for_each(|path| self.word(path));
            }
            Step::Patch { id, fields, precondition } => {
                self.word("patch");
                self.word(id);
                fields.keys().for_each(|path| self.word(path));
                self.precondition(precondition);
            }
            Step::MakeWay { id, becomes, name, precondition } => {
                self.word("make way");
                self.word(id);
                self.word(becomes);
                self.word(name);
                self.precondition(precondition);
            }
            Step::Complete { fields, shown, after, deploys } => {
                self.word("complete");
                fields.keys().for_each(|path| self.word(path));
                after.iter().for_each(|key| self.word(key));
                self.word(deploys);
                self.shown(shown);
            }
            Step::Deploy { id, precondition } => {
                self.word("deploy");
                self.word(id);
                self.precondition(precondition);
            }
            Step::Delete { id, precondition } => {
                self.word("delete");
                self.word(id);
                self.precondition(precondition);
            }
        }
    }

    fn precondition(&mut self, precondition: &Precondition) {
        let Precondition { name, created_at, fields } = precondition;
        self.word(name);
        self.word(created_at.as_deref().unwrap_or("-"));
        self.shown(fields);
    }

    fn shown(&mut self, fields: &BTreeMap<FieldPath, Option<LiveValue>>) {
        for (path, shown) in fields {
            self.word(path);
            match shown {
                Some(LiveValue::Shown(value)) => self.value(value),
                Some(LiveValue::Hidden) => self.word("hidden"),
                Some(LiveValue::Absent) => self.word("absent"),
                None => self.word("unknown"),
            }
        }
    }
}
