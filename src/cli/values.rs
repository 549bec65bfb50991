//! The values flags take, parsed at the door.

pub mod variable;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use crate::model::{Key, Kind, RemoteId};
use crate::status::{ConditionType, Truth};

/// A duration as people write it: `300ms`, `90s`, `5m`, `2h30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub Duration);

/// The units of durations, the largest first, in milliseconds.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A year: beyond it a date is meant, and sums with a clock could overflow.
const SPAN_MAX: u64 = 366 * 86_400_000;

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("`{text}` is not a duration such as 90s, 5m or 2h30m");
        let mut millis = 0_u64;
        let mut rest = text;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
            let (number, unit) = rest.split_at(digits);
            let letters = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
            let (unit, further) = unit.split_at(letters);
            let known = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
            let number: u64 = number.parse().map_err(|_| wrong())?;
            let part = number.checked_mul(known.1);
            millis = part.and_then(|part| millis.checked_add(part)).ok_or_else(wrong)?;
            rest = further;
        }
        let is_some = !text.is_empty() && millis <= SPAN_MAX;
        if is_some { Ok(Self(Duration::from_millis(millis))) } else { Err(wrong()) }
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// As it is written: `2h30m`.
impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if millis == 0 {
            return formatter.write_str("0s");
        }
        for (name, length) in UNITS {
            if millis >= length {
                write!(formatter, "{}{name}", millis / length)?;
                millis %= length;
            }
        }
        Ok(())
    }
}

/// A value, or the word `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "OffForm", bound(deserialize = "T: FromStr<Err: fmt::Display>"))]
pub enum OrOff<T: fmt::Display> {
    /// Nothing of the kind.
    Off,
    /// The value.
    On(T),
}

/// YAML 1.1 reads `off` as a boolean, so somebody's editor may write `false`.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a text, or `off`")]
enum OffForm {
    Truth(bool),
    Text(String),
}

impl<T: fmt::Display> OrOff<T> {
    /// Returns the value, when it is not off.
    pub fn on(self) -> Option<T> {
        match self {
            Self::Off => None,
            Self::On(value) => Some(value),
        }
    }
}

impl<T: FromStr<Err: fmt::Display> + fmt::Display> FromStr for OrOff<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let value = text.parse().map_err(|error| format!("{error}; or write off"))?;
        Ok(Self::On(value))
    }
}

impl<T: FromStr<Err: fmt::Display> + fmt::Display> TryFrom<OffForm> for OrOff<T> {
    type Error = String;

    fn try_from(form: OffForm) -> Result<Self, Self::Error> {
        match form {
            OffForm::Truth(false) => Ok(Self::Off),
            OffForm::Truth(true) => Err("a value is missing; or write off".to_owned()),
            OffForm::Text(text) => text.parse(),
        }
    }
}

impl<T: fmt::Display> fmt::Display for OrOff<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => formatter.write_str("off"),
            Self::On(value) => value.fmt(formatter),
        }
    }
}

/// Requests a minute: `285/m`, or `285`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RateForm")]
pub struct Rate(pub u32);

/// A settings file may hold the bare number.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a rate from 0/m to 300/m")]
enum RateForm {
    Number(u32),
    Text(String),
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.strip_suffix("/m").unwrap_or(text);
        match number.parse() {
            // The API takes 300 a minute (F8); a higher figure could only provoke refusals.
            Ok(rate @ 0..=300) => Ok(Self(rate)),
            _ => Err(format!("`{text}` is not a rate from 0/m to 300/m")),
        }
    }
}

/// As it is written: `285/m`.
impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/m", self.0)
    }
}

impl TryFrom<RateForm> for Rate {
    type Error = String;

    fn try_from(form: RateForm) -> Result<Self, Self::Error> {
        match form {
            RateForm::Number(number) => number.to_string().parse(),
            RateForm::Text(text) => text.parse(),
        }
    }
}

/// `KEY=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) =
            text.split_once('=').ok_or_else(|| format!("`{text}` is not KEY=VALUE"))?;
        Ok(Self { key: key.trim().to_owned(), value: value.trim().to_owned() })
    }
}

/// `--prune`, `--prune=services,databases`, `--prune=false`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "PruneForm")]
pub struct PruneKinds(pub BTreeSet<Kind>);

/// A settings file may hold a boolean, a text or a list.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a boolean, or a list of kinds")]
enum PruneForm {
    Truth(bool),
    Text(String),
    List(Vec<String>),
}

impl FromStr for PruneKinds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "true" | "all" => Ok(Self(Kind::ALL.into())),
            "false" | "none" | "off" => Ok(Self(BTreeSet::new())),
            kinds => {
                kinds.split(',').map(|kind| kind.trim().parse()).collect::<Result<_, _>>().map(Self)
            }
        }
    }
}

/// As it is written: `services,databases`, or `off`.
impl fmt::Display for PruneKinds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return formatter.write_str("off");
        }
        let kinds: Vec<&str> = self.0.iter().map(|kind| kind.plural()).collect();
        formatter.write_str(&kinds.join(","))
    }
}

impl TryFrom<PruneForm> for PruneKinds {
    type Error = String;

    fn try_from(form: PruneForm) -> Result<Self, Self::Error> {
        match form {
            PruneForm::Truth(truth) => truth.to_string().parse(),
            PruneForm::Text(text) => text.parse(),
            PruneForm::List(kinds) => kinds.join(",").parse(),
        }
    }
}

/// `KIND` or `KIND/NAME`. The name may be any live one, not only one a manifest could declare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    kind: Kind,
    name: Option<String>,
}

impl Selector {
    /// Whether it selects a resource.
    #[must_use]
    pub fn covers(&self, kind: Kind, name: &str) -> bool {
        self.kind == kind && self.name.as_deref().is_none_or(|wanted| wanted == name)
    }

    /// Whether a resource is selected by any of these; by an empty list, always.
    #[must_use]
    pub fn any(selectors: &[Self], kind: Kind, name: &str) -> bool {
        selectors.is_empty() || selectors.iter().any(|selector| selector.covers(kind, name))
    }

    /// Returns the kind it selects from.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the name, when it names one resource.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether it names one resource rather than a kind.
    #[must_use]
    pub const fn is_one(&self) -> bool {
        self.name.is_some()
    }
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((_, "")) => Err(format!("`{text}` lacks a name after the slash")),
            Some((kind, name)) => Ok(Self { kind: kind.parse()?, name: Some(name.to_owned()) }),
            None => Ok(Self { kind: text.parse()?, name: None }),
        }
    }
}

impl std::fmt::Display for Selector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(formatter, "{}/{name}", self.kind),
            None => formatter.write_str(self.kind.plural()),
        }
    }
}

/// `KIND/NAME=ID`: a person's approval to replace that very object (S8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved {
    /// The resource.
    pub key: Key,
    /// The object.
    pub id: RemoteId,
}

impl FromStr for Approved {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, id) =
            text.split_once('=').ok_or_else(|| format!("`{text}` is not KIND/NAME=ID"))?;
        Ok(Self { key: key.parse()?, id: RemoteId::new(id).map_err(|error| error.to_string())? })
    }
}

/// `KIND/NAME` or `KIND/NAME=ID`: what a person says is that resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// The resource.
    pub key: Key,
    /// The object, where its name does not say which.
    pub id: Option<RemoteId>,
}

impl FromStr for Adopted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains('=') {
            let Approved { key, id } = text.parse()?;
            return Ok(Self { key, id: Some(id) });
        }
        Ok(Self { key: text.parse()?, id: None })
    }
}

/// What `stoker wait` waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitGoal {
    /// A condition is so. `Ready` as the platform shows it: it lives, and its last deployment
    /// succeeded.
    Condition(ConditionType, Truth),
    /// It is gone.
    Deleted,
}

impl FromStr for WaitGoal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "delete" {
            return Ok(Self::Deleted);
        }
        let wrong = || format!("`{text}` is neither condition=Ready nor delete");
        let condition = text.strip_prefix("condition=").ok_or_else(wrong)?;
        let (kind, truth) = condition.split_once('=').unwrap_or((condition, "True"));
        let kinds = ConditionType::ALL.into_iter();
        let kind = kinds.into_iter().find(|one| one.as_str().eq_ignore_ascii_case(kind));
        let truth = match truth.to_ascii_lowercase().as_str() {
            "true" => Some(Truth::True),
            "false" => Some(Truth::False),
            "unknown" => Some(Truth::Unknown),
            _ => None,
        };
        match kind.zip(truth) {
            Some((kind, truth)) => Ok(Self::Condition(kind, truth)),
            None => Err(format!(
                "unknown condition `{text}`: expected Ready, Reconciling, Stalled or Drifted, with \
                 =True, =False or =Unknown"
            )),
        }
    }
}

impl std::fmt::Display for WaitGoal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Condition(ConditionType::Ready, Truth::True) => formatter.write_str("ready"),
            Self::Condition(kind, truth) => write!(formatter, "{}={truth:?}", kind.as_str()),
            Self::Deleted => formatter.write_str("gone"),
        }
    }
}

#[cfg(test)]
#[path = "values_tests.rs"]
mod tests;
