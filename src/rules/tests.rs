//! What rules say, and what becomes of those that say nothing.

use serde_json::{Value, json};

use super::*;
use crate::plan::RuleFinding;

const FRIDAY: &str = "2026-04-10T12:00:00Z";

fn parts(rule: &str) -> RuleParts {
    RuleParts {
        name: "a-rule".to_owned(),
        message: "it is so".to_owned(),
        rule: rule.to_owned(),
        scope: RuleScope::Plan,
        severity: RuleSeverity::Refuse,
        origin: Some(Origin { file: "stoker.yaml".to_owned(), line: 3, column: 11 }),
    }
}

fn restart(name: &str) -> Value {
    json!({ "key": format!("service/{name}"), "effect": "restart",
            "origin": { "file": "web.yaml", "line": 2 },
            "labels": { "team": "shop" },
            "fields": [{ "path": "plan", "before": "pro", "after": "business" }] })
}

fn input(changes: Vec<Value>) -> RuleInput {
    let plan = json!({ "changes": changes, "summary": { "change": changes.len() } });
    RuleInput::of_document(plan, "shop", FRIDAY.parse().unwrap()).unwrap()
}

fn judged_as(parts: RuleParts) -> Vec<RuleFinding> {
    let rules = Rules::from(vec![PolicyRule::new(parts).unwrap()]);
    rules.judge_within(&input(vec![restart("a"), restart("b")]), 100_000)
}

fn judged(rule: &str) -> Vec<RuleFinding> {
    judged_as(parts(rule))
}

fn refused_at_reading(rule: &str) -> String {
    PolicyRule::new(parts(rule)).unwrap_err()
}

#[test]
fn a_rule_that_holds_says_nothing_and_one_that_does_not_says_its_message() {
    for rule in [
        "plan.changes.size() == 2",
        "plan.changes.all(c, c.effect == 'restart')",
        "now.getDayOfWeek() == 5 && now < timestamp('2027-01-01T00:00:00Z')",
        "project == 'shop' && plan.project.name == ''",
        "plan.changes.filter(c, c.labels.team == 'shop').map(c, c.key) == ['service/a', 'service/b']",
        "plan.changes.exists_one(c, c.key == 'service/a') && plan.summary.change == 2",
        "plan.changes.all(c, c.fields.all(f, f.path.matches('^pl') && f.hint == null))",
        "!('owner' in plan.changes[0].labels) && !has(plan.changes[0].labels.owner)",
    ] {
        assert_eq!(judged(rule), [], "{rule}");
        let [finding] = &judged(&format!("!({rule})"))[..] else { panic!("{rule}") };
        assert_eq!(finding.told(), "policy `a-rule` refuses the plan: it is so");
        assert!(!finding.is_broken && finding.refuses());
    }
}

#[test]
fn a_rule_of_changes_names_each_that_does_not_keep_it_and_leaves_out_what_is_blocked() {
    let rule = "change.fields.all(f, f.path != 'plan' || f.after == 'pro')";
    let parts = RuleParts { scope: RuleScope::Change, severity: RuleSeverity::Warn, ..parts(rule) };
    let mut held = restart("held");
    held["blocked"] = json!({ "reason": "protected", "message": "it is protected" });
    let rules = Rules::from(vec![PolicyRule::new(parts).unwrap()]);
    let found = rules.judge(&input(vec![restart("a"), held]));
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert_eq!(finding.told(), "policy `a-rule` warns about service/a: it is so");
    let origin = finding.origin.clone().unwrap();
    assert_eq!((origin.file.as_str(), origin.line), ("web.yaml", 2));
    assert!(!finding.refuses());
}

#[test]
fn what_cannot_be_evaluated_refuses_also_where_it_should_only_warn() {
    for (rule, why) in [
        ("plan.changes.size()", "gives a value of type `int`, not a boolean"),
        ("plan.chagnes.size() == 2", "there is no member `chagnes`"),
        ("plan.changes[7].key == ''", "beyond the last"),
        ("1 / plan.summary.change == 2 % 0", "divides by zero"),
        ("plan.changes + 1 == []", "do not fit together"),
        ("'a'.matches('(')", "`matches` fails"),
    ] {
        let parts = RuleParts { severity: RuleSeverity::Warn, ..parts(rule) };
        let [finding] = &judged_as(parts)[..] else { panic!("{rule}") };
        assert!(finding.is_broken && finding.refuses(), "{rule}");
        assert!(finding.message.contains(why), "{rule}: {}", finding.message);
        assert_eq!(finding.origin.as_ref().unwrap().line, 3);
    }
}

#[test]
fn what_names_nothing_that_is_there_is_refused_when_it_is_read() {
    for (rule, why) in [
        ("plan.changes.size( == 2", "line 1, column"),
        ("true || plna.changes == []", "there is no `plna`; a rule knows `plan`, `project`, `now`"),
        ("true || change.key == ''", "there is no `change`"),
        ("true || plan.changes.any(c, true)", "there is no function `any`"),
        ("plan.changes.all(c, d)", "there is no `d`"),
        ("plan.changes.all(c, true) && c", "there is no `c`"),
        ("'a'.join() == ''", "there is no function `join`"),
        ("@paid(1) == 1", "line 1, column"),
    ] {
        let said = refused_at_reading(rule);
        assert!(said.contains("the rule of policy `a-rule`") && said.contains(why), "{said}");
    }
    assert!(refused_at_reading(&format!("true{}", " ".repeat(5000))).contains("longer than 4096"));
}

#[test]
fn names_and_messages_that_say_nothing_are_refused() {
    for name in ["", "A", "a b", &"a".repeat(64)] {
        let reason =
            PolicyRule::new(RuleParts { name: name.to_owned(), ..parts("true") }).unwrap_err();
        assert!(reason.contains("not a valid policy name"), "{reason}");
    }
    let reason =
        PolicyRule::new(RuleParts { message: " ".to_owned(), ..parts("true") }).unwrap_err();
    assert!(reason.contains("has no `message`"), "{reason}");
}

#[test]
fn a_rule_without_end_refuses_however_it_is_hidden() {
    let ten = "[0,1,2,3,4,5,6,7,8,9]";
    let loops = |body: &str, depth: usize| {
        (0..depth).fold(body.to_owned(), |body, at| format!("{ten}.all(v{at}, {body})"))
    };
    let grown = |start: &str, step: &str| {
        let steps = (0..60).map(|_| format!(".map(v, {step})"));
        format!("{start}{} != []", steps.collect::<String>())
    };
    for rule in [
        loops("true", 9),
        // What stands beside it would outweigh an ordinary error.
        format!("{} || true", loops("true", 9)),
        format!("!({}) || true", loops("[].size() == 0", 9)),
        grown("[[1]]", "v + v"),
        grown("['abcdefghijklmnop']", "v + v"),
        grown("[1]", "[v, v]"),
        grown("[1]", "{1: v, 2: v}"),
    ] {
        let found = judged(&rule);
        let [finding] = &found[..] else { panic!("{rule}: {found:?}") };
        assert!(finding.message.contains("more steps than a rule may"), "{rule}: {finding:?}");
    }
}

#[test]
fn deep_nesting_is_refused_and_ends_no_process() {
    for rule in [
        format!("{}true{}", "(".repeat(2000), ")".repeat(2000)),
        format!("{}1{} != []", "[".repeat(1500), "]".repeat(1500)),
        format!("0{} == 0", "+0".repeat(2000)),
        format!("plan{} == 0", "[0]".repeat(1300)),
        format!("plan{} == 0", ".a".repeat(2000)),
    ] {
        let said = refused_at_reading(&rule);
        assert!(said.contains("nests more than 128 deep"), "{said}");
    }
    assert_eq!(judged(&format!("true{}", " && true".repeat(500))), []);
    assert_eq!(judged(&format!("0{} == 0", "+0".repeat(100))), []);
}

#[test]
fn a_document_with_a_member_that_no_plan_has_is_refused() {
    let now = FRIDAY.parse().unwrap();
    for (plan, why) in [
        (json!([]), "a plan is not a mapping"),
        (json!({ "chagnes": [] }), "a plan has no member `chagnes`"),
        (json!({ "changes": [{}] }), "a change has no `key`"),
        (json!({ "changes": [{ "key": "service/a", "feilds": [] }] }), "no member `feilds`"),
        (json!({ "changes": [{ "key": "a", "fields": [{ "pth": 1 }] }] }), "no member `pth`"),
    ] {
        let reason = RuleInput::of_document(plan, "shop", now).unwrap_err();
        assert!(reason.contains(why), "{reason}");
    }
}
