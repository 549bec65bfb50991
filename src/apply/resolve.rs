//! After a create without an answer: find out what became of it, never send it blindly again (S3).

use crate::model::{Intent, Key, LiveObject};
use crate::plan::{AfterLook, after_look, settled_at, sight, whose};

use super::Hands;

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
    /// Waits until the settle time is over, then looks for the name.
    ///
    /// An earlier look would save nothing: what it shows may be somebody else's, and ours may come
    /// beside it (L4).
    pub(super) async fn resolve(&self, key: &Key, intent: &Intent) -> Resolved {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            () = self.clock.sleep_until(settled_at(intent.started_at, self.settle)) => {}
            () = super::stopped(&mut stop) => {
                return Resolved::Unknown("stopped before the create was resolved".to_owned());
            }
        }
        let looked_at = self.clock.now();
        let listing = match self.reader.list_steadily(key.kind).await {
            Ok(listing) => listing,
            Err(error) => return Resolved::Unknown(error.to_string()),
        };
        let keeps_names = self.reader.client().dialect().names_kept;
        let sighting = sight(&listing, key, intent, self.store().inventory(), keeps_names);
        match after_look(sighting, intent, self.settle, looked_at) {
            AfterLook::Presume(object) => Resolved::Appeared(Box::new(object.clone())),
            AfterLook::SendAgain => Resolved::SendAgain,
            AfterLook::GiveUp => Resolved::GaveUp,
            AfterLook::AskWhose(strangers) => {
                let asked = whose(key, intent, &strangers);
                let hint = asked.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                Resolved::Unknown(asked.message + &hint)
            }
            AfterLook::Unknown(reason) => Resolved::Unknown(reason.to_owned()),
            AfterLook::LookAgain => Resolved::Unknown("it may yet be under way".to_owned()),
        }
    }
}
