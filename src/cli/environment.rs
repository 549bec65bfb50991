//! The process's surroundings, captured once: the only place that reads them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::source::Checkout;

/// The environment and arguments of one run, as values.
///
/// Tests build their own; nothing else in the program asks the process.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// The arguments, with the program's name first.
    pub arguments: Vec<OsString>,
}

impl Environment {
    /// Captures the process's own. Variables that are not UTF-8 are left out: no setting of ours
    /// and no manifest can name their value.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub fn of_the_process() -> Self {
        let text = |(key, value): (OsString, OsString)| {
            Some((key.into_string().ok()?, value.into_string().ok()?))
        };
        Self {
            variables: std::env::vars_os().filter_map(text).collect(),
            arguments: std::env::args_os().collect(),
        }
    }

    /// Returns a variable, when it is set and not empty: an empty setting is none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// Returns a variable as it is set; for manifests, where an empty value is a value.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Returns where state is kept unless a setting says otherwise: systemd's directory, else the
    /// user's.
    #[must_use]
    pub fn state_directory(&self) -> Option<PathBuf> {
        // systemd gives several, separated by colons; the first is ours.
        if let Some(first) = self.get("STATE_DIRECTORY").and_then(|all| all.split(':').next()) {
            return Some(PathBuf::from(first));
        }
        let base = self.directory("XDG_STATE_HOME", ".local/state")?;
        Some(base.join("stoker"))
    }

    /// The settings file of the directory that a command is called in.
    pub const SETTINGS_HERE: &str = "stoker.yaml";

    /// Returns the settings files that may exist, the nearest first.
    #[must_use]
    pub fn settings_files(&self) -> Vec<PathBuf> {
        let user = self.directory("XDG_CONFIG_HOME", ".config");
        let user = user.map(|base| base.join("stoker/config.yaml"));
        let project = Some(PathBuf::from(Self::SETTINGS_HERE));
        let machine = Some(PathBuf::from("/etc/stoker/config.yaml"));
        [project, user, machine].into_iter().flatten().collect()
    }

    /// Returns what the build server says of the checkout it made: GitHub and GitLab name the
    /// repository that a pull request is for, and the one that its files are from may be another.
    #[must_use]
    pub fn checkout(&self) -> Checkout {
        let is_of_pull_request =
            self.get("GITHUB_HEAD_REF").is_some() || self.get("CI_MERGE_REQUEST_IID").is_some();
        let target = self.get("CI_MERGE_REQUEST_PROJECT_PATH");
        let repository = self.get("GITHUB_REPOSITORY").or(target).map(str::to_owned);
        Checkout { is_of_pull_request, repository }
    }

    /// Returns the branch that a pull request goes to, as the build server names it. GitLab can build
    /// in a fork, where that is a branch of the fork's owner.
    #[must_use]
    pub fn target_branch(&self) -> Option<&str> {
        if self.get("CI_MERGE_REQUEST_IID").is_none() {
            return self.get("GITHUB_BASE_REF");
        }
        let is_here = self.get("CI_PROJECT_PATH") == self.get("CI_MERGE_REQUEST_PROJECT_PATH");
        self.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME").filter(|_| is_here)
    }

    /// Whether the run is a step of GitHub Actions.
    #[must_use]
    pub fn is_github_actions(&self) -> bool {
        self.get("GITHUB_ACTIONS") == Some("true")
    }

    fn directory(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        // The XDG specification: a relative path is invalid and ignored.
        let given = self.get(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        given.or_else(|| Some(PathBuf::from(self.get("HOME")?).join(below_home)))
    }
}

impl From<&[(&str, &str)]> for Environment {
    fn from(pairs: &[(&str, &str)]) -> Self {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Self { variables: pairs.iter().map(own).collect(), arguments: Vec::new() }
    }
}

/// Shows the names only: values may be secrets (S9).
impl std::fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.variables.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_goes_where_systemd_says_then_where_the_user_keeps_it() {
        let place = |pairs: &[(&str, &str)]| {
            let environment = Environment::from(pairs);
            environment.state_directory().map(|path| path.display().to_string())
        };
        let home = ("HOME", "/home/a");
        assert_eq!(place(&[home]).as_deref(), Some("/home/a/.local/state/stoker"));
        let xdg = ("XDG_STATE_HOME", "/x");
        assert_eq!(place(&[home, xdg]).as_deref(), Some("/x/stoker"));
        let relative = ("XDG_STATE_HOME", "x");
        assert_eq!(place(&[home, relative]).as_deref(), Some("/home/a/.local/state/stoker"));
        let systemd = ("STATE_DIRECTORY", "/var/lib/stoker:/y");
        assert_eq!(place(&[home, xdg, systemd]).as_deref(), Some("/var/lib/stoker"));
        assert_eq!(place(&[]), None);
    }

    #[test]
    fn no_value_is_shown_by_debug() {
        let environment = Environment::from(&[("STACKBLAZE_TOKEN", "sb_live_canary")][..]);
        assert!(!format!("{environment:?}").contains("canary"));
    }
}
