//! The way through the room: each file, each document, then all of them together.

use super::blueprint;
use super::check;
use super::draft::Drafts;
use super::foreign;
use super::layer::{Converted, Layers};
use super::native;
use super::reader::{DocumentForm, DocumentReader, Findings, quoted};
use super::tree::{Document, Fill, Flaw, Yaml};
use super::yaml::Documents;
use crate::model::{Desired, Diagnostic, EnvKey, Origin, ValueSource, looks_secret};
use crate::source::{BYTES_MAX, SourceFile, Tree};

/// What came of reading a tree.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What is wanted; `None` when any finding is an error (S6).
    pub desired: Option<Desired<ValueSource>>,
    /// Everything worth saying, by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a tree of manifests, both forms, lays its overlays over them, and checks it as a whole.
///
/// Every mistake of every file is reported together. A tree without documents gives an empty
/// desired state and a warning; that it may not delete anything is for planning to say.
#[must_use]
pub fn load(tree: &Tree) -> Loaded {
    let mut reading = Reading {
        fill: Fill::of(tree.variables()),
        layers: Layers::default(),
        drafts: Drafts {
            home: tree.home().cloned(),
            environment: tree.environment().map(str::to_owned),
            ..Drafts::default()
        },
        findings: Findings::default(),
        is_torn: false,
        bytes: 0,
    };
    reading.read(tree);
    let Reading { fill, layers, drafts, mut findings, is_torn, bytes: _ } = reading;
    if !is_torn {
        // Of what could not be read nobody knows what it would have named or used.
        layers.finish(&mut findings);
        unused(&fill, &mut findings);
    }
    let is_nothing = drafts.resources.is_empty()
        && drafts.tombstones.is_empty()
        && drafts.guards.is_empty()
        && !findings.has_error();
    if is_nothing {
        let message = "no manifest was found, so nothing is declared";
        findings.push(Diagnostic::warning("no-manifests", message));
    }
    if let Some(name) = tree.environment()
        && !drafts.has_environments
        && !findings.has_error()
    {
        let message = format!(
            "`{}` is given as the environment, and no Blueprint here has environments",
            quoted(name)
        );
        let finding = Diagnostic::warning("unused-environment", message);
        findings
            .push(finding.hint("leave out `--environment` (or `environment` in `stoker.yaml`)"));
    }
    let mut desired = check::join(drafts, &mut findings);
    desired.digest = tree.digest().to_owned();
    desired.revision = tree.revision().map(str::to_owned);
    desired.unread = tree.unread().to_vec();
    Loaded {
        desired: (!findings.has_error()).then_some(desired),
        diagnostics: tree.illustrate(findings.into_sorted()),
    }
}

/// Tells of the variables that are given and not used, and of those that look like a secret.
fn unused(fill: &Fill<'_>, findings: &mut Findings) {
    for (name, variable, is_used) in fill.variables() {
        let warning = |code, message: String, hint: &str| {
            let warning = Diagnostic::warning(code, message).hint(hint);
            Diagnostic { origin: variable.origin.clone(), ..warning }
        };
        if !is_used {
            let message = format!("the variable `{name}` is given, but no value uses it");
            findings.push(warning("unused-variable", message, "remove it"));
        }
        if EnvKey::new(name).is_ok_and(|key| looks_secret(&key, &variable.value)) {
            let message = format!("the value of `{name}` looks like a secret");
            let hint = "variables are not secret, and are shown; in an `envVars` entry write \
                `valueFrom: { env: NAME }`";
            findings.push(warning("plain-secret", message, hint));
        }
    }
}

/// The reading of one tree.
struct Reading<'t> {
    fill: Fill<'t>,
    layers: Layers<'t>,
    drafts: Drafts,
    findings: Findings,
    /// Whether a file could not be read to its end.
    is_torn: bool,
    /// How much text was read, with all that lies over it, in bytes.
    bytes: u64,
}

impl<'t> Reading<'t> {
    /// Reads the overlays, so that it is known what lies over each document, and then the manifests
    /// themselves, one document at a time.
    fn read(&mut self, tree: &'t Tree) {
        for (index, name) in tree.overlays().iter().enumerate() {
            let mut count = 0;
            for file in tree.files().iter().filter(|file| file.layer == index + 1) {
                self.read_file(file, &mut count);
            }
            if count == 0 && !self.is_torn {
                let message = format!("the overlay `{}` holds no document", quoted(name));
                self.findings.push(Diagnostic::error("overlay-nothing", message));
            }
        }
        self.layers.order();
        for file in tree.files().iter().filter(|file| file.layer == 0) {
            self.read_file(file, &mut 0);
        }
        while let Some(document) = self.layers.next_new() {
            let Some(document) = document else { continue };
            let file = document.root().and_then(|root| root.file()).unwrap_or_default();
            self.take(file, &document);
        }
    }

    fn read_file(&mut self, file: &'t SourceFile, count: &mut usize) {
        let errors = self.findings.errors();
        if let Err(finding) = self.read_text(file, count) {
            self.is_torn = true;
            self.findings.push(*finding);
        }
        // In a text of many lines it may well be meant; it is told of where something is wrong.
        let text = std::str::from_utf8(&file.bytes).unwrap_or_default();
        if self.findings.errors() > errors
            && let Some((line, column)) = no_break_blank(text)
        {
            let message = "a no-break space is here, which YAML does not treat as a space";
            let origin = Origin { file: file.path.clone(), line, column };
            let finding = Diagnostic::error("no-break-blank", message).at(origin);
            self.findings.push(finding.hint("replace it with an ordinary space"));
        }
    }

    fn read_text(
        &mut self,
        file: &'t SourceFile,
        count: &mut usize,
    ) -> Result<(), Box<Diagnostic>> {
        let text = readable(file)?;
        let is_template = foreign::is_template(text);
        let finding = |flaw: Flaw| {
            let diagnostic = flaw.in_file(&file.path);
            match is_template {
                true => {
                    diagnostic.hint(format!("it looks like a template of Helm; {}", foreign::APART))
                }
                false => diagnostic,
            }
        };
        let mut documents = Documents::new(text).map_err(|flaw| Box::new(finding(flaw)))?;
        while let Some(mut document) =
            documents.next_document().map_err(|flaw| Box::new(finding(flaw)))?
        {
            for flaw in std::mem::take(&mut document.flaws) {
                self.findings.push(finding(flaw));
            }
            document.stand_in(&file.path);
            if document.root().is_some_and(|root| !foreign::is_encrypted(root)) {
                *count += 1;
                self.read_document(file, document);
            }
        }
        Ok(())
    }

    /// Reads a document, or keeps it for those that it is laid over.
    fn read_document(&mut self, file: &'t SourceFile, mut document: Document<'t>) {
        let is_native = document.root().is_some_and(is_native);
        if is_native {
            for flaw in self.fill.fill(&mut document) {
                self.findings.push(flaw.in_file(&file.path));
            }
        }
        let findings = &mut self.findings;
        if file.layer > 0 {
            let form = DocumentForm::Native;
            let mut reader = DocumentReader { file: &file.path, form, findings };
            return self.layers.take(file.layer, document, &mut reader);
        }
        if is_native && !self.layers.lay(&mut document, 0) {
            return;
        }
        let before = self.drafts.resources.len();
        self.take(&file.path, &document);
        if !is_native {
            self.lay_over_blueprint(file, before);
        }
    }

    /// Reads a document as it is in the end.
    fn take(&mut self, file: &str, document: &Document<'_>) -> bool {
        let had_room = self.bytes <= BYTES_MAX;
        self.bytes += document.bytes();
        let has_room = self.bytes <= BYTES_MAX;
        if had_room && !has_room {
            // What selects many is there once, and lies over each of them (S12).
            let message = "with their overlays the manifests have more than 10 MB";
            self.findings.push(Diagnostic::error("too-large", message));
        }
        if let Some(root) = document.root().filter(|_| has_room) {
            read_root(file, root, &mut self.drafts, &mut self.findings);
        }
        has_room
    }

    /// Lays over the resources that a Blueprint declared, from an index on, what belongs over them.
    fn lay_over_blueprint(&mut self, file: &'t SourceFile, before: usize) {
        let mut declared = before..self.drafts.resources.len();
        while let Some(mut converted) = Converted::next(
            &mut self.layers,
            &mut self.drafts,
            &mut declared,
            &mut self.fill,
            &file.path,
        ) {
            let Some(document) = converted.document.take() else { continue };
            if self.take(&file.path, &document) {
                converted.restore(&mut self.drafts);
            }
        }
    }
}

/// How a pointer of Git LFS begins.
const LFS_MARK: &str = "version https://git-lfs.github.com/spec/";

/// Returns the line of the first mark that git leaves in a file it could not merge.
fn conflict(text: &str) -> Option<usize> {
    let is_mark = |line: &str| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ");
    let line = text.lines().position(is_mark)?;
    text.lines().any(|line| line == "=======").then_some(line + 1)
}

/// Returns where a no-break blank stands in the place of a blank: before a line's first word, or right
/// behind a colon or a dash. YAML takes it for a letter, and nobody sees it.
fn no_break_blank(text: &str) -> Option<(usize, usize)> {
    let of_line = |(line, text): (usize, &str)| {
        let at = text.char_indices().find(|(at, c)| {
            let before = &text[..*at];
            let is_behind = before.trim_start().ends_with([':', '-']);
            *c == '\u{a0}' && (before.trim().is_empty() || is_behind)
        })?;
        Some((line + 1, text[..at.0].chars().count() + 1))
    };
    text.lines().enumerate().find_map(of_line)
}

/// Returns the text of a file, unless it plainly holds no manifests.
fn readable(file: &SourceFile) -> Result<&str, Box<Diagnostic>> {
    let text = std::str::from_utf8(&file.bytes);
    let text = text.map_err(|error| Box::new(not_unicode(file, error.valid_up_to())))?;
    if let Some(line) = conflict(text) {
        let origin = Origin { file: file.path.clone(), line, column: 1 };
        let message = "the file contains the markers of an unfinished merge";
        let hint = "choose between the two sides, and remove the markers";
        return Err(Diagnostic::error("merge-conflict", message).at(origin).hint(hint).into());
    }
    if text.starts_with(LFS_MARK) {
        let origin = Origin { file: file.path.clone(), line: 1, column: 1 };
        let message = "the file is a pointer of Git LFS, not the manifest";
        let hint = "`git lfs pull` gets it; manifests are better kept without LFS";
        return Err(Diagnostic::error("lfs-pointer", message).at(origin).hint(hint).into());
    }
    Ok(text)
}

/// Whether a document is of the native form, or was meant to be.
fn is_native(root: Yaml<'_, '_>) -> bool {
    let has_version = root.get("apiVersion").is_some();
    root.get("kind").is_some() || (has_version && foreign::hint(root).is_none())
}

/// Tells the forms apart by what stands in the document, and reads it.
fn read_root(file: &str, root: Yaml<'_, '_>, drafts: &mut Drafts, findings: &mut Findings) {
    let errors = findings.errors();
    let mut reader = DocumentReader { file, form: DocumentForm::Native, findings };
    if root.entries().is_none() {
        let message = format!("a document must be a mapping, not {}", root.describe());
        reader.error(root, "wrong-type", message);
    } else if is_native(root) {
        native::read(&mut reader, root, drafts);
    } else if blueprint::is_blueprint(root) {
        reader.form = DocumentForm::Blueprint;
        blueprint::read(&mut reader, root, drafts);
    } else {
        let message = "this is neither a native document nor a Blueprint";
        let hint = foreign::hint(root).unwrap_or_else(|| {
            format!("a native document begins with `apiVersion: {}`", native::API_VERSION)
        });
        reader.error_with(root, "unknown-document", message, hint);
    }
    // An error refuses everything; what was not read behind it is no news.
    if reader.findings.errors() == errors {
        reader.account(root);
    }
}

fn not_unicode(file: &SourceFile, valid_up_to: usize) -> Diagnostic {
    let before = &file.bytes[..valid_up_to];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let origin = Origin {
        file: file.path.clone(),
        line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
        column: String::from_utf8_lossy(&before[line_start..]).chars().count() + 1,
    };
    Diagnostic::error("encoding", "the file is not UTF-8 from here on")
        .at(origin)
        .hint("save it as UTF-8")
}
