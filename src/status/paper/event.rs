//! One event as one line, the same in a list and as it comes.

use crate::render::{Line, Style};

use super::super::{Event, EventSeverity};

/// The columns in which reason and message stand, unless what is before them is longer.
const REASON_COLUMN: usize = 22;
const KEY_COLUMN: usize = 44;
const MESSAGE_COLUMN: usize = 66;

/// Returns an event; `project` is named where there are several.
#[must_use]
pub fn event_line(event: &Event, project: Option<&str>) -> Line {
    let Event { sequence: _, at, severity, key, reason, message, revision: _, pass: _ } = event;
    let style = match severity {
        EventSeverity::Normal => Style::Plain,
        EventSeverity::Warning => Style::Changed,
    };
    let line = Line::default().with(Style::Dim, format!("{at:.0}")).pad_to(REASON_COLUMN);
    let about = key.as_ref().map_or_else(|| "—".to_owned(), ToString::to_string);
    let about = match project {
        Some(project) => format!("{project} {about}"),
        None => about,
    };
    let line = line.with(style, reason.as_str()).pad_to(KEY_COLUMN);
    line.plain(about).pad_to(MESSAGE_COLUMN).plain(message.as_str())
}
