//! Which drift is taken into the manifests, and what of it cannot be. Pure.

use crate::manifest::{Replacement, quoted};
use crate::model::{
    Desired, Diagnostic, FieldPath, FieldValue, Key, Origin, Setting, ValueSource, is_secret_at,
};
use crate::plan::{Change, FieldAction, FieldChange, FieldReason, Plan, Reason};

use super::super::why::Subject;

/// The code of what cannot be accepted.
const NOT_ACCEPTED: &str = "not-accepted";

/// The drift that was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TakenDrift {
    /// The values to be written.
    pub replacements: Vec<Replacement>,
    /// What cannot be written, with the line that a person would change.
    pub obstacles: Vec<Diagnostic>,
}

/// Takes of a plan the drift that was asked for.
pub fn taken(plan: &Plan, declared: &Desired<ValueSource>, subjects: &[Subject]) -> TakenDrift {
    let mut taken = TakenDrift::default();
    for subject in subjects {
        let change = plan.changes.iter().find(|change| change.key == subject.key);
        let covered: Vec<&FieldChange> =
            change.iter().flat_map(|it| &it.fields).filter(|it| subject.covers(&it.path)).collect();
        if let Some(change) = change.filter(|change| change.reason == Reason::Missing) {
            taken.obstacles.push(gone(change));
            continue;
        }
        let drifted: Vec<&FieldChange> =
            covered.iter().filter(|field| is_drift(field)).copied().collect();
        for field in &drifted {
            match value(declared, &subject.key, field) {
                Ok(value) => {
                    let (key, path) = (subject.key.clone(), field.path.clone());
                    let replacement = Replacement { key, path, value };
                    if !taken.replacements.contains(&replacement) {
                        taken.replacements.push(replacement);
                    }
                }
                Err(obstacle) => taken.obstacles.push(*obstacle),
            }
        }
        // Who names a field means it; of a whole resource only what drifted is meant.
        if let Some(field) =
            covered.first().filter(|_| subject.field.is_some() && drifted.is_empty())
        {
            taken.obstacles.push(no_drift(declared, &subject.key, field));
        }
    }
    taken
}

fn is_drift(field: &FieldChange) -> bool {
    match field.reason {
        FieldReason::Drift | FieldReason::Flapping => true,
        FieldReason::Requested
        | FieldReason::Derived
        | FieldReason::Later
        | FieldReason::Rotated(_)
        | FieldReason::Unverifiable
        | FieldReason::Accepted => false,
    }
}

/// Returns what lives in the place of a declared value.
fn value(
    declared: &Desired<ValueSource>,
    key: &Key,
    field: &FieldChange,
) -> Result<FieldValue, Box<Diagnostic>> {
    let FieldChange { path, action, before, after, sensitive, .. } = field;
    let refused = |reason: &str, hint: String| {
        Err(Box::new(obstacle(declared, key, path, reason).hint(hint)))
    };
    let is_secret = *sensitive || before.as_ref().is_some_and(|value| is_secret_at(path, value));
    // A variable that only the platform has is shown to nobody: it may be a secret (S9).
    if let (FieldPath::Env(env_key), FieldAction::Remove) = (path, action) {
        let name = quoted(env_key.as_str());
        let hint = format!("to accept it, add `{name}` to `envVars`; its value may be a secret");
        return refused("it was added on the platform", hint);
    }
    if is_secret {
        return refused("its value is a secret", "change it where the secret is kept".to_owned());
    }
    match (path, before, after) {
        (FieldPath::Setting(Setting::Name), Some(name), _) => {
            let hint = format!(
                "write `name: {}` with `previousNames: [{}]`",
                quoted(&name.to_string()),
                key.name
            );
            refused("it was renamed on the platform", hint)
        }
        (_, None, _) if *action == FieldAction::Add || after.is_some() => refused(
            "it was removed on the platform",
            "to accept that, remove this entry".to_owned(),
        ),
        (_, Some(FieldValue::Reference(_) | FieldValue::Secret(_)), _) | (_, None, _) => {
            let hint = "change the manifest by hand".to_owned();
            refused("its live value is not a plain one", hint)
        }
        (FieldPath::Env(_), Some(value), _) => Ok(FieldValue::Text(value.to_string())),
        (FieldPath::Setting(_), Some(value), _) => Ok(value.clone()),
    }
}

fn gone(change: &Change) -> Diagnostic {
    let message = format!("{} no longer exists on the platform", change.key);
    let finding = Diagnostic::error(NOT_ACCEPTED, message);
    let finding = finding.hint("remove its document; `stoker apply` creates the resource again");
    match &change.origin {
        Some(origin) => finding.at(origin.clone()),
        None => finding,
    }
}

/// Says of a field that was named why it differs, when that is no drift.
fn no_drift(declared: &Desired<ValueSource>, key: &Key, field: &FieldChange) -> Diagnostic {
    let (reason, hint) = match field.reason {
        FieldReason::Unverifiable | FieldReason::Accepted => {
            ("the platform does not show it", "change the manifest by hand")
        }
        FieldReason::Requested
        | FieldReason::Rotated(_)
        | FieldReason::Derived
        | FieldReason::Later
        | FieldReason::Drift
        | FieldReason::Flapping => (
            "it did not drift: the manifest asks for another value than was last written",
            "`stoker apply` writes it; to keep what lives, change the manifest by hand",
        ),
    };
    obstacle(declared, key, &field.path, reason).hint(hint)
}

fn obstacle(
    declared: &Desired<ValueSource>,
    key: &Key,
    path: &FieldPath,
    reason: &str,
) -> Diagnostic {
    let resource = declared.resources.get(key);
    let field = resource.and_then(|resource| resource.fields.get(path));
    let origin: Option<&Origin> =
        field.map(|field| &field.origin).or(resource.map(|resource| &resource.origin));
    let message = format!("`{path}` of {key} cannot be accepted: {reason}");
    let finding = Diagnostic::error(NOT_ACCEPTED, message);
    match origin {
        Some(origin) => finding.at(origin.clone()),
        None => finding,
    }
}
