//! What is asked about: a resource, or one field of it.

use std::fmt;
use std::str::FromStr;

use crate::model::{FieldPath, Key};

/// `KIND/NAME` or `KIND/NAME.FIELD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The resource.
    pub key: Key,
    /// The field, or what several lie below, for example `scaling`.
    pub field: Option<String>,
}

impl Subject {
    /// Whether a field is asked about.
    #[must_use]
    pub fn covers(&self, path: &FieldPath) -> bool {
        let path = path.to_string();
        self.field.as_deref().is_none_or(|field| {
            let rest = path.strip_prefix(field);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A name has no dot, so the first one begins the field.
        let (key, field) = match text.split_once('.') {
            Some((key, field)) => (key, Some(field.strip_prefix("spec.").unwrap_or(field))),
            None => (text, None),
        };
        if field.is_some_and(str::is_empty) {
            return Err(format!("`{text}` has no field after the dot"));
        }
        Ok(Self { key: key.parse()?, field: field.map(str::to_owned) })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, field } = self;
        match field {
            Some(field) => write!(formatter, "{key}.{field}"),
            None => write!(formatter, "{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_follows_the_first_dot_with_or_without_the_word_spec() {
        let check = |text: &str| text.parse::<Subject>().map(|subject| subject.to_string());
        assert_eq!(check("service/api").unwrap(), "service/api");
        assert_eq!(check("services/api.spec.port").unwrap(), "service/api.port");
        assert_eq!(check("service/api.envVars.A.B").unwrap(), "service/api.envVars.A.B");
        for wrong in ["service/api.", "api", "service", "pod/api.port"] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
        let scaling: Subject = "service/api.scaling".parse().unwrap();
        assert!(scaling.covers(&"scaling.maxInstances".parse().unwrap()));
        assert!(!scaling.covers(&"schedule".parse().unwrap()));
    }
}
