//! From "where the value is to be found" to the value: the last step before planning.
//!
//! Each variable of the environment and each file is read once, and from then on the resolved
//! desired state holds its value, so a run sees one version of it (S6).

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::FingerprintKey;
use crate::model::{
    Desired, Diagnostic, Field, FieldPath, FieldValue, Key, Origin, Resource, Secret, SecretOrigin,
    ValueSource, is_secret_at,
};
use crate::source::Tree;

/// The platform's limit for the value of a variable.
const VALUE_BYTES_MAX: usize = 65_535;

/// Finds the value of every field.
///
/// What comes from the environment or a file is a secret, and so is a plain value that looks like
/// one, in a setting, too: the login in a repository's URL, a command's password. Generated values are secrets that say so. `environment` answers for a variable
/// of the agent's environment. One closing line break of a file is left out, as editors add it.
///
/// # Errors
/// Every value that cannot be found, each with its place. A missing variable is never an empty text.
pub fn resolve(
    desired: Desired<ValueSource>,
    tree: &Tree,
    environment: &dyn Fn(&str) -> Option<String>,
    key: &FingerprintKey,
) -> Result<Desired, Vec<Diagnostic>> {
    let Desired { resources, tombstones, guard, revision, digest, unread } = desired;
    let mut resolver =
        Resolver { tree, environment, key, files: BTreeMap::new(), diagnostics: Vec::new() };
    let resources =
        resources.into_iter().map(|(key, resource)| (key, resolver.resource(resource))).collect();
    if resolver.diagnostics.is_empty() {
        Ok(Desired { resources, tombstones, guard, revision, digest, unread })
    } else {
        Err(tree.illustrate(resolver.diagnostics))
    }
}

struct Resolver<'r> {
    tree: &'r Tree,
    environment: &'r dyn Fn(&str) -> Option<String>,
    key: &'r FingerprintKey,
    /// Files read so far, by the manifest and the path in it.
    files: BTreeMap<(String, String), Option<SecretString>>,
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
            lifecycle,
            depends_on,
        } = resource;
        let mut resolved = BTreeMap::new();
        for (path, Field { value, origin }) in fields {
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
            (ValueSource::Environment(name), _) => {
                let value = self.variable(&name, origin)?;
                Some(self.secret(key, path, value, SecretOrigin::Given))
            }
            (ValueSource::File(file), _) => {
                let value = self.file(&file, origin)?;
                Some(self.secret(key, path, value, SecretOrigin::Given))
            }
            (ValueSource::Generated, FieldPath::Env(env_key)) => {
                let value = SecretString::from(self.key.generate(key, env_key).as_str());
                Some(self.secret(key, path, value, SecretOrigin::Generated))
            }
            (ValueSource::Generated, FieldPath::Setting(setting)) => {
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

    /// Reads the environment. An empty variable is most often a secret that was not handed over:
    /// build systems pass an unset one as an empty text.
    fn variable(&mut self, name: &str, origin: &Origin) -> Option<SecretString> {
        let value = (self.environment)(name);
        let (code, message) = match value {
            None => ("missing-variable", format!("the environment variable `{name}` is not set")),
            Some(value) if value.is_empty() => {
                ("missing-variable", format!("the environment variable `{name}` is empty"))
            }
            Some(value) if !is_sendable(&value) => (
                "unusable-value",
                format!("the environment variable `{name}` is too long or contains a NUL"),
            ),
            Some(value) => return Some(value.into()),
        };
        let hint = format!("set `{name}` where the agent runs, or use `sync: false`");
        self.note(code, message, origin, hint);
        None
    }

    fn file(&mut self, path: &str, origin: &Origin) -> Option<SecretString> {
        let place = (origin.file.clone(), path.to_owned());
        if let Some(known) = self.files.get(&place) {
            return known.clone();
        }
        let value = self.read_file(path, origin);
        self.files.insert(place, value.clone());
        value
    }

    fn read_file(&mut self, path: &str, origin: &Origin) -> Option<SecretString> {
        let hint = "the file must be below the root, relative to its manifest";
        let bytes = match self.tree.read_beneath(&origin.file, path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.note("unreadable-value", format!("failed to {error}"), origin, hint);
                return None;
            }
        };
        let text = match String::from_utf8(bytes) {
            Ok(text) if is_sendable(&text) => text,
            Ok(_) | Err(_) => {
                let message = format!("the file `{path}` is not UTF-8 text");
                self.note("unusable-value", message, origin, "encode it, for example as base64");
                return None;
            }
        };
        let trimmed = text.strip_suffix('\n').unwrap_or(&text);
        let trimmed = trimmed.strip_suffix('\r').unwrap_or(trimmed);
        if trimmed.is_empty() {
            self.note("missing-variable", format!("the file `{path}` is empty"), origin, hint);
            return None;
        }
        Some(trimmed.into())
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

/// Whether the platform takes a value: within its limit and without the character that ends texts.
fn is_sendable(value: &str) -> bool {
    value.len() <= VALUE_BYTES_MAX && !value.contains('\0')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::{Lifecycle, LiveValue};

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
            key: key.clone(),
            origin: origin.clone(),
            labels: BTreeMap::new(),
            previous_names: Vec::new(),
            fields: fields.collect(),
            on_create: BTreeMap::new(),
            declares_env: true,
            set_by_hand: BTreeMap::new(),
            lifecycle: Lifecycle::default(),
            depends_on: BTreeSet::new(),
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

    /// Resolves one variable and returns its value in words, or the finding.
    fn check(name: &str, source: ValueSource) -> String {
        let tree = Tree::from_texts([("a.yaml", "a: 1\n")]);
        let key = FingerprintKey::from_bytes([1; 32]);
        match resolve(desired(&[(name, source)], "a.yaml"), &tree, &environment, &key) {
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
        assert!(check("SALT", ValueSource::Generated).starts_with("secret Generated "));
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
        let resolved = resolve(desired, &tree, &environment, &key).unwrap();
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
            ("SALT", ValueSource::Generated),
        ];
        let generated = key
            .generate(&"service/api".parse().unwrap(), &crate::model::EnvKey::new("SALT").unwrap());
        let resolved = resolve(desired(&variables, "a.yaml"), &tree, &environment, &key).unwrap();
        let mut shown = format!("{resolved:?} {resolved:#?} {key:?}");
        for field in resolved.resources.values().flat_map(|resource| resource.fields.values()) {
            shown += &format!("{} {:?}", field.value, LiveValue::Shown(field.value.clone()));
        }
        let failing = desired(&[("A", ValueSource::Environment("NUL".to_owned()))], "a.yaml");
        shown += &format!("{:?}", resolve(failing, &tree, &environment, &key));
        assert!(!shown.contains(CANARY), "{shown}");
        assert!(!shown.contains(generated.as_str()));
    }
}
