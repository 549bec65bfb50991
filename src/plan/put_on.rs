//! Variables that nobody declares and that are not drift: the platform's own, and those of the env
//! groups that are attached.

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
    /// Whether a variable is of an env group that is, or is to be, attached to a service.
    pub fn is_attached(&self, resource: &Resource, object: &LiveObject, variable: &EnvKey) -> bool {
        let path = FieldPath::Setting(Setting::EnvGroups);
        let declared = resource.fields.get(&path).map(|field| &field.value);
        let shown = match object.shows(&path) {
            Some(LiveValue::Shown(value)) => Some(value),
            Some(LiveValue::Hidden | LiveValue::Absent) | None => None,
        };
        declared.into_iter().chain(shown).any(|value| match value {
            FieldValue::Set(names) => names.iter().any(|name| {
                let group = Name::new(name).map(|name| Key::new(Kind::EnvGroup, name));
                group.is_ok_and(|group| self.is_of_group(&group, variable))
            }),
            FieldValue::Text(_)
            | FieldValue::Integer(_)
            | FieldValue::Boolean(_)
            | FieldValue::Secret(_)
            | FieldValue::Reference(_) => false,
        })
    }

    fn is_of_group(&self, group: &Key, variable: &EnvKey) -> bool {
        let path = FieldPath::Env(variable.clone());
        let is_declared = self.desired().resources.get(group).is_some_and(|group| {
            group.fields.contains_key(&path) || group.set_by_hand.contains_key(variable)
        });
        is_declared || self.named(group).iter().any(|group| group.fields.contains_key(&path))
    }
}
