//! Any tree of names and links as a source: nothing from outside of the root is ever read.
//!
//! Each line of the input is a file, `NAME`, or a link, `NAME -> TARGET`, or asks for a value,
//! `? PATH`. Each line is also taken for a branch, a path and a commit of a git repository.

use std::fs;
use std::path::{Component, Path, PathBuf};

use stoker::source::git::{CommitId, RefName, RepositoryPath};
use stoker::source::{self, Tree};

/// What lies outside.
const OUTSIDE: &[u8] = b"# a secret of somebody else";

/// What lies inside.
const INSIDE: &[u8] = b"# ours";

/// The most lines of one input.
const LINES_MAX: usize = 40;

/// Builds a tree and reads it.
pub fn source(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let lines: Vec<&str> = text.lines().take(LINES_MAX).collect();
    lines.iter().for_each(|line| git_words(line));
    #[cfg(unix)]
    walk(&lines);
}

#[cfg(unix)]
fn walk(lines: &[&str]) {
    let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let directory = directory.expect("a directory can be made");
    let root = directory.path().join("root");
    fs::create_dir(&root).expect("memory takes a directory");
    for name in ["outside.yaml", "outside"] {
        fs::write(directory.path().join(name), OUTSIDE).expect("memory takes a file");
    }
    // Files first: what is made through a link would be made elsewhere.
    for line in lines.iter().filter(|line| !line.contains(" -> ") && !line.starts_with("? ")) {
        if let Some(path) = inside(&root, line)
            && fs::create_dir_all(path.parent().expect("it is beneath the root")).is_ok()
        {
            // A name that is a directory already, or too long, is no file.
            let _ = fs::write(path, INSIDE);
        }
    }
    for (name, target) in lines.iter().filter_map(|line| line.split_once(" -> ")) {
        if let Some(path) = inside(&root, name) {
            // A name that is taken stays what it is.
            let _ = std::os::unix::fs::symlink(target, path);
        }
    }
    let Ok(tree) = source::load(std::slice::from_ref(&root), None) else {
        return;
    };
    let mut before = None;
    for file in tree.files() {
        assert_eq!(file.bytes, INSIDE, "{} lies outside", file.path);
        assert!(Path::new(&file.path).starts_with(&root), "{}", file.path);
        assert!(before < Some(&file.path), "the files are sorted and distinct");
        before = Some(&file.path);
    }
    ask_for_values(&tree, lines);
}

/// Whatever a manifest names, what it gets lies beneath the root.
#[cfg(unix)]
fn ask_for_values(tree: &Tree, lines: &[&str]) {
    let Some(manifest) = tree.files().first() else {
        return;
    };
    for path in lines.iter().filter_map(|line| line.strip_prefix("? ")) {
        if let Ok(value) = tree.read_beneath(&manifest.path, path) {
            assert_eq!(value, INSIDE, "`{path}` led outside");
        }
    }
}

/// Returns the path of a name beneath the root, unless making it would leave the root.
#[cfg(unix)]
fn inside(root: &Path, name: &str) -> Option<PathBuf> {
    let mut path = root.to_owned();
    for component in Path::new(name).components() {
        // What is made through a link is made elsewhere.
        if path.is_symlink() {
            return None;
        }
        match component {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::ParentDir => return None,
        }
    }
    (path != root && !name.contains('\0')).then_some(path)
}

/// What git is told can be no option, no other revision and no path outside.
fn git_words(word: &str) {
    if let Ok(name) = RefName::new(word) {
        let name = name.to_string();
        let is_plain = !name.starts_with('-')
            && !name.contains("..")
            && !name.contains("@{")
            && !name.contains(|c: char| c.is_control() || " ~^:?*[\\".contains(c));
        assert!(is_plain, "{name:?} is no name of a branch");
    }
    if let Ok(path) = RepositoryPath::new(word) {
        let path = path.as_str();
        let leaves = path.starts_with('/') || path.split('/').any(|name| name == "..");
        assert!(!leaves && !path.contains(char::is_control), "{path:?} is no path beneath");
        assert!(!path.starts_with('-') || path.is_empty(), "{path:?} looks like an option");
    }
    if let Ok(id) = CommitId::new(word) {
        assert!(id.as_str().len() == 40 && id.as_str().bytes().all(|b| b.is_ascii_hexdigit()));
    }
}
