//! Webhooks: who sent it, whether it is true, and whether it is a reason to look.
//!
//! Pure. A webhook carries nothing we use but the news that something may have changed: no
//! revision, no file, no address is taken from it. The server reads bytes and rings the bell.

mod claim;
mod mac;
mod payload;
mod provider;
mod seen;
mod settings;

pub use claim::{Delivery, Rejection, WebhookClaim, verify};
pub use payload::{Occasion, WebhookVerdict, decide};
pub use provider::{Provider, ProviderError};
pub use seen::{Replay, SeenDeliveries};
pub use settings::{Webhook, WebhookError};
