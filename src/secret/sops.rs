//! Files that SOPS has encrypted. The program `sops` does everything: it decrypts, and it checks that
//! nobody changed the file. It is given the file's text, so that what is decrypted is what was read
//! beneath the root, and it is called once a file and pass.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::found::{Finders, FoundValue, MissingValue, UNAVAILABLE, of_program};
use super::program::ProgramCall;
use crate::source::Tree;

/// Decrypts a file, given with the manifest it is relative to, and finds values in it.
pub(super) fn decrypt<'p>(
    tree: &Tree,
    (manifest, file): (&str, &str),
    paths: &BTreeSet<&'p str>,
    finders: &Finders<'_>,
) -> BTreeMap<&'p str, FoundValue> {
    let decrypted = document(tree, manifest, file, finders);
    let one = |path: &&'p str| {
        let found = match &decrypted {
            Ok(document) => value(document, file, path),
            Err(missing) => Err(missing.clone()),
        };
        (*path, found)
    };
    paths.iter().map(one).collect()
}

fn document(
    tree: &Tree,
    manifest: &str,
    file: &str,
    finders: &Finders<'_>,
) -> Result<Value, MissingValue> {
    let program = finders.allowed.sops.as_ref().ok_or_else(|| {
        let message = format!("the settings do not allow to decrypt `{file}` with SOPS");
        MissingValue::new("not-allowed", message, "write `secrets: { sops: true }` in the settings")
    })?;
    let bytes = tree.read_beneath(manifest, file).map_err(|error| {
        let hint = "the file lies beneath the root, relative to its manifest";
        MissingValue::new("unreadable-value", format!("failed to {error}"), hint)
    })?;
    let form = form_of(file);
    let arguments = ["--decrypt", "--input-type", form, "--output-type", "json", "/dev/stdin"];
    let call = ProgramCall {
        program,
        arguments: &arguments,
        input: bytes,
        environment: finders.environment,
        known: &finders.known_secrets(),
    };
    let answer = call.run().map_err(|error| {
        let message = format!("failed to decrypt `{file}`: `sops` {error}");
        let hint = "`sops --decrypt` of the file shows whether its key is at hand; \
                    `secrets.sops.environment` names variables that `sops` is given";
        MissingValue::new(UNAVAILABLE, message, hint)
    })?;
    // Where it is wrong is all that is said: a message could quote a value.
    serde_json::from_slice(&answer).map_err(|_| {
        let message = format!("failed to decrypt `{file}`: `sops` answered no JSON");
        MissingValue::new(UNAVAILABLE, message, "use SOPS 3.7 or later")
    })
}

/// Returns what SOPS calls the form of a file, which it would tell by the name.
fn form_of(file: &str) -> &'static str {
    match file.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "yaml" | "yml" => "yaml",
        "json" => "json",
        "env" => "dotenv",
        "ini" => "ini",
        _ => "binary",
    }
}

/// Finds a value by the keys that lead to it; of a list, by numbers from 0.
fn value(document: &Value, file: &str, path: &str) -> FoundValue {
    let step = |value: &'_ Value, key: &str| match value {
        Value::Object(entries) => entries.get(key).cloned(),
        Value::Array(items) => items.get(key.parse::<usize>().ok()?).cloned(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    };
    let found = path.split('.').try_fold(document.clone(), |value, key| step(&value, key));
    let what = format!("`{path}` of `{file}`");
    let text = match found {
        Some(Value::String(text)) => text,
        Some(scalar @ (Value::Bool(_) | Value::Number(_))) => scalar.to_string(),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) => {
            let message = format!("{what} is not a single value");
            return Err(MissingValue::new("unusable-value", message, "name a key beneath it"));
        }
        None => {
            let message = format!("there is no {what}");
            let hint = "its keys, with dots between them, lead to the value";
            return Err(MissingValue::new("missing-variable", message, hint));
        }
    };
    of_program(&text, &what)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use secrecy::ExposeSecret as _;

    use super::super::allowed::{AllowedSources, SecretProgram};
    use super::*;

    /// Decrypts `secrets.enc.yaml` with a script of the shell and finds one value in it.
    fn check(script: &str, file: &str, path: &str) -> String {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a.yaml"), "a: 1\n").unwrap();
        let encrypted = r#"{"jwt": {"secret": "s3cr3t", "port": 80}, "list": ["x", {"y": "z"}]}"#;
        std::fs::write(directory.path().join("secrets.enc.yaml"), encrypted).unwrap();
        let tree = crate::source::load(&[directory.path().join("a.yaml")], None).unwrap();
        let manifest = tree.files()[0].path.clone();
        let command = ["/bin/sh", "-c", script, "sops"].map(str::to_owned).to_vec();
        let program =
            SecretProgram { command, timeout: Duration::from_secs(60), environment: Vec::new() };
        let allowed = AllowedSources { sops: Some(program), ..AllowedSources::default() };
        let environment = |name: &str| (name == "PATH").then(|| "/usr/bin:/bin".to_owned());
        let finders = Finders { environment: &environment, allowed: &allowed, known: None };
        let found = decrypt(&tree, (&manifest, file), &BTreeSet::from([path]), &finders);
        match &found[path] {
            Ok(value) => format!("= {}", value.expose_secret()),
            Err(missing) => missing.message.clone(),
        }
    }

    #[test]
    fn a_value_is_found_by_the_keys_that_lead_to_it() {
        let of = |path| check("cat", "secrets.enc.yaml", path);
        assert_eq!(of("jwt.secret"), "= s3cr3t");
        assert_eq!(of("jwt.port"), "= 80");
        assert_eq!(of("list.1.y"), "= z");
        assert_eq!(of("jwt"), "`jwt` of `secrets.enc.yaml` is not a single value");
        assert_eq!(of("jwt.none"), "there is no `jwt.none` of `secrets.enc.yaml`");
    }

    #[test]
    fn the_program_is_told_the_form_and_given_the_text_and_not_the_path() {
        let asked = "printf '{\"it\": \"%s\"}' \"$*\"";
        assert_eq!(
            check(asked, "secrets.enc.yaml", "it"),
            "= --decrypt --input-type yaml --output-type json /dev/stdin"
        );
    }

    #[test]
    fn what_cannot_be_decrypted_is_told_of_with_the_reason() {
        let said = check("echo 'no key: age1xyz' >&2; exit 128", "secrets.enc.yaml", "a");
        assert_eq!(
            said,
            "failed to decrypt `secrets.enc.yaml`: `sops` failed (exit status: 128): no key: age1xyz"
        );
        let said = check("echo s3cr3t", "secrets.enc.yaml", "a");
        assert_eq!(said, "failed to decrypt `secrets.enc.yaml`: `sops` answered no JSON");
        assert!(check("cat", "../out.yaml", "a").starts_with("failed to read"));
    }
}
