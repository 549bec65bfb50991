//! The repository that manifests lie in: what a Blueprint means where it names none.
//!
//! Of a checkout only two small files are read, its `HEAD` and its `config`; no program runs, so
//! that nothing in a directory somebody handed over comes to act.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::git::Address;
use super::jail::read_regular;

/// The most bytes of `HEAD` and `config` that are read. Real ones have a few hundred.
const BYTES_MAX: u64 = 100_000;

/// How far up the directory of a repository is looked for.
const PARENTS_MAX: usize = 64;

/// The repository that the files of a tree lie in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// Its address, spelt alike for https and ssh and without credentials: `github.com/acme/shop`.
    pub repo: String,
    /// The branch that is followed or checked out; none of a tag, a commit or a pull request.
    pub branch: Option<String>,
}

/// What the build server says of the checkout it made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkout {
    /// Whether the files are those of a pull request: its branch is none to deploy from.
    pub is_of_pull_request: bool,
    /// The repository the build is for, as `owner/name`. Where the checkout is of another one, it is
    /// a fork.
    pub repository: Option<String>,
}

impl Home {
    /// Makes one of an address; none of a directory of this machine, which no platform can reach.
    pub(super) fn at(address: &Address, branch: Option<String>) -> Option<Self> {
        Some(Self { repo: address.as_repo()?, branch })
    }

    /// Finds the repository that all these paths are checked out from. Nothing is said of a fork, and
    /// what comes from standard input comes from nowhere.
    #[must_use]
    pub fn of_all(paths: &[PathBuf], checkout: &Checkout) -> Option<Self> {
        let checkouts = paths.iter().map(|path| git_above(path));
        let checkouts: BTreeSet<PathBuf> = checkouts.collect::<Option<_>>()?;
        let mut homes = checkouts.iter().map(|git| Self::of_checkout(git, checkout));
        let home = homes.next()??;
        homes.all(|other| other.as_ref() == Some(&home)).then_some(home)
    }

    /// Returns the folder of a file as the checkout it lies in has it: empty at the top, and nothing
    /// outside of any checkout.
    #[must_use]
    pub fn folder_within(file: &Path) -> Option<String> {
        let folder = file.parent().filter(|it| !it.as_os_str().is_empty());
        let folder = fs::canonicalize(folder.unwrap_or(Path::new("."))).ok()?;
        let mut above = folder.ancestors().take(PARENTS_MAX);
        let top = above.find(|it| git_directory(it).is_some())?;
        folder.strip_prefix(top).ok()?.to_str().map(str::to_owned)
    }

    fn of_checkout(git: &Path, checkout: &Checkout) -> Option<Self> {
        let remotes = Remotes::read(&read(&common(git).join("config"))?);
        let home = remotes.home()?;
        let is_of = |repository: &String| home.ends_with(&format!("/{repository}"));
        if !checkout.repository.as_ref().is_none_or(is_of) {
            return None;
        }
        let head = read(&git.join("HEAD"))?;
        let branch = head.trim_end().strip_prefix("ref: refs/heads/").map(str::to_owned);
        let branch = branch.filter(|_| !checkout.is_of_pull_request);
        Some(Self { repo: home, branch })
    }
}

/// Returns where the repository is that a path is checked out from.
fn git_above(path: &Path) -> Option<PathBuf> {
    let path = fs::canonicalize(path).ok()?;
    path.ancestors().take(PARENTS_MAX).find_map(git_directory)
}

/// Returns where the repository of a directory is, if it is the top of a checkout. Of a submodule and
/// of a worktree a file says so.
fn git_directory(directory: &Path) -> Option<PathBuf> {
    let git = directory.join(".git");
    if git.is_dir() {
        return Some(git);
    }
    let text = read(&git)?;
    let path = text.trim_end().strip_prefix("gitdir: ")?;
    Some(directory.join(path))
}

/// Returns where the settings lie that a worktree shares with its repository.
fn common(git: &Path) -> PathBuf {
    match read(&git.join("commondir")) {
        Some(path) => git.join(path.trim_end()),
        None => git.to_owned(),
    }
}

fn read(path: &Path) -> Option<String> {
    String::from_utf8(read_regular(path, BYTES_MAX).ok()??).ok()
}

/// The remotes that the settings of a repository name, each with the first of its addresses.
#[derive(Debug, Default)]
struct Remotes(Vec<(String, String)>);

impl Remotes {
    fn read(config: &str) -> Self {
        let mut remotes = Self::default();
        let mut remote: Option<String> = None;
        for line in config.lines().map(str::trim) {
            if let Some(section) = line.strip_prefix('[') {
                let name = section.strip_prefix("remote \"").and_then(|it| it.split_once("\"]"));
                remote = name.map(|(name, _)| name.to_owned());
            } else if let Some((key, value)) = line.split_once('=')
                && let Some(name) = &remote
                && key.trim() == "url"
                && !remotes.0.iter().any(|(known, _)| known == name)
            {
                remotes.0.push((name.clone(), value.trim().trim_matches('"').to_owned()));
            }
        }
        remotes
    }

    /// Returns the address of the repository that is meant: `origin`, or the only one. Beside
    /// another that it was forked from, nobody can tell.
    fn home(&self) -> Option<String> {
        let address = |(_, url): &(String, String)| Address::parse(url).ok()?.0.as_repo();
        let is_origin = |(name, _): &&(String, String)| name == "origin";
        let only = match self.0.as_slice() {
            [only] => Some(only),
            [] | [_, ..] => None,
        };
        let origin = self.0.iter().find(is_origin).or(only)?;
        let home = address(origin)?;
        let is_upstream = |(name, _): &&(String, String)| name == "upstream";
        let upstream = self.0.iter().find(is_upstream).and_then(address);
        upstream.is_none_or(|it| it == home).then_some(home)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkout(head: &str, config: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join(".git")).unwrap();
        fs::create_dir_all(directory.path().join("deploy/prod")).unwrap();
        fs::write(directory.path().join(".git/HEAD"), head).unwrap();
        fs::write(directory.path().join(".git/config"), config).unwrap();
        directory
    }

    fn origin(url: &str) -> String {
        format!("[core]\n\tbare = false\n[remote \"origin\"]\n\turl = {url}\n\tfetch = +refs/*\n")
    }

    fn found(head: &str, config: &str, build: &Checkout) -> Option<(String, Option<String>)> {
        let directory = checkout(head, config);
        let home = Home::of_all(&[directory.path().join("deploy/prod")], build)?;
        Some((home.repo, home.branch))
    }

    const MAIN: &str = "ref: refs/heads/main\n";

    #[test]
    fn every_spelling_of_the_address_is_one_and_holds_no_credentials() {
        for url in [
            "https://github.com/acme/shop.git",
            "https://GitHub.com/acme/shop",
            "https://x-access-token:ghs_0123456789@github.com/acme/shop.git",
            "git@github.com:acme/shop.git",
            "ssh://git@github.com/acme/shop.git",
            "ssh://git@github.com:22/acme/shop",
        ] {
            let home = found(MAIN, &origin(url), &Checkout::default());
            let expected = ("github.com/acme/shop".to_owned(), Some("main".to_owned()));
            assert_eq!(home, Some(expected), "{url}");
        }
        for url in ["/srv/git/shop.git", "file:///srv/git/shop.git", "../shop", "-upload", ""] {
            assert_eq!(found(MAIN, &origin(url), &Checkout::default()), None, "{url}");
        }
    }

    #[test]
    fn a_pull_request_has_no_branch_to_deploy_from_and_a_fork_is_not_this_repository() {
        let config = origin("https://github.com/acme/shop.git");
        let build = |repository: &str, is_of_pull_request| Checkout {
            is_of_pull_request,
            repository: Some(repository.to_owned()),
        };
        let repo = || "github.com/acme/shop".to_owned();
        let main = Some("main".to_owned());
        assert_eq!(found(MAIN, &config, &build("acme/shop", false)), Some((repo(), main)));
        let head = "ref: refs/heads/feature\n";
        assert_eq!(found(head, &config, &build("acme/shop", true)), Some((repo(), None)));
        let detached = "1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f70819203\n";
        assert_eq!(found(detached, &config, &Checkout::default()), Some((repo(), None)));
        let fork = origin("https://github.com/eve/shop.git");
        assert_eq!(found(head, &fork, &build("acme/shop", true)), None);
        // Where nobody builds, what a checkout was forked from tells.
        let upstream = "[remote \"upstream\"]\n url = git@github.com:acme/shop.git\n";
        assert_eq!(found(MAIN, &format!("{fork}{upstream}"), &Checkout::default()), None);
        let same = format!("{config}{upstream}");
        assert!(found(MAIN, &same, &Checkout::default()).is_some());
    }

    #[test]
    fn a_followed_repository_is_home_and_one_on_this_machine_is_not() {
        let at = |url: &str| Home::at(&Address::parse(url).unwrap().0, Some("main".to_owned()));
        let home = at("https://bot:token@git.acme.test:8443/shop.git").unwrap();
        assert_eq!(home.repo, "git.acme.test:8443/shop");
        assert_eq!(home.branch.as_deref(), Some("main"));
        for url in ["/srv/git/shop.git", "http://127.0.0.1:3000/acme/shop"] {
            assert_eq!(at(url), None, "{url}");
        }
    }

    #[test]
    fn a_worktree_and_a_submodule_know_their_repository_and_a_plain_directory_none() {
        let main = checkout(MAIN, &origin("git@github.com:acme/shop.git"));
        let git = main.path().join(".git/worktrees/w");
        fs::create_dir_all(&git).unwrap();
        fs::write(git.join("HEAD"), "ref: refs/heads/next\n").unwrap();
        fs::write(git.join("commondir"), "../..\n").unwrap();
        let worktree = tempfile::tempdir().unwrap();
        fs::write(worktree.path().join(".git"), format!("gitdir: {}\n", git.display())).unwrap();
        let of_all = |paths: &[&Path]| {
            let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
            Home::of_all(&paths, &Checkout::default())
        };
        let home = of_all(&[worktree.path(), worktree.path()]).unwrap();
        assert_eq!(
            (home.repo.as_str(), home.branch.as_deref()),
            ("github.com/acme/shop", Some("next"))
        );
        let plain = tempfile::tempdir().unwrap();
        let (main, plain) = (main.path(), plain.path());
        assert_eq!(of_all(&[plain]), None);
        assert_eq!(of_all(&[main, plain]), None);
        assert_eq!(of_all(&[]), None);
        // Another branch of the same repository: the one or the other would be wrong.
        assert_eq!(of_all(&[main, worktree.path()]), None);
        assert!(of_all(&[main, &main.join("deploy"), &main.join("deploy/prod")]).is_some());
    }
}
