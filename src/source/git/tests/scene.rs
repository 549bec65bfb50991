//! A repository to look at, and a `git` that writes down how it is called.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::source::git::{
    CommitId, Fetched, GitError, GitReference, GitSettings, GitSource, RefName, RepositoryPath,
};

/// A service, so that a manifest looks like one.
pub fn manifest(name: &str) -> String {
    format!("kind: Service\nmetadata: {{ name: {name} }}\n")
}

/// A repository with a working directory, a place for copies, and a place for programs.
pub struct Scene {
    directory: TempDir,
}

impl Scene {
    /// Makes a repository whose branch `main` has one commit with `web.yaml`.
    pub fn new() -> Self {
        let scene = Self { directory: tempfile::tempdir().unwrap() };
        fs::create_dir_all(scene.remote()).unwrap();
        fs::create_dir_all(scene.path("bin")).unwrap();
        scene.git(&["init", "--quiet", "--initial-branch=main"]);
        scene.commit("first", &[("web.yaml", &manifest("web"))]);
        scene
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn remote(&self) -> PathBuf {
        self.path("remote")
    }

    /// Runs git in the repository and returns what it prints.
    pub fn git(&self, words: &[&str]) -> String {
        self.git_with(words, b"")
    }

    pub fn git_with(&self, words: &[&str], input: &[u8]) -> String {
        let mut child = Command::new("git")
            .args(words)
            .current_dir(self.remote())
            .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")])
            .envs([("GIT_AUTHOR_NAME", "Ada"), ("GIT_AUTHOR_EMAIL", "ada@acme.test")])
            .envs([("GIT_COMMITTER_NAME", "Ada"), ("GIT_COMMITTER_EMAIL", "ada@acme.test")])
            .envs([("GIT_COMMITTER_DATE", "1700000000 +0000")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {words:?}: {said}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Writes files and commits them.
    pub fn commit(&self, subject: &str, files: &[(&str, &str)]) -> CommitId {
        for (path, text) in files {
            let path = self.remote().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--no-gpg-sign", "-m", subject]);
        self.head()
    }

    /// Adds empty commits to `main` in one go.
    pub fn go_ahead(&self, count: usize) {
        let commit = |number: usize| {
            format!(
                "commit refs/heads/main\ncommitter Ada <ada@acme.test> 1700000000 +0000\n\
                 data {}\n{number}\n{}",
                number.to_string().len(),
                if number == 0 { "from refs/heads/main^0\n" } else { "" }
            )
        };
        let stream: String = (0..count).map(commit).collect();
        self.git_with(&["fast-import", "--quiet"], stream.as_bytes());
    }

    pub fn head(&self) -> CommitId {
        CommitId::new(&self.git(&["rev-parse", "HEAD"])).unwrap()
    }

    /// Settings that follow `main`, with our own programs before the others.
    pub fn settings(&self) -> GitSettings {
        self.settings_for(self.remote().to_str().unwrap())
    }

    pub fn settings_for(&self, url: &str) -> GitSettings {
        self.settings_in(url, &[])
    }

    /// Settings made in an environment with these variables besides.
    pub fn settings_in(&self, url: &str, variables: &[(&str, &str)]) -> GitSettings {
        let path = format!("{}:{}", self.path("bin").display(), shell("printf %s \"$PATH\""));
        let environment = |name: &str| {
            let given = variables.iter().find(|(key, _)| *key == name);
            let given = given.map(|(_, value)| (*value).to_owned());
            given.or_else(|| (name == "PATH").then(|| path.clone()))
        };
        GitSettings::new(url, branch("main"), &environment).unwrap()
    }

    pub fn source(&self, settings: GitSettings) -> GitSource {
        GitSource::new(settings, self.path("state/git"))
    }

    /// Puts a `git` before the real one. In the script `$GIT` is the real one.
    pub fn wrap_git(&self, script: &str) {
        let text = format!("#!/bin/sh\nGIT='{}'\n{script}\n", shell("command -v git"));
        let path = self.path("bin/git");
        // A child writes it: a program that a process of many threads holds open for writing, if
        // only for a moment, cannot be started in that moment.
        let mut child = Command::new("sh")
            .args(["-c", "cat > \"$1\" && chmod +x \"$1\"", "sh"])
            .arg(path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// Puts a `gpg-with-home` among the programs, which signs with the keys of a directory.
    pub fn wrap_gpg(&self, home: &Path) {
        let path = self.path("bin/gpg-with-home");
        let text = format!("#!/bin/sh\nGNUPGHOME='{}' exec gpg --batch \"$@\"\n", home.display());
        let script = format!("cat > '{0}' <<'END'\n{text}END\nchmod +x '{0}'", path.display());
        shell(&script);
    }

    /// Has every call written down, and then done.
    pub fn watch_git(&self) {
        let log = self.path("calls");
        self.wrap_git(&format!("echo \"$*\" >> '{}'\nexec \"$GIT\" \"$@\"", log.display()));
    }

    /// Returns the first words of the calls since this was asked last.
    pub fn calls(&self) -> String {
        let log = self.path("calls");
        let text = fs::read_to_string(&log).unwrap_or_default();
        fs::write(log, "").unwrap();
        let first = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
        text.lines().map(first).collect::<Vec<_>>().join(" ")
    }
}

/// Returns what a shell prints.
pub fn shell(script: &str) -> String {
    let output = Command::new("sh").args(["-c", script]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub fn branch(name: &str) -> GitReference {
    GitReference::Branch(RefName::new(name).unwrap())
}

pub fn tag(name: &str) -> GitReference {
    GitReference::Tag(RefName::new(name).unwrap())
}

pub fn beneath(path: &str) -> RepositoryPath {
    RepositoryPath::new(path).unwrap()
}

/// Returns the paths of the files, or the error.
pub fn shown(outcome: &Result<Fetched, GitError>) -> String {
    match outcome {
        Ok(Fetched { tree, .. }) => {
            let paths: Vec<&str> = tree.files().iter().map(|file| file.path.as_str()).collect();
            paths.join(" ")
        }
        Err(error) => error.to_string(),
    }
}

pub fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}
