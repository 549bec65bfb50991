//! Who sends webhooks, and by which headers each is known.

use std::fmt;
use std::str::FromStr;

use http::HeaderMap;
use serde::{Deserialize, Serialize};

/// Who sends webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// GitHub: `X-Hub-Signature-256: sha256=HEX` over the body.
    GitHub,
    /// GitLab: `webhook-signature` of the Standard Webhooks form, or the secret itself in
    /// `X-Gitlab-Token`.
    GitLab,
    /// Gitea and Forgejo: `X-Gitea-Signature` or `X-Forgejo-Signature: HEX` over the body.
    Gitea,
    /// Bitbucket, cloud and data center: `X-Hub-Signature: sha256=HEX` over the body.
    Bitbucket,
    /// Anything else: `X-Stoker-Signature: t=SECONDS,v1=HEX` over `SECONDS.BODY`.
    Generic,
}

/// A word that names no provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown provider: expected github, gitlab, gitea, bitbucket or generic")]
pub struct ProviderError;

impl Provider {
    /// All of them, in the order in which headers are looked at when none is expected: Gitea sends
    /// GitHub's headers beside its own, and GitHub sends an older one that Bitbucket uses.
    pub const ALL: [Self; 5] =
        [Self::Gitea, Self::Generic, Self::GitLab, Self::GitHub, Self::Bitbucket];

    /// Returns the public word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Gitea => "gitea",
            Self::Bitbucket => "bitbucket",
            Self::Generic => "generic",
        }
    }

    /// Returns the headers that hold a signature, the strongest first.
    pub(super) const fn signature_headers(self) -> &'static [&'static str] {
        match self {
            Self::GitHub => &["x-hub-signature-256"],
            Self::GitLab => &["webhook-signature", "x-gitlab-token"],
            Self::Gitea => &["x-forgejo-signature", "x-gitea-signature"],
            Self::Bitbucket => &["x-hub-signature"],
            Self::Generic => &["x-stoker-signature"],
        }
    }

    /// Returns the headers that name the event; the first that is there counts.
    pub(super) const fn event_headers(self) -> &'static [&'static str] {
        match self {
            Self::GitHub => &["x-github-event"],
            Self::GitLab => &["x-gitlab-event"],
            Self::Gitea => &["x-forgejo-event", "x-gitea-event"],
            Self::Bitbucket => &["x-event-key"],
            Self::Generic => &[],
        }
    }

    /// Returns the events that say that a reference moved.
    pub(super) const fn pushes(self) -> &'static [&'static str] {
        match self {
            Self::GitHub | Self::Gitea => &["push"],
            Self::GitLab => &["Push Hook", "Tag Push Hook"],
            Self::Bitbucket => &["repo:push", "repo:refs_changed"],
            Self::Generic => &[],
        }
    }

    /// Returns who seems to have sent it, by the signature it carries. Not yet to be believed.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let is_from = |provider: &Self| {
            provider.signature_headers().iter().any(|name| headers.contains_key(*name))
        };
        Self::ALL.into_iter().find(is_from)
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Provider {
    type Err = ProviderError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == text).ok_or(ProviderError)
    }
}
