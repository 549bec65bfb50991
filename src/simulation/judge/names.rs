//! The platform's names of what manifests declare.

use std::collections::BTreeSet;

use crate::model::{FieldPath, Resource};

/// Returns the platform's names of what is declared: what is not is left alone.
pub(super) fn declared_fields<V>(resource: &Resource<V>) -> BTreeSet<String> {
    let first = |path: &FieldPath| path.to_string().split('.').next().map(snake_case);
    resource.fields.keys().filter_map(first).collect()
}

/// Writes `storageGB` as `storage_gb`.
pub(super) fn snake_case(camel: &str) -> String {
    let mut snake = String::new();
    let mut was_upper = true;
    for c in camel.chars() {
        if c.is_ascii_uppercase() && !was_upper {
            snake.push('_');
        }
        was_upper = c.is_ascii_uppercase();
        snake.push(c.to_ascii_lowercase());
    }
    snake
}
