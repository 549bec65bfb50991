//! What it costs to look when nothing happens (performance, B13), exact on a virtual clock.

use serde_json::json;
use stoker::emulator::{Act, EmulatorConfig, Fields, Kind, Paging, Shapes};

use crate::faults::first;
use crate::kept::{Kept, settings};
use crate::stage::Stage;

/// The share of the budget that looking may take.
const SHARE: f64 = 0.05;

/// How much is there, and what that takes.
struct Size {
    services: u32,
    databases: u32,
    groups: u32,
    page: u32,
}

impl Size {
    /// A project of so many objects, cut into pages of so many.
    const fn of(objects: u32, page: u32) -> Self {
        let (databases, groups) = (objects * 3 / 20, objects / 20);
        Self { services: objects - databases - groups, databases, groups, page }
    }

    /// Returns the requests of one look: the project, and each list to its end.
    fn look(&self) -> u32 {
        let pages = [self.services, self.databases, self.groups].map(|it| it.div_ceil(self.page));
        1 + pages.into_iter().map(|pages| pages.max(1)).sum::<u32>()
    }
}

/// Puts a project of that size on a platform, all but what `first` declares by other hands, and
/// lets an agent come to rest before it.
async fn at_rest(size: &Size) -> Kept {
    let stage = Stage::on(EmulatorConfig {
        list_fields: Shapes::every(Fields::All),
        paging: Paging { size: size.page, size_max: size.page, per_page: true },
        ..EmulatorConfig::default()
    });
    // `first` declares two services, a database and an env group.
    let counts = [
        (Kind::Service, size.services - 2),
        (Kind::Database, size.databases - 1),
        (Kind::EnvGroup, size.groups - 1),
    ];
    for (kind, count) in counts {
        for number in 0..count {
            let body = match kind {
                Kind::Service => json!({
                    "name": format!("other-{number}"), "type": "web_service", "runtime": "node",
                    "repo": "github.com/acme/other",
                }),
                Kind::Database => json!({ "name": format!("other-{number}"), "type": "postgres" }),
                Kind::EnvGroup => json!({ "name": format!("other-{number}"), "env_vars": [] }),
            };
            stage.emulator.act(&Act::Create { kind, body }).unwrap();
        }
    }
    let kept = Kept::begin(stage, settings(), first());
    kept.stage.wait(1_800).await;
    assert_eq!(kept.ready(), "True Synced", "{:#?}", kept.status());
    kept
}

async fn check(size: &Size) {
    let kept = at_rest(size).await;
    let before = kept.stage.emulator.record().requests().count();
    kept.stage.wait(3_600).await;
    let record = kept.stage.emulator.record();
    let asked: Vec<(u64, bool)> =
        record.requests().skip(before).map(|(at, it)| (at, it.path == "/project")).collect();
    let starts: Vec<u64> = asked.iter().filter(|(_, starts)| *starts).map(|(at, _)| *at).collect();
    let look = size.look();
    let looks = u32::try_from(starts.len()).unwrap();
    assert_eq!(u32::try_from(asked.len()).unwrap(), looks * look, "only lists are read");
    let settings = settings();
    let interval = f64::from(u32::try_from(kept.status().interval_seconds).unwrap());
    assert!(interval >= settings.interval.as_secs_f64());
    // A tenth of jitter, and the second that is cut off.
    assert!(f64::from(looks) >= (3_600.0 / (1.1 * (interval + 1.0))).floor(), "{looks}");
    assert!(f64::from(looks) <= (3_600.0 / (0.9 * interval)).ceil(), "{looks}");
    let [.., last] = starts[..] else { panic!("it looks") };
    let seconds = (last - starts[0]) as f64 / 1_000.0;
    let spent = f64::from((looks - 1) * look) / (f64::from(settings.rate) / 60.0 * seconds);
    assert!(spent <= SHARE, "{spent}");
    // As often as that allows: a large project is not looked at less than it could be.
    assert!(interval <= settings.interval.as_secs_f64() || spent >= 0.8 * SHARE, "{spent}");
    kept.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_hour_costs_looks_of_exactly_the_lists_and_at_most_a_twentieth_of_the_budget() {
    for size in [Size::of(100, 20), Size::of(100, 100), Size::of(1_000, 50), Size::of(1_000, 100)] {
        check(&size).await;
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_objects_are_looked_at_more_seldom() {
    let size = Size::of(10_000, 100);
    assert_eq!(size.look(), 101);
    check(&size).await;
}
