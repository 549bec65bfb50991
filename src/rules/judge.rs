//! The verdict of all policies on one plan.

use cel::Context;
use jiff::Timestamp;
use serde_json::Value;

use crate::model::Origin;
use crate::plan::{Plan, RuleFinding, RuleSeverity};

use super::expression::{NoVerdict, RuleScene, bind, on_own_stack};
use super::{PolicyRule, RuleInput, RuleScope, Rules, meter};

/// The steps that one rule may take on one plan: a plan of ten thousand services takes a few
/// millions, and a value of so many parts fits into memory.
pub(super) const STEPS_MAX: u64 = 10_000_000;

impl Rules {
    /// Judges a plan before it is carried out, with what the settings call its project and what time
    /// it is, as [`Rules::judge`]. Of a plan that changes nothing nobody is asked.
    #[must_use]
    pub fn judge_plan(&self, plan: &Plan, project: &str, now: Timestamp) -> Vec<RuleFinding> {
        if self.is_empty() || !plan.makes_changes() {
            return Vec::new();
        }
        self.judge(&RuleInput::new(plan, project, now))
    }

    /// Judges what a plan says: returns each rule that it does not keep, and each that cannot be
    /// evaluated, in the order of the policies.
    ///
    /// *Guarantees*: it comes to an end, and what cannot be evaluated refuses.
    #[must_use]
    pub fn judge(&self, input: &RuleInput) -> Vec<RuleFinding> {
        self.judge_within(input, STEPS_MAX)
    }

    pub(super) fn judge_within(&self, input: &RuleInput, steps: u64) -> Vec<RuleFinding> {
        if self.is_empty() {
            return Vec::new();
        }
        let RuleInput { plan, project, now } = input;
        let judged = on_own_stack(|| {
            let scene = RuleScene { plan, project, now: *now }.set()?;
            let each = self.iter().map(|rule| {
                let judged = rule.judge(&scene, input, steps);
                judged.unwrap_or_else(|broken| vec![rule.broken(broken)])
            });
            Ok(each.flatten().collect())
        });
        let defect = || Err(NoVerdict("a defect of this program".to_owned()));
        judged
            .unwrap_or_else(defect)
            .unwrap_or_else(|why| self.iter().map(|rule| rule.broken(why.clone())).collect())
    }
}

impl PolicyRule {
    fn judge(
        &self,
        scene: &Context<'_, '_>,
        input: &RuleInput,
        steps: u64,
    ) -> Result<Vec<RuleFinding>, NoVerdict> {
        meter::begin(steps);
        if self.scope == RuleScope::Plan {
            let holds = self.expression.holds(scene)?;
            return Ok(if holds { Vec::new() } else { vec![self.finding(None)] });
        }
        let mut found = Vec::new();
        for change in input.changes_to_make() {
            let mut scene = scene.new_inner_scope();
            bind(&mut scene, "change", change)?;
            if !self.expression.holds(&scene)? {
                found.push(self.finding(Some(change)));
            }
        }
        Ok(found)
    }

    fn finding(&self, change: Option<&Value>) -> RuleFinding {
        RuleFinding {
            policy: self.name.clone(),
            severity: self.severity,
            message: self.message.clone(),
            is_broken: false,
            key: change.and_then(|change| change["key"].as_str()?.parse().ok()),
            origin: change.and_then(|change| place(&change["origin"])),
        }
    }

    /// What cannot be evaluated refuses, also where it should only warn.
    fn broken(&self, NoVerdict(message): NoVerdict) -> RuleFinding {
        RuleFinding {
            policy: self.name.clone(),
            severity: RuleSeverity::Refuse,
            message,
            is_broken: true,
            key: None,
            origin: self.origin.clone(),
        }
    }
}

fn place(origin: &Value) -> Option<Origin> {
    let number = |name: &str| usize::try_from(origin[name].as_u64()?).ok();
    let column = number("column").unwrap_or(1);
    Some(Origin { file: origin["file"].as_str()?.to_owned(), line: number("line")?, column })
}
