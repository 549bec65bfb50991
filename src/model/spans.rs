//! Parts of a text that are struck out of it.

use std::borrow::Cow;
use std::ops::Range;

/// What stands in a text in place of what must not be seen.
pub const STRUCK: &str = "(secret)";

/// How much may stand between two parts that are struck out as one: a separator tells nothing.
const GAP_BYTES_MAX: usize = 3;

/// Returns a text with [`STRUCK`] in place of its spans, which may overlap.
pub(super) fn replaced(text: &str, mut spans: Vec<Range<usize>>) -> Cow<'_, str> {
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    spans.sort_by_key(|span| (span.start, span.end));
    let mut joined: Vec<Range<usize>> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.start <= last.end + GAP_BYTES_MAX => {
                last.end = last.end.max(span.end);
            }
            Some(_) | None => joined.push(span),
        }
    }
    let mut struck = String::with_capacity(text.len());
    let mut kept = 0;
    for span in joined {
        struck.push_str(&text[kept..span.start]);
        struck.push_str(STRUCK);
        kept = span.end;
    }
    struck.push_str(&text[kept..]);
    Cow::Owned(struck)
}
