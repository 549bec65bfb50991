//! The flags of the commands that read manifests and plan.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use crate::model::{AdoptMode, Key};
use crate::plan::FieldAddress;

use super::super::forms::JsonForm;
use super::super::values::variable::VariableFlag;
use super::super::values::{Approved, PruneKinds, Span};
use super::Connection;

/// The manifests to read.
#[derive(Args, Clone, Debug, Default)]
pub struct Sources {
    /// Files and directories, `-` for stdin [default: manifests/, stackblaze.yaml or .].
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub chosen: Chosen,
}

/// Which manifests are read, and with which values.
#[derive(Args, Clone, Debug, Default)]
pub struct Chosen {
    /// Of Blueprints with several environments, read this one: NAME, or PROJECT/NAME.
    #[arg(long, env = "STOKER_ENVIRONMENT", value_name = "NAME")]
    pub environment: Option<String>,
    /// Lay this file or directory over the manifests; may be repeated, later ones override earlier
    /// ones.
    #[arg(long = "overlay", value_name = "PATH")]
    pub overlays: Option<Vec<PathBuf>>,
    /// Give a variable its value, for `${NAME}` in native manifests; may be repeated.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub vars: Vec<VariableFlag>,
    /// Take variables from this file: a mapping of names and values.
    #[arg(long, env = "STOKER_VARS_FILE", value_name = "FILE")]
    pub vars_file: Option<PathBuf>,
}

/// `stoker validate`.
#[derive(Args, Debug)]
pub struct ValidateCommand {
    #[command(flatten)]
    pub sources: Sources,
    /// Treat warnings as errors.
    #[arg(long)]
    pub strict: bool,
}

/// `stoker explain`.
#[derive(Args, Debug)]
pub struct ExplainCommand {
    /// A kind, or one of its fields: `Service`, `Service.spec.scaling`.
    #[arg(value_name = "KIND[.FIELD]")]
    pub field: String,
}

/// `stoker import`.
#[derive(Args, Debug)]
pub struct ImportCommand {
    /// Files, later ones overriding earlier ones; or a folder with files of the usual names
    /// [default: .].
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Write one file per resource below this directory, as `services/api.yaml`; none is
    /// overwritten.
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
}

/// `stoker render`.
#[derive(Args, Debug)]
pub struct RenderCommand {
    #[command(flatten)]
    pub sources: Sources,
    /// Show for each value the file and line it comes from.
    #[arg(long)]
    pub places: bool,
}

/// `stoker schema`.
#[derive(Args, Debug)]
pub struct SchemaCommand {
    /// The output document whose schema is printed, instead of that of native documents.
    #[arg(long, value_enum, value_name = "FORM")]
    pub of: Option<JsonForm>,
    /// Print the schema of documents of overlays, which may leave out what the manifests say.
    #[arg(long, conflicts_with = "of")]
    pub overlay: bool,
    /// Print the schema of Blueprints.
    #[arg(long, conflicts_with_all = ["of", "overlay"])]
    pub blueprint: bool,
}

/// What a plan may contain.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Planning")]
pub struct Planning {
    /// Delete what is owned and no longer declared: all kinds, or the named ones.
    #[arg(long, env = "STOKER_PRUNE", value_name = "KINDS", num_args = 0..=1,
          default_missing_value = "true", require_equals = true)]
    pub prune: Option<PruneKinds>,
    /// When to take over existing resources: always, match or never [default: always].
    #[arg(long, env = "STOKER_ADOPT", value_name = "MODE")]
    pub adopt: Option<AdoptMode>,
    /// Lift the fuse on deletes (3 an hour, and 30 % of what is owned) to this many.
    #[arg(long, env = "STOKER_MAX_DELETES", value_name = "N")]
    pub max_deletes: Option<usize>,
    /// Let prune delete what was adopted by its name alone.
    #[arg(long, env = "STOKER_PRUNE_ADOPTED", value_parser = BoolishValueParser::new(), value_name = "BOOL",
          hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub prune_adopted: Option<bool>,
    /// Write fields that the platform does not show and whose last value is not known.
    #[arg(long, env = "STOKER_WRITE_UNVERIFIABLE",
          value_parser = BoolishValueParser::new(), value_name = "BOOL",
          hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub write_unverifiable: Option<bool>,
    /// Write these values, which the platform does not show and whose last value is not known: of a
    /// resource, or one of its fields; may be repeated.
    #[arg(long, value_name = "KIND/NAME[:FIELD]", value_delimiter = ',')]
    pub write_unsettled: Vec<FieldAddress>,
    /// Presume that a value the platform does not show is live as declared; may be repeated.
    #[arg(long, value_name = "KIND/NAME[:FIELD]", value_delimiter = ',')]
    pub accept_unsettled: Vec<FieldAddress>,
    /// Only this resource and what it depends on; may be repeated; turns prune off.
    #[arg(long, env = "STOKER_TARGET", value_name = "KIND/NAME", value_delimiter = ',')]
    pub target: Vec<Key>,
    /// Leave this resource out; may be repeated; turns prune off.
    #[arg(long, env = "STOKER_EXCLUDE", value_name = "KIND/NAME", value_delimiter = ',')]
    pub exclude: Vec<Key>,
    /// Approve that exactly this service is deleted and created again; may be repeated.
    #[arg(long, value_name = "KIND/NAME=ID")]
    pub replace: Vec<Approved>,
    /// How long a create without an answer may still take effect [default: 180s].
    #[arg(long, env = "STOKER_SETTLE", value_name = "DURATION")]
    pub settle: Option<Span>,
}

/// Whether a run waits for deployments.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Waiting {
    /// Wait for the deployments to finish; if one fails, the run fails.
    #[arg(long, env = "STOKER_WAIT", overrides_with = "no_wait",
          value_parser = BoolishValueParser::new(), value_name = "BOOL",
          hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub wait: Option<bool>,
    /// Do not wait, whatever the settings file says.
    #[arg(long, overrides_with = "wait")]
    pub no_wait: bool,
}

/// Whether a run asks for approval.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Approval {
    /// Do not ask for approval.
    #[arg(short = 'y', long, env = "STOKER_AUTO_APPROVE",
          value_parser = BoolishValueParser::new(), value_name = "BOOL",
          hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub auto_approve: Option<bool>,
}

/// `stoker plan`.
#[derive(Args, Debug)]
pub struct PlanCommand {
    #[command(flatten)]
    pub sources: Sources,
    /// Save the plan, for `stoker apply FILE`.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Exit with 2 when changes are pending, and with 5 when all that is left is held back, was not
    /// seen or is unsettled.
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Name the live resources that are declared nowhere and not owned.
    #[arg(long)]
    pub show_unmanaged: bool,
    /// With `false`, plan on what was last seen, without a request; such a plan is never applied
    /// [default: true].
    #[arg(long, value_parser = BoolishValueParser::new(), value_name = "BOOL",
          hide_possible_values = true, require_equals = true)]
    pub refresh: Option<bool>,
    #[command(flatten)]
    pub planning: Planning,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker apply`.
#[derive(Args, Debug)]
pub struct ApplyCommand {
    /// Files and directories, `-` for stdin; or a saved plan, then the manifests it was made from.
    #[arg(value_name = "PATH|PLAN.json")]
    pub paths: Vec<PathBuf>,
    /// Plan all projects of the settings, ask once, and apply them one after the other.
    #[arg(long, conflicts_with = "project")]
    pub all_projects: bool,
    #[command(flatten)]
    pub chosen: Chosen,
    #[command(flatten)]
    pub approval: Approval,
    #[command(flatten)]
    pub waiting: Waiting,
    #[command(flatten)]
    pub planning: Planning,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker drift`.
#[derive(Args, Debug)]
pub struct DriftCommand {
    #[command(flatten)]
    pub sources: Sources,
    /// Exit with 2 when something drifted, and with 5 when nothing did, as far as could be seen.
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Only this resource and what it depends on; may be repeated.
    #[arg(long, value_name = "KIND/NAME", value_delimiter = ',')]
    pub target: Vec<Key>,
    /// Leave this resource out; may be repeated.
    #[arg(long, value_name = "KIND/NAME", value_delimiter = ',')]
    pub exclude: Vec<Key>,
    #[command(flatten)]
    pub connection: Connection,
}
