//! What the platform's objects look like, and what they mean: tolerant when reading, exact when
//! writing.
//!
//! The only place that knows the platform's forms (names that can differ are the dialect's). It
//! deliberately sends nothing: values in, values out.

mod json;

mod object;
mod variable;

mod draft;

mod deployment;
mod log;
mod metrics;
mod project;

pub use deployment::Deployment;
pub use draft::Links;
pub use log::LogLine;
pub use metrics::{Metrics, Sample};
pub use project::Member;

pub(super) use deployment::read_deployment;
pub(super) use draft::{BodyDraft, ResolvedReferences, resolve};
pub(super) use json::{along, id_of, lookup, says_more, take, text, unwrapped, whole_number};
pub(super) use log::read_log_line;
pub(super) use metrics::read_metrics;
pub(super) use object::{Groups, read_object};
pub(super) use project::{read_member, read_project};
