//! An address notices are sent to. It may be a secret by itself, so it is not shown.

use std::fmt;

use http::Uri;

use crate::model::names_loopback;

/// An absolute address: https, or http to this machine.
///
/// Invariant: it has a host and no user name. Its path and query may be a secret, as those of an
/// incoming webhook are; `Debug` and `Display` show its host only (S9).
#[derive(Clone, PartialEq, Eq)]
pub struct SinkAddress(Uri);

/// Why a text is no such address, a fragment. It never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SinkAddressError {
    /// It is no URL, or has no host.
    #[error("it is not a URL such as https://hooks.example.com/a")]
    NoUrl,
    /// Anybody on the way could read it.
    #[error("it is neither https nor http to this machine")]
    Readable,
    /// Tokens have settings of their own.
    #[error("it contains a user name or a password")]
    Credentials,
}

impl SinkAddress {
    /// Parses an address.
    ///
    /// # Errors
    /// When it is none, or others could read what is sent there.
    pub fn parse(text: &str) -> Result<Self, SinkAddressError> {
        let uri: Uri = text.trim().parse().map_err(|_| SinkAddressError::NoUrl)?;
        let authority = uri.authority().ok_or(SinkAddressError::NoUrl)?;
        if authority.as_str().contains('@') {
            return Err(SinkAddressError::Credentials);
        }
        let host = authority.host();
        if host.is_empty() {
            return Err(SinkAddressError::NoUrl);
        }
        match uri.scheme_str() {
            Some("https") => Ok(Self(uri)),
            Some("http") if names_loopback(host) => Ok(Self(uri)),
            Some(_) => Err(SinkAddressError::Readable),
            None => Err(SinkAddressError::NoUrl),
        }
    }

    /// Returns the whole address, for the request line and nothing else.
    #[must_use]
    pub const fn expose(&self) -> &Uri {
        &self.0
    }

    /// Returns the address of something below this one; the segments are encoded.
    pub(super) fn below(&self, segments: &[&str]) -> Result<Uri, http::Error> {
        let mut path = self.0.path().trim_end_matches('/').to_owned();
        for segment in segments {
            path.push('/');
            path.push_str(&encoded(segment));
        }
        let scheme = self.0.scheme_str().unwrap_or("https");
        let authority = self.0.authority().map_or("", |authority| authority.as_str());
        Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build()
    }
}

/// Percent-encodes what is not unreserved (RFC 3986), slashes among it.
fn encoded(segment: &str) -> String {
    let mut text = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

impl fmt::Display for SinkAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.host().unwrap_or("?"))
    }
}

impl fmt::Debug for SinkAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Address({self}, …)")
    }
}
