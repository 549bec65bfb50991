//! Which names are those of secrets.

/// Closing words of a key that only speaks of a secret.
const HARMLESS_LAST: [&str; 26] = [
    "NAME",
    "PATH",
    "FILE",
    "LENGTH",
    "TTL",
    "EXPIRY",
    "EXPIRES",
    "ID",
    "ENABLE",
    "ENABLED",
    "DISABLE",
    "DISABLED",
    "REQUIRED",
    "MIN",
    "MAX",
    "COUNT",
    "TIMEOUT",
    "HOST",
    "PORT",
    "REGION",
    "ARN",
    "TYPE",
    "ALGORITHM",
    "SECONDS",
    "MINUTES",
    "DAYS",
];

/// Words that make a key that of a secret wherever they stand in it.
const SECRET_ANYWHERE: [&str; 14] = [
    "SECRET",
    "SECRETS",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "CRED",
    "CREDS",
    "CREDENTIAL",
    "CREDENTIALS",
    "APIKEY",
    "PRIVATE",
    "ACCESSKEY",
    "AUTHTOKEN",
    "SECRETKEY",
];

/// Words that make a key that of a secret when they close it.
const SECRET_LAST: [&str; 8] = ["TOKEN", "KEY", "PASS", "PWD", "PEM", "SALT", "PEPPER", "PW"];

/// What closes the last word of such a key, as of `PGPASSWORD`, and words that only sound alike.
const SECRET_ENDINGS: [&str; 4] = ["PASSWORD", "PASSWD", "PASS", "PWD"];
const NOT_SECRET: [&str; 4] = ["ASKPASS", "BYPASS", "COMPASS", "OLDPWD"];

/// Whether a name is that of a secret. The closing word decides first, so that `TOKEN_TTL` and
/// `PASSWORD_MIN_LENGTH` stay readable.
pub(super) fn key_looks_secret(key: &str) -> bool {
    let upper = words_apart(key).to_ascii_uppercase();
    let words = upper.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let last = words.last().copied().unwrap_or_default();
    let is_public = words.iter().any(|word| matches!(*word, "PUBLIC" | "PUBLISHABLE"));
    if HARMLESS_LAST.contains(&last) || NOT_SECRET.contains(&last) || is_public {
        return false;
    }
    closes_secret(&words) || words.iter().any(|word| SECRET_ANYWHERE.contains(word))
}

fn closes_secret(words: &[&str]) -> bool {
    let Some((last, before)) = words.split_last() else { return false };
    // `BASIC_AUTH` holds a login; `auth` alone says how somebody logs in.
    SECRET_LAST.contains(last)
        || SECRET_ENDINGS.iter().any(|ending| last.ends_with(ending))
        || (*last == "AUTH" && !before.is_empty())
}

/// Whether a key tells that its value is a secret. A truth is none, and neither is a number under a
/// key in which a telling word does not come last: `PASSWORD_RESET_ATTEMPTS=3`.
pub(super) fn is_told(key: &str, value: &str) -> bool {
    const TRUTHS: [&str; 6] = ["true", "false", "yes", "no", "on", "off"];
    if !key_looks_secret(key) {
        return false;
    }
    let is_truth = TRUTHS.iter().any(|truth| value.eq_ignore_ascii_case(truth));
    let is_number = value.parse::<f64>().is_ok();
    let upper = words_apart(key).to_ascii_uppercase();
    let words: Vec<&str> = upper.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let comes_last =
        closes_secret(&words) || words.last().is_some_and(|word| SECRET_ANYWHERE.contains(word));
    !is_truth && (!is_number || comes_last)
}

/// Parts the words of `dbPassword`, which options and fields of JSON are named like.
fn words_apart(key: &str) -> String {
    let mut apart = String::with_capacity(key.len() + 4);
    let mut was_small = false;
    for c in key.chars() {
        if was_small && c.is_ascii_uppercase() {
            apart.push('_');
        }
        was_small = c.is_ascii_lowercase();
        apart.push(c);
    }
    apart
}
