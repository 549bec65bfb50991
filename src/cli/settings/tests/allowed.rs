//! `secrets`: what it takes, what wins, and whose it may not be.

use std::path::PathBuf;
use std::time::Duration;

use super::super::super::environment::Environment;
use super::{SettingsFile, allowed_sources, project, refused, row};

const WHOLE: &str = "secrets:\n  directories: [/run/secrets]\n  providers:\n    vault:\n      \
    command: [/bin/vault, --token, canary]\n      timeout: 5s\n      environment: [VAULT_TOKEN]\n  \
    sops: true\n";

#[test]
fn it_says_what_may_be_read_and_run() {
    let project = project("", WHOLE);
    let allowed = &project.allowed;
    assert_eq!(allowed.directories, [PathBuf::from("/run/secrets")]);
    let vault = &allowed.providers["vault"];
    assert_eq!(vault.command, ["/bin/vault", "--token", "canary"]);
    assert_eq!(
        (vault.timeout, &vault.environment[..]),
        (Duration::from_secs(5), &["VAULT_TOKEN".to_owned()][..])
    );
    let sops = allowed.sops.as_ref().unwrap();
    assert_eq!(
        (&sops.command[..], sops.timeout),
        (&["sops".to_owned()][..], Duration::from_secs(10))
    );
    assert_eq!(sops.environment, ["SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE"]);
    // An argument may be a secret, so the view shows the program alone.
    let shown = row(&project.rows, "secrets.providers.vault");
    assert_eq!(shown, "/bin/vault (within 5s) from stoker.yaml:4");
    assert_eq!(row(&project.rows, "secrets.sops"), "sops (within 10s) from stoker.yaml:8");
}

#[test]
fn without_it_nothing_is_allowed_and_a_projects_own_is_taken_whole() {
    assert_eq!(project("", "").allowed, crate::secret::AllowedSources::NOTHING);
    let own = "secrets: { directories: [/a], sops: true }\nprojects:\n  - { name: shop, tokenEnv: T, \
               secrets: { directories: [/b] } }\n";
    let allowed = project("", own).allowed;
    assert_eq!((allowed.directories, allowed.sops), (vec![PathBuf::from("/b")], None));
    let file = SettingsFile::from_texts(vec![("stoker.yaml".to_owned(), own.to_owned())]).unwrap();
    let called = allowed_sources(&file.choose(Some("shop"))).unwrap();
    assert_eq!(called.directories, [PathBuf::from("/b")]);
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    for (text, reason) in [
        ("directories: [run/secrets]", "`run/secrets` is not an absolute path without `..`"),
        ("directories: [/run/../etc]", "`/run/../etc` is not an absolute path without `..`"),
        ("directories: [/]", "`/` would allow every file of this machine"),
        ("providers: { vault: { command: [] } }", "`command` is empty"),
        ("providers: { vault: { command: [./vault] } }", "`./vault` is relative"),
        ("providers: { 'a b': { command: [x] } }", "`a b` is no name of a provider"),
        ("providers: { a: { command: [x], timeout: 5m } }", "`timeout` lies between 1s and 1m"),
        (
            "providers: { a: { command: [x], environment: [A=B] } }",
            "`A=B` is no name of a variable",
        ),
        ("sops: { command: [''] }", "`command` is empty"),
    ] {
        let said = refused("", &format!("secrets: {{ {text} }}"));
        assert!(said.contains(reason) && said.contains("stoker.yaml:1:"), "{text}: {said}");
    }
}

#[test]
fn the_checkout_of_a_pull_request_may_not_say_it_unless_somebody_names_the_file() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("named.yaml");
    std::fs::write(&path, WHOLE).unwrap();
    let of_pull_request = Environment::from(&[("GITHUB_HEAD_REF", "feature")][..]);
    let named = SettingsFile::read(Some(&path), &of_pull_request).unwrap();
    assert!(allowed_sources(&named).is_ok());
    let found = SettingsFile::from_texts(vec![("stoker.yaml".to_owned(), WHOLE.to_owned())]);
    let found = found.unwrap();
    assert!(allowed_sources(&found).is_ok());
    let failure = allowed_sources(&found.of_checkout(&of_pull_request)).unwrap_err();
    let said = failure.diagnostics[0].to_string();
    assert!(said.contains("not taken from the checkout of a pull request"), "{said}");
}
