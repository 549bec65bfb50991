//! From "where the value is to be found" to the value: the last step before planning.
//!
//! Everything was looked for before, and from then on the resolved desired state holds each value, so
//! a run sees one version of it (S6).

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;

use super::FingerprintKey;
use super::found::{FoundValues, MissingValue, UNAVAILABLE};
use super::named::NamedValue;
use crate::model::{
    Derivation, DeriveValue as _, Desired, Diagnostic, Field, FieldPath, FieldValue,
    GeneratedValue, Key, Origin, Resource, Secret, SecretOrigin, ValueSource, is_secret_at,
};
use crate::source::Tree;

/// Puts in every value that the manifests only name.
///
/// What was found elsewhere is a secret, and so is a plain value that looks like one, in a setting,
/// too: the login in a repository's URL, a command's password. Generated values are secrets that say
/// so. The places of what is missing are shown with the lines of `tree`.
///
/// # Errors
/// Every value that cannot be found, each with its place. A missing variable is never an empty text.
pub fn resolve(
    desired: Desired<ValueSource>,
    tree: &Tree,
    found: &FoundValues,
    key: &FingerprintKey,
) -> Result<Desired, Vec<Diagnostic>> {
    let Desired { resources, tombstones, guard, revision, digest, unread, .. } = desired;
    let derivation = Some(Derivation::new(key.clone()));
    let mut resolver = Resolver { found, key, told: BTreeSet::new(), diagnostics: Vec::new() };
    let resources =
        resources.into_iter().map(|(key, resource)| (key, resolver.resource(resource))).collect();
    if resolver.diagnostics.is_empty() {
        let replaced = Vec::new();
        Ok(Desired { resources, tombstones, guard, revision, digest, unread, derivation, replaced })
    } else {
        Err(tree.illustrate(resolver.diagnostics))
    }
}

struct Resolver<'r> {
    found: &'r FoundValues,
    key: &'r FingerprintKey,
    /// What was said of values that are not to be had now.
    told: BTreeSet<&'r str>,
    diagnostics: Vec<Diagnostic>,
}

impl Resolver<'_> {
    fn resource(&mut self, resource: Resource<ValueSource>) -> Resource {
        let Resource {
            key,
            origin,
            labels,
            previous_names,
            fields,
            on_create,
            declares_env,
            set_by_hand,
            mut generated,
            lifecycle,
            depends_on,
        } = resource;
        let mut resolved = BTreeMap::new();
        for (path, Field { value, origin }) in fields {
            if let (ValueSource::Generated(rotate), FieldPath::Env(env_key)) = (&value, &path) {
                let value = GeneratedValue { rotate: *rotate, ..GeneratedValue::default() };
                generated.insert(env_key.clone(), value);
            }
            if let Some(value) = self.value(&key, &path, value, &origin) {
                resolved.insert(path, Field { value, origin });
            }
        }
        Resource {
            key,
            origin,
            labels,
            previous_names,
            fields: resolved,
            on_create,
            declares_env,
            set_by_hand,
            generated,
            lifecycle,
            depends_on,
        }
    }

    fn value(
        &mut self,
        key: &Key,
        path: &FieldPath,
        source: ValueSource,
        origin: &Origin,
    ) -> Option<FieldValue> {
        match (source, path) {
            (ValueSource::Value(value), _) => {
                let is_secret = is_secret_at(path, &value);
                match value {
                    FieldValue::Text(text) if is_secret && !text.is_empty() => {
                        Some(self.secret(key, path, text.into(), SecretOrigin::Given))
                    }
                    value => Some(value),
                }
            }
            (
                source @ (ValueSource::Environment(_)
                | ValueSource::File(_)
                | ValueSource::Provider { .. }
                | ValueSource::Sops { .. }),
                _,
            ) => {
                let value = self.found(&source, origin)?;
                Some(self.secret(key, path, value, SecretOrigin::Given))
            }
            (ValueSource::Generated(_), FieldPath::Env(env_key)) => {
                Some(self.key.derive(key, env_key, 0).into())
            }
            (ValueSource::Generated(_), FieldPath::Setting(setting)) => {
                let message = format!("`{}` cannot be generated", setting.as_str());
                self.note("generated-setting", message, origin, "give it a value");
                None
            }
        }
    }

    fn secret(
        &self,
        key: &Key,
        path: &FieldPath,
        value: SecretString,
        origin: SecretOrigin,
    ) -> FieldValue {
        use secrecy::ExposeSecret as _;
        let fingerprint = self.key.fingerprint(key, path, value.expose_secret());
        Secret::new(value, fingerprint, origin).into()
    }

    /// Takes what was found of a value. A program that failed is told of once, at the first value
    /// that wanted it.
    fn found(&mut self, source: &ValueSource, origin: &Origin) -> Option<SecretString> {
        let name = NamedValue::of(source, origin)?;
        match self.found.get(&name) {
            Some(Ok(value)) => Some(value.clone()),
            Some(Err(MissingValue { code, message, hint })) => {
                if *code != UNAVAILABLE || self.told.insert(message) {
                    self.note(code, message.clone(), origin, hint.clone());
                }
                None
            }
            None => {
                let message = format!("{name} was not looked for");
                self.note("unreadable-value", message, origin, "look for all values first");
                None
            }
        }
    }

    fn note(
        &mut self,
        code: &'static str,
        message: String,
        origin: &Origin,
        hint: impl Into<String>,
    ) {
        let diagnostic = Diagnostic::error(code, message).at(origin.clone()).hint(hint);
        self.diagnostics.push(diagnostic);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Finders;
    use super::*;
    use crate::model::LiveValue;

    const CANARY: &str = "canary-4711-value";

    /// A service with variables, each `KEY SOURCE`.
    fn desired(variables: &[(&str, ValueSource)], file: &str) -> Desired<ValueSource> {
        let origin = Origin { file: file.to_owned(), line: 1, column: 1 };
        let key: Key = "service/api".parse().unwrap();
        let field = |value: &ValueSource| Field { value: value.clone(), origin: origin.clone() };
        let fields = variables
            .iter()
            .map(|(name, source)| (format!("envVars.{name}").parse().unwrap(), field(source)));
        let resource = Resource {
            fields: fields.collect(),
            declares_env: true,
            ..Resource::new(key.clone(), origin.clone())
        };
        Desired { resources: BTreeMap::from([(key, resource)]), ..Desired::default() }
    }

    fn environment(name: &str) -> Option<String> {
        match name {
            "SET" => Some(CANARY.to_owned()),
            "EMPTY" => Some(String::new()),
            "NUL" => Some(format!("{CANARY}\0")),
            _ => None,
        }
    }

    /// Looks for every value and puts them in.
    fn found_in(
        desired: Desired<ValueSource>,
        tree: &Tree,
        key: &FingerprintKey,
    ) -> Result<Desired, Vec<Diagnostic>> {
        let found = FoundValues::of(&desired, tree, &Finders::of_environment(&environment));
        resolve(desired, tree, &found, key)
    }

    /// Resolves one variable and returns its value in words, or the finding.
    fn check(name: &str, source: ValueSource) -> String {
        let tree = Tree::from_texts([("a.yaml", "a: 1\n")]);
        let key = FingerprintKey::from_bytes([1; 32]);
        match found_in(desired(&[(name, source)], "a.yaml"), &tree, &key) {
            Ok(desired) => {
                let resource = desired.resources.values().next().unwrap();
                match &resource.fields.values().next().unwrap().value {
                    FieldValue::Secret(secret) => {
                        format!("secret {:?} {}", secret.origin(), secret.expose())
                    }
                    other => format!("plain {other}"),
                }
            }
            Err(diagnostics) => diagnostics[0].to_string(),
        }
    }

    fn text(text: &str) -> ValueSource {
        ValueSource::Value(FieldValue::Text(text.to_owned()))
    }

    #[test]
    fn what_comes_from_outside_or_looks_secret_is_a_secret() {
        assert_eq!(
            check("A", ValueSource::Environment("SET".to_owned())),
            format!("secret Given {CANARY}")
        );
        assert_eq!(check("STRIPE_KEY", text("x")), "secret Given x");
        assert_eq!(check("LOG_LEVEL", text("x")), "plain x");
        assert_eq!(check("OPTIONS", text("--password=hunter2")), "secret Given --password=hunter2");
        assert!(check("SALT", ValueSource::Generated(None)).starts_with("secret Generated "));
    }

    #[test]
    fn a_missing_value_is_an_error_with_its_place_and_never_an_empty_text() {
        for name in ["GONE", "EMPTY", "NUL"] {
            let finding = check("A", ValueSource::Environment(name.to_owned()));
            assert!(finding.starts_with("a.yaml:1:1: error["), "{finding}");
            assert!(finding.contains(name), "{finding}");
        }
        assert!(check("A", ValueSource::File("x".to_owned())).contains("standard input"));
    }

    #[test]
    fn one_closing_line_break_of_a_file_is_left_out() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a.yaml"), "").unwrap();
        std::fs::write(directory.path().join("pem"), "one\ntwo\n\n").unwrap();
        let tree = crate::source::load(&[directory.path().to_owned()], None).unwrap();
        let key = FingerprintKey::from_bytes([1; 32]);
        let desired =
            desired(&[("PEM", ValueSource::File("pem".to_owned()))], &tree.files()[0].path);
        let resolved = found_in(desired, &tree, &key).unwrap();
        let field =
            &resolved.resources.values().next().unwrap().fields.values().next().unwrap().value;
        match field {
            FieldValue::Secret(secret) => assert_eq!(secret.expose(), "one\ntwo\n"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_shows_a_secret() {
        let tree = Tree::from_texts([("a.yaml", "a: 1\n")]);
        let key = FingerprintKey::from_bytes([1; 32]);
        let variables = [
            ("A", ValueSource::Environment("SET".to_owned())),
            ("API_TOKEN", text(CANARY)),
            ("SALT", ValueSource::Generated(None)),
        ];
        let salt = crate::model::EnvKey::new("SALT").unwrap();
        let generated = key.generate(&"service/api".parse().unwrap(), &salt, 0);
        let resolved = found_in(desired(&variables, "a.yaml"), &tree, &key).unwrap();
        let mut shown = format!("{resolved:?} {resolved:#?} {key:?}");
        for field in resolved.resources.values().flat_map(|resource| resource.fields.values()) {
            shown += &format!("{} {:?}", field.value, LiveValue::Shown(field.value.clone()));
        }
        let failing = desired(&[("A", ValueSource::Environment("NUL".to_owned()))], "a.yaml");
        shown += &format!("{:?}", found_in(failing, &tree, &key));
        assert!(!shown.contains(CANARY), "{shown}");
        assert!(!shown.contains(generated.as_str()));
    }
}
