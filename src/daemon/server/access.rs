//! Who may ask what: a token beyond this machine, a name of this machine without one.
//!
//! Pure, but for the thin layer at the end that puts it before the routes.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::answer::HttpFailure;
use crate::daemon::shared_secret::SharedSecret;
use crate::model::names_loopback;

/// What stands before everything but health and webhooks.
#[derive(Clone, Debug)]
pub(super) enum Gate {
    /// The token must be shown.
    Token(SharedSecret),
    /// Whoever is on this machine may look, as long as it asks for this machine by a name of its
    /// own. A page in a browser may not: it can make its own name lead here (DNS rebinding), but
    /// then that name stands in `Host`.
    ThisMachine,
}

impl Gate {
    /// Makes the gate: where there is a token, it is asked for, on loopback, too.
    pub(super) fn new(bearer: Option<SharedSecret>) -> Self {
        bearer.map_or(Self::ThisMachine, Self::Token)
    }

    /// Decides whether a request may pass.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<(), HttpFailure> {
        match self {
            Self::Token(token) if shows(headers, token) => Ok(()),
            Self::Token(_) => Err(HttpFailure::new(
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "the server's token is required",
            )
            .hint("send `Authorization: Bearer TOKEN`, or the token as the password of Basic")),
            Self::ThisMachine if asks_for_this_machine(headers) => Ok(()),
            Self::ThisMachine => Err(HttpFailure::new(
                StatusCode::MISDIRECTED_REQUEST,
                "misdirected",
                "the name in `Host` is not a name of this machine",
            )
            .hint("use localhost or 127.0.0.1")
            .hint("behind a proxy with another name, give the server a token")),
        }
    }
}

/// Whether the token is shown, as a bearer's or as the password of Basic, so that a browser can
/// ask for it.
fn shows(headers: &HeaderMap, token: &SharedSecret) -> bool {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let Some((scheme, rest)) = value.to_str().ok().and_then(|value| value.split_once(' ')) else {
        return false;
    };
    if scheme.eq_ignore_ascii_case("bearer") {
        return token.is(rest.trim().as_bytes());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return false;
    }
    let Ok(pair) = STANDARD.decode(rest.trim()) else {
        return false;
    };
    let password = pair.iter().position(|byte| *byte == b':').map(|at| &pair[at + 1..]);
    password.is_some_and(|password| token.is(password))
}

/// Whether `Host` is one and names this machine.
fn asks_for_this_machine(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::HOST).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    value.to_str().is_ok_and(is_this_machine)
}

/// Whether a `Host` (`NAME`, `NAME:PORT`, `[ADDRESS]:PORT`) is loopback.
fn is_this_machine(host: &str) -> bool {
    if let Some(rest) = host.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else {
            return false;
        };
        let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_number);
        return is_port && names_loopback(address);
    }
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    names_loopback(name) && port.is_none_or(is_number)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Puts the gate before what follows.
pub(super) async fn guard(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    match gate.admit(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(failure) => {
            let is_unauthorized = failure.status == StatusCode::UNAUTHORIZED;
            let mut response = failure.into_response();
            if is_unauthorized {
                let challenge = HeaderValue::from_static("Basic realm=\"stoker\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            }
            response
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn one(name: header::HeaderName, value: &str) -> HeaderMap {
        [(name, HeaderValue::from_str(value).unwrap())].into_iter().collect()
    }

    #[test]
    fn the_token_is_taken_as_bearer_or_as_the_password_of_basic_and_in_no_other_way() {
        let gate = Gate::new(Some(SharedSecret::parse(TOKEN).unwrap()));
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        for value in [
            format!("Bearer {TOKEN}"),
            format!("bearer {TOKEN}"),
            basic(&format!("anyone:{TOKEN}")),
            basic(&format!(":{TOKEN}")),
        ] {
            assert_eq!(gate.admit(&one(header::AUTHORIZATION, &value)), Ok(()), "{value}");
        }
        for value in [
            String::new(),
            TOKEN.to_owned(),
            format!("Bearer{TOKEN}"),
            format!("Bearer {TOKEN}0"),
            "Bearer ".to_owned(),
            format!("Token {TOKEN}"),
            basic(TOKEN),
            basic(&format!("{TOKEN}:")),
            "Basic %%%".to_owned(),
        ] {
            assert!(gate.admit(&one(header::AUTHORIZATION, &value)).is_err(), "{value}");
        }
        let mut twice = one(header::AUTHORIZATION, &format!("Bearer {TOKEN}"));
        twice.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer x"));
        assert!(gate.admit(&twice).is_err());
        assert!(gate.admit(&HeaderMap::new()).is_err());
    }

    #[test]
    fn without_a_token_only_names_of_this_machine_are_answered() {
        let gate = Gate::new(None);
        for host in [
            "localhost",
            "LocalHost:9464",
            "127.0.0.1:9464",
            "127.9.9.9",
            "[::1]:9464",
            "[::1]",
            "[::ffff:127.0.0.1]:80",
        ] {
            assert_eq!(gate.admit(&one(header::HOST, host)), Ok(()), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:9464",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "localhost:",
            "localhost:9464.evil.example",
            "[::1].evil.example",
            "[::1",
            "10.0.0.1",
            "0.0.0.0:9464",
            "2130706433",
        ] {
            let refused = gate.admit(&one(header::HOST, host)).unwrap_err();
            assert_eq!(refused.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
        }
        let mut twice = one(header::HOST, "localhost");
        twice.append(header::HOST, HeaderValue::from_static("evil.example"));
        assert!(gate.admit(&twice).is_err());
    }
}
