//! `stoker metrics`: numbers under the names the API gives, and series drawn on one line (A11).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::{Metrics, Sample};
use crate::render::{Paper, Style, Table};

use super::arguments::{OneCommand, OutputFormat};
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::find;
use super::session::{Purpose, Session};

/// How many columns a drawn series takes at most.
const COLUMNS_MAX: usize = 40;

/// The heights a column can have.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Reads and prints.
pub async fn run(context: &Context, command: &OneCommand) -> Result<Exit, Failure> {
    let OneCommand { key, connection } = command;
    find::service(key, "metrics")?;
    let session = Session::open_urgent(context, connection, Purpose::Read)?;
    let service = find::to_read(context, &session.reader, key).await?;
    let metrics = session.reader.metrics(&service.id).await?;
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown => print(context, &metrics),
        OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {
            context.output.document(&MetricsDocument::from(metrics))
        }
    }
    Ok(Exit::Done)
}

fn print(context: &Context, metrics: &Metrics) {
    let Metrics { numbers, series } = metrics;
    if numbers.is_empty() && series.is_empty() {
        context.output.note("There are no metrics.");
    }
    if !numbers.is_empty() {
        context.output.data(&number_table(metrics));
    }
    if !numbers.is_empty() && !series.is_empty() {
        context.output.text("\n");
    }
    if !series.is_empty() {
        context.output.data(&series_table(metrics));
    }
}

fn number_table(metrics: &Metrics) -> Paper {
    let mut table = Table::new(&["METRIC", "VALUE"]);
    for (name, number) in &metrics.numbers {
        table.row(vec![(Style::Plain, name.clone()), (Style::Plain, shown(*number))]);
    }
    table.into()
}

fn series_table(metrics: &Metrics) -> Paper {
    let mut table = Table::new(&["SERIES", "MIN", "MAX", "LAST", ""]);
    for (name, samples) in &metrics.series {
        let values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let last = values.last().copied().unwrap_or_default();
        table.row(vec![
            (Style::Plain, name.clone()),
            (Style::Plain, shown(least)),
            (Style::Plain, shown(most)),
            (Style::Bold, shown(last)),
            (Style::Plain, sparkline(&values)),
        ]);
    }
    table.into()
}

/// Shows a number: whole ones whole, others with two places.
fn shown(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.2}") }
}

/// Draws a series between its least and its most; of several values in a column the largest
/// counts, so that no peak is lost.
fn sparkline(values: &[f64]) -> String {
    let per_column = values.len().div_ceil(COLUMNS_MAX).max(1);
    let peak = |part: &[f64]| part.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let columns: Vec<f64> = values.chunks(per_column).map(peak).collect();
    let least = columns.iter().copied().fold(f64::INFINITY, f64::min);
    let range = peak(&columns) - least;
    let top = HEIGHTS.len() - 1;
    let height = |value: f64| {
        if range <= 0.0 {
            return HEIGHTS[0];
        }
        // A cast from a float saturates, so whatever comes out is within the heights.
        let step = ((value - least) / range * top as f64).round() as usize;
        HEIGHTS[step.min(top)]
    };
    columns.into_iter().map(height).collect()
}

/// The metrics of a service.
#[derive(Serialize, JsonSchema)]
pub struct MetricsDocument {
    /// Single numbers, nested names joined by dots.
    numbers: BTreeMap<String, f64>,
    /// Series, oldest first as given.
    series: BTreeMap<String, Vec<SamplePoint>>,
}

/// One point of a series.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Point")]
struct SamplePoint {
    /// When, as the platform writes it.
    at: Option<String>,
    /// How much, in the platform's unit.
    value: f64,
}

impl From<Metrics> for MetricsDocument {
    fn from(metrics: Metrics) -> Self {
        let Metrics { numbers, series } = metrics;
        let point = |Sample { at, value }: Sample| SamplePoint { at, value };
        let points = |(name, samples): (String, Vec<Sample>)| {
            (name, samples.into_iter().map(point).collect())
        };
        Self { numbers, series: series.into_iter().map(points).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_drawn_between_its_least_and_its_most() {
        assert_eq!(sparkline(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[5.0, 5.0]), "▁▁");
        assert_eq!(sparkline(&[-1e308, 1e308, f64::MAX]).chars().count(), 3);
        assert_eq!(sparkline(&[]), "");
    }

    #[test]
    fn a_peak_is_not_lost_in_a_long_series() {
        let mut values = vec![0.0; 4_000];
        values[1_234] = 9.0;
        let drawn = sparkline(&values);
        assert_eq!(drawn.chars().count(), COLUMNS_MAX);
        assert_eq!(drawn.matches('█').count(), 1);
    }

    #[test]
    fn numbers_are_shown_as_short_as_they_are() {
        assert_eq!((shown(3.0), shown(2.345)), ("3".to_owned(), "2.35".to_owned()));
    }
}
