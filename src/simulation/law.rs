//! The laws of `safety.md`, and what a run says of each: how often it was at risk, and whether it held.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Law {
    /// The right to delete.
    S1,
    /// Complete views.
    S2,
    /// No duplicates.
    S3,
    /// The rate.
    S4,
    /// The pin.
    S5,
    /// One desired state.
    S6,
    /// The fuse.
    S7,
    /// No hidden replace.
    S8,
    /// Secrets.
    S9,
    /// What was shown.
    S10,
    /// Protection outlives its manifest.
    S11,
    /// Bounded.
    S12,
    /// It settles.
    L1,
    /// Fair.
    L2,
    /// Crash-proof.
    L3,
    /// No hidden orphan.
    L4,
}

impl Law {
    /// Every law, in the order of `safety.md`.
    pub const ALL: [Self; 16] = [
        Self::S1,
        Self::S2,
        Self::S3,
        Self::S4,
        Self::S5,
        Self::S6,
        Self::S7,
        Self::S8,
        Self::S9,
        Self::S10,
        Self::S11,
        Self::S12,
        Self::L1,
        Self::L2,
        Self::L3,
        Self::L4,
    ];

    /// Returns its name, as `S1`.
    #[must_use]
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// Returns what it promises, in one line.
    #[must_use]
    pub const fn promise(self) -> &'static str {
        match self {
            Self::S1 => "only what we made, or were given, is deleted, after one more look at it",
            Self::S2 => "\"it is not there\" is believed of complete listings only",
            Self::S3 => "nothing is made twice, also after a lost answer",
            Self::S4 => {
                "never more requests in any minute than allowed, and none when told to wait"
            }
            Self::S5 => "no write reaches another project",
            Self::S6 => "manifests that cannot be used delete nothing",
            Self::S7 => "few deletes at once, and no database without permission",
            Self::S8 => "nothing is deleted to be made again",
            Self::S9 => "a secret's value is in request bodies and nowhere else",
            Self::S10 => "what is written was looked at right before, and is what was asked for",
            Self::S11 => "protection outlives its manifest",
            Self::S12 => "no panic, whatever the platform answers",
            Self::L1 => "after the trouble all is as declared, and then nothing is written",
            Self::L2 => "one that always fails does not delay the others",
            Self::L3 => "killed anywhere, it makes and deletes as though it had not been",
            Self::L4 => "what we made is remembered",
        }
    }
}

/// What runs say of one law.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LawFinding {
    /// How often the situation occurred in which it could break.
    pub at_risk: u64,
    /// How it broke, each time in one sentence.
    pub broken: Vec<String>,
}

/// What a run says of every law. A law that is not in it was never at risk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LawFindings(BTreeMap<Law, LawFinding>);

impl LawFindings {
    /// Counts a situation in which a law could break.
    pub(super) fn risk(&mut self, law: Law) {
        self.risks(law, 1);
    }

    /// Counts several.
    pub(super) fn risks(&mut self, law: Law, count: u64) {
        self.0.entry(law).or_default().at_risk += count;
    }

    /// Says that a law must hold here: a situation in which it could break, and whether it did.
    pub(super) fn check(&mut self, law: Law, holds: bool, how: impl FnOnce() -> String) {
        self.risk(law);
        if !holds {
            self.broke(law, how());
        }
    }

    /// Says that a law was broken.
    pub(super) fn broke(&mut self, law: Law, how: String) {
        self.0.entry(law).or_default().broken.push(how);
    }

    /// Returns what is said of a law.
    #[must_use]
    pub fn of(&self, law: Law) -> LawFinding {
        self.0.get(&law).cloned().unwrap_or_default()
    }

    /// Returns the laws that were broken, each with its first break.
    pub fn broken(&self) -> impl Iterator<Item = (Law, &str)> {
        self.0.iter().filter_map(|(law, finding)| Some((*law, finding.broken.first()?.as_str())))
    }
}
