//! Where an etcd is: `etcd://HOST[:PORT],HOST[:PORT]/PREFIX`.

use std::fmt;
use std::str::FromStr;

use crate::model::names_loopback;

/// The port that clients of etcd use.
const PORT: u16 = 2379;

/// How an address begins.
const SCHEME: &str = "etcd://";

/// The members of a cluster, and beneath which prefix ours is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EtcdAddress {
    /// The members, each as `HOST:PORT`, in the order they are asked.
    members: Vec<String>,
    /// The prefix of all keys, without a slash at its ends.
    prefix: String,
}

/// Why a text is no address, a fragment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not an address such as etcd://one.example.com,two.example.com/stoker: {reason}"
)]
pub struct EtcdAddressError {
    text: String,
    reason: &'static str,
}

impl EtcdAddress {
    /// Returns the gateways of the members: over https, but to this machine over http.
    #[must_use]
    pub fn gateways(&self) -> Vec<String> {
        let scheme = |member: &str| {
            let host = member.rsplit_once(':').map_or(member, |(host, _)| host);
            if names_loopback(host) { "http" } else { "https" }
        };
        self.members.iter().map(|member| format!("{}://{member}", scheme(member))).collect()
    }

    /// Returns the prefix of all keys.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl FromStr for EtcdAddress {
    type Err = EtcdAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |reason| EtcdAddressError { text: text.to_owned(), reason };
        let rest = text.strip_prefix(SCHEME).ok_or_else(|| wrong("it begins otherwise"))?;
        // A password in an address ends up in logs and in the list of processes.
        if rest.contains('@') {
            return Err(EtcdAddressError {
                text: format!("{SCHEME}…"),
                reason: "it holds a login, which belongs into the environment",
            });
        }
        let (members, prefix) = rest.split_once('/').ok_or_else(|| wrong("it has no prefix"))?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        if prefix.is_empty()
            || !prefix.chars().all(is_plain)
            || prefix.split('/').any(str::is_empty)
        {
            return Err(wrong(
                "its prefix is not made of words of letters, digits, `-`, `_` and `.`",
            ));
        }
        let members: Result<Vec<String>, _> =
            members.split(',').map(|it| member(it).ok_or(())).collect();
        let members = members.map_err(|()| wrong("a member is not HOST or HOST:PORT"))?;
        Ok(Self { members, prefix: prefix.to_owned() })
    }
}

fn member(text: &str) -> Option<String> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (text, PORT),
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.[]:".contains(c);
    let is_host = !host.is_empty() && host.chars().all(is_plain);
    is_host.then(|| format!("{host}:{port}"))
}

impl fmt::Display for EtcdAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{SCHEME}{}/{}", self.members.join(","), self.prefix)
    }
}
