//! Sync and health: whether it is as declared, and whether it does well. They are two things, and one
//! says nothing of the other.
//!
//! The words are those that other GitOps agents use. Why it is so is said by the conditions.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::words::words;

words! {
    /// Whether what lives is what is declared.
    SyncStatus {
        /// It is.
        Synced,
        /// It is not, or it still exists though nothing declares it any more.
        OutOfSync,
        /// Nobody can tell.
        Unknown,
    }
}

words! {
    /// How what lives does, whatever is declared.
    HealthStatus {
        /// It does well, or has nothing that could be ill.
        Healthy,
        /// The platform is still at it.
        Progressing,
        /// It does not run, or its last deployment failed.
        Degraded,
        /// It is declared, and does not exist.
        Missing,
        /// Nobody can tell.
        Unknown,
    }
}

/// Of an older agent nothing is known.
impl Default for SyncStatus {
    fn default() -> Self {
        Self::Unknown
    }
}

/// Of an older agent nothing is known.
impl Default for HealthStatus {
    fn default() -> Self {
        Self::Unknown
    }
}

impl SyncStatus {
    /// Returns what is true of a whole: what is known to be out of sync counts before what is not
    /// known.
    #[must_use]
    pub fn of_all<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        let worse = |one: &Self| match one {
            Self::Synced => 0,
            Self::Unknown | Self::Newer(_) => 1,
            Self::OutOfSync => 2,
        };
        all.into_iter().max_by_key(|one| worse(one)).cloned().unwrap_or(Self::Synced)
    }
}

impl HealthStatus {
    /// Returns what is true of a whole: the worst of its parts.
    #[must_use]
    pub fn of_all<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        let worse = |one: &Self| match one {
            Self::Healthy => 0,
            Self::Unknown | Self::Newer(_) => 1,
            Self::Progressing => 2,
            Self::Missing => 3,
            Self::Degraded => 4,
        };
        all.into_iter().max_by_key(|one| worse(one)).cloned().unwrap_or(Self::Healthy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_is_as_the_worst_of_its_parts() {
        use HealthStatus::{Degraded, Healthy, Missing, Progressing};
        assert_eq!(HealthStatus::of_all([]), Healthy);
        assert_eq!(HealthStatus::of_all([&Missing, &Degraded, &Healthy]), Degraded);
        assert_eq!(HealthStatus::of_all([&Progressing, &Missing]), Missing);
        assert_eq!(HealthStatus::of_all([&HealthStatus::Unknown, &Healthy]), HealthStatus::Unknown);
        use SyncStatus::{OutOfSync, Synced, Unknown};
        assert_eq!(SyncStatus::of_all([]), Synced);
        assert_eq!(SyncStatus::of_all([&Synced, &Unknown, &OutOfSync]), OutOfSync);
        assert_eq!(SyncStatus::of_all([&Synced, &Unknown]), Unknown);
    }
}
