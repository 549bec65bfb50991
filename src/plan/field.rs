//! One field, three ways: what is declared, what lives, what was last applied.
//!
//! Nothing proves that the platform shows every setting back (`docs/platform.md`), so a
//! field that is not shown is compared with what we wrote, and one we did not write is unknown.

use crate::model::{
    Applied, FieldPath, FieldValue, Kind, LiveValue, Mutability, RotationCause, SecretOrigin,
    Setting, is_refined, is_same, is_secret_at, policy,
};

use super::{FieldAction, FieldChange, FieldReason};

/// How a declared field compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldVerdict {
    /// It is as declared.
    Agrees,
    /// It is not, and this is why.
    Differs(FieldReason),
    /// Nobody can tell, and nobody wrote it.
    Unverifiable,
}

/// One declared field with all that is known of it.
#[derive(Clone, Copy)]
pub(super) struct Comparison<'a> {
    pub kind: Kind,
    pub path: &'a FieldPath,
    pub desired: &'a FieldValue,
    pub shown: Option<&'a LiveValue>,
    pub applied: Option<&'a Applied>,
    /// Whether what is not in our memory was never written: we made the object.
    pub is_whole: bool,
    /// Why it is declared with another generated value than before, if it is.
    pub cause: Option<RotationCause>,
}

impl Comparison<'_> {
    /// The table of `docs/platform.md`, row by row.
    pub fn verdict(&self) -> FieldVerdict {
        let is_as_applied = || self.applied.map(|applied| self.equals_applied(applied));
        let verdict = match self.shown {
            Some(LiveValue::Shown(value)) if self.equals(value) || self.is_refined(value) => {
                FieldVerdict::Agrees
            }
            Some(LiveValue::Absent) if self.is_nothing() => FieldVerdict::Agrees,
            Some(LiveValue::Shown(_) | LiveValue::Absent) => match is_as_applied() {
                Some(true) => FieldVerdict::Differs(FieldReason::Drift),
                Some(false) | None => FieldVerdict::Differs(FieldReason::Requested),
            },
            Some(LiveValue::Hidden) | None => match is_as_applied() {
                Some(true) => FieldVerdict::Agrees,
                Some(false) => FieldVerdict::Differs(FieldReason::Requested),
                // We made it and never wrote this field: it is new in the manifest.
                None if self.is_whole && self.is_changeable() => {
                    FieldVerdict::Differs(FieldReason::Requested)
                }
                None => FieldVerdict::Unverifiable,
            },
        };
        match (verdict, self.cause) {
            (FieldVerdict::Differs(FieldReason::Requested), Some(cause)) => {
                FieldVerdict::Differs(FieldReason::Rotated(cause))
            }
            // Another machine derives another value: what it wrote is not ours to overwrite.
            (FieldVerdict::Differs(FieldReason::Requested), None) if self.may_be_anothers_key() => {
                FieldVerdict::Unverifiable
            }
            (FieldVerdict::Agrees | FieldVerdict::Differs(_) | FieldVerdict::Unverifiable, _) => {
                verdict
            }
        }
    }

    /// Whether the platform shows another value: a generated one, which may be another machine's.
    pub fn is_seen(&self) -> bool {
        matches!(self.shown, Some(LiveValue::Shown(_)))
    }

    /// Whether the values must not be shown. What the platform shows may be an older secret under
    /// a name that is harmless now, or the value a reference resolves to.
    pub fn is_sensitive(&self) -> bool {
        let is_variable_of_ours = match (self.path, self.desired) {
            (FieldPath::Env(_), FieldValue::Reference(_)) => self.shows_a_plain_value(),
            (FieldPath::Env(_) | FieldPath::Setting(_), _) => false,
        };
        let shows_secret = matches!(
            self.shown,
            Some(LiveValue::Shown(value)) if is_secret_at(self.path, value)
        );
        is_secret_at(self.path, self.desired)
            || is_variable_of_ours
            || shows_secret
            || matches!(self.applied, Some(Applied::Secret(_)))
    }

    pub fn change(&self, reason: FieldReason) -> FieldChange {
        let sensitive = self.is_sensitive();
        let (action, before) = match self.shown {
            Some(LiveValue::Shown(value)) => (FieldAction::Change, Some(value.clone())),
            Some(LiveValue::Absent) => (FieldAction::Add, None),
            Some(LiveValue::Hidden) | None => (FieldAction::Change, None),
        };
        FieldChange {
            path: self.path.clone(),
            action,
            before: before.filter(|_| !sensitive),
            after: Some(self.desired.clone()).filter(|_| !sensitive),
            reason,
            sensitive,
            hint: None,
        }
    }

    /// Whether what can only grow is declared smaller than what is there or was written. Other
    /// numbers, as of instances, go up and down.
    pub fn shrinks(&self) -> bool {
        match policy(self.kind, self.path).mutability {
            Mutability::GrowOnly => {}
            Mutability::Mutable | Mutability::Immutable => return false,
        }
        let there = match (self.shown, self.applied) {
            (Some(LiveValue::Shown(FieldValue::Integer(size))), _) => Some(*size),
            (_, Some(Applied::Integer(size))) => Some(*size),
            (_, _) => None,
        };
        match (self.desired, there) {
            (FieldValue::Integer(wanted), Some(size)) => *wanted < size,
            (_, _) => false,
        }
    }

    /// Whether the platform made of the value what is there, as it does by itself. Who declares less
    /// than was written asks for something else.
    fn is_refined(&self, shown: &FieldValue) -> bool {
        let asks_for_less = match (self.desired, self.applied) {
            (FieldValue::Integer(wanted), Some(Applied::Integer(applied))) => wanted < applied,
            (FieldValue::Integer(_), None) => self.is_whole,
            (_, _) => false,
        };
        let is_size = *self.path != FieldPath::Setting(Setting::Version);
        !(is_size && asks_for_less) && is_refined(self.kind, self.path, self.desired, shown)
    }

    fn may_be_anothers_key(&self) -> bool {
        let is_generated = match self.desired {
            FieldValue::Secret(secret) => secret.origin() == SecretOrigin::Generated,
            FieldValue::Text(_)
            | FieldValue::Integer(_)
            | FieldValue::Boolean(_)
            | FieldValue::Set(_)
            | FieldValue::Reference(_) => false,
        };
        let is_known_to_be_new = match self.shown {
            Some(LiveValue::Absent) => true,
            None => self.is_whole && self.applied.is_none(),
            Some(LiveValue::Shown(_) | LiveValue::Hidden) => false,
        };
        is_generated && !is_known_to_be_new
    }

    /// Whether a PATCH can change the field. A new value for one it cannot change would only block
    /// the resource, while the platform may well have that value by default.
    pub fn is_changeable(&self) -> bool {
        match policy(self.kind, self.path).mutability {
            Mutability::Mutable | Mutability::GrowOnly => true,
            Mutability::Immutable => false,
        }
    }

    fn shows_a_plain_value(&self) -> bool {
        match self.shown {
            Some(
                LiveValue::Shown(FieldValue::Reference(_)) | LiveValue::Hidden | LiveValue::Absent,
            )
            | None => false,
            Some(LiveValue::Shown(_)) => true,
        }
    }

    fn equals(&self, shown: &FieldValue) -> bool {
        let Self { kind, path, .. } = *self;
        match (self.desired, shown) {
            // The platform echoes a secret in plain, or shows what was plain as a secret.
            (FieldValue::Secret(secret), plain) if !plain.is_sensitive() => {
                let is_spelt_alike = || match path {
                    // A repository has many spellings, with a login in it, too.
                    FieldPath::Setting(_) => {
                        is_same(kind, path, &FieldValue::Text(secret.expose().to_owned()), plain)
                    }
                    FieldPath::Env(_) => false,
                };
                secret.is(&plain.to_string()) || is_spelt_alike()
            }
            (FieldValue::Text(text), FieldValue::Secret(secret)) => secret.is(text),
            // A variable is a text, whatever type its JSON had.
            (FieldValue::Text(text), FieldValue::Integer(_) | FieldValue::Boolean(_))
                if matches!(path, FieldPath::Env(_)) =>
            {
                *text == shown.to_string()
            }
            (desired, shown) => is_same(kind, path, desired, shown),
        }
    }

    fn equals_applied(&self, applied: &Applied) -> bool {
        if applied.is_of(self.desired) {
            return true;
        }
        let plain = match applied {
            // Only the very same secret is it, and that was asked.
            Applied::Secret(_) => return false,
            Applied::Text(text) => FieldValue::Text(text.clone()),
            Applied::Integer(number) => FieldValue::Integer(*number),
            Applied::Boolean(truth) => FieldValue::Boolean(*truth),
            Applied::Set(items) => FieldValue::Set(items.clone()),
            Applied::Reference(reference) => FieldValue::Reference(reference.clone()),
        };
        self.equals(&plain)
    }

    /// Whether the declared value and no value are one: an empty set, an empty setting. An empty
    /// variable is a value.
    fn is_nothing(&self) -> bool {
        match (self.path, self.desired) {
            (FieldPath::Setting(_), FieldValue::Text(text)) => text.is_empty(),
            (FieldPath::Setting(_), FieldValue::Set(items)) => items.is_empty(),
            (FieldPath::Setting(_) | FieldPath::Env(_), _) => false,
        }
    }
}
