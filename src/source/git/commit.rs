//! A commit as far as people are told about it.

use jiff::Timestamp;

use super::reference::CommitId;

/// The longest subject and name that are kept.
const TEXT_CHARS_MAX: usize = 200;

/// One commit. Its texts come from outside and are made inert where they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: CommitId,
    /// The first line of its message.
    pub subject: String,
    /// Who wrote it, by name.
    pub author: String,
    /// When it was made, by the clock of who made it; the epoch when the date is impossible.
    pub committed_at: Timestamp,
    /// What is known of its signature.
    pub signature: Signature,
}

/// What is known of a commit's signature. A commit that fails the check never becomes a `Commit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// Nobody asked.
    NotChecked,
    /// It is good, and by someone who is trusted.
    Verified {
        /// Who: the name in the list of signers, or the key's owner.
        by: String,
    },
}

impl Commit {
    /// Reads git's own form: headers, an empty line, the message.
    pub(super) fn parse(id: CommitId, bytes: &[u8], signature: Signature) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (headers, message) = text.split_once("\n\n").unwrap_or((&text, ""));
        let header = |name: &str| {
            let mut lines = headers.lines().filter_map(|line| line.split_once(' '));
            lines.find(|(key, _)| *key == name).map_or("", |(_, value)| value)
        };
        let author = header("author");
        let name = author.split_once('<').map_or(author, |(name, _)| name).trim();
        let after_address = header("committer").rsplit_once('>').map_or("", |(_, rest)| rest);
        let seconds = after_address.split_whitespace().next().and_then(|text| text.parse().ok());
        Self {
            id,
            subject: shortened(message.lines().find(|line| !line.trim().is_empty()).unwrap_or("")),
            author: shortened(name),
            committed_at: seconds
                .and_then(|seconds| Timestamp::from_second(seconds).ok())
                .unwrap_or(Timestamp::UNIX_EPOCH),
            signature,
        }
    }
}

pub(super) fn shortened(text: &str) -> String {
    text.trim().chars().take(TEXT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u8]) -> String {
        let id = CommitId::new(&"a".repeat(40)).unwrap();
        let commit = Commit::parse(id, text, Signature::NotChecked);
        format!("{}|{}|{}", commit.subject, commit.author, commit.committed_at)
    }

    #[test]
    fn the_headers_and_the_first_line_are_read() {
        let text = b"tree x\nparent y\nauthor Ada L <a@b> 1 +0000\ncommitter C <c@d> 1700000000 +0100\ngpgsig -----\n author Eve <e> 0\n\n\nSubject here\n\nBody\n";
        assert_eq!(check(text), "Subject here|Ada L|2023-11-14T22:13:20Z");
    }

    #[test]
    fn a_strange_commit_is_shown_as_far_as_it_goes() {
        assert_eq!(check(b""), "||1970-01-01T00:00:00Z");
        assert_eq!(
            check(b"author \xff <\ncommitter > 99999999999999999999 +0\n\n\xfe"),
            "\u{fffd}|\u{fffd}|1970-01-01T00:00:00Z"
        );
        let long = format!("author a <b> 1 +0\n\n{}", "x".repeat(5_000));
        assert_eq!(check(long.as_bytes()).split('|').next().unwrap().len(), 200);
    }
}
