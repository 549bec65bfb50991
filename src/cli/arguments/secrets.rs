//! The flags of `stoker secrets` and `stoker rotate`.

use clap::Args;

use crate::model::{EnvKey, Key};

use super::{Sources, StateFlags};

/// `stoker secrets`.
#[derive(Args, Debug)]
pub struct SecretsCommand {
    #[command(flatten)]
    pub sources: Sources,
    #[command(flatten)]
    pub state: StateFlags,
}

/// `stoker rotate`.
#[derive(Args, Debug)]
pub struct RotateCommand {
    /// The resource.
    #[arg(value_name = "KIND/NAME")]
    pub key: Key,
    /// Its variables with `generateValue`.
    #[arg(value_name = "KEY", required = true, value_parser = EnvKey::new)]
    pub variables: Vec<EnvKey>,
    #[command(flatten)]
    pub state: StateFlags,
}
