//! What we remember, on disk: the inventory and the intents of one project in one directory.
//!
//! ```text
//!  inventory-7.json   the inventory as it stood when generation 7 began     ┐ the generation
//!  journal-7.ndjson   every event since, one sealed line each, then closed  ┘ before
//!  inventory-8.json   = inventory-7.json and all of journal-7.ndjson        ┐ the current
//!  journal-8.ndjson   every event since                                     ┘ generation
//!  lock               held by the one writer, whose identity stands in it
//! ```
//!
//! An event is one appended line, synced before the call returns: the price of remembering is
//! that of what changed, not of what is remembered. Now and then a new generation begins.
//! Each line's seal covers the seal before it, and a generation's first line continues the last
//! one's chain, so a flipped, missing, repeated or foreign line is found.
//!
//! **What a damaged file means for S3.** An inventory that lacks an event may lack an *intent*,
//! and whoever writes on it may create a thing twice. So there are three cases and no fourth:
//!
//! - The *last* line ends before its line break: the writer died in the call that wrote it, that
//!   call never returned, so its POST never left. The line is dropped.
//! - The current `inventory-N.json` is damaged, and the generation before is whole and closed:
//!   replaying that one gives the very same inventory. It is rebuilt and nothing is lost.
//! - Anything else: *reading* goes on with what can be proven, and says so; *writing* is refused
//!   with the way out ([`StoreError::hints`]).
//!
//! A newer format, or an intact file with a word we do not know, is refused before anything is
//! written: dropping that word could drop a protection (S11).
//!
//! What no file can show by itself: that the whole directory was replaced by an older copy or by
//! an empty one, or that whole lines were cut off the end of the newest journal. Those are caught
//! by reading the platform before every create (S2), not here.
//!
//! A state may also be in a log that many machines reach (`shared_state.rs`): the same events, the
//! same promise, one writer at a time.
//!
//! Calls block for as long as a few small writes and one `fsync` take, a few milliseconds, and ten
//! seconds at most where a network is between; they are made from async code as they are. This
//! room reads no clock and knows nothing of the API.

mod backup;
mod disk;
mod error;
mod event;
mod generations;
mod load;
mod lock;
mod medium;
mod recent;
mod shared_state;
mod simulated;
mod text;
mod verify;
mod writer;

#[cfg(test)]
mod tests;

pub use backup::FilesBeside;
pub use error::{StoreError, Warning};
pub use event::JournalEvent;
pub use load::StoredState;
pub use medium::Medium;
pub use recent::Recent;
pub use shared_state::SharedState;
pub use simulated::{Blow, Simulated};
pub use verify::Verified;
pub use writer::Store;
