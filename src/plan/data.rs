//! Whether data goes with what is deleted: a database's, or that on the disk of a service.

use crate::model::{Effect, FieldPath, Kind, LiveValue, Setting};

use super::draft::ChangeDraft;

/// Whether a change takes data away, as far as it is known.
pub(super) fn goes_with(draft: &ChangeDraft<'_>) -> bool {
    let ChangeDraft { change, object, entry, .. } = draft;
    if change.effect != Effect::Destroy {
        return false;
    }
    let disk = FieldPath::Setting(Setting::DiskSizeGb);
    match change.key.kind {
        Kind::EnvGroup => false,
        Kind::Database => true,
        // A list shows no disk; that one was written is remembered.
        Kind::Service => match object.and_then(|object| object.shows(&disk)) {
            Some(LiveValue::Shown(_) | LiveValue::Hidden) => true,
            Some(LiveValue::Absent) => false,
            None => entry.is_some_and(|entry| entry.applied.contains_key(&disk)),
        },
    }
}
