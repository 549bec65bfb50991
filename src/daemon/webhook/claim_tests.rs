//! Signatures of every provider, with the vectors they publish.

use http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::super::payload::Occasion;
use super::*;

const GITHUB_SECRET: &str = "It's a Secret to Everybody";
const STANDARD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const STANDARD_BODY: &str = r#"{"test": 2432232314}"#;
const STANDARD_SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const STANDARD_SECONDS: i64 = 1_614_265_330;
const HELLO: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let line = |(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
    };
    lines.iter().map(line).fold(HeaderMap::new(), |mut all, (name, value)| {
        all.append(name, value);
        all
    })
}

/// Verifies at the time of the Standard Webhooks vector.
fn check(
    provider: Option<Provider>,
    lines: &[(&str, &str)],
    body: &str,
    secret: &str,
) -> Result<Provider, Rejection> {
    check_at(STANDARD_SECONDS, provider, lines, body, secret)
}

fn check_at(
    seconds: i64,
    provider: Option<Provider>,
    lines: &[(&str, &str)],
    body: &str,
    secret: &str,
) -> Result<Provider, Rejection> {
    let now = Timestamp::from_second(seconds).unwrap();
    let secret = SharedSecret::parse(secret).unwrap();
    let delivery = verify(provider, &headers(lines), body.as_bytes(), &secret, now);
    delivery.map(|delivery| delivery.provider)
}

fn hexadecimal(secret: &str, text: &str) -> String {
    let bytes = Mac::of(secret.as_bytes(), &[text.as_bytes()]).bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn published_vectors_hold() {
    let prefixed = format!("sha256={HELLO}");
    let github = [("X-Hub-Signature-256", prefixed.as_str())];
    let body = "Hello, World!";
    assert_eq!(check(None, &github, body, GITHUB_SECRET), Ok(Provider::GitHub));

    let signature = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9";
    let bitbucket = [("X-Hub-Signature", signature)];
    let vector = check(None, &bitbucket, "Hello World!", GITHUB_SECRET);
    assert_eq!(vector, Ok(Provider::Bitbucket));

    let standard = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", STANDARD_SIGNATURE),
    ];
    let vector = check(None, &standard, STANDARD_BODY, STANDARD_SECRET);
    assert_eq!(vector, Ok(Provider::GitLab));

    // RFC 4231, case 2: its key is shorter than we take, so the hash is asked directly.
    assert_eq!(
        hexadecimal("Jefe", "what do ya want for nothing?"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}

#[test]
fn each_provider_is_known_by_its_own_headers() {
    let timed = format!(
        "t={STANDARD_SECONDS},v1={}",
        hexadecimal(GITHUB_SECRET, &format!("{STANDARD_SECONDS}.Hello, World!"))
    );
    let prefixed = format!("sha256={HELLO}");
    let gitea = [
        ("X-Gitea-Signature", HELLO),
        ("X-Hub-Signature-256", prefixed.as_str()),
        ("X-Hub-Signature", "sha1=0"),
    ];
    for (lines, provider) in [
        (&gitea[..], Provider::Gitea),
        (&[("X-Forgejo-Signature", HELLO), ("X-Gitea-Signature", HELLO)][..], Provider::Gitea),
        (&gitea[1..], Provider::GitHub),
        (&[("X-Gitlab-Token", GITHUB_SECRET)][..], Provider::GitLab),
        (&[("X-Stoker-Signature", timed.as_str())][..], Provider::Generic),
    ] {
        for expected in [None, Some(provider)] {
            let outcome = check(expected, lines, "Hello, World!", GITHUB_SECRET);
            assert_eq!(outcome, Ok(provider), "{lines:?}");
        }
    }
}

#[test]
fn what_is_unsigned_or_signed_otherwise_is_not_believed() {
    let body = "Hello, World!";
    let short = format!("sha256={}", &HELLO[..62]);
    let prefixed = format!("sha256={HELLO}");
    let prefixed = prefixed.as_str();
    let github = Some(Provider::GitHub);
    for (provider, lines, expected) in [
        (None, &[][..], Rejection::Unsigned),
        (None, &[("X-GitHub-Event", "push")][..], Rejection::Unsigned),
        (github, &[("X-Gitlab-Token", GITHUB_SECRET)][..], Rejection::Unsigned),
        (github, &[("X-Hub-Signature", prefixed)][..], Rejection::Unsigned),
        (None, &[("X-Hub-Signature", "sha1=0123")][..], Rejection::Unsigned),
        (None, &[("X-Hub-Signature-256", HELLO)][..], Rejection::Unsigned),
        (None, &[("X-Hub-Signature-256", short.as_str())][..], Rejection::Forged),
        (None, &[("X-Hub-Signature-256", "sha256=")][..], Rejection::Forged),
        (None, &[("X-Gitlab-Token", "It's a Secret to Nobody")][..], Rejection::Forged),
        (None, &[("X-Gitlab-Token", "")][..], Rejection::Forged),
        (None, &[("X-Stoker-Signature", "v1=00")][..], Rejection::Forged),
        (None, &[("X-Stoker-Signature", "t=1614265330")][..], Rejection::Forged),
        (
            None,
            &[("X-Hub-Signature-256", prefixed), ("X-Hub-Signature-256", prefixed)][..],
            Rejection::Forged,
        ),
        (None, &[("webhook-signature", STANDARD_SIGNATURE)][..], Rejection::Forged),
    ] {
        assert_eq!(check(provider, lines, body, GITHUB_SECRET), Err(expected), "{lines:?}");
    }
    let signed = [("X-Hub-Signature-256", prefixed)];
    assert_eq!(check(None, &signed, "Hello, World?", GITHUB_SECRET), Err(Rejection::Forged));
    let other = check(None, &signed, body, "It's a Secret to Nobody");
    assert_eq!(other, Err(Rejection::Forged));
}

#[test]
fn every_flipped_bit_of_a_signature_is_noticed() {
    let body = "Hello, World!";
    for at in 0..HELLO.len() {
        let mut digits = HELLO.as_bytes().to_vec();
        digits[at] = if digits[at] == b'0' { b'1' } else { b'0' };
        let value = format!("sha256={}", String::from_utf8(digits).unwrap());
        let outcome = check(None, &[("X-Hub-Signature-256", &value)], body, GITHUB_SECRET);
        assert_eq!(outcome, Err(Rejection::Forged), "digit {at}");
    }
}

#[test]
fn a_signed_time_may_be_five_minutes_away_and_no_more() {
    let signature = hexadecimal(GITHUB_SECRET, "1614265330.{}");
    let value = format!("t=1614265330,v1={signature}");
    let generic = [("X-Stoker-Signature", value.as_str())];
    let standard = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", STANDARD_SIGNATURE),
    ];
    for (away, is_near) in [(0, true), (300, true), (-300, true), (301, false), (-301, false)] {
        let at = STANDARD_SECONDS + away;
        let outcome = check_at(at, None, &generic, "{}", GITHUB_SECRET);
        assert_eq!(outcome.is_ok(), is_near, "generic, {away} s away");
        let outcome = check_at(at, None, &standard, STANDARD_BODY, STANDARD_SECRET);
        assert_eq!(outcome.is_ok(), is_near, "standard, {away} s away");
    }
    // The time is signed, too: another one in the header breaks the signature.
    let moved = format!("t=1614265331,v1={signature}");
    let moved = check(None, &[("X-Stoker-Signature", &moved)], "{}", GITHUB_SECRET);
    assert_eq!(moved, Err(Rejection::Forged));
}

#[test]
fn a_sender_that_changes_its_secret_may_offer_two_signatures() {
    let both = format!("v1,AAAA v2,x {STANDARD_SIGNATURE}");
    let lines = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", both.as_str()),
    ];
    assert!(check(None, &lines, STANDARD_BODY, STANDARD_SECRET).is_ok());
    let (old, new) = (hexadecimal("another secret of old", "1614265330."), "1614265330.");
    let value = format!("t=1614265330,v1={old},v1={}", hexadecimal(GITHUB_SECRET, new));
    assert!(check(None, &[("X-Stoker-Signature", &value)], "", GITHUB_SECRET).is_ok());
}

#[test]
fn the_plain_token_does_not_stand_in_for_a_signing_token() {
    let lines = [("X-Gitlab-Token", STANDARD_SECRET)];
    assert_eq!(check(None, &lines, "{}", STANDARD_SECRET), Err(Rejection::Unsigned));
}

#[test]
fn what_was_signed_makes_the_mark_and_unsigned_headers_do_not() {
    let now = Timestamp::from_second(STANDARD_SECONDS).unwrap();
    let secret = SharedSecret::parse(GITHUB_SECRET).unwrap();
    let delivery = |id: &str, body: &str| {
        let value = format!("sha256={}", hexadecimal(GITHUB_SECRET, body));
        let lines = [
            ("X-Hub-Signature-256", value.as_str()),
            ("X-GitHub-Delivery", id),
            ("X-GitHub-Event", "push"),
        ];
        verify(None, &headers(&lines), body.as_bytes(), &secret, now).unwrap()
    };
    let body = r#"{"ref":"refs/heads/main"}"#;
    assert_eq!(delivery("1", body), delivery("2", body), "a replay with another id is the same");
    assert_ne!(delivery("1", body).mark, delivery("1", "{}").mark);
    let references = vec!["refs/heads/main".to_owned()];
    assert_eq!(delivery("1", body).occasion, Occasion::Push { references });
}

proptest! {
    #[test]
    fn no_signature_made_without_the_secret_is_believed_and_none_panics(
        name in prop::sample::select(vec![
            "x-hub-signature-256", "x-hub-signature", "x-gitea-signature", "x-forgejo-signature",
            "x-gitlab-token", "webhook-signature", "x-stoker-signature",
        ]),
        prefix in prop::sample::select(vec!["", "sha256=", "v1,", "t=1614265330,v1="]),
        value in prop_oneof!["[0-9a-f]{64}", "[ -~]{0,80}"],
        body in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let value = format!("{prefix}{value}");
        let lines = [
            (name, value.as_str()),
            ("webhook-id", "1"),
            ("webhook-timestamp", "1614265330"),
            ("x-github-event", "push"),
        ];
        let now = Timestamp::from_second(STANDARD_SECONDS).unwrap();
        for secret in [GITHUB_SECRET, STANDARD_SECRET] {
            let secret = SharedSecret::parse(secret).unwrap();
            prop_assert!(verify(None, &headers(&lines), &body, &secret, now).is_err());
        }
    }
}
