//! Writing a value in the place of another: only its bytes change, so comments, quotes, the order
//! and the ends of lines stay as they are.
//!
//! What comes of it is read again before anybody writes it: it must mean what was meant, and
//! nothing else may mean anything else.

mod written;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::load::load;
use super::tree::Place;
use super::yaml::{WrittenForm, WrittenValue, WrittenValues};
use crate::model::{
    Desired, Diagnostic, Field, FieldPath, FieldValue, Key, Origin, Resource, ValueSource, is_same,
    is_secret_at,
};
use crate::source::Tree;

/// The code of what is not edited.
const NOT_EDITABLE: &str = "not-editable";

/// A value to be written where a declared one stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The resource.
    pub key: Key,
    /// The field, which a manifest declares.
    pub path: FieldPath,
    /// The value it gets.
    pub value: FieldValue,
}

/// A file with values replaced in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditedFile {
    /// The file, as the user would type it.
    pub path: String,
    /// Its text as it was read.
    pub before: String,
    /// Its text with the values.
    pub after: String,
}

/// Writes values in the place of those that are declared, each in the file and layer it stands in.
///
/// # Errors
/// When one of them cannot be: a finding for each, at the line that a person would change. That is
/// a secret, a value that comes from a variable, an alias or a Blueprint, and one that means
/// something else, or changes something else, once it is written.
pub fn edit(
    tree: &Tree,
    declared: &Desired<ValueSource>,
    replacements: &[Replacement],
) -> Result<Vec<EditedFile>, Vec<Diagnostic>> {
    let mut by_file: BTreeMap<&str, Vec<(&Replacement, &Origin)>> = BTreeMap::new();
    let mut obstacles = Vec::new();
    for replacement in replacements {
        match editable(declared, replacement) {
            Ok(origin) => by_file.entry(&origin.file).or_default().push((replacement, origin)),
            Err(obstacle) => obstacles.push(*obstacle),
        }
    }
    let mut files = Vec::new();
    for (file, of_file) in by_file {
        let text = tree.files().iter().find(|it| it.path == file);
        let Some(before) = text.and_then(|it| std::str::from_utf8(&it.bytes).ok()) else {
            obstacles.extend(of_file.iter().map(|(replacement, origin)| {
                obstacle(replacement, origin, "it is not in a file that was read".to_owned())
            }));
            continue;
        };
        match edit_text(before, &of_file) {
            Ok(after) => {
                files.push(EditedFile { path: file.to_owned(), before: before.to_owned(), after });
            }
            Err(found) => obstacles.extend(found),
        }
    }
    if !obstacles.is_empty() {
        return Err(obstacles);
    }
    check(tree, declared, replacements, &files)?;
    Ok(files)
}

/// Returns where the value stands that is to be replaced.
fn editable<'d>(
    declared: &'d Desired<ValueSource>,
    replacement: &Replacement,
) -> Result<&'d Origin, Box<Diagnostic>> {
    let Replacement { key, path, value } = replacement;
    let resource = declared.resources.get(key);
    let Some(Field { value: old, origin }) = resource.and_then(|it| it.fields.get(path)) else {
        let message = format!("no manifest declares `{path}` of {key}");
        return Err(Diagnostic::error(NOT_EDITABLE, message).into());
    };
    // No secret is ever written to a file (S9).
    if is_secret_at(path, value) {
        return Err(secret(replacement, origin).into());
    }
    match old {
        ValueSource::Value(old) if is_secret_at(path, old) => {
            Err(secret(replacement, origin).into())
        }
        ValueSource::Value(FieldValue::Reference(_)) => {
            let reason = "it refers to another resource".to_owned();
            Err(obstacle(replacement, origin, reason).into())
        }
        ValueSource::Value(_) => Ok(origin),
        ValueSource::Environment(_)
        | ValueSource::File(_)
        | ValueSource::Provider { .. }
        | ValueSource::Sops { .. }
        | ValueSource::Generated(_) => Err(secret(replacement, origin).into()),
    }
}

/// Says that a value is not replaced because it is a secret, and nothing of it.
fn secret(replacement: &Replacement, origin: &Origin) -> Diagnostic {
    let Replacement { key, path, value: _ } = replacement;
    let message = format!("`{path}` of {key} is not edited: its value is a secret");
    let finding = Diagnostic::error(NOT_EDITABLE, message).at(origin.clone());
    finding.hint("change it where the secret is kept")
}

/// Says why a value is not replaced, and what a person would write.
fn obstacle(replacement: &Replacement, origin: &Origin, reason: String) -> Diagnostic {
    let Replacement { key, path, value } = replacement;
    let message = format!("`{path}` of {key} is not edited: {reason}");
    let finding = Diagnostic::error(NOT_EDITABLE, message).at(origin.clone());
    finding.hint(format!("to accept the live value, change this to {}", written::hinted(value)))
}

/// Replaces values of one text.
fn edit_text(
    text: &str,
    replacements: &[(&Replacement, &Origin)],
) -> Result<String, Vec<Diagnostic>> {
    let unreadable = |reason: String| {
        let of = |(it, origin): &(&Replacement, &Origin)| obstacle(it, origin, reason.clone());
        replacements.iter().map(of).collect::<Vec<_>>()
    };
    let values = WrittenValues::of(text).map_err(|flaw| unreadable(flaw.message))?;
    let (mut cuts, mut obstacles) = (Vec::new(), Vec::new());
    for (replacement, origin) in replacements {
        match cuts_of(text, &values, replacement, origin) {
            Ok(found) => cuts.extend(found),
            Err(reason) => obstacles.push(obstacle(replacement, origin, reason)),
        }
    }
    if !obstacles.is_empty() {
        return Err(obstacles);
    }
    cuts.sort_by_key(|(bytes, _)| (bytes.start, bytes.end));
    let are_apart = cuts.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start);
    if !are_apart {
        return Err(unreadable("two values stand in one place".to_owned()));
    }
    let (mut edited, mut at) = (String::with_capacity(text.len()), 0);
    for (bytes, new) in cuts {
        edited.push_str(&text[at..bytes.start]);
        edited.push_str(&new);
        at = bytes.end;
    }
    edited.push_str(&text[at..]);
    Ok(edited)
}

/// A part of a text, and what takes its place.
type Cut = (Range<usize>, String);

/// Returns the cuts that replace one value, or why there are none.
fn cuts_of(
    text: &str,
    values: &WrittenValues,
    replacement: &Replacement,
    origin: &Origin,
) -> Result<Vec<Cut>, String> {
    let number = find(text, values, replacement, origin)
        .ok_or("its value does not stand in this place".to_owned())?;
    let value = values.get(number);
    if value.form == WrittenForm::Alias {
        return Err("its value is an alias".to_owned());
    }
    if values.way_up(number).any(|around| around.is_marked) {
        return Err("it has an anchor or a tag, or lies within one".to_owned());
    }
    let document = values.way_up(number).last().unwrap_or(value);
    if !has_key(text, values, document, "kind") {
        return Err("it stands in a Blueprint".to_owned());
    }
    if text[value.bytes.clone()].replace("$${", "").contains("${") {
        return Err("its value comes from a variable".to_owned());
    }
    let key = values.key_of(number).ok_or("it has no key".to_owned())?;
    let cuts = match (&value.form, &replacement.value) {
        (WrittenForm::List(items), FieldValue::Set(wanted)) => {
            let items: Vec<&WrittenValue> = items.iter().map(|item| values.get(*item)).collect();
            written::list(text, value, &items, wanted)
        }
        (WrittenForm::List(_) | WrittenForm::Mapping(_) | WrittenForm::Alias, _) => None,
        (_, new) => written::scalar(text, key, value, new).map(|cut| vec![cut]),
    };
    cuts.ok_or_else(|| "the way it is written cannot be edited without loss".to_owned())
}

/// Finds the value of a field: a setting's place is that of its value, a variable's that of its key.
fn find(
    text: &str,
    values: &WrittenValues,
    replacement: &Replacement,
    origin: &Origin,
) -> Option<usize> {
    let place = Place { line: origin.line, column: origin.column };
    let stands_here = |number: &usize| {
        let value = values.get(*number);
        let parent = value.parent.map(|parent| &values.get(parent).form);
        let is_value = match parent {
            Some(WrittenForm::Mapping(entries)) => entries.iter().any(|(_, it)| it == number),
            Some(_) | None => false,
        };
        value.place == place && is_value && !matches!(value.form, WrittenForm::Mapping(_))
    };
    let number = values.numbers().find(stands_here)?;
    match replacement.path {
        FieldPath::Setting(_) => Some(number),
        FieldPath::Env(_) => entry(text, values, values.get(values.get(number).parent?), "value"),
    }
}

/// Returns the value of a key of a mapping.
fn entry(text: &str, values: &WrittenValues, of: &WrittenValue, key: &str) -> Option<usize> {
    let WrittenForm::Mapping(entries) = &of.form else { return None };
    let is_it = |(it, _): &&(usize, usize)| {
        let written = &text[values.get(*it).bytes.clone()];
        written.trim_matches(['"', '\'']) == key
    };
    entries.iter().find(is_it).map(|(_, value)| *value)
}

fn has_key(text: &str, values: &WrittenValues, of: &WrittenValue, key: &str) -> bool {
    entry(text, values, of, key).is_some()
}

/// Reads the edited files as all are read, and compares: what was replaced means what it should,
/// and everything else is as it was (S6).
fn check(
    tree: &Tree,
    declared: &Desired<ValueSource>,
    replacements: &[Replacement],
    files: &[EditedFile],
) -> Result<(), Vec<Diagnostic>> {
    let texts = files.iter().map(|file| (file.path.as_str(), file.after.as_str())).collect();
    let loaded = load(&tree.with_texts(&texts));
    let Some(edited) = loaded.desired else {
        let is_error = |finding: &Diagnostic| finding.is_error();
        return Err(loaded.diagnostics.into_iter().filter(is_error).collect());
    };
    let mut wrong = Vec::new();
    let mut meant = declared.clone();
    for replacement in replacements {
        let Replacement { key, path, value } = replacement;
        let field = |of: &Desired<ValueSource>| of.resources.get(key)?.fields.get(path).cloned();
        let (Some(old), new) = (field(declared), field(&edited)) else { continue };
        let is_meant = matches!(&new, Some(Field { value: ValueSource::Value(new), .. })
            if is_same(key.kind, path, value, new));
        match (new, meant.resources.get_mut(key)) {
            (Some(new), Some(resource)) if is_meant => {
                resource.fields.insert(path.clone(), new);
            }
            _ => {
                let reason = "once written, it would mean something else".to_owned();
                wrong.push(obstacle(replacement, &old.origin, reason));
            }
        }
    }
    let replaced = replacements.iter().map(|it| &it.key).collect();
    let others = differing(&placeless(meant, &replaced), &placeless(edited, &replaced));
    for key in others {
        let by = replacements.iter().find(|it| it.key == key).or(replacements.first());
        let old = by.and_then(|it| declared.resources.get(&it.key)?.fields.get(&it.path));
        if let (Some(by), Some(old)) = (by, old) {
            let reason = format!("{key} would change with it");
            wrong.push(obstacle(by, &old.origin, reason));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Returns what two desired states say differently.
fn differing(one: &Desired<ValueSource>, other: &Desired<ValueSource>) -> BTreeSet<Key> {
    let of = |it: &Desired<ValueSource>| {
        let resources = it.resources.keys().chain(it.tombstones.keys());
        resources.cloned().collect::<BTreeSet<Key>>()
    };
    let is_other = |key: &Key| {
        one.resources.get(key) != other.resources.get(key)
            || one.tombstones.get(key) != other.tombstones.get(key)
    };
    of(one).union(&of(other)).filter(|key| is_other(key)).cloned().collect()
}

/// Returns what is declared without where it stands, and without what follows from the replaced
/// values.
fn placeless(mut desired: Desired<ValueSource>, replaced: &BTreeSet<&Key>) -> Desired<ValueSource> {
    let nowhere = Origin { file: String::new(), line: 0, column: 0 };
    for (key, resource) in &mut desired.resources {
        let Resource { origin, fields, set_by_hand, on_create, depends_on, .. } = resource;
        *origin = nowhere.clone();
        fields.values_mut().for_each(|field| field.origin = nowhere.clone());
        set_by_hand.values_mut().for_each(|origin| *origin = nowhere.clone());
        if replaced.contains(key) {
            on_create.clear();
            depends_on.clear();
        }
    }
    desired.tombstones.values_mut().for_each(|it| it.origin = nowhere.clone());
    desired
}
