//! `stoker rollback`: goes back to the previous successful deployment, after asking.

use std::time::Duration;

use crate::api::{DeployTarget, Deployment, DeploymentOrder};

use super::arguments::RollbackCommand;
use super::ask::{Consent, Question, ask};
use super::beside;
use super::context::Context;
use super::deploy::{Started, finish};
use super::deployments::short;
use super::exit::Exit;
use super::failure::Failure;
use super::find;
use super::interrupt::Interrupt;
use super::rights;
use super::session::{Purpose, Session};
use super::settings;

/// How long `--wait` waits unless `--timeout` says otherwise: what is gone back to was built once.
const WAIT_DEFAULT: Duration = Duration::from_secs(15 * 60);

/// Says what would become of it, asks, and rolls back.
pub async fn run(
    context: &Context,
    command: &RollbackCommand,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let RollbackCommand { key, approval, waiting, connection } = command;
    find::service(key, "rollback")?;
    let is_approved = settings::is_approved(*approval, &context.file);
    if !is_approved && !context.output.can_ask() {
        // Before anything is read: the answer could not come later either.
        return Err(Failure::usage("approval is needed, and stdin is not a terminal")
            .hint("approve in advance with --auto-approve"));
    }
    let session = Session::open_urgent(context, connection, Purpose::Write)?;
    let (writer, project) = rights::writer(&session).await?;
    let service = find::find(&session, key).await?;
    let deployments = session.reader.deployments(&service.id).await?;
    context.output.note(&format!("{key} in project {}: {}", project.name, prospect(&deployments)));
    if !is_approved
        && let Consent::No(exit) = ask(context, &Question::Go("Go back?"), interrupt).await?
    {
        return Ok(exit);
    }
    let since = session.project.clock.now();
    let order = DeploymentOrder::Rollback { from: deployments.first().map(|newest| &newest.id) };
    let deployment = writer.order(DeployTarget::from(&service), order).await;
    let deployment =
        deployment.map_err(|error| rights::failed(&error, &format!("stoker deployments {key}")))?;
    rights::pay_deploy(context, &session, &service.id, "rollback").await;
    beside::tell_begun(context, connection, &session, &project, key).await;
    let started = Started { key, service: &service.id, deployment: &deployment, since };
    let is_awaited = settings::waits(*waiting, &context.file);
    finish(context, &session, &started, is_awaited.then_some(WAIT_DEFAULT)).await
}

/// Says what the platform will go back to, as far as its deployments tell. They come newest first.
fn prospect(deployments: &[Deployment]) -> String {
    let Some((latest, earlier)) = deployments.split_first() else {
        return "no deployment is known".to_owned();
    };
    let Some(target) = earlier.iter().find(|deployment| deployment.has_succeeded()) else {
        return format!("{}, and no earlier successful one is known", shown(latest));
    };
    format!("from {} back to {}", shown(latest), shown(target))
}

fn shown(deployment: &Deployment) -> String {
    let Deployment { id, status, commit, .. } = deployment;
    let commit = commit.as_deref().map(|commit| format!(" of commit {}", short(commit)));
    let status = status.as_deref().unwrap_or("in an unknown state");
    format!("{id}{} ({status})", commit.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RemoteId;

    fn check(deployments: &[(&str, &str)]) -> String {
        let deployment = |(id, status): &(&str, &str)| Deployment {
            id: RemoteId::new(id).unwrap(),
            status: Some((*status).to_owned()),
            branch: None,
            commit: Some("0123456789012345678901234567890123456789".to_owned()),
            created_at: None,
            finished_at: None,
            logs: Vec::new(),
        };
        prospect(&deployments.iter().map(deployment).collect::<Vec<_>>())
    }

    #[test]
    fn the_way_back_passes_over_what_failed() {
        assert_eq!(
            check(&[("c", "failed"), ("b", "failed"), ("a", "succeeded")]),
            "from c of commit 012345678 (failed) back to a of commit 012345678 (succeeded)"
        );
        assert!(check(&[("a", "succeeded")]).ends_with("no earlier successful one is known"));
        assert_eq!(check(&[]), "no deployment is known");
    }
}
