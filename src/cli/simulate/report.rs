//! What a simulation found, for people and for CI.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::render::{Line, Paper, Style, Table};
use crate::simulation::{Broken, Family, Law, LawTally};

use super::super::arguments::{OutputFormat, SimulateCommand};
use super::super::exit::Exit;
use super::super::output::Output;

/// What was found of each law.
pub type Tallies = BTreeMap<Law, LawTally>;

/// What it is, before anything else is said.
const LABEL: &str = "This is a simulation. Its results hold for Stoker's model of version 1 of the \
    API, not for the platform itself.";

/// How many broken seeds a person is shown; the JSON form has more.
const SHOWN_MAX: usize = 5;

/// What a simulation found.
pub struct SimulationReport<'r> {
    pub command: &'r SimulateCommand,
    pub families: &'r [Family],
    pub resources: usize,
    /// What was done to the manifests in each.
    pub revisions: Vec<String>,
    pub seeds: u64,
    pub tallies: Tallies,
    pub broken: Vec<Broken>,
}

/// What a simulation found, for programs.
#[derive(Serialize, JsonSchema)]
pub struct SimulationDocument {
    /// What it is, for people.
    label: &'static str,
    /// How many days each seed played.
    days: u64,
    /// How many seeds were played.
    seeds: u64,
    /// The families of trouble.
    faults: Vec<&'static str>,
    /// How many resources are declared.
    resources: usize,
    /// What was done to the manifests in each revision, for people.
    revisions: Vec<String>,
    /// Every law, at risk or not.
    laws: Vec<LawRow>,
    /// Every law that broke, once for each seed.
    broken: Vec<BrokenRow>,
}

/// How a law fared.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "LawTally")]
struct LawRow {
    /// Its name, for example `S3`.
    law: String,
    /// What it promises.
    promise: &'static str,
    /// How many seeds put it at risk.
    at_risk: u64,
    /// How many seeds broke it.
    broken: u64,
}

/// A law that broke.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BrokenLaw")]
struct BrokenRow {
    /// Its name.
    law: String,
    /// What was seen.
    how: String,
    /// The seed.
    seed: u64,
    /// The command that plays it again.
    command: String,
    /// The trouble that was drawn, for reading: its form is not promised.
    schedule: Value,
}

impl SimulationReport<'_> {
    /// Returns the exit code: 1 when a law broke.
    pub fn exit(&self) -> Exit {
        if self.broken.is_empty() { Exit::Done } else { Exit::Failed }
    }

    /// Prints it on stdout.
    pub fn print(&self, output: &Output) {
        match output.form() {
            OutputFormat::Text | OutputFormat::Markdown => output.data(&self.to_paper()),
            OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {
                output.document(&self.to_document())
            }
        }
    }

    fn to_paper(&self) -> Paper {
        let Self { command, resources, revisions, seeds, .. } = self;
        let mut paper = Paper::from(Line::default().with(Style::Bold, LABEL));
        let days = command.days;
        paper.push(Line::of(format!(
            "{}, {} of the manifests, {} of {}; faults: {}.",
            counted(*resources as u64, "resource"),
            counted(revisions.len() as u64, "revision"),
            counted(*seeds, "seed"),
            counted(u64::from(days), "day"),
            self.words(),
        )));
        paper.gap();
        paper.extend(self.table().into());
        paper.gap();
        self.verdict(&mut paper);
        paper
    }

    fn table(&self) -> Table {
        let mut table = Table::new(&["LAW", "AT RISK", "HELD", "PROMISE"]);
        for law in Law::ALL {
            let LawTally { at_risk, broken } = self.tally(law);
            let held = match (at_risk, broken) {
                (0, 0) => "not at risk".to_owned(),
                (_, 0) => "always".to_owned(),
                (_, 1) => "broken once".to_owned(),
                (_, times) => format!("broken {times} times"),
            };
            let cells = [law.name(), at_risk.to_string(), held, law.promise().to_owned()];
            table.row(cells.map(|cell| (Style::Plain, cell)).to_vec());
        }
        table
    }

    fn verdict(&self, paper: &mut Paper) {
        if self.broken.is_empty() {
            paper.push(Line::of("Every law that was at risk held."));
            return;
        }
        for one in self.broken.iter().take(SHOWN_MAX) {
            let Broken { law, how, schedule } = one;
            let head = format!("{} was broken: ", law.name());
            paper.push(Line::default().with(Style::Blocked, head).plain(how));
            paper.push(Line::of(format!("  {}", self.again(schedule.seed))));
        }
        let more = self.broken.len().saturating_sub(SHOWN_MAX);
        if more > 0 {
            paper.push(Line::of(format!("and {more} more")));
        }
    }

    fn to_document(&self) -> SimulationDocument {
        let law = |law: Law| {
            let LawTally { at_risk, broken } = self.tally(law);
            LawRow { law: law.name(), promise: law.promise(), at_risk, broken }
        };
        let broken = |one: &Broken| {
            let Broken { law, how, schedule } = one;
            BrokenRow {
                law: law.name(),
                how: how.clone(),
                seed: schedule.seed,
                command: self.again(schedule.seed),
                schedule: json!(schedule),
            }
        };
        SimulationDocument {
            label: LABEL,
            days: self.command.days.into(),
            seeds: self.seeds,
            faults: self.families.iter().map(|family| family.as_str()).collect(),
            resources: self.resources,
            revisions: self.revisions.clone(),
            laws: Law::ALL.map(law).into(),
            broken: self.broken.iter().map(broken).collect(),
        }
    }

    fn tally(&self, law: Law) -> LawTally {
        self.tallies.get(&law).copied().unwrap_or_default()
    }

    fn words(&self) -> String {
        self.families.iter().map(|family| family.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Returns the command that plays a seed again.
    fn again(&self, seed: u64) -> String {
        let SimulateCommand { sources, days, faults, live, seed: _, seeds: _ } = self.command;
        let mut words = vec!["stoker simulate".to_owned()];
        words.extend(sources.paths.iter().map(|path| path_word(path)));
        let environment = sources.chosen.environment.iter();
        words.extend(environment.map(|name| format!("--environment {}", quoted(name))));
        let overlays = sources.chosen.overlays.iter().flatten();
        words.extend(overlays.map(|path| format!("--overlay {}", path_word(path))));
        let variables = sources.chosen.vars.iter();
        words.extend(
            variables.map(|it| format!("--var {}", quoted(&format!("{}={}", it.name, it.value)))),
        );
        let file = sources.chosen.vars_file.iter();
        words.extend(file.map(|path| format!("--vars-file {}", path_word(path))));
        words.push(format!("--days {days} --seed {seed}"));
        if !faults.is_empty() {
            words.push(format!("--faults {}", self.words().replace(", ", ",")));
        }
        words.extend(live.iter().map(|path| format!("--live {}", path_word(path))));
        words.join(" ")
    }
}

fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Writes a path so that it is taken for one: what begins with a dash, as a file of this directory.
fn path_word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_flag = text.starts_with('-') && text != "-";
    quoted(&if is_flag { format!("./{text}") } else { text })
}

/// Quotes a word for a shell, if it needs it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./+=,@".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::arguments::{Arguments, Command};
    use crate::simulation::{Scene, Trouble, draw};

    fn parsed(words: &[&str]) -> SimulateCommand {
        match Arguments::parse_from(words).command {
            Command::Simulate(command) => command,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_broken_law_ends_with_1_and_the_command_that_plays_it_again() {
        let command = parsed(&[
            "stoker",
            "simulate",
            "my app",
            "./-x",
            "--days",
            "3",
            "--faults",
            "api,disk",
            "--live",
            "live.yaml",
        ]);
        let schedule = draw(17, &Scene::small(), &Trouble::default());
        let broken = vec![Broken { law: Law::S3, how: "two of web".to_owned(), schedule }];
        let report = SimulationReport {
            command: &command,
            families: &command.faults,
            resources: 2,
            revisions: Vec::new(),
            seeds: 20,
            tallies: BTreeMap::from([(Law::S3, LawTally { at_risk: 5, broken: 1 })]),
            broken,
        };
        let again =
            "stoker simulate 'my app' ./-x --days 3 --seed 17 --faults api,disk --live live.yaml";
        assert_eq!(report.exit(), Exit::Failed);
        let text = report.to_paper().to_plain();
        assert!(text.contains("S3 was broken: two of web") && text.contains(again), "{text}");
        assert!(text.contains("broken once") && !text.contains("Every law"), "{text}");
        let json = json!(report.to_document());
        assert_eq!(json["broken"][0]["command"], again);
        assert_eq!(json["broken"][0]["schedule"]["seed"], 17);
        let words = again.replace("'my app'", "my_app");
        let SimulateCommand { sources, days, seed, faults, live, .. } =
            parsed(&words.split(' ').collect::<Vec<_>>());
        assert_eq!((days, seed, faults, live), (3, Some(17), command.faults, command.live));
        assert_eq!(sources.paths[1], Path::new("./-x"));
    }

    #[test]
    fn a_word_is_quoted_only_where_a_shell_would_read_it_otherwise() {
        assert_eq!(quoted("manifests/a-1.yaml"), "manifests/a-1.yaml");
        assert_eq!(quoted("my app"), "'my app'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted(""), "''");
    }
}
