//! What to follow in a repository, and where to look in it: names that git cannot misread.

use std::fmt;

use super::error::WrongSetting;

/// The longest name of a branch or tag; file systems allow no longer part.
const NAME_LENGTH_MAX: usize = 255;

/// The longest path; the system's own limit.
const PATH_LENGTH_MAX: usize = 4_096;

/// The lengths of a whole commit id in hexadecimal digits: SHA-1, and SHA-256.
const ID_LENGTHS: [usize; 2] = [40, 64];

/// The shortest beginning of a commit id that is taken for one, as git itself shows it.
pub(super) const PREFIX_LENGTH_MIN: usize = 7;

/// What a source follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GitReference {
    /// The newest commit of the branch the repository calls its own.
    DefaultBranch,
    /// The newest commit of a branch.
    Branch(RefName),
    /// The commit a tag points at; a tag may move.
    Tag(RefName),
    /// One commit, always the same.
    Commit(CommitId),
}

impl GitReference {
    /// Returns the branch that is followed by its name.
    pub(super) fn branch(&self) -> Option<String> {
        match self {
            Self::Branch(name) => Some(name.to_string()),
            Self::DefaultBranch | Self::Tag(_) | Self::Commit(_) => None,
        }
    }

    /// Returns its full name on the other side; a commit has none.
    pub(super) fn full_name(&self) -> Option<String> {
        match self {
            Self::DefaultBranch => Some("HEAD".to_owned()),
            Self::Branch(name) => Some(format!("refs/heads/{name}")),
            Self::Tag(name) => Some(format!("refs/tags/{name}")),
            Self::Commit(_) => None,
        }
    }
}

impl fmt::Display for GitReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DefaultBranch => write!(formatter, "default branch"),
            Self::Branch(name) => write!(formatter, "branch `{name}`"),
            Self::Tag(name) => write!(formatter, "tag `{name}`"),
            Self::Commit(id) => write!(formatter, "commit `{id}`"),
        }
    }
}

/// The name of a branch or tag, by git's own rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefName(String);

impl RefName {
    /// Checks a name.
    ///
    /// # Errors
    /// When git would refuse it, or take it for an option or an expression.
    pub fn new(text: &str) -> Result<Self, WrongSetting> {
        let wrong = |why| Err(WrongSetting::new("branch or tag", text, why));
        if text.is_empty() || text.len() > NAME_LENGTH_MAX {
            return wrong("it is empty or too long");
        }
        if text.starts_with('-') {
            return wrong("it begins with `-`");
        }
        let is_odd = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
        if text.contains(is_odd) || text.contains("..") || text.contains("@{") || text == "@" {
            return wrong("git does not allow this name");
        }
        let is_bad_part = |part: &str| {
            part.is_empty()
                || part.starts_with('.')
                || part.ends_with('.')
                || part.ends_with(".lock")
        };
        if text.split('/').any(is_bad_part) {
            return wrong("git does not allow this name");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RefName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A whole commit id: 40 hexadecimal digits in lower case, or 64.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitId(String);

impl CommitId {
    /// Checks an id.
    ///
    /// # Errors
    /// When it is neither 40 nor 64 hexadecimal digits. A beginning of one does not name a commit for
    /// ever.
    pub fn new(text: &str) -> Result<Self, WrongSetting> {
        if ID_LENGTHS.contains(&text.len()) && is_hexadecimal(text) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(WrongSetting::new("commit", text, "a whole id has 40 hexadecimal digits, or 64"))
        }
    }

    /// Whether it is one of a repository of SHA-256.
    pub(super) fn is_sha256(&self) -> bool {
        self.0.len() == ID_LENGTHS[1]
    }

    /// Returns it as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A commit as a person names it: an id or its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CommitPrefix(String);

impl CommitPrefix {
    pub fn new(text: &str) -> Result<Self, WrongSetting> {
        if (PREFIX_LENGTH_MIN..=ID_LENGTHS[1]).contains(&text.len()) && is_hexadecimal(text) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            let why = "it takes 7 to 64 hexadecimal digits";
            Err(WrongSetting::new("commit", text, why))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the id, when it is whole.
    pub fn whole(&self) -> Option<CommitId> {
        CommitId::new(&self.0).ok()
    }

    pub fn is_of(&self, id: &CommitId) -> bool {
        id.0.starts_with(&self.0)
    }
}

impl From<&CommitId> for CommitPrefix {
    fn from(id: &CommitId) -> Self {
        Self(id.0.clone())
    }
}

/// A directory or a file within a repository; empty for all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepositoryPath(String);

impl RepositoryPath {
    /// Checks a path, and leaves out a leading `./` and a closing `/`.
    ///
    /// # Errors
    /// When it is absolute, goes up with `..`, or could be read by git as something else.
    pub fn new(text: &str) -> Result<Self, WrongSetting> {
        let wrong = |why| Err(WrongSetting::new("path", text, why));
        if text.starts_with('/') {
            return wrong("it is relative to the root of the repository, without a leading `/`");
        }
        if text.len() > PATH_LENGTH_MAX || text.chars().any(char::is_control) {
            return wrong("it is too long or has control characters in it");
        }
        let names: Vec<&str> =
            text.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
        if names.contains(&"..") {
            return wrong("it contains `..`");
        }
        // What is given to git is what is left, not what was written: `./-f` is `-f` to it.
        let path = names.join("/");
        if path.starts_with(['-', ':']) {
            return wrong("it begins with `-` or `:`");
        }
        Ok(Self(path))
    }

    /// One of the usual places, which need no check.
    pub(super) fn usual(place: &'static str) -> Self {
        Self(place.to_owned())
    }

    /// Returns it as text; empty for the whole repository.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the directory around it.
    pub(super) fn parent(&self) -> Self {
        Self(self.0.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned())
    }

    pub(super) const fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for RepositoryPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_empty() { "." } else { &self.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_git_could_misread_is_refused() {
        for text in ["main", "release/1.2", "käse", "feature_x-1", "+a"] {
            assert!(RefName::new(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "-x",
            "--upload-pack=x",
            "a..b",
            "a b",
            "a:b",
            "a^",
            "a~1",
            "@",
            "a@{1}",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a/.b",
            "a.lock",
            "a.",
            "a\nb",
            "refs/*",
        ] {
            assert!(RefName::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_stays_in_the_repository() {
        for (text, expected) in [("", ""), (".", ""), ("./a//b/", "a/b"), ("a.yaml", "a.yaml")] {
            assert_eq!(RepositoryPath::new(text).unwrap().as_str(), expected, "{text}");
        }
        for text in ["/a", "../a", "a/../../b", "-x", "./-x", ":(top)a", "a\0b"] {
            assert!(RepositoryPath::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_commit_is_named_by_hexadecimal_digits() {
        let whole = "A".repeat(40);
        let id = CommitId::new(&whole).unwrap();
        assert_eq!(id.as_str(), "a".repeat(40));
        assert!(CommitId::new("aaaaaaa").is_err());
        assert!(CommitPrefix::new("aaaaaa").is_err());
        assert!(CommitPrefix::new("--help7").is_err());
        let prefix = CommitPrefix::new("AAAAAAA").unwrap();
        assert!(prefix.is_of(&id) && prefix.whole().is_none());
        assert_eq!(CommitPrefix::new(&whole).unwrap().whole(), Some(id));
    }
}
