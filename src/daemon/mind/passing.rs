//! Passes: when one is due, what it may do, and what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::budget::{Lane, Millis};
use crate::follow;
use crate::model::Key;
use crate::plan::{
    Blocked, BlockedReason, FailureCause, Outcome, Policy, Prune, Report, settled_at,
};
use crate::project::{Licence, Look, Passed};
use crate::status::{ConditionReason, EventSeverity, Occurrence, PassOutcome, PassRecord, Trigger};

use super::super::judge::{self, Case};
use super::super::pace;
use super::outcome::{PassEnd, pending, record};
use super::{HISTORY_MAX, Mind, PassAsk, Running};

/// How long a change waits for a deploy that is in progress (409): deployments take minutes.
const BUSY_PAUSE: Duration = Duration::from_secs(15);

/// How long what only time can tell waits for its next look: half a listing, a delete under way.
const UNSETTLED_PAUSE: Duration = Duration::from_secs(30);

/// How many details are read again at every look at least: where the lists alone take the whole share
/// of the budget, what they do not show must be seen in turn all the same.
const DETAILS_MIN: u32 = 1;

/// How long after a pass that found the state changed under it the next one begins.
const MOVED_PAUSE: Duration = Duration::from_secs(2);

/// Why a pass came to no end, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassFailure {
    /// Why, for scripts.
    pub reason: ConditionReason,
    /// A fragment.
    pub message: String,
    /// Whether only a person can help.
    pub is_final: bool,
    /// Whether it is no failure but another command at work: retried soon, and not counted.
    pub is_passing: bool,
}

impl Mind {
    /// Returns the pass to make now, if one is due and there is something to make it of.
    pub fn begin_pass(&mut self, now: Timestamp) -> Option<PassAsk> {
        if self.agenda.due.is_empty() || self.running.is_some() || self.agenda.retry_at.is_some() {
            return None;
        }
        let declared = self.wanted.declared.clone()?;
        let triggers = std::mem::take(&mut self.agenda.due);
        let is_news = self.passed_digest.as_ref() != Some(&declared.desired.digest);
        let is_urgent = is_news || triggers.contains(&Trigger::Order);
        self.passes += 1;
        self.agenda.others.put_off();
        let ask = PassAsk {
            pass: self.passes,
            desired: declared.desired.clone(),
            policy: self.policy(&declared.desired, now),
            licence: self.licence(now),
            lane: if is_urgent { Lane::Converge } else { Lane::Background },
            look: if is_urgent { Look::Whole } else { self.look(&triggers) },
        };
        let withheld = self.withheld(now);
        self.running = Some(Running {
            triggers,
            started_at: now,
            declared,
            withheld,
            forgiven: self.forgiven.clone(),
            is_superseded: false,
        });
        Some(ask)
    }

    /// How to look when nobody waits for it. Where nothing says that anything moved, within the
    /// share of the budget, so that a large project is looked at as often as a small one, and all
    /// of it in turn. What is retried is read again, and with it only what lists show.
    fn look(&self, triggers: &BTreeSet<Trigger>) -> Look {
        let says_it_moved = |trigger: &Trigger| match trigger {
            Trigger::Timer | Trigger::Retry => false,
            Trigger::Start
            | Trigger::Files
            | Trigger::Git
            | Trigger::Webhook
            | Trigger::Signal
            | Trigger::Order => true,
        };
        if triggers.iter().any(says_it_moved) {
            return Look::Whole;
        }
        if !triggers.contains(&Trigger::Timer) {
            return Look::AtRest { details_max: 0 };
        }
        let allowed = pace::allowance(self.settings.interval, self.settings.rate);
        let details_max = allowed.saturating_sub(self.agenda.lists).max(DETAILS_MIN);
        Look::AtRest { details_max: usize::try_from(details_max).unwrap_or(usize::MAX) }
    }

    /// Whether the pass under way is for what nobody wants any more.
    #[must_use]
    pub fn is_superseded(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.is_superseded)
    }

    /// What is allowed now: the settings, less what must wait, and no delete while the newest
    /// manifests cannot be used (S6).
    fn policy(&self, desired: &crate::model::Desired, now: Timestamp) -> Policy {
        let mut policy = self.settings.policy.clone();
        if self.wanted.problem.is_some() {
            policy.permissions.prune = Prune::Off;
        }
        policy.learned.held = self.held(desired, now);
        policy.learned.protections = self.memory.protections.clone();
        policy.learned.absence = self.wanted.shrinking.holds(now);
        policy.permissions.deploys_max = self.settings.deploys_max;
        policy.learned.forgiven = self.forgiven.clone();
        policy
    }

    fn held(&self, desired: &crate::model::Desired, now: Timestamp) -> BTreeMap<Key, Blocked> {
        let waiting = self.agenda.queue.held(now).map(|(key, until)| {
            let seconds = until.duration_since(now).as_secs().max(1);
            let message = format!("it is retried in {seconds} s");
            let hint = Some(format!("`stoker reconcile {key}` retries it now"));
            (key.clone(), Blocked { reason: BlockedReason::BackingOff, message, hint })
        });
        let failed = self.memory.deploys.iter().filter(|(key, failed)| {
            let resource = desired.resources.get(key);
            let is_same = resource.is_some_and(|it| judge::digest(it) == failed.digest);
            is_same && (failed.rolled_back || failed.failed >= self.settings.deploys_max)
        });
        let failed = failed.map(|(key, failed)| {
            let message = format!("{} deployments of this state failed", failed.failed);
            let hint = Some(format!("change its manifest, or `stoker reconcile {key}`"));
            (key.clone(), Blocked { reason: BlockedReason::DeployFailed, message, hint })
        });
        waiting.chain(failed).collect()
    }

    /// Takes what a pass saw and did. `requests` is what it sent.
    pub fn passed(&mut self, passed: Result<Passed, PassFailure>, requests: u32, now: Timestamp) {
        let Some(mut running) = self.running.take() else {
            return;
        };
        match passed {
            Ok(passed) => {
                running.note_refusal(&passed.findings);
                self.finish_pass(&running, &passed, requests, now);
            }
            Err(failure) => self.fail(&running, failure, requests, now),
        }
        let look_at = self.agenda.look_at;
        self.schedule_look(now);
        if running.is_retry() {
            // It did not look at what lists do not show, so it puts no look off.
            self.agenda.look_at = self.agenda.look_at.min(look_at);
        }
        self.follow_on(now);
    }

    fn fail(&mut self, running: &Running, failure: PassFailure, requests: u32, now: Timestamp) {
        // The look that failed is made up for.
        self.agenda.due.extend(&running.triggers);
        let pause = if failure.is_passing {
            MOVED_PAUSE
        } else {
            let at = Millis::from(now);
            let again = self.agenda.retries.next(at, Some(MOVED_PAUSE));
            again.map_or(MOVED_PAUSE, |again| again.since(at))
        };
        self.agenda.retry_at = now.checked_add(pause).ok();
        let is_known = self.failure.as_ref().is_some_and(|known| known.reason == failure.reason);
        if !is_known && !failure.is_passing {
            self.tell(
                EventSeverity::Warning,
                None,
                failure.reason.clone(),
                failure.message.clone(),
            );
        }
        let end = PassEnd::of_failure(&failure);
        let failed = usize::from(end.word == PassOutcome::Unreadable);
        let record = record(running, requests, now, self.passes, end);
        self.remember_pass(PassRecord { failed, ..record });
        self.failure = Some(failure);
    }

    fn finish_pass(&mut self, running: &Running, passed: &Passed, requests: u32, now: Timestamp) {
        if self.failure.take().is_some_and(|failure| !failure.is_passing) {
            self.tell(
                EventSeverity::Normal,
                None,
                Occurrence::PlatformReadable,
                "the platform can be read again",
            );
        }
        self.agenda.retries.succeeded();
        if running.withheld.is_none() {
            self.forgiven.retain(|key| !running.forgiven.contains(key));
        }
        self.project = Some(passed.snapshot.live.project.clone());
        self.passed_digest = Some(passed.snapshot.desired.digest.clone());
        let pages = passed.snapshot.live.listings.values().map(|listing| listing.pages);
        // The project and the lists are read at every look; details within what is left.
        self.agenda.lists = 1 + pages.sum::<u32>();
        self.agenda.interval = pace::interval(
            self.settings.interval,
            self.agenda.lists.saturating_add(DETAILS_MIN),
            self.settings.rate,
        );
        self.requeue(running, passed, now);
        self.forget_protections(&passed.inventory);
        self.follow_deployments(running, passed, now);
        self.forget_deploys(passed);
        self.tell_results(passed, now);
        self.tell_findings(&passed.findings);
        self.judge(running, passed, now);
        self.watch_others(&passed.inventory);
        self.shown.pending = pending(passed).into();
        self.note_unmanaged(&passed.plan);
        let is_synced = self.shown.is_synced();
        if is_synced && self.wanted.problem.is_none() && !running.is_superseded {
            self.note_synced(running, now);
            self.shown.seen_synced_at = Some(now);
        }
        let end = match &passed.report {
            Some(report) => PassEnd::of_report(report, &passed.plan, self.withheld(now).as_ref()),
            None => {
                let withheld = running.withheld.as_ref();
                PassEnd::of_plan(&passed.plan, withheld, is_synced, self.shown.stalled())
            }
        };
        let counts = passed.report.as_ref().map(Report::counts).unwrap_or_default();
        let record = record(running, requests, now, self.passes, end);
        self.remember_pass(PassRecord {
            written: counts.written,
            failed: counts.failed + counts.unresolved,
            ..record
        });
    }

    fn remember_pass(&mut self, record: PassRecord) {
        self.shown.history.insert(0, record);
        self.shown.history.truncate(HISTORY_MAX);
    }

    /// Says of each change when it is retried, if ever by itself.
    fn requeue(&mut self, running: &Running, passed: &Passed, now: Timestamp) {
        let later = |pause: Duration| now.checked_add(pause).unwrap_or(Timestamp::MAX);
        for result in passed.report.iter().flat_map(|report| &report.results) {
            let key = &result.key;
            match &result.outcome {
                Outcome::Applied => self.agenda.queue.succeeded(key),
                Outcome::Failed { cause: FailureCause::Busy, .. } => {
                    self.agenda.queue.wait(key, later(BUSY_PAUSE));
                }
                Outcome::Failed { cause: FailureCause::Stopped, .. } => {
                    self.agenda.due.insert(Trigger::Retry);
                }
                Outcome::Failed { cause: FailureCause::Denied, .. } => {
                    self.agenda.queue.denied(key, now)
                }
                Outcome::Failed {
                    cause: FailureCause::OverBudget | FailureCause::Other, ..
                } => {
                    self.agenda.queue.failed(key, now);
                }
                Outcome::Unresolved { .. } | Outcome::Stale { .. } => {
                    self.agenda.queue.wait(key, later(MOVED_PAUSE));
                }
                // It follows what it waits for.
                Outcome::Skipped { .. } => {}
                Outcome::NotStarted => drop(self.agenda.due.insert(Trigger::Retry)),
                Outcome::Blocked { .. } => {}
            }
        }
        for change in &passed.plan.changes {
            let reason = change.blocked.as_ref().map(|blocked| blocked.reason);
            let until = match reason {
                Some(BlockedReason::InFlight) => self.settled_at(passed, &change.key),
                Some(BlockedReason::SourceShrinking) => {
                    self.wanted.shrinking.until(change.key.kind)
                }
                Some(BlockedReason::IncompleteView) => None,
                // Once more soon, and then at each look: a token may lack the right for ever.
                Some(BlockedReason::Unseen) if !running.is_retry() => None,
                Some(_) | None => continue,
            };
            let until = until.filter(|until| *until > now);
            self.agenda.queue.wait(&change.key, until.unwrap_or_else(|| later(UNSETTLED_PAUSE)));
        }
        for key in &passed.plan.unchanged {
            self.agenda.queue.succeeded(key);
        }
        let planned: BTreeSet<&Key> = passed.plan.changes.iter().map(|it| &it.key).collect();
        let desired = &passed.snapshot.desired.resources;
        self.agenda.queue.retain(|key| desired.contains_key(key) || planned.contains(key));
    }

    /// When it is known what became of a create whose answer was lost, if one is open (S3).
    fn settled_at(&self, passed: &Passed, key: &Key) -> Option<Timestamp> {
        let intent = passed.inventory.intents.get(key)?;
        Some(settled_at(intent.started_at, self.settings.policy.permissions.settle))
    }

    fn follow_deployments(&mut self, running: &Running, passed: &Passed, now: Timestamp) {
        // Nobody waits any more for what a newer state replaces.
        let begun = passed.report.iter().flat_map(|report| {
            follow::awaited(&passed.plan, report, &passed.inventory, running.started_at)
        });
        let begun: Vec<follow::Awaited> = begun.collect();
        if begun.is_empty() {
            return;
        }
        for awaited in begun {
            self.note_begun(&awaited.key, running);
            self.agenda.watch.add(awaited);
        }
        self.begin_following(now);
    }

    fn judge(&mut self, running: &Running, passed: &Passed, now: Timestamp) {
        let awaited: BTreeSet<Key> = self.agenda.watch.awaited().map(|it| it.key.clone()).collect();
        let case = Case {
            passed,
            withheld: running.withheld.clone(),
            queue: &self.agenda.queue,
            deploys: &self.memory.deploys,
            runs: &self.memory.runs,
            awaited: &awaited,
            before: &self.shown.resources,
            now,
        };
        let resources = judge::resources(&case);
        let before = std::mem::replace(&mut self.shown.resources, resources.into());
        self.tell_transitions(&before);
    }
}

impl Licence {
    /// Whether it allows to write.
    pub(super) const fn allows_writing(self) -> bool {
        match self {
            Self::Look => false,
            Self::Write => true,
        }
    }
}
