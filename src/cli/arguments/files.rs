//! The flags of the commands that write manifests.

use std::path::PathBuf;

use clap::Args;

use super::super::init::PipelineHost;
use super::super::why::Subject;
use super::{Chosen, Connection};

/// `stoker accept`.
#[derive(Args, Debug)]
pub struct AcceptCommand {
    /// The resources, or fields of them, for example service/api.scaling.maxInstances.
    #[arg(value_name = "KIND/NAME[.FIELD]", required = true)]
    pub subjects: Vec<Subject>,
    /// The manifests to read and write, instead of the usual ones; may be repeated.
    #[arg(long = "from", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub chosen: Chosen,
    /// Show what would be written, and write nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker init`.
#[derive(Args, Debug)]
pub struct InitCommand {
    /// Whose pipeline to write [default: that of the repository's remote, or of the files here].
    #[arg(long, value_enum, value_name = "HOST")]
    pub ci: Option<PipelineHost>,
    /// List what would be written, and write nothing.
    #[arg(long)]
    pub dry_run: bool,
}
