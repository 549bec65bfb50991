//! Metrics (A11): whatever numbers the API gives, under the names it gives.

use std::collections::BTreeMap;

use serde_json::Value;

use super::json::{Object, text_at};

/// The most names that are kept.
const NAMES_MAX: usize = 500;

/// The most samples of one series that are kept, the latest.
const SAMPLES_MAX: usize = 5_000;

/// How deep objects are followed.
const DEPTH_MAX: usize = 6;

/// The metrics of a service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// Single numbers, nested names joined by dots.
    pub numbers: BTreeMap<String, f64>,
    /// Series, oldest first as given.
    pub series: BTreeMap<String, Vec<Sample>>,
}

/// One point of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// When, as the platform writes it.
    pub at: Option<String>,
    /// How much.
    pub value: f64,
}

/// Reads any JSON object.
pub(in crate::api) fn read_metrics(object: &Object) -> Metrics {
    let mut metrics = Metrics::default();
    collect(object, "", 0, &mut metrics);
    metrics
}

fn collect(object: &Object, prefix: &str, depth: usize, metrics: &mut Metrics) {
    for (key, value) in object {
        if metrics.numbers.len() + metrics.series.len() >= NAMES_MAX {
            return;
        }
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Number(number) => {
                metrics.numbers.extend(number.as_f64().map(|number| (name, number)));
            }
            Value::Object(inner) if depth < DEPTH_MAX => collect(inner, &name, depth + 1, metrics),
            Value::Array(points) => {
                let skipped = points.len().saturating_sub(SAMPLES_MAX);
                let samples: Vec<Sample> = points.iter().skip(skipped).filter_map(sample).collect();
                if !samples.is_empty() {
                    metrics.series.insert(name, samples);
                }
            }
            _ => {}
        }
    }
}

/// Reads a point: a number, `[time, number]`, or an object with a value and a time.
fn sample(point: &Value) -> Option<Sample> {
    match point {
        Value::Number(number) => Some(Sample { at: None, value: number.as_f64()? }),
        Value::Array(pair) => match pair.as_slice() {
            [at, value] => Some(Sample { at: super::json::text(at), value: value.as_f64()? }),
            _ => None,
        },
        Value::Object(point) => Some(Sample {
            at: ["timestamp", "time", "t"].iter().find_map(|key| text_at(point, key)),
            value: ["value", "v"].iter().find_map(|key| point.get(*key)?.as_f64())?,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_series_are_found_wherever_they_are() {
        let json = r#"{"cpu":{"percent":3.5},"requests":[[1,2],[2,4]],"memory":[{"t":"a","value":7}],
            "name":"x","history":[1,2,3],"odd":[["a"],{}]}"#;
        let metrics = read_metrics(&serde_json::from_str(json).unwrap());
        assert_eq!(metrics.numbers, BTreeMap::from([("cpu.percent".to_owned(), 3.5)]));
        let names: Vec<&String> = metrics.series.keys().collect();
        assert_eq!(names, ["history", "memory", "requests"]);
    }
}
