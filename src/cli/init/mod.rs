//! `stoker init`: begins a repository with settings, a first manifest and a pipeline. Nothing that is
//! there already is touched.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::Serialize;

use crate::source::Home;

use super::arguments::{InitCommand, OutputFormat};
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;

/// Whose pipeline is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PipelineHost {
    /// Workflows of GitHub Actions.
    Github,
    /// Jobs of GitLab CI.
    Gitlab,
    /// No pipeline.
    None,
}

impl PipelineHost {
    /// Returns the host of the repository here: that of its remote, else the one whose files are
    /// here.
    fn of_repository(context: &Context) -> Self {
        let home = Home::of_all(&[PathBuf::from(".")], &context.environment.checkout());
        let host = home.as_ref().and_then(|home| home.repo.split('/').next());
        let is_of = |name: &str| host.is_some_and(|host| host.split('.').any(|it| it == name));
        if is_of("github") || host.is_none() && Path::new(".github").is_dir() {
            Self::Github
        } else if is_of("gitlab") || host.is_none() && Path::new(".gitlab-ci.yml").is_file() {
            Self::Gitlab
        } else {
            Self::None
        }
    }

    /// Returns the files of the pipeline. They are those of `deploy/`.
    fn files(self) -> Vec<StartFile> {
        match self {
            Self::Github => vec![
                (
                    ".github/workflows/plan.yml",
                    include_str!("../../../deploy/github/workflows/plan.yml"),
                ),
                (
                    ".github/workflows/apply.yml",
                    include_str!("../../../deploy/github/workflows/apply.yml"),
                ),
            ],
            Self::Gitlab => vec![
                (
                    "stoker.gitlab-ci.yml",
                    include_str!("../../../deploy/gitlab/stoker.gitlab-ci.yml"),
                ),
                (".gitlab-ci.yml", include_str!("gitlab-ci.yml")),
            ],
            Self::None => Vec::new(),
        }
    }

    /// Says what is left to do for the pipeline.
    const fn advice(self) -> &'static str {
        match self {
            Self::Github => {
                "Replace `OWNER/stoker` in .github/workflows, and set the secrets that the two \
                 files name."
            }
            Self::Gitlab => {
                "Set STOKER_IMAGE in .gitlab-ci.yml, and the variables that stoker.gitlab-ci.yml \
                 names."
            }
            Self::None => "No pipeline was written; `--ci github` and `--ci gitlab` write one.",
        }
    }
}

/// A file to begin with: where it is written, and its text.
type StartFile = (&'static str, &'static str);

/// The files that every repository begins with.
const FILES: [StartFile; 2] = [
    ("stoker.yaml", include_str!("stoker.yaml")),
    ("manifests/first.yaml", include_str!("first.yaml")),
];

/// What was begun.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InitDocument {
    /// The files.
    files: Vec<&'static str>,
    /// Whether they were written; `false` with `--dry-run`.
    written: bool,
}

/// Writes the files, or none of them.
pub fn run(context: &Context, command: &InitCommand) -> Result<Exit, Failure> {
    let InitCommand { ci, dry_run } = command;
    let host = ci.unwrap_or_else(|| PipelineHost::of_repository(context));
    let files: Vec<StartFile> = FILES.into_iter().chain(host.files()).collect();
    let there: Vec<&str> = files
        .iter()
        .map(|(path, _)| *path)
        .filter(|path| fs::symlink_metadata(path).is_ok())
        .collect();
    if !there.is_empty() {
        let message = format!("{} exists already; nothing was written", there.join(", "));
        let failure = Failure::new(ErrorCode::Out, message);
        return Err(match host {
            PipelineHost::None => failure,
            _ => failure.hint("`--ci none` leaves out the pipeline"),
        });
    }
    if !dry_run {
        write(&files).map_err(|(path, error)| {
            Failure::new(ErrorCode::Out, format!("failed to write {path}: {error}"))
                .hint("nothing was left behind")
        })?;
    }
    let document =
        InitDocument { files: files.iter().map(|(path, _)| *path).collect(), written: !dry_run };
    print(context, &document, host);
    Ok(Exit::Done)
}

/// Writes files that are not there; where one cannot be written, those before it go again.
fn write(files: &[StartFile]) -> Result<(), (&'static str, io::Error)> {
    for (number, (path, text)) in files.iter().enumerate() {
        if let Err(error) = create(Path::new(path), text) {
            for (path, _) in &files[..number] {
                // They were made a moment ago; who removed them meanwhile wanted that.
                let _ = fs::remove_file(path);
            }
            return Err((path, error));
        }
    }
    Ok(())
}

/// Writes a file whole, and never over another.
fn create(path: &Path, text: &str) -> io::Result<()> {
    let directory = path.parent().filter(|it| !it.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut draft = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(0o644))
        .tempfile_in(directory)?;
    draft.write_all(text.as_bytes())?;
    draft.persist_noclobber(path).map(drop).map_err(|error| error.error)
}

fn print(context: &Context, document: &InitDocument, host: PipelineHost) {
    let InitDocument { files, written } = document;
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown => {
            let lines: String = files.iter().map(|path| format!("{path}\n")).collect();
            context.output.text(&lines);
            let next = "Next: `stoker validate`, then `stoker plan --sandbox`.";
            context.output.note(&match written {
                true => format!("{} files written. {} {next}", files.len(), host.advice()),
                false => format!("{} files would be written; nothing was written.", files.len()),
            });
        }
        OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {
            context.output.document(document);
        }
    }
}
