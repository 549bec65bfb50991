//! After a create without an answer: find out what became of it, never send it blindly again (S3).

use std::time::Duration;

use crate::api::{Error, ErrorKind};
use crate::model::{Intent, Key, LiveObject};
use crate::plan::{AfterLook, after_look, settled_at, sight};

use super::Hands;

/// The first look comes soon: most lost answers were answered by a server that did its work.
const LOOK_FIRST: Duration = Duration::from_secs(5);

/// How often at most a list is read while the settle time passes, beside the last look.
const LOOKS_MAX: u32 = 4;

/// What became of a create whose answer was lost.
pub(super) enum Resolved {
    /// Exactly one object has the name: presumed to be ours.
    Appeared(Box<LiveObject>),
    /// It did not happen, and may be sent again.
    SendAgain,
    /// It did not happen, and was sent often enough.
    GaveUp,
    /// Nobody can tell yet; the intent stays on disk for the next run.
    Unknown(String),
}

impl Hands<'_> {
    /// Looks for the name until it appears or the settle time is over.
    pub(super) async fn resolve(&self, key: &Key, intent: &Intent) -> Resolved {
        let settled_at = settled_at(intent.started_at, self.settle);
        let mut pause = LOOK_FIRST;
        let mut looks = 0;
        loop {
            let now = self.clock.now();
            let is_last = now >= settled_at;
            if is_last || looks < LOOKS_MAX {
                looks += 1;
                match self.reader.list_steadily(key.kind).await {
                    Ok(listing) => match after_look(sight(&listing, key), intent, self.settle, now)
                    {
                        AfterLook::Presume(object) => {
                            return Resolved::Appeared(Box::new(object.clone()));
                        }
                        AfterLook::LookAgain => {}
                        AfterLook::SendAgain => return Resolved::SendAgain,
                        AfterLook::GiveUp => return Resolved::GaveUp,
                        AfterLook::Unknown(reason) => return Resolved::Unknown(reason.to_owned()),
                    },
                    Err(error) if is_last || is_final(&error) => {
                        return Resolved::Unknown(error.to_string());
                    }
                    Err(error) => tracing::warn!(%key, %error, "a look for a lost create failed"),
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
}

/// Whether a later look of this run would fail as well.
fn is_final(error: &Error) -> bool {
    match error.kind() {
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
    }
}
