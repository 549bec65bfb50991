//! The flags of `stoker simulate`.

use std::path::PathBuf;

use clap::Args;

use crate::simulation::Family;

use super::Sources;

/// The greatest seed: the report is JSON, and its readers lose precision in greater numbers.
const SEED_MAX: u64 = (1 << 53) - 1;

/// `stoker simulate`.
#[derive(Args, Debug)]
pub struct SimulateCommand {
    #[command(flatten)]
    pub sources: Sources,
    /// How many days of virtual time the faults last; then everything must settle.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=30))]
    pub days: u32,
    /// Play this seed, as the report of a broken law names it; with --seeds, that many from it on.
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(0..=SEED_MAX))]
    pub seed: Option<u64>,
    /// How many seeds to play [default: 20].
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub seeds: Option<u64>,
    /// Kinds of faults: api, crashes, disk, source, people, token, clock, second [default: all].
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub faults: Vec<Family>,
    /// What exists on the platform at the start, as `stoker export` printed it.
    #[arg(long, value_name = "EXPORT.yaml")]
    pub live: Option<PathBuf>,
}
