//! Declared values that we never wrote and that the platform does not show: nobody can tell whether
//! they are as declared.
//!
//! They are told of until a person settles them: by having them written, or by taking what lives for
//! what is declared. Both can be said once, of a run, or for good, in the manifest.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::model::{FieldPath, Key, Resource, Unsettled};

use super::field::Comparison;
use super::{Change, FieldAction, FieldChange, FieldReason, Plan, Policy, flapping};

/// What a person says of fields that cannot be compared, in one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settlements {
    /// These are written.
    pub write: BTreeSet<FieldAddress>,
    /// Of these, what lives is taken for what is declared.
    pub accept: BTreeSet<FieldAddress>,
}

/// A resource, or one field of it: `service/api`, `service/api:envVars.TOKEN`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldAddress {
    /// The resource.
    pub key: Key,
    /// The field; all of them where none is named.
    pub path: Option<FieldPath>,
}

impl FieldAddress {
    fn covers(&self, key: &Key, path: &FieldPath) -> bool {
        self.key == *key && self.path.as_ref().is_none_or(|it| it == path)
    }
}

impl fmt::Display for FieldAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, path } = self;
        write!(formatter, "{key}")?;
        path.as_ref().map_or(Ok(()), |path| write!(formatter, ":{path}"))
    }
}

impl FromStr for FieldAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, path) = match text.split_once(':') {
            Some((key, path)) => (key, Some(path.parse()?)),
            None => (text, None),
        };
        Ok(Self { key: key.parse()?, path })
    }
}

/// What becomes of a field that cannot be compared.
pub(super) enum Settlement {
    /// It is written.
    Written,
    /// What lives is taken for what is declared.
    Accepted,
    /// It is left alone, and this is how a person settles it.
    Open(String),
}

/// Says what becomes of a field that cannot be compared. What is said of a run outweighs the
/// manifest; what cannot be changed is never written; what the platform shows to be other is never
/// taken for what is declared.
pub(super) fn settlement(
    resource: &Resource,
    comparison: &Comparison<'_>,
    policy: &Policy,
) -> Settlement {
    let (key, path) = (&resource.key, comparison.path);
    let covers =
        |places: &BTreeSet<FieldAddress>| places.iter().any(|place| place.covers(key, path));
    let Settlements { write, accept } = &policy.request.settlements;
    let wish = if covers(write) {
        Unsettled::Write
    } else if covers(accept) {
        Unsettled::Accept
    } else if policy.permissions.write_unverifiable {
        Unsettled::Write
    } else {
        resource.lifecycle.unsettled
    };
    match wish {
        Unsettled::Write if comparison.is_changeable() => Settlement::Written,
        Unsettled::Accept if !comparison.is_seen() => Settlement::Accepted,
        Unsettled::Report | Unsettled::Write | Unsettled::Accept => {
            Settlement::Open(advice(resource, comparison))
        }
    }
}

/// The ways to settle a field, one line for it.
fn advice(resource: &Resource, comparison: &Comparison<'_>) -> String {
    let (key, path) = (&resource.key, comparison.path);
    let written =
        comparison.is_changeable().then(|| format!("`--write-unsettled {key}:{path}` writes it"));
    let left = if comparison.is_seen() {
        let line = flapping::ignore_line(&resource.lifecycle, std::iter::once(path));
        format!("`{line}` leaves it as it is")
    } else {
        format!("`--accept-unsettled {key}:{path}` accepts the live value")
    };
    written.into_iter().chain([left]).collect::<Vec<_>>().join(", ")
}

impl Change {
    /// Returns the declared values of which nobody can tell whether they are so. Of what is blocked
    /// its obstacle is told.
    pub fn unsettled(&self) -> impl Iterator<Item = &FieldChange> {
        let fields = self.fields.iter().filter(|_| self.blocked.is_none());
        fields.filter(|field| field.is_unsettled())
    }
}

impl FieldChange {
    /// Whether nobody can tell if it is as declared, and it is left alone.
    #[must_use]
    pub fn is_unsettled(&self) -> bool {
        self.reason == FieldReason::Unverifiable && self.action == FieldAction::Leave
    }
}

impl Plan {
    /// Whether declared values wait for a person to settle them. Without any memory of what was
    /// written nobody knows.
    #[must_use]
    pub fn is_unsettled(&self) -> bool {
        self.summary().unsettled > 0
    }
}
