//! Findings about manifests, with the lines they are about.
//!
//! Snippets come without secrets; here they lose what is not seen. Their marks are moved along.

use annotate_snippets::{AnnotationKind, Level, Origin as Place, Renderer, Snippet as Lines};

use crate::model::{Diagnostic, Severity, Snippet, break_marks, is_unseen};

use super::inert::inert;
use super::phrase::plural;

/// Returns findings without colour, the counts last.
#[must_use]
pub fn diagnostics_as_text(diagnostics: &[Diagnostic]) -> String {
    all(diagnostics, &Renderer::plain())
}

/// Returns findings with colours for a terminal.
#[must_use]
pub fn diagnostics_as_ansi(diagnostics: &[Diagnostic]) -> String {
    all(diagnostics, &Renderer::styled())
}

/// Returns findings as GitHub Actions puts them beside the lines they are about.
#[must_use]
pub fn github_annotations(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(github_annotation).collect()
}

/// Returns how a run failed as GitHub Actions shows it: one line above the log.
#[must_use]
pub fn github_annotation_of_failure(code: &str, message: &str, hints: &[String]) -> String {
    let message = with_hints(message, hints);
    format!("::error title={}::{}\n", github_property(code), github_data(&message))
}

fn all(diagnostics: &[Diagnostic], renderer: &Renderer) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&one(diagnostic, renderer));
        out.push('\n');
    }
    let errors = diagnostics.iter().filter(|one| one.is_error()).count();
    let warnings = diagnostics.len() - errors;
    if !diagnostics.is_empty() {
        let (e, w) = (plural(errors), plural(warnings));
        out.push_str(&format!("{errors} error{e}, {warnings} warning{w}.\n"));
    }
    // The lines of a manifest are shown as they are, behind their numbers.
    break_marks(&out, "\\#").into_owned()
}

fn one(diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(inert(&diagnostic.message)).id(diagnostic.code);
    let group = match (&diagnostic.snippet, &diagnostic.origin) {
        (Some(snippet), origin) => {
            let (text, span) = visible(snippet);
            let lines = Lines::source(text)
                .line_start(snippet.line_first)
                .path(origin.as_ref().map(|origin| inert(&origin.file).into_owned()))
                .annotation(AnnotationKind::Primary.span(span));
            title.element(lines)
        }
        (None, Some(origin)) => title
            .element(Place::path(inert(&origin.file)).line(origin.line).char_column(origin.column)),
        (None, None) => annotate_snippets::Group::with_title(title),
    };
    let mut out = renderer.render(&[group]);
    out.push('\n');
    for hint in &diagnostic.hints {
        out.push_str(&format!("hint: {}\n", inert(hint)));
    }
    out
}

/// Returns a snippet's lines without what is not seen, and the span where it went.
fn visible(snippet: &Snippet) -> (String, std::ops::Range<usize>) {
    let mut text = String::with_capacity(snippet.text.len());
    let (mut start, mut end) = (None, None);
    for (position, c) in snippet.text.char_indices() {
        if position >= snippet.span.start {
            start.get_or_insert(text.len());
        }
        if position >= snippet.span.end {
            end.get_or_insert(text.len());
        }
        match c {
            '\n' => text.push('\n'),
            '\t' => text.push(' '),
            c if is_unseen(c) => {}
            c => text.push(c),
        }
    }
    let start = start.unwrap_or(text.len());
    let end = end.unwrap_or(text.len()).max(start);
    (text, start..end)
}

/// One command: `::error file=…,line=…,col=…,title=…::message`. A new line would begin another.
fn github_annotation(diagnostic: &Diagnostic) -> String {
    let command = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let place = diagnostic.origin.as_ref().map(|origin| {
        let file = github_property(&origin.file);
        format!("file={file},line={},col={},", origin.line, origin.column)
    });
    let message = with_hints(&diagnostic.message, &diagnostic.hints);
    format!(
        "::{command} {}title={}::{}\n",
        place.unwrap_or_default(),
        github_property(diagnostic.code),
        github_data(&message)
    )
}

/// An annotation is one line, so its hints follow in brackets.
fn with_hints(message: &str, hints: &[String]) -> String {
    let hints = hints.iter().map(|hint| format!(" (hint: {hint})"));
    message.to_owned() + &hints.collect::<String>()
}

fn github_data(text: &str) -> String {
    inert(text).replace('%', "%25")
}

fn github_property(text: &str) -> String {
    github_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Origin;

    fn finding() -> Diagnostic {
        let text = "spec:\n  type: wbe\u{1b}[31m\n";
        let origin = Origin { file: "manifests/api.yaml".to_owned(), line: 5, column: 9 };
        let mut finding = Diagnostic::error("unknown-word", "unknown type `wbe`").at(origin);
        finding.snippet = Some(Snippet { text: text.to_owned(), line_first: 4, span: 14..17 });
        finding.hint("did you mean `web`?")
    }

    #[test]
    fn a_finding_shows_its_lines_and_what_to_do() {
        insta::assert_snapshot!(diagnostics_as_text(&[finding()]));
        insta::assert_snapshot!(github_annotations(&[finding()]));
        let findings = [finding()];
        let error = super::super::json::error("manifests", "invalid", &[], None, &findings);
        insta::assert_snapshot!(super::super::json::document(&error));
    }

    #[test]
    fn a_failure_is_one_command_with_what_to_do() {
        let hints = ["plan again".to_owned()];
        let text = github_annotation_of_failure("stale_plan", "100% stale\n::error::x", &hints);
        assert_eq!(
            text,
            "::error title=stale_plan::100%25 stale\\n::error::x (hint: plan again)\n"
        );
    }

    proptest! {
        #[test]
        fn a_finding_is_one_command_whatever_it_says(message in any::<String>(), file in any::<String>()) {
            let mut finding = finding();
            finding.message = message;
            finding.origin.as_mut().expect("it has a place").file = file;
            let text = github_annotations(&[finding]);
            prop_assert_eq!(text.matches('\n').count(), 1);
            prop_assert!(text.starts_with("::error file="));
        }

        #[test]
        fn any_snippet_can_be_shown(text in any::<String>(), start in 0_usize..40, length in 0_usize..40) {
            let mut finding = finding();
            finding.snippet = Some(Snippet { text, line_first: 1, span: start..start + length });
            let shown = diagnostics_as_text(&[finding]);
            prop_assert!(!shown.replace('\n', "").contains(is_unseen));
        }
    }
}
