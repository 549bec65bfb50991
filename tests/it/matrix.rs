//! Every way in which the API may differ from what we assume, in all pairs: the same life, the
//! same number of writes.

use std::collections::BTreeSet;

use stoker::api::{self, Rename};
use stoker::emulator::{
    Act, DeletionMode, EmulatorConfig, EnvPatch, Fields, GroupNaming, Kind, LimiterModel,
    Normalises, ResetForm, Resolver, RetryAfterForm, Secrets, Verb,
};
use stoker::plan::{Action, Conclusion, FieldReason, Policy};
use stoker::source::Tree;

use crate::laws;
use crate::stage::{Stage, brief, manifests, pruning};

const STACK: &str = "
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: api }
spec:
  type: web
  runtime: node
  repo: https://github.com/Acme/shop/
  branch: main
  plan: standard
  port: 3000
  scaling: { minInstances: 1, maxInstances: 3 }
  domains: [shop.acme.dev]
  envGroups: [shared]
  envVars:
    - { key: NODE_ENV, value: production }
    - { key: DATABASE_URL, fromDatabase: { name: main, property: connectionString } }
    - { key: SALT, generateValue: true }
    - { key: API_KEY, valueFrom: { env: API_KEY } }
---
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: jobs }
spec:
  type: worker
  runtime: node
  repo: github.com/acme/shop
  disk: { name: data, mountPath: /data, sizeGB: 5 }
  envVars:
    - { key: API_HOST, fromService: { name: api, property: url } }
    - { key: BY_HAND, sync: false }
---
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: nightly }
spec: { type: cron, schedule: '0 2 * * *', runtime: node, repo: github.com/acme/shop }
---
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: pages }
spec: { type: static, repo: github.com/acme/pages, envVars: [] }
---
apiVersion: stackblaze.cloud/v1
kind: Database
metadata: { name: main }
spec: { type: postgres, version: '16', plan: standard, storageGB: 10 }
---
apiVersion: stackblaze.cloud/v1
kind: EnvGroup
metadata: { name: shared }
spec: { envVars: [ { key: LOG_LEVEL, value: info } ] }
";

/// How many choices each dimension has, in the order of [`configure`].
const CHOICES: [usize; 17] = [5, 2, 3, 2, 4, 2, 2, 2, 2, 3, 5, 3, 2, 3, 2, 2, 7];

/// Turns choices into a platform and the dialect that is set for it.
fn configure(row: &[usize]) -> (EmulatorConfig, api::Dialect) {
    let mut config = EmulatorConfig::default();
    let mut dialect = api::Dialect::default();
    config.paging.size_max = [1, 2, 3, 7, 100][row[0]];
    config.paging.size = config.paging.size_max.min(20);
    config.paging.per_page = row[1] == 0;
    config.list_fields.services = [Fields::Summary, Fields::All, Fields::All][row[2]];
    config.list_fields.databases = [Fields::Summary, Fields::Summary, Fields::All][row[2]];
    config.list_fields.env_groups = [Fields::All, Fields::Summary, Fields::All][row[2]];
    let details = [Fields::All, Fields::Summary][row[3]];
    config.detail_fields.services = details;
    config.secrets = [Secrets::Masked, Secrets::Omitted, Secrets::Echoed, Secrets::Hidden][row[4]];
    config.names_unique = row[5] == 0;
    if row[6] == 1 {
        config.env_patch = EnvPatch::Replace;
        dialect.env_patch = api::EnvPatch::Replace;
    }
    if row[7] == 1 {
        config.env_groups = GroupNaming::Name;
        dialect.env_groups = api::GroupNaming::Name;
    }
    if row[8] == 1 {
        config.resolve_references = Resolver::Agent;
        dialect.resolve_references = api::Resolver::Agent;
    }
    config.deletion = [
        DeletionMode::Immediate,
        DeletionMode::Gradual { gone_after_ms: 5_000 },
        DeletionMode::Gradual { gone_after_ms: 600_000 },
    ][row[9]];
    config.reset = [
        ResetForm::Delta,
        ResetForm::EpochSeconds,
        ResetForm::EpochMilliseconds,
        ResetForm::HttpDate,
        ResetForm::Absent,
    ][row[10]];
    config.retry_after =
        [RetryAfterForm::Seconds, RetryAfterForm::HttpDate, RetryAfterForm::Absent][row[11]];
    config.wrapped = row[12] == 1;
    config.normalises = [Normalises::Nothing, Normalises::Types, Normalises::Everything][row[13]];
    if row[14] == 1 {
        config.deploy_after_patch = true;
        dialect.deploy_after_patch = true;
    }
    if row[15] == 1 {
        config.project.id = None;
    }
    config.limiter = [
        LimiterModel::FixedWindow,
        LimiterModel::FixedMinute,
        LimiterModel::SlidingLog,
        LimiterModel::Bucket,
        LimiterModel::SmallBucket,
        LimiterModel::Penalty,
        LimiterModel::SlidingCountsRefused,
    ][row[16]];
    (config, dialect)
}

/// Rows in which every pair of choices of any two dimensions stands at least once.
fn all_pairs() -> Vec<Vec<usize>> {
    let mut open = BTreeSet::new();
    for (left, lefts) in CHOICES.iter().enumerate() {
        for (right, rights) in CHOICES.iter().enumerate().skip(left + 1) {
            for a in 0..*lefts {
                open.extend((0..*rights).map(|b| (left, a, right, b)));
            }
        }
    }
    let mut seed = 7_u64;
    let mut below = |limit: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % limit
    };
    let mut rows = Vec::new();
    while let Some((left, a, right, b)) = open.first().copied() {
        let gain = |row: &[usize]| {
            open.iter().filter(|(l, a, r, b)| row[*l] == *a && row[*r] == *b).count()
        };
        let mut candidates: Vec<Vec<usize>> = Vec::new();
        for _ in 0..24 {
            let mut row: Vec<usize> = CHOICES.iter().map(|choices| below(*choices)).collect();
            (row[left], row[right]) = (a, b);
            candidates.push(row);
        }
        let row = candidates.into_iter().max_by_key(|row| gain(row)).unwrap();
        open.retain(|(l, a, r, b)| row[*l] != *a || row[*r] != *b);
        rows.push(row);
    }
    rows
}

/// Runs until nothing is left to do, with time for what the platform takes time for.
async fn converge(stage: &Stage, tree: &Tree, policy: &Policy, context: &str) {
    for _ in 0..3 {
        let (plan, report) = stage.apply(tree, policy).await;
        laws::the_report_is_honest(&plan, &report, context);
        stage.wait(100).await;
        if report.conclusion() == Conclusion::Done {
            break;
        }
    }
    for _ in 0..3 {
        let writes = stage.emulator.record().writes();
        let (plan, report) = stage.apply(tree, policy).await;
        let left: Vec<_> = plan.changes.iter().filter(|it| it.action != Action::None).collect();
        assert!(left.is_empty(), "{context}: {left:#?}\n{report:#?}");
        assert_eq!(stage.emulator.record().writes(), writes, "{context}");
    }
}

fn count(stage: &Stage, verb: Verb, kind: Kind, name: &str) -> usize {
    let effects = laws::effects(&stage.emulator);
    let is_it = |it: &&stoker::emulator::Mutation| (it.verb, it.kind) == (verb, kind);
    effects.iter().filter(is_it).filter(|it| it.name == name).count()
}

async fn live_through(row: &[usize]) {
    let (config, dialect) = configure(row);
    let context = format!("{row:?}");
    let mut stage = Stage::on(config);
    stage.dialect = dialect;
    stage.variables = vec![("API_KEY".to_owned(), "first-secret-value".to_owned())];
    let tree = manifests(STACK);
    converge(&stage, &tree, &Policy::default(), &context).await;
    for name in ["api", "jobs", "nightly", "pages"] {
        assert_eq!(count(&stage, Verb::Created, Kind::Service, name), 1, "{context} {name}");
        assert_eq!(count(&stage, Verb::Patched, Kind::Service, name), 0, "{context} {name}");
    }
    assert_eq!(count(&stage, Verb::Created, Kind::Database, "main"), 1, "{context}");
    assert_eq!(count(&stage, Verb::Created, Kind::EnvGroup, "shared"), 1, "{context}");

    stage.variables = vec![("API_KEY".to_owned(), "second-secret-value".to_owned())];
    let changed = STACK.replace("production", "staging").replace("3000", "3001");
    let changed = changed.replace("sizeGB: 5", "sizeGB: 6");
    converge(&stage, &manifests(&changed), &Policy::default(), &context).await;
    for (name, patches) in [("api", 1), ("jobs", 1), ("nightly", 0), ("pages", 0)] {
        let patched = count(&stage, Verb::Patched, Kind::Service, name);
        assert_eq!(patched, patches, "{context} {name}");
    }
    let services = stage.emulator.truth(Kind::Service);
    let api = services.iter().find(|service| service["name"] == "api").unwrap();
    assert_eq!(api["port"], 3001, "{context}");

    let document = changed
        .find("---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: { name: pages");
    let (head, tail) = changed.split_at(document.unwrap());
    let fewer = manifests(&(head.to_owned() + &tail[4..][tail[4..].find("---").unwrap()..]));
    converge(&stage, &fewer, &pruning(), &context).await;
    assert_eq!(count(&stage, Verb::Deleted, Kind::Service, "pages"), 1, "{context}");
    let deletes: usize = laws::creates_and_deletes(&stage.emulator).values().map(|it| it.1).sum();
    assert_eq!(deletes, 1, "{context}");
    laws::nothing_is_there_twice(&stage, &context);
    laws::the_rate_is_kept(&stage, &context);
}

#[tokio::test(start_paused = true)]
async fn every_pair_of_assumptions_may_be_false_and_the_writes_are_the_same() {
    let rows = all_pairs();
    assert!(rows.len() < 80, "{}", rows.len());
    for row in rows {
        live_through(&row).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_platform_will_not_keep_is_written_twice_and_then_left_alone() {
    let stage = Stage::on(EmulatorConfig {
        normalises: Normalises::Everything,
        ..EmulatorConfig::default()
    });
    let tree = manifests(&STACK.replace("branch: main", "branch: Main"));
    let mut stage = stage;
    stage.variables = vec![("API_KEY".to_owned(), "first-secret-value".to_owned())];
    for _ in 0..3 {
        stage.apply(&tree, &Policy::default()).await;
    }
    assert_eq!(count(&stage, Verb::Patched, Kind::Service, "api"), 2);
    for _ in 0..20 {
        let writes = stage.emulator.record().writes();
        let (plan, _) = stage.apply(&tree, &Policy::default()).await;
        assert_eq!(brief(&plan), ["none service/api"]);
        let fields = &plan.changes[0].fields;
        assert_eq!(fields[0].reason, FieldReason::Flapping, "{fields:#?}");
        assert_eq!(fields[0].hint.as_deref(), Some("ignoreChanges: [spec.branch]"));
        assert_eq!(stage.emulator.record().writes(), writes);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rename_the_platform_refuses_or_ignores_creates_nothing_and_ends() {
    for platform in [
        stoker::emulator::Rename::Honoured,
        stoker::emulator::Rename::Refused,
        stoker::emulator::Rename::Ignored,
    ] {
        for dialect in [Rename::Patch, Rename::Unsupported] {
            let context = format!("{platform:?} {dialect:?}");
            let mut stage =
                Stage::on(EmulatorConfig { rename: platform, ..EmulatorConfig::default() });
            stage.dialect.rename = dialect;
            let text = |metadata: &str| {
                format!(
                    "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {metadata}\n\
                     spec: {{ type: web, runtime: node, repo: github.com/acme/shop }}\n"
                )
            };
            stage.apply(&manifests(&text("{ name: old }")), &Policy::default()).await;
            let tree = manifests(&text("{ name: new, previousNames: [old] }"));
            for _ in 0..4 {
                stage.apply(&tree, &pruning()).await;
            }
            let writes =
                stage.emulator.record().requests().filter(|(_, it)| it.method != "GET").count();
            for _ in 0..20 {
                let (plan, _) = stage.apply(&tree, &pruning()).await;
                let is_renamed = stage.emulator.ids(Kind::Service, "new").len() == 1;
                assert_eq!(is_renamed, brief(&plan).is_empty(), "{context} {:?}", brief(&plan));
            }
            let record = stage.emulator.record();
            let after = record.requests().filter(|(_, it)| it.method != "GET").count();
            // A refusal is no write; it is the answer to each try.
            let refused = platform == stoker::emulator::Rename::Refused;
            assert!(after == writes || refused, "{context}: {writes} {after}");
            assert_eq!(stage.emulator.truth(Kind::Service).len(), 1, "{context}");
            assert_eq!(record.deletes(Kind::Service, "old"), 0, "{context}");
            assert_eq!(record.creates(Kind::Service, "new"), 0, "{context}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_set_by_hand_survives_where_all_variables_are_replaced_at_once() {
    for secrets in [Secrets::Masked, Secrets::Echoed, Secrets::Omitted, Secrets::Hidden] {
        let platform =
            EmulatorConfig { env_patch: EnvPatch::Replace, secrets, ..EmulatorConfig::default() };
        let mut stage = Stage::on(platform);
        stage.dialect.env_patch = api::EnvPatch::Replace;
        let text = |mode: &str| {
            format!(
                "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: api }}\n\
                 spec:\n  type: web\n  runtime: node\n  repo: github.com/acme/shop\n  envVars:\n    \
                 - {{ key: MODE, value: {mode} }}\n    - {{ key: BY_HAND, sync: false }}\n"
            )
        };
        stage.apply(&manifests(&text("one")), &Policy::default()).await;
        let id = stage.emulator.ids(Kind::Service, "api").remove(0);
        let entry = serde_json::json!([
            {"key": "MODE", "value": "one"},
            {"key": "BY_HAND", "value": "by-hand-value", "secret": true},
        ]);
        let field = "env_vars".to_owned();
        let by_hand = Act::SetField { id, field, value: Some(entry) };
        stage.emulator.act(&by_hand).unwrap();
        let (_, report) = stage.apply(&manifests(&text("two")), &Policy::default()).await;
        // What is neither shown nor declared cannot be sent again, so nothing is written.
        assert_eq!(report.conclusion(), Conclusion::Failed, "{secrets:?} {report:#?}");
        let variables = stage.emulator.truth(Kind::Service)[0]["env_vars"].to_string();
        assert!(variables.contains("by-hand-value"), "{secrets:?}: {variables}");
        assert!(variables.contains("one"), "{secrets:?}: {variables}");
    }
}
