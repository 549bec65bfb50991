//! Several projects side by side: what a command that reads does where the settings list several and
//! none is named.
//!
//! Each project is asked by itself, with its own token, state and budget. What it prints is held back
//! until it is complete, so that no two are mixed, and printed in the order of the settings.

use std::borrow::Cow;
use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Deserializer, Map, Value};

use crate::render::json;
use crate::render::{Line, Paper, Style, Table};

use super::arguments::{Command, OutputFormat};
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::output::{HeldOutput, Output};

/// How many projects are asked at a time: each may hold one look at a whole platform.
const AT_A_TIME: usize = 8;

/// What several projects answered.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectsDocument {
    /// The exit code: the worst of all.
    exit_code: u8,
    /// Each project by its name, in the order of the settings.
    #[schemars(with = "BTreeMap<String, ProjectAnswer>")]
    projects: Map<String, Value>,
}

/// What one of several projects answered.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectAnswer {
    /// The exit code of the project by itself.
    exit_code: u8,
    /// What the command prints for one project; absent where it failed before.
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<Value>,
    /// How it failed, in the form of errors; absent where it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Value>,
}

/// One line of the records of several projects.
#[derive(Serialize, JsonSchema)]
pub struct ProjectRecord<'a> {
    /// The name of the project.
    project: &'a str,
    /// What the command prints for one project in one line.
    record: Cow<'a, Value>,
}

/// Runs a command for each project, prints what each answers and one summary, and returns the worst
/// exit code.
///
/// # Errors
/// As [`contexts`].
pub async fn side_by_side(
    context: &Context,
    command: &Command,
    run: impl AsyncFn(&Context) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let contexts = contexts(context)?;
    let ended = each(&contexts, run).await;
    let mut answers = ProjectAnswers::of(context);
    for ((name, of_one), ended) in contexts.iter().zip(ended) {
        answers.add(name, of_one, command, ended);
    }
    Ok(answers.end())
}

/// Returns the surroundings of each project of the settings; what they print is held back.
///
/// # Errors
/// When the settings do not list several.
pub fn contexts(context: &Context) -> Result<Vec<(&str, Context)>, Failure> {
    let names = context.unnamed_projects();
    if names.is_empty() {
        return Err(Failure::usage("the settings do not list several projects")
            .hint("they are entries of `projects` in `stoker.yaml`"));
    }
    let held = |name| (name, context.of_project(name, context.output.held_back()));
    Ok(names.into_iter().map(held).collect())
}

/// Does something for each project, some at a time, and returns what came of it in their order.
pub async fn each<T>(contexts: &[(&str, Context)], run: impl AsyncFn(&Context) -> T) -> Vec<T> {
    let runs = contexts.iter().map(|(_, of_one)| run(of_one));
    stream::iter(runs).buffered(AT_A_TIME).collect().await
}

/// What was answered so far.
pub struct ProjectAnswers<'c> {
    context: &'c Context,
    exit: Exit,
    documents: Map<String, Value>,
    table: Table,
    values: Vec<(&'static str, String)>,
}

impl<'c> ProjectAnswers<'c> {
    /// Begins with nothing.
    pub fn of(context: &'c Context) -> Self {
        let table = Table::new(&["PROJECT", "EXIT CODE", "RESULT"]);
        let (documents, values) = (Map::new(), Vec::new());
        Self { context, exit: Exit::Done, documents, table, values }
    }

    /// Returns the worst exit code so far.
    pub const fn exit(&self) -> Exit {
        self.exit
    }

    /// Begins a project whose progress people watch: they read it as it comes. For programs there is
    /// none.
    pub fn begin_live(&self, name: &str) -> Option<Context> {
        let Context { output, global, environment, .. } = self.context;
        let is_for_people = matches!(output.form(), OutputFormat::Text | OutputFormat::Markdown);
        is_for_people.then(|| {
            self.begin(name, &[]);
            self.context.of_project(name, Output::new(global, environment))
        })
    }

    /// Takes how a project ended: what it printed, and its exit code.
    pub fn add(
        &mut self,
        name: &str,
        of_one: &Context,
        command: &Command,
        ended: Result<Exit, Failure>,
    ) {
        let exit = ended.unwrap_or_else(|failure| {
            of_one.output.failure(&failure);
            failure.exit
        });
        of_one.close(command, exit);
        self.exit = self.exit.worse(exit);
        self.context.closing.add(&of_one.closing);
        self.row(name, exit.code().to_string(), result(&of_one.closing.counts(), exit));
        let data = self.show(name, of_one);
        self.take_documents(name, &data, exit);
    }

    /// Notes a project that was planned, and nothing more.
    pub fn not_begun(&mut self, name: &str) {
        self.row(name, "—".to_owned(), "not begun".to_owned());
    }

    fn row(&mut self, name: &str, exit: String, result: String) {
        let cells = [(Style::Bold, name.to_owned()), (Style::Plain, exit), (Style::Plain, result)];
        self.table.row(cells.into());
    }

    /// Prints what a project had to say so far, and returns what of it is for programs.
    pub fn show(&mut self, name: &str, of_one: &Context) -> String {
        let held = of_one.output.take_held();
        let mut data = String::new();
        if held.is_empty() {
            return data;
        }
        self.begin(name, &held);
        for one in held {
            match one {
                HeldOutput::Data(text) => match self.context.output.form() {
                    OutputFormat::Text | OutputFormat::Markdown => self.context.output.text(&text),
                    OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => data += &text,
                },
                HeldOutput::Aside(text) => self.context.output.write_aside(&text),
                HeldOutput::Summary(markdown) => {
                    self.context.output.summarise(|| format!("## {name}\n\n{markdown}\n"));
                }
                HeldOutput::Values(values) => self.join(values),
            }
        }
        self.gap();
        data
    }

    /// Prints what stands above the answer of a project, wherever any of it is read.
    fn begin(&self, name: &str, held: &[HeldOutput]) {
        let output = &self.context.output;
        let heading = Paper::from(Line::default().with(Style::Bold, format!("[{name}]")));
        let is_read_there = match output.form() {
            OutputFormat::Text => {
                output.data(&heading);
                output.is_one_stream()
            }
            OutputFormat::Markdown => {
                output.text(&format!("## {name}\n\n"));
                output.is_one_stream()
            }
            OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => false,
        };
        if !is_read_there && held.iter().any(|one| matches!(one, HeldOutput::Aside(_))) {
            output.aside(&heading);
        }
    }

    /// Parts one project from the next, for people.
    pub fn gap(&self) {
        let output = &self.context.output;
        if matches!(output.form(), OutputFormat::Text | OutputFormat::Markdown) {
            output.text("\n");
        }
    }

    /// Takes what is for programs: into the document of all, or out as records.
    fn take_documents(&mut self, project: &str, data: &str, exit: Exit) {
        let values = Deserializer::from_str(data).into_iter::<Value>();
        let values = values.map_while(Result::ok);
        let output = &self.context.output;
        match output.form() {
            OutputFormat::Text | OutputFormat::Markdown => {}
            OutputFormat::Ndjson => values.for_each(|record| {
                let record = Cow::Owned(record);
                output.text(&json::line(&ProjectRecord { project, record }));
            }),
            OutputFormat::Json | OutputFormat::Yaml => {
                let (failures, documents): (Vec<_>, Vec<_>) =
                    values.partition(|value| value.get("error").is_some());
                let (document, failure) =
                    (documents.into_iter().next(), failures.into_iter().next());
                let answer = ProjectAnswer { exit_code: exit.code(), document, failure };
                let answer = serde_json::to_value(answer).unwrap_or_default();
                self.documents.insert(project.to_owned(), answer);
            }
        }
    }

    /// Adds up what is handed to later steps: counts are added, and a truth of one is one of all.
    fn join(&mut self, values: Vec<(&'static str, String)>) {
        for (name, value) in values {
            let Some((_, sum)) = self.values.iter_mut().find(|(known, _)| *known == name) else {
                self.values.push((name, value));
                continue;
            };
            match (sum.parse::<u64>(), value.parse::<u64>()) {
                (Ok(known), Ok(more)) => *sum = (known + more).to_string(),
                _ if value == "true" => *sum = value,
                _ => {}
            }
        }
    }

    /// Prints the summary, and returns the worst exit code.
    pub fn end(self) -> Exit {
        let output = &self.context.output;
        match output.form() {
            OutputFormat::Text => output.data(&Paper::from(self.table)),
            OutputFormat::Markdown | OutputFormat::Ndjson => {}
            OutputFormat::Json | OutputFormat::Yaml => output.document(&ProjectsDocument {
                exit_code: self.exit.code(),
                projects: self.documents,
            }),
        }
        if !self.values.is_empty() {
            output.github_outputs(&self.values);
        }
        self.exit
    }
}

/// Says in a few words what came of a project: what was counted, else what its exit code means.
fn result(counts: &Map<String, Value>, exit: Exit) -> String {
    const TOLD: [(&str, &str); 12] = [
        ("applied", "applied"),
        ("failed", "failed"),
        ("unresolved", "unresolved"),
        ("skipped", "skipped"),
        ("notStarted", "not started"),
        ("add", "to add"),
        ("change", "to change"),
        ("destroy", "to destroy"),
        ("adopt", "to adopt"),
        ("blocked", "blocked"),
        ("unknown", "unknown"),
        ("unsettled", "unsettled"),
    ];
    let count = |key: &str| counts.get(key).and_then(Value::as_u64).filter(|count| *count > 0);
    let told = TOLD.iter().filter_map(|(key, words)| Some(format!("{} {words}", count(key)?)));
    let told: Vec<String> = told.collect();
    match (told.is_empty(), counts.is_empty()) {
        (false, _) => told.join(", "),
        (true, false) if exit == Exit::Done => "no changes".to_owned(),
        (true, _) if exit == Exit::Done => "done".to_owned(),
        (true, _) => exit.meaning().to_owned(),
    }
}
