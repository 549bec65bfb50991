//! Files of other programs become native documents, and an honest list of what cannot be carried over.
//!
//! Pure: texts in, resources and findings out. What a file means is what its own readers make of it,
//! which was found out by running them; no value is dropped without a word, and none is guessed.
//!
//! In reading order: [`import()`] tells the forms apart; a module for each form reads it; `report`
//! collects what is said; `shell` and `references` are what several of them need.

mod compose;
mod fly;
mod heroku;
mod procfile;
mod railway;
mod references;
mod report;
mod resource;
mod shell;
#[cfg(test)]
mod tests;
mod toml;

use std::collections::BTreeMap;

use crate::manifest::{self, Placed};
use crate::model::{Desired, Diagnostic, Key, Resource, ValueSource};
use crate::source::{Home, Tree};

use report::ImportReport;

/// A file to import.
#[derive(Clone, Debug)]
pub struct ForeignFile {
    /// As users read it.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl ForeignFile {
    /// Returns the last part of its path.
    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// What lies around the files.
pub struct ForeignFolder<'a> {
    /// Reads a file by its path relative to the folder of another one; nothing when it is not there,
    /// or lies outside.
    pub beside: &'a dyn Fn(&str, &str) -> Option<ForeignFile>,
    /// Returns the folder of a file as its repository has it, where the file lies in one.
    pub within: &'a dyn Fn(&str) -> Option<String>,
    /// The repository the files lie in, where that is known.
    pub home: Option<&'a Home>,
}

/// What came of an import.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The resources; without any secret.
    pub desired: Desired<ValueSource>,
    /// What cannot be carried over, what was changed, and what must be given; no errors.
    pub diagnostics: Vec<Diagnostic>,
    /// What a person has to do about each resource, as comments.
    pub notes: BTreeMap<Key, Vec<String>>,
}

impl Imported {
    /// Prints native documents with their comments.
    #[must_use]
    pub fn print(&self) -> String {
        manifest::print_noted(&self.desired, &self.notes)
    }
}

/// The forms that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ForeignForm {
    Blueprint,
    Heroku,
    Fly,
    Railway,
    Compose,
}

impl ForeignForm {
    /// Tells what a file is: by its name, and YAML by what stands in it.
    fn of(file: &ForeignFile) -> Option<Self> {
        let name = file.name();
        if matches!(name, "app.json" | "Procfile") {
            return Some(Self::Heroku);
        }
        let (stem, kind) = name.rsplit_once('.').unwrap_or((name, ""));
        let is_of = |word: &str| stem == word || stem.starts_with(&format!("{word}."));
        match kind {
            "toml" if is_of("fly") => return Some(Self::Fly),
            "toml" | "json" if is_of("railway") => return Some(Self::Railway),
            _ => {}
        }
        if !name.ends_with(".yaml") && !name.ends_with(".yml") {
            return None;
        }
        // A Blueprint has a list of services, or services with a type.
        let is_blueprint = |root: &Placed| {
            let services = root.get("services");
            let named = services.map(Placed::entries).unwrap_or_default();
            let is_typed = |(_, service): &(String, Placed)| {
                service.get("type").is_some_and(|it| it.scalar().is_some())
            };
            named.is_empty() || named.iter().any(is_typed)
        };
        let read = manifest::placed(&file.path, &file.text);
        let is_blueprint = !name.contains("compose") && read.as_ref().is_ok_and(is_blueprint);
        Some(if is_blueprint { Self::Blueprint } else { Self::Compose })
    }
}

/// Files of one form, as a folder may hold them.
#[derive(Clone, Copy, Debug)]
pub struct UsualFiles {
    /// Their names.
    pub names: &'static [&'static str],
    /// Whether all that are there are read; else the first, and its override.
    pub is_all: bool,
}

/// What is read of a folder: the files of the first of these forms that is there.
pub const USUAL_FILES: [UsualFiles; 5] = [
    UsualFiles { names: &["stackblaze.yaml", "render.yaml"], is_all: false },
    UsualFiles { names: &["app.json", "Procfile"], is_all: true },
    UsualFiles { names: &["fly.toml"], is_all: false },
    UsualFiles { names: &["railway.json", "railway.toml"], is_all: false },
    UsualFiles {
        names: &["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"],
        is_all: false,
    },
];

/// Imports files. Several of one form are read over each other, as `docker compose -f A -f B` does.
///
/// # Errors
/// When a file cannot be read as what it is, is not in a format that is read, or what came of it is not
/// valid: every finding, with places.
pub fn import(
    files: &[ForeignFile],
    folder: &ForeignFolder<'_>,
) -> Result<Imported, Vec<Diagnostic>> {
    let mut report = ImportReport::default();
    let mut by_form: BTreeMap<ForeignForm, Vec<&ForeignFile>> = BTreeMap::new();
    for file in files {
        match ForeignForm::of(file) {
            Some(form) => by_form.entry(form).or_default().push(file),
            None => report.push(unknown(file)),
        }
    }
    let mut resources = Vec::new();
    for (form, files) in by_form {
        resources.extend(match form {
            ForeignForm::Blueprint => blueprints(&files, folder, &mut report),
            ForeignForm::Heroku => heroku::read(&files, folder, &mut report),
            ForeignForm::Fly => {
                each(&files, &mut report, |it, report| fly::read(it, folder, report))
            }
            ForeignForm::Railway => {
                each(&files, &mut report, |it, report| railway::read(it, folder, report))
            }
            ForeignForm::Compose => compose::read(&files, folder, &mut report),
        });
    }
    let desired = collect(resources, &mut report);
    let (desired, hidden) = manifest::conceal(desired);
    hidden.into_iter().for_each(|finding| report.push(finding));
    report.note_by_hand(&desired);
    if desired.resources.is_empty() && !report.has_error() {
        let message = "there is nothing to import in what was read";
        let hint = "the findings say what is left out, and why";
        report.push(Diagnostic::error("empty-import", message).hint(hint));
    }
    if report.has_error() {
        return Err(report.into_findings());
    }
    let notes = std::mem::take(&mut report.notes);
    let imported = Imported { desired, diagnostics: report.into_findings(), notes };
    check(imported)
}

/// Reads each file by itself: files of these forms are not laid over each other.
fn each(
    files: &[&ForeignFile],
    report: &mut ImportReport,
    read: impl Fn(&ForeignFile, &mut ImportReport) -> Vec<Resource<ValueSource>>,
) -> Vec<Resource<ValueSource>> {
    files.iter().flat_map(|file| read(file, report)).collect()
}

/// What is written must be read again by the same program, without an error.
fn check(mut imported: Imported) -> Result<Imported, Vec<Diagnostic>> {
    let text = imported.print();
    let loaded = manifest::load(&Tree::from_texts([("<import>", text.as_str())]));
    if loaded.desired.is_none() {
        imported.diagnostics.extend(loaded.diagnostics.into_iter().filter(Diagnostic::is_error));
        return Err(imported.diagnostics);
    }
    Ok(imported)
}

/// Reads Blueprints as manifests are read, which they are, too.
fn blueprints(
    files: &[&ForeignFile],
    folder: &ForeignFolder<'_>,
    report: &mut ImportReport,
) -> Vec<Resource<ValueSource>> {
    let texts = files.iter().map(|file| (file.path.as_str(), file.text.as_str()));
    let tree = Tree::from_texts(texts).in_repository(folder.home.cloned());
    let loaded = manifest::load(&tree);
    loaded.diagnostics.into_iter().for_each(|finding| report.push(finding));
    let Some(desired) = loaded.desired else { return Vec::new() };
    manifest::unprinted(&desired).into_iter().for_each(|finding| report.push(finding));
    if let Some(guard) = desired.guard {
        let message = format!("the project `{}` is not carried over", guard.name);
        let hint = "`kind: Project` guards it; `stoker convert` writes it";
        report.mind(guard.origin, "not-carried", message, hint);
    }
    desired.resources.into_values().collect()
}

fn collect(
    resources: Vec<Resource<ValueSource>>,
    report: &mut ImportReport,
) -> Desired<ValueSource> {
    let mut desired = Desired::default();
    for resource in resources {
        let key = resource.key.clone();
        if let Some(first) = desired.resources.get(&key) {
            let message = format!("{key} is declared twice");
            let hint = format!("the first is at {}; rename one of the two", first.origin);
            let finding = Diagnostic::error("duplicate-resource", message).at(resource.origin);
            report.push(finding.hint(hint));
            continue;
        }
        desired.resources.insert(key, resource);
    }
    desired
}

fn unknown(file: &ForeignFile) -> Diagnostic {
    let message = format!("`{}` is not in a format that can be imported", file.path);
    Diagnostic::error("unknown-document", message).hint(
        "supported are files of Docker Compose, Heroku's app.json and Procfile, Fly's fly.toml, \
         Railway's railway.json and railway.toml, and Blueprints, including Render's render.yaml",
    )
}
