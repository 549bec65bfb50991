//! A repository is begun with files that are valid, and none that is there is touched.

use std::path::Path;

use crate::commands::Machine;

fn deployed(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn what_is_begun_is_valid_and_can_be_planned() {
    let machine = Machine::new();
    let listed = machine.run("init --dry-run").says(0, &["2 files would be written"]);
    assert_eq!(listed.stdout, "stoker.yaml\nmanifests/first.yaml\n");
    assert!(!machine.path("stoker.yaml").exists());
    machine.run("init").says(0, &["2 files written", "No pipeline was written"]);
    machine.run("validate --strict").says(0, &["Valid: 1 resource."]);
    machine.run("config view").says(0, &["manifests"]);
    machine.run("plan --sandbox").says(0, &["service/hello will be created"]);
    machine.run("init").says(1, &["stoker.yaml, manifests/first.yaml exists already"]);
}

#[test]
fn nothing_is_written_where_one_of_the_files_is_there() {
    let machine = Machine::new();
    std::fs::create_dir(machine.path("manifests")).unwrap();
    machine.write("manifests/first.yaml", "mine");
    let ran = machine.run("init --ci github");
    ran.says(1, &["manifests/first.yaml exists already; nothing was written", "--ci none"]);
    assert_eq!(machine.read("manifests/first.yaml"), "mine");
    assert!(!machine.path("stoker.yaml").exists() && !machine.path(".github").exists());
}

#[test]
fn the_pipeline_is_that_of_the_remote_and_the_one_that_is_shipped() {
    for (url, host) in [
        ("https://github.com/acme/shop.git", "github"),
        ("git@gitlab.example.com:acme/shop.git", "gitlab"),
        ("https://code.example.com/acme/shop", "none"),
    ] {
        let machine = Machine::new();
        std::fs::create_dir(machine.path(".git")).unwrap();
        machine.write(".git/HEAD", "ref: refs/heads/main\n");
        machine.write(".git/config", &format!("[remote \"origin\"]\n\turl = {url}\n"));
        let told = machine.run("init -o json").says(0, &[]).json();
        assert_eq!(told["written"], true);
        let is_there = |path: &str| machine.path(path).exists();
        assert_eq!(is_there(".github/workflows/apply.yml"), host == "github", "{url}");
        assert_eq!(is_there(".gitlab-ci.yml"), host == "gitlab", "{url}");
        if host == "github" {
            for name in ["plan.yml", "apply.yml"] {
                let shipped = deployed(&format!("deploy/github/workflows/{name}"));
                assert_eq!(machine.read(&format!(".github/workflows/{name}")), shipped);
            }
        }
        if host == "gitlab" {
            let shipped = deployed("deploy/gitlab/stoker.gitlab-ci.yml");
            assert_eq!(machine.read("stoker.gitlab-ci.yml"), shipped);
        }
        machine.run("validate --strict").says(0, &["Valid: 1 resource."]);
    }
}
