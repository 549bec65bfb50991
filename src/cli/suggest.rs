//! "Did you mean": the nearest of some names.

/// The least likeness (Jaro–Winkler) at which two names are taken for one with a typing mistake.
const LIKENESS_MIN: f64 = 0.8;

/// Returns the name most like a text, when one is like it at all.
pub fn nearest(text: &str, names: impl Iterator<Item = String>) -> Option<String> {
    names
        .map(|name| (strsim::jaro_winkler(text, &name), name))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, name)| name)
}
