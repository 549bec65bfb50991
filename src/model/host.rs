//! Which hosts are this machine: what is sent there leaves it by no other way (S5).
//!
//! One rule for every address, be it the API's, a repository's, a receiver's or the agent's own:
//! where plain http is allowed, what no proxy is told of, and who may give orders.

// `core` holds the forms of addresses and no socket.
use core::net::IpAddr;

/// Whether an address leads to this machine only, also one of IPv4 written as IPv6.
#[must_use]
pub fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Whether the host of a URL, without its port, is this machine: `localhost` or an address of it.
///
/// No other name counts, whatever it may resolve to now.
#[must_use]
pub fn names_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_lead_elsewhere_is_this_machine() {
        for host in ["localhost", "LocalHost", "127.0.0.1", "127.9.8.7", "[::1]", "::1"] {
            assert!(names_loopback(host), "{host}");
        }
        assert!(names_loopback("[::ffff:127.0.0.1]"));
        for host in [
            "",
            "localhost.evil.dev",
            "127.0.0.1.evil.dev",
            "127.1",
            "0.0.0.0",
            "[::]",
            "[::1",
            "128.0.0.1",
            "[::ffff:10.0.0.1]",
            "10.0.0.1",
            "local",
        ] {
            assert!(!names_loopback(host), "{host}");
        }
    }
}
