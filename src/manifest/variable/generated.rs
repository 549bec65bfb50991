//! `generateValue`: a value that is derived, for ever or for so many days.

use super::super::reader::DocumentForm;
use super::super::tree::Yaml;
use super::{EntryReader, Given};
use crate::model::{Kind, RotationPeriod, ValueSource};

impl EntryReader<'_, '_> {
    /// Whether a value is to be replaced in time: `{ rotate: 90d }` of a native document.
    pub(super) fn is_rotated(&self, yaml: Yaml<'_, '_>) -> bool {
        self.reader.form == DocumentForm::Native && yaml.entries().is_some()
    }

    /// Reads `generateValue`, which says that there is a value.
    pub(super) fn generated(&mut self, yaml: Yaml<'_, '_>) -> Option<Given> {
        let period = if self.is_rotated(yaml) { Some(self.period(yaml)?) } else { None };
        Some(Given::Value(ValueSource::Generated(period)))
    }

    fn period(&mut self, yaml: Yaml<'_, '_>) -> Option<RotationPeriod> {
        let path = "envVars.generateValue";
        let yaml = self.reader.mapping(yaml, path, &["rotate"])?;
        let Some(place) = yaml.get("rotate") else {
            let hint = "write `rotate: 90d`, or `generateValue: true` to keep one value";
            let message = format!("`{path}.rotate` is missing");
            self.reader.error_with(yaml, "missing-field", message, hint);
            return None;
        };
        if self.resource.key.kind == Kind::EnvGroup {
            let message =
                "a value in an env group cannot be rotated: the API can never change a group";
            let hint = "declare the variable in one service, and let the others take it from there \
                        (`fromService` with `envVarKey`)";
            self.reader.error_with(place, "rotate-in-group", message, hint);
            return None;
        }
        let text = self.reader.text(place, &format!("{path}.rotate"))?;
        match text.parse() {
            Ok(period) => Some(period),
            Err(reason) => {
                let message = format!("`{path}.rotate`: {reason}");
                self.reader.error(place, "out-of-range", message);
                None
            }
        }
    }
}
