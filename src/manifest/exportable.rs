//! What lives and no manifest can hold: planning an export changes nothing, whatever lives.
//!
//! What the checks of a manifest would refuse is left out, with a word, and so left alone: a setting
//! is not declared, a variable is declared without its value.

use super::load::load;
use super::print::print;
use crate::model::{Desired, Diagnostic, Field, FieldPath, Resource, ValueSource};
use crate::source::Tree;

/// Returns a resource without what no manifest can hold; nothing where nothing helps.
pub(super) fn fit(
    mut resource: Resource<ValueSource>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Resource<ValueSource>> {
    let mut errors = errors(&resource);
    let paths: Vec<FieldPath> = resource.fields.keys().cloned().collect();
    for path in paths {
        let Some(first) = errors.first().cloned() else { break };
        let candidate = without(&resource, &path);
        let left = self::errors(&candidate);
        if left.len() >= errors.len() {
            continue;
        }
        // The one that is gone is what the field was about.
        let why = errors.iter().find(|error| !left.contains(error)).unwrap_or(&first);
        let message = format!("`{path}` of {} is left out, and so left alone: {why}", resource.key);
        diagnostics.push(Diagnostic::warning("export-left-out", message));
        (resource, errors) = (candidate, left);
    }
    let Some(error) = errors.first() else {
        return Some(resource);
    };
    let message = format!("{} cannot be declared, so it is left out: {error}", resource.key);
    diagnostics.push(Diagnostic::warning("export-left-out", message));
    None
}

fn without(resource: &Resource<ValueSource>, path: &FieldPath) -> Resource<ValueSource> {
    let mut resource = resource.clone();
    if let (Some(field), FieldPath::Env(key)) = (resource.fields.remove(path), path) {
        resource.set_by_hand.insert(key.clone(), field.origin);
    }
    resource
}

/// Returns what a manifest of that resource alone would be refused for; where it would not, what it
/// says otherwise than it lives, as `valkey` for `keyvalue`.
fn errors(resource: &Resource<ValueSource>) -> Vec<String> {
    let mut desired = Desired::default();
    desired.resources.insert(resource.key.clone(), resource.clone());
    let text = print(&desired);
    let loaded = load(&Tree::from_texts([("live.yaml", text.as_str())]));
    let Some(read) = loaded.desired else {
        let errors = loaded.diagnostics.into_iter().filter(Diagnostic::is_error);
        return errors.map(|error| error.message).collect();
    };
    let read = read.resources.get(&resource.key).map(|read| &read.fields);
    let is_read = |(path, field): &(&FieldPath, &Field<ValueSource>)| {
        read.and_then(|fields| fields.get(*path)).is_some_and(|read| read.value == field.value)
    };
    let others = resource.fields.iter().filter(|field| !is_read(field));
    others.map(|(path, _)| format!("a manifest cannot express this `{path}`")).collect()
}
