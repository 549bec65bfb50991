//! Whether a commit is signed by someone who is trusted. Git and its helpers judge; this asks.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::commit::{Signature, shortened};
use super::error::GitError;
use super::objects;
use super::program::{GitRun, NetworkAccess, Program, brief};
use super::reference::CommitId;
use super::settings::Verification;

/// The most bytes on standard output, where nothing is expected.
const OUTPUT_BYTES_MAX: u64 = 100_000;

/// Checks the signature of one commit, which is also given in git's own form. Its parents are not looked at: a signature covers the files
/// of its commit and the names of its parents.
///
/// # Errors
/// `Unsigned` when it has no signature, a bad one, or one by somebody who is not trusted; `Disk` when
/// the list of those who are cannot be read.
pub(super) async fn verify(
    program: &Program,
    verification: Option<&Verification>,
    id: &CommitId,
    commit: &[u8],
) -> Result<Signature, GitError> {
    let kind: &[&str] = match verification {
        None => return Ok(Signature::NotChecked),
        Some(
            Verification::Ssh { allowed_signers: trusted }
            | Verification::OpenPgp { home: trusted },
        ) => {
            check_readable(trusted)?;
            &[]
        }
        Some(Verification::Either { allowed_signers, home }) => {
            check_readable(allowed_signers)?;
            check_readable(home)?;
            kind_of(id, commit)
        }
    };
    let words = kind.iter().copied().chain(["verify-commit", "--raw", id.as_str()]);
    let arguments = words.map(OsString::from).collect();
    let call = GitRun {
        doing: "verify a commit",
        reach: NetworkAccess::Copy,
        arguments,
        input: Vec::new(),
        output_bytes_max: OUTPUT_BYTES_MAX,
    };
    let output = program.run(call).await?;
    if output.code == Some(0) {
        return Ok(Signature::Verified { by: signer(&output.said) });
    }
    let said = if output.said.trim().is_empty() {
        "it has no signature".to_owned()
    } else {
        brief(&output.said)
    };
    Err(GitError::Unsigned { commit: id.clone(), said })
}

/// Returns what git is told about the one kind of signature that a commit has. A signer of SSH is
/// trusted when the list names him; a key of OpenPGP when it is there.
///
/// Only the header counts that git itself reads: one for each kind of id, and never the message.
fn kind_of(id: &CommitId, commit: &[u8]) -> &'static [&'static str] {
    let header = if id.is_sha256() { "gpgsig-sha256" } else { "gpgsig" };
    let first = objects::headers(commit, header).next();
    if first.is_some_and(|line| line.starts_with("-----BEGIN SSH SIGNATURE-----")) {
        &["-c", "gpg.minTrustLevel=fully", "-c", "gpg.openpgp.program=/nonexistent"]
    } else {
        &["-c", "gpg.ssh.program=/nonexistent"]
    }
}

/// Without this a list that cannot be read would look like a signer who is not in it.
fn check_readable(path: &Path) -> Result<(), GitError> {
    let outcome = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::read_dir(path).map(drop),
        Ok(_) => fs::File::open(path).map(drop),
        Err(error) => Err(error),
    };
    let doing = "read the trusted signers in";
    outcome.map_err(|source| GitError::Disk { doing, path: path.to_owned(), source })
}

/// Finds the signer in what the helpers of git say about a good signature.
fn signer(said: &str) -> String {
    let found = said.lines().find_map(|line| {
        let by_ssh = line
            .strip_prefix("Good \"git\" signature for ")
            .and_then(|rest| rest.rsplit_once(" with "))
            .map(|(name, _)| name);
        let by_key = line.strip_prefix("[GNUPG:] GOODSIG ").and_then(|rest| rest.split_once(' '));
        by_ssh.or(by_key.map(|(_, name)| name))
    });
    found.map_or_else(|| "a trusted signer".to_owned(), shortened)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_signature_is_read_from_the_header_and_not_from_the_message() {
        let id = |length| CommitId::new(&"a".repeat(length)).unwrap();
        let ssh = "-----BEGIN SSH SIGNATURE-----\n U1NIU0lH\n";
        let pgp = "-----BEGIN PGP SIGNATURE-----\n iHUE\n";
        let is_ssh = |length, commit: String| kind_of(&id(length), commit.as_bytes()).len() == 4;
        assert!(is_ssh(40, format!("tree a\ngpgsig {ssh}\nsubject\n")));
        assert!(is_ssh(64, format!("tree a\ngpgsig-sha256 {ssh}\nsubject\n")));
        assert!(!is_ssh(40, format!("tree a\ngpgsig {pgp}\nsubject\n\ngpgsig {ssh}")));
        // A commit of both kinds of id has a header for each, and git reads that of its own.
        assert!(!is_ssh(40, format!("tree a\ngpgsig {pgp}gpgsig-sha256 {ssh}\nsubject\n")));
    }

    #[test]
    fn the_signer_is_named() {
        let ssh = "Good \"git\" signature for ada@acme.test with ED25519 key SHA256:abc\n";
        assert_eq!(signer(ssh), "ada@acme.test");
        let gpg = "[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG 0123456789ABCDEF Ada <ada@acme.test>\n";
        assert_eq!(signer(gpg), "Ada <ada@acme.test>");
        assert_eq!(signer("?"), "a trusted signer");
    }
}
