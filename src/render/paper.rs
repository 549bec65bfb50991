//! Lines of styled text, and the one place where they become a string.
//!
//! A style says what a piece of text means; colour only repeats it, so the plain form loses nothing.

use std::borrow::Cow;
use std::fmt::Write;

use anstyle::{AnsiColor, Effects};
use unicode_width::UnicodeWidthStr;

use super::fold::fold;
use super::inert::{BROKEN, inert};
use super::table::Table;
use crate::model::{begins_command, break_marks};

/// What a piece of text means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Ordinary text.
    #[default]
    Plain,
    /// What a reader looks for first.
    Bold,
    /// What a reader may skip.
    Dim,
    /// What comes.
    Added,
    /// What goes.
    Removed,
    /// What becomes another.
    Changed,
    /// What must not be done, or failed.
    Blocked,
}

/// One line: pieces of text, each with its meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(pub(super) Vec<(Style, String)>);

/// What is to be printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paper(Vec<Block>);

/// A part of a paper. How a table stands is decided when it is known how wide the paper is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Block {
    Line(Line),
    Table(Table),
}

impl From<Line> for Paper {
    fn from(line: Line) -> Self {
        Self(vec![Block::Line(line)])
    }
}

impl From<Table> for Paper {
    fn from(table: Table) -> Self {
        Self(vec![Block::Table(table)])
    }
}

impl Line {
    /// Begins a line with ordinary text.
    #[must_use]
    pub fn of(text: impl Into<String>) -> Self {
        Self::default().plain(text)
    }

    /// Adds ordinary text.
    #[must_use]
    pub fn plain(self, text: impl Into<String>) -> Self {
        self.with(Style::Plain, text)
    }

    /// Adds text with a meaning.
    #[must_use]
    pub fn with(mut self, style: Style, text: impl Into<String>) -> Self {
        self.0.push((style, text.into()));
        self
    }

    /// Adds another line's text.
    #[must_use]
    pub fn then(mut self, line: Self) -> Self {
        self.0.extend(line.0);
        self
    }

    /// Adds blanks up to a column; at least two when the line is not shorter.
    #[must_use]
    pub fn pad_to(self, column: usize) -> Self {
        let blanks = column.saturating_sub(self.width()).max(2);
        self.plain(" ".repeat(blanks))
    }

    /// Returns how many columns of a terminal it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| inert(text).width()).sum()
    }
}

impl Paper {
    /// Begins an empty paper.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a line.
    pub fn push(&mut self, line: Line) {
        self.0.push(Block::Line(line));
    }

    /// Adds the lines of another paper.
    pub fn extend(&mut self, paper: Self) {
        self.0.extend(paper.0);
    }

    /// Adds an empty line, unless it would be the first or the second in a row.
    pub fn gap(&mut self) {
        let is_empty = |block: &Block| matches!(block, Block::Line(line) if line.0.is_empty());
        if self.0.last().is_some_and(|block| !is_empty(block)) {
            self.push(Line::default());
        }
    }

    /// Returns it within so many columns: tables in bands, long lines folded at their blanks.
    #[must_use]
    pub fn within(self, columns: usize) -> Self {
        let lines = self.0.into_iter().flat_map(|block| match block {
            Block::Line(line) => fold(line, columns),
            Block::Table(table) => {
                let lines = table.lines(Some(columns)).into_iter();
                lines.flat_map(|line| fold(line, columns)).collect()
            }
        });
        Self(lines.map(Block::Line).collect())
    }

    fn lines(&self) -> impl Iterator<Item = Cow<'_, Line>> {
        self.0.iter().flat_map(|block| match block {
            Block::Line(line) => vec![Cow::Borrowed(line)],
            Block::Table(table) => table.lines(None).into_iter().map(Cow::Owned).collect(),
        })
    }

    /// Returns the text without colour.
    #[must_use]
    pub fn to_plain(&self) -> String {
        self.write(|_, text, out| out.push_str(text))
    }

    /// Returns the text with colours for a terminal.
    #[must_use]
    pub fn to_ansi(&self) -> String {
        self.write(|style, text, out| {
            let style = ansi(style);
            write!(out, "{style}{text}{style:#}").expect("a string takes everything");
        })
    }

    /// The one place where text is written: every piece is made inert here, and no line begins
    /// as a command to a build server does.
    fn write(&self, piece: impl Fn(Style, &str, &mut String)) -> String {
        let mut out = String::new();
        for line in self.lines() {
            let start = out.len();
            let plain: String = line.0.iter().map(|(_, text)| inert(text)).collect();
            if begins_command(&plain) {
                out.push('\\');
            }
            for (style, text) in &line.0 {
                piece(*style, &inert(text), &mut out);
            }
            let end = start + out[start..].trim_end_matches(' ').len();
            // Two pieces may make a mark that neither holds.
            let line = break_marks(&out[start..end], BROKEN).into_owned();
            out.truncate(start);
            out.push_str(&line);
            out.push('\n');
        }
        out
    }
}

const fn ansi(style: Style) -> anstyle::Style {
    let plain = anstyle::Style::new();
    match style {
        Style::Plain => plain,
        Style::Bold => plain.effects(Effects::BOLD),
        Style::Dim => plain.effects(Effects::DIMMED),
        Style::Added => AnsiColor::Green.on_default(),
        Style::Removed => AnsiColor::Red.on_default(),
        Style::Changed => AnsiColor::Yellow.on_default(),
        Style::Blocked => AnsiColor::Red.on_default().effects(Effects::BOLD),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::is_unseen;

    #[test]
    fn colour_repeats_what_the_plain_text_says() {
        let mut paper = Paper::new();
        let line = Line::of("  ").with(Style::Added, "+ a");
        paper.push(line.pad_to(10).plain("ü"));
        assert_eq!(paper.to_plain(), "  + a     ü\n");
        assert_eq!(paper.to_ansi(), "  \u{1b}[32m+ a\u{1b}[0m     ü\n");
    }

    #[test]
    fn no_line_begins_a_command_to_a_build_server() {
        for pieces in [&["::error::x"][..], &["  ", "::error::x"], &[":", ":error::x"]] {
            let line = pieces.iter().fold(Line::default(), |line, piece| line.plain(*piece));
            let paper = Paper::from(line);
            let text = pieces.concat();
            assert_eq!(paper.to_plain(), format!("\\{text}\n"));
            assert!(paper.to_ansi().starts_with('\\'));
        }
        let marks = Paper::from(Line::of("a #").plain("#[error]b"));
        assert_eq!(marks.to_plain(), "a #\\#[error]b\n");
    }

    proptest! {
        #[test]
        fn whatever_comes_from_outside_is_inert(
            texts in proptest::collection::vec(any::<String>(), 1..5)
        ) {
            let mut paper = Paper::new();
            for text in &texts {
                paper.push(Line::of("x ").with(Style::Removed, text));
            }
            let plain = paper.to_plain();
            prop_assert_eq!(plain.lines().count(), texts.len());
            prop_assert!(!plain.replace('\n', "").contains(is_unseen));
            let coloured = paper.to_ansi().replace("\u{1b}[31m", "").replace("\u{1b}[0m", "");
            prop_assert!(!coloured.replace('\n', "").contains(is_unseen));
        }
    }
}
