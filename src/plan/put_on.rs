//! Variables that nobody declares and that are not drift: the platform's own, and those of the env
//! groups that are attached.

use std::collections::BTreeSet;

use crate::model::{
    EnvKey, FieldPath, FieldValue, Key, Kind, LiveObject, LiveValue, Name, Resource, Setting,
};

use super::view::View;

/// The names that the platform puts on by itself (A26): each a name, or its beginning before `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutOn(Vec<String>);

impl PutOn {
    /// Takes a list such as `PORT,STACKBLAZE_*`.
    #[must_use]
    pub fn of(names: &str) -> Self {
        let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
        Self(names.map(str::to_owned).collect())
    }

    /// Whether a variable is the platform's.
    #[must_use]
    pub fn covers(&self, key: &EnvKey) -> bool {
        self.0.iter().any(|name| match name.strip_suffix('*') {
            Some(beginning) => key.as_str().starts_with(beginning),
            None => key.as_str() == name,
        })
    }
}

impl Default for PutOn {
    fn default() -> Self {
        Self::of("PORT,STACKBLAZE_*")
    }
}

impl View<'_> {
    /// Returns the variables of the env groups that are, or are to be, attached to a service.
    pub fn attached_env(&self, resource: &Resource, object: &LiveObject) -> BTreeSet<EnvKey> {
        let path = FieldPath::Setting(Setting::EnvGroups);
        let declared = resource.fields.get(&path).map(|field| &field.value);
        let shown = match object.shows(&path) {
            Some(LiveValue::Shown(value)) => Some(value),
            Some(LiveValue::Hidden | LiveValue::Absent) | None => None,
        };
        let names = declared.into_iter().chain(shown).flat_map(|value| match value {
            FieldValue::Set(names) => names.iter().collect::<Vec<_>>(),
            FieldValue::Text(_)
            | FieldValue::Integer(_)
            | FieldValue::Boolean(_)
            | FieldValue::Secret(_)
            | FieldValue::Reference(_) => Vec::new(),
        });
        let keys = names.filter_map(|name| Some(Key::new(Kind::EnvGroup, Name::new(name).ok()?)));
        keys.flat_map(|key| self.env_of_group(&key)).collect()
    }

    fn env_of_group(&self, key: &Key) -> BTreeSet<EnvKey> {
        let declared = self.desired().resources.get(key).into_iter().flat_map(|group| {
            group.fields.keys().filter_map(FieldPath::env_key).chain(group.set_by_hand.keys())
        });
        let live = self.named(key).iter().flat_map(|group| group.fields.keys());
        declared.chain(live.filter_map(FieldPath::env_key)).cloned().collect()
    }
}
