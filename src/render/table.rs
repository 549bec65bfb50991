//! Columns for `get`, aligned by what a terminal shows, wide characters included.

use unicode_width::UnicodeWidthStr;

use super::inert::inert;
use super::paper::{Line, Paper, Style};

/// Rows of cells below a heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    heading: Vec<String>,
    /// Each as long as the heading.
    rows: Vec<Vec<(Style, String)>>,
}

impl Table {
    /// Begins a table with these columns.
    #[must_use]
    pub fn new(heading: &[&str]) -> Self {
        Self { heading: heading.iter().map(ToString::to_string).collect(), rows: Vec::new() }
    }

    /// Adds a row; cells that are missing are empty, what is beyond the heading is left out.
    pub fn row(&mut self, mut cells: Vec<(Style, String)>) {
        cells.resize(self.heading.len(), (Style::Plain, String::new()));
        self.rows.push(cells);
    }

    /// Returns it as lines, three blanks between the columns.
    #[must_use]
    pub fn to_paper(&self) -> Paper {
        let heading = self.heading.iter().map(|cell| (Style::Bold, cell.clone()));
        let heading: Vec<_> = heading.collect();
        let mut paper = Paper::new();
        for row in std::iter::once(&heading).chain(&self.rows) {
            let mut line = Line::default();
            let mut column = 0;
            for (number, (style, cell)) in row.iter().enumerate() {
                line = line.with(*style, cell.clone());
                column += self.width(number) + 3;
                line = line.pad_to(column);
            }
            paper.push(line);
        }
        paper
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[column].1.as_str());
        let cells = cells.chain([self.heading[column].as_str()]);
        cells.map(|cell| inert(cell).width()).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_also_beside_wide_characters() {
        let mut table = Table::new(&["NAME", "STATUS", "URL"]);
        let cell = |text: &str| (Style::Plain, text.to_owned());
        table.row(vec![cell("service/api"), cell("live"), cell("https://a.dev")]);
        table.row(vec![cell("日本語"), cell("\u{1b}[2Jgone\n")]);
        assert_eq!(
            table.to_paper().to_plain(),
            "NAME          STATUS      URL\n\
             service/api   live        https://a.dev\n\
             日本語        [2Jgone\\n\n"
        );
    }
}
