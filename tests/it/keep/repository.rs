//! A repository for agents to follow, and who signs its commits.

use std::path::PathBuf;
use std::process::Command;

use super::machine::{Machine, SEARCH_PATH};

/// A repository on a machine's disk; its branch is `main`.
pub struct Repository<'a> {
    machine: &'a Machine,
}

impl<'a> Repository<'a> {
    pub fn on(machine: &'a Machine) -> Self {
        let repository = Self { machine };
        std::fs::create_dir_all(repository.place()).unwrap();
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }

    pub fn place(&self) -> PathBuf {
        self.machine.path("remote")
    }

    /// Runs git in the repository and returns what it prints.
    #[track_caller]
    pub fn git(&self, words: &[&str]) -> String {
        let mut git = Command::new("git");
        git.env_clear().env("PATH", SEARCH_PATH).args(words).current_dir(self.place());
        git.envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")]);
        for who in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{who}_NAME"), "Ada");
            git.env(format!("GIT_{who}_EMAIL"), "ada@acme.test");
        }
        let output = git.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {words:?}: {said}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Writes files, commits them, and returns the commit.
    pub fn commit(&self, subject: &str, files: &[(&str, &str)]) -> String {
        self.commit_with(&["--no-gpg-sign"], subject, files)
    }

    fn commit_with(&self, options: &[&str], subject: &str, files: &[(&str, &str)]) -> String {
        for (name, text) in files {
            self.machine.write(&format!("remote/{name}"), text);
        }
        self.git(&["add", "--all"]);
        let mut words = vec!["commit", "--quiet", "--allow-empty", "-m", subject];
        words.extend(options);
        self.git(&words);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Makes Ada's key and a file that allows her to sign, unless this machine cannot.
    pub fn allow_ada(&self) -> bool {
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f"]);
        match keygen.arg(self.machine.path("ada")).output() {
            Ok(output) => assert!(output.status.success(), "{output:?}"),
            Err(_) => return false,
        }
        let key = std::fs::read_to_string(self.machine.path("ada.pub")).unwrap();
        self.machine.write("allowed", &format!("ada@acme.test {key}"));
        true
    }

    /// Commits as Ada signs.
    pub fn sign(&self, subject: &str, files: &[(&str, &str)]) -> String {
        self.git(&["config", "gpg.format", "ssh"]);
        let key = self.machine.path("ada");
        self.git(&["config", "user.signingkey", &key.display().to_string()]);
        self.commit_with(&["--gpg-sign"], subject, files)
    }
}
