//! `stoker policy test`: what policies say of plans that are written down, against what is expected.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Clock;
use crate::manifest::Located;
use crate::model::Diagnostic;
use crate::plan::RuleFinding;
use crate::render::{Line, Paper, Style};
use crate::rules::RuleInput;

use super::arguments::{OutputFormat, PolicyCommand, PolicyTestCommand};
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::policies::project_name;
use super::settings::{self, SettingsFile};

/// The file of tests when none is named.
const FILE: &str = "policy-tests.yaml";

/// What came of the tests of policies.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PolicyTestDocument {
    /// How many passed.
    passed: usize,
    /// How many did not.
    failed: usize,
    /// Each, in the order of the files.
    tests: Vec<TestResult>,
}

/// What came of one test.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PolicyTest")]
struct TestResult {
    /// What it is called.
    name: String,
    /// The file it stands in.
    file: String,
    /// Its line there, from 1.
    line: usize,
    /// Whether the policies say what it expects.
    passed: bool,
    /// What they say otherwise: one fragment each.
    problems: Vec<String>,
}

/// A file of tests.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TestFile {
    tests: Vec<TestForm>,
}

/// One test.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct TestForm {
    /// What it is called.
    name: String,
    /// What the project is called; of several in the settings, also whose policies judge.
    project: Option<String>,
    /// What time it is; the time of the test without it.
    now: Option<Timestamp>,
    /// A plan: a mapping in which members may be left out, or the file of a saved one.
    plan: Value,
    /// The policies that refuse it, and no other.
    #[serde(default)]
    refuses: BTreeSet<String>,
    /// The policies that warn about it, and no other.
    #[serde(default)]
    warns: BTreeSet<String>,
}

/// Runs a command about policies.
pub fn run(context: &Context, command: &PolicyCommand) -> Result<Exit, Failure> {
    let PolicyCommand::Test(PolicyTestCommand { files }) = command;
    let files = if files.is_empty() { vec![PathBuf::from(FILE)] } else { files.clone() };
    let mut tests = Vec::new();
    for file in &files {
        tests.extend(of_file(context, file)?);
    }
    if tests.is_empty() {
        return Err(Failure::usage("there are no tests").hint("docs/policies.md shows one"));
    }
    let passed = tests.iter().filter(|test| test.passed).count();
    let document = PolicyTestDocument { passed, failed: tests.len() - passed, tests };
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown => context.output.data(&paper(&document)),
        OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {
            context.output.document(&document);
        }
    }
    Ok(if document.failed == 0 { Exit::Done } else { Exit::Failed })
}

fn paper(document: &PolicyTestDocument) -> Paper {
    let mut paper = Paper::new();
    for TestResult { name, file, line, passed, problems } in &document.tests {
        let (style, word) = if *passed { (Style::Added, "ok") } else { (Style::Blocked, "FAILED") };
        let told = Line::default().with(style, format!("{word:<7}")).plain(name.as_str());
        paper.push(if *passed { told } else { told.with(Style::Dim, format!("   {file}:{line}")) });
        for problem in problems {
            paper.push(Line::of(format!("         {problem}")));
        }
    }
    paper.gap();
    paper.push(Line::of(format!("{} passed, {} failed.", document.passed, document.failed)));
    paper
}

/// Runs the tests of one file.
fn of_file(context: &Context, path: &Path) -> Result<Vec<TestResult>, Failure> {
    let file = path.display().to_string();
    let unusable = |reason: String| Failure::usage(format!("the tests of {file}: {reason}"));
    let text = std::fs::read_to_string(path).map_err(|error| {
        unusable(format!("they cannot be read: {error}"))
            .hint("name the file of the tests; docs/policies.md shows one")
    })?;
    let refuse = |findings: Vec<Diagnostic>| {
        context.output.diagnostics(&findings);
        let failure = unusable("they cannot be used".to_owned());
        Failure { diagnostics: findings, ..failure }
    };
    let located = Located::read(&file, &text).map_err(refuse)?;
    let decoded = located.decode("", Value::Object(located.values.clone()));
    let TestFile { tests } = decoded.map_err(|finding| refuse(vec![*finding]))?;
    let results = tests.into_iter().enumerate().map(|(index, test)| {
        let place = located.place(&format!("tests[{index}]"));
        let line = place.map_or(1, |place| place.line);
        let name = test.name.clone();
        let problems = problems(context, path, test).map_err(|failure| Failure {
            message: format!("the test `{name}` at {file}:{line}: {}", failure.message),
            ..failure
        })?;
        let (file, passed) = (file.clone(), problems.is_empty());
        Ok(TestResult { name, file, line, passed, problems })
    });
    results.collect()
}

/// Returns in what policies say something else of a test's plan than it expects.
fn problems(context: &Context, path: &Path, test: TestForm) -> Result<Vec<String>, Failure> {
    let TestForm { name: _, project, now, plan, refuses, warns } = test;
    let settings = of_project(context, project.as_deref())?;
    let rules = settings::policies_to_test(&settings)
        .inspect_err(|failure| context.output.diagnostics(&failure.diagnostics))?;
    let unknown = refuses.union(&warns).find(|name| !rules.iter().any(|it| it.name() == **name));
    if let Some(name) = unknown {
        return Err(Failure::usage(format!("there is no policy `{name}`")));
    }
    let plan = match &plan {
        Value::String(name) => saved(&path.with_file_name(name))?,
        _ => plan,
    };
    let now = now.unwrap_or_else(|| Clock::system().now());
    let project = project.as_deref().unwrap_or_else(|| project_name(context));
    let input = RuleInput::of_document(plan, project, now).map_err(Failure::usage)?;
    let findings = rules.judge(&input);
    let broken = findings.iter().filter(|finding| finding.is_broken).map(RuleFinding::told);
    let said = |refuses: bool| -> BTreeSet<String> {
        let found = findings.iter().filter(|it| !it.is_broken && it.refuses() == refuses);
        found.map(|it| it.policy.clone()).collect()
    };
    let differing = [("refuse", refuses, said(true)), ("warn", warns, said(false))];
    let differing = differing.into_iter().filter(|(_, expected, found)| expected != found);
    let differing = differing.map(|(what, expected, found)| {
        format!("expected to {what}: {}; found: {}", listed(&expected), listed(&found))
    });
    Ok(broken.chain(differing).collect())
}

fn listed(names: &BTreeSet<String>) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// Returns the settings whose policies judge a test: of the project it names, where there are several.
fn of_project(context: &Context, name: Option<&str>) -> Result<SettingsFile, Failure> {
    match name {
        Some(name) if context.file.projects.is_some() => {
            let file = context.file.clone().choose(Some(name));
            file.check_choice(Some(name))?;
            Ok(file)
        }
        _ => Ok(context.file.clone()),
    }
}

/// Reads a saved plan, as a document: it is tried here, and never carried out.
fn saved(path: &Path) -> Result<Value, Failure> {
    let place = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("failed to read {place}: {error}")))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("{place} is not a saved plan: {error}")))
}
