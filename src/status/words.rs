//! The closed sets of words that scripts read of a status: why, what happened, what came of it.
//!
//! A status of a newer agent may hold a word that this version does not know; it is kept as it is,
//! so that minor versions may add some.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Makes a set of words; each variant is written as it is called.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$meaning:meta])* $word:ident,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$meaning])* $word,)+
            /// A word of a newer version.
            Newer(Box<str>),
        }

        impl $name {
            /// Every word that this version says.
            pub const ALL: &[Self] = &[$(Self::$word,)+];

            /// Returns the public word. Never renamed.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$word => stringify!($word),)+
                    Self::Newer(word) => word,
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                match word.as_str() {
                    $(stringify!($word) => Self::$word,)+
                    _ => Self::Newer(word.into()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        /// The words that this version says, each with its meaning.
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $(#[$about])*
                #[derive(schemars::JsonSchema)]
                #[expect(dead_code, reason = "it describes words, no values of it exist")]
                enum Said { $($(#[$meaning])* $word,)+ }
                Said::json_schema(generator)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }
    };
}

pub(super) use words;

words! {
    /// Why a condition is as it is, or why manifests cannot be used.
    ConditionReason {
        /// A resource is as declared.
        InSync,
        /// The whole project is as declared.
        Synced,
        /// Our deployment of it is under way.
        Deploying,
        /// The platform itself is still at it.
        Progressing,
        /// A deployment that is not ours is under way.
        DeployInProgress,
        /// A write failed, and is tried again.
        Failed,
        /// Nobody knows yet what became of a write.
        AnswerLost,
        /// It is not what the plan was made from.
        Moved,
        /// What it needs failed.
        DependencyFailed,
        /// No request may leave in time.
        OverBudget,
        /// It was told to stop.
        Stopped,
        /// Something newer is wanted.
        Superseded,
        /// It failed, and waits.
        BackingOff,
        /// What was begun earlier is not known to have ended.
        InFlight,
        /// Not all of its kind was listed.
        IncompleteView,
        /// What it needs is blocked.
        DependencyBlocked,
        /// Its details do not come.
        Unseen,
        /// Five tries failed.
        Failing,
        /// The token may not.
        Denied,
        /// It is as declared, and the platform says that it does not run.
        Unhealthy,
        /// It moved on the platform.
        Drift,
        /// It did not move.
        NoDrift,
        /// No pass has ended yet.
        Starting,
        /// A newer revision is being carried out.
        Reconciling,
        /// A defect was caught.
        InternalError,
        /// The deployments of this state failed.
        DeployFailed,
        /// It was rolled back.
        RolledBack,
        /// A directory loses manifests step by step.
        SourceShrinking,
        /// A field does not stay as it is written.
        FieldFlapping,
        /// A value was never written and is not shown.
        Unsettled,
        /// A field cannot be changed in place.
        Immutable,
        /// The API cannot change env groups.
        EnvGroup,
        /// It is not ours.
        NotOwned,
        /// Several bear its name.
        AmbiguousName,
        /// It may be what a lost create made.
        PerhapsOurs,
        /// It is protected.
        Protected,
        /// It exists and may not be adopted.
        AdoptionRefused,
        /// Too much would go at once.
        Fuse,
        /// The manifests are not all there.
        SourceIncomplete,
        /// A delete needs an approval by name.
        ApprovalMissing,
        /// It is ours by a guess.
        Presumed,
        /// Pruning is off.
        PruneOff,
        /// The manifest keeps it.
        PolicyWithheld,
        /// The agent only looks.
        Observed,
        /// A person suspended it.
        Suspended,
        /// The sync window is closed.
        WindowClosed,
        /// The manifests have errors.
        ManifestsInvalid,
        /// There are no manifests.
        SourceEmpty,
        /// The manifests cannot be read.
        SourceUnreadable,
        /// A secret that the manifests name cannot be had now.
        SecretUnavailable,
        /// The repository does not answer.
        SourceUnreachable,
        /// The repository does not let us in.
        SourceDenied,
        /// What was asked for is not in the repository.
        SourceMissing,
        /// The branch does not continue what was carried out.
        HistoryRewritten,
        /// A commit is not signed as it must be.
        CommitUnsigned,
        /// The API has had nothing left for minutes.
        RequestLimit,
        /// The platform does not answer.
        PlatformUnavailable,
        /// What answers is not its API.
        NotTheApi,
        /// The token is not accepted.
        Unauthorized,
        /// Token, state or guard are of another project.
        WrongProject,
        /// The state cannot be used.
        StateUnusable,
        /// Another command writes.
        Locked,
    }
}

words! {
    /// What came of a pass.
    PassOutcome {
        /// Everything is as declared, and nothing was written.
        Synced,
        /// All of it was carried out.
        Applied,
        /// Something is left to do that this pass was not to do, waits for the platform, or nobody can
        /// tell of; it may have written the rest.
        Pending,
        /// It was told to stop: something newer is wanted, or writing was withheld.
        Stopped,
        /// Nothing was left to do, as far as it was seen.
        Unseen,
        /// All that is left is held back by a rail.
        Blocked,
        /// Something failed.
        Failed,
        /// It came to no end: the platform or the state could not be read.
        Unreadable,
    }
}

words! {
    /// What happened that is no condition of anything.
    Occurrence {
        /// A resource became as declared, and healthy.
        Ready,
        /// It moved on the platform.
        DriftDetected,
        /// It was set back, or made again.
        DriftRepaired,
        /// It was created.
        Created,
        /// It was changed as its manifest was.
        Updated,
        /// It was deleted and created again.
        Replaced,
        /// It was taken over by its name.
        Adopted,
        /// What was gone is not remembered any more.
        Forgotten,
        /// It was deleted.
        Deleted,
        /// Its deployment runs.
        DeploySucceeded,
        /// Its deployment did not end in time.
        DeployTimedOut,
        /// It went before its deployment ended.
        Gone,
        /// It could not be rolled back.
        RollbackFailed,
        /// A newer revision of the manifests was read.
        RevisionSeen,
        /// The manifests can be used again.
        SourceRecovered,
        /// The platform can be read again.
        PlatformReadable,
        /// The API gives room for requests again.
        RequestLimitOver,
        /// A suspension ended.
        Resumed,
        /// It stays at a commit.
        Pinned,
        /// It follows the branch again.
        Unpinned,
    }
}

/// Why there is an event: something happened, or a condition became so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventReason {
    /// A condition became so.
    Became(ConditionReason),
    /// Something happened.
    Happened(Occurrence),
}

impl EventReason {
    /// Returns the public word. Never renamed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Became(reason) => reason.as_str(),
            Self::Happened(occurrence) => occurrence.as_str(),
        }
    }
}

impl From<ConditionReason> for EventReason {
    fn from(reason: ConditionReason) -> Self {
        Self::Became(reason)
    }
}

impl From<Occurrence> for EventReason {
    fn from(occurrence: Occurrence) -> Self {
        Self::Happened(occurrence)
    }
}

impl fmt::Display for EventReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl JsonSchema for EventReason {
    fn schema_name() -> Cow<'static, str> {
        "EventReason".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Why there is an event: something happened, or a condition became so.",
            "anyOf": [
                generator.subschema_for::<Occurrence>(),
                generator.subschema_for::<ConditionReason>(),
            ],
        })
    }
}

impl Serialize for EventReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for EventReason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Ok(match Occurrence::from(word) {
            Occurrence::Newer(word) => ConditionReason::from(String::from(word)).into(),
            known => known.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_word_is_read_as_it_was_written_and_one_that_is_newer_is_kept() {
        for reason in ConditionReason::ALL {
            let json = serde_json::to_string(reason).unwrap();
            assert_eq!(json, format!("\"{reason}\""));
            assert_eq!(&serde_json::from_str::<ConditionReason>(&json).unwrap(), reason);
        }
        let newer: PassOutcome = serde_json::from_str("\"Postponed\"").unwrap();
        assert_eq!(newer, PassOutcome::Newer("Postponed".into()));
        assert_eq!(serde_json::to_string(&newer).unwrap(), "\"Postponed\"");
    }

    #[test]
    fn an_event_is_read_as_it_was_written() {
        let of_conditions = ConditionReason::ALL.iter().cloned().map(EventReason::from);
        let own = Occurrence::ALL.iter().cloned().map(EventReason::from);
        let newer = ConditionReason::Newer("Noticed".into()).into();
        for reason in of_conditions.chain(own).chain([newer]) {
            let json = serde_json::to_string(&reason).unwrap();
            assert_eq!(serde_json::from_str::<EventReason>(&json).unwrap(), reason);
        }
    }

    #[test]
    fn no_word_stands_for_a_condition_and_for_something_else() {
        let conditions: BTreeSet<&str> =
            ConditionReason::ALL.iter().map(ConditionReason::as_str).collect();
        assert!(Occurrence::ALL.iter().all(|it| !conditions.contains(it.as_str())));
    }
}
