//! Who is told: an address, a channel, a mailbox, an alarm, or the status of a commit.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use secrecy::SecretString;

use super::address::{SinkAddress, SinkAddressError};
use super::mail::Mailbox;
use super::notice::ProjectOutcome;
use super::template::Template;

/// One who is told.
#[derive(Clone, Debug)]
pub struct Sink {
    /// What it is called, unique in its project: in logs, and in the memory of what was told.
    pub name: String,
    /// Where it is.
    pub target: SinkTarget,
    /// Of which outcomes it is told. A commit's status follows all of them.
    pub tell: BTreeSet<ProjectOutcome>,
    /// After how long what came back is told again at the same revision; never where there is none.
    pub again: Option<Duration>,
    /// Where people find more, usually the agent's page.
    pub link: Option<String>,
}

/// Where a notice goes.
#[derive(Clone)]
pub enum SinkTarget {
    /// A JSON document to any address.
    Webhook {
        /// Where.
        address: SinkAddress,
        /// What it is signed with.
        secret: Option<SecretString>,
        /// What is sent instead of our own document.
        body: Option<Template>,
    },
    /// A message to a Slack channel.
    Slack {
        /// The incoming webhook: a secret as a whole.
        address: SinkAddress,
    },
    /// A message to a Microsoft Teams channel.
    Teams {
        /// The address of the workflow: a secret as a whole.
        address: SinkAddress,
    },
    /// A message to a Discord channel.
    Discord {
        /// The webhook: a secret as a whole.
        address: SinkAddress,
    },
    /// An alert of Prometheus's Alertmanager.
    Alertmanager {
        /// Its base address.
        address: SinkAddress,
        /// The right to post, where something in front asks for one.
        token: Option<SecretString>,
        /// Further labels of the alert.
        labels: BTreeMap<String, String>,
    },
    /// An incident of PagerDuty.
    PagerDuty {
        /// Where its events are taken.
        address: SinkAddress,
        /// The integration key of the service.
        key: SecretString,
    },
    /// A message by e-mail.
    Mail(Mailbox),
    /// The status of the commit that was carried out.
    Commit {
        /// Where.
        at: CommitTarget,
        /// The right to set it.
        token: SecretString,
    },
}

/// How a sink takes news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Each message stands for itself.
    Message,
    /// It is raised, and taken back.
    Alarm,
    /// It shows the last state only.
    Status,
}

impl SinkTarget {
    /// Returns how it takes news.
    pub(super) const fn manner(&self) -> Manner {
        match self {
            Self::Webhook { .. }
            | Self::Slack { .. }
            | Self::Teams { .. }
            | Self::Discord { .. }
            | Self::Mail(_) => Manner::Message,
            Self::Alertmanager { .. } | Self::PagerDuty { .. } => Manner::Alarm,
            Self::Commit { .. } => Manner::Status,
        }
    }

    /// Returns of which outcomes it is told unless it is told otherwise.
    #[must_use]
    pub fn tells(&self) -> BTreeSet<ProjectOutcome> {
        use ProjectOutcome::{Broken, Drifted, Failed, Held, Pending, Succeeded};
        match self {
            Self::Webhook { .. } | Self::Commit { .. } => {
                [Pending, Held, Succeeded, Drifted, Failed, Broken].into()
            }
            // A channel is for people: that work has begun is no news to them.
            Self::Slack { .. } | Self::Teams { .. } | Self::Discord { .. } | Self::Mail(_) => {
                [Held, Succeeded, Drifted, Failed, Broken].into()
            }
            Self::Alertmanager { .. } | Self::PagerDuty { .. } => [Failed, Broken].into(),
        }
    }
}

/// Shows no secret (S9).
impl fmt::Debug for SinkTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Webhook { address, .. } => write!(formatter, "Webhook({address})"),
            Self::Slack { address } => write!(formatter, "Slack({address})"),
            Self::Teams { address } => write!(formatter, "Teams({address})"),
            Self::Discord { address } => write!(formatter, "Discord({address})"),
            Self::Alertmanager { address, .. } => write!(formatter, "Alertmanager({address})"),
            Self::PagerDuty { address, .. } => write!(formatter, "PagerDuty({address})"),
            Self::Mail(mailbox) => write!(formatter, "{mailbox:?}"),
            Self::Commit { at, .. } => write!(formatter, "Commit({at:?})"),
        }
    }
}

/// Whose API keeps the status of commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forge {
    /// GitHub, also one's own.
    Github,
    /// GitLab.
    Gitlab,
    /// Gitea and Forgejo.
    Gitea,
}

/// A repository as its forge's API knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitTarget {
    /// Whose API.
    pub forge: Forge,
    /// Its base address.
    pub api: SinkAddress,
    /// Owner and name, with all groups in between.
    pub repository: Vec<String>,
}

/// Why a repository's address does not lead to an API, a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoForge {
    /// It is no address of a repository on a server.
    #[error("it has no owner and repository, as in https://git.dev/acme/shop")]
    NoRepository,
    /// The API's address cannot be used.
    #[error("the address of its API cannot be used: {0}")]
    Address(#[from] SinkAddressError),
}

impl CommitTarget {
    /// Finds the API for a repository, by its address for git: over HTTPS or SSH, or `git@…:…`.
    ///
    /// *Assumes* of a GitHub of one's own, GitLab and Gitea that the API lies where they put it
    /// unless told otherwise; else `api` says where.
    ///
    /// # Errors
    /// When the address names no repository on a server.
    pub fn new(forge: Forge, repository: &str, api: Option<&str>) -> Result<Self, NoForge> {
        let (server, path) = split(repository).ok_or(NoForge::NoRepository)?;
        let path = path.trim_matches('/').trim_end_matches(".git");
        let names: Vec<String> = path.split('/').map(str::to_owned).collect();
        let is_whole = names.iter().all(|name| !name.is_empty() && name != "." && name != "..");
        let is_deep = match forge {
            Forge::Github | Forge::Gitea => names.len() == 2,
            Forge::Gitlab => names.len() >= 2,
        };
        if !is_whole || !is_deep {
            return Err(NoForge::NoRepository);
        }
        let api = match (api, forge) {
            (Some(api), _) => api.to_owned(),
            (None, Forge::Github) if server == "https://github.com" => {
                "https://api.github.com".to_owned()
            }
            (None, Forge::Github) => format!("{server}/api/v3"),
            (None, Forge::Gitlab) => format!("{server}/api/v4"),
            (None, Forge::Gitea) => format!("{server}/api/v1"),
        };
        Ok(Self { forge, api: SinkAddress::parse(&api)?, repository: names })
    }
}

/// Splits the address of a repository into the server for HTTP and the path there.
fn split(repository: &str) -> Option<(String, &str)> {
    if let Some((scheme, rest)) = repository.split_once("://") {
        let (authority, path) = rest.split_once('/')?;
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        return match scheme {
            "https" | "http" => Some((format!("{scheme}://{host}"), path)),
            // The port is that of SSH.
            "ssh" | "git+ssh" => {
                let host = host.split_once(':').map_or(host, |(host, _)| host);
                Some((format!("https://{host}"), path))
            }
            _ => None,
        };
    }
    let (user_and_host, path) = repository.split_once(':')?;
    let host = user_and_host.rsplit_once('@').map_or(user_and_host, |(_, host)| host);
    let is_host = !host.is_empty() && !host.contains('/');
    is_host.then(|| (format!("https://{host}"), path))
}
