//! What a mind shows: how things stood when they were last seen, and what happened.

use jiff::Timestamp;

use crate::plan::RuleFinding;
use crate::render::json::SavedChange;
use crate::status::{
    BudgetStatus, Conditions, DeploymentRecord, Event, LifetimeCounts, PassRecord, ProjectStatus,
    Repair, ResourceStatus, Rollback, SharedList, UnmanagedThing,
};

/// What is shown of one project.
pub(super) struct ShownState {
    /// In the order of keys.
    pub resources: SharedList<ResourceStatus>,
    pub pending: SharedList<SavedChange>,
    pub unmanaged: usize,
    /// The first of what is unmanaged.
    pub unmanaged_things: Vec<UnmanagedThing>,
    /// When all was last seen to be as declared.
    pub seen_synced_at: Option<Timestamp>,
    /// Newest first.
    pub deployments: SharedList<DeploymentRecord>,
    pub counts: LifetimeCounts,
    pub history: SharedList<PassRecord>,
    pub last_repair: Option<Repair>,
    pub last_rollback: Option<Rollback>,
    /// What policies said of the last plan.
    pub findings: Vec<RuleFinding>,
    pub conditions: Conditions,
    pub budget: BudgetStatus,
    /// Whether it was told that the API has nothing left.
    pub is_shortage_told: bool,
    pub events: Vec<Event>,
    /// The number of the last event.
    pub sequence: u64,
    pub started_at: Timestamp,
}

impl ShownState {
    /// Nothing yet, under a budget of `rate` requests a minute.
    pub fn new(rate: u32, now: Timestamp) -> Self {
        Self {
            resources: SharedList::default(),
            pending: SharedList::default(),
            unmanaged: 0,
            unmanaged_things: Vec::new(),
            seen_synced_at: None,
            deployments: SharedList::default(),
            counts: LifetimeCounts::default(),
            history: SharedList::default(),
            last_repair: None,
            last_rollback: None,
            findings: Vec::new(),
            conditions: Conditions::default(),
            budget: BudgetStatus { rate, ..BudgetStatus::default() },
            is_shortage_told: false,
            events: Vec::new(),
            sequence: 0,
            started_at: now,
        }
    }

    /// Shows what the agent before it showed of the same platform.
    pub fn recall(&mut self, earlier: &ProjectStatus) {
        self.history = earlier.history.clone();
        self.resources = earlier.resources.clone();
        self.pending = earlier.pending.clone();
        self.unmanaged = earlier.unmanaged;
        self.unmanaged_things.clone_from(&earlier.unmanaged_things);
        self.seen_synced_at = earlier.seen_synced_at;
        self.deployments = earlier.deployments.clone();
        self.counts.clone_from(&earlier.counts);
        self.conditions = earlier.conditions.clone();
        self.last_repair.clone_from(&earlier.last_repair);
        self.last_rollback.clone_from(&earlier.last_rollback);
        self.budget = BudgetStatus { rate: self.budget.rate, ..earlier.budget.clone() };
    }
}
