//! `stoker export`: live state as manifests; planning them changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::manifest;
use crate::model::{Key, Kind, LiveObject};

use super::arguments::{ExportCommand, OutputFormat};
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::find;
use super::offline::no_such_form;
use super::session::{Purpose, Session};
use super::values::Selector;

/// Reads what is selected, with all details, and prints it as native documents.
pub async fn run(context: &Context, command: &ExportCommand) -> Result<Exit, Failure> {
    let ExportCommand { selectors, to, connection } = command;
    let session = Session::open(context, connection, Purpose::Read)?;
    let objects = read(&session, selectors).await?;
    let inventory = session.truth.medium.read()?.inventory;
    let (desired, diagnostics) = manifest::export(&objects, &inventory);
    context.output.diagnostics(&diagnostics);
    if let Some(directory) = to {
        return write_each(context, directory, &manifest::print_each(&desired, &BTreeMap::new()));
    }
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Yaml => context.output.text(&manifest::print(&desired)),
        OutputFormat::Json | OutputFormat::Ndjson => {
            context.output.value(&manifest::documents(&desired))
        }
        OutputFormat::Markdown => return Err(no_such_form("export", "markdown")),
    }
    Ok(Exit::Done)
}

/// Writes a file for each resource, or none at all: what is there already is somebody's.
pub fn write_each(
    context: &Context,
    directory: &Path,
    documents: &[(&Key, String)],
) -> Result<Exit, Failure> {
    let place = |key: &Key| directory.join(key.kind.plural()).join(format!("{}.yaml", key.name));
    let unwritten = |path: &Path, why: &dyn std::fmt::Display| {
        let message = format!("failed to write {}: {why}", path.display());
        Failure::new(ErrorCode::Out, message)
    };
    let places: Vec<PathBuf> = documents.iter().map(|(key, _)| place(key)).collect();
    if let Some(there) = places.iter().find(|path| path.exists()) {
        return Err(unwritten(there, &"it already exists; nothing was written"));
    }
    for (path, (_, text)) in places.iter().zip(documents) {
        let write = || {
            fs::create_dir_all(path.parent().unwrap_or(directory))?;
            let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
            file.write_all(text.as_bytes())
        };
        write().map_err(|error| unwritten(path, &error))?;
    }
    let count = documents.len();
    let files = if count == 1 { "file" } else { "files" };
    context.output.note(&format!("{count} {files} written below {}.", directory.display()));
    Ok(Exit::Done)
}

/// Reads the kinds that are selected, and env groups first: services name them by id.
async fn read(session: &Session, selectors: &[Selector]) -> Result<Vec<LiveObject>, Failure> {
    let is_selected = |kind: Kind| {
        selectors.is_empty() || selectors.iter().any(|selector| selector.kind() == kind)
    };
    let mut wanted: BTreeSet<Kind> =
        Kind::ALL.into_iter().filter(|kind| is_selected(*kind)).collect();
    if wanted.contains(&Kind::Service) {
        wanted.insert(Kind::EnvGroup);
    }
    let mut objects = Vec::new();
    for kind in wanted {
        let listing = session.reader.list(kind).await?;
        if !listing.coverage.is_complete() {
            // Half an export that looks whole would read as a deletion later.
            let message =
                format!("failed to export: the listing of {} is incomplete", kind.plural());
            return Err(Failure::new(ErrorCode::IncompleteView, message));
        }
        let names = || listing.objects.iter().map(|object| object.name.clone());
        let of_kind = selectors.iter().filter(|it| it.kind() == kind);
        let mut named = of_kind.filter_map(Selector::name);
        if let Some(missing) = named.find(|name| !names().any(|it| it == *name)) {
            return Err(find::absent_name(kind, missing, names()));
        }
        let chosen = listing
            .objects
            .into_iter()
            .filter(|object| is_selected(kind) && Selector::any(selectors, kind, &object.name));
        for object in chosen {
            objects.push(session.reader.detailed(object).await?);
        }
    }
    Ok(objects)
}
