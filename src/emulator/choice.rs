//! The words of the configuration: closed sets, each of which one switch chooses from.

use serde::{Deserialize, Serialize};

/// Declares a closed set of words.
macro_rules! choices {
    ($($(#[$about:meta])* $name:ident { $($(#[$meaning:meta])* $word:ident,)+ })+) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$meaning])* $word,)+ }
    )+};
}

choices! {
    /// The generations of the vendor's API.
    Generation {
        /// Version 1: what this emulator is for.
        First,
        /// The other one: nothing under `/v1`, errors as `{"statusCode","message","error"}`.
        Second,
    }
    /// What can be created.
    Kind {
        /// `/services`.
        Service,
        /// `/databases`.
        Database,
        /// `/envgroups`.
        EnvGroup,
    }
    /// How much of an object is shown.
    Fields {
        /// For a service the seven of F5; otherwise what identifies the thing, and its status.
        Summary,
        /// Everything.
        All,
    }
    /// What `env_vars` in a patch means (A5).
    EnvPatch {
        /// Entries are upserted by key, `"value": null` removes.
        Merge,
        /// The list replaces the old one.
        Replace,
    }
    /// How a service names its env groups (A14).
    GroupNaming {
        /// By `evg_…`.
        Id,
        /// By name.
        Name,
    }
    /// Who resolves references in variables (A17).
    Resolver {
        /// The platform does.
        Platform,
        /// The platform refuses them with 400.
        Agent,
    }
    /// How a secret looks in an answer.
    Secrets {
        /// `"value": "********"`.
        Masked,
        /// The entry has no `value`.
        Omitted,
        /// As it was sent.
        Echoed,
        /// `env_vars` is not shown at all, secret or not.
        Hidden,
    }
    /// What `PATCH` does with `name`.
    Rename {
        /// The thing has the new name.
        Honoured,
        /// 200, and the old name stays.
        Ignored,
        /// 400.
        Refused,
    }
    /// What the platform rewrites.
    Normalises {
        /// Nothing.
        Nothing,
        /// Types of databases, as documented: `postgres`, `mysql` and `redis`.
        Types,
        /// Also branches (lower case), repositories (no trailing `/`) and domains (trimmed,
        /// lower case).
        Everything,
    }
    /// What is done with a field nobody knows.
    UnknownFields {
        /// It is ignored, and the record says so.
        Ignore,
        /// 400.
        Refuse,
    }
    /// The seven ways to count requests.
    LimiterModel {
        /// A window of 60 s that begins with the first request.
        FixedWindow,
        /// A window that begins on the minute.
        FixedMinute,
        /// At most the limit in any 60 s.
        SlidingLog,
        /// A token bucket that holds the limit and refills it in 60 s.
        Bucket,
        /// A token bucket that holds a tenth of the limit and refills as fast.
        SmallBucket,
        /// A window from the first request; who exceeds it is blocked for 60 s.
        Penalty,
        /// As the sliding log, but refused requests count.
        SlidingCountsRefused,
    }
    /// The unit of `X-RateLimit-Reset` (A9).
    ResetForm {
        /// Seconds from now.
        Delta,
        /// Seconds since 1970.
        EpochSeconds,
        /// Milliseconds since 1970.
        EpochMilliseconds,
        /// An HTTP date.
        HttpDate,
        /// Neither this header nor `X-RateLimit-Remaining`.
        Absent,
    }
    /// The unit of `Retry-After` (A9).
    RetryAfterForm {
        /// Seconds from now.
        Seconds,
        /// An HTTP date.
        HttpDate,
        /// No header.
        Absent,
    }
    /// What an event of the log stream holds (A10).
    LogEvents {
        /// `{"timestamp","level","instance","message"}`.
        Json,
        /// Text.
        Plain,
    }
    /// How a time of creation is kept, beside how its create was answered.
    Times {
        /// Both in whole seconds.
        Seconds,
        /// The answer has milliseconds, and the row is rounded to seconds.
        RoundedRows,
        /// The answer has a zone, and the row none.
        ZonelessRows,
        /// Both in whole seconds, and items of a list show none.
        NotListed,
    }
    /// What `logs` of a deployment is (A15).
    DeploymentLogs {
        /// An array of lines.
        Lines,
        /// One text.
        Text,
    }
    /// What a token may do with one type of resource (F2).
    Permission {
        /// Nothing.
        None,
        /// Read.
        Read,
        /// Read and write.
        ReadWrite,
    }
}

impl Kind {
    /// Returns the word the API uses for one, as in `service_not_found`.
    pub fn singular(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Database => "database",
            Self::EnvGroup => "envgroup",
        }
    }
}
