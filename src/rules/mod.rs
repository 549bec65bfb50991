//! Policies: rules on plans, in the Common Expression Language. They only refuse and warn.
//!
//! A rule is true of a plan that keeps it. It is told the plan as its JSON form shows it, so never a
//! secret; it can hold a plan back, and cannot let through what a law forbids. A rule that cannot be
//! evaluated, or does not come to an end in the steps it has, refuses.

mod expression;
mod input;
mod judge;
mod meter;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::model::Origin;
use crate::plan::RuleSeverity;

use expression::Expression;

pub use input::RuleInput;

/// What a rule is evaluated on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleScope {
    /// On the plan, once.
    Plan,
    /// On each change of it that is not blocked.
    Change,
}

/// What a policy says, before it is read.
#[derive(Clone, Debug)]
pub struct RuleParts {
    /// What it is called: lower-case letters, digits and `-`, 63 of them at most.
    pub name: String,
    /// What people are told where its rule does not hold: a fragment.
    pub message: String,
    /// The expression that is true of what keeps it, 4096 bytes at most.
    pub rule: String,
    /// What the rule is evaluated on.
    pub scope: RuleScope,
    /// What it does to a plan that does not keep it.
    pub severity: RuleSeverity,
    /// Where it stands.
    pub origin: Option<Origin>,
}

/// A policy that can be evaluated.
#[derive(Clone, Debug)]
pub struct PolicyRule {
    name: String,
    message: String,
    scope: RuleScope,
    severity: RuleSeverity,
    origin: Option<Origin>,
    expression: Expression,
}

impl PolicyRule {
    /// Reads a policy.
    ///
    /// # Errors
    /// When its name or its message cannot be used, or its expression cannot be read or names
    /// something that is not there: which, a fragment.
    pub fn new(parts: RuleParts) -> Result<Self, String> {
        let RuleParts { name, message, rule, scope, severity, origin } = parts;
        let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 63 || !name.chars().all(is_letter) {
            return Err(format!(
                "`{name}` is not a valid policy name: use lower-case letters, digits and `-`"
            ));
        }
        if message.trim().is_empty() {
            return Err(format!("policy `{name}` has no `message`"));
        }
        let expression = Expression::parse(rule, scope)
            .map_err(|reason| format!("the rule of policy `{name}` cannot be read: {reason}"))?;
        Ok(Self { name, message, scope, severity, origin, expression })
    }

    /// Returns what it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what it does to a plan that does not keep it.
    #[must_use]
    pub const fn severity(&self) -> RuleSeverity {
        self.severity
    }
}

/// The policies of one project, in the order they are told.
#[derive(Clone, Debug, Default)]
pub struct Rules(Arc<[PolicyRule]>);

impl From<Vec<PolicyRule>> for Rules {
    fn from(rules: Vec<PolicyRule>) -> Self {
        Self(rules.into())
    }
}

impl Rules {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns them in order.
    pub fn iter(&self) -> impl Iterator<Item = &PolicyRule> {
        self.0.iter()
    }
}
