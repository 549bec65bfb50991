//! `stoker wait`, on the conditions of a running agent.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::follow::Ending;
use crate::model::Key;
use crate::remote::RemoteError;
use crate::status::{ConditionType, ResourceStatus, Truth};

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::progress::ProgressDisplay;
use super::reach::{ReachedAgent, of_error};

/// The time between two looks: an agent answers from memory.
const LOOK_PAUSE: Duration = Duration::from_millis(500);

/// Waits until a condition is so, or never will be, or the time is up.
///
/// # Errors
/// When the agent does not know the resource, or what answers is no agent any more.
pub async fn wait(
    context: &Context,
    seen: &ReachedAgent,
    key: &Key,
    (kind, truth): (ConditionType, Truth),
    deadline: Timestamp,
) -> Result<Ending, Failure> {
    let clock = Clock::system();
    let progress = ProgressDisplay::new(&context.output);
    let (project, resource) = seen.resource(key)?;
    let name = project.name.clone();
    let mut resource = Some(resource.clone());
    loop {
        let status = match &resource {
            Some(resource) => match judge(resource, kind, truth) {
                Judgement::Reached => return Ok(Ending::Succeeded),
                Judgement::Never(status) => return Ok(Ending::Failed { status, log: Vec::new() }),
                Judgement::NotYet(status) => status,
            },
            None => "not known to the agent".to_owned(),
        };
        progress.status(key, &status);
        if clock.now() >= deadline {
            return Ok(Ending::TimedOut { status });
        }
        let until = clock.now().checked_add(LOOK_PAUSE).unwrap_or(deadline);
        clock.sleep_until(until.min(deadline)).await;
        resource = match seen.agent.status(Some(&name)).await {
            Ok(status) => {
                let project = status.projects.into_iter().find(|project| project.name == name);
                let resources = project.map(|project| project.resources).unwrap_or_default();
                resources.iter().find(|resource| resource.key == *key).cloned()
            }
            // It may be restarting; the deadline ends the patience.
            Err(
                RemoteError::Nobody { .. }
                | RemoteError::Lost { .. }
                | RemoteError::OutOfTime { .. },
            ) => resource,
            Err(error) => return Err(of_error(error)),
        };
    }
}

/// What a look at a resource says about what is waited for.
#[derive(Debug, PartialEq, Eq)]
enum Judgement {
    Reached,
    /// Not without a person.
    Never(String),
    NotYet(String),
}

fn judge(resource: &ResourceStatus, kind: ConditionType, truth: Truth) -> Judgement {
    let condition = resource.conditions.get(kind);
    // One that was never set does not hold.
    let status = condition.map_or(Truth::False, |condition| condition.status);
    if status == truth {
        return Judgement::Reached;
    }
    let said = |kind| {
        let condition = resource.conditions.get(kind);
        condition.map(|it| format!("{}, {}", it.reason, it.message))
    };
    let is_stalled = resource.conditions.is_true(ConditionType::Stalled);
    let waits_for_ready = kind == ConditionType::Ready && truth == Truth::True;
    match said(ConditionType::Stalled).filter(|_| is_stalled && waits_for_ready) {
        Some(stalled) => Judgement::Never(stalled),
        None => Judgement::NotYet(said(kind).unwrap_or_else(|| "not known yet".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(conditions: &[(&str, &str)], kind: ConditionType, truth: Truth) -> Judgement {
        let condition = |(kind, status): &(&str, &str)| {
            json!({ "type": kind, "status": status, "reason": "R", "message": "m",
                    "lastTransitionTime": "2026-11-25T12:00:00Z" })
        };
        let conditions: Vec<_> = conditions.iter().map(condition).collect();
        let resource = json!({ "key": "service/api", "conditions": conditions, "dependsOn": [],
                               "failures": 0 });
        judge(&serde_json::from_value(resource).unwrap(), kind, truth)
    }

    #[test]
    fn what_is_stalled_will_not_be_ready_and_what_was_never_said_does_not_hold() {
        use ConditionType::{Ready, Stalled};
        let not_yet = || Judgement::NotYet("R, m".to_owned());
        assert_eq!(check(&[("Ready", "True")], Ready, Truth::True), Judgement::Reached);
        assert_eq!(check(&[("Ready", "False")], Ready, Truth::True), not_yet());
        let stalled = [("Ready", "False"), ("Stalled", "True")];
        assert_eq!(check(&stalled, Ready, Truth::True), Judgement::Never("R, m".to_owned()));
        assert_eq!(check(&stalled, Ready, Truth::False), Judgement::Reached);
        assert_eq!(check(&stalled, Stalled, Truth::False), not_yet());
        assert_eq!(check(&[], Stalled, Truth::False), Judgement::Reached);
        let unknown = Judgement::NotYet("not known yet".to_owned());
        assert_eq!(check(&[], Ready, Truth::True), unknown);
    }
}
