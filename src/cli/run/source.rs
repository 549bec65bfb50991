//! Where the manifests of one project come from: from its settings to something that can be read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;

use crate::daemon::source::{Files, Repository, Source};
use crate::manifest;
use crate::model::Guard;
use crate::source;
use crate::source::git::{GitSettings, GitSource, RepositoryPath, Verification, WrongSetting};

use super::super::context::Context;
use super::super::failure::Failure;
use super::super::manifests::default_paths;
use super::super::settings::{
    ProjectSettings, ProjectSource, RepositorySettings, SecretSource, TreeSettings,
};
use super::project::unusable;

/// Where the copy of a repository lies in the state directory.
const REPOSITORY_DIRECTORY: &str = "git";

/// Returns the source of a project; nothing is read yet.
///
/// # Errors
/// When a setting or a secret of it cannot be used.
pub fn source(
    context: &Context,
    settings: &ProjectSettings,
    state: &Path,
) -> Result<Arc<dyn Source>, Failure> {
    match &settings.source {
        ProjectSource::Files { paths, debounce: _, poll: _ } => {
            let checkout = context.environment.checkout();
            let TreeSettings { environment, overlays, variables } = settings.tree.clone();
            let paths = chosen(paths);
            Ok(Arc::new(Files { paths, overlays, variables, checkout, environment }))
        }
        ProjectSource::Repository(repository) => {
            let told = repository_settings(context, settings, repository)?;
            let copy = match &repository.cache {
                Some(cache) => cache.join(settings.name.as_str()),
                None => state.join(REPOSITORY_DIRECTORY),
            };
            Ok(Arc::new(Repository {
                git: GitSource::new(told, copy),
                environment: settings.tree.environment.clone(),
                variables: Arc::clone(&settings.tree.variables),
            }))
        }
    }
}

/// Returns the project that files are for: the sandbox stands for it. What cannot be read is told of
/// when it is.
pub fn guard(settings: &ProjectSettings) -> Option<Guard> {
    match &settings.source {
        ProjectSource::Files { paths, debounce: _, poll: _ } => {
            let TreeSettings { environment, overlays, variables } = settings.tree.clone();
            let tree = source::load_layered(&chosen(paths), &overlays, None).ok()?;
            let tree = tree.of_environment(environment).with_variables(variables);
            manifest::load(&tree).desired?.guard
        }
        ProjectSource::Repository(_) => None,
    }
}

/// Returns the paths that are read: those named, or the usual ones.
pub fn chosen(paths: &[PathBuf]) -> Vec<PathBuf> {
    if paths.is_empty() { default_paths() } else { paths.to_vec() }
}

fn repository_settings(
    context: &Context,
    settings: &ProjectSettings,
    repository: &RepositorySettings,
) -> Result<GitSettings, Failure> {
    let RepositorySettings {
        url,
        reference,
        path,
        verify,
        rewrites,
        poll: _,
        silence,
        cache: _,
        cache_max,
        token: _,
        ssh_key,
        known_hosts,
    } = repository;
    let wrong = |error: WrongSetting| {
        Failure::usage(format!("the repository of `{}`: {error}", settings.name))
    };
    let variable = |name: &str| context.environment.get(name).map(str::to_owned);
    let mut told = GitSettings::new(url, reference.clone(), &variable).map_err(wrong)?;
    let path = path.as_ref().map(|path| RepositoryPath::new(&path.to_string_lossy()));
    told.path = path.transpose().map_err(wrong)?;
    let overlays = settings.tree.overlays.iter();
    let overlays = overlays.map(|path| RepositoryPath::new(&path.to_string_lossy()));
    told.overlays = overlays.collect::<Result<_, _>>().map_err(wrong)?;
    told.verification = verify.clone().map(verification);
    told.ssh_key = ssh_key.clone();
    told.known_hosts = known_hosts.clone();
    told.rewrites = *rewrites;
    told.silence = *silence;
    told.copy_bytes_max = cache_max.0;
    told.certificate_authority = settings.connection.ca_file.clone();
    repository_token(context, settings)?.inspect(|token| told.token.set(token.clone()));
    Ok(told)
}

/// Reads the token of a project's repository, where it has one.
///
/// # Errors
/// When it cannot be used.
pub fn repository_token(
    context: &Context,
    settings: &ProjectSettings,
) -> Result<Option<SecretString>, Failure> {
    let ProjectSource::Repository(repository) = &settings.source else {
        return Ok(None);
    };
    let read = |token: &SecretSource| token.read(&context.environment);
    let token = repository.token.as_ref().map(read).transpose();
    token.map_err(|reason| unusable(settings, &reason))
}

/// In a directory of OpenPGP keys, the file of those who may sign with SSH as well.
const ALLOWED_SIGNERS: &str = "allowed_signers";

/// Returns who may sign: OpenPGP keys lie in a directory, allowed signers of SSH stand in a file, which
/// may be in that directory.
fn verification(path: PathBuf) -> Verification {
    let allowed_signers = path.join(ALLOWED_SIGNERS);
    if allowed_signers.is_file() {
        Verification::Either { allowed_signers, home: path }
    } else if path.is_dir() {
        Verification::OpenPgp { home: path }
    } else {
        Verification::Ssh { allowed_signers: path }
    }
}
