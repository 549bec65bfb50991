//! What lives, as manifests: planning an export changes nothing, and it carries what is remembered.

use crate::commands::Machine;

#[test]
fn an_export_carries_protection_and_labels_and_says_what_it_cannot() {
    let machine = Machine::new();
    let manifest = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata:\n  name: api\n  \
        labels: { team: shop }\nspec: { type: web, image: nginx, envVars: [{ key: A, value: a }] }\n\
        lifecycle: { protect: true, prune: false, envVars: additive }\n";
    machine.write("api.yaml", manifest);
    assert_eq!(machine.run("apply api.yaml --sandbox -y").exit, 0);
    let ran = machine.run("export --sandbox --to live");
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("ignoreChanges"), "{}", ran.stderr);
    let text = machine.read("live/services/api.yaml");
    for said in ["team: shop", "protect: true", "prune: false", "envVars: additive"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let ran = machine.run("plan live --sandbox --detailed-exitcode");
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("No changes."), "{}", ran.stdout);
    // What is there is somebody's.
    let ran = machine.run("export --sandbox --to live");
    assert_eq!(ran.exit, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("nothing was written"), "{}", ran.stderr);
}
