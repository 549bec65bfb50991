//! What may go and what may not: protections, approvals, presumptions, states that are out of
//! date, adoption, and destroying all.

use stoker::emulator::{Act, Faults, Kind};
use stoker::model::{Claim, Entry, Key, RemoteId};
use stoker::plan::{Conclusion, Policy};
use stoker::source::Tree;
use stoker::store::Store;

use crate::laws;
use crate::stage::{Stage, brief, manifests, pruning};

fn service(name: &str, more: &str) -> String {
    format!(
        "---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: {name} }}\n\
         spec: {{ type: web, runtime: node, repo: github.com/acme/shop }}\n{more}\n"
    )
}

fn database(name: &str, more: &str) -> String {
    format!(
        "---\napiVersion: stackblaze.cloud/v1\nkind: Database\nmetadata: {{ name: {name} }}\n\
         spec: {{ type: postgres, version: '16', plan: standard, storageGB: 10 }}\n{more}\n"
    )
}

fn four(more: &str) -> Tree {
    manifests(&(["a", "b", "c"].map(|name| service(name, "")).concat() + &service("d", more)))
}

fn three() -> Tree {
    manifests(&["a", "b", "c"].map(|name| service(name, "")).concat())
}

fn deletes(stage: &Stage) -> usize {
    laws::creates_and_deletes(&stage.emulator).values().map(|count| count.1).sum()
}

#[tokio::test(start_paused = true)]
async fn a_protection_is_remembered_when_its_manifest_is_gone() {
    for more in ["lifecycle: { protect: true }", "lifecycle: { prune: false }"] {
        // Protected from the start, or by a later word alone.
        for first in [four(more), four("")] {
            let stage = Stage::new();
            stage.apply(&first, &Policy::default()).await;
            stage.apply(&four(more), &Policy::default()).await;
            let (plan, _) = stage.apply(&three(), &pruning()).await;
            assert_eq!(brief(&plan), ["blocked service/d: protected"], "{more}");
            let mut destroy = pruning();
            destroy.request.destroy = true;
            let (plan, _) = stage.apply(&three(), &destroy).await;
            assert!(brief(&plan).contains(&"blocked service/d: protected".to_owned()), "{plan:#?}");
            assert_eq!(stage.emulator.record().deletes(Kind::Service, "d"), 0, "{more}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_database_goes_only_with_the_approval_of_that_very_one() {
    let names = ["one", "two", "main"];
    let all = names.map(|name| database(name, "")).concat();
    let stage = Stage::new();
    stage.apply(&manifests(&all), &Policy::default()).await;
    stage.wait(600).await;
    let id = stage.emulator.ids(Kind::Database, "main").remove(0);
    let other = stage.emulator.ids(Kind::Database, "one").remove(0);
    let kept = ["one", "two"].map(|name| database(name, "")).concat();
    let (plan, _) = stage.apply(&manifests(&kept), &pruning()).await;
    assert_eq!(brief(&plan), ["blocked database/main: approval_missing"]);
    let approved = |approval: &str| {
        manifests(&format!(
            "{kept}---\napiVersion: stackblaze.cloud/v1\nkind: Database\nmetadata: {{ name: main }}\n\
             spec: {{ state: Absent, approval: \"{approval}\" }}\n"
        ))
    };
    for wrong in [
        format!("delete database/main id={other} created=2026-11-24 before=2026-12-31"),
        format!("delete database/one id={id} created=2026-11-24 before=2026-12-31"),
        format!("delete database/main id={id} created=2026-11-23 before=2026-12-31"),
        format!("delete database/main id={id} created=2026-11-24 before=2026-11-23"),
        format!("delete database/main id={id} created=2026-11-24"),
        format!("delete database/main id={id} created=2026-11-24 before=soon"),
        "yes".to_owned(),
    ] {
        if stoker::manifest::load(&approved(&wrong)).desired.is_none() {
            continue; // It is refused before anything is read.
        }
        let (plan, report) = stage.apply(&approved(&wrong), &pruning()).await;
        assert_eq!(brief(&plan), ["blocked database/main: approval_missing"], "{wrong}");
        assert_eq!(report.conclusion(), Conclusion::Refused, "{wrong}");
    }
    assert_eq!(deletes(&stage), 0);
    let right = format!("delete database/main id={id} created=2026-11-24 before=2026-11-24");
    let (plan, report) = stage.apply(&approved(&right), &pruning()).await;
    assert_eq!(brief(&plan), ["delete database/main"]);
    assert_eq!(report.conclusion(), Conclusion::Done, "{report:#?}");
    laws::it_settles(&stage, &approved(&right), &pruning(), "gone").await;
    assert_eq!(deletes(&stage), 1);
}

#[tokio::test(start_paused = true)]
async fn what_may_only_be_ours_is_never_deleted() {
    let stage = Stage::new();
    stage.emulator.play(Faults::parse("lose-answer@POST /services#4").unwrap());
    stage.apply(&four(""), &Policy::default()).await;
    laws::it_settles(&stage, &four(""), &pruning(), "presumed").await;
    let inventory = stage.inventory();
    let presumed = inventory.entries.iter().find(|(_, entry)| entry.claim == Claim::Presumed);
    let (key, _) = presumed.unwrap();
    let fewer = ["a", "b", "c", "d"].iter().filter(|name| **name != key.name.as_str());
    let fewer: String = fewer.map(|name| service(name, "")).collect();
    let mut adopted_too = pruning();
    adopted_too.permissions.prune_adopted = true;
    for policy in [pruning(), adopted_too] {
        let (plan, _) = stage.apply(&manifests(&fewer), &policy).await;
        assert_eq!(brief(&plan), [format!("blocked {key}: presumed")]);
    }
    let mut destroy = pruning();
    destroy.request.destroy = true;
    let (plan, _) = stage.apply(&manifests(&fewer), &destroy).await;
    assert!(brief(&plan).contains(&format!("blocked {key}: presumed")), "{plan:#?}");
    assert_eq!(deletes(&stage), 3);
}

#[tokio::test(start_paused = true)]
async fn an_old_state_that_is_restored_neither_deletes_nor_creates() {
    let stage = Stage::new();
    stage.apply(&four(""), &Policy::default()).await;
    let copy = tempfile::tempdir().unwrap();
    copy_files(stage.directory.path(), copy.path());
    stage.wait(600).await;
    let changed = manifests(
        &(["a", "b"].map(|name| service(name, "")).concat()
            + &service("e", "")
            + &service("f", "")),
    );
    let mut policy = pruning();
    policy.permissions.deletes_max = Some(2);
    let (_, report) = stage.apply(&changed, &policy).await;
    assert_eq!(report.conclusion(), Conclusion::Done, "{report:#?}");
    let before = laws::creates_and_deletes(&stage.emulator);
    stage.wait(600).await;
    for file in std::fs::read_dir(stage.directory.path()).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    copy_files(copy.path(), stage.directory.path());
    laws::it_settles(&stage, &changed, &policy, "restored").await;
    assert_eq!(laws::creates_and_deletes(&stage.emulator), before);
}

fn copy_files(from: &std::path::Path, to: &std::path::Path) {
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_id_that_means_something_else_now_is_not_deleted() {
    for is_namesake in [true, false] {
        let stage = Stage::new();
        stage.apply(&four(""), &Policy::default()).await;
        stage.wait(3_600).await;
        let key: Key = "service/d".parse().unwrap();
        let entry = stage.inventory().entries[&key].clone();
        let (kind, id) = (Kind::Service, entry.id.to_string());
        stage.emulator.act(&Act::Delete { kind, id }).unwrap();
        let name = if is_namesake { "d" } else { "precious" };
        let body = serde_json::json!({"name": name, "type": "web_service"});
        let precious = stage.emulator.act(&Act::Create { kind, body }).unwrap().unwrap();
        let mut store = Store::open(stage.directory.path(), "a test").unwrap();
        let entry = Entry { id: RemoteId::new(&precious).unwrap(), ..entry };
        store.record(key, entry).unwrap();
        drop(store);
        let (plan, _) = stage.apply(&three(), &pruning()).await;
        assert_eq!(brief(&plan), ["blocked service/d: not_owned"], "{plan:#?}");
        let mut destroy = pruning();
        destroy.request.destroy = true;
        stage.apply(&three(), &destroy).await;
        assert_eq!(stage.emulator.ids(kind, name), [precious], "{is_namesake}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_404_forgets_nothing_that_the_list_still_shows() {
    let stage = Stage::new();
    stage.apply(&four(""), &Policy::default()).await;
    stage.wait(600).await;
    let id = stage.emulator.ids(Kind::Service, "d").remove(0);
    let faults = Faults::parse(&format!("fail:404@GET /services/{id}")).unwrap();
    stage.emulator.play(faults);
    let (plan, report) = stage.apply(&three(), &pruning()).await;
    assert_eq!(brief(&plan), ["delete service/d"]);
    assert_ne!(report.conclusion(), Conclusion::Done, "{report:#?}");
    // Forgotten, it would live on and be nobody's (L4).
    let key: Key = "service/d".parse().unwrap();
    assert!(stage.inventory().entries.contains_key(&key));
    assert_eq!(deletes(&stage), 0);
}

#[tokio::test(start_paused = true)]
async fn what_lives_is_taken_over_only_as_its_manifest_allows() {
    for (mode, plan_name, expected) in [
        ("never", "standard", "blocked service/d: adoption_refused"),
        ("match", "standard", "adopt service/d"),
        ("match", "starter", "blocked service/d: adoption_refused"),
        ("always", "starter", "update service/d"),
    ] {
        let stage = Stage::new();
        let body = serde_json::json!({
            "name": "d", "type": "web_service", "runtime": "node",
            "repo": "github.com/acme/shop", "plan": "standard",
        });
        stage.emulator.act(&Act::Create { kind: Kind::Service, body }).unwrap();
        let text = service("d", &format!("lifecycle: {{ adopt: {mode} }}"));
        let text = text.replace("runtime: node", &format!("runtime: node, plan: {plan_name}"));
        let (plan, report) = stage.apply(&manifests(&text), &pruning()).await;
        assert_eq!(brief(&plan), [expected], "{mode} {plan_name}");
        laws::the_report_is_honest(&plan, &report, mode);
        // Taken over by its name, it may be changed, and is not ours to delete.
        let rest = manifests(&["a", "b", "c"].map(|name| service(name, "")).concat());
        stage.apply(&rest, &pruning()).await;
        stage.apply(&rest, &pruning()).await;
        assert_eq!(deletes(&stage), 0, "{mode} {plan_name}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_fuse_lets_none_go_when_too_many_would() {
    let stage = Stage::new();
    let names: Vec<String> = (0..10).map(|number| format!("s{number}")).collect();
    let some = |count: usize| {
        let texts: String = names[..count].iter().map(|name| service(name, "")).collect();
        manifests(&texts)
    };
    stage.apply(&some(10), &Policy::default()).await;
    stage.wait(600).await;
    for left in [0, 1, 5, 6] {
        let (plan, report) = stage.apply(&some(left), &pruning()).await;
        assert_eq!(brief(&plan).len(), 10 - left);
        assert!(brief(&plan).iter().all(|it| it.ends_with(": fuse")), "{:?}", brief(&plan));
        assert_eq!(report.conclusion(), Conclusion::Refused);
    }
    assert_eq!(deletes(&stage), 0);
    let (_, report) = stage.apply(&some(7), &pruning()).await;
    assert_eq!(report.conclusion(), Conclusion::Done);
    assert_eq!(deletes(&stage), 3);
}

#[tokio::test(start_paused = true)]
async fn destroying_deletes_what_is_ours_and_no_database_that_nobody_gave_up() {
    let stage = Stage::new();
    let all = service("a", "")
        + &service("b", "")
        + &database("main", "")
        + &database("cache", "lifecycle: { prune: true }");
    stage.apply(&manifests(&all), &Policy::default()).await;
    let body = serde_json::json!({"name": "foreign", "type": "web_service"});
    stage.emulator.act(&Act::Create { kind: Kind::Service, body }).unwrap();
    stage.wait(600).await;
    let mut destroy = pruning();
    destroy.request.destroy = true;
    let (plan, _) = stage.apply(&manifests(&all), &destroy).await;
    let mut expected = vec![
        "blocked database/main: approval_missing",
        "delete database/cache",
        "delete service/a",
        "delete service/b",
    ];
    let mut done = brief(&plan);
    done.sort();
    expected.sort_unstable();
    assert_eq!(done, expected);
    assert_eq!(deletes(&stage), 3);
    assert_eq!(stage.emulator.truth(Kind::Service).len(), 1);
    assert_eq!(stage.emulator.ids(Kind::Database, "main").len(), 1);
}
