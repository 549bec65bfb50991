//! Any request as a webhook: nothing is believed that the secret does not prove.
//!
//! The first line is who is expected, or anything else for whoever the headers name; then headers,
//! an empty line and the body.

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use stoker::daemon::SharedSecret;
use stoker::daemon::webhook::{Occasion, Provider, decide, verify};

use super::scripted::{START, split};

/// What nobody outside knows.
const SECRET: &str = "9c1b2a7e-what-both-sides-know";

/// A secret that is a signing token.
const SIGNING: &str = "whsec_c3Rva2VyLWZ1enotc2lnbmluZy1rZXktMzItYnl0ZXM=";

/// The most references of one push that are taken from a body.
const REFERENCES_MAX: usize = 10_000;

/// Receives a request, from who does not know the secret and from who does.
pub fn webhook(input: &[u8]) {
    let (expected, rest) = split(input, b"\n");
    let (head, body) = split(rest, b"\n\n");
    let expected: Option<Provider> =
        std::str::from_utf8(expected).ok().and_then(|text| text.parse().ok());
    let mut headers = HeaderMap::new();
    for line in head.split(|byte| *byte == b'\n') {
        let (name, value) = split(line, b":");
        let value = HeaderValue::from_bytes(value.trim_ascii());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.trim_ascii()), value) {
            headers.append(name, value);
        }
    }
    let now: Timestamp = START.parse().expect("it is a time");
    let is_told = input.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
    for text in [SECRET, SIGNING] {
        let secret = SharedSecret::parse(text).expect("it is a secret");
        let outcome = verify(expected, &headers, body, &secret, now);
        assert!(is_told || outcome.is_err(), "believed without the secret: {outcome:?}");
        assert!(!format!("{outcome:?}").contains(SECRET), "the secret is shown");
    }
    // GitLab's older form carries the secret itself: with it any body is read.
    headers.insert("x-gitlab-token", HeaderValue::from_static(SECRET));
    let secret = SharedSecret::parse(SECRET).expect("it is a secret");
    let Ok(delivery) = verify(Some(Provider::GitLab), &headers, body, &secret, now) else {
        return;
    };
    if let Occasion::Push { references } = &delivery.occasion {
        assert!(references.len() <= REFERENCES_MAX, "{} references", references.len());
    }
    let again = verify(Some(Provider::GitLab), &headers, body, &secret, now);
    assert_eq!(again.as_ref().map(|it| it.mark), Ok(delivery.mark), "a mark is always the same");
    for followed in [None, Some("refs/heads/main")] {
        let verdict = decide(&delivery.occasion, followed);
        assert_eq!(verdict, decide(&delivery.occasion, followed));
    }
}
