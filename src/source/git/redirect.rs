//! A repository that has moved: followed within its host, named elsewhere.
//!
//! Git follows no redirect for us, because a token must not go where nobody named it. It does not say
//! where it was sent either, so it is asked once more, with its headers shown.

use std::ffi::OsString;

use super::address::Address;
use super::error::GitError;
use super::program::{GitOutput, GitRun, NetworkAccess, Program};
use super::remote::ANSWER_BYTES_MAX;

/// What git says of an answer that sends it elsewhere.
const REDIRECTS: [&str; 4] = ["error: 301", "error: 302", "error: 307", "error: 308"];

/// What of an address git asks for first.
const ADVERTISEMENT: &str = "/info/refs";

/// Asks the other side for something, and follows where it sends us within its host.
///
/// # Errors
/// When it sends us to another host, or cannot be asked.
pub(super) async fn ask(
    program: &Program,
    doing: &'static str,
    arguments: &[OsString],
    input: &[u8],
) -> Result<GitOutput, GitError> {
    let call = |reach| {
        let (arguments, input) = (arguments.to_vec(), input.to_vec());
        GitRun { doing, reach, arguments, input, output_bytes_max: ANSWER_BYTES_MAX }
    };
    let output = program.run(call(NetworkAccess::Remote)).await?;
    if output.code == Some(0) || !REDIRECTS.iter().any(|word| output.said.contains(word)) {
        return Ok(output);
    }
    let shown = program.run(call(NetworkAccess::Shown)).await?;
    let Some(target) = target(&shown.said) else {
        return Ok(output);
    };
    let address = program.address().clone();
    let parsed = Address::parse(&target).ok().map(|(parsed, _)| parsed);
    match parsed {
        Some(there) if there.origin() == address.origin() && there != address => {
            tracing::warn!(from = %address, to = %there, "the repository has moved; use its new \
                address");
            program.move_to(&there);
            program.run(call(NetworkAccess::Remote)).await
        }
        Some(_) | None => {
            let said = format!(
                "it redirects to {target}, and redirects are followed only within one host"
            );
            Err(GitError::NoRepository { address, said })
        }
    }
}

/// Finds where the answer sent us: `… <= Recv header: Location: URL`.
fn target(said: &str) -> Option<String> {
    let header = said.lines().rev().find_map(|line| {
        let (_, header) = line.split_once("Recv header: ")?;
        let (name, value) = header.split_once(": ")?;
        name.eq_ignore_ascii_case("location").then(|| value.trim())
    })?;
    let url = header.split(['?', '#']).next().unwrap_or(header);
    Some(url.strip_suffix(ADVERTISEMENT).unwrap_or(url).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_read_without_what_git_asked_for() {
        let said = "00:00 http.c:1 <= Recv header: HTTP/1.1 301 Moved\n00:00 http.c:1 <= Recv \
                    header: location: https://h.test/a/b.git/info/refs?service=git-upload-pack\nfatal: x";
        assert_eq!(target(said).as_deref(), Some("https://h.test/a/b.git"));
        assert_eq!(target("fatal: x"), None);
    }
}
