//! The immutable tree: every file's bytes, one digest, and the lines to show beside a mistake.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::SourceError;
use super::held::HeldFiles;
use super::home::Home;
use super::jail::{Root, read_regular};
use super::snippet::Lines;
use super::variables::Variables;
use crate::model::Diagnostic;

/// The longest value taken from a file: the platform's limit for a variable.
pub(super) const VALUE_BYTES_MAX: u64 = 65_535;

/// Where the files lie that a manifest may name.
#[derive(Clone, Debug)]
pub(super) enum Surroundings {
    /// Nowhere: the manifest came from standard input or from memory.
    Nothing,
    /// Beneath a directory of the disk.
    Directory(Root),
    /// In memory, from the same commit as the manifest.
    Held(Arc<HeldFiles>),
}

/// One file, as it was when it was read.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// As the user would type it; `<stdin>` for standard input.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// Which layer it belongs to: 0 for the manifests, 1 for the overlay that lies directly on them.
    pub layer: usize,
    pub(super) name: String,
    pub(super) surroundings: Surroundings,
}

/// Every manifest of one moment (S6). It does not change after it was read.
///
/// The files are sorted by path and distinct; the constructor sees to both.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Shared, so that keeping the last good tree beside the newest costs nothing.
    files: Arc<[SourceFile]>,
    digest: String,
    revision: Option<String>,
    /// What lies within, and whose files are not here.
    unread: Arc<[String]>,
    home: Option<Home>,
    environment: Option<String>,
    /// The overlays, as the user would type them.
    overlays: Arc<[String]>,
    variables: Arc<Variables>,
}

impl Tree {
    pub(super) fn new(mut files: Vec<SourceFile>) -> Self {
        files.sort_by(|left, right| left.path.cmp(&right.path));
        let digest = digest(&files);
        Self {
            files: files.into(),
            digest,
            revision: None,
            unread: Arc::default(),
            home: None,
            environment: None,
            overlays: Arc::default(),
            variables: Arc::default(),
        }
    }

    /// Says which places within it hold files that were not read, such as submodules: of those
    /// nothing is known, and that a document is missing means nothing.
    #[must_use]
    pub(super) fn without(mut self, unread: Vec<String>) -> Self {
        if !unread.is_empty() {
            let parts = std::iter::once(&self.digest).chain(&unread);
            self.digest = digest_of(parts.map(String::as_bytes));
            self.unread = unread.into();
        }
        self
    }

    /// Says which repository the files lie in.
    #[must_use]
    pub fn in_repository(self, home: Option<Home>) -> Self {
        Self { home, ..self }
    }

    /// Returns the repository the files lie in, where that is known.
    #[must_use]
    pub const fn home(&self) -> Option<&Home> {
        self.home.as_ref()
    }

    /// Names the environment that is read of the Blueprints with several: `NAME`, or
    /// `PROJECT/NAME`. Of another environment the same text says something else, so the digest is
    /// another.
    #[must_use]
    pub fn of_environment(mut self, environment: Option<String>) -> Self {
        if let Some(name) = &environment {
            self.digest = digest_of([self.digest.as_bytes(), b"environment", name.as_bytes()]);
        }
        Self { environment, ..self }
    }

    /// Returns the environment that is read, where one was named.
    #[must_use]
    pub fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    /// Lays other trees over this one, in order, each with its name. Of other layers the same text
    /// says something else, so the digest is another.
    ///
    /// # Errors
    /// When a file is in two layers.
    pub fn with_overlays(mut self, overlays: Vec<(String, Self)>) -> Result<Self, SourceError> {
        if overlays.is_empty() {
            return Ok(self);
        }
        let digests = overlays.iter().map(|(_, tree)| tree.digest.as_bytes());
        let parts: Vec<&[u8]> =
            [self.digest.as_bytes(), b"overlays"].into_iter().chain(digests).collect();
        self.digest = digest_of(parts);
        let mut files = self.files.to_vec();
        let (mut names, mut unread) = (Vec::new(), self.unread.to_vec());
        for (index, (name, tree)) in overlays.into_iter().enumerate() {
            for file in tree.files.iter() {
                if files.iter().any(|other| other.path == file.path) {
                    let path = file.path.clone();
                    return Err(SourceError::InTwoLayers { path, overlay: name });
                }
            }
            let layer = |file: &SourceFile| SourceFile { layer: index + 1, ..file.clone() };
            files.extend(tree.files.iter().map(layer));
            unread.extend_from_slice(&tree.unread);
            names.push(name);
        }
        files.sort_by(|left, right| left.path.cmp(&right.path));
        let (files, unread, overlays) = (files.into(), unread.into(), names.into());
        Ok(Self { files, unread, overlays, ..self })
    }

    /// Returns the overlays in order, as the user would type them.
    #[must_use]
    pub fn overlays(&self) -> &[String] {
        &self.overlays
    }

    /// Gives variables their values. Of other values the same text says something else, so the digest
    /// is another.
    #[must_use]
    pub fn with_variables(mut self, variables: Arc<Variables>) -> Self {
        if !variables.is_empty() {
            let given = variables.iter();
            let given = given.flat_map(|(name, it)| [name.as_bytes(), it.value.as_bytes()]);
            let parts: Vec<&[u8]> =
                [self.digest.as_bytes(), b"variables"].into_iter().chain(given).collect();
            self.digest = digest_of(parts);
        }
        Self { variables, ..self }
    }

    /// Returns the variables that stand in its documents.
    #[must_use]
    pub fn variables(&self) -> &Variables {
        &self.variables
    }

    /// Returns the places within it whose files were not read.
    #[must_use]
    pub fn unread(&self) -> &[String] {
        &self.unread
    }

    /// Makes a tree of texts that are in memory already: for embedding, tests and benchmarks.
    #[must_use]
    pub fn from_texts<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let files = texts.into_iter().map(|(path, text)| SourceFile {
            path: path.to_owned(),
            bytes: text.as_bytes().to_vec(),
            name: path.to_owned(),
            layer: 0,
            surroundings: Surroundings::Nothing,
        });
        Self::new(files.collect())
    }

    /// Returns the tree with other texts in some of its files, by their paths. Of other texts the
    /// digest is another.
    #[must_use]
    pub fn with_texts(&self, texts: &BTreeMap<&str, &str>) -> Self {
        let mut files = self.files.to_vec();
        for file in &mut files {
            if let Some(text) = texts.get(file.path.as_str()) {
                file.bytes = text.as_bytes().to_vec();
            }
        }
        let given = texts.iter().flat_map(|(path, text)| [path.as_bytes(), text.as_bytes()]);
        let parts: Vec<&[u8]> =
            [self.digest.as_bytes(), b"texts"].into_iter().chain(given).collect();
        Self { digest: digest_of(parts), files: files.into(), ..self.clone() }
    }

    /// Returns where a file of the tree truly is, for whoever writes it: links are followed, and
    /// never out of the directory that was read.
    ///
    /// # Errors
    /// When it came from no directory that can be written, leads out of it, or is gone.
    pub fn place_of(&self, file: &str) -> Result<PathBuf, SourceError> {
        let found = self.files.binary_search_by(|it| it.path.as_str().cmp(file));
        match found.ok().map(|index| &self.files[index].surroundings) {
            Some(Surroundings::Directory(root)) => root.resolve(Path::new(file)),
            None | Some(Surroundings::Nothing | Surroundings::Held(_)) => {
                Err(SourceError::Rootless { path: file.to_owned() })
            }
        }
    }

    /// Names the revision, for a tree that comes from a commit.
    #[must_use]
    pub fn with_revision(mut self, revision: impl Into<String>) -> Self {
        self.revision = Some(revision.into());
        self
    }

    /// Returns the files, sorted by path.
    #[must_use]
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// Whether no manifest was found. That never means "delete everything": an empty directory and
    /// an unmounted volume look the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns the SHA-256 over names and bytes, what was not read, the environment that was named,
    /// overlays and variables: the same text, the same digest, wherever it lies.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Returns what the tree calls itself: a commit, or nothing for plain files.
    #[must_use]
    pub fn revision(&self) -> Option<&str> {
        self.revision.as_deref()
    }

    /// Reads a file that a manifest names, for its value.
    ///
    /// The path is relative to the manifest's own directory, so that its meaning does not depend on
    /// how the command was called. On a disk it is read when values are resolved, once in a pass;
    /// from then on the resolved desired state holds it, so a pass never sees two versions (S6). In
    /// a tree from a commit it was read together with the manifests.
    ///
    /// # Errors
    /// When the file is not beneath the root of the manifest, is no regular file, is longer than
    /// 65,535 bytes, or cannot be read.
    pub fn read_beneath(&self, manifest: &str, path: &str) -> Result<Vec<u8>, SourceError> {
        let found = self.files.binary_search_by(|file| file.path.as_str().cmp(manifest));
        match found.ok().map(|index| &self.files[index].surroundings) {
            None | Some(Surroundings::Nothing) => {
                Err(SourceError::Rootless { path: path.to_owned() })
            }
            Some(Surroundings::Directory(root)) => read_from_disk(root, manifest, path),
            Some(Surroundings::Held(files)) => files.read(manifest, path),
        }
    }

    /// Adds to each diagnostic the line it speaks of, without the values of variables.
    #[must_use]
    pub fn illustrate(&self, mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let mut lines: BTreeMap<usize, Lines<'_>> = BTreeMap::new();
        for diagnostic in &mut diagnostics {
            let Some(origin) = &diagnostic.origin else {
                continue;
            };
            let by_path = |file: &SourceFile| file.path.as_str().cmp(&origin.file);
            if diagnostic.snippet.is_none()
                && let Ok(index) = self.files.binary_search_by(by_path)
            {
                let lines =
                    lines.entry(index).or_insert_with(|| Lines::new(&self.files[index].bytes));
                diagnostic.snippet = lines.snippet(origin);
            }
        }
        diagnostics
    }
}

fn read_from_disk(root: &Root, manifest: &str, path: &str) -> Result<Vec<u8>, SourceError> {
    let relative = Path::new(path);
    if relative.is_absolute() {
        return Err(SourceError::Escapes { path: path.to_owned(), root: root.shown.clone() });
    }
    let directory = Path::new(manifest).parent().unwrap_or(Path::new(""));
    let shown = directory.join(relative);
    let real = root.resolve(&shown)?;
    // The link was resolved into the jail, so the resolved path is what is opened.
    read_regular(&real, VALUE_BYTES_MAX)?
        .ok_or_else(|| value_too_long(shown.to_string_lossy().into_owned()))
}

pub(super) fn value_too_long(path: String) -> SourceError {
    SourceError::TooLarge { path, what: "a value", limit: format!("{VALUE_BYTES_MAX} bytes") }
}

/// Hashes names and bytes with their lengths, so that no two trees run together.
fn digest(files: &[SourceFile]) -> String {
    digest_of(files.iter().flat_map(|file| [file.name.as_bytes(), &file.bytes]))
}

fn digest_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}
