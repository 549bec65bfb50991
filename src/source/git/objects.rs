//! Reading objects from the copy: what lies in a tree, and the bytes of files.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use super::cache::damaged;
use super::error::GitError;
use super::program::{GitOutput, GitRun, NetworkAccess, Program};
use super::reference::{CommitId, RepositoryPath};
use super::remote::Filter;
use super::select::too_many_entries;
use crate::source::SourceError;
use crate::source::load::ENTRIES_MAX;

/// The most bytes of a listing: the most entries with paths of a usual length.
const LISTING_BYTES_MAX: u64 = ENTRIES_MAX as u64 * 256;

/// The most bytes of one commit with its message.
const COMMIT_BYTES_MAX: u64 = 1_000_000;

/// The most bytes of an answer about paths.
const ANSWER_BYTES_MAX: u64 = 10_000_000;

/// What git writes around one object's bytes, at most.
const FRAME_BYTES_MAX: u64 = 100;

/// The id of a file or tree, as git writes it.
pub(super) type ObjectId = String;

/// What one entry of a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    File,
    Link,
    /// Another repository: its files lie elsewhere, and are not read.
    Submodule,
}

/// One file or link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TreeEntry {
    pub kind: EntryKind,
    pub id: ObjectId,
    pub size: u64,
}

/// Every file, link and submodule beneath a directory, by path.
pub(super) type TreeListing = BTreeMap<Vec<u8>, TreeEntry>;

/// Returns a commit in git's own form.
pub(super) async fn commit(program: &Program, id: &CommitId) -> Result<Vec<u8>, GitError> {
    let words = ["cat-file", "commit", id.as_str()];
    let output = run(program, "read a commit", &words, Vec::new(), COMMIT_BYTES_MAX).await?;
    let limit = || GitError::Refused {
        commit: id.clone(),
        source: SourceError::TooLarge {
            path: id.to_string(),
            what: "the size of a commit's message",
            limit: "1 MB".to_owned(),
        },
    };
    whole(output, limit)
}

/// Returns the tree of a commit in git's own form.
pub(super) fn root(commit: &[u8]) -> ObjectId {
    headers(commit, "tree").next().unwrap_or_default()
}

/// Returns the parents of a commit in git's own form, also those that are not here.
pub(super) fn parents(commit: &[u8]) -> impl Iterator<Item = ObjectId> {
    headers(commit, "parent")
}

/// Returns the values of a header of a commit in git's own form. What follows on lines of their own,
/// and the message, is none.
pub(super) fn headers(commit: &[u8], name: &str) -> impl Iterator<Item = String> {
    let lines = commit.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    lines.filter_map(move |line| {
        let (key, value) = std::str::from_utf8(line).ok()?.split_once(' ')?;
        (key == name).then(|| value.to_owned())
    })
}

/// Returns what stands at paths of a commit and above them, with its kind, as the trees say: a file
/// need not be here.
pub(super) async fn standing(
    program: &Program,
    id: &CommitId,
    paths: &[RepositoryPath],
) -> Result<BTreeMap<Vec<u8>, (String, ObjectId)>, GitError> {
    let mut words = vec!["ls-tree", "-t", "-z", "--full-tree", id.as_str(), "--"];
    words.extend(paths.iter().map(RepositoryPath::as_str));
    let doing = "find a path in a commit";
    let output = run(program, doing, &words, Vec::new(), ANSWER_BYTES_MAX).await?;
    let said = output.said.clone();
    let bytes = whole(output, || GitError::Damaged { said })?;
    let entry = |line: &[u8]| {
        let tab = line.iter().position(|byte| *byte == b'\t')?;
        let head = std::str::from_utf8(&line[..tab]).ok()?;
        let (kind, object) = head.split_once(' ')?.1.split_once(' ')?;
        Some((line[tab + 1..].to_vec(), (kind.to_owned(), object.to_owned())))
    };
    Ok(bytes.split(|byte| *byte == 0).filter_map(entry).collect())
}

/// Returns what is missing of a tree: of its directories alone, or also of its files.
pub(super) async fn missing(
    program: &Program,
    tree: &ObjectId,
    filter: Filter,
) -> Result<Vec<ObjectId>, GitError> {
    let doing = "look for what is missing of a commit";
    let input = format!("{tree}\n").into_bytes();
    let words = ["cat-file", "--batch-check"];
    let output = run(program, doing, &words, input, ANSWER_BYTES_MAX).await?;
    let is_here = !output.text().contains(" missing");
    if !is_here {
        return Ok(vec![tree.clone()]);
    }
    let mut words = vec!["rev-list", "--objects", "--missing=print", "--no-object-names"];
    words.extend([filter.argument(), tree]);
    let output = run(program, doing, &words, Vec::new(), LISTING_BYTES_MAX).await?;
    // More than may be listed is refused by who lists it.
    let bytes = whole(output, || GitError::Damaged { said: String::new() })?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().filter_map(|line| line.strip_prefix('?')).map(str::to_owned).collect())
}

/// Returns the first of these paths of a commit that leads to a directory, links within the repository
/// followed by git itself.
pub(super) async fn first_directory(
    program: &Program,
    id: &CommitId,
    paths: &[Vec<u8>],
) -> Result<Option<Vec<u8>>, GitError> {
    if paths.is_empty() {
        return Ok(None);
    }
    let name = |path: &Vec<u8>| [id.as_str().as_bytes(), b":", path].concat();
    let input = paths.iter().flat_map(|path| [name(path), vec![0]].concat()).collect();
    let words = ["cat-file", "--batch-check", "-z", "--follow-symlinks"];
    let output = run(program, "follow links", &words, input, LISTING_BYTES_MAX).await?;
    let said = output.said.clone();
    let bytes = whole(output, || GitError::Damaged { said: said.clone() })?;
    let mut answers = bytes.as_slice();
    for path in paths {
        let (is_directory, rest) =
            parse_followed(answers, &name(path)).ok_or(GitError::Damaged { said: said.clone() })?;
        if is_directory {
            return Ok(Some(path.clone()));
        }
        answers = rest;
    }
    Ok(None)
}

/// Reads where a name leads, and returns whether that is a directory, with what follows: a line of
/// `<id> <type> <size>`; the name and `missing`; or why it leads nowhere, `<reason> <size>`, and that
/// many bytes on lines of their own.
fn parse_followed<'b>(bytes: &'b [u8], name: &[u8]) -> Option<(bool, &'b [u8])> {
    let missing = bytes.strip_prefix(name).and_then(|rest| rest.strip_prefix(b" missing\n"));
    if let Some(rest) = missing {
        return Some((false, rest));
    }
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let mut words = std::str::from_utf8(&bytes[..end]).ok()?.split(' ');
    let (first, second, rest) = (words.next()?, words.next()?, &bytes[end + 1..]);
    if matches!(first, "symlink" | "dangling" | "loop" | "notdir") {
        let rest = rest.get(second.parse().ok()?..)?.strip_prefix(b"\n")?;
        return Some((false, rest));
    }
    Some((second == "tree", rest))
}

/// Lists everything beneath a tree.
pub(super) async fn list(
    program: &Program,
    id: &CommitId,
    tree: &ObjectId,
    root: &RepositoryPath,
) -> Result<TreeListing, GitError> {
    let refused = |source| GitError::Refused { commit: id.clone(), source };
    let words = ["ls-tree", "-r", "-z", "-l", "--full-tree", "--end-of-options", tree];
    let output = run(program, "list a commit", &words, Vec::new(), LISTING_BYTES_MAX).await?;
    let said = output.said.clone();
    let bytes = whole(output, || refused(too_many_entries(&root.to_string())))?;
    match parse_listing(&bytes) {
        Listed::All(listing) => Ok(listing),
        Listed::TooMany => Err(refused(too_many_entries(&root.to_string()))),
        Listed::Hostile(path) => {
            Err(refused(SourceError::Escapes { path, root: root.to_string() }))
        }
        Listed::Garbled => Err(GitError::Damaged { said }),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Listed {
    All(TreeListing),
    TooMany,
    /// A path such as `a/../../b`, which only a forged tree has.
    Hostile(String),
    Garbled,
}

/// Reads lines of `<mode> <type> <id> <size>\t<path>`, each ended by a zero byte.
fn parse_listing(bytes: &[u8]) -> Listed {
    let mut listing = TreeListing::new();
    for (number, line) in bytes.split(|b| *b == 0).filter(|line| !line.is_empty()).enumerate() {
        if number >= ENTRIES_MAX {
            return Listed::TooMany;
        }
        let Some(tab) = line.iter().position(|byte| *byte == b'\t') else {
            return Listed::Garbled;
        };
        let head = String::from_utf8_lossy(&line[..tab]);
        let mut words = head.split_whitespace();
        let (Some(mode), Some(_), Some(id), Some(size)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Listed::Garbled;
        };
        let kind = match mode {
            "120000" => EntryKind::Link,
            "160000" => EntryKind::Submodule,
            _ => EntryKind::File,
        };
        let Some(size) = size_of(kind, size) else {
            return Listed::Garbled;
        };
        let path = &line[tab + 1..];
        if path.split(|byte| *byte == b'/').any(|name| matches!(name, b"" | b"." | b"..")) {
            return Listed::Hostile(String::from_utf8_lossy(path).into_owned());
        }
        listing.insert(path.to_vec(), TreeEntry { kind, id: id.to_owned(), size });
    }
    Listed::All(listing)
}

/// What lies elsewhere has no size here.
fn size_of(kind: EntryKind, text: &str) -> Option<u64> {
    match kind {
        EntryKind::File | EntryKind::Link => text.parse().ok(),
        EntryKind::Submodule => Some(0),
    }
}

/// Reads the bytes of files, each once however often it is asked for.
///
/// The caller bounds the sizes; an object that is larger than the listing says is not read.
pub(super) async fn read<'e>(
    program: &Program,
    entries: impl IntoIterator<Item = &'e TreeEntry>,
) -> Result<BTreeMap<ObjectId, Vec<u8>>, GitError> {
    let mut ids = BTreeSet::new();
    let mut bytes_max = 0;
    for entry in entries {
        if ids.insert(entry.id.as_str()) {
            bytes_max += entry.size + FRAME_BYTES_MAX;
        }
    }
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let input: String = ids.iter().map(|id| format!("{id}\n")).collect();
    let words = ["cat-file", "--batch", "--buffer"];
    let output = run(program, "read files", &words, input.into_bytes(), bytes_max).await?;
    let said = output.said.clone();
    let bytes = whole(output, || GitError::Damaged { said: said.clone() })?;
    let contents = parse_contents(&bytes).filter(|contents| contents.len() == ids.len());
    contents.ok_or(GitError::Damaged { said })
}

/// Reads `<id> blob <size>\n<bytes>\n` to the end; nothing when it is anything else.
fn parse_contents(mut bytes: &[u8]) -> Option<BTreeMap<ObjectId, Vec<u8>>> {
    let mut contents = BTreeMap::new();
    while !bytes.is_empty() {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let (id, rest) = head.split_once(' ')?;
        let size: usize = rest.strip_prefix("blob ")?.parse().ok()?;
        let start = end + 1;
        let after = start.checked_add(size)?;
        contents.insert(id.to_owned(), bytes.get(start..after)?.to_vec());
        bytes = bytes.get(after..)?.strip_prefix(b"\n")?;
    }
    Some(contents)
}

async fn run(
    program: &Program,
    doing: &'static str,
    words: &[&str],
    input: Vec<u8>,
    output_bytes_max: u64,
) -> Result<GitOutput, GitError> {
    let arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
    program
        .run(GitRun { doing, reach: NetworkAccess::Copy, arguments, input, output_bytes_max })
        .await
}

/// Returns all that a sound copy answers, `otherwise` when it was too much.
fn whole(output: GitOutput, otherwise: impl FnOnce() -> GitError) -> Result<Vec<u8>, GitError> {
    match output.bytes {
        None => Err(otherwise()),
        Some(_) if output.code != Some(0) => Err(damaged(&output)),
        Some(bytes) => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_listing_is_read_and_says_what_lies_elsewhere() {
        let text = b"100644 blob aa      12\ta b.yaml\x00120000 blob bb 3\tl\x00160000 commit cc       -\tsub\0";
        let Listed::All(listing) = parse_listing(text) else { panic!("garbled") };
        let paths: Vec<_> = listing.keys().map(|path| String::from_utf8_lossy(path)).collect();
        assert_eq!(paths, ["a b.yaml", "l", "sub"]);
        assert_eq!(listing[&b"sub".to_vec()].kind, EntryKind::Submodule);
        assert_eq!(listing[&b"a b.yaml".to_vec()].size, 12);
        assert_eq!(listing[&b"l".to_vec()].kind, EntryKind::Link);
    }

    #[test]
    fn more_entries_than_the_limit_are_refused() {
        let text = b"100644 blob aa 1\tx\0".repeat(ENTRIES_MAX + 1);
        assert_eq!(parse_listing(&text), Listed::TooMany);
    }

    #[test]
    fn contents_may_hold_anything() {
        let contents = parse_contents(b"aa blob 4\n\nbb \nbb blob 0\n\n").unwrap();
        assert_eq!(contents["aa"], b"\nbb ");
        assert_eq!(contents["bb"], b"");
        for garbled in
            [&b"aa missing\n"[..], b"aa blob 9\nxx\n", b"aa blob 1\nxx", b"aa tree 0\n\n"]
        {
            assert_eq!(parse_contents(garbled), None);
        }
    }

    #[test]
    fn where_links_lead_is_read_one_after_the_other() {
        let bytes = b"symlink 4\n/a\nb\ncc:x\ny missing\ndangling 4\ncc:d\naa blob 1\nbb tree 2\n";
        let mut answers = &bytes[..];
        for (name, expected) in
            [("cc:l", false), ("cc:x\ny", false), ("cc:d", false), ("cc:f", false), ("cc:e", true)]
        {
            let (is_directory, rest) = parse_followed(answers, name.as_bytes()).unwrap();
            assert_eq!(is_directory, expected, "{name}");
            answers = rest;
        }
        assert!(answers.is_empty());
        for garbled in [&b""[..], b"loop 9\nx\n", b"symlink x\n", b"aa\n"] {
            assert_eq!(parse_followed(garbled, b"cc:l"), None);
        }
    }

    proptest! {
        #[test]
        fn garbage_is_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_contents(&bytes);
            let _ = parse_followed(&bytes, b"a:b");
            prop_assert_ne!(parse_listing(&bytes), Listed::TooMany);
        }
    }
}
