//! Where an agent is, and the token for it. Parsed once at the door.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use http::{HeaderValue, Uri};

use crate::model::names_loopback;

/// Far beyond any token; bounds what is put in a header.
const TOKEN_BYTES_MAX: usize = 4096;

/// Where an agent is reached.
///
/// Invariant of `Url`: `https`, or `http` to this machine; no user name, no query, and no slash at
/// its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentAddress {
    /// The socket beside its state, on this machine.
    Socket(PathBuf),
    /// Its address: scheme, host, port and path.
    Url(String),
}

/// Why a text is no address of an agent, a fragment that goes on after it.
///
/// The text is not repeated: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it {0}")]
pub struct AgentAddressError(&'static str);

impl FromStr for AgentAddress {
    type Err = AgentAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("unix:") {
            let is_whole = path.starts_with('/');
            let socket = Self::Socket(PathBuf::from(path));
            return if is_whole {
                Ok(socket)
            } else {
                Err(AgentAddressError("is not an absolute path"))
            };
        }
        let form = AgentAddressError("is neither http://HOST:PORT, https://HOST nor unix:/PATH");
        let uri: Uri = text.trim().parse().map_err(|_| form.clone())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(form);
        };
        if authority.as_str().contains('@') {
            return Err(AgentAddressError("contains a user name; the token has its own variable"));
        }
        if uri.query().is_some() || text.contains('#') {
            return Err(AgentAddressError("contains a query or fragment"));
        }
        match scheme {
            "https" => {}
            "http" if names_loopback(authority.host()) => {}
            "http" => {
                return Err(AgentAddressError("would show the token to the network; use https"));
            }
            _ => return Err(form),
        }
        let base = format!("{scheme}://{authority}{}", uri.path().trim_end_matches('/'));
        Ok(Self::Url(base))
    }
}

impl fmt::Display for AgentAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(formatter, "{}", path.display()),
            Self::Url(base) => formatter.write_str(base),
        }
    }
}

/// The token of an agent, as the header that carries it. Its `Debug` shows nothing (S9).
#[derive(Clone, Debug)]
pub struct Bearer(HeaderValue);

/// Why a text is no token. It never repeats the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BearerError(&'static str);

impl Bearer {
    /// Parses a token; blanks around it, as a file's last newline, are not part of it.
    ///
    /// # Errors
    /// When it is empty, too long, or holds what cannot be sent in a header.
    pub fn parse(text: &str) -> Result<Self, BearerError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BearerError("is empty"));
        }
        if text.len() > TOKEN_BYTES_MAX {
            return Err(BearerError("is longer than 4096 bytes"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BearerError("contains a space, a control or a non-ASCII character"));
        }
        let mut header = HeaderValue::from_str(&format!("Bearer {text}"))
            .map_err(|_| BearerError("cannot be sent in a header"))?;
        header.set_sensitive(true);
        Ok(Self(header))
    }

    /// Returns the header, marked so that nothing prints it.
    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match text.parse::<AgentAddress>() {
            Ok(address) => address.to_string(),
            Err(error) => error.to_string(),
        };
        assert!(shown.contains(expected), "{text}: {shown}");
    }

    #[test]
    fn a_token_only_goes_where_nobody_can_read_it_on_the_way() {
        check("https://agent.acme.dev/", "https://agent.acme.dev");
        check("https://agent.acme.dev:8443/stoker/", "https://agent.acme.dev:8443/stoker");
        check("http://127.0.0.1:8301", "http://127.0.0.1:8301");
        check("http://[::1]:8301/", "http://[::1]:8301");
        check("http://localhost:8301", "http://localhost:8301");
        check("unix:/run/stoker/agent.sock", "/run/stoker/agent.sock");
        check("http://agent.acme.dev", "would show the token");
        check("http://localhost.evil.dev", "would show the token");
        check("http://127.0.0.1.evil.dev", "would show the token");
        check("https://canary:canary@agent.dev", "user name");
        check("https://agent.dev/?token=canary", "query");
        check("ftp://localhost", "neither");
        check("agent.dev", "neither");
        check("unix:agent.sock", "absolute path");
        check("", "neither");
        assert!(
            !"https://canary@a.dev".parse::<AgentAddress>().unwrap_err().to_string().contains("ca")
        );
    }

    #[test]
    fn a_token_fits_in_a_header_and_shows_nowhere() {
        let bearer = Bearer::parse("canary\n").unwrap();
        assert_eq!(bearer.header().to_str().unwrap(), "Bearer canary");
        assert!(!format!("{bearer:?}").contains("canary"));
        for wrong in ["", " ", "a b", "a\nb", "tökén", &"a".repeat(5000)] {
            assert!(Bearer::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
