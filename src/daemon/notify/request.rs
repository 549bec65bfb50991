//! From a notice to the request it is for its sink.

use bytes::Bytes;
use jiff::Timestamp;

use super::notice::Notice;
use super::sink::{Sink, Target};
use super::{commit, slack, webhook};

/// Makes the one request that tells a notice to a sink; `now` is when it leaves.
///
/// # Errors
/// When a token or an address cannot stand in a request; the error repeats neither.
pub fn request(
    sink: &Sink,
    notice: &Notice,
    now: Timestamp,
) -> Result<http::Request<Bytes>, http::Error> {
    match &sink.target {
        Target::Webhook { address, secret } => {
            webhook::request(address, secret.as_ref(), notice, now)
        }
        Target::Slack { address } => slack::request(address, notice),
        Target::Commit { at, token, target_url } => {
            commit::request(at, token, target_url.as_deref(), notice)
        }
    }
}

/// Returns the commit's or digest's beginning, as people know it.
pub(super) fn short_revision(notice: &Notice) -> String {
    let whole = notice.revision.commit.as_deref().unwrap_or(&notice.revision.digest);
    whole.chars().take(10).collect()
}

/// Returns text as one harmless line of limited length.
pub(super) fn line(text: &str, chars_max: usize) -> String {
    let line = crate::render::inert(text);
    if line.chars().count() <= chars_max {
        return line.into_owned();
    }
    let cut: String = line.chars().take(chars_max.saturating_sub(1)).collect();
    cut + "…"
}
