//! Settings: flag, then environment, then file, then default — each said once.
//!
//! clap has joined flag and environment already. `file` reads `stoker.yaml`, whose keys are the
//! types in `keys` and `forms`; `pick` is the order in which they win; `shared` makes what every
//! command is told, `project` and `run` what the agent is told.

mod allowed;
mod file;
mod forms;
mod keys;
mod schema;

mod origin;
mod pick;

mod shared;

mod notifications;
mod policies;
mod project;
mod run;
mod secret;
mod sinks;
mod source;
mod tree;

pub use allowed::allowed_sources;
pub use file::SettingsFile;
pub use forms::WebhookProvider;
pub use origin::{GivenSettings, SavedProvenance};
pub use pick::Row;
pub use policies::{policies, policies_to_test};
pub use project::{ProjectSettings, WebhookSettings};
pub use run::{Invocation, RunSettings, states_of_projects};
pub use schema::schema;
pub use secret::SecretSource;
pub use shared::{ConnectionSettings, GlobalSettings, is_approved, policy, waits};
pub use source::{ProjectSource, RepositorySettings};
pub use tree::TreeSettings;

#[cfg(test)]
mod tests;
