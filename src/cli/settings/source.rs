//! Where the manifests of a project come from: files, or a repository.

use std::path::{Component, PathBuf};
use std::time::Duration;

use crate::source::git::{
    COPY_BYTES_MAX, CommitId, GitReference, RefName, Rewrites, SILENCE, WrongSetting,
};

use super::super::arguments::{RewritesWord, RunCommand};
use super::super::size::Size;
use super::super::values::{OrOff, Span};
use super::keys::Keys;
use super::origin::Provenance;
use super::pick::{Picker, pick};
use super::project::SettingsProblem;
use super::secret::{Layer, SecretLocation, SecretSource, pick_secret};

/// Where the manifests come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectSource {
    /// Files and directories.
    Files {
        /// As given; empty for the default: `manifests/`, `stackblaze.yaml` or the directory.
        paths: Vec<PathBuf>,
        /// How long they must be quiet before they are read.
        debounce: Duration,
        /// How often they are read where the system tells of no changes.
        poll: Option<Duration>,
    },
    /// A git repository.
    Repository(RepositorySettings),
}

/// A git repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositorySettings {
    /// Its address; it holds no password and does not begin with `-`.
    pub url: String,
    /// What of it is followed.
    pub reference: GitReference,
    /// The directory or file that holds the manifests; relative, without `..`. Without one, the
    /// usual places: `manifests/`, `stackblaze.yaml` or the root.
    pub path: Option<PathBuf>,
    /// The file of allowed signers, or the directory of OpenPGP keys, when commits must be signed.
    pub verify: Option<PathBuf>,
    /// What to do when the branch was rewritten.
    pub rewrites: Rewrites,
    /// How often to ask for news; `None` when only the webhook tells.
    pub poll: Option<Duration>,
    /// How long git may say nothing.
    pub silence: Duration,
    /// Where the copy of it lies; `None` for the state directory.
    pub cache: Option<PathBuf>,
    /// How large the copy may become.
    pub cache_max: Size,
    /// Its token, for HTTPS.
    pub token: Option<SecretSource>,
    /// The private key, for SSH; `None` for the account's own.
    pub ssh_key: Option<PathBuf>,
    /// The hosts SSH may talk to; `None` for the account's own.
    pub known_hosts: Option<PathBuf>,
}

/// How long files must be quiet: an editor writes a file in several steps, well within that.
const DEBOUNCE: Span = Span(Duration::from_millis(300));

/// How often a repository is asked: one small request, and a minute's wait is bearable.
const GIT_POLL: Span = Span(Duration::from_secs(60));

/// A shorter pause only keeps machines busy, ours and the code host's; zero would do nothing else.
const POLL_MIN: Duration = Duration::from_millis(100);

/// Git counts once a second: what is shorter would end it while it works.
const SILENCE_MIN: Duration = Duration::from_secs(5);

/// The users that Bitbucket wants beside a token, where the others take any name. They are words of
/// its documentation, so they are no secret in a URL.
const USERS_OF_TOKENS: [&str; 2] = ["x-token-auth", "x-bitbucket-api-token-auth"];

/// What one layer says of the source.
struct Said<'a> {
    layer: Layer,
    paths: &'a [PathBuf],
    repo: Option<&'a String>,
    branch: Option<&'a String>,
    tag: Option<&'a String>,
    commit: Option<&'a String>,
}

impl<'a> Said<'a> {
    fn by_flags(command: &'a RunCommand) -> Self {
        let flags = &command.repository;
        Self {
            layer: Layer::Given,
            paths: &command.sources.paths,
            repo: flags.repo.as_ref(),
            branch: flags.branch.as_ref(),
            tag: flags.tag.as_ref(),
            commit: flags.commit.as_ref(),
        }
    }

    fn by_keys(layer: Layer, keys: &'a Keys) -> Self {
        Self {
            layer,
            paths: keys.paths.as_deref().unwrap_or_default(),
            repo: keys.repo.as_ref(),
            branch: keys.branch.as_ref(),
            tag: keys.tag.as_ref(),
            commit: keys.commit.as_ref(),
        }
    }

    fn place(&self, picker: &Picker<'_>, key: &str) -> Provenance {
        match self.layer {
            Layer::Given => picker.given_place(key),
            Layer::Own => picker.own_place(key),
            Layer::Top => picker.top_place(key),
        }
    }
}

/// Picks the source: the first layer that names files or a repository says which it is.
pub(super) fn pick_source(
    picker: &mut Picker<'_>,
    command: &RunCommand,
) -> Result<ProjectSource, SettingsProblem> {
    let layers: Vec<Said<'_>> = [
        Some(Said::by_flags(command)),
        picker.own().map(|keys| Said::by_keys(Layer::Own, keys)),
        Some(Said::by_keys(Layer::Top, picker.top())),
    ]
    .into_iter()
    .flatten()
    .collect();
    let naming = layers.iter().find(|said| said.repo.is_some() || !said.paths.is_empty());
    if let Some(said) = naming
        && said.repo.is_some()
        && !said.paths.is_empty()
    {
        let reason = "manifests come from files or from a repository, and both are given";
        return Err(SettingsProblem::new(reason, said.place(picker, "repo")));
    }
    match naming.and_then(|said| Some((said.repo?.clone(), said.place(picker, "repo")))) {
        Some((url, place)) => {
            let repository = pick_repository(picker, command, &layers, url, place)?;
            Ok(ProjectSource::Repository(repository))
        }
        None => {
            let paths = naming.map(|said| said.paths.to_vec()).unwrap_or_default();
            let place = naming.map_or(Provenance::Default, |said| said.place(picker, "paths"));
            if paths.iter().any(|path| path.as_os_str() == "-") {
                let reason = "the agent reads its manifests repeatedly, and stdin can be read only \
                    once: give a file or a directory";
                return Err(SettingsProblem::new(reason, place));
            }
            let reference = layers.iter().find_map(|said| reference(picker, said).transpose());
            if let Some(named) = reference {
                let Named { key, place, .. } = named?;
                return Err(SettingsProblem::new(format!("`{key}` needs `repo`"), place));
            }
            let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
            picker.note("paths", (!shown.is_empty()).then(|| shown.join(", ")), place);
            let debounce = pick!(picker, command.agent, debounce, DEBOUNCE).0;
            let poll = pick!(picker, command.agent, poll, OrOff::Off);
            let poll = pause("poll", poll, picker)?;
            Ok(ProjectSource::Files { paths, debounce, poll })
        }
    }
}

fn pick_repository(
    picker: &mut Picker<'_>,
    command: &RunCommand,
    layers: &[Said<'_>],
    url: String,
    place: Provenance,
) -> Result<RepositorySettings, SettingsProblem> {
    let flags = &command.repository;
    check_url(&url).map_err(|reason| SettingsProblem::new(reason, place.clone()))?;
    picker.note("repo", Some(url.clone()), place);
    let named = layers.iter().find_map(|said| reference(picker, said).transpose()).transpose()?;
    let reference = match named {
        Some(Named { key, name, reference, place }) => {
            picker.note(key, Some(name), place);
            reference
        }
        None => GitReference::DefaultBranch,
    };
    let path = pick!(picker, flags, path);
    let is_inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if !path.iter().flat_map(|path| path.components()).all(is_inside) {
        let reason =
            "`path` must be a directory or a file in the repository: relative, and without `..`";
        return Err(SettingsProblem::new(reason, picker.last_place()));
    }
    let token = pick_secret(
        picker,
        "repoToken",
        [
            (
                SecretLocation {
                    variable: flags.repo_token_env.as_ref(),
                    file: flags.repo_token_file.as_ref(),
                },
                Layer::Given,
            ),
            (of_keys(picker.own()), Layer::Own),
            (of_keys(Some(picker.top())), Layer::Top),
        ],
    )?;
    Ok(RepositorySettings {
        url,
        reference,
        path,
        verify: pick!(picker, flags, verify),
        rewrites: match pick!(picker, flags, rewrites, RewritesWord::Hold) {
            RewritesWord::Hold => Rewrites::Hold,
            RewritesWord::Follow => Rewrites::Follow,
        },
        poll: pause("gitPoll", pick!(picker, flags, git_poll, OrOff::On(GIT_POLL)), picker)?,
        silence: pick_silence(picker, command)?,
        cache: pick!(picker, flags, git_cache),
        cache_max: pick!(picker, flags, git_cache_max, Size(COPY_BYTES_MAX)),
        token,
        ssh_key: pick!(picker, flags, ssh_key),
        known_hosts: pick!(picker, flags, known_hosts),
    })
}

fn pick_silence(
    picker: &mut Picker<'_>,
    command: &RunCommand,
) -> Result<Duration, SettingsProblem> {
    let Span(silence) = pick!(picker, command.repository, git_silence, Span(SILENCE));
    if silence < SILENCE_MIN {
        let reason = format!("`gitSilence` must be at least {}", Span(SILENCE_MIN));
        return Err(SettingsProblem::new(reason, picker.last_place()));
    }
    Ok(silence)
}

/// Returns how long to pause between two looks; `None` for `off`.
fn pause(
    key: &str,
    poll: OrOff<Span>,
    picker: &Picker<'_>,
) -> Result<Option<Duration>, SettingsProblem> {
    match poll.on().map(|span| span.0) {
        Some(every) if every < POLL_MIN => {
            let reason = format!("`{key}` must be `off` or at least {}", Span(POLL_MIN));
            Err(SettingsProblem::new(reason, picker.last_place()))
        }
        every => Ok(every),
    }
}

fn of_keys(keys: Option<&Keys>) -> SecretLocation<'_> {
    SecretLocation {
        variable: keys.and_then(|keys| keys.repo_token_env.as_ref()),
        file: keys.and_then(|keys| keys.repo_token_file.as_ref()),
    }
}

/// What one layer says is followed.
struct Named {
    key: &'static str,
    name: String,
    reference: GitReference,
    place: Provenance,
}

/// How a name becomes what is followed.
type Naming = fn(&str) -> Result<GitReference, WrongSetting>;

/// Returns what one layer says is followed. A name that git would refuse, or take for an option, is
/// refused where it is written.
fn reference(picker: &Picker<'_>, said: &Said<'_>) -> Result<Option<Named>, SettingsProblem> {
    // As git and build servers write them in full.
    let branch: Naming = |name| {
        RefName::new(name.strip_prefix("refs/heads/").unwrap_or(name)).map(GitReference::Branch)
    };
    let tag: Naming =
        |name| RefName::new(name.strip_prefix("refs/tags/").unwrap_or(name)).map(GitReference::Tag);
    let commit: Naming = |name| CommitId::new(name).map(GitReference::Commit);
    let named =
        [("branch", said.branch, branch), ("tag", said.tag, tag), ("commit", said.commit, commit)];
    let mut named = named.into_iter().filter_map(|(key, name, naming)| Some((key, name?, naming)));
    let Some((key, name, naming)) = named.next() else { return Ok(None) };
    let place = said.place(picker, key);
    if let Some((other, _, _)) = named.next() {
        let reason = format!("`{key}` and `{other}` both choose what is followed");
        return Err(SettingsProblem::new(reason, place));
    }
    let reference =
        naming(name).map_err(|wrong| SettingsProblem::new(wrong.to_string(), place.clone()))?;
    Ok(Some(Named { key, name: name.clone(), reference, place }))
}

/// Refuses what git would take for an option, and what would show a secret to everybody who may
/// see the settings. The address is not repeated.
fn check_url(url: &str) -> Result<(), String> {
    if url.is_empty() || url.starts_with('-') {
        return Err("`repo` is empty or begins with `-`".to_owned());
    }
    let Some((scheme, rest)) = url.split_once("://") else { return Ok(()) };
    let authority = rest.split('/').next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    let user = user.filter(|user| !USERS_OF_TOKENS.contains(user));
    // Over HTTP a user's name is often a token; over SSH it is `git`.
    let is_secret = user.is_some_and(|user| scheme.starts_with("http") || user.contains(':'));
    if is_secret {
        let reason = "`repo` contains a user name or password; name the variable or file of its \
            token with `repoTokenEnv` or `repoTokenFile`";
        return Err(reason.to_owned());
    }
    Ok(())
}
