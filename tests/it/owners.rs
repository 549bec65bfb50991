//! Root beside the service's user on one state directory (run as root only: nobody else can give files
//! away).

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::process::Command;

/// The service's user; it need not exist.
const SERVICE: u32 = 54_321;

fn stoker(state: &std::path::Path, manifests: &std::path::Path, words: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stoker"));
    command.env_clear().args(words).arg(manifests).arg("--state").arg(state);
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn what_root_writes_into_the_state_of_a_service_belongs_to_the_service() {
    if !rustix::process::geteuid().is_root() {
        println!("this is not root, so nothing was given away");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let manifests = place.path().join("a.yaml");
    let text = "apiVersion: stackblaze.cloud/v1\nkind: EnvGroup\nmetadata: { name: a }\nspec: { envVars: [{ key: A, value: b }] }\n";
    fs::write(&manifests, text).unwrap();
    let state = place.path().join("state");
    fs::create_dir(&state).unwrap();
    chown(&state, Some(SERVICE), Some(SERVICE)).unwrap();
    fs::create_dir(state.join("sandbox")).unwrap();
    chown(state.join("sandbox"), Some(SERVICE), Some(SERVICE)).unwrap();
    let (exit, said) = stoker(&state, &manifests, &["apply", "--sandbox", "--auto-approve"]);
    assert_eq!(exit, 0, "{said}");
    let mut seen = 0;
    for entry in fs::read_dir(state.join("sandbox")).unwrap() {
        let entry = entry.unwrap();
        let (name, owner) = (entry.file_name(), entry.metadata().unwrap().uid());
        assert_eq!(owner, SERVICE, "{name:?} locks the service out");
        seen += 1;
    }
    assert!(seen >= 3, "{seen} files: nothing was written");
}
