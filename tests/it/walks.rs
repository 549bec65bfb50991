//! The console blocks of pages are run, in order, as a new user would.

use std::path::{Path, PathBuf};
use std::process::Command;

/// One command of a page, and what it should print.
struct Typed {
    command: String,
    expected: String,
}

/// Reads the console blocks: `$ ` begins a command, the rest is its stdout, in which `...` on a
/// line stands for any lines.
fn typed(page: &str) -> Vec<Typed> {
    let mut commands: Vec<Typed> = Vec::new();
    let mut is_inside = false;
    for line in page.lines() {
        match line {
            "```console" => is_inside = true,
            "```" => is_inside = false,
            _ if !is_inside => {}
            _ => match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(command), _) => {
                    commands.push(Typed { command: command.to_owned(), expected: String::new() });
                }
                (None, Some(last)) => last.expected += &format!("{line}\n"),
                (None, None) => panic!("output without a command: {line}"),
            },
        }
    }
    commands
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn walk(page: &str, directory: &Path) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let binary = Path::new(env!("CARGO_BIN_EXE_stoker")).parent().unwrap();
    let path = format!("{}:/usr/bin:/bin", binary.display());
    let commands = typed(&std::fs::read_to_string(root.join(page)).unwrap());
    assert!(commands.len() > 5, "{page} lost its walk");
    for Typed { command, expected } in commands {
        let ran = Command::new("sh")
            .args(["-c", &command])
            .current_dir(directory)
            .env_clear()
            .env("PATH", &path)
            .env("HOME", directory)
            .output()
            .unwrap();
        let stdout = String::from_utf8(ran.stdout).unwrap();
        let stderr = String::from_utf8(ran.stderr).unwrap();
        assert!(ran.status.success(), "{page}: $ {command}\n{stdout}{stderr}");
        snapbox::assert_data_eq!(stdout.as_str(), expected.as_str());
    }
}

#[test]
fn the_readme_shows_what_a_new_user_sees() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let directory = tempfile::tempdir().unwrap();
    copy(&root.join("manifests"), &directory.path().join("manifests"));
    walk("README.md", directory.path());
}

#[test]
fn a_resource_lives_as_its_page_tells() {
    let directory = tempfile::tempdir().unwrap();
    walk("docs/lifecycle.md", directory.path());
}
