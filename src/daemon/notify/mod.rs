//! Notifications: who is told when the state of a project changes, and that nobody is told twice.
//!
//! `decide` compares what is so with what was told and returns notices; `request` makes the one
//! request a notice is for its sink. Both are pure. `send` carries requests in tasks of its own,
//! so that no sink delays another, or the loop.

mod address;
mod notice;
mod sink;

mod request;
mod template;

mod alertmanager;
mod commit;
mod discord;
mod mail;
mod pagerduty;
mod slack;
mod teams;
mod webhook;

mod send;

pub use address::{SinkAddress, SinkAddressError};
pub use mail::{MailServer, MailServerError, Mailbox, Person};
pub use notice::{Notice, Notified, ProjectOutcome, Told, decide};
pub use request::{RequestError, request};
pub use send::Notifier;
pub use sink::{CommitTarget, Forge, NoForge, Sink, SinkTarget};
pub use template::{Template, TemplateError};
pub use webhook::example;

#[cfg(test)]
mod tests;
