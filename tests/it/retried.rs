//! What failed is tried again: when, with whom, and at what cost.

use stoker::emulator::Faults;
use stoker::source::Tree;

use crate::kept::{Kept, settings};
use crate::laws;
use crate::stage::{Stage, manifests};

/// Forty services on that plan.
fn forty(plan: &str) -> Tree {
    let document = |number: usize| {
        format!(
            "---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: s{number} }}\n\
             spec: {{ type: web, image: nginx, plan: {plan} }}\n"
        )
    };
    manifests(&(0..40).map(document).collect::<String>())
}

#[tokio::test(start_paused = true)]
async fn changes_that_fail_together_are_tried_again_together() {
    for fault in ["fail:500@PATCH /**", "fail:403@PATCH /**"] {
        let kept = Kept::begin(Stage::new(), settings(), forty("starter"));
        kept.stage.wait(600).await;
        assert_eq!(kept.ready(), "True Synced");
        kept.stage.emulator.play(Faults::parse(fault).unwrap());
        kept.write(Ok(forty("standard")));
        let before = kept.stage.emulator.record().requests().count();
        kept.stage.wait(3_600).await;
        // Each alone would be a look at the platform every few seconds: two thirds of the budget.
        let spent = kept.stage.emulator.record().requests().count() - before;
        assert!(spent < 4_000, "{fault}: {spent} of {} requests", 60 * 285);
        kept.stage.emulator.play(Faults::default());
        kept.stage.wait(400).await;
        assert_eq!(kept.ready(), "True Synced");
        kept.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_denied_at_any_time_comes_back_in_one_pass_when_the_right_does() {
    let kept = Kept::begin(Stage::new(), settings(), forty("starter"));
    kept.stage.wait(600).await;
    kept.stage.emulator.play(Faults::parse("fail:403@PATCH /**").unwrap());
    for number in 0..12 {
        laws::set(&kept.stage, &format!("s{number}"), "plan", "\"pro\"");
        kept.stage.wait(420).await;
    }
    kept.stage.emulator.play(Faults::default());
    let passes = kept.status().history.first().map(|pass| pass.pass);
    kept.stage.wait(400).await;
    assert_eq!(kept.ready(), "True Synced");
    let status = kept.status();
    let later = status.history.iter().filter(|pass| Some(pass.pass) > passes);
    let written: Vec<usize> = later.map(|pass| pass.written).filter(|it| *it > 0).collect();
    assert_eq!(written, [12]);
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_always_fails_does_not_make_all_be_read_again() {
    let many = |plan: &str| {
        let document = |number: usize| {
            let plan = if number == 7 { plan } else { "starter" };
            format!(
                "---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: s{number} }}\n\
                 spec: {{ type: web, image: nginx, plan: {plan} }}\n"
            )
        };
        manifests(&(0..200).map(document).collect::<String>())
    };
    let kept = Kept::begin(Stage::new(), settings(), many("starter"));
    kept.stage.wait(1_200).await;
    assert_eq!(kept.ready(), "True Synced");
    kept.stage.emulator.play(Faults::parse("fail:500@PATCH /**").unwrap());
    kept.write(Ok(many("standard")));
    let before = kept.stage.emulator.record().requests().count();
    kept.stage.wait(3_600).await;
    let spent = kept.stage.emulator.record().requests().count() - before;
    // Looking at rest is one in twenty; the others are not all read again for the one.
    assert!(spent < 60 * 285 / 10, "{spent}");
    kept.end().await;
}
