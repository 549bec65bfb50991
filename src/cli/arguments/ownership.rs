//! The flags of the commands about what is ours.

use std::path::PathBuf;

use clap::Args;

use crate::model::Key;

use super::super::values::{Adopted, Selector};
use super::{Approval, Chosen, Connection};

/// `stoker export`.
#[derive(Args, Debug)]
pub struct ExportCommand {
    /// What to export: KIND or KIND/NAME [default: everything].
    #[arg(value_name = "KIND[/NAME]")]
    pub selectors: Vec<Selector>,
    /// Write one file per resource below this directory, as `services/api.yaml`; none is
    /// overwritten.
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker adopt`.
#[derive(Args, Debug)]
pub struct AdoptCommand {
    /// The resources; with an id, exactly that object, whatever its name on the platform.
    #[arg(value_name = "KIND/NAME[=ID]", required_unless_present = "all")]
    pub resources: Vec<Adopted>,
    /// Everything that is declared and exists but is not owned yet; lists it and asks once.
    #[arg(long, conflicts_with = "resources")]
    pub all: bool,
    /// The manifests that `--all` reads, instead of the usual ones; may be repeated.
    #[arg(long = "from", value_name = "PATH", conflicts_with = "resources")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub chosen: Chosen,
    #[command(flatten)]
    pub approval: Approval,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker release`.
#[derive(Args, Debug)]
pub struct ReleaseCommand {
    /// The resources.
    #[arg(value_name = "KIND/NAME", required = true)]
    pub keys: Vec<Key>,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker destroy`.
#[derive(Args, Debug)]
pub struct DestroyCommand {
    /// Delete only this resource; may be repeated.
    #[arg(long, value_name = "KIND/NAME", value_delimiter = ',')]
    pub target: Vec<Key>,
    /// Confirm with the project's name, instead of typing it when asked.
    #[arg(long, value_name = "PROJECT")]
    pub confirm: Option<String>,
    /// Also delete what was adopted by its name alone.
    #[arg(long)]
    pub prune_adopted: bool,
    #[command(flatten)]
    pub connection: Connection,
}
