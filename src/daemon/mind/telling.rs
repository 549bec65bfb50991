//! What is told: events as they happen, and the status of the whole.

use jiff::{SignedDuration, Timestamp};

use crate::model::Key;
use crate::plan::{
    Action, FieldAction, FieldChange, FieldReason, Reason, RuleFinding, RuleSeverity,
};
use crate::project::Passed;
use crate::status::{
    BudgetStatus, ConditionReason, ConditionType, Event, EventReason, EventSeverity, Occurrence,
    ProjectStatus, Repair, ResourceStatus, Revision, SourceStatus, Switches, SyncStatus, Truth,
};

use super::super::judge;
use super::outcome::{begun, open, unsettled};
use super::standing::{is_fine, is_ready};
use super::{Mind, Running};

/// How long the API says that nothing is left before that is told. A window is a minute, and one
/// that others have used up may end in the next: after five somebody should look.
const SHORTAGE_MIN: SignedDuration = SignedDuration::from_mins(5);

impl Mind {
    /// Notes how the budget stands, and tells once of each lasting shortage: a pass that waits for
    /// hours looks like one that hangs.
    pub fn note_budget(&mut self, budget: BudgetStatus) {
        self.shown.budget = budget;
        match (self.shortage(), self.shown.is_shortage_told) {
            (Some(message), false) => {
                self.shown.is_shortage_told = true;
                self.tell(EventSeverity::Warning, None, ConditionReason::RequestLimit, message);
            }
            (None, true) if self.shown.budget.short_since.is_none() => {
                self.shown.is_shortage_told = false;
                let message = "the API allows requests again";
                self.tell(EventSeverity::Normal, None, Occurrence::RequestLimitOver, message);
            }
            _ => {}
        }
    }

    /// Says that the API has had nothing left for long, if that is so.
    fn shortage(&self) -> Option<String> {
        let since = self.shown.budget.short_since?;
        let is_lasting = self.agenda.ticked_at.duration_since(since) >= SHORTAGE_MIN;
        is_lasting.then(|| {
            format!(
                "since {since:.0} the API has reported its request limit as used up; another \
                 client of the token may use it, or it is lower than `rate`"
            )
        })
    }

    /// The same, where a pass has been waiting as long.
    fn waits_for_the_limit(&self) -> Option<String> {
        let began = self.running.as_ref()?.started_at;
        let is_long = self.agenda.ticked_at.duration_since(began) >= SHORTAGE_MIN;
        self.shortage().filter(|_| is_long)
    }

    pub(super) fn tell(
        &mut self,
        severity: EventSeverity,
        key: Option<&Key>,
        reason: impl Into<EventReason>,
        message: impl Into<String>,
    ) {
        self.shown.sequence += 1;
        let revision = self.wanted.revision.as_ref();
        self.shown.events.push(Event {
            sequence: self.shown.sequence,
            at: self.agenda.ticked_at,
            severity,
            key: key.cloned(),
            reason: reason.into(),
            message: message.into(),
            revision: revision.and_then(|it| it.commit.clone()),
            pass: (self.passes > 0).then_some(self.passes),
        });
    }

    /// Tells what was carried out, change by change.
    pub(super) fn tell_results(&mut self, passed: &Passed, now: Timestamp) {
        let (begun, open) = (begun(passed), open(passed));
        let mut repairs = Vec::new();
        for change in passed.plan.changes.iter().filter(|it| begun.contains(&it.key)) {
            // What is put off is not written yet where the rest is open.
            let is_done = |field: &&FieldChange| match (field.action, field.reason) {
                (FieldAction::Leave, _) => false,
                (_, FieldReason::Later) => !open.contains(&change.key),
                (_, _) => true,
            };
            let fields = change.fields.iter().filter(is_done).map(|field| field.path.to_string());
            let fields: Vec<String> = fields.collect();
            let (reason, message) = match (change.action, change.reason) {
                (Action::Create, Reason::Missing) => (
                    Occurrence::DriftRepaired,
                    "it had been deleted and was created again".to_owned(),
                ),
                (Action::Update, Reason::Drift) => {
                    (Occurrence::DriftRepaired, format!("{} was set back", fields.join(", ")))
                }
                (Action::Create, _) => (Occurrence::Created, "it was created".to_owned()),
                (Action::Update, Reason::DeployOwed) => {
                    (Occurrence::Updated, "the earlier change was deployed".to_owned())
                }
                // It was only remembered under its new name.
                (Action::Update, _) if fields.is_empty() => continue,
                (Action::Update, _) => {
                    (Occurrence::Updated, format!("{} was changed", fields.join(", ")))
                }
                (Action::Replace, _) => (Occurrence::Replaced, "it was replaced".to_owned()),
                (Action::Adopt, _) => {
                    (Occurrence::Adopted, "it was adopted by its name".to_owned())
                }
                (Action::Forget, _) => {
                    (Occurrence::Forgotten, "it is no longer on the platform".to_owned())
                }
                (Action::Delete, _) => (Occurrence::Deleted, "it was deleted".to_owned()),
                (Action::None, _) => continue,
            };
            if reason == Occurrence::DriftRepaired {
                repairs.push(format!("{}: {message}", change.key));
            }
            self.tell(EventSeverity::Normal, Some(&change.key), reason, message);
        }
        if let [first, others @ ..] = &*repairs {
            let more = match others.len() {
                0 => String::new(),
                count => format!(", and {count} more"),
            };
            let (count, message) = (repairs.len(), format!("{first}{more}"));
            self.shown.counts.drift_repaired += count as u64;
            self.shown.last_repair = Some(Repair { at: now, count, message });
        }
    }

    /// Tells what policies say of a plan, once for each thing that they say.
    pub(super) fn tell_findings(&mut self, findings: &[RuleFinding]) {
        let before = std::mem::replace(&mut self.shown.findings, findings.to_vec());
        for finding in findings.iter().filter(|finding| !before.contains(finding)) {
            let reason: EventReason = match finding.severity {
                RuleSeverity::Refuse => ConditionReason::PolicyRefused.into(),
                RuleSeverity::Warn => Occurrence::PolicyWarned.into(),
            };
            self.tell(EventSeverity::Warning, finding.key.as_ref(), reason, finding.told());
        }
    }

    /// Tells what is other than before; of what was not known, only what needs attention.
    pub(super) fn tell_transitions(&mut self, before: &[ResourceStatus]) {
        let told: Vec<(Key, EventSeverity, EventReason, String)> = self
            .shown
            .resources
            .iter()
            .flat_map(|after| {
                let transitions = transitions(judge::find(before, &after.key), after);
                transitions.into_iter().map(|(severity, reason, message)| {
                    (after.key.clone(), severity, reason, message)
                })
            })
            .collect();
        for (key, severity, reason, message) in told {
            self.tell(severity, Some(&key), reason, message);
        }
    }

    pub(super) fn note_synced(&mut self, running: &Running, now: Timestamp) {
        let commit = running.declared.commit.as_ref();
        let digest = &running.declared.desired.digest;
        let known = self.memory.synced.as_ref();
        let commit_id = commit.map(|commit| commit.id.clone());
        let is_same =
            known.is_some_and(|known| known.digest == *digest && known.commit == commit_id);
        if is_same {
            return;
        }
        self.memory.synced = Some(Revision {
            commit: commit_id,
            subject: commit.map(|commit| commit.subject.clone()),
            author: commit.map(|commit| commit.author.clone()),
            digest: digest.clone(),
            at: now,
        });
        self.tell(
            EventSeverity::Normal,
            None,
            ConditionReason::Synced,
            "everything is as declared",
        );
    }

    /// Returns everything that is known, for whoever reads it.
    pub fn status(&mut self, now: Timestamp) -> ProjectStatus {
        self.conclude(now);
        let (sync_status, health_status) = (self.sync(), self.health());
        let project = self.project.as_ref();
        ProjectStatus {
            name: self.settings.name.clone(),
            origin: self.origin.clone(),
            platform_name: project.map(|project| project.name.clone()),
            platform_id: project.and_then(|it| it.id.as_ref()).map(ToString::to_string),
            mode: self.settings.mode,
            switches: Some(Switches::from(&self.settings.policy)),
            started_at: self.shown.started_at,
            updated_at: now,
            sync_status,
            health_status,
            conditions: self.shown.conditions.clone(),
            source: SourceStatus {
                location: self.wanted.location.clone(),
                revision: self.wanted.revision.clone(),
                problem: self.wanted.problem.clone(),
            },
            synced: self.memory.synced.clone(),
            seen_synced_at: self.shown.seen_synced_at,
            steering: self.steering(now),
            resources: self.shown.resources.clone(),
            pending: self.shown.pending.clone(),
            unmanaged: self.shown.unmanaged,
            unmanaged_things: self.shown.unmanaged_things.clone(),
            deployments: self.shown.deployments.clone(),
            counts: self.shown.counts.clone(),
            last_repair: self.shown.last_repair.clone(),
            last_rollback: self.shown.last_rollback.clone(),
            history: self.shown.history.clone(),
            budget: self.shown.budget.clone(),
            interval_seconds: self.agenda.interval.as_secs(),
            passing_since: self.running.as_ref().map(|running| running.started_at),
            next_pass_at: Some(self.agenda.retry_at.unwrap_or(self.agenda.look_at))
                .filter(|at| *at != Timestamp::MAX),
        }
    }

    /// Says of the whole what is true of it: the source first, then the platform, then the worst
    /// of the resources.
    fn conclude(&mut self, now: Timestamp) {
        let (ready, reason, message) = self.whole(now);
        let stuck = self.wanted.problem.is_some()
            || self.failure.as_ref().is_some_and(|failure| failure.is_final)
            // What an older revision ran into says nothing of the newer one.
            || !self.is_behind() && self.shown.any(ConditionType::Stalled);
        let moving = !self.agenda.due.is_empty()
            || self.is_behind()
            || self.failure.is_some()
            || self.shown.any(ConditionType::Reconciling);
        let truth = |is_so: bool| if is_so { Truth::True } else { Truth::False };
        let mut set = |kind, status| {
            self.shown.conditions.set(kind, status, reason.clone(), message.clone(), now);
        };
        set(ConditionType::Ready, ready);
        set(ConditionType::Reconciling, truth(moving && ready != Truth::True));
        set(ConditionType::Stalled, truth(stuck));
        let unknown = || self.shown.resources.iter().filter_map(of_nobody_knows);
        let is_unseen = |reason: &&ConditionReason| **reason != ConditionReason::Unsettled;
        let (open, unseen) = (unknown().count(), unknown().filter(is_unseen).count());
        let (drifted, reason, message) = match (self.shown.count(ConditionType::Drifted), unseen) {
            (0, 0) if open > 0 => {
                let values = self.shown.resources.iter().map(|it| it.unsettled.len()).sum();
                (Truth::Unknown, ConditionReason::Unsettled, unsettled(values))
            }
            (0, 0) => (Truth::False, ConditionReason::NoDrift, String::new()),
            (0, count) => (Truth::Unknown, ConditionReason::Unseen, not_seen(count)),
            (1, _) => (
                Truth::True,
                ConditionReason::Drift,
                "1 resource changed on the platform".to_owned(),
            ),
            (count, _) => (
                Truth::True,
                ConditionReason::Drift,
                format!("{count} resources changed on the platform"),
            ),
        };
        self.shown.conditions.set(ConditionType::Drifted, drifted, reason, message, now);
    }

    fn whole(&self, now: Timestamp) -> (Truth, ConditionReason, String) {
        if let Some(problem) = &self.wanted.problem {
            return (Truth::False, problem.reason.clone(), problem.message.clone());
        }
        if let Some(failure) = self.failure.as_ref().filter(|failure| !failure.is_passing) {
            return (Truth::Unknown, failure.reason.clone(), failure.message.clone());
        }
        if let Some(message) = self.waits_for_the_limit() {
            return (Truth::Unknown, ConditionReason::RequestLimit, message);
        }
        if self.is_behind() {
            let message = "the newest revision was read and is being applied";
            return (Truth::False, ConditionReason::Reconciling, message.to_owned());
        }
        // What an earlier agent saw is shown, and judged no more.
        if self.passed_digest.is_none() {
            return (Truth::Unknown, ConditionReason::Starting, "no pass has ended yet".to_owned());
        }
        if let Some(told) =
            self.wanted.shrinking.told_of_steps(now).filter(|_| self.shown.keeps_what_vanished())
        {
            return (Truth::False, ConditionReason::SourceShrinking, told);
        }
        let worst = |kind: ConditionType| {
            self.shown.resources.iter().find(|it| !is_fine(it) && it.conditions.is_true(kind))
        };
        let worst = worst(ConditionType::Stalled)
            .or_else(|| worst(ConditionType::Reconciling))
            .or_else(|| self.shown.resources.iter().find(|it| !is_fine(it) && !is_ready(it)))
            .or_else(|| self.shown.resources.iter().find(|it| !is_fine(it)));
        match worst.and_then(|it| Some((&it.key, it.conditions.get(ConditionType::Ready)?))) {
            Some((key, ready)) => {
                let message = format!("{key}: {}", ready.message);
                (ready.status, ready.reason.clone(), message)
            }
            None => (Truth::True, ConditionReason::Synced, "everything is as declared".to_owned()),
        }
    }

    /// Whether what is known of the resources is about an older revision than the one shown: it
    /// must not be taken for what became of the newer one.
    pub(super) fn is_behind(&self) -> bool {
        let synced = self.memory.synced.as_ref().map(|revision| &revision.digest);
        let known = self.passed_digest.as_ref().or(synced);
        let declared = self.wanted.declared.as_ref().map(|declared| &declared.desired.digest);
        declared.is_some() && declared != known
    }
}

/// Says how many resources were not seen as a verdict on them needs; a fragment.
pub(super) fn not_seen(count: usize) -> String {
    match count {
        1 => "1 resource was not seen".to_owned(),
        count => format!("{count} resources were not seen"),
    }
}

/// Why nobody can tell how a resource differs from what is declared, if nobody can.
fn of_nobody_knows(status: &ResourceStatus) -> Option<&ConditionReason> {
    let drifted = status.conditions.get(ConditionType::Drifted);
    drifted.filter(|it| it.status == Truth::Unknown).map(|it| &it.reason)
}

/// Returns what is worth telling about the way from one status to the next.
fn transitions(
    before: Option<&ResourceStatus>,
    after: &ResourceStatus,
) -> Vec<(EventSeverity, EventReason, String)> {
    let mut told = Vec::new();
    let reason = |status: &ResourceStatus| {
        let ready = status.conditions.get(ConditionType::Ready);
        ready.map(|ready| (ready.status, ready.reason.clone()))
    };
    let ready = after.conditions.get(ConditionType::Ready);
    let has_changed = before.and_then(reason) != reason(after);
    if let Some(ready) = ready.filter(|_| has_changed) {
        // What is held back is told by the reason, though it does well.
        let is_good = ready.status == Truth::True && after.sync_status == SyncStatus::Synced;
        let is_stuck = after.conditions.is_true(ConditionType::Stalled);
        let severity = if is_stuck { EventSeverity::Warning } else { EventSeverity::Normal };
        if is_good && before.is_some() {
            told.push((EventSeverity::Normal, Occurrence::Ready.into(), "it is ready".to_owned()));
        } else if !is_good {
            told.push((severity, ready.reason.clone().into(), ready.message.clone()));
        }
    }
    let drifted = after.conditions.get(ConditionType::Drifted);
    let was_drifted = before.is_some_and(|it| it.conditions.is_true(ConditionType::Drifted));
    if let Some(drifted) = drifted.filter(|it| it.status == Truth::True && !was_drifted) {
        let message = drifted.message.clone();
        told.push((EventSeverity::Warning, Occurrence::DriftDetected.into(), message));
    }
    told
}
