//! The nouns of the program, and nothing that happens to them.
//!
//! Pure: no file, no clock, no randomness, no log line. Everything here can be printed, compared
//! and tested as a value; what reads it from somewhere or writes it somewhere is another room's.

mod applied;
mod circle;
mod command;
mod desired;
mod diagnostic;
mod field;
mod generated;
mod host;
mod inventory;
mod judge;
mod key;
mod live;
mod moment;
mod policy;
mod refine;
mod schedule;
mod secret;
mod snapshot;
mod spans;
mod striker;
mod unseen;

pub use applied::Applied;
pub use circle::circles;
pub use command::{begins_command, break_marks, holds_command};
pub use desired::{
    AdoptMode, Desired, EnvSet, Field, Guard, Lifecycle, ManagementPolicies, NAMES_MOVING_MAX,
    Origin, Resource, Tombstone, Unsettled, ValueSource, is_provider_name,
};
pub use diagnostic::{Diagnostic, Severity, Snippet};
pub use field::{EnvKey, FieldPath, FieldValue, Reference, Setting};
pub use generated::{
    Derivation, DeriveValue, GeneratedValue, Generation, RotationCause, RotationPeriod,
};
pub use host::{is_loopback, names_loopback};
pub use inventory::{
    Claim, Deployed, Entry, Intent, Inventory, Pin, Remembered, Rewrite, SentDelete,
};
pub use judge::{concealed, holds_secret, is_secret_at, looks_secret};
pub use key::{Key, Kind, Name, NameError, RemoteId, RemoteIdError};
pub use live::{Coverage, Listing, Live, LiveObject, LiveValue, Project, Unknown};
pub use moment::{is_same_moment, moment};
pub use policy::{Effect, FieldPolicy, Mutability, canonical, is_same, policy};
pub use refine::is_refined;
pub use schedule::{CronSchedule, ScheduleError};
pub use secret::{Fingerprint, Secret, SecretOrigin};
pub use snapshot::Snapshot;
pub use spans::STRUCK;
pub use striker::struck;
pub use unseen::is_unseen;
