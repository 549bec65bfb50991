//! After a create without an answer: find out what became of it, never send it blindly again (S3).

use std::time::Duration;

use jiff::Timestamp;

use crate::api::{Error, ErrorKind};
use crate::model::{Key, LiveObject};

use super::Hands;

/// The first look comes soon: most lost answers were answered by a server that did its work.
const LOOK_FIRST: Duration = Duration::from_secs(5);

/// How often at most a list is read while the settle time passes, beside the last look.
const LOOKS_MAX: u32 = 4;

/// What became of a create whose answer was lost.
pub(super) enum Resolved {
    /// Exactly one object has the name: presumed to be ours.
    Appeared(Box<LiveObject>),
    /// The settle time is over, and a complete listing does not have the name.
    DidNotHappen,
    /// Nobody can tell yet; the intent stays on disk for the next run.
    Unknown(String),
}

/// Why a look told nothing.
struct Doubt {
    reason: String,
    /// Whether a later look of this run would tell nothing either.
    is_final: bool,
}

impl From<Error> for Doubt {
    fn from(error: Error) -> Self {
        let is_final = match error.kind() {
            // The budget and the deadline of the run do not come back, nor does a revoked token.
            ErrorKind::OverBudget | ErrorKind::Authentication => true,
            ErrorKind::Permission
            | ErrorKind::NotFound
            | ErrorKind::Busy
            | ErrorKind::Refused
            | ErrorKind::Unavailable
            | ErrorKind::NotTheApi
            | ErrorKind::Unreadable
            | ErrorKind::Local => false,
        };
        Self { reason: error.to_string(), is_final }
    }
}

impl Hands<'_> {
    /// Looks for the name until it appears or the settle time is over.
    pub(super) async fn resolve(&self, key: &Key, started_at: Timestamp) -> Resolved {
        let settled_at = started_at.checked_add(self.settle).unwrap_or(Timestamp::MAX);
        let mut pause = LOOK_FIRST;
        let mut looks = 0;
        loop {
            let now = self.clock.now();
            let is_last = now >= settled_at;
            if is_last || looks < LOOKS_MAX {
                looks += 1;
                match self.look_for(key).await {
                    Ok(Some(object)) => return Resolved::Appeared(object),
                    Ok(None) if is_last => return Resolved::DidNotHappen,
                    Ok(None) => {}
                    Err(Doubt { reason, is_final }) if is_last || is_final => {
                        return Resolved::Unknown(reason);
                    }
                    Err(Doubt { reason, is_final: _ }) => {
                        tracing::warn!(%key, reason, "a look for a lost create failed");
                    }
                }
            }
            let next = if looks < LOOKS_MAX {
                self.clock.now().checked_add(pause).unwrap_or(settled_at).min(settled_at)
            } else {
                settled_at
            };
            pause *= 3;
            let mut stop = self.stop.clone();
            tokio::select! {
                biased;
                () = self.clock.sleep_until(next) => {}
                () = super::stopped(&mut stop) => {
                    return Resolved::Unknown("stopped before the create was resolved".to_owned());
                }
            }
        }
    }

    /// Returns the one object of that name, or nothing when a complete listing lacks it.
    async fn look_for(&self, key: &Key) -> Result<Option<Box<LiveObject>>, Doubt> {
        let listing = self.reader.list_steadily(key.kind).await.map_err(Doubt::from)?;
        let doubt = |reason: &str| Doubt { reason: reason.to_owned(), is_final: false };
        let is_complete = listing.coverage.is_complete();
        let is_it = |object: &LiveObject| object.name == key.name.as_str();
        let mut found = listing.objects.into_iter().filter(is_it);
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Err(doubt("several objects have the name now")),
            (Some(object), None) if is_complete => Ok(Some(Box::new(object))),
            (None, None) if is_complete => Ok(None),
            (Some(_) | None, None) => Err(doubt("the listing is incomplete")),
            (None, Some(_)) => Err(doubt("the listing changed while it was read")),
        }
    }
}
