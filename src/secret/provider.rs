//! Providers: programs of the settings that know values by references.
//!
//! A provider reads `{"refs": ["a", "b"]}` and answers `{"values": {"a": "…"}, "missing": ["b"]}`. It
//! is asked once in a pass for everything that the manifests want of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use zeroize::Zeroize as _;

use super::found::{Finders, FoundValue, MissingValue, UNAVAILABLE, of_program};
use super::program::ProgramCall;

/// What a provider answers. Other keys are its own.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    values: BTreeMap<String, String>,
    #[serde(default)]
    missing: BTreeSet<String>,
}

/// Asks a provider for values, all in one call.
pub(super) fn ask<'r>(
    name: &str,
    references: &BTreeSet<&'r str>,
    finders: &Finders<'_>,
) -> BTreeMap<&'r str, FoundValue> {
    let answer = answer(name, references, finders);
    let mut answer = match answer {
        Ok(answer) => answer,
        Err(missing) => {
            return references.iter().map(|reference| (*reference, Err(missing.clone()))).collect();
        }
    };
    let found = references.iter().map(|reference| (*reference, value(name, reference, &answer)));
    let found = found.collect();
    answer.values.values_mut().for_each(String::zeroize);
    found
}

fn answer(
    name: &str,
    references: &BTreeSet<&str>,
    finders: &Finders<'_>,
) -> Result<Answer, MissingValue> {
    let providers = &finders.allowed.providers;
    let program = providers.get(name).ok_or_else(|| {
        let hint = match providers.keys().map(String::as_str).collect::<Vec<_>>() {
            known if known.is_empty() => {
                "name it in `secrets.providers` of the settings".to_owned()
            }
            known => format!("the settings name {}", known.join(", ")),
        };
        let message = format!("the settings name no provider `{name}`");
        MissingValue::new("not-allowed", message, hint)
    })?;
    let call = ProgramCall {
        program,
        arguments: &[],
        input: serde_json::json!({ "refs": references }).to_string().into_bytes(),
        environment: finders.environment,
        known: &finders.known_secrets(),
    };
    let unavailable = |message, hint: &str| MissingValue::new(UNAVAILABLE, message, hint);
    let bytes = call.run().map_err(|error| {
        let message = format!("the provider `{name}` {error}");
        unavailable(message, "run its command by hand; docs/secrets.md says what it is given")
    })?;
    // What is wrong with an answer is said by its place alone: a message could quote a value.
    serde_json::from_slice(&bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let message = format!(
            "the provider `{name}` gave an answer that is not in the form of docs/secrets.md (line \
             {line}, column {column} of its answer)"
        );
        unavailable(message, "it answers {\"values\": {REF: TEXT}, \"missing\": [REF]}")
    })
}

fn value(name: &str, reference: &str, answer: &Answer) -> FoundValue {
    if let Some(value) = answer.values.get(reference) {
        return of_program(value, &format!("the value of `{reference}` of the provider `{name}`"));
    }
    let message = if answer.missing.contains(reference) {
        format!("the provider `{name}` does not know `{reference}`")
    } else {
        format!("the provider `{name}` does not mention `{reference}`")
    };
    Err(MissingValue::new(
        UNAVAILABLE,
        message,
        "check the reference, and what the provider may read",
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use secrecy::ExposeSecret as _;

    use super::super::allowed::{AllowedSources, SecretProgram};
    use super::*;

    /// Asks a script of the shell for `a` and `b`.
    fn check(script: &str) -> [String; 2] {
        let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        let program =
            SecretProgram { command, timeout: Duration::from_secs(60), environment: Vec::new() };
        let providers = BTreeMap::from([("vault".to_owned(), program)]);
        let allowed = AllowedSources { providers, ..AllowedSources::default() };
        let environment = |name: &str| (name == "PATH").then(|| "/usr/bin:/bin".to_owned());
        let finders = Finders { environment: &environment, allowed: &allowed, known: None };
        let found = ask("vault", &BTreeSet::from(["a", "b"]), &finders);
        let words = found.into_values().map(|lookup| match lookup {
            Ok(value) => format!("= {}", value.expose_secret()),
            Err(missing) => missing.message,
        });
        words.collect::<Vec<_>>().try_into().unwrap()
    }

    #[test]
    fn it_is_asked_once_for_all_and_answers_for_each() {
        let echo = "read -r asked; printf '{\"values\": {\"a\": \"%s\"}, \"missing\": [\"b\"]}' \
                    \"$(printf '%s' \"$asked\" | tr -d '\"')\"";
        let found = check(echo);
        assert_eq!(found, ["= {refs:[a,b]}", "the provider `vault` does not know `b`"]);
        let found = check("echo '{\"values\": {\"a\": \"\"}, \"more\": 1}'");
        assert_eq!(
            found,
            [
                "the value of `a` of the provider `vault` is empty",
                "the provider `vault` does not mention `b`"
            ]
        );
    }

    #[test]
    fn an_answer_that_is_none_is_told_of_without_quoting_it() {
        for answer in ["{\"values\": {\"a\": 47114711}}", "{\"values\": \"47114711\"}", "47114711"]
        {
            let [a, b] = check(&format!("echo '{answer}'"));
            assert_eq!(a, b);
            assert!(
                a.starts_with("the provider `vault` gave an answer that is not in the form of"),
                "{a}"
            );
            assert!(!a.contains("4711"), "{a}");
        }
        let [a, _] = check("echo 'no luck' >&2; exit 2");
        assert_eq!(a, "the provider `vault` failed (exit status: 2): no luck");
    }
}
