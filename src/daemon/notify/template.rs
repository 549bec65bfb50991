//! The body of a webhook as its receiver wants it: JSON, written as a template.
//!
//! Each value is put in as JSON, quotes included, so that nothing in a message can end a text or
//! add a field. A template has no loops without an end and reads no files.

use std::fmt;
use std::sync::Arc;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};
use serde_json::Value;

/// How many steps a template may take.
const FUEL: u64 = 20_000;

/// A template that was tried once.
#[derive(Clone)]
pub struct Template {
    environment: Arc<Environment<'static>>,
    text: Arc<str>,
}

/// What is wrong with a template, a fragment.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It cannot be understood, or names what is not there.
    #[error("the template: {0}")]
    Wrong(String),
    /// What it makes is no JSON.
    #[error("the result of the template is not JSON: {0}")]
    NoJson(#[from] serde_json::Error),
}

impl Template {
    /// Takes a template, and tries it with an example.
    ///
    /// # Errors
    /// When it cannot be understood, names what is not there, or makes no JSON.
    pub fn new(text: &str, example: &Value) -> Result<Self, TemplateError> {
        let mut environment = Environment::empty();
        environment.set_auto_escape_callback(|_| AutoEscape::Json);
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        let template = Self { environment: Arc::new(environment), text: text.into() };
        template.fill(example)?;
        Ok(template)
    }

    /// Returns the body for a document.
    pub(super) fn fill(&self, document: &Value) -> Result<String, TemplateError> {
        let wrong = |error: minijinja::Error| TemplateError::Wrong(error.to_string());
        let body = self.environment.render_str(&self.text, Serde(document)).map_err(wrong)?;
        let value: Value = serde_json::from_str(&body)?;
        Ok(value.to_string())
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Template").field(&self.text).finish()
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Template {}
