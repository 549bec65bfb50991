//! The history of the manifests: commits, each after another, and a branch that can be rewritten.
//!
//! Plain files have no history; of them only the newest state is ever read.

use super::dice::mix;
use super::schedule::HistoryRewrite;

/// What the source holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum BranchState {
    Revision(usize),
    /// All that a revision declares, as one text without layers.
    Merged(usize),
    /// What lives before we come.
    Founded,
    Half(usize, u64),
    Shrunk(usize, usize),
    /// A revision whose overlay on top is no YAML.
    Torn(usize),
    Gone,
    Empty,
    Broken,
}

/// A branch with all that was ever on it: a force-push leaves the old commits in every copy.
#[derive(Debug)]
pub(super) struct Branch {
    commits: Vec<Commit>,
    tip: usize,
}

#[derive(Debug)]
struct Commit {
    held: BranchState,
    parent: Option<usize>,
}

impl Branch {
    /// Begins with one commit.
    pub fn new(held: BranchState) -> Self {
        Self { commits: vec![Commit { held, parent: None }], tip: 0 }
    }

    /// Returns what is newest.
    pub fn newest(&self) -> &BranchState {
        &self.commits[self.tip].held
    }

    /// Returns the number of the newest commit.
    pub const fn tip(&self) -> usize {
        self.tip
    }

    /// Adds a commit.
    pub fn push(&mut self, held: BranchState) {
        self.add(held, Some(self.tip));
    }

    /// Rewrites the history.
    pub fn rewrite(&mut self, rewrite: &HistoryRewrite) {
        match *rewrite {
            HistoryRewrite::Amend(revision) => {
                let parent = self.commits[self.tip].parent;
                self.add(BranchState::Revision(revision), parent);
            }
            HistoryRewrite::Back(commits) => {
                for _ in 0..commits {
                    self.tip = self.commits[self.tip].parent.unwrap_or(self.tip);
                }
            }
        }
    }

    fn add(&mut self, held: BranchState, parent: Option<usize>) {
        self.tip = self.commits.len();
        self.commits.push(Commit { held, parent });
    }

    /// Returns what a commit held; nothing for the id of none.
    pub fn held(&self, id: &str) -> Option<&BranchState> {
        self.find(id).map(|number| &self.commits[number].held)
    }

    /// Whether a commit that was read before leads to the newest.
    pub fn is_led_from(&self, id: &str) -> bool {
        let Some(known) = self.find(id) else { return false };
        let mut at = Some(self.tip);
        while let Some(number) = at.filter(|number| *number != known) {
            at = self.commits[number].parent;
        }
        at.is_some()
    }

    fn find(&self, id: &str) -> Option<usize> {
        (0..self.commits.len()).find(|number| commit_id(*number) == id)
    }
}

/// Returns the id of a commit by its number, as git writes one.
pub(super) fn commit_id(number: usize) -> String {
    format!("{:016x}{number:024x}", mix(u64::try_from(number).unwrap_or(0) + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_leads_to_those_after_it_and_to_none_that_took_its_place() {
        let mut branch = Branch::new(BranchState::Revision(0));
        branch.push(BranchState::Revision(1));
        let known = commit_id(branch.tip());
        branch.push(BranchState::Empty);
        assert!(branch.is_led_from(&known) && branch.is_led_from(&commit_id(0)));
        branch.rewrite(&HistoryRewrite::Back(1));
        assert_eq!(branch.newest(), &BranchState::Revision(1));
        assert!(branch.is_led_from(&known));
        branch.rewrite(&HistoryRewrite::Amend(2));
        assert!(!branch.is_led_from(&known) && branch.is_led_from(&commit_id(0)));
        branch.push(BranchState::Revision(3));
        assert!(!branch.is_led_from(&known) && !branch.is_led_from("no commit"));
        assert_eq!(branch.held(&known), Some(&BranchState::Revision(1)));
        branch.rewrite(&HistoryRewrite::Back(9));
        assert_eq!(branch.newest(), &BranchState::Revision(0));
    }
}
