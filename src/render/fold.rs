//! Folding lines that are too long for a terminal: at blanks, and what follows is set in.

use unicode_width::UnicodeWidthStr;

use super::inert::inert;
use super::paper::{Line, Style};

/// How much further than its line what follows is set in.
const HANGING: usize = 4;

/// The fewest columns that are left for what is set in; on narrower paper nothing is set in.
const COLUMNS_MIN: usize = 20;

/// Folds a line that is longer than the paper is wide. A word stays whole however long it is, so that
/// an address can be copied.
pub(super) fn fold(line: Line, columns: usize) -> Vec<Line> {
    if line.width() <= columns {
        return vec![line];
    }
    let indent = line.0.iter().flat_map(|(_, text)| text.chars()).take_while(|c| *c == ' ').count();
    let hanging = indent + HANGING;
    let hanging = if hanging + COLUMNS_MIN > columns { 0 } else { hanging };
    let mut folded = Folded { lines: Vec::new(), line: Line::default(), width: 0, has_word: false };
    let mut blanks = String::new();
    for (style, piece) in words(&line) {
        if piece.trim().is_empty() {
            blanks.push_str(&piece);
            continue;
        }
        let needed = blanks.width() + piece.width();
        if folded.has_word && !blanks.is_empty() && folded.width + needed > columns {
            folded.begin(hanging);
        } else {
            folded.add(Style::Plain, &std::mem::take(&mut blanks));
        }
        blanks.clear();
        folded.add(style, &piece);
        folded.has_word = true;
    }
    folded.lines.push(folded.line);
    folded.lines
}

/// What was folded so far, and the line that is being filled.
struct Folded {
    lines: Vec<Line>,
    line: Line,
    width: usize,
    has_word: bool,
}

impl Folded {
    fn begin(&mut self, hanging: usize) {
        self.lines.push(std::mem::take(&mut self.line));
        (self.width, self.has_word) = (0, false);
        self.add(Style::Plain, &" ".repeat(hanging));
    }

    fn add(&mut self, style: Style, text: &str) {
        if !text.is_empty() {
            self.width += text.width();
            self.line = std::mem::take(&mut self.line).with(style, text);
        }
    }
}

/// Returns the words of a line and the blanks between them, each with its meaning.
fn words(line: &Line) -> Vec<(Style, String)> {
    let mut words = Vec::new();
    for (style, text) in &line.0 {
        let text = inert(text);
        let mut rest = text.as_ref();
        while let Some(first) = rest.chars().next() {
            let is_blank = first == ' ';
            let end = rest.find(|c: char| (c == ' ') != is_blank).unwrap_or(rest.len());
            let (word, others) = rest.split_at(end);
            words.push((*style, word.to_owned()));
            rest = others;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::paper::Paper;
    use super::*;

    fn check(text: &str, columns: usize) -> String {
        Paper::from(Line::of(text)).within(columns).to_plain()
    }

    #[test]
    fn a_long_line_goes_on_beneath_itself_and_a_word_stays_whole() {
        assert_eq!(check("  a short one", 20), "  a short one\n");
        let place = "  # service/web will be updated          manifests/web.yaml:1";
        let folded = "  # service/web will be updated\n      manifests/web.yaml:1\n";
        assert_eq!(check(place, 40), folded);
        assert_eq!(
            check("see https://a.dev/a/long/address/indeed now", 24),
            "see\n    https://a.dev/a/long/address/indeed\n    now\n"
        );
    }

    proptest! {
        #[test]
        fn folding_loses_no_word(words in proptest::collection::vec("[a-z]{1,12}", 1..30), columns in 10_usize..80) {
            let folded = check(&words.join(" "), columns);
            prop_assert_eq!(folded.split_whitespace().collect::<Vec<_>>(), words);
            for line in folded.lines().filter(|line| line.trim().contains(' ')) {
                prop_assert!(line.width() <= columns, "{line:?}");
            }
        }
    }
}
