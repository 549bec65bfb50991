//! Columns for `get`, aligned by what a terminal shows, wide characters included.

use std::ops::Range;

use unicode_width::UnicodeWidthStr;

use super::inert::inert;
use super::paper::{Line, Style};

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

    /// Returns it as lines, three blanks between the columns; on narrow paper those columns that do not
    /// fit stand in bands below the first ones.
    pub(super) fn lines(&self, columns: Option<usize>) -> Vec<Line> {
        let heading = self.heading.iter().map(|cell| (Style::Bold, cell.clone()));
        let heading: Vec<_> = heading.collect();
        let bands = self.bands(columns);
        let rows = std::iter::once(&heading).chain(&self.rows);
        rows.flat_map(|row| bands.iter().map(|band| self.line(row, band))).collect()
    }

    fn line(&self, row: &[(Style, String)], band: &Range<usize>) -> Line {
        let mut column = indent(band);
        let mut line = if column == 0 { Line::default() } else { Line::of(" ".repeat(column)) };
        for number in band.clone() {
            let (style, cell) = &row[number];
            line = line.with(*style, cell.clone());
            column += self.width(number) + GAP;
            line = line.pad_to(column);
        }
        line
    }

    /// Parts the columns into bands that fit, each as long as it can be.
    fn bands(&self, columns: Option<usize>) -> Vec<Range<usize>> {
        let mut bands = Vec::new();
        let (mut band, mut end) = (0..0, 0);
        for number in 0..self.heading.len() {
            let width = self.width(number);
            if columns.is_some_and(|columns| end + width > columns) && !band.is_empty() {
                bands.push(band);
                band = number..number;
                end = indent(&band);
            }
            band.end = number + 1;
            end += width + GAP;
        }
        bands.push(band);
        bands
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[column].1.as_str());
        let cells = cells.chain([self.heading[column].as_str()]);
        cells.map(|cell| inert(cell).width()).max().unwrap_or(0)
    }
}

/// The blanks between two columns.
const GAP: usize = 3;

/// How far a band below the first is set in.
const fn indent(band: &Range<usize>) -> usize {
    if band.start == 0 { 0 } else { 4 }
}

#[cfg(test)]
mod tests {
    use super::super::paper::Paper;
    use super::*;

    #[test]
    fn columns_stand_below_each_other_also_beside_wide_characters() {
        let mut table = Table::new(&["NAME", "STATUS", "URL"]);
        let cell = |text: &str| (Style::Plain, text.to_owned());
        table.row(vec![cell("service/api"), cell("live"), cell("https://a.dev")]);
        table.row(vec![cell("日本語"), cell("\u{1b}[2Jgone\n")]);
        assert_eq!(
            Paper::from(table).to_plain(),
            "NAME          STATUS      URL\n\
             service/api   live        https://a.dev\n\
             日本語        [2Jgone\\n\n"
        );
    }

    #[test]
    fn on_narrow_paper_columns_stand_in_bands_and_nothing_is_lost() {
        let mut table = Table::new(&["KIND/NAME", "TYPE", "STATUS", "OWNED", "URL"]);
        let cell = |text: &str| (Style::Plain, text.to_owned());
        for name in ["service/api", "service/storefront"] {
            let url = "https://storefront.stackblaze.dev";
            table.row(vec![cell(name), cell("web"), cell("live"), cell("created"), cell(url)]);
        }
        let text = Paper::from(table.clone()).within(60).to_plain();
        assert_eq!(
            text,
            "KIND/NAME            TYPE   STATUS   OWNED\n    URL\n\
             service/api          web    live     created\n    https://storefront.stackblaze.dev\n\
             service/storefront   web    live     created\n    https://storefront.stackblaze.dev\n"
        );
        let wide = Paper::from(table.clone()).within(200).to_plain();
        assert_eq!(wide, Paper::from(table).to_plain());
    }
}
