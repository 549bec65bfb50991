//! Values that must not be seen: from the environment, from files, derived; and the keyed marks by
//! which they are known again. Nothing in this room prints, stores or logs a value (S9).

mod envelope;
mod key;
mod resolve;

pub use envelope::EnvelopeError;
pub use key::{FingerprintKey, KEY_FILE, KeyError};
pub use resolve::resolve;
