//! The flags of `stoker policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `stoker policy`.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Try the policies of the settings on plans that are written down; no request is sent.
    Test(PolicyTestCommand),
}

/// `stoker policy test`.
#[derive(Args, Debug)]
pub struct PolicyTestCommand {
    /// The files of the tests [default: policy-tests.yaml].
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}
