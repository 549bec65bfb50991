//! Text from outside, made harmless to look at (S12).
//!
//! A name or an error of the platform may hold escape sequences that move the cursor, or marks
//! that turn the order of letters around. Nothing that is not seen is let through, and nothing that
//! a build server would take for a command.

use std::borrow::Cow;

use crate::model::{break_marks, is_unseen};

/// How a second `#` is written that would make a command of what follows.
pub(super) const BROKEN: &str = "\\#";

/// Returns text as one harmless line: line breaks and tabs are spelled out, what is not seen goes,
/// and `##[` is broken. What a line may begin with is for whoever puts lines together.
#[must_use]
pub fn inert(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unseen) {
        return break_marks(text, BROKEN);
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
    Cow::Owned(break_marks(&line, BROKEN).into_owned())
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

    #[test]
    fn a_mark_of_a_command_is_broken_also_one_that_appears_when_what_is_not_seen_goes() {
        assert_eq!(inert("a ##[error]b"), "a #\\#[error]b");
        assert_eq!(inert("a #\u{200b}#vso[x]"), "a #\\#vso[x]");
        assert_eq!(inert(&inert("##[a]")), inert("##[a]"));
    }

    proptest! {
        #[test]
        fn any_text_becomes_one_harmless_line(text in any::<String>()) {
            prop_assert!(!inert(&text).contains(is_unseen));
        }
    }
}
