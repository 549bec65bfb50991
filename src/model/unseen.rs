//! Characters that are not seen, or that move what is: a text that holds one may read as another.
//!
//! What is done about them is the matter of whoever writes: `render` drops them, JSON and YAML spell
//! them out.

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

/// Whether a character is not seen, or moves what is (S12).
#[must_use]
pub fn is_unseen(c: char) -> bool {
    let is_listed = |(first, last): &(char, char)| (*first..=*last).contains(&c);
    c.is_control() || UNSEEN.iter().any(is_listed)
}
