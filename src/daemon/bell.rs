//! Triggers: any number of rings before the next look are one look.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::status::Trigger;

/// A bell that anybody may ring and one loop hears. It carries no data, so a flood of triggers
/// costs one queued pass.
#[derive(Clone, Debug, Default)]
pub struct Bell(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    rung: Mutex<BTreeSet<Trigger>>,
    notify: Notify,
}

impl Bell {
    /// Says that something may have changed.
    pub fn ring(&self, trigger: Trigger) {
        self.0.rung.lock().unwrap_or_else(PoisonError::into_inner).insert(trigger);
        self.0.notify.notify_one();
    }

    /// Waits until it was rung, and returns why, all reasons together.
    ///
    /// *Guarantees*: a ring is heard once, also one that came before; dropping the future loses
    /// none.
    pub async fn rung(&self) -> BTreeSet<Trigger> {
        loop {
            let rung = self.take();
            if !rung.is_empty() {
                return rung;
            }
            self.0.notify.notified().await;
        }
    }

    /// Whether it was rung and nobody has heard it yet.
    #[must_use]
    pub fn is_rung(&self) -> bool {
        !self.0.rung.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Returns what was rung so far, without waiting.
    #[must_use]
    pub fn take(&self) -> BTreeSet<Trigger> {
        std::mem::take(&mut *self.0.rung.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn many_rings_are_heard_once_and_none_is_lost() {
        let bell = Bell::default();
        for _ in 0..1_000 {
            bell.ring(Trigger::Webhook);
        }
        bell.ring(Trigger::Files);
        assert_eq!(bell.rung().await, [Trigger::Files, Trigger::Webhook].into());
        assert!(!bell.is_rung());
        let waiting = bell.clone();
        let heard = tokio::spawn(async move { waiting.rung().await });
        tokio::task::yield_now().await;
        bell.ring(Trigger::Timer);
        assert_eq!(heard.await.unwrap(), [Trigger::Timer].into());
    }
}
