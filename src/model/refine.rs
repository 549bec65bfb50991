//! What the platform makes of a value by itself, without it becoming another one: a version gets its
//! minor number and is upgraded within it, storage grows.

use std::cmp::Ordering;

use super::{FieldPath, FieldValue, Kind, Setting};

/// Whether what lives is what is declared, refined by the platform: `16` is there as `16.4`, and so
/// is `16.3` after an upgrade; of storage there is as much at least.
#[must_use]
pub fn is_refined(kind: Kind, path: &FieldPath, declared: &FieldValue, live: &FieldValue) -> bool {
    match (kind, path, declared, live) {
        (Kind::Database, FieldPath::Setting(Setting::Version), declared, live) => {
            version(declared).zip(version(live)).is_some_and(|(ours, theirs)| {
                let (wanted, there) = (numbers(&ours), numbers(&theirs));
                wanted.zip(there).is_some_and(|(wanted, there)| is_within(&wanted, &there))
            })
        }
        (
            Kind::Database | Kind::Service,
            FieldPath::Setting(Setting::StorageGb | Setting::DiskSizeGb),
            FieldValue::Integer(wanted),
            FieldValue::Integer(there),
        ) => there > wanted,
        _ => false,
    }
}

fn version(value: &FieldValue) -> Option<String> {
    match value {
        FieldValue::Text(_) | FieldValue::Integer(_) => Some(value.to_string()),
        FieldValue::Boolean(_)
        | FieldValue::Set(_)
        | FieldValue::Secret(_)
        | FieldValue::Reference(_) => None,
    }
}

fn numbers(version: &str) -> Option<Vec<u64>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

/// Whether a version is the one that is wanted, or newer within its first number.
fn is_within(wanted: &[u64], there: &[u64]) -> bool {
    let is_same_major = wanted.first() == there.first();
    // One that is cut shorter is less, and not taken for it: what it leaves out may be an older one.
    is_same_major && there.cmp(wanted) != Ordering::Less
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, declared: &str, live: &str) -> bool {
        let value = |text: &str| match text.parse() {
            Ok(number) => FieldValue::Integer(number),
            Err(_) => FieldValue::Text(text.to_owned()),
        };
        is_refined(Kind::Database, &path.parse().unwrap(), &value(declared), &value(live))
    }

    #[test]
    fn a_version_is_refined_within_its_first_number_and_never_goes_back() {
        for (declared, live) in
            [("16", "16.4"), ("16.3", "16.4"), ("16.3", "16.3.1"), ("7", "7.2.5")]
        {
            assert!(check("version", declared, live), "{declared} {live}");
        }
        for (declared, live) in [
            ("16", "17.1"),
            ("16", "15.9"),
            ("16.4", "16.3"),
            ("16.4", "16"),
            ("1", "16"),
            ("16", "16-rc"),
            ("16", ""),
        ] {
            assert!(!check("version", declared, live), "{declared} {live}");
        }
    }

    #[test]
    fn storage_grows_and_does_not_shrink() {
        assert!(check("storageGB", "10", "20"));
        assert!(!check("storageGB", "20", "10"));
    }
}
