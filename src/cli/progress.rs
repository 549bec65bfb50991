//! Progress on stderr: moving lines where somebody looks, plain ones otherwise.
//!
//! Status words are foreign text; they are made inert before they are shown (S12).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::model::Key;
use crate::render::inert;

use super::output::Output;

/// How often a moving line moves: fast enough to look alive, slow enough for a remote terminal.
const TICK: Duration = Duration::from_millis(120);

/// What is under way, one line a resource.
pub struct ProgressDisplay<'a> {
    output: &'a Output,
    bars: Option<MultiProgress>,
    lines: Mutex<BTreeMap<Key, Line>>,
}

/// One resource on its way.
struct Line {
    status: String,
    bar: Option<ProgressBar>,
}

impl<'a> ProgressDisplay<'a> {
    /// Begins to show progress.
    #[must_use]
    pub fn new(output: &'a Output) -> Self {
        let bars = output.is_watched().then(MultiProgress::new);
        Self { output, bars, lines: Mutex::default() }
    }

    /// Shows a new status; one that is shown already is not repeated.
    pub fn status(&self, key: &Key, status: &str) {
        let status = inert(status).into_owned();
        let mut lines = self.lines();
        let line = lines.entry(key.clone()).or_insert_with(|| self.begin(key));
        if line.status == status {
            return;
        }
        match &line.bar {
            Some(bar) => bar.set_message(status.clone()),
            None => self.output.note(&format!("{key}: {status}")),
        }
        line.status = status;
    }

    /// Shows how it ended; the line stays. What a plain line has said already is not repeated.
    pub fn done(&self, key: &Key, ending: &str) {
        match self.lines().remove(key) {
            Some(Line { status: _, bar: Some(bar) }) => bar.finish_and_clear(),
            Some(Line { status, bar: None }) if status == ending => return,
            Some(Line { status: _, bar: None }) | None => {}
        }
        let ending = format!("{key}: {ending}");
        match &self.bars {
            Some(bars) => bars.suspend(|| self.output.note(&ending)),
            None => self.output.note(&ending),
        }
    }

    fn begin(&self, key: &Key) -> Line {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new_spinner());
            let style = ProgressStyle::with_template("{spinner} {prefix}: {msg}  {elapsed}");
            bar.set_style(style.expect("the template is a constant and well formed"));
            bar.set_prefix(key.to_string());
            bar.enable_steady_tick(TICK);
            bar
        });
        Line { status: String::new(), bar }
    }

    fn lines(&self) -> MutexGuard<'_, BTreeMap<Key, Line>> {
        // Each line is whole after every statement, so a panic elsewhere spoils nothing.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes moving lines away: what comes after must not be written into them.
impl Drop for ProgressDisplay<'_> {
    fn drop(&mut self) {
        for line in self.lines().values() {
            if let Some(bar) = &line.bar {
                bar.finish_and_clear();
            }
        }
    }
}
