//! What each fuzz target does with its input, apart from the fuzzer.
//!
//! `fuzz_targets/` hands these functions to libFuzzer; `tests/it/fuzz.rs` takes this file in and
//! replays the committed corpora through them, so a finding stays found without a fuzzer. A target
//! panics where a promise does not hold, and does nothing else with what it is given.

mod answers;
mod escaper;
mod faults;
mod headers;
mod ids;
mod manifests;
mod plan_file;
mod scripted;
mod source;
mod state;
mod webhook;

pub use answers::answers;
pub use escaper::escaper;
pub use faults::faults;
pub use headers::headers;
pub use ids::ids;
pub use manifests::manifests;
pub use plan_file::plan_file;
pub use source::source;
pub use state::state;
pub use webhook::webhook;

/// A target's name, as its program and its corpus have it, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("manifests", manifests),
    ("answers", answers),
    ("headers", headers),
    ("webhook", webhook),
    ("state", state),
    ("plan_file", plan_file),
    ("source", source),
    ("escaper", escaper),
    ("ids", ids),
    ("faults", faults),
];
