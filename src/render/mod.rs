//! Plans, reports and findings on paper: text, JSON and Markdown.
//!
//! Pure: every function takes values and returns what is to be printed; nobody here prints. Text
//! from outside is made inert where a [`Paper`] becomes a string, where Markdown is escaped, and
//! where JSON is written out, and nowhere else. Secrets never get this far: a value that must not
//! be seen is replaced by the fact that there is one.

mod alike;
mod by_hand;
mod diagnostic;
mod diff;
mod file_diff;
mod fold;
mod inert;
pub mod json;
mod markdown;
mod paper;
mod phrase;
mod policies;
mod report;
mod saved;
mod seal;
mod table;
mod text;
mod unmanaged;
mod unsettled;

#[cfg(test)]
mod tests;

pub use diagnostic::{
    diagnostics_as_ansi, diagnostics_as_text, github_annotation_of_failure, github_annotations,
};
pub use file_diff::file_diff;
pub use inert::inert;
pub use markdown::{MARKER, by_hand_as_markdown, drift_as_markdown, plan_as_markdown};
pub use paper::{Line, Paper, Style};
pub use policies::{policies_as_markdown, policies_as_text};
pub use report::{report_as_markdown, report_as_text};
pub use table::Table;
pub use text::{Estimate, by_hand_as_text, drift_as_text, plan_as_text};
pub use unmanaged::{unmanaged_as_markdown, unmanaged_as_text};
pub use unsettled::{unsettled_as_markdown, unsettled_as_text};
