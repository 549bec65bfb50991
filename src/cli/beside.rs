//! What the agent that keeps the same project would do otherwise than a plan made beside it.
//!
//! A plan is that of `stoker apply`, by its own switches. So nothing is taken over from the agent:
//! what it would do otherwise is said, with the flags that plan as it does.

use crate::model::{AdoptMode, Diagnostic, Key, Project, Snapshot};
use crate::plan::Policy;
use crate::status::{Mode, Order, ProjectStatus, Steering, Suspension, Switches, WindowState};

use super::arguments::Connection;
use super::context::Context;
use super::remote::reach;
use super::session::Session;
use super::values::PruneKinds;

/// Asks the agent beside the state, if there is one, and returns what it would do otherwise.
///
/// Who plans needs no agent: one that does not answer is a warning.
pub async fn findings(
    context: &Context,
    connection: &Connection,
    session: &Session,
    snapshot: &Snapshot,
    policy: &Policy,
) -> Vec<Diagnostic> {
    let found = match reach::keeper(context, connection, &session.state).await {
        Ok(None) => Vec::new(),
        Ok(Some(seen)) => {
            let kept = seen.keeping(&snapshot.origin, &snapshot.live.project.name);
            kept.into_iter().flat_map(|kept| compared(kept, &Switches::from(policy))).collect()
        }
        Err(failure) => {
            let message = "the agent that uses this state did not answer how it plans";
            vec![Diagnostic::warning("agent-unknown", format!("{message}: {}", failure.message))]
        }
    };
    context.output.diagnostics(&found);
    found
}

fn compared(agent: &ProjectStatus, ours: &Switches) -> Vec<Diagnostic> {
    let switches = agent.switches.iter().filter_map(|theirs| otherwise(theirs, ours));
    switches.chain(held(agent)).collect()
}

/// Says in which switches an agent differs, and the flags that make none.
fn otherwise(theirs: &Switches, ours: &Switches) -> Option<Diagnostic> {
    let Switches { prune, adopt, max_deletes, prune_adopted, write_unverifiable } = theirs;
    let (mut does, mut flags): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    if *prune != ours.prune {
        let kinds = PruneKinds(prune.iter().copied().collect());
        does.push(match prune.as_slice() {
            [] => "it prunes nothing".to_owned(),
            _ => format!("it prunes {kinds}"),
        });
        flags.push(format!("--prune={kinds}"));
    }
    if *adopt != ours.adopt {
        let (does_so, word) = match adopt {
            AdoptMode::Always => ("it takes over existing resources", "always"),
            AdoptMode::Match => ("it takes over existing resources only if they match", "match"),
            AdoptMode::Never => ("it never takes over existing resources", "never"),
        };
        does.push(does_so.to_owned());
        flags.push(format!("--adopt={word}"));
    }
    if *max_deletes != ours.max_deletes {
        // No flag brings the ordinary fuse back: it is there where none lifts it.
        does.push(max_deletes.map_or_else(
            || "its fuse on deletes is not lifted".to_owned(),
            |count| format!("its fuse on deletes is lifted to {count}"),
        ));
        flags.extend(max_deletes.map(|count| format!("--max-deletes={count}")));
    }
    let truths = [
        (
            *prune_adopted,
            ours.prune_adopted,
            "prune resources that were adopted by name",
            "prune-adopted",
        ),
        (
            *write_unverifiable,
            ours.write_unverifiable,
            "write values that cannot be compared",
            "write-unverifiable",
        ),
    ];
    for (theirs, _, what, flag) in truths.into_iter().filter(|(theirs, ours, ..)| theirs != ours) {
        does.push(format!("it may {}{what}", if theirs { "" } else { "not " }));
        flags.push(format!("--{flag}={theirs}"));
    }
    let message =
        format!("the agent that manages this project plans differently: {}", does.join(", "));
    let finding = Diagnostic::warning("agent-otherwise", message);
    match (does.is_empty(), flags.is_empty()) {
        (true, _) => None,
        (false, true) => Some(finding),
        (false, false) => {
            Some(finding.hint(format!("`stoker plan {}` plans as the agent does", flags.join(" "))))
        }
    }
}

/// Says why an agent carries nothing of a plan out now.
fn held(agent: &ProjectStatus) -> Vec<Diagnostic> {
    let Steering { suspension, pinned_to, window } = &agent.steering;
    let mut why = Vec::new();
    if agent.mode == Mode::Observe {
        why.push("it only observes (`--observe`)".to_owned());
    }
    if let Some(Suspension { reason, since: _, until }) = suspension {
        why.push(format!("it is suspended until {until:.0}: {reason}"));
    }
    if let Some(WindowState { open: false, because, until }) = window {
        let until = until.map(|until| format!(" until {until:.0}")).unwrap_or_default();
        why.push(format!("the sync window is closed{until}: {because}"));
    }
    if let Some(commit) = pinned_to {
        why.push(format!("it is pinned to commit {commit}"));
    }
    let told = |why| {
        let message = format!("the agent that manages this project does not apply this now: {why}");
        Diagnostic::warning("agent-holds", message)
    };
    why.into_iter().map(told).collect()
}

/// Tells the agent beside the state that somebody began a deployment, so that it looks what runs then.
///
/// It is a courtesy: an agent that is not told sees it where it meets the deployment under way.
pub async fn tell_begun(
    context: &Context,
    connection: &Connection,
    session: &Session,
    project: &Project,
    key: &Key,
) {
    let order = Order::Look { key: key.clone() };
    let origin = session.project.client.origin();
    let told = match reach::keeper(context, connection, &session.state).await {
        Ok(Some(seen)) => match seen.keeping(&origin, &project.name) {
            Some(kept) => seen.agent.order(&order, Some(&kept.name)).await.map(drop),
            None => Ok(()),
        },
        Ok(None) => Ok(()),
        Err(failure) => {
            tracing::debug!(
                message = failure.message,
                "the agent was not notified of the deployment"
            );
            Ok(())
        }
    };
    if let Err(error) = told {
        tracing::debug!(%error, "the agent was not notified of the deployment");
    }
}
