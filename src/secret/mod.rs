//! Values that must not be seen: from the environment, from files, from programs, derived; and the
//! keyed marks by which they are known again. Nothing in this room prints, stores or logs a value
//! (S9).

mod allowed;
mod envelope;
mod found;
mod key;
mod named;
mod program;
mod provider;
mod resolve;
mod sops;

pub use allowed::{AllowedSources, SecretProgram};
pub use envelope::EnvelopeError;
pub use found::{Finders, FoundValues, MissingValue, UNAVAILABLE};
pub use key::{FingerprintKey, KEY_FILE, KeyError};
pub use named::NamedValue;
pub use resolve::resolve;
