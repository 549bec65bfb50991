//! The flags of the commands that look at the platform, or use its other endpoints.

use clap::Args;

use crate::model::Key;

use super::{Approval, Connection, Waiting};

/// A command about one resource.
#[derive(Args, Debug)]
pub struct OneCommand {
    /// The resource.
    #[arg(value_name = "KIND/NAME")]
    pub key: Key,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker deploy`.
#[derive(Args, Debug)]
pub struct DeployCommand {
    /// The service, as service/NAME.
    #[arg(value_name = "service/NAME")]
    pub key: Key,
    /// The branch to deploy, instead of the service's own.
    #[arg(long)]
    pub branch: Option<String>,
    /// Build without the cache.
    #[arg(long)]
    pub clear_cache: bool,
    #[command(flatten)]
    pub waiting: Waiting,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker deployments`.
#[derive(Args, Debug)]
pub struct DeploymentsCommand {
    /// The service, as service/NAME.
    #[arg(value_name = "service/NAME")]
    pub key: Key,
    /// One deployment, with its log.
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker rollback`.
#[derive(Args, Debug)]
pub struct RollbackCommand {
    /// The service, as service/NAME.
    #[arg(value_name = "service/NAME")]
    pub key: Key,
    #[command(flatten)]
    pub approval: Approval,
    #[command(flatten)]
    pub waiting: Waiting,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker logs`.
#[derive(Args, Debug)]
pub struct LogsCommand {
    /// The service, as service/NAME.
    #[arg(value_name = "service/NAME")]
    pub key: Key,
    /// Follow until interrupted, and reconnect when the stream breaks.
    #[arg(short, long)]
    pub follow: bool,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker doctor`.
#[derive(Args, Debug)]
pub struct DoctorCommand {
    /// Create a throwaway service, learn from it how the platform behaves, and delete it.
    #[arg(long)]
    pub probe: bool,
    #[command(flatten)]
    pub approval: Approval,
    #[command(flatten)]
    pub connection: Connection,
}

/// `stoker sandbox`.
#[derive(Args, Debug)]
pub struct SandboxCommand {
    /// The address to listen on; loopback only.
    #[arg(long, env = "STOKER_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8300")]
    pub listen: std::net::SocketAddr,
    /// Faults to inject, for example `seed=7,rate=0.05` (docs/sandbox.md).
    #[arg(long, value_name = "FAULTS")]
    pub faults: Option<String>,
    /// Discard the state of earlier runs.
    #[arg(long)]
    pub fresh: bool,
}
