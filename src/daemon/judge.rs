//! From a pass to conditions: what is true of each resource, and why. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::follow::Health;
use crate::model::{Applied, Inventory, Key, Kind, LiveObject, Name, RemoteId, Resource, Unknown};
use crate::plan::{Action, Change, ChangeResult, FailureCause, FieldReason, Outcome, Plan, Reason};
use crate::project::Passed;
use crate::render::json::{self, SavedByHand, SavedUnsettled};
use crate::status::{ConditionReason, ConditionType, ResourceStatus, Runs, Truth};

use super::memory::FailedDeploys;
use super::mind::Withheld;
use super::queue::RetryQueue;

mod flapping;
mod standing;
mod unsettled;
mod words;

use flapping::flapping;
use standing::readiness;
use words::{claim_word, more, state_of, state_of_withheld, word};

/// How often a resource fails in a row before a person is needed: the waits have grown to minutes.
const FAILURES_MAX: u32 = 5;

/// Everything the judgement rests on.
pub(super) struct Case<'a> {
    /// The pass.
    pub passed: &'a Passed,
    /// Why nothing was written, where nothing was.
    pub withheld: Option<Withheld>,
    /// Who waits.
    pub queue: &'a RetryQueue,
    /// Whose deployments failed.
    pub deploys: &'a BTreeMap<Key, FailedDeploys>,
    /// What runs of services, by their ids.
    pub runs: &'a BTreeMap<String, Runs>,
    /// Whose deployments are under way.
    pub awaited: &'a BTreeSet<Key>,
    /// What was said before.
    pub before: &'a [ResourceStatus],
    /// The time.
    pub now: Timestamp,
}

/// What is said of one resource.
struct Verdict {
    state: State,
    reason: ConditionReason,
    message: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// As declared, and healthy.
    Ready,
    /// Being brought there.
    Moving,
    /// Other than declared, and nobody is at it: it was told not to.
    Resting,
    /// Not there, and only a person can help.
    Stuck,
    /// Nobody can tell: what a verdict needs was not seen (S2). It is looked at again.
    Unseen,
    /// Nobody can tell, and only a person can help: the token may not see it, or nobody may.
    Unseeable,
}

/// Judges every declared or owned resource, in the order of keys.
pub(super) fn resources(case: &Case<'_>) -> Vec<ResourceStatus> {
    let Passed { snapshot, plan, report, inventory, .. } = case.passed;
    let changes: BTreeMap<&Key, &Change> =
        plan.changes.iter().map(|change| (&change.key, change)).collect();
    let results = report.iter().flat_map(|report| &report.results);
    let results: BTreeMap<&Key, &ChangeResult> =
        results.map(|result| (&result.key, result)).collect();
    let declared = snapshot.desired.resources.keys();
    let blocked = plan.changes.iter().filter(|change| change.blocked.is_some());
    let planned = plan.changes.iter().filter_map(|it| Some((it.key.kind, it.id.as_ref()?)));
    let planned: BTreeSet<(Kind, &RemoteId)> = planned.collect();
    // What is still to be renamed is told of under its new name alone, also where too little was seen
    // to tell which object that is.
    let former = snapshot.desired.resources.values();
    let former = former.flat_map(|it| it.previous_names.iter().map(|name| (it.key.kind, name)));
    let former: BTreeSet<(Kind, &Name)> = former.collect();
    let owned = inventory.entries.iter().filter(|(key, entry)| {
        let is_known = changes.contains_key(key) || snapshot.desired.resources.contains_key(*key);
        let is_renamed =
            planned.contains(&(key.kind, &entry.id)) || former.contains(&(key.kind, &key.name));
        is_known || !is_renamed
    });
    let owned = owned.map(|(key, _)| key);
    let keys: BTreeSet<&Key> =
        declared.chain(owned).chain(blocked.map(|change| &change.key)).collect();
    let objects = snapshot.live.listings.values().flat_map(|listing| &listing.objects);
    let objects: BTreeMap<(Kind, &RemoteId), &LiveObject> =
        objects.map(|object| ((object.kind, &object.id), object)).collect();
    let by_hand = plan_by_hand(plan);
    let one = |key: &Key| {
        let (change, result) = (changes.get(key).copied(), results.get(key).copied());
        let id = inventory.entries.get(key).map(|entry| &entry.id);
        let id = id.or_else(|| change?.id.as_ref());
        let object = id.and_then(|id| objects.get(&(key.kind, id)).copied());
        let by_hand = by_hand.get(key).cloned().unwrap_or_default();
        ResourceStatus { by_hand, ..case.resource(key, change, result, object) }
    };
    keys.into_iter().map(one).collect()
}

/// What people set, by resource.
fn plan_by_hand(plan: &Plan) -> BTreeMap<Key, Vec<SavedByHand>> {
    let mut by_key: BTreeMap<Key, Vec<SavedByHand>> = BTreeMap::new();
    for one in json::by_hand(plan) {
        by_key.entry(one.key.clone()).or_default().push(one);
    }
    by_key
}

impl Case<'_> {
    fn resource(
        &self,
        key: &Key,
        change: Option<&Change>,
        result: Option<&ChangeResult>,
        object: Option<&LiveObject>,
    ) -> ResourceStatus {
        let desired = self.passed.snapshot.desired.resources.get(key);
        let unsettled = unsettled::values(self.passed, change);
        let verdict = self.verdict(key, change, result, object, &unsettled);
        let is_carried_out = match result {
            Some(result) => result.outcome == Outcome::Applied,
            None => verdict.state == State::Ready,
        };
        let before = find(self.before, key);
        let digest = &self.passed.snapshot.desired.digest;
        let entry = self.passed.inventory.entries.get(key);
        let id = entry.map(|entry| &entry.id).or(object.map(|object| &object.id));
        let sync_status = self.sync(&verdict, change, result, object);
        let health_status = self.health(key, &verdict, result, object);
        let mut status = ResourceStatus {
            key: key.clone(),
            id: id.map(ToString::to_string),
            owned: entry.map(|entry| claim_word(entry.claim).to_owned()),
            sync_status,
            health_status,
            conditions: before.map(|before| before.conditions.clone()).unwrap_or_default(),
            labels: desired.map(|resource| resource.labels.clone()).unwrap_or_default(),
            health: object.and_then(|object| object.status.clone()),
            url: object.and_then(|object| object.url.clone()),
            replicas: object.and_then(|object| object.replicas),
            declared_at: desired.map(|resource| resource.origin.clone()),
            depends_on: desired.iter().flat_map(|it| &it.depends_on).cloned().collect(),
            by_hand: Vec::new(),
            unsettled,
            observed_revision: match (is_carried_out, before) {
                (true, _) => Some(digest.clone()),
                (false, before) => before.and_then(|before| before.observed_revision.clone()),
            },
            runs: id.and_then(|id| self.runs.get(id.as_str()).cloned()),
            deployment: before.and_then(|before| before.deployment.clone()),
            failures: self.queue.failures(key),
            retry_at: self.queue.until(key).filter(|until| *until > self.now),
        };
        conclude(&mut status, &verdict, drift(change, result), self.now);
        status
    }

    fn verdict(
        &self,
        key: &Key,
        change: Option<&Change>,
        result: Option<&ChangeResult>,
        object: Option<&LiveObject>,
        unsettled: &[SavedUnsettled],
    ) -> Verdict {
        if let Some(failed) = self.failed_deploy(key) {
            return failed;
        }
        if let Some(blocked) = change.and_then(|change| change.blocked.as_ref()) {
            let state = match state_of(blocked.reason) {
                State::Unseen if change.is_some_and(|it| self.is_forbidden(it)) => State::Unseeable,
                state => state,
            };
            let hint = blocked.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
            let message = format!("{}{hint}", blocked.message);
            return Verdict { state, reason: word(blocked.reason), message };
        }
        if let Some(verdict) = result.and_then(|result| self.of_outcome(key, &result.outcome)) {
            return verdict;
        }
        if self.awaited.contains(key) {
            return Verdict::new(
                State::Moving,
                ConditionReason::Deploying,
                "its deployment is in progress",
            );
        }
        // What is gone and has yet to be forgotten is not there, whatever is written for it.
        let is_pending = change
            .is_some_and(|change| !change.steps.is_empty() || change.action == Action::Forget);
        if result.is_none()
            && is_pending
            && let Some((reason, message)) = &self.withheld
        {
            return Verdict::new(state_of_withheld(reason), reason.clone(), message.clone());
        }
        // What was just made is in no list yet; anything else that is in none is not there.
        if object.is_none() && result.is_none_or(|result| result.outcome != Outcome::Applied) {
            return Verdict::new(State::Moving, ConditionReason::Moved, "it does not exist");
        }
        change.and_then(flapping).unwrap_or_else(|| {
            let verdict = of_health(object, change);
            let is_ready = verdict.state == State::Ready;
            unsettled::verdict(unsettled).filter(|_| is_ready).unwrap_or(verdict)
        })
    }

    /// Whether the token may not read the details of what a change is about.
    fn is_forbidden(&self, change: &Change) -> bool {
        let id = change.id.clone().map(|id| (change.key.kind, id));
        let why = id.and_then(|id| self.passed.snapshot.live.unread.get(&id));
        why == Some(&Unknown::Forbidden)
    }

    /// The deployments of this very state failed: the last lines say why.
    fn failed_deploy(&self, key: &Key) -> Option<Verdict> {
        let failed = self.deploys.get(key)?;
        let desired = self.passed.snapshot.desired.resources.get(key)?;
        if failed.digest != digest(desired) {
            return None;
        }
        let last = failed.log.iter().rev().find(|line| !line.trim().is_empty());
        let last = last.map(|line| format!(": {line}")).unwrap_or_default();
        let times = match failed.failed {
            1 => String::new(),
            count => format!(" {count} times"),
        };
        let back = if failed.rolled_back { "; it was rolled back" } else { "" };
        let message = format!("its deployment failed{times}{back}{last}");
        Some(Verdict::new(State::Stuck, ConditionReason::DeployFailed, message))
    }

    fn of_outcome(&self, key: &Key, outcome: &Outcome) -> Option<Verdict> {
        let moving = |reason, message: &str| Some(Verdict::new(State::Moving, reason, message));
        match outcome {
            Outcome::Applied | Outcome::Blocked { reason: _ } => None,
            Outcome::Failed { cause, message, request_id } => {
                let request = request_id.as_ref().map(|id| format!(" (request {id})"));
                let message = format!("{message}{}", request.unwrap_or_default());
                Some(match cause {
                    FailureCause::Denied => {
                        Verdict::new(State::Stuck, ConditionReason::Denied, message)
                    }
                    FailureCause::Busy => {
                        Verdict::new(State::Moving, ConditionReason::DeployInProgress, message)
                    }
                    FailureCause::Stopped => {
                        Verdict::new(State::Moving, ConditionReason::Stopped, message)
                    }
                    FailureCause::OverBudget => {
                        Verdict::new(State::Moving, ConditionReason::OverBudget, message)
                    }
                    FailureCause::Other if self.queue.failures(key) >= FAILURES_MAX => {
                        Verdict::new(State::Stuck, ConditionReason::Failing, message)
                    }
                    FailureCause::Other => {
                        Verdict::new(State::Moving, ConditionReason::Failed, message)
                    }
                })
            }
            Outcome::Stale { message } => moving(ConditionReason::Moved, message),
            Outcome::Unresolved { cause: _, message } => {
                moving(ConditionReason::AnswerLost, message)
            }
            Outcome::Skipped { because_of } => {
                moving(ConditionReason::DependencyFailed, &format!("it waits for {because_of}"))
            }
            Outcome::NotStarted => {
                moving(ConditionReason::Superseded, "the pass ended before its turn")
            }
        }
    }
}

impl Verdict {
    fn new(state: State, reason: ConditionReason, message: impl Into<String>) -> Self {
        Self { state, reason, message: message.into() }
    }
}

fn of_health(object: Option<&LiveObject>, change: Option<&Change>) -> Verdict {
    let status = object.and_then(|object| object.status.as_deref());
    match status.map(Health::of) {
        Some(Health::Bad) => {
            let message = format!("the platform reports `{}`", status.unwrap_or_default());
            Verdict::new(State::Stuck, ConditionReason::Unhealthy, message)
        }
        Some(Health::Moving) => {
            let message = format!("the platform reports `{}`", status.unwrap_or_default());
            Verdict::new(State::Moving, ConditionReason::Progressing, message)
        }
        Some(Health::Good | Health::Unknown) | None if unsettled::is_open(change) => {
            let message = "as declared, as far as the platform shows it";
            Verdict::new(State::Ready, ConditionReason::InSync, message)
        }
        Some(Health::Good | Health::Unknown) | None => {
            Verdict::new(State::Ready, ConditionReason::InSync, "as declared")
        }
    }
}

/// Returns the fields that differ without a manifest having caused it, when they still do.
fn drift(change: Option<&Change>, result: Option<&ChangeResult>) -> Option<String> {
    let change = change?;
    if result.is_some_and(|result| result.outcome == Outcome::Applied) {
        return None;
    }
    let is_drift = |reason: FieldReason| match reason {
        FieldReason::Drift | FieldReason::Flapping => true,
        FieldReason::Requested
        | FieldReason::Rotated(_)
        | FieldReason::Derived
        | FieldReason::Later
        | FieldReason::Unverifiable
        | FieldReason::Accepted => false,
    };
    let fields = change.fields.iter().filter(|field| is_drift(field.reason));
    let paths: Vec<String> = fields.map(|field| format!("`{}`", field.path)).collect();
    match change.reason {
        Reason::Missing if change.action != Action::Forget => Some("it was deleted".to_owned()),
        _ if paths.is_empty() => None,
        _ => Some(format!("{} changed on the platform", paths.join(", "))),
    }
}

fn conclude(
    status: &mut ResourceStatus,
    verdict: &Verdict,
    drifted: Option<String>,
    now: Timestamp,
) {
    let Verdict { state, reason, message } = verdict;
    let (ready, reconciling, stalled) = match state {
        State::Ready => (Truth::True, Truth::False, Truth::False),
        State::Moving => (Truth::False, Truth::True, Truth::False),
        State::Resting => (readiness(&status.health_status), Truth::False, Truth::False),
        State::Stuck => (Truth::False, Truth::False, Truth::True),
        State::Unseen => (Truth::Unknown, Truth::True, Truth::False),
        State::Unseeable => (Truth::Unknown, Truth::False, Truth::True),
    };
    let mut set = |kind, truth| {
        status.conditions.set(kind, truth, reason.clone(), message.clone(), now);
    };
    set(ConditionType::Ready, ready);
    set(ConditionType::Reconciling, reconciling);
    set(ConditionType::Stalled, stalled);
    let (truth, reason, message) = match (drifted, ready) {
        (Some(message), _) => (Truth::True, ConditionReason::Drift, message),
        (None, Truth::Unknown) => (Truth::Unknown, reason.clone(), message.clone()),
        (None, Truth::True | Truth::False) => {
            (Truth::False, ConditionReason::NoDrift, String::new())
        }
    };
    status.conditions.set(ConditionType::Drifted, truth, reason, message, now);
}

/// Returns the digest of what is declared of a resource; secrets count by their fingerprints (S9).
pub(super) fn digest(resource: &Resource) -> String {
    use sha2::Digest as _;
    let mut hash = sha2::Sha256::new();
    for (path, field) in &resource.fields {
        let is_generated = path.env_key().is_some_and(|key| resource.generated.contains_key(key));
        // Which value of its row it has is nothing that a person declares.
        let value = (!is_generated).then(|| Applied::from(&field.value));
        let value = serde_json::to_string(&value);
        let value = value.expect("a remembered value has only text keys");
        hash.update(format!("{path}\0{value}\0"));
    }
    hex::encode(hash.finalize())
}

/// Returns what is said of a resource, in a list in the order of keys.
pub(super) fn find<'a>(resources: &'a [ResourceStatus], key: &Key) -> Option<&'a ResourceStatus> {
    place(resources, key).ok().map(|index| &resources[index])
}

/// Returns where a resource stands in a list in the order of keys, or where it would.
pub(super) fn place(resources: &[ResourceStatus], key: &Key) -> Result<usize, usize> {
    resources.binary_search_by(|resource| resource.key.cmp(key))
}

/// Whether a resource of ours is among what we remember.
pub(super) fn is_known(inventory: &Inventory, key: &Key) -> bool {
    inventory.entries.contains_key(key) || inventory.intents.contains_key(key)
}
