//! `stoker accept`: drift becomes what the manifests say. Nothing is written to the platform; what is
//! written to files is a change to review.

mod files;
mod taken;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::manifest::{self, EditedFile, Replacement};
use crate::model::{
    Desired, Diagnostic, FieldPath, FieldValue, Key, ValueSource, concealed, is_secret_at, struck,
};
use crate::plan::{Policy, RunRequest, Selection};
use crate::project::Planned;
use crate::render::{Paper, file_diff};

use super::arguments::{AcceptCommand, OutputFormat};
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::facts;
use super::failure::Failure;
use super::manifests::{Manifests, tree_settings};
use super::plan::check_selection;
use super::planning::{EstimatedPlan, planned};
use super::session::{Purpose, Session};
use super::why::Subject;
use files::PendingFile;
use taken::{TakenDrift, taken};

/// What was accepted.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcceptDocument {
    /// The values, each with its place.
    accepted: Vec<AcceptedValue>,
    /// The files they stand in.
    files: Vec<String>,
    /// Whether the files were written; `false` with `--dry-run`, and where nothing drifted.
    written: bool,
}

/// One value that was accepted.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcceptedValue {
    /// The resource.
    key: Key,
    /// The field.
    path: FieldPath,
    /// What the manifest said.
    from: String,
    /// What lives, and what the manifest says now.
    to: String,
    /// The file.
    file: String,
    /// The line in which the value stood, from 1.
    line: usize,
}

/// Plans as `drift` does, and writes what drifted into the manifests it comes from.
pub async fn run(context: &Context, command: &AcceptCommand) -> Result<Exit, Failure> {
    let AcceptCommand { subjects, paths, chosen, dry_run, connection } = command;
    context.check_project()?;
    let manifests = Manifests::read_of(context, paths, tree_settings(context, chosen)?)?;
    let targets = subjects.iter().map(|subject| subject.key.clone()).collect();
    let selection = Selection { targets, ..Selection::default() };
    let policy =
        Policy { request: RunRequest { selection, ..RunRequest::default() }, ..Policy::default() };
    check_selection(&policy, &manifests)?;
    subjects.iter().try_for_each(|subject| check_declared(subject, &manifests))?;
    let guard = manifests.declared.guard.as_ref();
    let session = Session::open_for(context, connection, Purpose::Read, guard)?;
    let key = session.fingerprint_key()?;
    let (tree, declared) = (manifests.tree.clone(), manifests.declared.clone());
    let (desired, _) = manifests.resolve(context, &key)?;
    let secrets = secrets(&desired);
    let EstimatedPlan { planned: Planned { plan, .. }, sight, .. } =
        planned(context, &session, desired, &policy).await?;
    if sight != Exit::Done {
        let code = match sight {
            Exit::Denied => ErrorCode::Permission,
            _ => ErrorCode::IncompleteView,
        };
        return Err(Failure::new(code, "not everything was seen, and nothing was written"));
    }
    let TakenDrift { replacements, mut obstacles } = taken(&plan, &declared, subjects);
    let edited = manifest::edit(&tree, &declared, &replacements);
    let files = edited.unwrap_or_else(|found| {
        obstacles.extend(found);
        Vec::new()
    });
    if !obstacles.is_empty() {
        return Err(refused(context, tree.illustrate(obstacles)));
    }
    let pending = pending(&tree, &files)?;
    let is_written = !dry_run && !pending.is_empty();
    if is_written {
        files::write(&pending).map_err(|error| Failure::new(ErrorCode::Out, error))?;
    }
    let hide =
        |line: &str| struck(&concealed(line), secrets.iter().map(String::as_str)).into_owned();
    print(context, &files, document(&declared, &replacements, &files, is_written), &hide);
    Ok(Exit::Done)
}

/// Refuses a field that no manifest declares: there is nothing to write into.
fn check_declared(subject: &Subject, manifests: &Manifests) -> Result<(), Failure> {
    let resource = manifests.declared.resources.get(&subject.key);
    let (Some(field), Some(resource)) = (&subject.field, resource) else {
        return Ok(());
    };
    if resource.fields.keys().any(|path| subject.covers(path)) {
        return Ok(());
    }
    let failure = Failure::usage(format!("{subject} is selected, but no manifest declares it"));
    let known: Vec<String> = resource.fields.keys().map(ToString::to_string).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    Err(match manifest::nearest(field, &known) {
        Some(near) => failure.hint(format!("did you mean {}.{near}?", subject.key)),
        None => failure,
    })
}

/// Says why nothing was written: all or nothing.
fn refused(context: &Context, obstacles: Vec<Diagnostic>) -> Failure {
    context.output.diagnostics(&obstacles);
    let message = match obstacles.len() {
        1 => "1 value cannot be accepted, and nothing was written".to_owned(),
        many => format!("{many} values cannot be accepted, and nothing was written"),
    };
    let failure = Failure::new(ErrorCode::NotAccepted, message)
        .hint("name the fields to accept the others: `stoker accept KIND/NAME.FIELD`");
    Failure { diagnostics: obstacles, ..failure }
}

/// Returns the secrets that the files may hold in plain text, so that no line of them shows one (S9).
fn secrets(desired: &Desired) -> Vec<String> {
    let fields = desired.resources.values().flat_map(|resource| &resource.fields);
    let secret = |(path, field): (&FieldPath, &crate::model::Field)| match &field.value {
        FieldValue::Secret(secret) => Some(secret.expose().to_owned()),
        value if is_secret_at(path, value) => Some(value.to_string()),
        _ => None,
    };
    fields.filter_map(secret).collect()
}

fn pending(tree: &crate::source::Tree, files: &[EditedFile]) -> Result<Vec<PendingFile>, Failure> {
    let one = |file: &EditedFile| {
        let EditedFile { path, before, after } = file;
        let place = tree.place_of(path).map_err(|error| {
            Failure::new(ErrorCode::Out, format!("failed to write {path}: {error}"))
                .hint("nothing was written")
        })?;
        Ok(PendingFile { path: path.clone(), place, before: before.clone(), after: after.clone() })
    };
    files.iter().map(one).collect()
}

fn document(
    declared: &Desired<ValueSource>,
    replacements: &[Replacement],
    files: &[EditedFile],
    is_written: bool,
) -> AcceptDocument {
    let value = |replacement: &Replacement| {
        let Replacement { key, path, value } = replacement;
        let field = declared.resources.get(key)?.fields.get(path)?;
        let ValueSource::Value(old) = &field.value else { return None };
        Some(AcceptedValue {
            key: key.clone(),
            path: path.clone(),
            from: facts::shown(path, old),
            to: facts::shown(path, value),
            file: field.origin.file.clone(),
            line: field.origin.line,
        })
    };
    AcceptDocument {
        accepted: replacements.iter().filter_map(value).collect(),
        files: files.iter().map(|file| file.path.clone()).collect(),
        written: is_written,
    }
}

fn print(
    context: &Context,
    files: &[EditedFile],
    document: AcceptDocument,
    hide: &dyn Fn(&str) -> String,
) {
    let output = &context.output;
    match output.form() {
        OutputFormat::Text | OutputFormat::Markdown => {
            let mut paper = Paper::new();
            for EditedFile { path, before, after } in files {
                paper.extend(file_diff(path, before, after, hide));
            }
            output.verbatim(&paper);
            output.note(&told(&document));
        }
        OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {
            output.document(&document);
        }
    }
}

/// Says what was done.
fn told(document: &AcceptDocument) -> String {
    let AcceptDocument { accepted, files, written } = document;
    let count = |count: usize, noun: &str| match count {
        1 => format!("1 {noun}"),
        many => format!("{many} {noun}s"),
    };
    let resources: BTreeSet<&Key> = accepted.iter().map(|value| &value.key).collect();
    let values = count(accepted.len(), "value");
    let (files, resources) = (count(files.len(), "file"), count(resources.len(), "resource"));
    match (accepted.is_empty(), written) {
        (true, _) => "Nothing drifted, so there is nothing to accept.".to_owned(),
        (false, true) => format!(
            "{values} of {resources} written into {files}. Review the change, and commit it."
        ),
        (false, false) => {
            format!("{values} of {resources} would be written into {files}; nothing was written.")
        }
    }
}
