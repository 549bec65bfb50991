//! Whether a webhook comes from who knows the secret.
//!
//! In two steps, so that an unsigned one is refused before a byte of its body is read: what the
//! headers claim, then whether the body bears it out. Signatures are made over the raw bytes.

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;

use super::mac::{self, Mac};
use super::payload::Occasion;
use super::provider::Provider;
use crate::daemon::shared_secret::SharedSecret;

/// How far a signed time may be from ours: the Standard Webhooks and common senders allow five
/// minutes for clocks and for the way.
const AGE_MAX: SignedDuration = SignedDuration::from_mins(5);

/// How many signatures one header may offer; two are there while a sender changes its secret.
const SIGNATURES_MAX: usize = 8;

/// The longest id of a delivery; it is hashed, so it has a limit.
const ID_BYTES_MAX: usize = 256;

/// What the headers of a webhook claim, before anything is believed.
#[derive(Clone, Debug)]
pub struct WebhookClaim {
    provider: Provider,
    event: Option<String>,
    proof: Proof,
}

/// By what the claim is to be proved.
#[derive(Clone, Debug)]
enum Proof {
    /// A signature over the body.
    Body(Mac),
    /// GitLab's two ways; which of them counts, the secret says.
    GitLab { token: Option<Vec<u8>>, signed: Option<Signed> },
    /// A signature over a time and the body.
    Timed { seconds: String, offered: Vec<Mac> },
}

/// The headers of the Standard Webhooks form.
#[derive(Clone, Debug)]
struct Signed {
    id: String,
    seconds: String,
    offered: Vec<Mac>,
}

/// A webhook that comes from who knows the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Who sent it.
    pub provider: Provider,
    /// By what it is known again: a keyed hash of all that was signed.
    pub mark: [u8; 32],
    /// What happened, as far as it says.
    pub occasion: Occasion,
}

/// Why a webhook is not believed. The sender is told only that it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It carries no signature of the expected kind.
    #[error("it carries no signature of the expected kind")]
    Unsigned,
    /// Its signature does not hold.
    #[error("its signature does not match")]
    Forged,
    /// Its signature holds, and it was made too long ago, or will be made.
    #[error("its signature is more than five minutes away from now")]
    Stale,
}

/// Decides whether a webhook is what it claims to be.
///
/// `provider`: none takes whoever the headers name.
///
/// # Errors
/// When it is unsigned, wrongly signed, or signed at another time.
pub fn verify(
    provider: Option<Provider>,
    headers: &HeaderMap,
    body: &[u8],
    secret: &SharedSecret,
    now: Timestamp,
) -> Result<Delivery, Rejection> {
    WebhookClaim::read(provider, headers)?.check(body, secret, now)
}

impl WebhookClaim {
    /// Reads what the headers claim.
    ///
    /// # Errors
    /// When there is no signature, or one that can belong to no body.
    pub fn read(expected: Option<Provider>, headers: &HeaderMap) -> Result<Self, Rejection> {
        let provider = expected.or_else(|| Provider::of(headers)).ok_or(Rejection::Unsigned)?;
        let mut events = provider.event_headers().iter();
        let event = events.find_map(|name| headers.get(*name));
        let event = event.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        Ok(Self { provider, event, proof: Proof::read(provider, headers)? })
    }

    /// Decides whether the body bears the claim out.
    ///
    /// # Errors
    /// When it does not.
    pub fn check(
        &self,
        body: &[u8],
        secret: &SharedSecret,
        now: Timestamp,
    ) -> Result<Delivery, Rejection> {
        let Self { provider, event, proof } = self;
        let mark = proof.check(body, secret, now)?.bytes();
        let occasion = Occasion::of(*provider, event.as_deref(), body);
        Ok(Delivery { provider: *provider, mark, occasion })
    }
}

impl Proof {
    fn read(provider: Provider, headers: &HeaderMap) -> Result<Self, Rejection> {
        let mut names = provider.signature_headers().iter().copied();
        match provider {
            Provider::GitHub | Provider::Bitbucket => {
                let value = names.find_map(|name| only(headers, name).transpose());
                let value = value.ok_or(Rejection::Unsigned)??;
                // GitHub's older header holds a SHA-1: it proves too little to be a signature.
                let digits = value.strip_prefix("sha256=").ok_or(Rejection::Unsigned)?;
                Mac::of_hexadecimal(digits).map(Self::Body).ok_or(Rejection::Forged)
            }
            Provider::Gitea => {
                let value = names.find_map(|name| only(headers, name).transpose());
                let digits = value.ok_or(Rejection::Unsigned)??;
                Mac::of_hexadecimal(digits).map(Self::Body).ok_or(Rejection::Forged)
            }
            Provider::GitLab => {
                let signed = Signed::read(headers)?;
                let token = only_bytes(headers, "x-gitlab-token")?.map(<[u8]>::to_vec);
                if signed.is_none() && token.is_none() {
                    return Err(Rejection::Unsigned);
                }
                Ok(Self::GitLab { token, signed })
            }
            Provider::Generic => {
                let value = only(headers, "x-stoker-signature")?.ok_or(Rejection::Unsigned)?;
                read_timed(value)
            }
        }
    }

    /// Returns the hash of all that was signed, when the proof holds.
    fn check(&self, body: &[u8], secret: &SharedSecret, now: Timestamp) -> Result<Mac, Rejection> {
        let exposed = secret.expose();
        let key = exposed.expose_secret().as_bytes();
        match self {
            Self::Body(offered) => {
                let made = Mac::of(key, &[body]);
                made.is(offered).then_some(made).ok_or(Rejection::Forged)
            }
            Self::Timed { seconds, offered } => {
                let made = Mac::of(key, &[seconds.as_bytes(), b".", body]);
                timely(made, offered, seconds, now)
            }
            Self::GitLab { token, signed } => match mac::signing_key(exposed.expose_secret()) {
                Some(key) => {
                    let Signed { id, seconds, offered } =
                        signed.as_ref().ok_or(Rejection::Unsigned)?;
                    let parts = [id.as_bytes(), b".", seconds.as_bytes(), b".", body];
                    let made = Mac::of(&key.ok_or(Rejection::Forged)?, &parts);
                    timely(made, offered, seconds, now)
                }
                None => {
                    let token = token.as_ref().ok_or(Rejection::Unsigned)?;
                    let made = Mac::of(key, &[body]);
                    secret.is(token).then_some(made).ok_or(Rejection::Forged)
                }
            },
        }
    }
}

/// The signature first, the time second: who cannot sign learns nothing about our clock.
fn timely(made: Mac, offered: &[Mac], seconds: &str, now: Timestamp) -> Result<Mac, Rejection> {
    // Every one is compared, so the time tells nothing about which of them was near.
    let matching = offered.iter().filter(|offered| made.is(offered)).count();
    if matching == 0 {
        return Err(Rejection::Forged);
    }
    let seconds = seconds.parse().map_err(|_| Rejection::Stale)?;
    let then = Timestamp::from_second(seconds).map_err(|_| Rejection::Stale)?;
    let is_near = now.duration_since(then).abs() <= AGE_MAX;
    is_near.then_some(made).ok_or(Rejection::Stale)
}

impl Signed {
    fn read(headers: &HeaderMap) -> Result<Option<Self>, Rejection> {
        let Some(signatures) = only(headers, "webhook-signature")? else {
            return Ok(None);
        };
        let id = only(headers, "webhook-id")?.ok_or(Rejection::Forged)?;
        let seconds = only(headers, "webhook-timestamp")?.ok_or(Rejection::Forged)?;
        if id.len() > ID_BYTES_MAX {
            return Err(Rejection::Forged);
        }
        let offered = signatures.split(' ').take(SIGNATURES_MAX);
        let offered = offered.filter_map(|text| Mac::of_base64(text.strip_prefix("v1,")?));
        Ok(Some(Self { id: id.into(), seconds: seconds.into(), offered: offered.collect() }))
    }
}

fn read_timed(value: &str) -> Result<Proof, Rejection> {
    let (mut seconds, mut offered) = (None, Vec::new());
    for part in value.split(',').take(SIGNATURES_MAX) {
        match part.trim().split_once('=') {
            Some(("t", text)) if seconds.is_none() => seconds = Some(text.to_owned()),
            Some(("v1", digits)) => offered.extend(Mac::of_hexadecimal(digits)),
            // A later scheme beside ours is not ours to judge.
            Some(_) | None => {}
        }
    }
    let seconds = seconds.ok_or(Rejection::Forged)?;
    Ok(Proof::Timed { seconds, offered })
}

/// Returns the one value of a header as text. Two would leave open which of them was meant.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Rejection> {
    let value = only_bytes(headers, name)?;
    value.map(|value| std::str::from_utf8(value).map_err(|_| Rejection::Forged)).transpose()
}

fn only_bytes<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a [u8]>, Rejection> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Rejection::Forged);
    }
    Ok(first.map(http::HeaderValue::as_bytes))
}

#[cfg(test)]
#[path = "claim_tests.rs"]
mod tests;
