//! What the rules of policies say of a plan, beneath it: text, Markdown and JSON.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Key;
use crate::plan::{RuleFinding, RuleSeverity};

use super::markdown::escape;
use super::paper::{Line, Paper, Style};
use super::saved::saved_origin;

use super::json::SavedOrigin;

/// A rule that a plan does not keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RuleFinding")]
pub struct SavedRuleFinding {
    /// The name of the policy.
    pub policy: String,
    /// `refuse` (nothing is carried out) or `warn`.
    pub severity: String,
    /// What the policy says, or why its rule could not be evaluated.
    pub message: String,
    /// Whether the rule could not be evaluated; that always refuses.
    pub broken: bool,
    /// The change it is about; absent if it judges the plan as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// Where the manifest of that change is; of a rule that could not be evaluated, where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<SavedOrigin>,
}

impl From<&RuleFinding> for SavedRuleFinding {
    fn from(finding: &RuleFinding) -> Self {
        let RuleFinding { policy, severity, message, is_broken, key, origin } = finding;
        Self {
            policy: policy.clone(),
            severity: severity.as_str().to_owned(),
            message: message.clone(),
            broken: *is_broken,
            key: key.clone(),
            origin: origin.as_ref().map(|origin| saved_origin(origin, Some(origin.column))),
        }
    }
}

/// Returns what rules say, a line for each, and last whether anything may be carried out; nothing
/// where they say nothing.
#[must_use]
pub fn policies_as_text(findings: &[RuleFinding]) -> Paper {
    let mut paper = Paper::new();
    if findings.is_empty() {
        return paper;
    }
    paper.push(Line::default());
    for finding in findings {
        let (style, mark) = match finding.severity {
            RuleSeverity::Refuse => (Style::Blocked, "! "),
            RuleSeverity::Warn => (Style::Changed, "? "),
        };
        let line = Line::of("  ").with(style, format!("{mark}{}", finding.told()));
        let place = finding.origin.as_ref();
        let place = place.map(|it| format!("   {}:{}", it.file, it.line)).unwrap_or_default();
        paper.push(line.with(Style::Dim, place));
    }
    if let Some(conclusion) = conclusion(findings) {
        paper.gap();
        paper.push(Line::of(conclusion));
    }
    paper
}

/// Returns the same as a list.
#[must_use]
pub fn policies_as_markdown(findings: &[RuleFinding]) -> String {
    let lines = findings.iter().map(|finding| format!("- {}\n", escape(&finding.told())));
    let lines: String = lines.collect();
    match conclusion(findings) {
        Some(conclusion) => format!("\n**{conclusion}**\n\n{lines}"),
        None if lines.is_empty() => lines,
        None => format!("\n**Policies warn:**\n\n{lines}"),
    }
}

fn conclusion(findings: &[RuleFinding]) -> Option<&'static str> {
    let is_refused = findings.iter().any(RuleFinding::refuses);
    is_refused.then_some("Refused by policies: nothing of this plan is carried out.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Origin;

    fn finding(severity: RuleSeverity) -> RuleFinding {
        RuleFinding {
            policy: "plans".to_owned(),
            severity,
            message: "no plan above `pro` @all".to_owned(),
            is_broken: false,
            key: Some("service/web".parse().unwrap()),
            origin: Some(Origin { file: "web.yaml".to_owned(), line: 3, column: 1 }),
        }
    }

    #[test]
    fn a_refusal_is_told_with_its_place_and_what_follows_from_it() {
        let text = policies_as_text(&[finding(RuleSeverity::Refuse)]).to_plain();
        let line = "  ! policy `plans` refuses service/web: no plan above `pro` @all   web.yaml:3";
        assert!(text.contains(line), "{text}");
        assert!(text.contains("nothing of this plan is carried out"), "{text}");
        let markdown = policies_as_markdown(&[finding(RuleSeverity::Refuse)]);
        assert!(markdown.contains("**Refused by policies"), "{markdown}");
        assert!(!markdown.contains("@all"), "it calls nobody: {markdown}");
    }

    #[test]
    fn a_warning_refuses_nothing_and_without_findings_nothing_is_said() {
        let text = policies_as_text(&[finding(RuleSeverity::Warn)]).to_plain();
        assert!(text.contains("warns about service/web") && !text.contains("Refused"), "{text}");
        assert!(policies_as_text(&[]).to_plain().is_empty());
        assert!(policies_as_markdown(&[]).is_empty());
    }
}
