//! A status on paper, for a terminal. It is told the time and never asks.
//!
//! The most telling condition stands for the whole: what is stalled before what is under way, that
//! before what drifted, and that before what is well.

mod event;
mod field;
mod resource;
mod table;
mod whole;
mod words;

#[cfg(test)]
mod tests;

pub use event::event_line;
pub use field::{change_as_text, field_values};
pub use resource::{ResourceContext, resource_as_text};
pub use table::resources_as_table;
pub use whole::project_as_text;
pub use words::{ago, health_style, reason_beside, short, span, telling};
