//! What a step of GitHub Actions takes beside its log: a summary, and values for later steps.
//!
//! The files are the runner's and are only added to. It prints nothing: what stands in the log is
//! the output's.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::environment::Environment;

/// GitHub takes a summary of 1 MiB from a step, and drops a larger one whole.
const SUMMARY_BYTES_MAX: usize = 1024 * 1024;

/// What stands in the place of what does not fit.
const CUT: &str = "\n**Cut here:** the rest does not fit into a step's summary.\n";

/// The files of one step.
#[derive(Clone)]
pub struct StepFiles {
    summary: Option<PathBuf>,
    outputs: Option<PathBuf>,
}

impl StepFiles {
    /// Returns the step this run is a part of, where it is part of one.
    #[must_use]
    pub fn of(environment: &Environment) -> Option<Self> {
        let file = |name: &str| environment.get(name).map(PathBuf::from);
        environment
            .is_github_actions()
            .then(|| Self { summary: file("GITHUB_STEP_SUMMARY"), outputs: file("GITHUB_OUTPUT") })
    }

    /// Adds Markdown to the summary, or the word that it did not fit: half of a table is worse
    /// than none.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn summarise(&self, markdown: &str) -> io::Result<()> {
        let Some(path) = &self.summary else { return Ok(()) };
        let mut file = open(path)?;
        let used = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        let left = SUMMARY_BYTES_MAX.saturating_sub(used);
        let text = match left {
            // The word itself must still fit after whatever comes now.
            left if markdown.len() + CUT.len() <= left => markdown,
            left if CUT.len() <= left => CUT,
            _ => return Ok(()),
        };
        file.write_all(text.as_bytes())
    }

    /// Hands values to later steps.
    ///
    /// # Errors
    /// When the file cannot be written, or there is no randomness for the end mark.
    pub fn hand_on(&self, values: &[(&str, String)]) -> io::Result<()> {
        let Some(path) = &self.outputs else { return Ok(()) };
        // No value can hold a mark that nobody knew beforehand, so none can end its own block and
        // begin another.
        let mark = format!("stoker-{:016x}", getrandom::u64().map_err(io::Error::other)?);
        let block = |(name, value): &(&str, String)| format!("{name}<<{mark}\n{value}\n{mark}\n");
        let text: String = values.iter().map(block).collect();
        open(path)?.write_all(text.as_bytes())
    }
}

fn open(path: &Path) -> io::Result<File> {
    File::options().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(directory: &Path) -> StepFiles {
        let at = |name: &str| directory.join(name).display().to_string();
        let (summary, outputs) = (at("summary"), at("outputs"));
        let pairs = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_STEP_SUMMARY", summary.as_str()),
            ("GITHUB_OUTPUT", outputs.as_str()),
        ];
        StepFiles::of(&Environment::from(&pairs[..])).expect("it runs in GitHub Actions")
    }

    fn read(path: &Path) -> String {
        std::fs::read_to_string(path).expect("the file is there")
    }

    #[test]
    fn elsewhere_no_file_is_touched_whatever_the_variables_say() {
        let pairs = [("GITHUB_STEP_SUMMARY", "/nowhere"), ("GITHUB_OUTPUT", "/nowhere")];
        assert!(StepFiles::of(&Environment::from(&pairs[..])).is_none());
    }

    #[test]
    fn a_summary_is_added_to_what_is_there_and_never_grows_past_what_github_takes() {
        let directory = tempfile::tempdir().expect("there is room");
        let step = step(directory.path());
        let summary = directory.path().join("summary");
        step.summarise("first\n").expect("it is written");
        step.summarise("second\n").expect("it is written");
        assert_eq!(read(&summary), "first\nsecond\n");
        let large = "x".repeat(SUMMARY_BYTES_MAX - 100);
        step.summarise(&large).expect("it is written");
        for _ in 0..3 {
            step.summarise(&large).expect("it is written");
        }
        let text = read(&summary);
        assert!(text.len() <= SUMMARY_BYTES_MAX, "{}", text.len());
        assert!(text.ends_with(CUT));
    }

    #[test]
    fn a_value_cannot_end_its_own_block() {
        let directory = tempfile::tempdir().expect("there is room");
        let step = step(directory.path());
        let hostile = "1\nstoker-0000000000005eed\nadd=9".to_owned();
        step.hand_on(&[("add", hostile.clone()), ("change", "2".to_owned())]).expect("written");
        let text = read(&directory.path().join("outputs"));
        let (name, rest) = text.split_once("<<").expect("a block begins");
        let (mark, rest) = rest.split_once('\n').expect("its mark is alone on the line");
        assert_eq!(name, "add");
        assert_eq!(rest, format!("{hostile}\n{mark}\nchange<<{mark}\n2\n{mark}\n"));
        step.hand_on(&[("add", "3".to_owned())]).expect("written");
        let again = read(&directory.path().join("outputs"));
        assert!(!again[text.len()..].contains(mark), "each mark is used once");
    }
}
