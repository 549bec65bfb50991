//! Differences that the eye does not see: a closing line break, blanks of another kind, letters that
//! look alike. They are spelled out and named, so that "a -> a" never stands in a plan.

use std::fmt::Write as _;

use crate::model::is_unseen;

/// Letters of other scripts that look like Latin ones, each with that one.
const LOOK_ALIKE: [(&str, &str); 2] = [
    // Cyrillic.
    (
        "\u{410}\u{412}\u{415}\u{417}\u{41a}\u{41c}\u{41d}\u{41e}\u{420}\u{421}\u{422}\u{423}\u{425}\u{430}\u{435}\u{43e}\u{440}\u{441}\u{443}\u{445}\u{405}\u{406}\u{408}\u{455}\u{456}\u{458}\u{501}\u{51b}\u{51d}\u{4bb}",
        "ABE3KMHOPCTYXaeopcyxSIJsijdqwh",
    ),
    // Greek.
    (
        "\u{391}\u{392}\u{395}\u{396}\u{397}\u{399}\u{39a}\u{39c}\u{39d}\u{39f}\u{3a1}\u{3a4}\u{3a5}\u{3a7}\u{3bd}\u{3bf}\u{3f2}",
        "ABEZHIKMNOPTYXvoc",
    ),
];

/// Marks that look like those of a keyboard.
const MARKS_ALIKE: [(&str, char); 3] = [
    ("\u{2010}\u{2011}\u{2012}\u{2013}\u{2212}\u{fe63}\u{ff0d}", '-'),
    ("\u{2018}\u{2019}\u{2032}\u{ff07}", '\''),
    ("\u{201c}\u{201d}\u{ff02}", '"'),
];

/// Returns what two texts differ in, when it is nothing that the eye sees.
pub(super) fn difference(before: &str, after: &str) -> Option<&'static str> {
    if before == after {
        return None;
    }
    let same = |part: &dyn Fn(&str) -> String| part(before) == part(after);
    if same(&|text| text.trim_end_matches(['\n', '\r']).to_owned()) {
        Some("line breaks at the end")
    } else if same(&|text| text.replace("\r\n", "\n")) {
        Some("the form of line breaks")
    } else if same(&|text| text.trim().to_owned()) {
        Some("blanks at the ends")
    } else if same(&of_one_blank) {
        Some("the form of blanks")
    } else if same(&seen) {
        Some("characters that are not seen")
    } else if same(&|text| seen(text).chars().map(latin).collect()) {
        Some("letters that look alike")
    } else {
        None
    }
}

/// Returns a text in which everything that is not plainly seen is spelled out.
pub(super) fn spelled(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' ' => out.push(c),
            c if c.is_whitespace() || is_unseen(c) || latin(c) != c => {
                write!(out, "\\u{{{:x}}}", u32::from(c)).expect("a string takes everything");
            }
            c => out.push(c),
        }
    }
    out
}

/// Blanks between words, of whatever form, as one.
fn of_one_blank(text: &str) -> String {
    let blank = |c: char| if c.is_whitespace() && c != '\n' { ' ' } else { c };
    text.chars().map(blank).collect::<String>().trim().to_owned()
}

/// Only what is seen.
fn seen(text: &str) -> String {
    of_one_blank(text).chars().filter(|c| !is_unseen(*c)).collect()
}

/// Returns the Latin letter, or the mark of a keyboard, that a character looks like.
fn latin(c: char) -> char {
    // Letters of full width.
    if ('\u{ff01}'..='\u{ff5e}').contains(&c) {
        return u32::from(c).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(c);
    }
    let letter = LOOK_ALIKE.iter().find_map(|(theirs, ours)| {
        theirs.chars().zip(ours.chars()).find_map(|(their, our)| (their == c).then_some(our))
    });
    let mark = || MARKS_ALIKE.iter().find(|(marks, _)| marks.contains(c)).map(|(_, mark)| *mark);
    letter.or_else(mark).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_what_is_not_seen_is_named() {
        for (before, after, expected) in [
            ("a", "a\n", Some("line breaks at the end")),
            ("a\r\nb", "a\nb", Some("the form of line breaks")),
            ("a", "a ", Some("blanks at the ends")),
            ("a\tb", "a b", Some("the form of blanks")),
            ("a\u{a0}b", "a b", Some("the form of blanks")),
            ("a\u{200b}b", "ab", Some("characters that are not seen")),
            ("\u{430}pi", "api", Some("letters that look alike")),
            ("a\u{2013}b", "a-b", Some("letters that look alike")),
            ("a", "b", None),
            ("a b", "ab", None),
            ("a", "a", None),
        ] {
            assert_eq!(difference(before, after), expected, "{before:?} {after:?}");
        }
    }

    #[test]
    fn what_is_not_plainly_seen_is_spelled_out_and_all_else_stays() {
        assert_eq!(spelled("a b\n\t\u{a0}\u{200b}\u{430}"), "a b\\n\\t\\u{a0}\\u{200b}\\u{430}");
        assert_eq!(spelled("Größe 日本"), "Größe 日本");
    }

    #[test]
    fn every_letter_of_another_script_has_the_one_it_looks_like() {
        for (theirs, ours) in LOOK_ALIKE {
            assert_eq!(theirs.chars().count(), ours.chars().count());
            assert!(ours.is_ascii() && theirs.chars().all(|c| !c.is_ascii()));
        }
    }
}
