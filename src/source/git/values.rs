//! Which files of a commit are held because a manifest may name them for a value.
//!
//! Values are resolved later, without waiting and without git, and must come from the same commit
//! (S6). So the files are read with the manifests. To hold every file would be too much where
//! manifests lie beside a whole application, and what manifests say is no concern of this room. So
//! a file is held when every word of its name stands somewhere in the manifests: whoever names a
//! file writes these words. Only a name written with YAML escapes (`"\x41"`) is missed by that.

use std::collections::{BTreeMap, BTreeSet};

use super::objects::{EntryKind, ObjectId, TreeEntry, TreeListing};
use crate::source::held::{Held, SymbolicLinks, follow};
use crate::source::tree::VALUE_BYTES_MAX;

/// The most that is held in all: sixty values of the greatest length, and far more usual ones.
const BYTES_MAX: u64 = 4_000_000;

/// `BYTES_MAX` in words.
const LIMIT: &str = "4 MB";

/// Returns the files manifests may name, by path, with the links among them followed.
pub(super) fn candidates(
    listing: &TreeListing,
    links: &SymbolicLinks,
    texts: &[&[u8]],
) -> BTreeMap<Vec<u8>, TreeEntry> {
    let words: BTreeSet<&[u8]> = texts.iter().flat_map(|text| words_of(text)).collect();
    let mut found = BTreeMap::new();
    for (path, entry) in listing {
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        if !words_of(name).all(|word| words.contains(word)) {
            continue;
        }
        let (real, entry) = match entry.kind {
            EntryKind::File => (path.clone(), entry),
            EntryKind::Link => {
                let Ok(real) = follow(links, b"", path) else { continue };
                let entry = listing.get(&real).filter(|it| it.kind == EntryKind::File);
                let Some(entry) = entry else { continue };
                (real, entry)
            }
            EntryKind::Submodule => continue,
        };
        found.insert(real, entry.clone());
    }
    found
}

/// Splits at everything that ends a path's part, a word, or a scalar.
fn words_of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"/\\\"',:{}[]#".contains(byte);
    text.split(is_end).filter(|word| !word.is_empty())
}

/// Returns the files whose bytes are to be read: none that is too long, and no more than the limit.
pub(super) fn within_limits(candidates: &BTreeMap<Vec<u8>, TreeEntry>) -> BTreeSet<ObjectId> {
    let mut bytes = 0;
    let mut chosen = BTreeSet::new();
    for entry in candidates.values().filter(|entry| entry.size <= VALUE_BYTES_MAX) {
        if chosen.contains(&entry.id) || bytes + entry.size > BYTES_MAX {
            continue;
        }
        bytes += entry.size;
        chosen.insert(entry.id.clone());
    }
    chosen
}

/// Joins the candidates with what was read of them.
pub(super) fn hold(
    candidates: BTreeMap<Vec<u8>, TreeEntry>,
    contents: &BTreeMap<ObjectId, Vec<u8>>,
) -> BTreeMap<Vec<u8>, Held> {
    let held = |entry: &TreeEntry| match contents.get(&entry.id) {
        Some(bytes) => Held::Content(bytes.clone()),
        None if entry.size > VALUE_BYTES_MAX => Held::TooLong,
        None => Held::TooMany(LIMIT),
    };
    candidates.into_iter().map(|(path, entry)| (path, held(&entry))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[&str], links: &[(&str, &str)], text: &str) -> String {
        let entry = |kind| TreeEntry { kind, id: "id".to_owned(), size: 1 };
        let mut listing: TreeListing =
            files.iter().map(|path| (path.as_bytes().to_vec(), entry(EntryKind::File))).collect();
        listing.extend(links.iter().map(|(p, _)| (p.as_bytes().to_vec(), entry(EntryKind::Link))));
        let links = links.iter().map(|(from, to)| ((*from).into(), (*to).into())).collect();
        let found = candidates(&listing, &links, &[text.as_bytes()]);
        let paths: Vec<_> = found.keys().map(|path| String::from_utf8_lossy(path)).collect();
        paths.join(" ")
    }

    #[test]
    fn a_file_is_held_when_its_name_stands_in_a_manifest() {
        let files = ["keys/pem", "keys/other", "a b.txt", ".hidden/pem", "it's"];
        assert_eq!(check(&files, &[], "{file: ../keys/pem}"), ".hidden/pem keys/pem");
        assert_eq!(check(&files, &[], "file: \"a\n  b.txt\""), "a b.txt");
        assert_eq!(check(&files, &[], "file: 'it''s'"), "it's");
        assert_eq!(check(&files, &[], "nothing: here"), "");
    }

    #[test]
    fn the_target_of_a_link_is_held_when_the_link_is_named() {
        let links = [("current", "link2"), ("link2", "keys/v3"), ("out", "../x")];
        assert_eq!(check(&["keys/v3", "keys/v4"], &links, "file: current\nb: out"), "keys/v3");
    }

    #[test]
    fn what_is_too_much_is_known_but_not_held() {
        let entry = |id: String, size| TreeEntry { kind: EntryKind::File, id, size };
        let mut files: BTreeMap<Vec<u8>, TreeEntry> = (0..62_u8)
            .map(|number| (vec![b'a', number], entry(number.to_string(), VALUE_BYTES_MAX)))
            .collect();
        files.insert(b"long".to_vec(), entry("long".to_owned(), VALUE_BYTES_MAX + 1));
        let chosen = within_limits(&files);
        assert_eq!(chosen.len(), 61);
        let contents = chosen.into_iter().map(|id| (id, vec![1])).collect();
        let held = hold(files, &contents);
        assert_eq!(held[&b"long".to_vec()], Held::TooLong);
        assert_eq!(held[&vec![b'a', 0]], Held::Content(vec![1]));
        assert_eq!(held.values().filter(|held| **held == Held::TooMany(LIMIT)).count(), 1);
    }
}
