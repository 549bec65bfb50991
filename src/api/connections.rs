//! Which connection a request may leave on: none that the other side may be closing (S3).
//!
//! A server closes what was unused too long, and a request that crosses its end is lost: of a create
//! nobody then knows whether it arrived. Node.js and uvicorn close after 5 s, gunicorn after 2 s. So
//! nothing is kept for longer than that, and a write needs better than that.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::HeaderMap;

/// How long an unused connection is kept for reads: half the shortest limit of a common server.
/// A read that is lost all the same is asked again.
const KEPT_IDLE_MAX: Duration = Duration::from_secs(1);

/// How long ago a connection was in use on which a write may leave. Long enough for the disk between
/// a look and its write, and a small part of every limit that servers have.
const FRESH_IDLE_MAX: Duration = Duration::from_millis(100);

/// Nobody said how long unused connections are kept.
const UNTOLD: u64 = u64::MAX;

/// How lately a connection must have been in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// Within a second.
    Kept,
    /// Within a tenth of a second.
    Fresh,
    /// Never: each request makes its own.
    Own,
}

/// The connections of one way to the network, by how lately they were in use.
pub(super) struct Connections {
    builder: Box<dyn Fn() -> reqwest::ClientBuilder + Send + Sync>,
    kept: OnceLock<reqwest::Client>,
    fresh: OnceLock<reqwest::Client>,
    own: OnceLock<reqwest::Client>,
    /// The shortest time in seconds that a server said it keeps an unused connection.
    told: AtomicU64,
}

impl Connections {
    /// Opens none yet; `builder` is what they have in common.
    pub(super) fn new(
        builder: impl Fn() -> reqwest::ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        Self {
            builder: Box::new(builder),
            kept: OnceLock::new(),
            fresh: OnceLock::new(),
            own: OnceLock::new(),
            told: AtomicU64::new(UNTOLD),
        }
    }

    /// Returns what may carry a request; `may_be_lost` is whether losing it does no harm.
    ///
    /// # Errors
    /// When TLS or the proxy settings of the system cannot be used.
    pub(super) fn carrier(&self, may_be_lost: bool) -> reqwest::Result<&reqwest::Client> {
        self.client(need(may_be_lost, self.told.load(Ordering::Relaxed)))
    }

    fn client(&self, needed: Use) -> reqwest::Result<&reqwest::Client> {
        let (place, idle_max) = match needed {
            Use::Kept => (&self.kept, KEPT_IDLE_MAX),
            Use::Fresh => (&self.fresh, FRESH_IDLE_MAX),
            Use::Own => (&self.own, Duration::ZERO),
        };
        if let Some(client) = place.get() {
            return Ok(client);
        }
        let builder = (self.builder)().pool_idle_timeout(idle_max);
        let builder = if idle_max.is_zero() { builder.pool_max_idle_per_host(0) } else { builder };
        // Of two that are built at once one is kept.
        let client = builder.build()?;
        Ok(place.get_or_init(|| client))
    }

    /// Notes how long the other side says that it keeps an unused connection.
    pub(super) fn note(&self, headers: &HeaderMap) {
        if let Some(seconds) = told(headers) {
            self.told.fetch_min(seconds, Ordering::Relaxed);
        }
    }
}

/// Decides how lately the connection must have been in use; `told` is what the server keeps, in
/// whole seconds, rounded down: Node.js says 0 where it keeps half a second.
const fn need(may_be_lost: bool, told: u64) -> Use {
    match told {
        0 => Use::Own,
        1 => Use::Fresh,
        _ if may_be_lost => Use::Kept,
        _ => Use::Fresh,
    }
}

/// Returns the `timeout` of `Keep-Alive: timeout=5, max=100`.
fn told(headers: &HeaderMap) -> Option<u64> {
    let values = headers.get_all("keep-alive").iter().filter_map(|value| value.to_str().ok());
    let parameters = values.flat_map(|value| value.split(','));
    let timeouts = parameters.filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_timeout = name.trim().eq_ignore_ascii_case("timeout");
        is_timeout.then(|| value.trim().trim_matches('"').parse().ok()).flatten()
    });
    timeouts.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_keeps_is_read_in_the_forms_servers_write() {
        for (text, expected) in [
            ("timeout=5", Some(5)),
            ("timeout=5, max=100", Some(5)),
            ("max=100,Timeout = 1", Some(1)),
            ("timeout=\"15\"", Some(15)),
            ("timeout=0", Some(0)),
            ("timeout=soon", None),
            ("max=100", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(
                http::HeaderName::from_static("keep-alive"),
                text.parse().unwrap(),
            )]);
            assert_eq!(told(&headers), expected, "{text}");
        }
    }

    #[test]
    fn a_write_never_waits_for_a_connection_to_grow_old_and_nothing_outlasts_what_was_said() {
        let needs = [0, 1, 2, 5, UNTOLD].map(|told| (need(true, told), need(false, told)));
        let expected = [
            (Use::Own, Use::Own),
            (Use::Fresh, Use::Fresh),
            (Use::Kept, Use::Fresh),
            (Use::Kept, Use::Fresh),
            (Use::Kept, Use::Fresh),
        ];
        assert_eq!(needs, expected);
    }
}
