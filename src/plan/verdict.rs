//! What the rules of policies say of a plan: they only ever hold back, and allow nothing.

use crate::model::{Key, Origin};

/// What a rule that does not hold does to a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleSeverity {
    /// The plan is carried out, and people are told.
    Warn,
    /// Nothing of the plan is carried out.
    Refuse,
}

impl RuleSeverity {
    /// Returns the public word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Refuse => "refuse",
        }
    }
}

/// One rule that a plan does not keep, or that could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFinding {
    /// The name of the policy.
    pub policy: String,
    /// What it does to the plan. A rule that could not be evaluated refuses, whatever it is told.
    pub severity: RuleSeverity,
    /// What its policy says, or why it could not be evaluated: a fragment.
    pub message: String,
    /// Whether it could not be evaluated.
    pub is_broken: bool,
    /// The change it is about, if it judges changes one by one.
    pub key: Option<Key>,
    /// Where the manifest of that change is; of a rule that could not be evaluated, where it stands.
    pub origin: Option<Origin>,
}

impl RuleFinding {
    /// Whether nothing of the plan may be carried out.
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.severity == RuleSeverity::Refuse
    }

    /// Says it in a sentence without its full stop.
    #[must_use]
    pub fn told(&self) -> String {
        let Self { policy, severity, message, is_broken, key, origin: _ } = self;
        let what = key.as_ref().map_or_else(|| "the plan".to_owned(), Key::to_string);
        match (is_broken, severity) {
            (true, _) => format!("policy `{policy}` cannot be evaluated on {what}: {message}"),
            (false, RuleSeverity::Refuse) => format!("policy `{policy}` refuses {what}: {message}"),
            (false, RuleSeverity::Warn) => {
                format!("policy `{policy}` warns about {what}: {message}")
            }
        }
    }
}

/// Returns why nothing of a plan may be carried out, if so: the first refusal, and how many more.
#[must_use]
pub fn refusal(findings: &[RuleFinding]) -> Option<String> {
    let mut refusals = findings.iter().filter(|finding| finding.refuses());
    let first = refusals.next()?.told();
    Some(match refusals.count() {
        0 => first,
        1 => format!("{first}; and 1 more refusal"),
        count => format!("{first}; and {count} more refusals"),
    })
}
