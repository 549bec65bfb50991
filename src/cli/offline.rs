//! `validate`, `render`, `convert`, `schema`: what needs no token and no network.

use schemars::JsonSchema;
use serde::Serialize;

use crate::manifest;
use crate::model::Key;
use crate::render::json::{self, SavedDiagnostic};
use crate::render::{Line, Paper};

use super::arguments::{OutputFormat, RenderCommand, SchemaCommand, Sources, ValidateCommand};
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::manifests::Manifests;

/// What was found of manifests that can be used; those that cannot are a failure.
#[derive(Serialize, JsonSchema)]
pub struct ValidateDocument {
    /// `true`.
    valid: bool,
    /// What is declared.
    resources: Vec<Key>,
    /// Warnings, with their places.
    diagnostics: Vec<SavedDiagnostic>,
}

/// `stoker validate`: every offline check, all findings together.
pub fn validate(context: &Context, command: &ValidateCommand) -> Result<Exit, Failure> {
    let ValidateCommand { sources, strict } = command;
    let manifests = Manifests::read(context, sources)?;
    let declared = &manifests.declared;
    let (resources, warnings) = (declared.resources.len(), manifests.reading.warnings.len());
    if *strict && warnings > 0 {
        let noun = if warnings == 1 { "warning" } else { "warnings" };
        let message = format!("the manifests are not valid with --strict: {warnings} {noun}");
        let failure = Failure::new(ErrorCode::Manifests, message);
        return Err(Failure { diagnostics: manifests.reading.warnings, ..failure });
    }
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Markdown => {
            let noun = if resources == 1 { "resource" } else { "resources" };
            let minded = match warnings {
                0 => String::new(),
                1 => ", 1 warning".to_owned(),
                many => format!(", {many} warnings"),
            };
            context
                .output
                .data(&Paper::from(Line::of(format!("Valid: {resources} {noun}{minded}."))));
        }
        OutputFormat::Json | OutputFormat::Yaml | OutputFormat::Ndjson => {
            context.output.document(&ValidateDocument {
                valid: true,
                resources: declared.resources.keys().cloned().collect(),
                diagnostics: json::diagnostics(&manifests.reading.warnings),
            })
        }
    }
    Ok(Exit::Done)
}

/// `stoker render`: what the manifests come to, with their overlays and variables.
pub fn render(context: &Context, command: &RenderCommand) -> Result<Exit, Failure> {
    let RenderCommand { sources, places } = command;
    print(context, sources, if *places { Printing::WithPlaces } else { Printing::Plain })
}

/// How native documents are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Printing {
    /// As they are.
    Plain,
    /// With the place of each value beside it.
    WithPlaces,
}

/// `stoker render` and `stoker convert`: native documents of everything that is declared.
pub fn print(context: &Context, sources: &Sources, printing: Printing) -> Result<Exit, Failure> {
    let manifests = Manifests::read(context, sources)?;
    let (declared, hidden) = manifest::conceal(manifests.declared);
    context.output.diagnostics(&hidden);
    context.output.diagnostics(&manifest::unprinted(&declared));
    match context.output.form() {
        OutputFormat::Text | OutputFormat::Yaml => context.output.text(&match printing {
            Printing::Plain => manifest::print(&declared),
            Printing::WithPlaces => manifest::print_with_places(&declared),
        }),
        OutputFormat::Json | OutputFormat::Ndjson if printing == Printing::WithPlaces => {
            return Err(no_such_form("render --places", "json"));
        }
        OutputFormat::Json | OutputFormat::Ndjson => {
            context.output.value(&manifest::documents(&declared))
        }
        OutputFormat::Markdown => return Err(no_such_form("render", "markdown")),
    }
    Ok(Exit::Done)
}

/// `stoker schema`: of manifests for editors, or of a form of output.
pub fn schema(context: &Context, command: &SchemaCommand) -> Result<Exit, Failure> {
    let SchemaCommand { of, overlay, blueprint } = command;
    context.output.value(&match of {
        Some(form) => form.schema(),
        None if *overlay => manifest::overlay_schema(),
        None if *blueprint => manifest::blueprint_schema(),
        None => manifest::schema(),
    });
    Ok(Exit::Done)
}

/// A form of output that a command does not have.
pub fn no_such_form(command: &str, form: &str) -> Failure {
    Failure::usage(format!("`stoker {command}` cannot print `{form}`"))
}
