//! Secrets that stand outside the manifests, and change behind the agent's back.

use super::machine::{Agent, Machine};

/// A service that takes one variable from a file outside the tree, and one from a provider.
fn service(directory: &std::path::Path) -> String {
    format!(
        "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: api }}\nspec:\n  type: web\n  \
         image: nginx\n  envVars:\n    - {{ key: OUTER, valueFrom: {{ file: {}/outer }} }}\n    \
         - {{ key: GIVEN, valueFrom: {{ provider: vault, ref: given }} }}\n",
        directory.display()
    )
}

/// A machine whose settings allow a directory and a provider that answers what a file holds.
fn machine() -> Machine {
    let machine = Machine::with(&[]);
    let secrets = machine.path("mounted");
    machine.write("manifests/api.yaml", &service(&secrets));
    machine.write("mounted/outer", "canary-outer-1");
    machine.write("vault.json", "{\"values\": {\"given\": \"canary-given-1\"}}");
    let (secrets, vault) = (secrets.display(), machine.path("vault.json"));
    let settings = format!(
        "secrets:\n  directories: [{secrets}]\n  providers:\n    vault: {{ command: [/bin/cat, {}] }}\n",
        vault.display()
    );
    machine.write("stoker.yaml", &settings);
    machine
}

/// Waits until so many passes have written.
fn until_written(agent: &Agent<'_>, passes: usize) {
    agent.until("a pass should write", |agent| {
        let status = agent.status();
        (status.history.iter().filter(|pass| pass.written > 0).count() == passes).then_some(())
    });
    agent.until_synced();
}

#[test]
fn a_secret_that_changed_outside_the_tree_is_written_without_a_restart() {
    let machine = machine();
    let agent = machine.agent("--sandbox manifests/ --interval 1h");
    until_written(&agent, 1);
    machine.replace("mounted/outer", "canary-outer-2");
    until_written(&agent, 2);
    machine.run("plan --sandbox manifests/").says(0, &["No changes"]);
    assert!(!agent.log().contains("canary"), "{}", agent.log());
    agent.end();
}

#[test]
fn a_provider_that_fails_leaves_the_last_good_state_standing_until_it_answers_again() {
    let machine = machine();
    let agent = machine.agent("--sandbox manifests/ --interval 1h");
    until_written(&agent, 1);
    let before = agent.services();
    machine.replace("vault.json", "canary-given-1");
    machine.replace("mounted/outer", "canary-outer-2");
    let status = agent.until_ready_says("SecretUnavailable");
    let problem = status.source.problem.unwrap();
    assert!(
        problem.message.contains("the provider `vault` answered what is not as"),
        "{problem:#?}"
    );
    assert!(problem.message.contains("manifests/api.yaml:9:"), "{problem:#?}");
    assert_eq!(agent.services(), before);
    machine.run("plan --sandbox manifests/").says(65, &["unavailable-secret", "vault"]);
    // It is asked again by itself: nothing rings for it.
    machine.replace("vault.json", "{\"values\": {\"given\": \"canary-given-2\"}}");
    until_written(&agent, 2);
    agent.until_event("SourceRecovered");
    assert!(!agent.log().contains("canary"), "{}", agent.log());
    agent.end();
}

#[test]
fn a_manifest_alone_reads_no_file_outside_its_tree_and_runs_nothing() {
    let machine = machine();
    machine.write("stoker.yaml", "{}");
    let ran = machine.run("plan --sandbox manifests/");
    ran.says(
        65,
        &["no setting allows files of its directory", "the settings name no provider `vault`"],
    );
}
