//! What is a secret, though nobody declared it one: by its name, or by what it looks like (S9).
//!
//! One judge for every text, whether declared, live or foreign. It errs towards hiding: what it
//! takes for a secret is only not shown. It deliberately knows no particular secret;
//! [`super::struck`] does.

mod names;

use std::borrow::Cow;
use std::ops::Range;

use super::spans::replaced;
use super::{EnvKey, FieldPath, FieldValue};

use names::{is_told, key_looks_secret};

/// Whether a variable looks like a secret: by the words of its key, or by what its value holds.
#[must_use]
pub fn looks_secret(key: &EnvKey, value: &str) -> bool {
    is_told(key.as_str(), value) || holds_secret(value)
}

/// Whether the value at a path is a secret or looks like one.
#[must_use]
pub fn is_secret_at(path: &FieldPath, value: &FieldValue) -> bool {
    let is_named = || path.env_key().is_some_and(|key| key_looks_secret(key.as_str()));
    let is_told = |text: &str| path.env_key().is_some_and(|key| is_told(key.as_str(), text));
    match value {
        FieldValue::Secret(_) => true,
        FieldValue::Reference(_) => false,
        FieldValue::Text(text) => is_told(text) || holds_secret(text),
        FieldValue::Set(items) => is_named() || items.iter().any(|item| holds_secret(item)),
        FieldValue::Integer(_) | FieldValue::Boolean(_) => is_named(),
    }
}

/// Whether a text holds what looks like a secret.
#[must_use]
pub fn holds_secret(text: &str) -> bool {
    !secrets_in(text).is_empty()
}

/// Returns a text in which what looks like a secret is struck out, and the rest still stands.
#[must_use]
pub fn concealed(text: &str) -> Cow<'_, str> {
    replaced(text, secrets_in(text))
}

/// Finds what looks like a secret: logins of URLs, values given to telling names, known forms.
fn secrets_in(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    logins(text, &mut found);
    assignments(text, &mut found);
    options(text, &mut found);
    known_forms(text, &mut found);
    found
}

const fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`')
}

/// Whether a value only says where the secret is: a variable of a shell, a place holder, or what
/// was struck out already.
fn is_stand_in(value: &str) -> bool {
    value.is_empty()
        || value.starts_with(['$', '<', '*', '…', '•'])
        || value.starts_with("{{")
        || value.starts_with("(secret")
        || value.starts_with("\\(secret")
}

/// How far a login, a token or a key reaches at most: what is longer is none, and to look on from
/// every place would take the square of the text's length (S12).
const REACH_BYTES_MAX: usize = 8 * 1024;

/// Returns the beginning of a text, as far as anything of interest can reach.
fn reach(text: &str) -> &str {
    &text[..text.floor_char_boundary(REACH_BYTES_MAX)]
}

/// The password of every URL, and the user of one over http: hosts of code give out tokens that
/// stand there.
fn logins(text: &str, found: &mut Vec<Range<usize>>) {
    for (place, mark) in text.match_indices("://") {
        let start = place + mark.len();
        let is_end = |c: char| c.is_whitespace() || is_quote(c) || matches!(c, '<' | '>');
        let rest = reach(&text[start..]);
        let rest = &rest[..rest.find(is_end).unwrap_or(rest.len())];
        let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        let port = authority.split_once(':').map(|(_, port)| port);
        let is_no_port = port.is_some_and(|port| port.contains(|c: char| !c.is_ascii_digit()));
        let login = match authority.rfind('@') {
            Some(at) => &authority[..at],
            // Somebody wrote a password with a slash as it is.
            None if is_no_port && !authority.starts_with('[') => match rest.rfind('@') {
                Some(at) => &rest[..at],
                None => continue,
            },
            None => continue,
        };
        let ends_with = |scheme: &str| {
            let begin = place.checked_sub(scheme.len());
            begin
                .and_then(|begin| text.get(begin..place))
                .is_some_and(|it| it.eq_ignore_ascii_case(scheme))
        };
        let is_web = ends_with("http") || ends_with("https");
        let password = login.split_once(':').map(|(user, password)| (user.len() + 1, password));
        match password {
            _ if is_web && !is_stand_in(login) => found.push(start..start + login.len()),
            Some((begin, password)) if !is_stand_in(password) => {
                found.push(start + begin..start + login.len());
            }
            Some(_) | None => {}
        }
    }
}

/// What is given to a telling name: `PASSWORD=…`, `--api-key=…`, `?token=…`, `"secret": "…"`.
fn assignments(text: &str, found: &mut Vec<Range<usize>>) {
    let mut looked_at = 0;
    for (place, mark) in text.match_indices(['=', ':']) {
        if place < looked_at {
            continue;
        }
        let before = &text[..place];
        let is_quoted = before.ends_with(is_quote);
        // `password: too short` is a sentence; `"password":"…"` is none.
        if mark == ":" && !is_quoted {
            continue;
        }
        let bare = before.trim_end_matches(|c: char| is_quote(c) || c == '\\');
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let name = &bare[bare.trim_end_matches(is_of_name).len()..];
        let after = &text[place + mark.len()..];
        if name.is_empty() || after.starts_with('=') || !key_looks_secret(name) {
            continue;
        }
        let blanks = if mark == ":" { after.len() - after.trim_start().len() } else { 0 };
        let value = value_at(&after[blanks..], &['&', ';', ',', '}', ')']);
        let start = place + mark.len() + blanks;
        // A number or a truth under a quoted name is seldom a secret, and never in quotes.
        let is_quoted = after[blanks..].trim_start_matches('\\').starts_with(is_quote);
        if mark == "=" || is_quoted {
            looked_at = start + value.end;
            note(text, start, value, found);
        }
    }
}

/// Options whose value is the next word: `--password hunter2`, `-u user:hunter2`; and `Bearer …`.
fn options(text: &str, found: &mut Vec<Range<usize>>) {
    for (place, blank) in text.match_indices([' ', '\t']) {
        let word = text[..place].rsplit(|c: char| c.is_whitespace()).next().unwrap_or_default();
        let start = place + blank.len();
        let value = value_at(&text[start..], &[]);
        let bare = &text[start + value.start..start + value.end];
        let word = word.trim_start_matches(is_quote);
        if word.starts_with("--")
            && !word.contains('=')
            && !bare.starts_with('-')
            && key_looks_secret(word)
        {
            note(text, start, value, found);
        } else if matches!(word, "-u" | "--user" | "--proxy-user") {
            if let Some((user, password)) = bare.split_once(':')
                && !is_stand_in(password)
            {
                let begin = start + value.start + user.len() + 1;
                found.push(begin..start + value.end);
            }
        } else if is_scheme(word) && is_opaque(bare) {
            note(text, start, value, found);
        }
    }
}

/// Whether a word announces a credential, as in `Authorization: Bearer …`.
fn is_scheme(word: &str) -> bool {
    ["bearer", "basic"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

/// Whether a word is no word of a language.
fn is_opaque(word: &str) -> bool {
    word.len() >= 8 && (word.contains(|c: char| c.is_ascii_digit()) || word.len() >= 20)
}

/// Returns where the value at the beginning of a text stands in it: within its quotes, or up to
/// the next blank or one of `ends`.
fn value_at(text: &str, ends: &[char]) -> Range<usize> {
    let escapes = text.len() - text.trim_start_matches('\\').len();
    let rest = &text[escapes..];
    match rest.chars().next().filter(|c| is_quote(*c)) {
        Some(quote) => {
            let start = escapes + quote.len_utf8();
            let end = text[start..].find(quote).map_or(text.len(), |end| start + end);
            start..end
        }
        None => {
            let is_end = |c: char| c.is_whitespace() || is_quote(c) || ends.contains(&c);
            0..text.find(is_end).unwrap_or(text.len())
        }
    }
}

fn note(text: &str, start: usize, value: Range<usize>, found: &mut Vec<Range<usize>>) {
    let span = start + value.start..start + value.end;
    if !is_stand_in(&text[span.clone()]) {
        found.push(span);
    }
}

/// Tokens that say what they are by how they begin, and how many characters follow at least.
const FORMS: [(&str, usize); 27] = [
    ("sb_live_", 8),
    ("sb_test_", 8),
    ("kbr_pat_", 8),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("gldt-", 16),
    ("glrt-", 16),
    ("glptt-", 16),
    ("AKIA", 16),
    ("ASIA", 16),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxa-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("xapp-", 10),
    ("sk_live_", 10),
    ("sk_test_", 10),
    ("rk_live_", 10),
    ("rk_test_", 10),
    ("whsec_", 16),
    ("npm_", 30),
];

/// The shortest JSON Web Token: three parts, the smallest header and an empty payload.
const WEB_TOKEN_CHARS_MIN: usize = 30;

const PRIVATE_KEY_BEGINS: &str = "-----BEGIN ";
const PRIVATE_KEY: &str = "PRIVATE KEY-----";

/// Whoever knows what follows this address may write into somebody's chat.
const CHAT_HOOKS: &str = "hooks.slack.com/services/";

fn known_forms(text: &str, found: &mut Vec<Range<usize>>) {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let (mut is_inside, mut looked_at) = (false, 0);
    for (place, c) in text.char_indices() {
        let begins = !is_inside && place >= looked_at;
        is_inside = c.is_ascii_alphanumeric() || c == '_';
        if !begins || !c.is_ascii_alphabetic() {
            continue;
        }
        let rest = reach(&text[place..]);
        for (form, chars_min) in FORMS {
            let Some(tail) = rest.strip_prefix(form) else { continue };
            let length = tail.find(|c| !is_of_token(c)).unwrap_or(tail.len());
            if length >= chars_min {
                looked_at = place + form.len() + length;
                found.push(place..looked_at);
            }
        }
        if rest.starts_with("eyJ") {
            let length = rest.find(|c| !is_of_token(c) && c != '.').unwrap_or(rest.len());
            let is_whole = rest[..length].matches('.').count() >= 2;
            if is_whole && length >= WEB_TOKEN_CHARS_MIN {
                looked_at = place + length;
                found.push(place..looked_at);
            }
        }
    }
    private_keys(text, found);
    for (place, mark) in text.match_indices(CHAT_HOOKS) {
        let start = place + mark.len();
        note(text, start, value_at(&text[start..], &[]), found);
    }
}

fn private_keys(text: &str, found: &mut Vec<Range<usize>>) {
    let mut looked_at = 0;
    for (place, mark) in text.match_indices(PRIVATE_KEY_BEGINS) {
        if place < looked_at {
            continue;
        }
        let rest = reach(&text[place + mark.len()..]);
        let label = rest.find("-----").map(|end| &rest[..end + "-----".len()]);
        if label.is_some_and(|label| label.ends_with(PRIVATE_KEY)) {
            looked_at = text[place..].find("-----END").map_or(text.len(), |end| place + end);
            found.push(place..looked_at);
        }
    }
}

#[cfg(test)]
mod tests;
