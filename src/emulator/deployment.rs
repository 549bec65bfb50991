//! Deployments (A15): queued, building, deploying, then an end.
//!
//! A deployment is decided when it begins; its status is a function of the time it is asked
//! at, so nothing has to tick.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::calendar::iso;
use super::choice::DeploymentLogs;
use super::config::{Durations, EmulatorConfig};

/// How many successful deployments a service keeps for rollback, as documented.
const SUCCESSES_MAX: usize = 20;

/// How many deployments are kept when none succeeds.
const DEPLOYMENTS_MAX: usize = 200;

/// One deployment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DeploymentState {
    pub(crate) id: String,
    pub(crate) branch: String,
    pub(crate) commit: String,
    pub(crate) created: u64,
    building_at: u64,
    deploying_at: u64,
    finished_at: u64,
    end: End,
    /// Lines with the instant at which each appears.
    log: Vec<(u64, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum End {
    Succeeded,
    Failed,
    Canceled,
}

impl DeploymentState {
    /// Begins a deployment that will succeed.
    pub(crate) fn begin(
        id: String,
        (branch, commit): (String, String),
        durations: &Durations,
        now: u64,
    ) -> Self {
        let building_at = now + durations.queued_ms;
        let deploying_at = building_at + durations.building_ms;
        let finished_at = deploying_at + durations.deploying_ms;
        let log = vec![
            (now, "queued".into()),
            (building_at, format!("building {branch} at {commit}")),
            (deploying_at, "rolling out".into()),
            (finished_at, "live".into()),
        ];
        let (created, end) = (now, End::Succeeded);
        Self { id, branch, commit, created, building_at, deploying_at, finished_at, end, log }
    }

    /// Lets it end after building instead, with these lines.
    pub(crate) fn fail(&mut self, lines: Vec<String>) {
        let end = self.deploying_at;
        self.log.truncate(2);
        self.log.extend(lines.into_iter().map(|line| (end, line)));
        self.finished_at = end;
        self.end = End::Failed;
    }

    pub(crate) fn is_running(&self, now: u64) -> bool {
        now < self.finished_at
    }

    pub(crate) fn has_succeeded(&self, now: u64) -> bool {
        !self.is_running(now) && self.end == End::Succeeded
    }

    pub(crate) fn has_failed(&self, now: u64) -> bool {
        !self.is_running(now) && self.end == End::Failed
    }

    /// Ends a running deployment because another takes its place.
    pub(crate) fn cancel(&mut self, now: u64) {
        self.log.retain(|(at, _)| *at <= now);
        self.log.push((now, "canceled".into()));
        self.finished_at = now;
        self.end = End::Canceled;
    }

    pub(crate) fn status(&self, now: u64) -> &'static str {
        match self.end {
            _ if now < self.finished_at.min(self.building_at) => "queued",
            _ if now < self.finished_at.min(self.deploying_at) => "building",
            _ if now < self.finished_at => "deploying",
            End::Succeeded => "succeeded",
            End::Failed => "failed",
            End::Canceled => "canceled",
        }
    }

    /// Returns the lines written so far.
    pub(crate) fn log(&self, now: u64) -> impl Iterator<Item = (u64, &str)> {
        let written = self.log.iter().filter(move |(at, _)| *at <= now);
        written.map(|(at, line)| (*at, line.as_str()))
    }

    /// Writes an item of the list.
    pub(crate) fn summary(&self, now: u64) -> Value {
        let finished_at = (!self.is_running(now)).then(|| iso(self.finished_at));
        json!({
            "id": self.id,
            "status": self.status(now),
            "branch": self.branch,
            "commit": self.commit,
            "created_at": iso(self.created),
            "finished_at": finished_at,
        })
    }

    /// Writes the details, with the log.
    pub(crate) fn details(&self, config: &EmulatorConfig, now: u64) -> Value {
        let lines: Vec<&str> = self.log(now).map(|(_, line)| line).collect();
        let mut shown = self.summary(now);
        shown["logs"] = match config.deployment_logs {
            DeploymentLogs::Lines => json!(lines),
            DeploymentLogs::Text => json!(lines.join("\n")),
        };
        shown
    }
}

/// Drops what the platform no longer keeps, oldest first.
pub(crate) fn forget(deployments: &mut Vec<DeploymentState>, now: u64) {
    let successes = deployments.iter().filter(|deployment| deployment.has_succeeded(now)).count();
    if successes > SUCCESSES_MAX || deployments.len() > DEPLOYMENTS_MAX {
        deployments.remove(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin() -> DeploymentState {
        let durations =
            Durations { queued_ms: 10, building_ms: 20, deploying_ms: 30, ..Durations::default() };
        let source = ("main".into(), "c0ffee".into());
        DeploymentState::begin("dep_1".into(), source, &durations, 100)
    }

    fn check(deployment: &DeploymentState, expected: &[(u64, &str)]) {
        for (now, status) in expected {
            assert_eq!(deployment.status(*now), *status, "at {now}");
        }
    }

    #[test]
    fn a_deployment_goes_through_its_states_in_time() {
        check(
            &begin(),
            &[
                (109, "queued"),
                (110, "building"),
                (129, "building"),
                (130, "deploying"),
                (159, "deploying"),
                (160, "succeeded"),
            ],
        );
    }

    #[test]
    fn a_failing_deployment_ends_after_building_with_its_lines() {
        let mut failing = begin();
        failing.fail(vec!["error: no such file".into()]);
        check(&failing, &[(129, "building"), (130, "failed")]);
        assert_eq!(failing.log(130).last(), Some((130, "error: no such file")));
        assert_eq!(failing.log(129).count(), 2);
    }

    #[test]
    fn a_deployment_whose_place_is_taken_is_canceled_at_once() {
        let mut deployment = begin();
        deployment.cancel(105);
        check(&deployment, &[(105, "canceled"), (1_000, "canceled")]);
        assert_eq!(deployment.log(1_000).last(), Some((105, "canceled")));
    }
}
