//! A Procfile: what runs, a process to a line.

use super::ForeignFile;
use super::report::ImportReport;
use crate::model::Origin;

/// A process of a Procfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProcfileProcess {
    pub name: String,
    /// What a shell runs.
    pub command: String,
    pub origin: Origin,
}

/// Reads the processes. Readers of such files differ in what they do with a line that is none, down to
/// forgetting the whole file, so each is an error.
pub(super) fn read(file: &ForeignFile, report: &mut ImportReport) -> Vec<ProcfileProcess> {
    let mut processes: Vec<ProcfileProcess> = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        let origin = Origin { file: file.path.clone(), line: number + 1, column: 1 };
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let is_name = |name: &str| {
            let is_within = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            !name.is_empty() && name.chars().all(is_within)
        };
        let parts = line.split_once(':').filter(|(name, _)| is_name(name));
        let Some((name, command)) = parts.filter(|(_, command)| !command.trim().is_empty()) else {
            let message = "the line is not `NAME: COMMAND`".to_owned();
            let hint = "a name of letters, digits, `_` and `-`, directly followed by a colon, then \
                the command";
            report.error(origin, "procfile", message, hint);
            continue;
        };
        let plain = |name: &str| name.to_ascii_lowercase().replace('_', "-");
        if let Some(first) = processes.iter().find(|it| plain(&it.name) == plain(name)) {
            let message = format!("the process `{name}` is given twice");
            let hint = format!("the first is in line {}", first.origin.line);
            report.error(origin, "procfile", message, &hint);
            continue;
        }
        let (name, command) = (name.to_owned(), command.trim().to_owned());
        processes.push(ProcfileProcess { name, command, origin });
    }
    if processes.is_empty() && !report.has_error() {
        let origin = Origin { file: file.path.clone(), line: 1, column: 1 };
        let message = "the Procfile declares no process".to_owned();
        report.error(origin, "procfile", message, "for example `web: COMMAND`");
    }
    processes
}
