//! Volumes of a `fly.toml`.

use super::{ProcessGroup, meant};
use crate::import::report::ImportReport;
use crate::import::resource::{set, set_text};
use crate::manifest::{Placed, quoted};
use crate::model::{FieldPath, FieldValue, Setting};

/// The first volume of a group becomes its disk.
pub(super) fn read(root: &Placed, groups: &mut [ProcessGroup], report: &mut ImportReport) {
    let mounts = root.get("mounts");
    let listed = mounts.map(Placed::items).unwrap_or_default().iter();
    for mount in listed.chain(mounts.filter(|it| !it.entries().is_empty())) {
        let text = |name: &str| mount.get(name).and_then(|it| Some((it, it.scalar()?.0)));
        let Some((place, target)) = text("destination").filter(|(_, it)| it.starts_with('/'))
        else {
            report.lose(mount, "mounts", "its `destination` is not an absolute path");
            continue;
        };
        let (source, size) = (text("source"), text("initial_size"));
        let gigabytes = size.and_then(|(_, text)| gigabytes(text));
        for group in meant(mount, "mounts", groups, report) {
            let service = &mut group.service;
            let path = FieldPath::Setting(Setting::DiskMountPath);
            if service.fields.contains_key(&path) {
                let why = "a service has one disk, and it is used for another volume";
                report.lose(mount, "mounts", why);
                continue;
            }
            place.take();
            set_text(service, Setting::DiskMountPath, target, place.origin());
            if let Some((source, name)) = source {
                source.take();
                set_text(service, Setting::DiskName, name, source.origin());
            }
            if let (Some((size, _)), Some(number)) = (size, gigabytes) {
                size.take();
                set(service, Setting::DiskSizeGb, FieldValue::Integer(number), size.origin());
            }
            let message = format!("the data in `{}` is not moved", quoted(target));
            let hint = "the new disk is empty: copy the data there";
            report.mind(mount.origin(), "data-not-moved", message, hint);
            report.note(&service.key, "the data of the old volume is not moved");
        }
        for (name, value) in mount.entries() {
            let is_known = matches!(name.as_str(), "source" | "destination" | "processes");
            if !is_known && (name != "initial_size" || gigabytes.is_none()) {
                let why = "the platform has no such settings of a disk";
                report.lose(value, &format!("mounts.{name}"), why);
            }
        }
    }
}

/// Returns whole gigabytes: `10`, `10gb`, `10GiB`.
fn gigabytes(text: &str) -> Option<i64> {
    let lower = text.to_ascii_lowercase();
    let number = lower.strip_suffix("gib").or_else(|| lower.strip_suffix("gb")).unwrap_or(&lower);
    number.trim().parse().ok().filter(|number| (1..=65_536).contains(number))
}
