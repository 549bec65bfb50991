//! Whether a commit is signed by someone who is trusted. Git and its helpers judge; this asks.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::commit::{Signature, shortened};
use super::error::GitError;
use super::objects;
use super::program::{Call, Program, Reach, brief};
use super::reference::CommitId;
use super::settings::Verification;

/// The most bytes on standard output, where nothing is expected.
const OUTPUT_BYTES_MAX: u64 = 100_000;

/// Checks the signature of one commit. Its parents are not looked at: a signature covers the files
/// of its commit and the names of its parents.
///
/// # Errors
/// `Unsigned` when it has no signature, a bad one, or one by somebody who is not trusted; `Disk` when
/// the list of those who are cannot be read.
pub(super) async fn verify(
    program: &Program,
    verification: Option<&Verification>,
    id: &CommitId,
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
            kind_of(&objects::commit(program, id).await?)
        }
    };
    let words = kind.iter().copied().chain(["verify-commit", "--raw", id.as_str()]);
    let arguments = words.map(OsString::from).collect();
    let call = Call {
        doing: "verify a commit",
        reach: Reach::Copy,
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
fn kind_of(commit: &[u8]) -> &'static [&'static str] {
    let ssh = b"\ngpgsig -----BEGIN SSH SIGNATURE-----";
    if commit.windows(ssh.len()).any(|part| part == ssh) {
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
    fn the_signer_is_named() {
        let ssh = "Good \"git\" signature for ada@acme.test with ED25519 key SHA256:abc\n";
        assert_eq!(signer(ssh), "ada@acme.test");
        let gpg = "[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG 0123456789ABCDEF Ada <ada@acme.test>\n";
        assert_eq!(signer(gpg), "Ada <ada@acme.test>");
        assert_eq!(signer("?"), "a trusted signer");
    }
}
