//! The whole program before the emulator, on a clock of its own, under a schedule of trouble.
//!
//! In reading order: a [`Schedule`] says what happens when, and is drawn from a seed; a [`Scene`]
//! holds the manifests in several revisions; [`play()`] lets days pass in milliseconds and returns a
//! [`Witness`]; [`judge()`] holds the witness against the laws of `safety.md`, with the emulator's own
//! record as the oracle; [`shrink()`] makes a schedule small that broke one; a [`Campaign`] does all
//! this for many seeds.
//!
//! The real client, planner, executor, store and agent run here. Only the socket, the disk and the
//! clock are others. One seed is one run, byte for byte: no wall clock, no thread, no real file.

mod dice;
mod ears;
mod schedule;

mod answers;
mod draw;
mod layered;
mod revisions;
mod scene;
mod trouble;

mod branch;
mod manifests;

mod fate;
mod process;
mod wire;
mod world;

mod play;
mod witness;

mod judge;
mod law;
mod timeline;

mod campaign;
mod shrink;

pub use campaign::{Broken, Campaign, LawTally};
pub use draw::draw;
pub use judge::judge;
pub use law::{Law, LawFinding, LawFindings};
pub use play::play;
pub use scene::Scene;
pub use schedule::{
    Deed, Disturbance, HistoryRewrite, Instruction, Loss, Moment, PlatformBehaviour, Rights,
    Schedule, ScheduledStep, SourceKind, Strike,
};
pub use shrink::shrink;
pub use trouble::{Family, Trouble};
pub use witness::Witness;
