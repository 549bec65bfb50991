//! After a create without an answer: find out what became of it, never send it blindly again (S3).

use crate::model::{Intent, Key, LiveObject};
use crate::plan::{AfterLook, FailureCause, after_look, settled_at, sight, whose};

use super::Hands;
use super::outcome::cause;

/// What became of a create whose answer was lost.
pub(super) enum LostCreate {
    /// Exactly one object has the name: presumed to be ours.
    Appeared(Box<LiveObject>),
    /// It did not happen, and may be sent again.
    SendAgain,
    /// It did not happen, and was sent often enough.
    GaveUp,
    /// Nobody can tell yet, and why; the intent stays on disk for the next run.
    Unknown(FailureCause, String),
}

impl Hands<'_> {
    /// Waits until the settle time is over, then looks for the name.
    ///
    /// An earlier look would save nothing: what it shows may be somebody else's, and ours may come
    /// beside it (L4).
    pub(super) async fn resolve(&self, key: &Key, intent: &Intent) -> LostCreate {
        let mut stop = self.execution.stop.clone();
        let settled = settled_at(intent.started_at, self.settle);
        tokio::select! {
            biased;
            is_in_time = self.reader.client().wait_until(settled) => if !is_in_time {
                let reason = format!("its outcome is known at {settled:.0}, after the deadline");
                return LostCreate::Unknown(FailureCause::OverBudget, reason);
            },
            () = super::stopped(&mut stop) => {
                let reason = "stopped before the create was resolved".to_owned();
                return LostCreate::Unknown(FailureCause::Stopped, reason);
            }
        }
        let looked_at = self.clock.now();
        let listing = match self.reader.list_steadily(key.kind).await {
            Ok(listing) => listing,
            Err(error) => return LostCreate::Unknown(cause(&error), error.to_string()),
        };
        let unknown = |reason: &str| LostCreate::Unknown(FailureCause::Other, reason.to_owned());
        let keeps_names = self.reader.client().dialect().names_kept;
        let sighting = sight(&listing, key, intent, self.store().inventory(), keeps_names);
        match after_look(sighting, intent, self.settle, looked_at) {
            AfterLook::Presume(object) => LostCreate::Appeared(Box::new(object.clone())),
            AfterLook::SendAgain => LostCreate::SendAgain,
            AfterLook::GiveUp => LostCreate::GaveUp,
            AfterLook::AskWhose(strangers) => {
                let asked = whose(key, intent, &strangers);
                let hint = asked.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                unknown(&(asked.message + &hint))
            }
            AfterLook::Unknown(reason) => unknown(reason),
            AfterLook::LookAgain => unknown("it may still be in progress"),
        }
    }
}
