//! What is known of a project right now, as a value: conditions, what is pending, history, events.
//!
//! Pure. The agent writes it, and every reader — page, socket, metrics, notifications, `stoker get`
//! — reads this one form. Its JSON is public and versioned like a plan's: minor versions only add.
//! Values of variables never get here: fields come from a plan on paper, where secrets are absent.

mod condition;
mod deployment;
mod event;
mod order;
mod pass;
mod project;
mod shared_list;
mod standing;
mod switches;
mod words;

pub mod paper;

pub use condition::{Condition, ConditionType, Conditions, Truth};
pub use deployment::{DEPLOYMENTS_MAX, DeploymentRecord, DeploymentStatus, LifetimeCounts};
pub use event::{Event, EventSeverity};
pub use order::Order;
pub use pass::{BudgetSample, BudgetStatus, PassRecord, Trigger};
pub use project::{
    FORMAT_VERSION, Mode, Problem, ProjectStatus, Repair, ResourceStatus, Revision, Rollback, Runs,
    SourceStatus, Steering, Suspension, UnmanagedThing, WindowState,
};
pub use shared_list::SharedList;
pub use standing::{HealthStatus, SyncStatus};
pub use switches::Switches;
pub use words::{ConditionReason, EventReason, Occurrence, PassOutcome};
