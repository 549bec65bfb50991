//! The plans that the tests print: the documented one, and one change of every other kind.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;

use super::super::Estimate;
use super::super::json::{Basis, Preamble};
use crate::model::{
    Claim, Effect, FieldValue, Fingerprint, Kind, Origin, Project, RemoteId, Secret, SecretOrigin,
};
use crate::plan::{
    Action, Blocked, BlockedReason, Change, Cost, FieldAction, FieldChange, FieldReason, Plan,
    Reason, Step, Unmanaged,
};

/// A value that must stand nowhere.
pub(super) const CANARY: &str = "canary-4f1d9c";

pub(super) fn plan(changes: Vec<Change>) -> Plan {
    let writes = changes.iter().filter(|change| !change.steps.is_empty()).count();
    Plan {
        origin: "https://api.stackblaze.cloud/v1".to_owned(),
        project: Project {
            id: Some(RemoteId::new("prj_1").unwrap()),
            name: "acme".to_owned(),
            region: None,
            plan: None,
        },
        revision: Some("3f2a91c".to_owned()),
        digest: "d1".to_owned(),
        changes,
        unmanaged: Vec::new(),
        unchanged: Vec::new(),
        settled: Vec::new(),
        remember: BTreeMap::new(),
        by_hand: Vec::new(),
        wants: BTreeSet::new(),
        likely_renames: Vec::new(),
        is_stateless: false,
        cost: Cost { reads: 3, writes: u32::try_from(writes).unwrap() },
    }
}

pub(super) fn change(key: &str, action: Action) -> Change {
    let is_write =
        matches!(action, Action::Create | Action::Update | Action::Replace | Action::Delete);
    let step = Step::Create { fields: BTreeMap::new() };
    Change {
        key: key.parse().unwrap(),
        action,
        reason: Reason::Requested,
        origin: None,
        labels: BTreeMap::new(),
        effect: Effect::None,
        replicas: None,
        has_data: false,
        id: (action != Action::Create).then(|| RemoteId::new("obj_1").unwrap()),
        adopts: None,
        fields: Vec::new(),
        blocked: None,
        steps: if is_write { vec![step] } else { Vec::new() },
        after: BTreeSet::new(),
        record: None,
    }
}

pub(super) fn at(file: &str, line: usize) -> Option<Origin> {
    Some(Origin { file: file.to_owned(), line, column: 1 })
}

pub(super) fn text(value: &str) -> Option<FieldValue> {
    Some(FieldValue::Text(value.to_owned()))
}

pub(super) fn field(
    path: &str,
    before: Option<FieldValue>,
    after: Option<FieldValue>,
) -> FieldChange {
    let action = match (&before, &after) {
        (None, _) => FieldAction::Add,
        (Some(_), Some(_)) => FieldAction::Change,
        (Some(_), None) => FieldAction::Remove,
    };
    FieldChange {
        path: path.parse().unwrap(),
        action,
        before,
        after,
        reason: FieldReason::Requested,
        sensitive: false,
        hint: None,
    }
}

pub(super) fn secret() -> Option<FieldValue> {
    let value = SecretString::from(CANARY);
    let print = Fingerprint::new("fp".to_owned());
    Some(Secret::new(value, print, SecretOrigin::Given).into())
}

pub(super) fn blocked(
    key: &str,
    action: Action,
    reason: BlockedReason,
    message: &str,
    hint: &str,
) -> Change {
    Change {
        blocked: Some(Blocked {
            reason,
            message: message.to_owned(),
            hint: (!hint.is_empty()).then(|| hint.to_owned()),
        }),
        steps: Vec::new(),
        ..change(key, action)
    }
}

/// The plan of the documentation.
pub(super) fn documented() -> Plan {
    let database = Change {
        origin: at("manifests/db.yaml", 1),
        fields: vec![
            field("type", None, text("postgres")),
            field("plan", None, text("standard")),
            field("version", None, text("16")),
            field("storageGB", None, Some(FieldValue::Integer(10))),
        ],
        ..change("database/main-db", Action::Create)
    };
    let (six, ten) = (FieldValue::Integer(6), FieldValue::Integer(10));
    let service = Change {
        origin: at("manifests/api.yaml", 3),
        effect: Effect::Restart,
        replicas: Some(3),
        fields: vec![
            field("scaling.maxInstances", Some(six), Some(ten)),
            FieldChange { sensitive: true, ..field("envVars.STRIPE_KEY", secret(), secret()) },
            FieldChange {
                reason: FieldReason::Drift,
                sensitive: true,
                ..field("envVars.LEGACY", text(CANARY), None)
            },
        ],
        ..change("service/api", Action::Update)
    };
    let worker = blocked(
        "service/worker",
        Action::Delete,
        BlockedReason::NotOwned,
        "not owned",
        "created outside; `stoker adopt service/worker`",
    );
    let unmanaged = |number: usize| Unmanaged {
        kind: Kind::Service,
        name: format!("other-{number}"),
        id: RemoteId::new(&format!("svc_{number}")).unwrap(),
    };
    Plan { unmanaged: (1..=3).map(unmanaged).collect(), ..plan(vec![database, service, worker]) }
}

/// One change of every other kind.
pub(super) fn everything() -> Plan {
    let drift = |field| FieldChange { reason: FieldReason::Drift, ..field };
    let leave = |reason, field| FieldChange { action: FieldAction::Leave, reason, ..field };
    let flapping = FieldChange {
        hint: Some("ignoreChanges: [spec.healthCheckPath]".to_owned()),
        ..leave(FieldReason::Flapping, field("healthCheckPath", text("/health/"), text("/health")))
    };
    let config = (
        text("a: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\n"),
        text("a: 1\nb: 2\nc: 3\nd: 4\ne: 6\nf: 6\n"),
    );
    let mut plan = plan(vec![
        Change {
            origin: at("manifests/shared.yaml", 1),
            fields: vec![field("envVars.LOG_LEVEL", None, text("info"))],
            ..change("envgroup/shared", Action::Create)
        },
        Change {
            origin: at("manifests/web.yaml", 1),
            fields: vec![
                field("type", None, text("web")),
                field("runtime", None, text("node")),
                field("port", None, Some(FieldValue::Integer(3000))),
                field("startCommand", None, text("")),
                field("envVars.TOKEN", None, secret()),
            ],
            ..change("service/web", Action::Create)
        },
        Change {
            reason: Reason::AlreadyLive,
            adopts: Some(Claim::Named),
            ..change("service/blog", Action::Adopt)
        },
        Change {
            reason: Reason::AnswerLost,
            adopts: Some(Claim::Presumed),
            effect: Effect::Rebuild,
            replicas: Some(1),
            fields: vec![
                field("branch", text("main"), text("next")),
                field("envVars.CONFIG", config.0, config.1),
            ],
            ..change("service/shop", Action::Update)
        },
        Change {
            reason: Reason::Drift,
            fields: vec![
                drift(field("schedule", text("0 3 * * *"), text("0 4 * * *"))),
                drift(field("envVars.GONE", None, text("x"))),
                drift(field("envVars.EXTRA", text("y"), None)),
            ],
            ..change("service/cron", Action::Update)
        },
        Change {
            effect: Effect::Destroy,
            fields: vec![field("region", text("eu"), text("us"))],
            ..change("service/old-region", Action::Replace)
        },
        Change {
            reason: Reason::Tombstone,
            effect: Effect::Destroy,
            has_data: true,
            ..change("database/old", Action::Delete)
        },
        Change { reason: Reason::Missing, ..change("service/lost", Action::Forget) },
        Change {
            fields: vec![
                leave(FieldReason::Unverifiable, field("envVars.SEEN_BY_NOBODY", None, secret())),
                flapping,
            ],
            ..change("service/odd", Action::None)
        },
        blocked(
            "service/forgotten",
            Action::Delete,
            BlockedReason::PruneOff,
            "pruning is off",
            "`--prune=services` deletes it",
        ),
        Change {
            fields: vec![field("version", text("15"), text("16"))],
            ..blocked(
                "database/main",
                Action::Update,
                BlockedReason::Immutable,
                "`version` of a database cannot be changed",
                "create a second database, copy the data, point the services at it, then let this one go with a tombstone",
            )
        },
    ]);
    plan.unchanged = vec!["service/calm".parse().unwrap()];
    plan
}

pub(super) const ESTIMATE: Estimate = Estimate { seconds: 1, left: Some((281, 300)) };

pub(super) fn preamble() -> Preamble {
    Preamble {
        basis: Basis { desired: "d1".to_owned(), state: None },
        paths: vec!["manifests".to_owned()],
        options: serde_json::from_str("{\"prune\":[\"services\"]}").unwrap(),
        estimate: ESTIMATE,
        diagnostics: Vec::new(),
        shows_unmanaged: false,
        policies: Vec::new(),
    }
}

#[test]
fn a_plan_whose_creates_wait_says_that_lists_are_read_again() {
    let plan = plan(vec![change("service/api", Action::Create)]);
    let said =
        |seconds| crate::render::plan_as_text(&plan, &Estimate { seconds, left: None }).to_plain();
    let sentence = "While it waits, lists are read again every 10 s.";
    assert!(said(61).contains(sentence), "{}", said(61));
    assert!(!said(10).contains(sentence), "{}", said(10));
    let plan = super::plans::plan(vec![change("service/api", Action::Adopt)]);
    let said = crate::render::plan_as_text(&plan, &Estimate { seconds: 61, left: None }).to_plain();
    assert!(!said.contains(sentence), "{said}");
}
