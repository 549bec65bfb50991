//! What one project expects of webhooks.

use secrecy::ExposeSecret as _;

use super::Provider;
use super::mac;
use crate::daemon::shared_secret::SharedSecret;

/// What one project expects of webhooks.
///
/// Invariant: a secret of the Standard Webhooks form (`whsec_…`) holds a key that can be decoded.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub(super) provider: Option<Provider>,
    pub(super) secret: SharedSecret,
    pub(super) reference: Option<String>,
}

/// Why webhooks cannot be received like this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// The secret begins like a signing token and is none.
    #[error("use the webhook's secret: what follows `whsec_` must be base64")]
    NoSigningToken,
}

impl Webhook {
    /// Joins who is expected and the secret of both sides.
    ///
    /// `provider`: none takes whoever the headers name, as long as the signature holds (`auto`).
    /// `reference`: the whole name of what the project follows, as `refs/heads/main`; a push to
    /// another one is no reason to look. None: every push is.
    ///
    /// # Errors
    /// When the secret has the form of a signing token and holds no key.
    pub fn new(
        provider: Option<Provider>,
        secret: SharedSecret,
        reference: Option<String>,
    ) -> Result<Self, WebhookError> {
        match mac::signing_key(secret.expose().expose_secret()) {
            Some(None) => Err(WebhookError::NoSigningToken),
            Some(Some(_)) | None => Ok(Self { provider, secret, reference }),
        }
    }

    /// Returns who is expected; none: whoever the headers name.
    #[must_use]
    pub const fn provider(&self) -> Option<Provider> {
        self.provider
    }

    /// Returns the secret of both sides.
    #[must_use]
    pub const fn secret(&self) -> &SharedSecret {
        &self.secret
    }

    /// Returns the reference the project follows.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }
}
