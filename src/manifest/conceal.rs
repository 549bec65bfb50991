//! Declared resources as they may be printed: without what looks like a secret (S9).
//!
//! What reads manifests for the platform does not come by here.

use crate::model::{
    Desired, Diagnostic, FieldPath, FieldValue, Resource, ValueSource, is_secret_at,
};

/// Takes every value that looks like a secret out of what is declared.
///
/// A variable becomes `sync: false`, which leaves its value alone, and a setting is left out, which
/// does the same. Returns a warning for each.
#[must_use]
pub fn conceal(mut declared: Desired<ValueSource>) -> (Desired<ValueSource>, Vec<Diagnostic>) {
    let mut warnings = Vec::new();
    for resource in declared.resources.values_mut() {
        conceal_in(resource, &mut warnings);
    }
    (declared, warnings)
}

fn conceal_in(resource: &mut Resource<ValueSource>, warnings: &mut Vec<Diagnostic>) {
    let Resource { key, fields, set_by_hand, .. } = resource;
    fields.retain(|path, field| {
        let is_secret = match &field.value {
            ValueSource::Value(FieldValue::Text(text)) if text.is_empty() => false,
            ValueSource::Value(value) => is_secret_at(path, value),
            ValueSource::Environment(_)
            | ValueSource::File(_)
            | ValueSource::Provider { .. }
            | ValueSource::Sops { .. }
            | ValueSource::Generated(_) => false,
        };
        if is_secret {
            let place = field.origin.clone();
            let instead = match path {
                FieldPath::Env(_) => "`sync: false` takes its place",
                FieldPath::Setting(_) => "it is left out",
            };
            let message = format!("`{path}` of {key} looks like a secret: {instead}");
            warnings.push(Diagnostic::warning("hidden-value", message).at(place.clone()));
            if let FieldPath::Env(key) = path {
                set_by_hand.insert(key.clone(), place);
            }
        }
        !is_secret
    });
}
