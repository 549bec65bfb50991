//! Which trouble is wanted: families of it, as `--faults` names them.

use std::collections::BTreeSet;
use std::str::FromStr;

/// A family of trouble, as `--faults` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Faults of the API.
    Api,
    /// The process dies, anywhere.
    Crashes,
    /// The disk fails, is full, or loses what it had not synced.
    Disk,
    /// The source of the manifests fails.
    Source,
    /// People and other tools at the platform.
    People,
    /// The token loses rights, the quota is reached, another client spends the budget.
    Token,
    /// Clocks jump.
    Clock,
    /// A second agent keeps the same project.
    Second,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 8] = [
        Self::Api,
        Self::Crashes,
        Self::Disk,
        Self::Source,
        Self::People,
        Self::Token,
        Self::Clock,
        Self::Second,
    ];

    /// Returns its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Crashes => "crashes",
            Self::Disk => "disk",
            Self::Source => "source",
            Self::People => "people",
            Self::Token => "token",
            Self::Clock => "clock",
            Self::Second => "second",
        }
    }
}

impl FromStr for Family {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|family| family.as_str() == text);
        let words = Self::ALL.map(Self::as_str).join(", ");
        found.ok_or_else(|| format!("`{text}` is not one of {words}"))
    }
}

/// How much trouble is wanted, and of which families.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The families.
    pub families: BTreeSet<Family>,
    /// How long it lasts, in seconds of the simulation.
    pub seconds: u64,
}

impl Default for Trouble {
    /// Everything, for an hour or so: what most seeds need to show what they can.
    fn default() -> Self {
        Self { families: Family::ALL.into(), seconds: 3_600 }
    }
}
