//! The way through the room: each file, each document, then all of them together.

use super::blueprint;
use super::check;
use super::draft::Drafts;
use super::foreign;
use super::native;
use super::reader::{DocumentForm, DocumentReader, Findings, quoted};
use super::tree::{Flaw, Yaml};
use super::yaml::Documents;
use crate::model::{Desired, Diagnostic, Origin, ValueSource};
use crate::source::{SourceFile, Tree};

/// What came of reading a tree.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What is wanted; `None` when any finding is an error (S6).
    pub desired: Option<Desired<ValueSource>>,
    /// Everything worth saying, by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a tree of manifests, both forms, and checks it as a whole.
///
/// Every mistake of every file is reported together. A tree without documents gives an empty
/// desired state and a warning; that it may not delete anything is for planning to say.
#[must_use]
pub fn load(tree: &Tree) -> Loaded {
    let mut findings = Findings::default();
    let mut drafts = Drafts {
        home: tree.home().cloned(),
        environment: tree.environment().map(str::to_owned),
        ..Drafts::default()
    };
    for file in tree.files() {
        read_file(file, &mut drafts, &mut findings);
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
        let message =
            format!("no Blueprint here has environments, and `{}` is named", quoted(name));
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

fn read_file(file: &SourceFile, drafts: &mut Drafts, findings: &mut Findings) {
    let errors = findings.errors();
    read_text(file, drafts, findings);
    // In a text of many lines it may well be meant; it is told of where something is wrong.
    let text = std::str::from_utf8(&file.bytes).unwrap_or_default();
    if findings.errors() > errors
        && let Some((line, column)) = no_break_blank(text)
    {
        let message = "a no-break space stands here, which YAML does not take for a space";
        let origin = Origin { file: file.path.clone(), line, column };
        let finding = Diagnostic::error("no-break-blank", message).at(origin);
        findings.push(finding.hint("replace it by an ordinary blank"));
    }
}

fn read_text(file: &SourceFile, drafts: &mut Drafts, findings: &mut Findings) {
    let text = match std::str::from_utf8(&file.bytes) {
        Ok(text) => text,
        Err(error) => {
            findings.push(not_unicode(file, error.valid_up_to()));
            return;
        }
    };
    if let Some(line) = conflict(text) {
        let origin = Origin { file: file.path.clone(), line, column: 1 };
        let message = "the file holds the marks of an unfinished merge";
        let hint = "decide between the two sides, and remove the marks";
        return findings.push(Diagnostic::error("merge-conflict", message).at(origin).hint(hint));
    }
    if text.starts_with(LFS_MARK) {
        let origin = Origin { file: file.path.clone(), line: 1, column: 1 };
        let message = "the file is a pointer of Git LFS, not the manifest";
        let hint = "`git lfs pull` gets it; manifests are better kept without LFS";
        return findings.push(Diagnostic::error("lfs-pointer", message).at(origin).hint(hint));
    }
    let is_template = foreign::is_template(text);
    let finding = |flaw: Flaw| {
        let diagnostic = finding(&file.path, flaw);
        match is_template {
            true => {
                diagnostic.hint(format!("it looks like a template of Helm; {}", foreign::APART))
            }
            false => diagnostic,
        }
    };
    let mut documents = match Documents::new(text) {
        Ok(documents) => documents,
        Err(flaw) => return findings.push(finding(flaw)),
    };
    loop {
        match documents.next_document() {
            Ok(Some(mut document)) => {
                for flaw in std::mem::take(&mut document.flaws) {
                    findings.push(finding(flaw));
                }
                if let Some(root) = document.root() {
                    read_document(&file.path, root, drafts, findings);
                }
            }
            Ok(None) => return,
            Err(flaw) => return findings.push(finding(flaw)),
        }
    }
}

/// Tells the forms apart by what stands in the document, and reads it.
fn read_document(file: &str, root: Yaml<'_, '_>, drafts: &mut Drafts, findings: &mut Findings) {
    let errors = findings.errors();
    let mut reader = DocumentReader { file, form: DocumentForm::Native, findings };
    let has_version = root.get("apiVersion").is_some();
    if root.entries().is_none() {
        let message = format!("a document must be a mapping, and {} stands there", root.describe());
        reader.error(root, "wrong-type", message);
    } else if root.get("kind").is_some() || (has_version && foreign::hint(root).is_none()) {
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

fn finding(file: &str, flaw: Flaw) -> Diagnostic {
    let Flaw { code, message, hint, line, column } = flaw;
    let mut diagnostic =
        Diagnostic::error(code, message).at(Origin { file: file.to_owned(), line, column });
    diagnostic.hints.extend(hint);
    diagnostic
}

fn not_unicode(file: &SourceFile, valid_up_to: usize) -> Diagnostic {
    let before = &file.bytes[..valid_up_to];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let origin = Origin {
        file: file.path.clone(),
        line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
        column: String::from_utf8_lossy(&before[line_start..]).chars().count() + 1,
    };
    Diagnostic::error("encoding", "the file is no UTF-8 from here on")
        .at(origin)
        .hint("save it as UTF-8")
}
