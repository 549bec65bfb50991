//! What a build server takes for a command when it stands in the log of a step (S12).
//!
//! GitHub Actions obeys a line that begins with `::`, whatever blanks stand before it, and `##[`
//! anywhere in a line; Azure Pipelines obeys `##[` and `##vso[`, TeamCity `##teamcity[`. They read
//! what a program prints, in whatever form.

use std::borrow::Cow;

/// Whether a line begins as a command does.
#[must_use]
pub fn begins_command(line: &str) -> bool {
    line.trim_start().starts_with("::")
}

/// Whether a build server could take any line of a text for a command.
#[must_use]
pub fn holds_command(text: &str) -> bool {
    text.lines().any(begins_command) || marks(text).next().is_some()
}

/// Returns a text in which no `##word[` stands: `second` is written for its second `#`, in the
/// spelling of the form that the text is in.
#[must_use]
pub fn break_marks<'a>(text: &'a str, second: &str) -> Cow<'a, str> {
    let mut broken = String::new();
    let mut copied = 0;
    for place in marks(text) {
        broken.push_str(&text[copied..place]);
        broken.push_str(second);
        copied = place + 1;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    broken.push_str(&text[copied..]);
    Cow::Owned(broken)
}

/// Returns where the second `#` of each `##word[` stands.
fn marks(text: &str) -> impl Iterator<Item = usize> {
    text.match_indices('[').filter_map(|(bracket, _)| {
        let before = text[..bracket].trim_end_matches(|c: char| c.is_ascii_alphanumeric());
        before.ends_with("##").then(|| before.len() - 1)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_command_is_known_wherever_it_stands() {
        for command in [
            "::error::x",
            " \t::set-output name=a::b",
            "first\n  ::stop-commands::x",
            "a ##[error]b",
            "###[group]",
            "x##vso[task.setvariable variable=a]b",
            "##teamcity[testFailed name='a']",
        ] {
            assert!(holds_command(command), "{command}");
        }
        for text in ["a::b", "std::fmt", "# [x]", "## heading [x]", "#[test]", ": :error::", "[##]"]
        {
            assert!(!holds_command(text), "{text}");
        }
    }

    #[test]
    fn a_broken_mark_is_written_in_the_spelling_of_its_form() {
        assert_eq!(break_marks("a ##[b] ##vso[c]", "\\#"), "a #\\#[b] #\\#vso[c]");
        assert_eq!(break_marks("###[", "\\u0023"), "##\\u0023[");
        assert!(matches!(break_marks("## [x]", "\\#"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn no_mark_is_left(text in "[#a\\[ é]{0,30}") {
            let broken = break_marks(&text, "\\#");
            prop_assert!(marks(&broken).next().is_none(), "{broken}");
            prop_assert_eq!(broken.replace("\\#", "#"), text);
        }
    }
}
