//! Files of other programs become native documents, and an honest list of what cannot be carried over.
//!
//! Pure: texts in, resources and findings out. What a file means is what its own readers make of it,
//! which was found out by running them; no value is dropped without a word, and none is guessed.
//!
//! In reading order: [`import()`] tells the forms apart; a module for each form reads it; `report`
//! collects what is said; `shell` and `references` are what several of them need.

mod compose;
mod heroku;
mod procfile;
mod references;
mod report;
mod resource;
mod shell;

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
    Compose,
}

impl ForeignForm {
    /// Tells what a file is: by its name, and YAML by what stands in it.
    fn of(file: &ForeignFile) -> Option<Self> {
        let name = file.name();
        if matches!(name, "app.json" | "Procfile") {
            return Some(Self::Heroku);
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
pub const USUAL_FILES: [UsualFiles; 3] = [
    UsualFiles { names: &["stackblaze.yaml", "render.yaml"], is_all: false },
    UsualFiles { names: &["app.json", "Procfile"], is_all: true },
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
        "supported are files of Docker Compose, Heroku's app.json and Procfile, and Blueprints, \
         including Render's render.yaml",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> Result<Imported, Vec<Diagnostic>> {
        let file = |(path, text): &(&str, &str)| ForeignFile {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        let files: Vec<ForeignFile> = files.iter().map(file).collect();
        import(&files, &ForeignFolder { beside: &|_, _| None, within: &|_| None, home: None })
    }

    #[track_caller]
    fn said(imported: Result<Imported, Vec<Diagnostic>>) -> String {
        let findings = imported.map_or_else(|findings| findings, |imported| imported.diagnostics);
        findings.iter().map(|finding| format!("{finding}\n")).collect()
    }

    #[test]
    fn a_file_of_no_known_form_is_refused_by_name() {
        let refused = said(of(&[("fly.toml", "app = 'a'\n")]));
        assert!(
            refused.contains("error[unknown-document]: `fly.toml` is not in a format"),
            "{refused}"
        );
        let empty = said(of(&[("compose.yaml", "a: b\n")]));
        assert!(empty.contains("no mapping `services`"), "{empty}");
    }

    #[test]
    fn a_blueprint_becomes_what_convert_prints() {
        let text = "services:\n  - { type: pserv, name: api, runtime: node, headers: [a] }\n";
        let tree = Tree::from_texts([("render.yaml", text)]);
        let printed = manifest::print(&manifest::load(&tree).desired.unwrap());
        assert_eq!(of(&[("render.yaml", text)]).unwrap().print(), printed);
        let told = said(of(&[("render.yaml", text)]));
        assert!(told.contains("warning[private-service]") && told.contains("headers"), "{told}");
    }

    #[test]
    fn a_procfile_is_processes_and_any_other_line_is_an_error() {
        let text = "# the site\n  # indented\n\nweb: npm start\nrelease: npm run migrate\nmail-1: node mail.js # x\n";
        let documents = of(&[("Procfile", text)]).unwrap().print();
        for words in [
            "name: web\nspec:\n  type: web\n  startCommand: npm start\n  preDeployCommand: npm run migrate",
            "name: mail-1\nspec:\n  type: worker\n  startCommand: 'node mail.js # x'",
        ] {
            assert!(documents.contains(words), "{documents}");
        }
        let refused = said(of(&[("Procfile", "web : a\nweb: a\nWeb: b\na-b: c\na_b: d\nno\n")]));
        for words in [
            "Procfile:1:1: error",
            "Procfile:3:1: error[procfile]: the process `Web` is given twice",
            "Procfile:5:1: error",
            "Procfile:6:1: error",
        ] {
            assert!(refused.contains(words), "{refused}");
        }
    }

    #[test]
    fn app_json_gives_variables_numbers_and_databases() {
        let app = r#"{
  "name": "Shop",
  "env": {
    "TEXT": "plain", "A": { "value": "x" }, "SECRET_KEY": { "generator": "secret" },
    "ASKED": { "description": "what for" }, "EMPTY": "", "OPTIONAL": { "required": false },
    "API_TOKEN": "hush", "BLANK": { "value": "", "required": false }
  },
  "formation": [{ "process": "web", "quantity": 2, "size": "basic" }],
  "addons": ["heroku-postgresql:essential-0", { "plan": "heroku-redis:mini", "as": "CACHE" }, "papertrail"],
  "buildpacks": [{ "url": "heroku/nodejs" }],
  "scripts": { "postdeploy": "node seed.js" },
  "thing": 1
}"#;
        let imported = of(&[("app.json", app), ("Procfile", "web: a\njobs: b\n")]);
        let documents = imported.clone().unwrap().print();
        let told = said(imported);
        for words in [
            "minInstances: 2",
            "runtime: node",
            "key: TEXT\n      value: plain",
            "key: SECRET_KEY\n      generateValue: true",
            "envVarKey: SECRET_KEY",
            "key: DATABASE_URL\n      fromDatabase:\n        name: postgres",
            "name: cache",
            "key: CACHE_URL",
            "# to be set by hand: API_TOKEN, ASKED, EMPTY",
            "key: BLANK\n      value: \"\"",
        ] {
            assert!(documents.contains(words), "{words}\n{documents}");
        }
        assert!(!documents.contains("hush") && !documents.contains("OPTIONAL"), "{documents}");
        for words in [
            "`name` cannot be carried over",
            "`formation.web.size` cannot be carried over",
            "`ASKED` is to be given (what for)",
            "`addons.papertrail` cannot be carried over",
            "`scripts` cannot be carried over",
            "`thing` is unknown",
            "data of the add-on",
            "`OPTIONAL` may be given",
        ] {
            assert!(told.contains(words), "{words}\n{told}");
        }
    }

    #[test]
    fn an_app_json_that_is_none_is_refused() {
        for text in ["[1]", "\"text\"", "", "a: 1\n", "{\"name\": \"a\",}", "{} // x", "{}"] {
            let refused = of(&[("app.json", text)]);
            assert!(refused.is_err(), "{text}");
            let refused = said(refused);
            assert!(refused.contains("app.json:1:") && refused.contains("[app-json]"), "{refused}");
        }
        for field in [
            r#""env": ["A"]"#,
            r#""env": { "A": [1] }"#,
            r#""formation": "web""#,
            r#""buildpacks": "heroku/nodejs""#,
            r#""addons": { "x": 1 }"#,
            r#""repository": { "a": "b" }"#,
        ] {
            let refused = said(of(&[("app.json", &format!("{{ {field} }}"))]));
            assert!(refused.contains("error[wrong-type]"), "{field} {refused}");
        }
        assert!(said(of(&[("Procfile", "# none\n")])).contains("declares no process"));
    }

    #[test]
    fn no_leaf_of_an_app_json_is_dropped_in_silence() {
        let app = r#"{
  "env": {
    "A": { "value": "x", "what": "leaf" }, "B": { "generator": "hex" },
    "C": { "value": "x", "description": "long" }
  },
  "formation": { "default_worker": { "quantity": 2 }, "web": { "quantity": 0 } },
  "buildpacks": [{ "url": "heroku/nodejs", "x": "leaf" }]
}"#;
        let imported = of(&[("app.json", app), ("Procfile", "web: a\ndefault_worker: b\n")]);
        let documents = imported.clone().unwrap().print();
        assert!(documents.contains("minInstances: 2"), "{documents}");
        let told = said(imported);
        for words in [
            "`env.A.what` is unknown",
            "`env.B.generator`",
            "`env.C.description`",
            "`formation.web.quantity`",
            "runs at least once: remove it",
            "`buildpacks.x` is unknown",
        ] {
            assert!(told.contains(words), "{words}\n{told}");
        }
    }
}
