//! What services have to do with each other, which no single one of them tells.

use std::collections::{BTreeMap, BTreeSet};

use crate::manifest::Placed;

/// What services of a project share, and wait for.
#[derive(Debug, Default)]
pub(super) struct Together {
    /// Volumes with a name that more than one service mounts.
    pub shared_volumes: BTreeSet<String>,
    /// Services that others wait for until they have ended.
    pub ends_waited_for: BTreeSet<String>,
}

impl Together {
    pub fn of(services: &[(String, Placed)]) -> Self {
        let mut mounted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut ends_waited_for = BTreeSet::new();
        for (name, service) in services {
            for mount in service.get("volumes").map(Placed::items).unwrap_or_default() {
                let source = mount.get("source").unwrap_or(mount).scalar();
                let source = source.and_then(|(text, _)| text.split(':').next());
                mounted.entry(source.unwrap_or_default()).or_default().insert(name);
            }
            for (other, how) in service.get("depends_on").map(Placed::entries).unwrap_or_default() {
                let condition = how.get("condition").and_then(Placed::scalar);
                if condition.is_some_and(|(text, _)| text == "service_completed_successfully") {
                    ends_waited_for.insert(other.clone());
                }
            }
        }
        let shared = mounted.into_iter().filter(|(_, services)| services.len() > 1);
        Self {
            shared_volumes: shared.map(|(source, _)| source.to_owned()).collect(),
            ends_waited_for,
        }
    }
}
