//! A saved plan: what was allowed when it was made, so that it is made again just so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::model::{AdoptMode, Inventory, Key, Kind, RemoteId, Snapshot};
use crate::plan::{
    Change, FieldAddress, Permissions, Plan, Policy, Prune, Reviewed, RunRequest, Selection,
    Settlements, StaleReason, Summary, review,
};
use crate::render::Estimate;
use crate::render::json::{Basis, Preamble, SavedPlan, SavedPlanError};
use crate::secret::FingerprintKey;

use super::arguments::Chosen;
use super::code::ErrorCode;
use super::failure::Failure;
use super::manifests::ReadingNote;

/// Returns what a plan's document says beside the plan: paths, permissions, digests.
pub fn preamble(
    reading: &ReadingNote,
    policy: &Policy,
    snapshot: &Snapshot,
    state: String,
    estimate: Estimate,
) -> Preamble {
    let paths = reading.paths.iter().map(|path| path.to_string_lossy().into_owned());
    Preamble {
        basis: Basis { desired: snapshot.desired.digest.clone(), state: Some(state) },
        paths: paths.collect(),
        options: options(policy, reading.environment.as_deref()),
        estimate,
        diagnostics: reading.warnings.clone(),
        shows_unmanaged: false,
        policies: Vec::new(),
    }
}

fn options(policy: &Policy, environment: Option<&str>) -> Map<String, Value> {
    let Policy { permissions, request, platform: _, learned: _ } = policy;
    let Permissions {
        prune,
        adopt,
        deletes_max,
        prune_adopted,
        write_unverifiable,
        settle,
        deploys_max: _,
    } = permissions;
    let RunRequest { selection, settlements, replace, is_ordered, destroy: _ } = request;
    let prune: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| prune.covers(*kind)).collect();
    let value = json!({
        "prune": prune,
        "adopt": adopt,
        "maxDeletes": deletes_max,
        "ordered": is_ordered,
        "pruneAdopted": prune_adopted,
        "writeUnverifiable": write_unverifiable,
        "writeUnsettled": words(&settlements.write),
        "acceptUnsettled": words(&settlements.accept),
        "targets": selection.targets,
        "excluded": selection.excluded,
        "replace": replace,
        "settleSeconds": settle.as_secs(),
    });
    let mut options = match value {
        Value::Object(options) => options,
        _ => Map::new(),
    };
    options.extend(environment.map(|name| ("environment".to_owned(), name.into())));
    options
}

fn words(places: &BTreeSet<FieldAddress>) -> Vec<String> {
    places.iter().map(ToString::to_string).collect()
}

/// The option that says whether the platform was looked at for a plan.
pub const REFRESHED: &str = "refreshed";

const fn yes() -> bool {
    true
}

/// What was allowed, as it is read back.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    #[serde(default = "yes")]
    refreshed: bool,
    #[serde(default)]
    environment: Option<String>,
    prune: Vec<Kind>,
    adopt: AdoptMode,
    max_deletes: Option<usize>,
    #[serde(default)]
    ordered: bool,
    prune_adopted: bool,
    write_unverifiable: bool,
    #[serde(default)]
    write_unsettled: Vec<String>,
    #[serde(default)]
    accept_unsettled: Vec<String>,
    targets: Vec<Key>,
    excluded: Vec<Key>,
    replace: std::collections::BTreeMap<Key, RemoteId>,
    settle_seconds: u64,
}

/// A saved plan, and what it is made again with.
pub struct Allowed {
    /// The plan as it was reviewed.
    pub plan: SavedPlan,
    /// What was allowed.
    pub policy: Policy,
    /// The environment of Blueprints it was made of, where one was named.
    pub environment: Option<String>,
}

/// Reads a saved plan and what it allows.
///
/// # Errors
/// When the file cannot be read, is no plan of a version we know, or was edited (S10).
pub fn read(path: &Path) -> Result<Allowed, Failure> {
    let place = path.display();
    let wrong = |what: String| Failure::usage(format!("{place} {what}"));
    let text =
        std::fs::read_to_string(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let plan = SavedPlan::parse(&text).map_err(|error| match error {
        SavedPlanError::Edited => edited("its seal does not match its contents"),
        SavedPlanError::Unreadable(_) | SavedPlanError::OtherFormat(_) => {
            wrong(format!("is not a saved plan: {error}"))
                .hint("`stoker plan --out FILE` saves one")
        }
    })?;
    let options: Options = serde_json::from_value(Value::Object(plan.options.clone()))
        .map_err(|error| wrong(format!("does not record what was allowed: {error}")))?;
    if !options.refreshed {
        return Err(wrong("was made with --refresh=false, and is never applied".to_owned())
            .hint("plan again without that flag"));
    }
    let places = |words: &[String]| -> Result<BTreeSet<FieldAddress>, Failure> {
        let places = words.iter().map(|word| word.parse::<FieldAddress>());
        places
            .collect::<Result<_, _>>()
            .map_err(|error| wrong(format!("names an unknown field: {error}")))
    };
    let settlements = Settlements {
        write: places(&options.write_unsettled)?,
        accept: places(&options.accept_unsettled)?,
    };
    let kinds: BTreeSet<Kind> = options.prune.into_iter().collect();
    let permissions = Permissions {
        prune: if kinds.is_empty() { Prune::Off } else { Prune::Kinds(kinds) },
        adopt: options.adopt,
        deletes_max: options.max_deletes,
        prune_adopted: options.prune_adopted,
        write_unverifiable: options.write_unverifiable,
        settle: std::time::Duration::from_secs(options.settle_seconds),
        ..Permissions::default()
    };
    let request = RunRequest {
        is_ordered: options.ordered,
        settlements,
        selection: Selection {
            targets: options.targets.into_iter().collect(),
            excluded: options.excluded.into_iter().collect(),
        },
        replace: options.replace,
        ..RunRequest::default()
    };
    let policy = Policy { permissions, request, ..Policy::default() };
    Ok(Allowed { plan, policy, environment: options.environment })
}

/// Refuses another environment than the one a plan was made of: it says which that is, and nobody
/// needs to repeat it (S10).
///
/// # Errors
/// When another is named.
pub fn check_environment(chosen: &Chosen, made_of: Option<&str>) -> Result<(), Failure> {
    let Some(named) = chosen.environment.as_deref() else { return Ok(()) };
    if Some(named) == made_of {
        return Ok(());
    }
    let made = match made_of {
        Some(name) => format!("of the environment `{name}`"),
        None => "without an environment".to_owned(),
    };
    let message = format!("the saved plan was made {made}, and now `{named}` is given");
    Err(Failure::new(ErrorCode::StalePlan, message)
        .hint("leave out `--environment` (and `STOKER_ENVIRONMENT`), or plan again"))
}

/// Refuses a plan that was made for something else (S5, S6).
///
/// # Errors
/// When project, API or manifests differ from those of the plan.
pub fn check(plan: &SavedPlan, snapshot: &Snapshot) -> Result<(), Failure> {
    let stale = |message: &str| Failure::new(ErrorCode::StalePlan, message).hint("plan again");
    if plan.origin != snapshot.origin || plan.project != snapshot.live.project {
        return Err(stale("the saved plan was made for another project"));
    }
    if plan.basis.desired != snapshot.desired.digest {
        let hint = "give the same --overlay, --var and --vars-file as the plan, if it had any";
        return Err(stale("the manifests changed since the plan was saved").hint(hint));
    }
    Ok(())
}

/// What a plan says of its state where there was none: nothing is known to be ours.
const NO_STATE: &str = "none";

/// Returns what tells the state of a run from others.
pub fn mark_of(inventory: &Inventory, key: &FingerprintKey) -> String {
    if inventory.is_blank() { NO_STATE.to_owned() } else { key.mark() }
}

/// Keeps what was reviewed; when any of it is stale, nothing at all is done. What is otherwise only
/// because another state says what is ours has not changed, and is not called stale (S10).
///
/// # Errors
/// When anything that was reviewed would not be carried out as it was shown.
pub fn reviewed(
    saved: &SavedPlan,
    fresh: Plan,
    snapshot: &Snapshot,
    policy: &Policy,
    state: &str,
) -> Result<Plan, Failure> {
    let signatures = saved.changes.iter().map(|it| (it.key.clone(), it.signature.clone()));
    let signatures: BTreeMap<Key, String> = signatures.collect();
    let Reviewed { plan, stale } = review(&signatures, fresh, &snapshot.live);
    if stale.is_empty() {
        return Ok(plan);
    }
    let is_of_none = saved.basis.state.as_deref() == Some(NO_STATE);
    let why = match &saved.basis.state {
        Some(made) if made != state => match (is_of_none, state == NO_STATE) {
            (true, _) => "without the state that is used now",
            (false, true) => "with a state, and none is used now",
            (false, false) => "with a different state than the one used now",
        },
        Some(_) | None => return Err(stale_for(&stale)),
    };
    if is_of_none {
        // Made once more as it was made then: what differs even so has changed.
        let blank = Snapshot { inventory: Inventory::default().into(), ..snapshot.clone() };
        let again = crate::plan::plan(&blank, policy);
        let Reviewed { stale: moved, .. } = review(&signatures, again, &snapshot.live);
        if !moved.is_empty() {
            return Err(stale_for(&moved));
        }
    }
    let message =
        format!("the saved plan was made {why}, so its result differs: {}", listed(&stale));
    Err(Failure::new(ErrorCode::OtherState, message)
        .hint("nothing was written; the platform may be unchanged")
        .hint("plan with the state that `apply` uses (`--state DIR`), then apply that plan"))
}

fn stale_for(stale: &BTreeMap<Key, StaleReason>) -> Failure {
    let message = format!("the saved plan is stale: {} changed since then", listed(stale));
    Failure::new(ErrorCode::StalePlan, message).hint("plan again; nothing was written")
}

fn listed(stale: &BTreeMap<Key, StaleReason>) -> String {
    let keys: Vec<String> = stale.keys().map(ToString::to_string).collect();
    keys.join(", ")
}

/// Refuses a plan whose file shows something else than would be written (S10): the signatures hold,
/// so nothing changed on the platform, and somebody changed what reviewers read and sealed it anew.
///
/// # Errors
/// When a change is there twice, is shown otherwise than it is, or is counted otherwise.
pub fn check_shown(saved: &SavedPlan, plan: &Plan) -> Result<(), Failure> {
    let changes: BTreeMap<&Key, &Change> =
        plan.changes.iter().map(|change| (&change.key, change)).collect();
    let mut seen = BTreeSet::new();
    for shown in &saved.changes {
        let key = &shown.key;
        if !seen.insert(key) {
            return Err(edited(&format!("it shows {key} twice")));
        }
        if !changes.get(key).is_some_and(|change| shown.shows(change)) {
            return Err(edited(&format!(
                "what it shows of {key} differs from what would be written"
            )));
        }
    }
    let Summary { add, change, destroy, adopt, blocked, unknown, unsettled, unjudged, .. } =
        plan.summary();
    let counts = saved.summary;
    let shown = [counts.add, counts.change, counts.destroy, counts.adopt, counts.blocked];
    // What was planned without a state knows of fewer values that nobody can tell of.
    let open = counts.unsettled + counts.unjudged;
    if shown != [add, change, destroy, adopt, blocked]
        || counts.unknown != unknown
        || open != unsettled + unjudged
    {
        return Err(edited("its counts do not match its changes"));
    }
    Ok(())
}

fn edited(what: &str) -> Failure {
    Failure::new(ErrorCode::EditedPlan, format!("the saved plan was edited: {what}"))
        .hint("plan again; nothing was written")
}

#[cfg(test)]
mod tests {
    use super::super::exit::Exit;
    use super::*;
    use crate::model::{Desired, Live, Project};
    use crate::plan::plan;

    fn snapshot(origin: &str, project: &str, digest: &str) -> Snapshot {
        let id = Some(RemoteId::new(project).unwrap());
        let project = Project { id, name: "shop".to_owned(), region: None, plan: None };
        Snapshot {
            origin: origin.to_owned(),
            desired: Desired { digest: digest.to_owned(), ..Desired::default() }.into(),
            live: Live {
                project,
                listings: BTreeMap::new(),
                gone: BTreeSet::new(),
                unread: BTreeMap::new(),
                requests: 4,
            },
            inventory: Inventory::default().into(),
            now: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_saved_plan_is_for_that_api_that_project_and_those_manifests_only() {
        let made = snapshot("https://api.dev/v1", "prj_1", "a");
        let basis = Basis { desired: "a".to_owned(), state: None };
        let preamble = Preamble { basis, ..Preamble::default() };
        let saved = SavedPlan::new(&plan(&made, &Policy::default()), preamble);
        assert!(check(&saved, &made).is_ok());
        for other in [
            snapshot("https://api.test/v1", "prj_1", "a"),
            snapshot("https://api.dev/v1", "prj_2", "a"),
            snapshot("https://api.dev/v1", "prj_1", "b"),
        ] {
            let failure = check(&saved, &other).unwrap_err();
            assert_eq!(failure.exit, Exit::Stale);
            assert_eq!(failure.code, ErrorCode::StalePlan);
        }
    }
}
