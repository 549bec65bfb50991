//! Every form of a secret, nested and cut.

use std::fmt::Write as _;

use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;

/// Ways in which a text may be repeated.
const FORMS: [&str; 14] = [
    "plain", "upper", "lower", "percent", "Percent", "partly", "form", "json", "doubled", "ascii",
    "python", "html", "base64", "url64",
];

fn written(text: &str, form: &str) -> String {
    let mut out = String::new();
    let mut put = |piece: std::fmt::Arguments<'_>| out.write_fmt(piece).unwrap();
    match form {
        "plain" => put(format_args!("{text}")),
        "upper" => put(format_args!("{}", text.to_ascii_uppercase())),
        "lower" => put(format_args!("{}", text.to_ascii_lowercase())),
        "percent" => text.bytes().for_each(|byte| put(format_args!("%{byte:02x}"))),
        "Percent" => text.bytes().for_each(|byte| put(format_args!("%{byte:02X}"))),
        "partly" => text.bytes().for_each(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => put(format_args!("{}", char::from(byte))),
            _ => put(format_args!("%{byte:02X}")),
        }),
        "form" => put(format_args!("{}", written(text, "partly").replace("%20", "+"))),
        "json" => put(format_args!("{}", serde_json::Value::from(text))),
        "doubled" => put(format_args!("{}", text.replace('\\', "\\\\"))),
        "ascii" => text.encode_utf16().for_each(|unit| match char::from_u32(unit.into()) {
            Some(c @ ('"' | '\\')) => put(format_args!("\\{c}")),
            Some(c) if c.is_ascii_graphic() || c == ' ' => put(format_args!("{c}")),
            _ => put(format_args!("\\u{unit:04x}")),
        }),
        "python" => text.bytes().for_each(|byte| match byte {
            b'\'' | b'\\' => put(format_args!("\\{}", char::from(byte))),
            b' '..=b'~' => put(format_args!("{}", char::from(byte))),
            _ => put(format_args!("\\x{byte:02x}")),
        }),
        "html" => text.chars().for_each(|c| match c {
            '&' => put(format_args!("&amp;")),
            '"' => put(format_args!("&quot;")),
            '\'' => put(format_args!("&#x27;")),
            '<' => put(format_args!("&lt;")),
            c if c.is_ascii() => put(format_args!("{c}")),
            c => put(format_args!("&#{};", u32::from(c))),
        }),
        "base64" => put(format_args!("{}", STANDARD.encode(text))),
        "url64" => put(format_args!("{}", URL_SAFE_NO_PAD.encode(text))),
        other => panic!("no form {other}"),
    }
    out
}

fn check(secret: &str, text: &str, expected: &str) {
    assert_eq!(struck(text, [secret]), expected, "of {text}");
}

#[test]
fn a_secret_is_struck_out_of_a_text_and_the_rest_is_left() {
    check("hunter2-hunter3", "the value hunter2-hunter3 is bad", "the value (secret) is bad");
    check("hunter2-hunter3", "the value is bad", "the value is bad");
    check("", "anything", "anything");
    assert_eq!(struck("none", []), "none");
}

#[test]
fn each_form_is_struck_out_whole() {
    let secret = "p@ss \"w\\rd\" é/ü+<&'x'>\nof two lines";
    for form in FORMS {
        let text = written(secret, form);
        let shown = struck(&text, [secret]).into_owned();
        let bare = shown.replace(STRUCK_HERE, "").replace(['"', '='], "");
        assert!(bare.chars().count() < 4, "{form}: {text}: {shown}");
    }
}

const STRUCK_HERE: &str = super::super::spans::STRUCK;

#[test]
fn a_piece_is_struck_out_wherever_the_secret_was_cut() {
    let secret = "abcdefghijklmnop";
    check(secret, "…ghijklmnop is bad", "…(secret) is bad");
    check(secret, "bad: cdefghijkl!", "bad: (secret)!");
    check(secret, "bad: abcdef…", "bad: (secret)…");
    check(secret, "klmnop is bad", "(secret) is bad");
    check(secret, "not abcdef here", "not abcdef here");
}

#[test]
fn a_short_secret_is_struck_out_as_a_whole_and_no_part_of_a_word() {
    check("prod", "prod is no password", "(secret) is no password");
    check("prod", "a product of production", "a product of production");
    check("hunter2", "xhunter2x", "x(secret)x");
    check("hunter2", "%68unter2", "(secret)");
    check("a", "a service, \"a\"", "(secret) service, \"(secret)\"");
}

#[test]
fn a_secret_within_something_encoded_is_found_at_each_alignment() {
    let secret = "a-rather-long-secret";
    for before in ["", "u", "us", "use", "user:"] {
        let text = STANDARD.encode(format!("{before}{secret}@host"));
        let shown = struck(&text, [secret]).into_owned();
        assert!(shown.contains(STRUCK_HERE) && shown.len() < 24, "{text}: {shown}");
    }
}

proptest! {
    #[test]
    fn no_eight_characters_of_a_secret_are_left_in_any_form_and_cut(
        secret in "[ -~é\n]{8,40}",
        before in "[g-m ]{0,6}",
        forms in prop::collection::vec(prop::sample::select(&FORMS[..]), 1..3),
        begin in 0_usize..60,
        length in 8_usize..120,
    ) {
        let text = forms.iter().fold(secret.clone(), |text, form| written(&text, form));
        let cut: String = text.chars().skip(begin).take(length).collect();
        let text = format!("{before} {cut}");
        let shown = struck(&text, [secret.as_str()]).into_owned();
        let characters: Vec<char> = secret.chars().collect();
        for piece in characters.windows(PIECE_CHARS) {
            let piece: String = piece.iter().collect();
            for form in FORMS {
                let piece = written(&piece, form);
                let piece = match form {
                    "json" => &piece[1..piece.len() - 1],
                    _ => &piece,
                };
                let is_whole = form != "base64" && form != "url64";
                prop_assert!(!is_whole || !shown.contains(piece), "{form} {piece} in {shown}");
            }
        }
    }

    #[test]
    fn what_holds_no_piece_is_left_as_it_is(text in "[a-f \\\\%&;0-9]{0,60}") {
        prop_assert_eq!(struck(&text, ["QRSTUVWXYZ-qrstuvwxyz"]), text.as_str());
    }
}
