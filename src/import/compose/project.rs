//! The files of a project put together: one over the other, `extends` followed, profiles left out.

use std::collections::BTreeMap;

use super::ComposeReader;
use super::dotenv;
use super::forms;
use super::interpolate::Filled;
use crate::import::report::ImportReport;
use crate::import::{ForeignFile, ForeignFolder};
use crate::manifest::{Placed, PlacedContent, placed, quoted};
use crate::model::Diagnostic;

/// How many services may extend one another in a row.
const EXTENDS_MAX: usize = 16;

/// The files as one, and what `.env` gives.
pub(super) struct ComposeProject {
    pub root: Placed,
    pub variables: BTreeMap<String, Filled>,
    /// The files that were named. Paths in any of them are relative to the first.
    pub paths: Vec<String>,
}

impl ComposeProject {
    /// Reads the files; nothing when one of them is no Compose file.
    pub fn open(
        files: &[&ForeignFile],
        folder: &ForeignFolder<'_>,
        report: &mut ImportReport,
    ) -> Option<Self> {
        let mut root: Option<Placed> = None;
        for file in files {
            let read = open(file, report)?;
            root = Some(match root {
                Some(under) => over(under, read, ""),
                None => read,
            });
        }
        let variables = variables(files.first()?, folder, report);
        let paths = files.iter().map(|file| file.path.clone()).collect();
        Some(Self { root: root?, variables, paths })
    }
}

fn open(file: &ForeignFile, report: &mut ImportReport) -> Option<Placed> {
    let read = match placed(&file.path, &file.text) {
        Ok(read) => read,
        Err(findings) => {
            findings.into_iter().for_each(|finding| report.push(explained(finding)));
            return None;
        }
    };
    let services = read.get("services").map(Placed::entries);
    if services.is_none_or(<[_]>::is_empty) {
        let message = "the file has no mapping `services`, so it is not a Compose file".to_owned();
        let hint = match read.get("apiVersion").or_else(|| read.get("kind")) {
            Some(_) => "it looks like a file of Kubernetes or Helm, which is not imported",
            None => "a Blueprint, also Render's, is read by `stoker convert`",
        };
        report.error(read.origin(), "unknown-document", message, hint);
        return None;
    }
    for (name, service) in services.unwrap_or_default() {
        forms::check(report, service, &format!("services.{name}"));
    }
    Some(read)
}

/// Names the tags of Compose that are not read.
fn explained(mut finding: Diagnostic) -> Diagnostic {
    if ["!reset", "!override"].iter().any(|tag| finding.message.contains(tag)) {
        let hint = "Compose knows the tag, but the import does not: write the value without it";
        finding.hints = vec![hint.to_owned()];
    }
    finding
}

/// Reads `.env` beside the file. The importer's own environment is nobody's project.
fn variables(
    file: &ForeignFile,
    folder: &ForeignFolder<'_>,
    report: &mut ImportReport,
) -> BTreeMap<String, Filled> {
    let Some(file) = (folder.beside)(&file.path, ".env") else {
        return BTreeMap::new();
    };
    let mut warnings = Vec::new();
    let read = dotenv::read(&file.path, &file.text, &|_| None, &mut warnings);
    warnings.into_iter().for_each(|finding| report.push(finding));
    match read {
        Ok(entries) => {
            let whole = |entry: dotenv::DotenvEntry| {
                Some((entry.key, entry.value.filter(|value| value.whole().is_some())?))
            };
            if let Some(entry) = entries.iter().find(|entry| entry.key == "COMPOSE_FILE") {
                let message = "`COMPOSE_FILE` names the files that Compose reads here".to_owned();
                let hint = "the import reads only the files it is given: name the same ones";
                report.mind(entry.origin.clone(), "compose-file", message, hint);
            }
            entries.into_iter().filter_map(whole).collect()
        }
        Err(refused) => {
            report.push(*refused);
            BTreeMap::new()
        }
    }
}

/// Lists whose items are added to, instead of replaced.
const REPLACED: [&str; 3] = ["command", "entrypoint", "test"];

/// Fields that are a list of `KEY=VALUE` or of keys, or a mapping.
const EITHER: [&str; 7] =
    ["environment", "labels", "args", "depends_on", "networks", "extra_hosts", "sysctls"];

/// Puts one value over another: mappings are joined, lists follow one another, the rest is replaced.
fn over(under: Placed, above: Placed, key: &str) -> Placed {
    let (under, above) = match EITHER.contains(&key) {
        true => (as_mapping(under), as_mapping(above)),
        false => (forms::long(under, key), forms::long(above, key)),
    };
    let place = above.beside(PlacedContent::Nothing);
    let content = match (under.content, above.content) {
        (under, PlacedContent::Nothing) => under,
        (PlacedContent::Items(mut items), PlacedContent::Items(more))
            if !REPLACED.contains(&key) =>
        {
            items.extend(more);
            PlacedContent::Items(items)
        }
        (PlacedContent::Entries(mut entries), PlacedContent::Entries(more)) => {
            for (key, value) in more {
                match entries.iter_mut().find(|(known, _)| *known == key) {
                    // In a mapping of variables a key alone hides what was given.
                    Some((_, known)) if value.is_nothing() => *known = value,
                    Some((_, known)) => {
                        let under = std::mem::replace(known, value.beside(PlacedContent::Nothing));
                        *known = over(under, value, &key);
                    }
                    None => entries.push((key, value)),
                }
            }
            PlacedContent::Entries(entries)
        }
        (_, above) => above,
    };
    place.beside(content)
}

/// Makes a mapping of a list of `KEY=VALUE`: the value is a text as written.
fn as_mapping(value: Placed) -> Placed {
    let PlacedContent::Items(items) = &value.content else {
        return value;
    };
    let entry = |item: &Placed| {
        let (text, _) = item.scalar().unwrap_or_default();
        let (key, content) = match text.split_once('=') {
            Some((key, text)) => {
                (key, PlacedContent::Scalar { text: text.to_owned(), is_plain: false })
            }
            None => (text, PlacedContent::Nothing),
        };
        (key.to_owned(), item.beside(content))
    };
    let entries = items.iter().map(entry).collect();
    value.beside(PlacedContent::Entries(entries))
}

/// Services by their names, as the files have them.
pub(super) type NamedServices = Vec<(String, Placed)>;

/// Returns the services that run, `extends` followed, and those that are left out, which are listed.
pub(super) fn services(
    reader: &mut ComposeReader<'_, '_>,
    root: &Placed,
) -> (NamedServices, NamedServices) {
    let (mut active, mut left_out) = (Vec::new(), Vec::new());
    for (name, yaml) in root.get("services").map(Placed::entries).unwrap_or_default() {
        let path = format!("services.{name}");
        if !matches!(yaml.content, PlacedContent::Entries(_) | PlacedContent::Nothing) {
            reader.report.wrong_type(yaml, &path, "a mapping");
            continue;
        }
        let whole = extended(reader, root, yaml.clone(), 0);
        yaml.take();
        let Some(whole) = whole else { continue };
        let profiles = whole.get("profiles");
        let profiles = profiles.map(|it| reader.texts(it, &format!("{path}.profiles")));
        if profiles.as_ref().is_some_and(|all| !all.iter().any(|one| is_active(reader, one))) {
            let profiles = whole.get("profiles").map(|list| as_it_stands(list, ", "));
            let profiles = quoted(&profiles.unwrap_or_default());
            let message = format!("the service `{}` is left out", quoted(name));
            let hint = format!("it runs only with the profile {profiles}; remove `profiles`");
            reader.report.mind(yaml.origin(), "inactive-profile", message, &hint);
            left_out.push((name.clone(), whole));
        } else {
            active.push((name.clone(), whole));
        }
    }
    (active, left_out)
}

/// Returns the texts of a list as its file has them.
pub(super) fn as_it_stands(list: &Placed, between: &str) -> String {
    let texts = list.items().iter().filter_map(Placed::scalar).map(|(text, _)| text);
    texts.collect::<Vec<_>>().join(between)
}

/// Whether `.env` makes a profile active.
fn is_active(reader: &ComposeReader<'_, '_>, profile: &str) -> bool {
    let active = reader.variables.get("COMPOSE_PROFILES");
    let active = active.map(|active| active.text.as_str()).unwrap_or_default();
    active.split(',').any(|one| one == profile || one == "*")
}

/// Puts a service over the one that it extends.
fn extended(
    reader: &mut ComposeReader<'_, '_>,
    root: &Placed,
    mut service: Placed,
    depth: usize,
) -> Option<Placed> {
    let PlacedContent::Entries(entries) = &mut service.content else {
        return Some(service);
    };
    let Some(at) = entries.iter().position(|(key, _)| key == "extends") else {
        return Some(service);
    };
    let (_, extends) = entries.remove(at);
    let origin = extends.origin();
    let refuse = |reader: &mut ComposeReader<'_, '_>, message: String| {
        let hint = "write the service in full";
        reader.report.error(origin.clone(), "extends", message, hint);
    };
    let name = extends.get("service").unwrap_or(&extends);
    let name = reader.whole(name, "extends.service")?;
    if depth >= EXTENDS_MAX {
        refuse(reader, format!("`extends` leads to `{}` in a circle", quoted(&name)));
        return None;
    }
    let other = match extends.get("file") {
        Some(file) => {
            let path = reader.whole(file, "extends.file")?;
            let anchor = reader.anchor(&service.file).to_owned();
            let Some(found) = (reader.folder.beside)(&anchor, &path) else {
                refuse(reader, format!("`{}` does not exist", quoted(&path)));
                return None;
            };
            Some(open(&found, reader.report)?)
        }
        None => None,
    };
    let root = other.as_ref().unwrap_or(root);
    let Some(base) = root.get("services").and_then(|services| services.get(&name)) else {
        refuse(reader, format!("there is no service `{}` to extend", quoted(&name)));
        return None;
    };
    let base = extended(reader, root, base.clone(), depth + 1)?;
    Some(over(base, service, ""))
}
