//! Text from outside, made harmless to look at (S12).
//!
//! A name or an error of the platform may hold escape sequences that move the cursor, or marks
//! that turn the order of letters around. Nothing that is not seen is let through.

use std::borrow::Cow;

/// What is not seen, or moves what is: format, bidi, joiners, fillers, separators, tags.
const UNSEEN: &[(char, char)] = &[
    ('\u{00ad}', '\u{00ad}'),
    ('\u{034f}', '\u{034f}'),
    ('\u{061c}', '\u{061c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Whether a character is not seen, or moves what is.
pub(super) fn is_unseen(c: char) -> bool {
    let is_listed = |(first, last): &(char, char)| (*first..=*last).contains(&c);
    c.is_control() || UNSEEN.iter().any(is_listed)
}

/// Returns text as one harmless line: line breaks and tabs are spelled out, what is not seen goes.
#[must_use]
pub fn inert(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unseen) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            c if is_unseen(c) => {}
            c => line.push(c),
        }
    }
    Cow::Owned(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn line_breaks_are_spelled_out_and_what_is_not_seen_goes() {
        let text = "a\u{1b}[31mred\u{1b}[0m\r\nb\t\u{202e}c\u{200b}\u{9b}d\u{7}";
        assert_eq!(inert(text), "a[31mred[0m\\r\\nb\\tcd");
    }

    proptest! {
        #[test]
        fn any_text_becomes_one_harmless_line(text in any::<String>()) {
            prop_assert!(!inert(&text).contains(is_unseen));
        }
    }
}
