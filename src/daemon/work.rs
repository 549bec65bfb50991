//! The agent's hands: each piece of work as one future that cannot fail but by its value.
//!
//! A panic in one of them is a failure of that one (L2), not of the agent.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::watch;

use crate::api::{Deployment, ErrorKind};
use crate::apply::Happening;
use crate::budget::Lane;
use crate::follow::{Ending, Watch};
use crate::model::{Key, Project, RemoteId};
use crate::project::{CarryError, PassError, Passed, Planned, Wish};
use crate::reconcile::RefreshError;
use crate::status::{ConditionReason, Problem};
use crate::store::StoreError;

use super::agent::AgentParts;
use super::declare::{Declared, declare};
use super::mind::{PassAsk, PassFailure, ReadAsk};
use super::source::problem;

/// The deployments of a service, newest first, or why they do not come.
pub(super) type DeploymentHistory = (Key, Result<Vec<Deployment>, String>);

/// What a look at the deployments showed.
pub(super) struct Looked {
    /// What is still waited for.
    pub watch: Watch,
    /// Each new status word.
    pub statuses: Vec<(Key, String)>,
    /// What has ended.
    pub endings: Result<BTreeMap<Key, Ending>, String>,
}

/// Reads the manifests and checks them, unless they are those that are `known`.
pub(super) fn read(
    parts: &AgentParts,
    ask: ReadAsk,
    known: Option<Arc<Declared>>,
) -> BoxFuture<'static, Result<Arc<Declared>, Problem>> {
    let (source, secrets) = (Arc::clone(&parts.source), parts.secrets.clone());
    let reading = async move {
        let ReadAsk { known: commit, pinned } = ask;
        let reading = source.read(commit.as_deref(), pinned.as_deref()).await?;
        // A runtime of one thread is a simulation's, and must do the same each time.
        if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
            return declare(reading, &secrets, known);
        }
        // Ten megabytes of YAML must not hold up the other projects.
        let declared = tokio::task::spawn_blocking(move || declare(reading, &secrets, known));
        let unfinished =
            |error| problem(ConditionReason::SourceUnreadable, format!("reading ended: {error}"));
        declared.await.map_err(unfinished)?
    };
    let caught = AssertUnwindSafe(reading).catch_unwind();
    Box::pin(caught.map(|read| {
        read.unwrap_or_else(|panic| Err(problem(ConditionReason::InternalError, said(&*panic))))
    }))
}

/// Makes one pass, and counts its requests.
pub(super) fn pass(
    parts: &AgentParts,
    stop: watch::Receiver<bool>,
    ask: PassAsk,
) -> BoxFuture<'static, (Result<Passed, PassFailure>, u32)> {
    let PassAsk { pass, desired, policy, licence, lane, look } = ask;
    let project = parts.project.in_lane(lane);
    let client = project.client.clone();
    let sent = client.calls();
    let (rules, name) = (parts.rules.clone(), parts.settings.name.clone());
    let passing = async move {
        let judge = |made: &Planned| rules.judge_plan(&made.plan, &name, made.snapshot.now);
        let wish = Wish { desired, policy: &policy, licence, look, judge: &judge };
        project.pass(wish, stop, &unobserved).await
    };
    let span = tracing::info_span!("pass", pass);
    let caught = AssertUnwindSafe(tracing::Instrument::instrument(passing, span));
    Box::pin(caught.catch_unwind().map(move |passed| {
        let passed = match passed {
            Ok(passed) => passed.map_err(|error| failure(&error)),
            Err(panic) => Err(PassFailure {
                reason: ConditionReason::InternalError,
                message: said(&*panic),
                is_final: false,
                is_passing: false,
            }),
        };
        (passed, client.calls().wrapping_sub(sent))
    }))
}

/// Looks once at the deployments under way.
pub(super) fn look(parts: &AgentParts, mut watch: Watch) -> BoxFuture<'static, Looked> {
    let reader = parts.project.in_lane(Lane::Background).reader();
    Box::pin(async move {
        let statuses = Mutex::new(Vec::new());
        let observe = |key: &Key, status: &str| {
            let mut statuses = statuses.lock().unwrap_or_else(PoisonError::into_inner);
            statuses.push((key.clone(), status.to_owned()));
        };
        let endings = watch.look(&reader, &observe).await.map_err(|error| error.to_string());
        let statuses = statuses.into_inner().unwrap_or_else(PoisonError::into_inner);
        Looked { watch, statuses, endings }
    })
}

/// Reads the deployments of a service, newest first.
pub(super) fn deployments(
    parts: &AgentParts,
    key: Key,
    id: RemoteId,
) -> BoxFuture<'static, DeploymentHistory> {
    let reader = parts.project.in_lane(Lane::Background).reader();
    Box::pin(async move {
        let read = reader.deployments(&id).await;
        (key, read.map_err(|error| error.to_string()))
    })
}

/// Goes back to the previous deployment of a service.
pub(super) fn roll_back(
    parts: &AgentParts,
    key: Key,
    (id, pinned): (RemoteId, Project),
) -> BoxFuture<'static, (Key, Result<(), String>)> {
    let project = parts.project.in_lane(Lane::Urgent);
    Box::pin(async move {
        let outcome = project.roll_back(&pinned, &key, &id).await;
        (key, outcome.map_err(|error| error.to_string()))
    })
}

/// Returns what a panic said.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("a defect of this program: {}", text.unwrap_or_default())
}

/// Returns why a pass came to no end, in words.
fn failure(error: &PassError) -> PassFailure {
    let (reason, is_final, is_passing) = match error {
        PassError::Refresh(RefreshError::Read(error)) => match error.kind() {
            ErrorKind::Authentication => (ConditionReason::Unauthorized, true, false),
            ErrorKind::Permission => (ConditionReason::Denied, true, false),
            ErrorKind::OverBudget if error.is_stop() => (ConditionReason::Stopped, false, true),
            ErrorKind::OverBudget => (ConditionReason::OverBudget, false, false),
            ErrorKind::NotTheApi => (ConditionReason::NotTheApi, true, false),
            ErrorKind::Busy
            | ErrorKind::NotFound
            | ErrorKind::Refused
            | ErrorKind::Unavailable
            | ErrorKind::Unreadable
            | ErrorKind::Local => (ConditionReason::PlatformUnavailable, false, false),
        },
        PassError::Refresh(RefreshError::Refused(_))
        | PassError::Carry(CarryError::NotPinned(_)) => {
            (ConditionReason::WrongProject, true, false)
        }
        PassError::Carry(CarryError::Store(StoreError::Locked { .. })) => {
            (ConditionReason::Locked, false, true)
        }
        PassError::Carry(CarryError::Store(_)) => (ConditionReason::StateUnusable, true, false),
        PassError::Moved => (ConditionReason::Moved, false, true),
    };
    let message = match error {
        PassError::Refresh(RefreshError::Read(error)) if error.is_stop() => {
            "it was stopped while it waited for the request limit".to_owned()
        }
        // This one is a sentence of its own.
        PassError::Refresh(RefreshError::Refused(wrong)) => wrong.to_string(),
        PassError::Refresh(RefreshError::Read(_)) | PassError::Carry(_) | PassError::Moved => {
            format!("failed to {error}")
        }
    };
    PassFailure { reason, message, is_final, is_passing }
}

/// Nobody waits for the single steps of the agent's passes: its events tell what became of them.
fn unobserved(_: Happening<'_>) {}
