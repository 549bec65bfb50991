//! Printing with places: beside each value, as a comment, the file and line it comes from.

use std::collections::BTreeMap;

use super::print::print;
use super::tree::{Document, PathStep};
use super::yaml::{Documents, double_quoted};
use crate::model::{Desired, FieldPath, Key, Origin, Resource, ValueSource};

/// Prints a desired state as [`print()`] does, and says of each resource and each of its values where it
/// stands: with layers, in which of them.
#[must_use]
pub fn print_with_places(desired: &Desired<ValueSource>) -> String {
    let text = print(desired);
    let mut places = BTreeMap::new();
    if let Ok(mut documents) = Documents::new(&text) {
        while let Ok(Some(document)) = documents.next_document() {
            note(&document, desired, &mut places);
        }
    }
    let mut printed = String::new();
    for (index, line) in text.lines().enumerate() {
        printed.push_str(line);
        if let Some(origin) = places.get(&(index + 1)) {
            printed.push_str(&format!("  # {}", shown(origin)));
        }
        printed.push('\n');
    }
    printed
}

/// Notes which lines of a printed document have a place.
fn note<'d>(
    document: &Document<'_>,
    desired: &'d Desired<ValueSource>,
    places: &mut BTreeMap<usize, &'d Origin>,
) {
    let Some(resource) = resource(document, desired) else { return };
    let mut line_of = |path: &[PathStep<'_>], origin: &'d Origin| {
        if let Some(line) = document.line_of(path) {
            places.insert(line, origin);
        }
    };
    line_of(&[PathStep::Key("metadata"), PathStep::Key("name")], &resource.origin);
    for (path, field) in &resource.fields {
        line_of(&steps(path), &field.origin);
    }
    for (key, origin) in &resource.set_by_hand {
        line_of(&steps(&FieldPath::Env(key.clone())), origin);
    }
}

/// Returns the resource that a printed document is of.
fn resource<'d>(
    document: &Document<'_>,
    desired: &'d Desired<ValueSource>,
) -> Option<&'d Resource<ValueSource>> {
    let root = document.root()?;
    let kind = super::native::kind_called(root.get("kind")?.scalar()?.0)??;
    let (name, _) = root.get("metadata")?.get("name")?.scalar()?;
    let is_it = |key: &&Key| key.kind == kind && key.name.as_str() == name;
    desired.resources.get(desired.resources.keys().find(is_it)?)
}

/// Returns the way from the root of a native document to a field.
pub(super) fn steps(path: &FieldPath) -> Vec<PathStep<'_>> {
    let mut steps = vec![PathStep::Key("spec")];
    match path {
        FieldPath::Setting(setting) => steps.extend(setting.as_str().split('.').map(PathStep::Key)),
        FieldPath::Env(key) => {
            steps.extend([PathStep::Key("envVars"), PathStep::Item(key.as_str())])
        }
    }
    steps
}

fn shown(origin: &Origin) -> String {
    let Origin { file, line, column: _ } = origin;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-<> ".contains(c);
    if file.chars().all(is_plain) {
        format!("{file}:{line}")
    } else {
        format!("{}:{line}", double_quoted(file))
    }
}
