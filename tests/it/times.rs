//! Times of creation, as real back ends keep them: what was answered from memory and what is read
//! from a row are one object, and only what shows no time anywhere is not proven to be ours (S1).

use std::time::Duration;

use stoker::emulator::{EmulatorConfig, Faults, Kind, Times};
use stoker::model::Claim;
use stoker::plan::Policy;
use stoker::source::Tree;

use crate::laws;
use crate::stage::{Stage, brief, manifests, pruning};

const TIMES: [Times; 3] = [Times::RoundedRows, Times::ZonelessRows, Times::NotListed];

fn service(name: &str) -> String {
    format!(
        "---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: {name} }}\nspec:\n  \
         type: web\n  image: nginx\n  envVars: [{{ key: A_KEY, valueFrom: {{ env: A_KEY }} }}]\n"
    )
}

fn stack(names: &[&str]) -> Tree {
    let group = "---\napiVersion: stackblaze.cloud/v1\nkind: EnvGroup\nmetadata: { name: shared }\n\
                 spec: { envVars: [{ key: LEVEL, value: info }] }\n";
    let services = names.iter().map(|name| service(name));
    manifests(&std::iter::once(group.to_owned()).chain(services).collect::<String>())
}

/// A platform whose clock is past the middle of a second when things are made.
async fn stage(times: Times) -> Stage {
    let stage = Stage::on(EmulatorConfig { times, ..EmulatorConfig::default() });
    tokio::time::sleep(Duration::from_millis(700)).await;
    Stage { variables: vec![("A_KEY".to_owned(), "first-secret".to_owned())], ..stage }
}

#[tokio::test(start_paused = true)]
async fn what_was_made_stays_ours_however_its_time_is_kept() {
    for times in TIMES {
        let context = format!("{times:?}");
        let mut stage = stage(times).await;
        let names = ["a", "b", "c", "d"];
        stage.apply(&stack(&names), &Policy::default()).await;
        let inventory = stage.inventory();
        let answered = inventory.entries.values().map(|entry| entry.created_at.clone());
        let stored = stage.emulator.truth(Kind::Service)[3]["created_at"].clone();
        let is_kept_otherwise = answered.flatten().all(|answered| stored != answered.as_str());
        assert_eq!(is_kept_otherwise, times != Times::NotListed, "{context}");
        stage.wait(100).await;
        let plan = stage.plan(&stack(&names), &pruning()).await;
        assert_eq!(brief(&plan), Vec::<String>::new(), "{context}");

        // Another secret is written to each of them, for it is still known what was written before.
        stage.variables[0].1 = "second-secret".to_owned();
        let before = stage.emulator.record().writes();
        stage.apply(&stack(&names), &pruning()).await;
        assert_eq!(stage.emulator.record().writes() - before, 4, "{context}");
        let claims = stage.inventory();
        assert!(claims.entries.values().all(|it| it.claim == Claim::Created), "{claims:#?}");

        // And what is not wanted any more goes.
        let (plan, _) = stage.apply(&stack(&names[..3]), &pruning()).await;
        assert_eq!(brief(&plan), ["delete service/d"], "{context}: {plan:#?}");
        assert_eq!(stage.emulator.record().deletes(Kind::Service, "d"), 1, "{context}");
        laws::it_settles(&stage, &stack(&names[..3]), &pruning(), &context).await;
    }
}

#[tokio::test(start_paused = true)]
async fn details_without_a_time_and_details_that_do_not_come_delete_nothing() {
    let stage = stage(Times::NotListed).await;
    stage.apply(&stack(&["a", "b", "c", "d"]), &Policy::default()).await;
    stage.wait(100).await;
    stage.emulator.play(Faults::parse("fail:500@GET /services/*").unwrap());
    let (plan, _) = stage.apply(&stack(&["a", "b", "c"]), &pruning()).await;
    let why = plan.changes.iter().find(|it| it.key.name.as_str() == "d").unwrap();
    let why = why.blocked.as_ref().unwrap();
    assert!(!why.message.contains("differs"), "{}", why.message);
    assert_eq!(stage.emulator.record().deletes(Kind::Service, "d"), 0);
}
