//! What we remember: which objects are ours, by what right, and what we last wrote to them.
//!
//! An unknown field is refused on reading: written back without it, a protection could be lost.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Applied, EnvKey, FieldPath, Generation, Key, Kind, Lifecycle, Name, Project, RemoteId, moment,
};

/// How long after its creation an object may yet be unknown to a stale replica (S3).
const STALENESS: SignedDuration = SignedDuration::from_secs(60);

/// The memory of one project. Saved after each success, read whole at the start of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Inventory {
    /// The origin and project every write must match (S5); none before the first write.
    pub pin: Option<Pin>,
    /// What is ours, by key.
    pub entries: BTreeMap<Key, Entry>,
    /// Creates that were begun and are not known to have ended (S3).
    pub intents: BTreeMap<Key, Intent>,
    /// Services whose last PATCH may have happened, and whose deploy was not accepted since, where
    /// a PATCH takes effect only with one (A6). What runs may be older than what is shown.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub deploys_owed: BTreeSet<RemoteId>,
    /// The deletes of the last hour, each once however often it was sent: the fuse counts over an
    /// hour, whoever sends the next one (S7).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deletes: Vec<SentDelete>,
    /// Which generated values were in use last by resources that are not ours any more: one that was
    /// replaced never comes back, whoever creates the resource again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub retired: BTreeMap<Key, BTreeMap<EnvKey, Generation>>,
}

impl Inventory {
    /// Whether it holds marks of secrets: they say something only together with the key they were
    /// made with.
    #[must_use]
    pub fn holds_marks(&self) -> bool {
        let entries = self.entries.values().flat_map(|entry| entry.applied.values());
        let intents = self.intents.values().flat_map(|intent| intent.applied.values());
        entries.chain(intents).any(|applied| matches!(applied, Applied::Secret(_)))
    }

    /// Returns which value of its row a generated variable has, as far as we remember: else the first.
    #[must_use]
    pub fn generation(&self, key: &Key, env_key: &EnvKey) -> Generation {
        let entry = self.entries.get(key).and_then(|entry| entry.generated.get(env_key));
        let retired = || self.retired.get(key)?.get(env_key);
        entry.or_else(retired).copied().unwrap_or_default()
    }

    /// Whether nothing was ever written down: what was written before, if anything, was with
    /// another state.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.pin.is_none() && self.entries.is_empty() && self.intents.is_empty()
    }
}

/// What every write must match (S5).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The API's origin and base path, for example `https://api.stackblaze.cloud/v1`.
    pub origin: String,
    /// The project; compared by id, or by name when it has none (A12).
    pub project: Project,
}

impl Pin {
    /// Whether the API at an origin, answering for a project, is the pinned one.
    ///
    /// A pin without an id is one of the name alone (A12), whatever else is shown later; one with
    /// an id holds for no project that shows none.
    #[must_use]
    pub fn holds(&self, origin: &str, project: &Project) -> bool {
        let is_same_project = match (&self.project.id, &project.id) {
            (Some(ours), Some(theirs)) => ours == theirs,
            (None, _) => self.project.name == project.name,
            (Some(_), None) => false,
        };
        self.origin == origin && is_same_project
    }
}

/// By what right an object is ours (S1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Claim {
    /// We saw the 201 of its creation.
    Created,
    /// A person said so (`stoker adopt`).
    Adopted,
    /// A manifest declares its name. Gives the right to change it, never to delete it.
    Named,
    /// It appeared after a create of ours whose answer was lost. Never deleted until a person
    /// confirms (S3).
    Presumed,
}

/// What the manifest said of deletion, remembered after the manifest is gone (S11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Remembered {
    /// `lifecycle.prune`, when written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prune: Option<bool>,
    /// `lifecycle.protect`.
    #[serde(default)]
    pub protect: bool,
    /// Whether `managementPolicies` withheld `Delete`.
    #[serde(default)]
    pub delete_withheld: bool,
}

impl Remembered {
    /// Returns the words that keep the resource from being deleted, if any do.
    #[must_use]
    pub const fn protects(self) -> Option<&'static str> {
        match self {
            Self { protect: true, .. } => Some("`protect: true`"),
            Self { prune: Some(false), .. } => Some("`prune: false`"),
            Self { delete_withheld: true, .. } => Some("managementPolicies without `Delete`"),
            Self { prune: Some(true) | None, .. } => None,
        }
    }

    /// Returns what is remembered when both were said: what protects stays.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let is_kept = self.prune == Some(false) || other.prune == Some(false);
        Self {
            prune: if is_kept { Some(false) } else { self.prune },
            protect: self.protect || other.protect,
            delete_withheld: self.delete_withheld || other.delete_withheld,
        }
    }
}

impl From<&Lifecycle> for Remembered {
    fn from(lifecycle: &Lifecycle) -> Self {
        Self {
            prune: lifecycle.prune,
            protect: lifecycle.protect,
            delete_withheld: !lifecycle.policies.delete,
        }
    }
}

impl Entry {
    /// Whether a live value may be shown, as far as we remember.
    ///
    /// Of a variable beside those that we wrote in plain nobody knows whether it is a secret: a
    /// person set it (`sync: false`), or somebody else did. What was there before us is no more
    /// secret than it was.
    #[must_use]
    pub fn may_show(&self, path: &FieldPath) -> bool {
        match (self.applied.get(path), path) {
            (Some(Applied::Secret(_)), _) => false,
            (Some(_), _) | (None, FieldPath::Setting(_)) => true,
            (None, FieldPath::Env(key)) => !self.env_managed || self.tolerated_env.contains(key),
        }
    }
}

/// One object that is ours.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    /// The platform's id.
    pub id: RemoteId,
    /// When it was created, as the platform writes it.
    pub created_at: Option<String>,
    /// When we made it, by our own clock: the platform's may be behind, or not be shown. For a
    /// while after it, not to be shown is no proof of being gone (S3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Timestamp>,
    /// The name the platform gave it in place of the declared one (A22): the answer to its create
    /// showed it, or a person said that it is this resource. It is no drift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// The name it has until it is given its own, while names are exchanged: its former one, or one
    /// for the moment that was on disk before it was sent. It is no drift either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interim_name: Option<String>,
    /// The previous names that its manifest declared when it was last done with: they ask for
    /// nothing any more.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub previous_names: BTreeSet<Name>,
    /// By what right it is ours.
    pub claim: Claim,
    /// What its manifest said of deletion.
    pub remembered: Remembered,
    /// Its labels, which the API cannot hold.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What was last written, field by field. Secrets as fingerprints (S9).
    pub applied: BTreeMap<FieldPath, Applied>,
    /// When what was last written of a secret began to differ from what was written before; nothing
    /// for one that nobody saw change.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changed_at: BTreeMap<FieldPath, Timestamp>,
    /// Which of their values generated variables have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub generated: BTreeMap<EnvKey, Generation>,
    /// Variables that were there when it became ours, or that the platform added by itself: not
    /// ours to remove.
    pub tolerated_env: BTreeSet<EnvKey>,
    /// Whether the set of variables as a whole is ours: a manifest declared it while it was seen,
    /// or from the creation on. Until then unknown variables are tolerated, never removed.
    #[serde(default)]
    pub env_managed: bool,
    /// Whether others could add variables when it was last seen (`envVars: additive`): once they no
    /// longer may, what they have added stays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub env_additive: bool,
    /// Fields that were repaired, until reads have agreed for long enough.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rewrites: BTreeMap<FieldPath, Rewrite>,
    /// How often its changes were deployed for what is declared now, where it was changed since it
    /// was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed: Option<Deployed>,
    /// What it referred to: deleted only after what refers to it.
    pub depends_on: BTreeSet<Key>,
}

impl Entry {
    /// Whether its object goes by a name: its own, or the one it has for the moment.
    #[must_use]
    pub fn goes_by(&self, key: &Key, name: &str) -> bool {
        self.is_called(key, name) || self.is_interim(name)
    }

    /// Whether a name is its own: the declared one, or the one the platform gave it (A22).
    #[must_use]
    pub fn is_called(&self, key: &Key, name: &str) -> bool {
        name == key.name.as_str() || self.given_name.as_deref() == Some(name)
    }

    /// Whether it has a name only until it is given its own.
    #[must_use]
    pub fn is_interim(&self, name: &str) -> bool {
        self.interim_name.as_deref() == Some(name)
    }

    /// Whether it was created so lately that a stale replica may not know it (S3).
    #[must_use]
    pub fn is_new(&self, now: Timestamp) -> bool {
        let created_at = || self.created_at.as_deref().and_then(moment);
        // The platform's clock may be behind ours, and for hours ahead: it is asked only about what
        // others made. What was made "later than now" is new.
        let made_at = self.made_at.or_else(created_at);
        made_at.is_some_and(|time| now.duration_since(time) < STALENESS)
    }
}

/// A field that was repaired. Whether that stays, only reads can tell: an answer to a write may
/// show what was sent, and not what is (L1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// How many times it was repaired.
    pub count: u32,
    /// What was read instead; a fingerprint or nothing for a secret.
    pub read_back: Option<Applied>,
    /// Since when every read has agreed; nothing as long as none has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed_since: Option<Timestamp>,
}

/// Deployments that changes of ours have begun for one declared state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployed {
    /// How many.
    pub count: u32,
    /// When the last of them was planned.
    pub last: Timestamp,
}

/// A create that was begun: on disk before the POST leaves (S3).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Intent {
    /// When the POST was about to leave.
    pub started_at: Timestamp,
    /// How many times it was sent.
    pub attempt: u32,
    /// What is written with it, so that a presumed adoption knows what was applied.
    pub applied: BTreeMap<FieldPath, Applied>,
    /// What its manifest said of deletion.
    pub remembered: Remembered,
    /// What it refers to.
    pub depends_on: BTreeSet<Key>,
    /// What lived of its kind right before it was sent, and was not ours: it made none of these,
    /// whatever they are called (A22).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub bystanders: BTreeSet<RemoteId>,
}

/// A delete that was about to be sent: on disk before it leaves, and counted whatever became of it
/// (S7).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SentDelete {
    /// What kind of thing.
    pub kind: Kind,
    /// Which one.
    pub id: RemoteId,
    /// When it was about to leave.
    pub at: Timestamp,
    /// The commit that asked for it; none where manifests are plain files, whose changes are no
    /// order of anybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

impl SentDelete {
    /// How long a delete counts.
    pub const COUNTS_FOR: SignedDuration = SignedDuration::from_hours(1);

    /// Whether it still counts. One of "later than now" does: a clock was set back.
    #[must_use]
    pub fn is_recent(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) < Self::COUNTS_FOR
    }

    /// Whether it counts for what these manifests ask now. Each commit is an order of its own; files
    /// without one are none, so all that went lately counts against them.
    #[must_use]
    pub fn counts_for(&self, commit: Option<&str>, now: Timestamp) -> bool {
        self.is_recent(now) && (commit.is_none() || self.commit.as_deref() == commit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_made_is_new_by_our_own_clock_whatever_the_platforms_shows() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let is_new = |created_at: &str, made_at: Option<&str>| {
            let entry = Entry {
                id: RemoteId::new("svc_1").unwrap(),
                created_at: Some(created_at.to_owned()),
                made_at: made_at.map(|text| text.parse().unwrap()),
                given_name: None,
                interim_name: None,
                previous_names: BTreeSet::new(),
                claim: Claim::Created,
                remembered: Remembered::default(),
                labels: BTreeMap::new(),
                applied: BTreeMap::new(),
                changed_at: BTreeMap::new(),
                generated: BTreeMap::new(),
                tolerated_env: BTreeSet::new(),
                env_managed: true,
                env_additive: false,
                rewrites: BTreeMap::new(),
                deployed: None,
                depends_on: BTreeSet::new(),
            };
            entry.is_new(now)
        };
        assert!(is_new("2026-03-01T11:00:00Z", Some("2026-03-01T11:59:30Z")), "it is behind");
        assert!(!is_new("2026-03-01T13:00:00Z", Some("2026-03-01T11:58:00Z")), "it is ahead");
        assert!(is_new("2026-03-01T11:59:30Z", None) && is_new("2026-03-01T13:00:00Z", None));
        assert!(!is_new("2026-03-01T11:58:00Z", None) && !is_new("no time", None));
    }
}
