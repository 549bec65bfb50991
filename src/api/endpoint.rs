//! Where the API is, and the token for it.
//!
//! Parsed once at the door: an `Endpoint` that exists may be sent a token, a `Token` that exists
//! fits in a header. It deliberately reads no environment.

use std::fmt;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::route::Route;
use crate::ledger::TokenDigest;
use crate::model::names_loopback;

/// The vendor's own address of version 1 (F1).
pub const ENDPOINT_DEFAULT: &str = "https://api.stackblaze.cloud/v1";

/// Far beyond any token; bounds what is put in a header.
const TOKEN_LENGTH_MAX: usize = 4096;

/// The base URL of an API, safe to send a token to.
///
/// Invariant: https, or http to a loopback host; no user name, query or fragment; the path does
/// not end with a slash unless it is the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Url);

/// Why a text is no address of an API, a fragment that completes "failed to …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use the API URL: {0}")]
pub struct EndpointError(String);

impl Endpoint {
    /// Parses the base URL of an API.
    ///
    /// # Errors
    /// When a token could be seen on the way there, or the URL means more than a place.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        // The text is not repeated in errors: it may hold a password.
        let fail = |reason: &str| Err(EndpointError(reason.to_owned()));
        let mut url = match Url::parse(text.trim()) {
            Ok(url) => url,
            Err(error) => return fail(&format!("{error}; it should look like {ENDPOINT_DEFAULT}")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return fail("it contains a user name or password; the token has its own setting");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return fail("it contains a query or fragment");
        }
        let Some(host) = url.host_str() else {
            return fail("it has no host");
        };
        match url.scheme() {
            "https" => {}
            "http" if names_loopback(host) => {}
            "http" => return fail("http would show the token to the network; use https"),
            _ => return fail("only https (or http to this machine) is supported"),
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// Returns origin and base path, as the pin remembers them (S5).
    #[must_use]
    pub fn origin(&self) -> String {
        self.0.as_str().trim_end_matches('/').to_owned()
    }

    /// Returns the URL of a route, every identifier as one percent-encoded segment.
    pub(super) fn url(&self, route: &Route<'_>, query: &[(&str, String)]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(route.segments());
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

/// A token of the API. It has no `Display`, and its `Debug` shows nothing (S9).
#[derive(Clone)]
pub struct Token(SecretString);

/// Why a text is no token. It never repeats the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use the API token: {0}")]
pub struct TokenError(&'static str);

impl Token {
    /// Parses a token; blanks around it, as a file's last newline, are not part of it.
    ///
    /// # Errors
    /// When it is empty, too long, or holds what cannot stand in a header.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TokenError("it is empty"));
        }
        if text.len() > TOKEN_LENGTH_MAX {
            return Err(TokenError("it is longer than 4096 bytes"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError("it contains a space, a control or a non-ASCII character"));
        }
        Ok(Self(SecretString::from(text)))
    }

    /// Returns what names the token's budget on disk without giving it away.
    #[must_use]
    pub fn digest(&self) -> TokenDigest {
        TokenDigest::of(self.0.expose_secret())
    }

    /// Returns the value of the `Authorization` header, marked so that nothing prints it.
    pub(super) fn header(&self) -> http::HeaderValue {
        let text = format!("Bearer {}", self.0.expose_secret());
        let mut value = http::HeaderValue::from_str(&text)
            .expect("the token was checked by Token::parse to be visible ASCII");
        value.set_sensitive(true);
        value
    }

    /// Returns the token, to strike it out of foreign text.
    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RemoteId;

    fn check(text: &str, expected: &str) {
        let shown = match Endpoint::parse(text) {
            Ok(endpoint) => endpoint.origin(),
            Err(error) => error.to_string(),
        };
        assert!(shown.contains(expected), "{text}: {shown}");
    }

    #[test]
    fn a_token_is_only_sent_where_nobody_can_read_it_on_the_way() {
        check("https://api.stackblaze.cloud/v1/", "https://api.stackblaze.cloud/v1");
        check("https://API.stackblaze.cloud:443/v1", "https://api.stackblaze.cloud/v1");
        check("http://127.0.0.1:8080", "http://127.0.0.1:8080");
        check("http://[::1]:8080/x", "http://[::1]:8080/x");
        check("http://localhost/", "http://localhost");
        check("http://api.stackblaze.cloud/v1", "http would show the token");
        check("http://localhost.evil.dev/v1", "http would show the token");
        check("http://127.0.0.1.evil.dev/v1", "http would show the token");
        check("ftp://localhost/v1", "only https");
        check("https://a:b@api.stackblaze.cloud/v1", "user name or password");
        check("https://api.stackblaze.cloud/v1?x=1", "query or fragment");
        check("api.stackblaze.cloud/v1", "it should look like");
    }

    #[test]
    fn a_malicious_id_stays_one_segment() {
        let endpoint = Endpoint::parse("https://api.dev/v1").unwrap();
        for (id, expected) in [
            ("svc_1", "https://api.dev/v1/services/svc_1"),
            ("../../admin", "https://api.dev/v1/services/..%2F..%2Fadmin"),
            ("a?b#c", "https://api.dev/v1/services/a%3Fb%23c"),
            ("%2e%2e", "https://api.dev/v1/services/%252e%252e"),
            ("a\\b", "https://api.dev/v1/services/a%5Cb"),
            ("//evil.dev", "https://api.dev/v1/services/%2F%2Fevil.dev"),
        ] {
            let id = RemoteId::new(id).unwrap();
            assert_eq!(endpoint.url(&Route::Service(&id), &[]).as_str(), expected);
        }
    }

    #[test]
    fn a_token_fits_in_a_header_and_shows_nowhere() {
        let token = Token::parse("sb_live_canary\n").unwrap();
        assert_eq!(token.expose(), "sb_live_canary");
        for shown in [format!("{token:?}"), format!("{:?}", token.header())] {
            assert!(!shown.contains("canary"), "{shown}");
        }
        for wrong in ["", " ", "a b", "a\nb", "tökén", &"a".repeat(5000)] {
            assert!(Token::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
