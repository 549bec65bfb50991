//! What people tell the agent, and what withholds its right to write.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::manifest;
use crate::project::Licence;
use crate::status::{
    ConditionReason, EventSeverity, Mode, Occurrence, Order, Problem, Steering, Suspension, Trigger,
};

use super::super::declare::Declared;
use super::super::handle::{Acknowledgement, Refusal};
use super::super::judge;
use super::Mind;
use super::reading::short;

/// The longest suspension: one that is forgotten must end before the state is history.
const SUSPENSION_MAX: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The shortest beginning of a commit that names one.
const COMMIT_CHARS_MIN: usize = 7;

/// Why nothing may be written: for scripts, and a fragment for people.
pub(in crate::daemon) type Withheld = (ConditionReason, String);

impl Mind {
    /// Takes an order. Without an answer the next reading brings it: [`Mind::end_pin`].
    ///
    /// # Errors
    /// When it makes no sense here.
    pub fn order(
        &mut self,
        order: Order,
        now: Timestamp,
    ) -> Result<Option<Acknowledgement>, Refusal> {
        let said = match order {
            Order::Reconcile { key } => Some(self.forgive(key.as_ref())?),
            Order::Look { key } => Some(self.look_at_deployment(key)?),
            Order::Suspend { reason, until } => Some(self.suspend(reason, until, now)?),
            Order::Resume => Some(self.resume()?),
            Order::Pin { commit } => {
                self.begin_pin(commit)?;
                None
            }
            Order::Unpin => Some(self.unpin()?),
        };
        self.wanted.wants_read = true;
        self.agenda.due.insert(Trigger::Order);
        Ok(said.map(Acknowledgement))
    }

    fn forgive(&mut self, key: Option<&crate::model::Key>) -> Result<String, Refusal> {
        let Some(key) = key else {
            self.agenda.queue.forgive(None);
            self.memory.deploys.clear();
            self.agenda.retries.succeeded();
            self.agenda.retry_at = None;
            return Ok("it checks now".to_owned());
        };
        if judge::find(&self.shown.resources, key).is_none() {
            let known: Vec<String> =
                self.shown.resources.iter().map(|it| it.key.to_string()).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let near = manifest::nearest(&key.to_string(), &known);
            let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            let message = format!("{key} is neither declared nor owned here{near}");
            return Err(Refusal::Refused(message));
        }
        self.agenda.queue.forgive(Some(key));
        self.memory.deploys.remove(key);
        self.forgiven.insert(key.clone());
        Ok(format!("it checks now, and {key} is retried"))
    }

    fn look_at_deployment(&mut self, key: crate::model::Key) -> Result<String, Refusal> {
        if judge::find(&self.shown.resources, &key).is_none() {
            return Err(Refusal::Refused(format!("{key} is neither declared nor owned here")));
        }
        let said = format!("it checks which deployment of {key} runs");
        self.agenda.others.begun(key);
        Ok(said)
    }

    fn suspend(
        &mut self,
        reason: String,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<String, Refusal> {
        let refused = |message: &str| Err(Refusal::Refused(message.to_owned()));
        if reason.trim().is_empty() {
            return refused("a suspension needs a reason");
        }
        if until <= now {
            return refused("a suspension needs an end in the future");
        }
        if until.duration_since(now) > SUSPENSION_MAX {
            return refused("a suspension must end within 30 days");
        }
        if let Some(running) = &mut self.running {
            // What is in flight is finished and recorded; nothing new begins.
            running.is_superseded = true;
        }
        let what = format!("nothing is written until {until:.0}: {reason}");
        self.memory.suspension = Some(Suspension { reason, since: now, until });
        self.tell(EventSeverity::Normal, None, ConditionReason::Suspended, what.clone());
        Ok(what)
    }

    fn resume(&mut self) -> Result<String, Refusal> {
        if self.memory.suspension.take().is_none() {
            return Err(Refusal::Refused("it is not suspended".to_owned()));
        }
        self.tell(EventSeverity::Normal, None, Occurrence::Resumed, "the suspension was ended");
        Ok("it writes again".to_owned())
    }

    /// Ends a suspension whose time is over.
    pub(super) fn end_suspension(&mut self, now: Timestamp) {
        let is_over = self.memory.suspension.as_ref().is_some_and(|it| it.until <= now);
        if is_over {
            self.memory.suspension = None;
            self.agenda.due.insert(Trigger::Timer);
            self.tell(EventSeverity::Normal, None, Occurrence::Resumed, "the suspension is over");
        }
    }

    /// Notes a commit to stay at, once it was found: a mistyped one must not hold up everything.
    fn begin_pin(&mut self, commit: String) -> Result<(), Refusal> {
        if !self.wanted.has_commits {
            let message = "these manifests are files and have no commits; use `--repo`";
            return Err(Refusal::Refused(message.to_owned()));
        }
        let is_commit = commit.len() >= COMMIT_CHARS_MIN
            && commit.len() <= 64
            && commit.chars().all(|c| c.is_ascii_hexdigit());
        if !is_commit {
            let message = "a commit has at least 7 hexadecimal digits";
            return Err(Refusal::Refused(message.to_owned()));
        }
        if self.wanted.pinning.is_some() {
            return Err(Refusal::Refused("it is still looking for another commit".to_owned()));
        }
        self.wanted.pinning = Some(commit);
        Ok(())
    }

    /// Ends an order to stay at a commit with what was read there; nothing where that was not read.
    /// What was refused is not to be declared: it says nothing of what is followed.
    pub fn end_pin(
        &mut self,
        read: &Result<Arc<Declared>, Problem>,
    ) -> Option<Result<Acknowledgement, Refusal>> {
        if !std::mem::take(&mut self.wanted.reads_pin) {
            self.wanted.wants_read |= self.wanted.pinning.is_some();
            return None;
        }
        let commit = self.wanted.pinning.take()?;
        if let Err(problem) = read
            && is_not_there(problem)
        {
            self.wanted.wants_read = true;
            let message = format!("{}; nothing was pinned", problem.message);
            return Some(Err(Refusal::Refused(message)));
        }
        let what = format!("it is pinned to commit {}", short(&commit));
        self.memory.pinned_to = Some(commit);
        self.tell(EventSeverity::Normal, None, Occurrence::Pinned, what.clone());
        Some(Ok(Acknowledgement(what)))
    }

    fn unpin(&mut self) -> Result<String, Refusal> {
        if self.memory.pinned_to.take().is_none() {
            return Err(Refusal::Refused("it is not pinned".to_owned()));
        }
        self.tell(EventSeverity::Normal, None, Occurrence::Unpinned, "it follows the branch again");
        Ok("it follows the branch again".to_owned())
    }

    /// Returns why nothing may be written now, if so.
    pub(super) fn withheld(&self, now: Timestamp) -> Option<Withheld> {
        if self.settings.mode == Mode::Observe {
            return Some((ConditionReason::Observed, "it only observes (`--observe`)".to_owned()));
        }
        if let Some(Suspension { reason, until, since: _ }) = &self.memory.suspension {
            let told = format!("suspended until {until:.0}: {reason}");
            return Some((ConditionReason::Suspended, told));
        }
        let window = self.settings.windows.state(now).filter(|window| !window.open)?;
        let until = window.until.map(|until| format!(" until {until:.0}")).unwrap_or_default();
        let told = format!("the sync window is closed{until}: {}", window.because);
        Some((ConditionReason::WindowClosed, told))
    }

    /// A window that closes while a pass writes ends what has not left of it (L2).
    pub(super) fn withhold(&mut self, now: Timestamp) {
        let is_withheld = self.withheld(now).is_some();
        if let Some(running) = &mut self.running {
            running.is_superseded |= is_withheld;
        }
    }

    /// Returns whether a pass may write now.
    pub(super) fn licence(&self, now: Timestamp) -> Licence {
        if self.withheld(now).is_some() { Licence::Look } else { Licence::Write }
    }

    pub(super) fn steering(&self, now: Timestamp) -> Steering {
        Steering {
            suspension: self.memory.suspension.clone(),
            pinned_to: self.memory.pinned_to.clone(),
            window: self.settings.windows.state(now),
        }
    }
}

/// Whether a commit, or its manifests, cannot be had at all. One that is there and cannot be used is
/// what was asked for.
const fn is_not_there(problem: &Problem) -> bool {
    matches!(
        problem.reason,
        ConditionReason::SourceMissing
            | ConditionReason::SourceUnreachable
            | ConditionReason::SourceDenied
    )
}
