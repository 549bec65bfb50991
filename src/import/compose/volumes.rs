//! `volumes`: one that is named becomes a disk. Its data stays where it is, and that is said.

use super::ComposeReader;
use super::interpolate::HOLE;
use crate::manifest::{Placed, quoted};

/// A mount of a service.
#[derive(Clone, Debug)]
pub(super) struct ComposeMount<'p> {
    /// What is mounted: a name, or a path of the machine; nothing for a volume without a name.
    pub source: String,
    pub target: String,
    /// Whether it is a volume with a name, which outlives what runs.
    pub is_named: bool,
    pub place: &'p Placed,
}

/// Reads the mounts; where two have one target, the later counts.
pub(super) fn read<'p>(
    reader: &mut ComposeReader<'_, '_>,
    service: &'p Placed,
    path: &str,
) -> Vec<ComposeMount<'p>> {
    let path = format!("{path}.volumes");
    let mut mounts: Vec<ComposeMount<'p>> = Vec::new();
    for item in service.get("volumes").map(Placed::items).unwrap_or_default() {
        let mount = match item.scalar() {
            Some(_) => short(reader, item, &path),
            None => long(reader, item, &path),
        };
        let Some(mount) = mount else { continue };
        mounts.retain(|earlier| earlier.target != mount.target);
        mounts.push(mount);
    }
    mounts
}

/// `[SOURCE:]TARGET[:MODE]`.
fn short<'p>(
    reader: &mut ComposeReader<'_, '_>,
    item: &'p Placed,
    path: &str,
) -> Option<ComposeMount<'p>> {
    let filled = reader.text(item, path)?;
    if filled.is_secret {
        reader.hide(item, path);
        return None;
    }
    let text = filled.text;
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, mode) = match parts[..] {
        [target] => ("", target, ""),
        [source, target] => (source, target, ""),
        [source, target, mode] => (source, target, mode),
        // `C:\data:/data` has a colon of its own.
        [drive, source, target, mode] if drive.len() == 1 => (source, target, mode),
        _ => ("?", "", ""),
    };
    let is_path = source.starts_with(['.', '/', '~', '\\', HOLE]) || parts[0].len() == 1;
    let is_read_only = mode.split(',').any(|word| word == "ro");
    let is_named = !source.is_empty() && !is_path && !is_read_only && target.starts_with('/');
    let (source, target) = (source.replace(HOLE, "…"), target.replace(HOLE, "…"));
    Some(ComposeMount { source, target, is_named, place: item })
}

fn long<'p>(
    reader: &mut ComposeReader<'_, '_>,
    item: &'p Placed,
    path: &str,
) -> Option<ComposeMount<'p>> {
    let Some(target) = item.get("target") else {
        reader.report.wrong_type(item, path, "a text, or a mapping with `target`");
        return None;
    };
    let target = reader.whole(target, path)?;
    let mut word = |key: &str| {
        let value = item.get(key)?;
        reader.whole(value, &format!("{path}.{key}"))
    };
    let (kind, source) = (word("type"), word("source").unwrap_or_default());
    let is_read_only = word("read_only").is_some_and(|truth| truth == "true");
    let is_named =
        kind.as_deref().is_none_or(|kind| kind == "volume") && !source.is_empty() && !is_read_only;
    let is_known =
        |key: &str| matches!(key, "type" | "source" | "target" | "read_only" | "consistency");
    for (key, value) in item.entries() {
        match is_known(key) {
            true => value.take(),
            false if is_named => {
                let why = "the platform has no such settings of a disk";
                reader.report.lose(value, &format!("{path}.{key}"), why);
            }
            false => {}
        }
    }
    Some(ComposeMount { source, target, is_named, place: item })
}

/// Says of a mount that becomes no disk why it does not.
pub(super) fn lose(
    reader: &mut ComposeReader<'_, '_>,
    mount: &ComposeMount<'_>,
    path: &str,
    has_disk: bool,
) {
    let ComposeMount { source, target, is_named, place } = mount;
    let why = match (source.as_str(), is_named) {
        (_, true) if has_disk => {
            "a service has one disk, and it is used for another volume".to_owned()
        }
        ("", _) => {
            format!(
                "`{}` is a volume without a name, and is lost with its container",
                quoted(target)
            )
        }
        (source, _) if !source.starts_with(['.', '/', '~', '\\', '…']) => format!(
            "`{}` is read-only here, and a disk of the platform would be empty",
            quoted(source)
        ),
        (source, _) => format!(
            "`{}` is on the machine that runs Compose; needed files belong in the image",
            quoted(source)
        ),
    };
    reader.report.lose(place, &format!("{path}.volumes"), &why);
}
