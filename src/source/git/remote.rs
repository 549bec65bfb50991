//! Talking to the other side: what a reference points at, and bringing commits here.

use std::ffi::OsString;
use std::io;

use super::error::GitError;
use super::program::{Call, Output, Program, Reach, brief};
use super::reference::{CommitId, Reference};

/// The most bytes of an answer about one reference; two lines are expected.
const ANSWER_BYTES_MAX: u64 = 1_000_000;

/// Returns the commit a branch or tag points at on the other side. One process, no object moved.
///
/// # Errors
/// When the other side cannot be asked, or has no such branch or tag.
pub(super) async fn newest(
    program: &Program,
    reference: &Reference,
    full_name: &str,
) -> Result<CommitId, GitError> {
    let peeled = format!("{full_name}^{{}}");
    let mut arguments: Vec<OsString> = vec!["ls-remote".into(), "--quiet".into(), "--".into()];
    arguments.extend([program.address().as_str().into(), full_name.into(), (&peeled).into()]);
    let doing = "ask for the newest commit";
    let output = call(program, doing, arguments).await?;
    if output.code != Some(0) {
        return Err(complaint(program, doing, &output.said));
    }
    let text = output.bytes.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
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
pub(super) enum Wanted<'w> {
    /// The newest commit of a branch or tag, by its full name.
    Newest { reference: &'w Reference, full_name: &'w str },
    /// One commit.
    Commit(&'w CommitId),
}

/// Brings a commit and its history to a depth here, and points a reference of ours at it.
///
/// # Errors
/// When the other side cannot be reached, refuses, or has it no more; when our copy is damaged.
pub(super) async fn fetch(
    program: &Program,
    wanted: &Wanted<'_>,
    into: &str,
    depth: u32,
) -> Result<(), GitError> {
    let from = match wanted {
        Wanted::Newest { reference: _, full_name } => (*full_name).to_owned(),
        Wanted::Commit(id) => id.to_string(),
    };
    let mut arguments: Vec<OsString> =
        ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"]
            .map(OsString::from)
            .to_vec();
    arguments.push(format!("--depth={depth}").into());
    arguments.extend(["--".into(), program.address().as_str().into()]);
    arguments.push(format!("+{from}:{into}").into());
    let doing = "fetch commits";
    let output = call(program, doing, arguments).await?;
    if output.code == Some(0) {
        return Ok(());
    }
    let address = program.address().clone();
    let said = own_words(&output.said);
    let is_said = |words: &[&str]| words.iter().any(|word| said.contains(word));
    Err(match wanted {
        Wanted::Newest { reference, full_name: _ } if is_said(&["couldn't find remote ref"]) => {
            GitError::NoReference { reference: (*reference).clone(), address }
        }
        Wanted::Commit(id)
            if is_said(&["not our ref", "unadvertised object", "find remote ref"]) =>
        {
            GitError::NoCommit { commit: id.to_string(), address }
        }
        Wanted::Newest { .. } | Wanted::Commit(_) => complaint(program, doing, &output.said),
    })
}

async fn call(
    program: &Program,
    doing: &'static str,
    arguments: Vec<OsString>,
) -> Result<Output, GitError> {
    let input = Vec::new();
    let output_bytes_max = ANSWER_BYTES_MAX;
    program.run(Call { doing, reach: Reach::Remote, arguments, input, output_bytes_max }).await
}

/// Returns what git itself said. The other side may say anything, in lines of its own.
fn own_words(said: &str) -> String {
    let lines = said.lines().filter(|line| !line.starts_with("remote:"));
    lines.collect::<Vec<_>>().join("\n")
}

/// What a caller can do, by the words git has for it, the surest first.
const COMPLAINTS: [(Complaint, &[&str]); 5] = [
    (Complaint::Full, &["No space left on device", "Disk quota exceeded"]),
    (
        Complaint::Denied,
        &[
            "Authentication failed",
            "could not read Username",
            "could not read Password",
            "terminal prompts disabled",
            "error: 401",
            "error: 403",
            "Permission denied",
            "Host key verification failed",
            "No ED25519 host key is known",
            "SSL certificate problem",
            "certificate verification failed",
            "dubious ownership",
        ],
    ),
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
    Damaged,
    Denied,
    NoRepository,
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
        Some(Complaint::Damaged) => GitError::Damaged { said: shown },
        Some(Complaint::Denied) => GitError::Denied { address, said: shown },
        Some(Complaint::NoRepository) => GitError::NoRepository { address, said: shown },
        Some(Complaint::Unreachable) => GitError::Unreachable { address, said: shown },
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
                Complaint::Denied,
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
