//! The text format that Prometheus had before OpenMetrics, and who gets which.
//!
//! Pure. Both say the same of the same; what reads neither by name (a browser, a script, an older
//! collector) gets the older one, because everybody can read that.

use std::fmt::Write;

use http::{HeaderMap, header};

/// The newer form, as its specification names it.
pub(super) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The older form.
pub(super) const PLAIN_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Whether OpenMetrics is asked for, at least as much as plain text.
pub(super) fn wants_open_metrics(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<(&str, f64)> =
        accepted.flat_map(|value| value.split(',')).map(weighed).collect();
    let weight = |name: &str| {
        let named = ranges.iter().filter(|(kind, _)| kind.eq_ignore_ascii_case(name));
        named.map(|(_, weight)| *weight).fold(0.0, f64::max)
    };
    let open = weight("application/openmetrics-text");
    open > 0.0 && open >= weight("text/plain")
}

/// Returns a media range and how much it is wanted.
fn weighed(range: &str) -> (&str, f64) {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q=")).unwrap_or("1");
    (kind, weight.parse().unwrap_or(0.0))
}

/// Turns OpenMetrics into the older form: there a family of counters and of infos bears the name of
/// its samples, an info is a gauge, and neither units nor an end are said.
pub(super) fn plain(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = None;
    for line in open_metrics.lines() {
        if let Some(told) = line.strip_prefix("# HELP ") {
            help = told.split_once(' ');
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|told| told.split_once(' '))
        {
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                kind => ("", kind),
            };
            let help = help.take().map(|(_, help)| help).unwrap_or_default();
            write!(text, "# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {kind}\n")
                .expect("a String takes everything that is written to it");
        } else if !line.starts_with("# UNIT ") && line != "# EOF" {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(accept: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(header::ACCEPT, value.parse().unwrap());
        }
        wants_open_metrics(&headers)
    }

    #[test]
    fn who_asks_for_open_metrics_gets_it_and_everybody_else_what_everybody_reads() {
        // What Prometheus 3 and 2 send.
        assert!(wants(&["application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                         application/openmetrics-text;version=0.0.1;q=0.5,\
                         text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                         text/plain;version=0.0.4;q=0.3,*/*;q=0.2"]));
        assert!(wants(&["application/openmetrics-text; version=1.0.0,text/plain;q=0.5"]));
        assert!(wants(&["text/plain;q=0.1", "application/openmetrics-text"]));
        for other in [&[][..], &["*/*"], &["text/plain"], &["text/html,*/*;q=0.8"]] {
            assert!(!wants(other), "{other:?}");
        }
        assert!(!wants(&["application/openmetrics-text;q=0"]));
        assert!(!wants(&["application/openmetrics-text;q=0.2,text/plain;q=0.9"]));
        assert!(!wants(&["application/openmetrics-text;q=much"]));
    }

    #[test]
    fn families_are_named_as_their_samples() {
        let open = "# HELP a_b Of a.\n# TYPE a_b counter\na_b_total{x=\"# EOF\"} 1\n\
                    # HELP c A c.\n# TYPE c info\nc_info 1\n\
                    # HELP d_seconds A d.\n# TYPE d_seconds gauge\n# UNIT d_seconds seconds\n\
                    d_seconds 2\n# EOF\n";
        let told = "# HELP a_b_total Of a.\n# TYPE a_b_total counter\na_b_total{x=\"# EOF\"} 1\n\
                    # HELP c_info A c.\n# TYPE c_info gauge\nc_info 1\n\
                    # HELP d_seconds A d.\n# TYPE d_seconds gauge\nd_seconds 2\n";
        assert_eq!(plain(open), told);
    }
}
