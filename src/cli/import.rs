//! `stoker import`: files of other programs become native documents. Nothing but files is read.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use crate::import::{ForeignFile, ForeignFolder, Imported, USUAL_FILES, UsualFiles, import};
use crate::manifest;
use crate::source::Home;

use super::arguments::{ImportCommand, OutputFormat};
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::export;
use super::failure::Failure;
use super::offline::no_such_form;

/// The most bytes of a file. Real ones have a few thousand.
const BYTES_MAX: u64 = 10_000_000;

/// Files that Compose reads over the first one: the first of these that is there, whatever the first
/// file is called.
const OVERRIDES: [&str; 4] = [
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];

/// Reads what is named, or what a folder holds, and prints native documents.
pub fn run(context: &Context, command: &ImportCommand) -> Result<Exit, Failure> {
    let ImportCommand { paths, to } = command;
    let here = [PathBuf::from(".")];
    let named = if paths.is_empty() { &here[..] } else { paths };
    let mut found = Vec::new();
    for path in named {
        match path.is_dir() {
            true => found.extend(in_folder(context, path)?),
            false => found.push(path.clone()),
        }
    }
    let mut files = Vec::new();
    for path in &found {
        files.push(read(path).map_err(|error| {
            let message = format!("failed to read {}: {error}", path.display());
            Failure::new(ErrorCode::Manifests, message)
        })?);
    }
    let home = Home::of_all(&found, &context.environment.checkout());
    let folder = found.first().and_then(|path| path.parent()).unwrap_or(Path::new("")).to_owned();
    let beside = |file: &str, path: &str| beside(&folder, file, path);
    let within = |file: &str| Home::folder_within(Path::new(file));
    let folder = ForeignFolder { beside: &beside, within: &within, home: home.as_ref() };
    let imported = import(&files, &folder).map_err(|findings| {
        context.output.diagnostics(&findings);
        let errors = findings.iter().filter(|finding| finding.is_error()).count();
        let noun = if errors == 1 { "error" } else { "errors" };
        let failure =
            Failure::new(ErrorCode::Manifests, format!("failed to import: {errors} {noun}"));
        Failure { diagnostics: findings, ..failure.hint("no document was written") }
    })?;
    context.output.diagnostics(&imported.diagnostics);
    print(context, &imported, to.as_deref())
}

fn print(context: &Context, imported: &Imported, to: Option<&Path>) -> Result<Exit, Failure> {
    let Imported { desired, notes, diagnostics: _ } = imported;
    if let Some(directory) = to {
        return export::write_each(context, directory, &manifest::print_each(desired, notes));
    }
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Yaml => context.output.text(&imported.print()),
        OutputFormat::Json | OutputFormat::Ndjson => {
            context.output.value(&manifest::documents(desired));
        }
        OutputFormat::Markdown => return Err(no_such_form("import", "markdown")),
    }
    Ok(Exit::Done)
}

/// Finds the files of a folder: of each form the first that is there, and its override. One that is
/// left aside for another is named.
fn in_folder(context: &Context, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    // The folder itself stands for itself: files are called as they would be typed.
    let place = |name: &str| match folder == Path::new(".") {
        true => PathBuf::from(name),
        false => folder.join(name),
    };
    let mut found: Vec<PathBuf> = Vec::new();
    let mut aside = Vec::new();
    for UsualFiles { names, is_all } in USUAL_FILES {
        let is_first = found.is_empty();
        for name in names.iter().filter(|name| place(name).is_file()) {
            match is_first && (is_all || found.is_empty()) {
                true => found.push(place(name)),
                false => aside.push(*name),
            }
        }
    }
    let first = found.first().cloned().unwrap_or_default();
    let mut aside: Vec<(&str, PathBuf)> =
        aside.into_iter().map(|name| (name, first.clone())).collect();
    if first.file_stem().and_then(|stem| stem.to_str()).is_some_and(|it| it.ends_with("compose")) {
        let mut there = OVERRIDES.into_iter().filter(|name| place(name).is_file());
        if let Some(chosen) = there.next() {
            found.push(place(chosen));
            aside.extend(there.map(|name| (name, place(chosen))));
        }
    }
    for (name, other) in aside {
        let message = format!("{name} is ignored, because {} exists", other.display());
        context.output.warn(&message);
    }
    if found.is_empty() {
        let names: Vec<&str> = USUAL_FILES.iter().flat_map(|usual| usual.names).copied().collect();
        let message = format!("there is nothing to import in {}", folder.display());
        let failure = Failure::new(ErrorCode::Manifests, message);
        return Err(failure.hint(format!("looked for {}", names.join(", "))));
    }
    Ok(found)
}

/// Reads a file that another one names, relative to it and within the folder of the first.
fn beside(folder: &Path, file: &str, path: &str) -> Option<ForeignFile> {
    let relative = Path::new(path);
    let is_relative = relative
        .components()
        .all(|part| !matches!(part, Component::RootDir | Component::Prefix(_)));
    let place = Path::new(file).parent()?.join(relative);
    let real = |path: &Path| {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        fs::canonicalize(path).ok()
    };
    let is_within = real(&place)?.starts_with(real(folder)?);
    let read = read(&place).ok().filter(|_| is_relative && is_within)?;
    let path = read.path.strip_prefix("./").unwrap_or(&read.path).to_owned();
    Some(ForeignFile { path, ..read })
}

fn read(path: &Path) -> Result<ForeignFile, String> {
    // It is looked at before it is opened, because opening a FIFO waits for its other end.
    let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a file".to_owned());
    }
    let file = File::open(path).map_err(|error| error.to_string())?;
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err("it is not a file".to_owned());
    }
    let mut text = String::new();
    let read = file.take(BYTES_MAX + 1).read_to_string(&mut text);
    let read = read.map_err(|error| error.to_string())?;
    if read as u64 > BYTES_MAX {
        return Err(format!("it has more than {BYTES_MAX} bytes"));
    }
    Ok(ForeignFile { path: path.display().to_string(), text })
}
