//! Generated values in a row: which of them a variable has, and when the next one takes its place.
//!
//! Each is derived from the local key and its number, so the same number is the same value on every
//! run: a crash between a write and its record cannot make two (L3).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Desired, EnvKey, FieldPath, FieldValue, Inventory, Key, Secret};

/// How long a generated value is used before the next one takes its place: 1 to 3650 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationPeriod {
    days: u16,
}

impl RotationPeriod {
    /// The longest one, in days: ten years.
    pub const DAYS_MAX: u16 = 3650;

    /// Returns it in days.
    #[must_use]
    pub const fn days(self) -> u16 {
        self.days
    }

    /// Whether a value that was written then is to be replaced now.
    fn is_over(self, since: Timestamp, now: Timestamp) -> bool {
        now.duration_since(since) >= SignedDuration::from_hours(24 * i64::from(self.days))
    }
}

/// `90d`, as manifests write it.
impl fmt::Display for RotationPeriod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}d", self.days)
    }
}

impl FromStr for RotationPeriod {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_number =
            |days: &&str| !days.starts_with('0') && days.bytes().all(|byte| byte.is_ascii_digit());
        let days = text.strip_suffix('d').filter(is_number).and_then(|days| days.parse().ok());
        match days {
            Some(days @ 1..=Self::DAYS_MAX) => Ok(Self { days }),
            Some(_) | None => {
                Err(format!("`{text}` is not a number of days from `1d` to `{}d`", Self::DAYS_MAX))
            }
        }
    }
}

/// Why a generated value is replaced by the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationCause {
    /// It was used for as long as its manifest says.
    Age(RotationPeriod),
    /// A person asked for it: `stoker rotate`.
    Order,
}

/// A declared variable whose value is generated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GeneratedValue {
    /// How long each value is used; for ever, where nothing is said.
    pub rotate: Option<RotationPeriod>,
    /// Which value of the row it is, from 0.
    pub number: u32,
    /// Why it is another one than before, if it is.
    pub cause: Option<RotationCause>,
}

/// What is remembered of a generated value that was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Generation {
    /// Which value of the row it is, from 0.
    pub number: u32,
    /// Whether a person asked for the next one, which was not written since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_ordered: bool,
}

impl Generation {
    /// Returns what is remembered of it once its variable is gone: an order that was not carried out
    /// is, by the next one that has the name.
    #[must_use]
    pub fn retired(self) -> Self {
        let number = self.number.saturating_add(u32::from(self.is_ordered));
        Self { number, is_ordered: false }
    }
}

/// Derives generated values. Only the room `secret` has the key for it.
pub trait DeriveValue: Send + Sync {
    /// Returns a value of the row that belongs to a variable; the same on every call.
    fn derive(&self, key: &Key, env_key: &EnvKey, number: u32) -> Secret;

    /// Returns what tells the key from others, and says nothing of it.
    fn mark(&self) -> String;
}

/// What generated values are derived with. Its `Debug` shows nothing.
#[derive(Clone)]
pub struct Derivation(Arc<dyn DeriveValue>);

impl Derivation {
    /// Wraps what derives values.
    #[must_use]
    pub fn new(with: impl DeriveValue + 'static) -> Self {
        Self(Arc::new(with))
    }
}

impl fmt::Debug for Derivation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Derivation(…)")
    }
}

/// Two are equal when they derive the same values.
impl PartialEq for Derivation {
    fn eq(&self, other: &Self) -> bool {
        self.0.mark() == other.0.mark()
    }
}

impl Eq for Derivation {}

impl Desired {
    /// Returns what is wanted now: each generated value is the one that was written last, or the next
    /// one where that is due.
    ///
    /// *Guarantees*: of the same memory and the same time it is the same. What is not remembered
    /// begins with the first value. Nothing is copied where every value is the first.
    #[must_use]
    pub fn in_turn(self: Arc<Self>, inventory: &Inventory, now: Timestamp) -> Arc<Self> {
        let Some(derivation) = &self.derivation else { return self };
        let mut turned = Vec::new();
        for (key, resource) in &self.resources {
            for (env_key, value) in &resource.generated {
                let value = value.in_turn(key, env_key, inventory, now);
                if value.number > 0 {
                    turned.push((key.clone(), env_key.clone(), value));
                }
            }
        }
        if turned.is_empty() {
            return self;
        }
        let derivation = derivation.clone();
        let mut desired = Self::clone(&self);
        for (key, env_key, value) in turned {
            let secret = derivation.0.derive(&key, &env_key, value.number);
            let before = derivation.0.derive(&key, &env_key, value.number.saturating_sub(1));
            desired.replaced.push(before);
            let Some(resource) = desired.resources.get_mut(&key) else { continue };
            if let Some(field) = resource.fields.get_mut(&FieldPath::Env(env_key.clone())) {
                field.value = FieldValue::from(secret);
                resource.generated.insert(env_key, value);
            }
        }
        desired.into()
    }
}

impl GeneratedValue {
    /// Returns what is remembered of it once it was written: an order is carried out by that.
    #[must_use]
    pub const fn written(self) -> Generation {
        Generation { number: self.number, is_ordered: false }
    }

    /// Returns which value it is by what is remembered.
    fn in_turn(self, key: &Key, env_key: &EnvKey, inventory: &Inventory, now: Timestamp) -> Self {
        let known = inventory.generation(key, env_key);
        let entry = inventory.entries.get(key);
        let path = FieldPath::Env(env_key.clone());
        let since = entry.and_then(|entry| entry.changed_at.get(&path));
        let is_over = |period: &RotationPeriod| since.is_some_and(|at| period.is_over(*at, now));
        let by_age = self.rotate.filter(is_over).map(RotationCause::Age);
        let cause = if known.is_ordered { Some(RotationCause::Order) } else { by_age };
        let number = known.number.saturating_add(u32::from(cause.is_some()));
        Self { number, cause, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_number_of_days() {
        for (text, days) in [("1d", 1), ("90d", 90), ("3650d", 3650)] {
            let period: RotationPeriod = text.parse().unwrap();
            assert_eq!((period.days(), period.to_string().as_str()), (days, text));
        }
        for wrong in
            ["", "d", "0d", "3651d", "90", "90h", "+9d", "-1d", "1.5d", "99999d", "9 d", "09d"]
        {
            assert!(wrong.parse::<RotationPeriod>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_value_is_over_when_its_last_day_has_ended() {
        let period: RotationPeriod = "90d".parse().unwrap();
        let since: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let is_over = |now: &str| period.is_over(since, now.parse().unwrap());
        assert!(!is_over("2026-03-31T23:59:59Z") && is_over("2026-04-01T00:00:00Z"));
        assert!(!is_over("2025-12-31T00:00:00Z"), "a clock that was set back makes nothing old");
    }
}
