//! What git is told about the world: its variables, its configuration and its credentials.
//!
//! Git sees none of the user's or the system's configuration, because that can name programs to
//! run. What it needs is told through variables: a token there is seen by this user's processes
//! only, in arguments by everybody's.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

use super::address::{Address, Eraser, GitTransport};
use super::authorities::Authorities;
use super::settings::{GitSettings, Verification};

/// Where programs are looked for when the environment has no PATH.
const PATH_DEFAULT: &str = "/usr/local/bin:/usr/bin:/bin";

/// The user beside a token. GitHub, GitLab, Gitea and Forgejo take any; a user in the URL goes first.
const USER_DEFAULT: &str = "x-access-token";

/// What the repository is called on this side. What it left out can be fetched from it later.
pub(super) const REMOTE: &str = "stoker";

/// Settings that hold for every run.
///
/// No hooks, no helpers, no redirects to another host, no submodules, nothing left running in the
/// background or in the course of something else. Unreachable objects go at the next cleaning, since the copy is ours alone.
pub(super) const CONFIGURATION: [(&str, &str); 18] = [
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.askPass", ""),
    ("credential.helper", ""),
    ("protocol.version", "2"),
    ("http.followRedirects", "false"),
    ("http.lowSpeedLimit", "1"),
    ("fetch.recurseSubmodules", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("transfer.bundleURI", "false"),
    ("advice.graftFileDeprecated", "false"),
    // What is written as loose objects is written without a word, however slow the line.
    ("fetch.unpackLimit", "1"),
    ("maintenance.auto", "false"),
    ("gc.auto", "1000"),
    ("gc.autoPackLimit", "20"),
    ("gc.autoDetach", "false"),
    ("maintenance.autoDetach", "false"),
    ("gc.pruneExpire", "now"),
];

/// The file beside the copy that is all of git's configuration of the user, where a local repository
/// may belong to another user.
pub(super) const TRUSTED: &str = "trusted";

/// Returns what it says: this one repository was named, so it is meant, whoever owns it. Git takes
/// that from no variable of ours, because it starts the program of the other side without them.
pub(super) fn trusted(address: &Address) -> Option<String> {
    if address.transport() != GitTransport::File {
        return None;
    }
    let quoted = address.as_str().replace('\\', "\\\\").replace('"', "\\\"");
    Some(format!("[safe]\n\tdirectory = \"{quoted}\"\n\tdirectory = \"{quoted}/.git\"\n"))
}

/// Settings of the repository, for runs that may reach it and for those that clean the copy: they
/// know then that what is missing was left out. No other run does: git would fetch in the middle of
/// reading.
pub(super) fn remote(settings: &GitSettings) -> [(String, String); 3] {
    let url = settings.address.as_str().to_owned();
    let pairs = [
        ("url", url),
        ("promisor", "true".to_owned()),
        ("partialclonefilter", "blob:none".to_owned()),
    ];
    pairs.map(|(key, value)| (format!("remote.{REMOTE}.{key}"), value))
}

/// The header that signs in by HTTP Basic, which every host takes for its tokens, with the setting
/// that binds it to one origin. What must not be seen is told to the eraser.
pub(super) fn authorization(
    settings: &GitSettings,
    eraser: &mut Eraser,
) -> Option<(String, SecretString)> {
    let user = settings.login.user.as_ref().map(ExposeSecret::expose_secret);
    let token = settings.token.get().or(settings.login.password.clone());
    let (user, token) = match (user, token.as_ref().map(ExposeSecret::expose_secret)) {
        (user, Some(token)) => (user.unwrap_or(USER_DEFAULT), token),
        // Some hosts give out URLs with the token in the place of the user.
        (Some(user), None) => (user, ""),
        (None, None) => return None,
    };
    eraser.learn(if token.is_empty() { user } else { token });
    let encoded = STANDARD.encode(format!("{user}:{token}"));
    eraser.learn(&encoded);
    let key = format!("http.{}.extraHeader", settings.address.origin()?);
    Some((key, SecretString::from(format!("Authorization: Basic {encoded}"))))
}

/// Variables of every run, among them the agent's own that are passed on.
pub(super) fn variables(settings: &GitSettings, repository: &Path) -> Vec<(String, OsString)> {
    // It would win over the file in which what it names is joined with the named authority.
    let is_joined =
        |name: &str| name == "GIT_SSL_CAINFO" && settings.certificate_authority.is_some();
    // What goes to this machine never goes to a proxy (S5).
    let is_proxy = |name: &str| name.ends_with("proxy") || name.ends_with("PROXY");
    let stays_here = settings.address.is_on_this_machine();
    let is_left_out = |name: &str| is_joined(name) || (stays_here && is_proxy(name));
    let passed = settings.environment.0.iter().filter(|(name, _)| !is_left_out(name));
    let mut variables: Vec<(String, OsString)> =
        passed.map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect();
    if !variables.iter().any(|(name, _)| name == "PATH") {
        variables.push(("PATH".to_owned(), PATH_DEFAULT.into()));
    }
    let mut set = |name: &str, value: OsString| variables.push((name.to_owned(), value));
    set("GIT_DIR", repository.into());
    // No `.netrc` and no configuration from there.
    set("HOME", repository.parent().unwrap_or(Path::new("/")).into());
    for (name, value) in [
        ("GIT_CONFIG_SYSTEM", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_ATTR_NOSYSTEM", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_NO_REPLACE_OBJECTS", "1"),
        ("GIT_NO_LAZY_FETCH", "1"),
        ("GIT_ADVICE", "0"),
        ("LC_ALL", "C"),
    ] {
        set(name, value.into());
    }
    let around = repository.parent().unwrap_or(Path::new("/"));
    let trusted = trusted(&settings.address).map(|_| around.join(TRUSTED).into_os_string());
    set("GIT_CONFIG_GLOBAL", trusted.unwrap_or_else(|| "/dev/null".into()));
    set("GIT_SSH_COMMAND", ssh_command(settings).into());
    if let Some(Verification::OpenPgp { home } | Verification::Either { home, .. }) =
        &settings.verification
    {
        set("GNUPGHOME", absolute(home).into());
    }
    variables
}

/// The command for ssh, in the shell's words.
///
/// The account's ssh configuration is left out as well: it can name programs. Its keys, its agent
/// and its known hosts are used unless the settings name others.
fn ssh_command(settings: &GitSettings) -> String {
    let mut words = "ssh -F none -oBatchMode=yes -oStrictHostKeyChecking=yes -oConnectTimeout=15 \
                     -oServerAliveInterval=15 -oServerAliveCountMax=2 -oClearAllForwardings=yes"
        .to_owned();
    if let Some(key) = &settings.ssh_key {
        words.push_str(&format!(" -oIdentitiesOnly=yes -i {}", quoted(&absolute(key))));
    }
    if let Some(hosts) = &settings.known_hosts {
        // Within ssh's own option a path may be quoted, and then hold blanks.
        let option = format!("-oUserKnownHostsFile=\"{}\"", absolute(hosts).display());
        words.push_str(&format!(" -oGlobalKnownHostsFile=none {}", quoted(Path::new(&option))));
    }
    words
}

/// Quotes a word for the shell that git starts ssh with.
fn quoted(word: &Path) -> String {
    format!("'{}'", word.to_string_lossy().replace('\'', r"'\''"))
}

/// Makes a path absolute; git runs elsewhere. One that cannot be is left for git to refuse.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Settings of git that follow from ours.
pub(super) fn configuration(
    settings: &GitSettings,
    authorities: Option<&Authorities>,
) -> Vec<(String, String)> {
    // A line on which nothing comes is dropped by git itself, which knows best why.
    let silence = settings.silence.as_secs().max(1).to_string();
    let mut pairs = vec![("http.lowSpeedTime".to_owned(), silence)];
    let mut set = |key: &str, value: String| pairs.push((key.to_owned(), value));
    if let Some(authorities) = authorities {
        set("http.sslCAInfo", authorities.place().to_string_lossy().into_owned());
    }
    // A signature of the kind that is not asked for finds no program that would believe it.
    match &settings.verification {
        None => {}
        Some(Verification::Ssh { allowed_signers }) => {
            let file = absolute(allowed_signers).to_string_lossy().into_owned();
            set("gpg.ssh.allowedSignersFile", file);
            set("gpg.minTrustLevel", "fully".to_owned());
            set("gpg.openpgp.program", "/nonexistent".to_owned());
            set("gpg.x509.program", "/nonexistent".to_owned());
        }
        // Which one counts is settled for each commit.
        Some(Verification::Either { allowed_signers, home: _ }) => {
            let file = absolute(allowed_signers).to_string_lossy().into_owned();
            set("gpg.ssh.allowedSignersFile", file);
            set("gpg.x509.program", "/nonexistent".to_owned());
        }
        Some(Verification::OpenPgp { home: _ }) => {
            set("gpg.ssh.program", "/nonexistent".to_owned());
            set("gpg.x509.program", "/nonexistent".to_owned());
        }
    }
    pairs
}
