//! From paths to the desired state: the same first step for every command that reads manifests.

use std::io::{IsTerminal as _, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use crate::manifest;
use crate::model::{Desired, Diagnostic, ValueSource, concealed};
use crate::secret::{self, Finders, FingerprintKey, FoundValues};
use crate::source::{self, Home, Tree, USUAL_PLACES};

use super::arguments::{Chosen, Sources};
use super::code::ErrorCode;
use super::context::Context;
use super::failure::Failure;
use super::settings::{TreeSettings, allowed_sources};

/// Manifests that were read and are valid as a whole.
pub struct Manifests {
    /// The tree they came from: one immutable snapshot (S6).
    pub tree: Tree,
    /// What they say, with secrets still to be found.
    pub declared: Desired<ValueSource>,
    /// What is told of the reading.
    pub reading: ReadingNote,
}

/// What is told of manifests that were read.
pub struct ReadingNote {
    /// What a person should look at.
    pub warnings: Vec<Diagnostic>,
    /// The paths that were read.
    pub paths: Vec<PathBuf>,
    /// The environment of Blueprints that was read, where one was named.
    pub environment: Option<String>,
}

impl Manifests {
    /// Reads and checks the manifests that were typed, with the environment, the overlays and the
    /// variables that flags or settings name.
    ///
    /// # Errors
    /// As [`Self::read_of`].
    pub fn read(context: &Context, sources: &Sources) -> Result<Self, Failure> {
        let Sources { paths, chosen } = sources;
        Self::read_of(context, paths, tree_settings(context, chosen)?)
    }

    /// Reads and checks the manifests; every finding is printed, errors end the run.
    ///
    /// # Errors
    /// When they cannot be read, or are not valid.
    pub fn read_of(
        context: &Context,
        paths: &[PathBuf],
        settings: TreeSettings,
    ) -> Result<Self, Failure> {
        let TreeSettings { environment, overlays, variables } = settings;
        if paths.is_empty() || context.global.project.is_some() {
            context.check_project()?;
        }
        let paths = match paths {
            [] => paths_of_project(context)?.unwrap_or_else(default_paths),
            typed => typed.to_vec(),
        };
        let mut stdin = std::io::stdin();
        if paths.iter().any(|path| path.as_os_str() == "-") && stdin.is_terminal() {
            context.is_typing.store(true, Ordering::SeqCst);
            context.output.note("reading manifests from the terminal; end with Ctrl-D");
        }
        let reader: &mut dyn Read = &mut stdin;
        let tree = source::load_layered(&paths, &overlays, Some(reader));
        context.is_typing.store(false, Ordering::SeqCst);
        let tree = tree.map_err(|error| {
            Failure::new(ErrorCode::Manifests, format!("failed to {error}"))
                .hint("nothing was read from the platform, and nothing was written")
        })?;
        let tree = tree
            .in_repository(Home::of_all(&paths, &context.environment.checkout()))
            .of_environment(environment.clone())
            .with_variables(variables);
        let loaded = manifest::load(&tree);
        context.output.diagnostics(&loaded.diagnostics);
        let Some(declared) = loaded.desired else {
            return Err(invalid(&loaded.diagnostics));
        };
        let warnings = loaded.diagnostics;
        Ok(Self { tree, declared, reading: ReadingNote { warnings, paths, environment } })
    }

    /// Finds the secrets: in the environment, in files, with programs of the settings, or derived. What was
    /// declared becomes what is desired, so that it is not held twice.
    ///
    /// # Errors
    /// When one is missing.
    pub fn resolve(
        self,
        context: &Context,
        key: &FingerprintKey,
    ) -> Result<(Desired, ReadingNote), Failure> {
        let Self { tree, declared, reading } = self;
        let found = find(context, &tree, &declared)?;
        match secret::resolve(declared, &tree, &found, key) {
            Ok(desired) => Ok((desired, reading)),
            Err(diagnostics) => {
                context.output.diagnostics(&diagnostics);
                Err(invalid(&diagnostics))
            }
        }
    }
}

/// Looks for the values that manifests only name, where the settings allow.
///
/// # Errors
/// When the settings cannot be used.
pub fn find(
    context: &Context,
    tree: &Tree,
    declared: &Desired<ValueSource>,
) -> Result<FoundValues, Failure> {
    let allowed = allowed_sources(&context.file)
        .inspect_err(|failure| context.output.diagnostics(&failure.diagnostics))?;
    let variable = |name: &str| context.environment.raw(name).map(str::to_owned);
    let finders = Finders { environment: &variable, allowed: &allowed, known: None };
    Ok(FoundValues::of(declared, tree, &finders))
}

/// Joins what the flags and the settings say of the manifests, and shows what of it cannot be used.
///
/// # Errors
/// Then.
pub fn tree_settings(context: &Context, chosen: &Chosen) -> Result<TreeSettings, Failure> {
    TreeSettings::resolve(chosen, &context.file)
        .inspect_err(|failure| context.output.diagnostics(&failure.diagnostics))
}

/// Returns the paths of the project that was chosen, where it names any.
///
/// # Errors
/// When its manifests come from a repository: then a checkout of it has to be named.
pub fn paths_of_project(context: &Context) -> Result<Option<Vec<PathBuf>>, Failure> {
    let Some((_, keys)) = context.file.chosen() else { return Ok(None) };
    let mut levels = [keys, &context.file.top].into_iter();
    let naming = levels.find(|keys| keys.repo.is_some() || keys.paths.is_some());
    if let Some(repo) = naming.and_then(|keys| keys.repo.as_ref()) {
        let message = format!("the manifests of this project come from {}", concealed(repo));
        return Err(Failure::usage(message).hint("name the path of a checkout of it"));
    }
    Ok(naming.and_then(|keys| keys.paths.clone()).filter(|paths| !paths.is_empty()))
}

/// Returns what is read when nothing is named.
pub fn default_paths() -> Vec<PathBuf> {
    let found = USUAL_PLACES.iter().map(Path::new).find(|place| place.exists());
    vec![found.unwrap_or(Path::new(".")).to_owned()]
}

/// The failure after the diagnostics were printed: it only counts them.
fn invalid(diagnostics: &[Diagnostic]) -> Failure {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let noun = if errors == 1 { "error" } else { "errors" };
    let message = format!("the manifests are invalid: {errors} {noun}");
    let failure = Failure::new(ErrorCode::Manifests, message);
    let failure = failure.hint("nothing was read from the platform, and nothing was written");
    Failure { diagnostics: diagnostics.to_vec(), ..failure }
}
