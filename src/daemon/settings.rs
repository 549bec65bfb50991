//! What the agent of one project is told once, at its start.

use std::time::Duration;

use crate::plan::Policy;
use crate::status::Mode;

use super::window::Windows;

/// How one project is kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the settings call the project.
    pub name: String,
    /// Whether it writes.
    pub mode: Mode,
    /// What is allowed.
    pub policy: Policy,
    /// How long between two looks at the platform, before it is adapted (performance, B13).
    pub interval: Duration,
    /// How many requests may be sent in a minute: looking spends a share of it.
    pub rate: u32,
    /// When it may write.
    pub windows: Windows,
    /// How many deployments of one state of a service may fail before it is left alone.
    pub deploys_max: u32,
    /// Whether a service whose deployment failed goes back to its previous one.
    pub rollback_on_failure: bool,
    /// Spreads several agents in time.
    pub seed: u64,
}
