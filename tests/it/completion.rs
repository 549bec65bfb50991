//! A shell completes what can be known without a request, and is told of nothing else. The scripts are
//! run by the real bash.

use std::process::Command;

use crate::commands::Machine;

/// What bash would offer for a line, of which the last word is being typed.
fn offered(machine: &Machine, line: &str) -> Vec<String> {
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_stoker")).parent().unwrap();
    let script = r#"
        set -u
        source <(stoker completions bash)
        compopt() { :; }
        read -r -a COMP_WORDS <<<"$1"
        [[ $1 != *' ' ]] || COMP_WORDS+=('')
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        COMP_TYPE=9 COMP_LINE=$1 COMP_POINT=${#1}
        _clap_complete_stoker stoker "${COMP_WORDS[COMP_CWORD]}" ''
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut command = Command::new("bash");
    command.args(["--norc", "-c", script, "bash", line]).current_dir(machine.path(""));
    command.env_clear().env("PATH", format!("{}:/usr/bin:/bin", binary.display()));
    command.env("HOME", machine.path("")).env("STOKER_STATE", machine.path("state"));
    let output = command.output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.is_empty(), "{errors}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn service(name: &str) -> String {
    format!(
        "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: {name} }}\nspec: {{ \
         type: web, image: nginx, port: 80 }}\n"
    )
}

#[test]
fn commands_words_of_options_and_kinds_are_completed() {
    let machine = Machine::new();
    assert_eq!(offered(&machine, "stoker acc"), ["accept"]);
    assert_eq!(offered(&machine, "stoker plan -o js"), ["json"]);
    assert_eq!(offered(&machine, "stoker get serv"), ["services"]);
    assert!(offered(&machine, "stoker plan --show").contains(&"--show-unmanaged".to_owned()));
}

#[test]
fn names_come_from_the_manifests_and_the_state() {
    let machine = Machine::new();
    std::fs::create_dir(machine.path("manifests")).unwrap();
    machine.write("manifests/api.yaml", &service("api"));
    machine.write("old.yaml", &service("old"));
    machine.run("apply old.yaml --sandbox -y").says(0, &[]);
    assert_eq!(offered(&machine, "stoker why service/"), ["service/api"]);
    assert_eq!(offered(&machine, "stoker get --sandbox service/"), ["service/api", "service/old"]);
    assert_eq!(offered(&machine, "stoker get svc/a"), ["svc/api"]);
    assert_eq!(offered(&machine, "stoker accept service/api.po"), ["service/api.port"]);
}

#[test]
fn projects_come_from_the_settings_and_what_is_broken_offers_nothing() {
    let machine = Machine::new();
    machine.write("stoker.yaml", "projects:\n  - name: shop\n  - name: blog\n");
    assert_eq!(offered(&machine, "stoker plan --project s"), ["shop"]);
    machine.write("stoker.yaml", "projects: [\n");
    assert!(offered(&machine, "stoker plan --project s").is_empty());
    assert!(offered(&machine, "stoker why service/").is_empty());
    std::fs::remove_file(machine.path("stoker.yaml")).unwrap();
    machine.write("stackblaze.yaml", "services: [\n");
    assert!(offered(&machine, "stoker why service/").is_empty());
}
