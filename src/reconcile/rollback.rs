//! A rollback is somebody's decision: a repair must not undo it.
//!
//! A PATCH deploys the newest commit (A6), and with it undoes the rollback of whoever was up that
//! night. So before drift of a service is repaired, its deployments are looked at. What a manifest
//! newly asks for is a later decision of people, and goes ahead.

use std::collections::BTreeMap;

use crate::api::{Deployment, Reader};
use crate::model::{Key, Kind, RemoteId};
use crate::plan::{Blocked, BlockedReason, Change, FieldReason, Plan};

/// Returns the services of a plan whose repair would undo a rollback.
///
/// A service whose deployments cannot be read is held as well: unknown is not "no rollback".
pub async fn holds(plan: &Plan, reader: &Reader) -> BTreeMap<Key, Blocked> {
    let mut holds = BTreeMap::new();
    let repairs: Vec<(&Change, &RemoteId)> = plan.changes.iter().filter_map(repair).collect();
    for (change, id) in repairs {
        let key = &change.key;
        let hold = match reader.deployments(id).await {
            Ok(deployments) if returned(&deployments).is_none() => continue,
            Ok(_) => Blocked {
                reason: BlockedReason::RolledBack,
                message: "it was rolled back, and repairing it would undo that".to_owned(),
                hint: Some(format!(
                    "change its manifest, or run `stoker deploy {key}` when the rollback is no \
                     longer needed"
                )),
            },
            Err(error) => Blocked {
                reason: BlockedReason::Unseen,
                message: format!("it is unknown whether it was rolled back: {error}"),
                hint: None,
            },
        };
        holds.insert(key.clone(), hold);
    }
    holds
}

/// Returns a change that only repairs a living service.
fn repair(change: &Change) -> Option<(&Change, &RemoteId)> {
    let is_asked_for = |reason: FieldReason| match reason {
        FieldReason::Requested | FieldReason::Rotated(_) | FieldReason::Later => true,
        FieldReason::Derived
        | FieldReason::Drift
        | FieldReason::Unverifiable
        | FieldReason::Accepted
        | FieldReason::Flapping => false,
    };
    let is_wish = change.fields.iter().any(|field| is_asked_for(field.reason));
    let is_service = match change.key.kind {
        Kind::Service => true,
        Kind::Database | Kind::EnvGroup => false,
    };
    let id = change.id.as_ref()?;
    (is_service && !change.steps.is_empty() && !is_wish).then_some((change, id))
}

/// An old commit that runs again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Return<'a> {
    /// The commit that runs again.
    pub to: &'a str,
    /// The one that had replaced it.
    pub from: &'a str,
}

/// Says whether the newest deployment runs a commit again that another had replaced.
///
/// The platform names no rollback (A15), but a push never brings an old commit back: a revert is a
/// commit of its own. Deployments come newest first.
#[must_use]
pub fn returned(deployments: &[Deployment]) -> Option<Return<'_>> {
    let [newest, replaced, earlier @ ..] = deployments else {
        return None;
    };
    let to = newest.commit.as_deref()?;
    let is_other = newest.commit != replaced.commit;
    let is_old = earlier.iter().any(|deployment| deployment.commit == newest.commit);
    let from = replaced.commit.as_deref().unwrap_or("unknown");
    (is_other && is_old).then_some(Return { to, from })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(commits: &[&str]) -> bool {
        let deployments = commits.iter().enumerate().map(|(number, commit)| Deployment {
            id: RemoteId::new(&format!("dep_{number}")).unwrap(),
            status: Some("succeeded".to_owned()),
            branch: None,
            commit: Some((*commit).to_owned()).filter(|commit| !commit.is_empty()),
            created_at: None,
            finished_at: None,
            logs: Vec::new(),
        });
        returned(&deployments.collect::<Vec<_>>()).is_some()
    }

    #[test]
    fn an_old_commit_that_runs_again_is_a_rollback() {
        assert!(check(&["a", "b", "a"]));
        assert!(check(&["a", "c", "b", "a"]));
        // A deploy of the same commit, a push, a first deployment, and what shows no commit.
        assert!(!check(&["a", "a", "b"]));
        assert!(!check(&["c", "b", "a"]));
        assert!(!check(&["a"]));
        assert!(!check(&[]));
        assert!(!check(&["", "b", ""]));
    }
}
