//! Talking to the other side: what a reference points at, and bringing commits here.

use std::ffi::OsString;
use std::io;

use super::error::GitError;
use super::isolation::REMOTE;
use super::objects::ObjectId;
use super::program::{Program, brief};
use super::redirect;
use super::reference::{CommitId, GitReference};

/// The most bytes of an answer about one reference; two lines are expected.
pub(super) const ANSWER_BYTES_MAX: u64 = 1_000_000;

/// Returns the commit a branch or tag points at on the other side. One process, no object moved.
///
/// # Errors
/// When the other side cannot be asked, or has no such branch or tag.
pub(super) async fn newest(
    program: &Program,
    reference: &GitReference,
    full_name: &str,
) -> Result<CommitId, GitError> {
    let peeled = format!("{full_name}^{{}}");
    let mut arguments: Vec<OsString> = vec!["ls-remote".into(), "--quiet".into(), "--".into()];
    arguments.extend([program.address().as_str().into(), full_name.into(), (&peeled).into()]);
    let doing = "ask for the newest commit";
    let output = redirect::ask(program, doing, &arguments, &[]).await?;
    if output.code != Some(0) {
        return Err(complaint(program, doing, &output.said));
    }
    let text = output.text();
    let find = |wanted: &str| {
        let lines = text.lines().filter_map(|line| line.split_once('\t'));
        let found = lines.filter(|(_, name)| *name == wanted).map(|(id, _)| id).next();
        found.and_then(|id| CommitId::new(id).ok())
    };
    // An annotated tag is an object of its own; what it points at stands in a second line.
    find(&peeled).or_else(|| find(full_name)).ok_or_else(|| GitError::NoReference {
        reference: reference.clone(),
        address: program.address().clone(),
    })
}

/// What is brought here.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'w> {
    /// The newest commit of a branch or tag, by its full name.
    Newest { reference: &'w GitReference, full_name: &'w str },
    /// One commit.
    Commit(&'w CommitId),
    /// Trees and files.
    Objects(&'w [ObjectId]),
}

/// How much of the history comes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// So many commits.
    Commits(u32),
    /// What follows what is here.
    Following,
    /// All there is.
    All,
}

/// What is left out, where the other side can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    None,
    /// Files.
    Blobs,
    /// Directories and files: only commits come.
    Trees,
}

impl Filter {
    /// Returns it in git's words. Nothing must be said as well: git has a filter of its own for what it
    /// once filtered.
    pub const fn argument(self) -> &'static str {
        match self {
            Self::None => "--no-filter",
            Self::Blobs => "--filter=blob:none",
            Self::Trees => "--filter=tree:0",
        }
    }
}

/// What is fetched, and how.
#[derive(Clone, Copy)]
pub(super) struct Fetch<'f> {
    pub wanted: Wanted<'f>,
    /// The reference of ours that points at it then.
    pub into: Option<&'static str>,
    pub depth: Depth,
    pub filter: Filter,
}

impl Fetch<'_> {
    fn arguments(&self) -> Vec<OsString> {
        let Self { wanted, into, depth, filter } = self;
        let mut words = Vec::new();
        // Whoever says what it has is not sent that again, which here would be what is missing.
        if let Wanted::Objects(_) = wanted {
            words.extend(["-c", "fetch.negotiationAlgorithm=noop"].map(str::to_owned));
        }
        let usual = ["fetch", "--progress", "--no-tags", "--no-recurse-submodules"];
        words.extend(usual.map(str::to_owned));
        words.push("--no-write-fetch-head".to_owned());
        match depth {
            Depth::Commits(count) => words.push(format!("--depth={count}")),
            Depth::Following => {}
            Depth::All => words.push("--unshallow".to_owned()),
        }
        words.push(filter.argument().to_owned());
        let from = match wanted {
            Wanted::Newest { reference: _, full_name } => Some((*full_name).to_owned()),
            Wanted::Commit(id) => Some(id.to_string()),
            Wanted::Objects(_) => None,
        };
        words.extend(from.is_none().then(|| "--stdin".to_owned()));
        words.extend(["--".to_owned(), REMOTE.to_owned()]);
        let refspec = |from| format!("+{from}:{}", into.unwrap_or_default());
        words.extend(from.map(refspec));
        words.into_iter().map(OsString::from).collect()
    }

    /// Returns what does not fit into arguments.
    fn input(&self) -> Vec<u8> {
        match self.wanted {
            Wanted::Newest { .. } | Wanted::Commit(_) => Vec::new(),
            Wanted::Objects(ids) => {
                ids.iter().flat_map(|id| format!("{id}\n").into_bytes()).collect()
            }
        }
    }
}

/// Brings something here, and points a reference of ours at it. Returns whether the other side left
/// out what it was asked to, if it was: one that cannot sends all of it, and one that fails over it is
/// asked for all of it.
///
/// # Errors
/// When the other side cannot be reached, refuses, or has it no more; when our copy is damaged or
/// there is no room for it.
pub(super) async fn fetch(program: &Program, fetch: &Fetch<'_>) -> Result<bool, GitError> {
    let doing = "fetch commits";
    let room = program.room();
    room.check()?;
    let output = redirect::ask(program, doing, &fetch.arguments(), &fetch.input()).await;
    // What was not finished is of no use to the next try, and takes the room of the state.
    let output = output.inspect_err(|_| room.sweep())?;
    if output.code == Some(0) {
        room.check()?;
        return Ok(!output.said.contains("filtering not recognized by server"));
    }
    room.sweep();
    if fetch.filter != Filter::None && kind_of(&output.said) == Some(Complaint::Choked) {
        let whole = Fetch { filter: Filter::None, ..*fetch };
        return Box::pin(self::fetch(program, &whole)).await.map(|_| false);
    }
    let address = program.address().clone();
    let said = own_words(&output.said);
    let is_said = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let is_kept_back = is_said(&["unadvertised object"]);
    let is_missing = is_said(&["not our ref", "find remote ref"]);
    Err(match fetch.wanted {
        Wanted::Newest { reference, full_name: _ } if is_said(&["couldn't find remote ref"]) => {
            GitError::NoReference { reference: reference.clone(), address }
        }
        Wanted::Commit(id) if is_kept_back => {
            GitError::KeptBack { commit: id.to_string(), address }
        }
        Wanted::Commit(id) if is_missing => GitError::NoCommit { commit: id.to_string(), address },
        Wanted::Objects(ids) if is_kept_back || is_missing => {
            let commit = ids.first().cloned().unwrap_or_default();
            GitError::KeptBack { commit, address }
        }
        Wanted::Newest { .. } | Wanted::Commit(_) | Wanted::Objects(_) => {
            complaint(program, doing, &output.said)
        }
    })
}

/// Returns what git itself said. The other side may say anything, in lines of its own.
fn own_words(said: &str) -> String {
    let lines = said.lines().filter(|line| !line.starts_with("remote:"));
    lines.collect::<Vec<_>>().join("\n")
}

/// What a caller can do, by the words git has for it, the surest first.
const COMPLAINTS: [(Complaint, &[&str]); 9] = [
    (Complaint::Full, &["No space left on device", "Disk quota exceeded"]),
    (
        Complaint::Untrusted,
        &[
            "SSL certificate problem",
            "certificate verification failed",
            "Host key verification failed",
            "No ED25519 host key is known",
        ],
    ),
    // With a token git has it refused, and then asks for another as if there had been none.
    (
        Complaint::Unsigned,
        &[
            "Authentication failed",
            "could not read Username",
            "could not read Password",
            "terminal prompts disabled",
            "error: 401",
        ],
    ),
    (Complaint::Dumb, &["dumb http transport does not support"]),
    (Complaint::Denied, &["error: 403", "Permission denied", "dubious ownership"]),
    (
        Complaint::NoRepository,
        &[
            "error: 404",
            "not found",
            "does not exist",
            "does not appear to be a git repository",
            "error: 301",
            "error: 302",
            "error: 307",
            "error: 308",
        ],
    ),
    // Not 502 to 504: there nobody read what was asked.
    (Complaint::Choked, &["error: 400", "error: 500", "error: 501"]),
    (
        Complaint::Unreachable,
        &[
            "Could not resolve",
            "Failed to connect",
            "Couldn't connect",
            "Connection refused",
            "Connection reset",
            "Connection timed out",
            "Connection closed",
            "Operation timed out",
            "Operation too slow",
            "Network is unreachable",
            "No route to host",
            "hung up unexpectedly",
            "early EOF",
            "unexpected disconnect",
            "Empty reply from server",
            "SSL_ERROR",
            "TLS connect error",
            "RPC failed",
            "error: 429",
            "error: 50",
        ],
    ),
    (
        Complaint::Damaged,
        &[
            "corrupt",
            "repository.git/config",
            ".lock': File exists",
            "shallow file has changed",
            "not a git repository: '",
            "loose object",
            "bad object",
            "bad pack",
            "unable to read",
            "did not send all necessary objects",
            "invalid index-pack output",
            "unpack-objects failed",
            "object file",
            "unresolved deltas",
        ],
    ),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Complaint {
    Full,
    Untrusted,
    Unsigned,
    Dumb,
    Damaged,
    Denied,
    NoRepository,
    Choked,
    Unreachable,
}

fn kind_of(said: &str) -> Option<Complaint> {
    let own = own_words(said);
    let is_said = |words: &[&str]| words.iter().any(|word| own.contains(word));
    COMPLAINTS.iter().find(|(_, words)| is_said(words)).map(|(complaint, _)| *complaint)
}

fn complaint(program: &Program, doing: &'static str, said: &str) -> GitError {
    let address = program.address().clone();
    let shown = brief(said);
    match kind_of(said) {
        Some(Complaint::Full) => GitError::Disk {
            doing: "write to the copy of the repository",
            path: program.repository().to_owned(),
            source: io::Error::from(io::ErrorKind::StorageFull),
        },
        Some(Complaint::Untrusted) => GitError::Untrusted { address, said: shown },
        Some(Complaint::Unsigned) => {
            let has = program.has_token();
            let said = if has {
                "the token was refused"
            } else {
                "it requires a token, and none is given"
            };
            GitError::Denied { address, said: said.to_owned() }
        }
        Some(Complaint::Dumb) => {
            let said = "the host serves files and does not speak git's own protocol (dumb HTTP), in \
                        which one commit could be asked for";
            GitError::NoRepository { address, said: said.to_owned() }
        }
        Some(Complaint::Damaged) => GitError::Damaged { said: shown },
        Some(Complaint::Denied) => GitError::Denied { address, said: shown },
        Some(Complaint::NoRepository) => GitError::NoRepository { address, said: shown },
        Some(Complaint::Choked | Complaint::Unreachable) => {
            GitError::Unreachable { address, said: shown }
        }
        None => GitError::Failed { doing, said: shown },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_says_is_sorted_by_what_a_caller_can_do() {
        for (said, expected) in [
            (
                "fatal: unable to access 'https://h/a/': Could not resolve host: h",
                Complaint::Unreachable,
            ),
            (
                "fatal: unable to access 'https://h/a/': The requested URL returned error: 503",
                Complaint::Unreachable,
            ),
            (
                "fatal: unable to access 'https://h/a/': The requested URL returned error: 403",
                Complaint::Denied,
            ),
            (
                "fatal: could not read Username for 'https://h': terminal prompts disabled",
                Complaint::Unsigned,
            ),
            (
                "git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.",
                Complaint::Denied,
            ),
            (
                "remote: Repository not found.\nfatal: repository 'https://h/a/' not found",
                Complaint::NoRepository,
            ),
            ("fatal: '/x' does not appear to be a git repository", Complaint::NoRepository),
            ("fatal: Unable to create '/x/shallow.lock': File exists.", Complaint::Damaged),
            ("error: write error: No space left on device", Complaint::Full),
        ] {
            assert_eq!(kind_of(said), Some(expected), "{said}");
        }
    }

    #[test]
    fn the_other_side_cannot_have_our_copy_thrown_away() {
        assert_eq!(kind_of("remote: your object is corrupt\nfatal: strange"), None);
    }
}
