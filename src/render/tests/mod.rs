//! Every form of every kind of change, as it is read; and that a secret stands in none of them.

mod plans;

use super::json::{SavedPlan, SavedPlanError, SavedReport, Versioned, seal};
use super::*;
use crate::model::{EnvKey, Name, RemoteId};
use crate::plan::{
    Action, BlockedReason, ByHand, Change, ChangeResult, FailureCause, Outcome, Precondition,
    Report, Sight, Step,
};
use plans::{
    CANARY, ESTIMATE, blocked, change, documented, everything, field, plan, preamble, text,
};

#[test]
fn the_documented_plan_reads_as_documented() {
    let text = plan_as_text(&documented(), &ESTIMATE).to_plain();
    assert_eq!(text, include_str!("documented.txt"));
}

#[test]
fn every_kind_of_change_has_its_sign_and_its_words() {
    insta::assert_snapshot!(plan_as_text(&everything(), &ESTIMATE).to_plain());
}

#[test]
fn every_obstacle_is_one_block_with_its_way_out() {
    let reasons = [
        BlockedReason::Immutable,
        BlockedReason::EnvGroup,
        BlockedReason::NotOwned,
        BlockedReason::IncompleteView,
        BlockedReason::AmbiguousName,
        BlockedReason::Protected,
        BlockedReason::DependencyBlocked,
        BlockedReason::AdoptionRefused,
        BlockedReason::PruneOff,
        BlockedReason::Fuse,
        BlockedReason::SourceIncomplete,
        BlockedReason::SourceShrinking,
        BlockedReason::ApprovalMissing,
        BlockedReason::InFlight,
        BlockedReason::PolicyWithheld,
        BlockedReason::Presumed,
        BlockedReason::PerhapsOurs,
    ];
    for reason in reasons {
        let one = blocked("service/a", Action::Delete, reason, "the message", "the hint");
        let plan = plan(vec![one]);
        let text = plan_as_text(&plan, &ESTIMATE).to_plain();
        assert!(text.contains("  ! service/a  delete blocked: the message (the hint)\n"), "{text}");
        assert!(text.contains("0 to destroy. 1 blocked.\n"), "{text}");
        let json = SavedPlan::new(&plan, preamble()).to_json();
        assert!(json.contains(&format!("\"reason\": \"{}\"", reason.as_str())), "{json}");
        assert!(plan_as_markdown(&plan, &ESTIMATE).contains("**Blocked:** the message\n"));
    }
}

#[test]
fn what_people_must_set_is_told_in_every_form_until_it_is_set() {
    let by_hand = |key: &str, variables: &[(&str, Sight)]| ByHand {
        key: key.parse().unwrap(),
        variables: variables.iter().map(|(key, it)| (EnvKey::new(key).unwrap(), *it)).collect(),
    };
    let mut plan = plan(Vec::new());
    plan.by_hand = vec![
        by_hand("envgroup/mail", &[("PASSWORD", Sight::Unset)]),
        by_hand("service/api", &[("A", Sight::Unset), ("B", Sight::Unseen), ("C", Sight::Set)]),
        by_hand("service/web", &[("D", Sight::Set)]),
    ];
    let text = plan_as_text(&plan, &ESTIMATE).to_plain();
    let expected = "  Must be set by hand:
  ! envgroup/mail  PASSWORD (the API can never change a group)
  ! service/api  A; not shown: B; set already: C

No changes.";
    assert!(text.starts_with(expected), "{text}");
    assert!(by_hand_as_text(&plan).to_plain().ends_with("set already: C\n"));
    let markdown = plan_as_markdown(&plan, &ESTIMATE);
    let line = "- **service&#47;api**: A&#59; not shown&#58; B&#59; set already&#58; C\n";
    assert!(markdown.contains(line) && !markdown.contains("web"), "{markdown}");
    let json = SavedPlan::new(&plan, preamble()).to_json();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let sets: Vec<_> = json["byHand"].as_array().unwrap().iter().map(|it| &it["set"]).collect();
    assert_eq!(serde_json::json!(sets), serde_json::json!([false, false, null, true, true]));
    plan.by_hand.truncate(0);
    assert!(!plan_as_markdown(&plan, &ESTIMATE).contains("by hand"));
    assert_eq!(by_hand_as_text(&plan).to_plain(), "");
}

#[test]
fn no_changes_is_said_in_two_words() {
    let mut plan = plan(Vec::new());
    plan.unchanged = vec!["service/a".parse().unwrap(), "service/b".parse().unwrap()];
    assert_eq!(
        plan_as_text(&plan, &Estimate::default()).to_plain(),
        "No changes. 2 unchanged.\nCost: 3 requests (3 read, 0 write), about 1 s.\n"
    );
    assert_eq!(drift_as_text(&plan).to_plain(), "No drift.\n");
}

#[test]
fn drift_is_told_from_what_was_declared_to_what_is_there() {
    insta::assert_snapshot!(drift_as_text(&everything()).to_plain());
}

#[test]
fn the_plan_as_json_is_as_documented() {
    insta::assert_snapshot!(SavedPlan::new(&documented(), preamble()).to_json());
}

#[test]
fn a_saved_plan_reads_back_as_itself_also_from_a_newer_minor_version() {
    let saved = SavedPlan::new(&everything(), preamble());
    assert_eq!(SavedPlan::parse(&saved.to_json()).unwrap(), saved);
    assert_eq!(saved.to_ndjson().lines().count(), saved.changes.len());

    let mut newer: serde_json::Value = serde_json::from_str(&saved.to_json()).unwrap();
    newer["formatVersion"] = "1.9".into();
    newer["mood"] = "good".into();
    let edited = newer.to_string();
    assert!(matches!(SavedPlan::parse(&edited), Err(SavedPlanError::Edited)));
    newer["seal"] = seal(&newer).into();
    assert_eq!(SavedPlan::parse(&newer.to_string()).unwrap().changes, saved.changes);
    let other = saved.to_json().replacen("\"1.0\"", "\"2.0\"", 1);
    assert!(matches!(SavedPlan::parse(&other), Err(SavedPlanError::OtherFormat(_))));
    assert!(SavedPlan::parse("{}").is_err());
}

#[test]
fn what_makes_way_is_told_in_every_form() {
    let mut plan = plan(vec![change("service/a", Action::Update)]);
    plan.changes[0].fields = vec![field("name", text("b"), text("a"))];
    plan.changes[0].steps = vec![Step::MakeWay {
        id: RemoteId::new("svc_1").unwrap(),
        becomes: "service/b".parse().unwrap(),
        name: Name::new("a-moving").unwrap(),
        precondition: Precondition { name: "a".into(), created_at: None, fields: [].into() },
    }];
    let told = "first svc_1, which becomes service/b, makes way: `a` is temporarily renamed to \
        `a-moving`, since two cannot have one name";
    let read = plan_as_text(&plan, &ESTIMATE).to_plain();
    assert!(read.lines().any(|line| line.trim() == told), "{read}");
    let comment = plan_as_markdown(&plan, &ESTIMATE);
    assert!(comment.contains("makes way&#58; &#96;a&#96; is temporarily renamed to"), "{comment}");
    let saved = SavedPlan::new(&plan, preamble());
    let way = saved.changes[0].makes_way.clone().unwrap();
    assert_eq!(
        (way.id.as_str(), way.before.as_str(), way.name.as_str()),
        ("svc_1", "a", "a-moving")
    );
    // Who was shown another name was not shown this (S10).
    let mut other = saved.changes[0].clone();
    assert!(other.shows(&plan.changes[0]));
    other.makes_way.as_mut().unwrap().name = "a-moving-2".into();
    assert!(!other.shows(&plan.changes[0]));
}

#[test]
fn json_keeps_what_is_not_seen_and_shows_it() {
    let mut plan = plan(vec![change("service/a", Action::Update)]);
    let value = "a\u{1b}[2J\u{202e}b\u{e0041}\n";
    plan.changes[0].fields = vec![field("branch", text("x"), text(value))];
    let saved = SavedPlan::new(&plan, preamble());
    let json = saved.to_json();
    assert!(json.contains(r"a\u001b[2J\u202eb\udb40\udc41\n"), "{json}");
    assert_eq!(SavedPlan::parse(&json).unwrap(), saved);
}

#[test]
fn a_failure_as_json_has_its_hints() {
    let hints = ["set STACKBLAZE_TOKEN".to_owned()];
    let error = json::error("auth", "no token", &hints, Some("req_1"), &[]);
    insta::assert_snapshot!(json::document(&error));
}

#[test]
fn the_plan_as_a_comment() {
    insta::assert_snapshot!(plan_as_markdown(&documented(), &ESTIMATE));
}

#[test]
fn drift_as_a_comment_says_what_was_done_and_not_what_will_be() {
    let written = drift_as_markdown(&everything());
    for line in [
        "### Drift&#58; 2 resources, 3 fields.",
        "<details><summary>&#45; <b>service&#47;lost</b> gone from the platform</summary>",
        "| &#43; | envVars.EXTRA | y | drift&#58; added by hand |",
    ] {
        assert!(written.lines().any(|it| it == line), "{line}\n{written}");
    }
    assert!(!written.contains("will be"), "{written}");
    assert_eq!(drift_as_markdown(&plan(Vec::new())), "### No drift.\n\n");
}

#[test]
fn a_comment_is_never_too_long_and_says_where_it_was_cut() {
    let one = |number: usize| Change {
        fields: vec![field("branch", text("main"), text(&"`<@x>|".repeat(20)))],
        ..change(&format!("service/s{number}"), Action::Update)
    };
    let comment = plan_as_markdown(&plan((0..2_000).map(one).collect()), &ESTIMATE);
    assert!(comment.chars().count() <= 60_000);
    assert!(comment.contains("**Cut here:**"));
    assert!(comment.starts_with(MARKER));
    assert!(comment.contains("Cost&#58;"));
}

fn report() -> Report {
    let result =
        |key: &str, action, outcome| ChangeResult { key: key.parse().unwrap(), action, outcome };
    let message = || "the body ended early".to_owned();
    Report {
        results: vec![
            result("database/main", Action::Create, Outcome::Applied),
            result(
                "service/api",
                Action::Update,
                Outcome::Failed {
                    cause: FailureCause::Other,
                    message: "422: no such plan".to_owned(),
                    request_id: Some("req_7".to_owned()),
                },
            ),
            result(
                "service/a",
                Action::Delete,
                Outcome::Stale { message: "it was renamed".to_owned() },
            ),
            result(
                "service/b",
                Action::Create,
                Outcome::Unresolved { cause: FailureCause::Other, message: message() },
            ),
            result(
                "service/c",
                Action::Create,
                Outcome::Skipped { because_of: "service/b".parse().unwrap() },
            ),
            result("service/d", Action::Create, Outcome::NotStarted),
            result("service/e", Action::Delete, Outcome::Blocked { reason: BlockedReason::Fuse }),
        ],
        stopped: true,
    }
}

#[test]
fn a_report_says_what_became_of_each_change() {
    insta::assert_snapshot!(report_as_text(&report()).to_plain());
    insta::assert_snapshot!(json::document(&Versioned::from(SavedReport::from(&report()))));
    insta::assert_snapshot!(report_as_markdown(&report()));
}

#[test]
fn a_secret_stands_in_no_form() {
    for plan in [documented(), everything()] {
        let text = plan_as_text(&plan, &ESTIMATE);
        let drift = drift_as_text(&plan);
        let saved = SavedPlan::new(&plan, preamble());
        let forms = [
            text.to_plain(),
            text.to_ansi(),
            format!("{text:?}"),
            drift.to_plain(),
            format!("{drift:?}"),
            saved.to_json(),
            saved.to_ndjson(),
            format!("{saved:?}"),
            plan_as_markdown(&plan, &ESTIMATE),
        ];
        for form in forms {
            assert!(!form.contains(CANARY), "{form}");
        }
    }
}

/// Returns the texts in the body of a function.
fn texts<'s>(source: &'s str, function: &str) -> Vec<&'s str> {
    let (_, body) = source.split_once(&format!("fn {function}(")).expect(function);
    let (body, _) = body.split_once("\n}\n").unwrap();
    body.split('"').skip(1).step_by(2).collect()
}

#[test]
fn the_meaning_of_a_field_names_every_word_that_it_may_hold() {
    let source = include_str!("../phrase.rs");
    let named = |schema: &serde_json::Value, field: &str| -> Vec<String> {
        let meaning = schema["properties"][field]["description"].as_str().unwrap();
        meaning.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let change = schemars::schema_for!(super::json::SavedChange).to_value();
    let field = schemars::schema_for!(super::json::SavedField).to_value();
    assert_eq!(named(&change, "action"), texts(source, "action_word"));
    assert_eq!(named(&change, "reason"), texts(source, "reason_word"));
    assert_eq!(named(&change, "effect"), texts(source, "effect_word"));
    let mut words: Vec<String> = ["action", "reason"].map(|it| named(&field, it)).concat();
    let mut said = texts(source, "field_words");
    words.sort_unstable();
    said.sort_unstable();
    assert_eq!(words, said);
}
