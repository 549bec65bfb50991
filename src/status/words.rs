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
        /// Our deployment of it is in progress.
        Deploying,
        /// The platform is still working on it.
        Progressing,
        /// A deployment that is not ours is in progress.
        DeployInProgress,
        /// A write failed, and is retried.
        Failed,
        /// The answer to a write was lost; its outcome is unknown.
        AnswerLost,
        /// It changed after the plan was made.
        Moved,
        /// Something it depends on failed.
        DependencyFailed,
        /// The request budget allows no request in time.
        OverBudget,
        /// The pass was stopped.
        Stopped,
        /// A newer revision replaces this one.
        Superseded,
        /// It failed, and waits before the next attempt.
        BackingOff,
        /// The outcome of an earlier operation is unknown.
        InFlight,
        /// The listing of its kind is incomplete.
        IncompleteView,
        /// Something it depends on is blocked.
        DependencyBlocked,
        /// Its details could not be read.
        Unseen,
        /// Five attempts failed.
        Failing,
        /// The token lacks the permission.
        Denied,
        /// It is as declared, but the platform reports that it does not run.
        Unhealthy,
        /// It changed on the platform.
        Drift,
        /// It did not change.
        NoDrift,
        /// No pass has ended yet.
        Starting,
        /// A newer revision is being applied.
        Reconciling,
        /// A defect in Stoker was caught.
        InternalError,
        /// The deployments of the declared state failed.
        DeployFailed,
        /// It was rolled back.
        RolledBack,
        /// A directory is losing manifests step by step.
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
        /// Several objects have its name.
        AmbiguousName,
        /// It may be the result of a create whose answer was lost.
        PerhapsOurs,
        /// It is protected.
        Protected,
        /// It exists and may not be adopted.
        AdoptionRefused,
        /// Too much would be deleted at once.
        Fuse,
        /// The manifests are incomplete.
        SourceIncomplete,
        /// A delete needs an approval by name.
        ApprovalMissing,
        /// It is only presumed to be ours.
        Presumed,
        /// Pruning is off.
        PruneOff,
        /// Its manifest withholds the change.
        PolicyWithheld,
        /// The agent only observes.
        Observed,
        /// A person suspended it.
        Suspended,
        /// The sync window is closed.
        WindowClosed,
        /// A policy refuses the plan.
        PolicyRefused,
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
        /// The repository denies access.
        SourceDenied,
        /// The branch, tag, commit or path is not in the repository.
        SourceMissing,
        /// The branch no longer contains the applied commit.
        HistoryRewritten,
        /// A commit is not signed as required.
        CommitUnsigned,
        /// The API's request limit has been used up for minutes.
        RequestLimit,
        /// The platform does not answer.
        PlatformUnavailable,
        /// The answers are not from the platform's API.
        NotTheApi,
        /// The token is not accepted.
        Unauthorized,
        /// The token, the state or the guard belongs to another project.
        WrongProject,
        /// The state cannot be used.
        StateUnusable,
        /// Another command is writing.
        Locked,
    }
}

words! {
    /// The result of a pass.
    PassOutcome {
        /// Everything is as declared, and nothing was written.
        Synced,
        /// Everything was applied.
        Applied,
        /// Something is left to do: it was not part of this pass, waits for the platform, or is
        /// unknown; the rest may have been written.
        Pending,
        /// The pass was stopped: a newer revision arrived, or writing was withheld.
        Stopped,
        /// Nothing was left to do, as far as could be seen.
        Unseen,
        /// All that is left is held back by a safety rail.
        Blocked,
        /// Something failed.
        Failed,
        /// The pass could not finish: the platform or the state could not be read.
        Unreadable,
    }
}

words! {
    /// What happened that is not a condition.
    Occurrence {
        /// A resource became as declared, and healthy.
        Ready,
        /// It changed on the platform.
        DriftDetected,
        /// It was set back, or created again.
        DriftRepaired,
        /// It was created.
        Created,
        /// It was updated to its manifest.
        Updated,
        /// It was deleted and created again.
        Replaced,
        /// It was adopted by its name.
        Adopted,
        /// It no longer exists, and was removed from the state.
        Forgotten,
        /// It was deleted.
        Deleted,
        /// Its deployment succeeded.
        DeploySucceeded,
        /// Its deployment did not end in time.
        DeployTimedOut,
        /// It was deleted before its deployment ended.
        Gone,
        /// It could not be rolled back.
        RollbackFailed,
        /// A newer revision of the manifests was read.
        RevisionSeen,
        /// The manifests can be used again.
        SourceRecovered,
        /// The platform can be read again.
        PlatformReadable,
        /// The API allows requests again.
        RequestLimitOver,
        /// A suspension ended.
        Resumed,
        /// It was pinned to a commit.
        Pinned,
        /// It follows the branch again.
        Unpinned,
        /// A policy warns about the plan.
        PolicyWarned,
    }
}

/// The reason of an event: something happened, or a condition got this reason.
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
            "description": "The reason of an event: something happened, or a condition got this \
                reason.",
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
