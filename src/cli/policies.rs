//! Policies in a command that plans: which judge, what they say, and how a refusal ends it.

use crate::model::Diagnostic;
use crate::plan::{RuleFinding, refusal};
use crate::project::Planned;
use crate::rules::Rules;

use super::code::ErrorCode;
use super::context::Context;
use super::failure::Failure;
use super::settings;

/// What a rule knows the project as where the settings list none.
const NAME: &str = "default";

/// The policies that judge the plans of a command.
pub struct Judges<'a> {
    context: &'a Context,
    rules: Rules,
}

impl<'a> Judges<'a> {
    /// Reads them, before anything is asked of the platform; what cannot be used of them is shown.
    ///
    /// # Errors
    /// Then, and when those of a pull request's target branch cannot be had.
    pub fn call(context: &'a Context) -> Result<Self, Failure> {
        let rules = settings::policies(&context.file, &context.environment)
            .inspect_err(|failure| context.output.diagnostics(&failure.diagnostics))?;
        Ok(Self { context, rules })
    }

    /// Judges a plan as it would be carried out.
    #[must_use]
    pub fn judge(&self, planned: &Planned) -> Vec<RuleFinding> {
        let name = project_name(self.context);
        self.rules.judge_plan(&planned.plan, name, planned.snapshot.now)
    }
}

/// Returns what rules know the project of a call as.
pub fn project_name(context: &Context) -> &str {
    context.file.chosen().and_then(|(_, keys)| keys.name.as_deref()).unwrap_or(NAME)
}

/// Refuses to carry a plan out where a policy does.
///
/// # Errors
/// Then.
pub fn check(findings: &[RuleFinding]) -> Result<(), Failure> {
    let Some(why) = refusal(findings) else { return Ok(()) };
    let diagnostics = findings.iter().map(diagnostic).collect();
    let failure = Failure::new(ErrorCode::PolicyRefused, why)
        .hint("nothing was written; change the plan, or the policy in the settings");
    Err(Failure { diagnostics, ..failure })
}

fn diagnostic(finding: &RuleFinding) -> Diagnostic {
    let diagnostic = if finding.refuses() {
        Diagnostic::error("policy", finding.told())
    } else {
        Diagnostic::warning("policy", finding.told())
    };
    match &finding.origin {
        Some(origin) => diagnostic.at(origin.clone()),
        None => diagnostic,
    }
}
