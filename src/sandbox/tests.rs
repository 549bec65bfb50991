//! The real client before the emulator, on a paused clock.

use crate::api::Recollection;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::*;
use crate::api::{
    Answers, Client, ClientConfig, ClientParts, Create, Dialect, Endpoint, LOOK_AGE_MAX, Links,
    Lookup, Patch, Token, WriteError, Writer,
};
use crate::budget::{self, Millis};
use crate::emulator::{EmulatorConfig as Platform, Faults};
use crate::ledger::Ledger;
use crate::model::{
    Desired, FieldPath, FieldValue, Inventory, Kind, LiveObject, LiveValue, Name, Pin,
};

struct Stage {
    client: Client,
    emulator: Emulator,
}

fn stage(platform: Platform, dialect: &[&str]) -> Stage {
    let clock = Clock::starting_at("2026-11-24T00:00:00Z".parse().unwrap());
    let now = Millis::from(clock.now());
    let emulator = Emulator::new(platform, emulator_clock(&clock));
    let mut spoken = Dialect::default();
    for setting in dialect {
        spoken.set(setting).unwrap();
    }
    let client = Client::new(ClientParts {
        endpoint: Endpoint::parse(SANDBOX_ENDPOINT).unwrap(),
        token: Token::parse(emulator::TOKEN).unwrap(),
        transport: Arc::new(SandboxTransport::new(emulator.clone())),
        ledger: Arc::new(Ledger::in_memory(budget::BudgetConfig::default(), now)),
        clock,
        dialect: spoken,
        config: ClientConfig::default(),
    });
    Stage { client, emulator }
}

async fn writer(client: &Client) -> Writer {
    let project = client.reader().project().await.unwrap();
    let pin = Pin { origin: client.origin(), project: project.clone() };
    client.writer(&pin, &project).unwrap()
}

/// Creates a web service.
async fn create(writer: &Writer, name: &str) -> Result<LiveObject, WriteError> {
    let (name, fields) = (Name::new(name).unwrap(), web());
    let (links, answers) = (Links::default(), Answers::default());
    let (kind, name, fields) = (Kind::Service, &name, &fields);
    let draft = Create { kind, name, fields, links: &links, answers: &answers };
    // Nothing was listed, so nothing can be too old.
    let place = writer.reserve().await.unwrap();
    writer.create(place.resting_on(Timestamp::MAX, LOOK_AGE_MAX), draft, &|| Ok(())).await
}

fn fields(fields: &[(&str, &str)]) -> BTreeMap<FieldPath, FieldValue> {
    let field = |(path, value): &(&str, &str)| {
        (path.parse().unwrap(), FieldValue::Text((*value).to_owned()))
    };
    fields.iter().map(field).collect()
}

fn web() -> BTreeMap<FieldPath, FieldValue> {
    fields(&[("type", "web"), ("repo", "github.com/acme/shop"), ("envVars.A", "1")])
}

#[tokio::test(start_paused = true)]
async fn what_is_written_is_read_back_and_what_is_deleted_is_gone() {
    let Stage { client, emulator } = stage(Platform::default(), &[]);
    let (writer, reader, links) = (writer(&client).await, client.reader(), Links::default());
    let made = create(&writer, "api").await.unwrap();
    let changes = BTreeMap::from([
        ("envVars.A".parse().unwrap(), None),
        ("envVars.B".parse().unwrap(), Some(FieldValue::Text("2".to_owned()))),
        ("scaling.maxInstances".parse().unwrap(), Some(FieldValue::Integer(4))),
    ]);
    let answers = Answers::default();
    let patch = Patch { changes: &changes, env_whole: None, links: &links, answers: &answers };
    let look = async || writer.pair().await.unwrap().look(Kind::Service, &made.id).await.unwrap();
    writer.patch(look().await.1, &made.id, patch).await.unwrap();
    let Lookup::Found(live) = reader.get(Kind::Service, &made.id).await.unwrap() else {
        panic!("it was just created")
    };
    let shown = |path: &str| live.shows(&path.parse().unwrap()).cloned();
    assert_eq!(shown("envVars.A"), Some(LiveValue::Absent));
    assert_eq!(shown("envVars.B"), Some(LiveValue::Shown(FieldValue::Text("2".to_owned()))));
    assert_eq!(shown("scaling.maxInstances"), Some(LiveValue::Shown(FieldValue::Integer(4))));
    writer.delete(look().await.1, Kind::Service, &made.id).await.unwrap();
    assert_eq!(reader.get(Kind::Service, &made.id).await.unwrap(), Lookup::Gone);
    let ignored: Vec<_> =
        emulator.record().requests().flat_map(|(_, asked)| asked.ignored.clone()).collect();
    assert_eq!(ignored, Vec::<String>::new(), "the platform knows every field we send");
}

#[tokio::test(start_paused = true)]
async fn a_create_is_applied_once_whatever_becomes_of_its_answer() {
    for (fault, creates, is_ambiguous) in [
        ("lose-answer", 1, true),
        ("fail-after:500", 1, true),
        ("cut:17", 1, true),
        ("truncate:17", 1, true),
        ("no-id", 1, true),
        ("empty", 1, true),
        ("html", 0, true),
        ("fail:503", 0, true),
        ("refuse", 0, false),
        ("429", 0, false),
    ] {
        let Stage { client, emulator } = stage(Platform::default(), &[]);
        let writer = writer(&client).await;
        emulator.play(Faults::parse(&format!("{fault}@POST /services#1")).unwrap());
        let error = create(&writer, "api").await.unwrap_err();
        assert_eq!(matches!(error, WriteError::Ambiguous(_)), is_ambiguous, "{fault}");
        assert_eq!(matches!(error, WriteError::NotApplied(_)), !is_ambiguous, "{fault}");
        assert_eq!(emulator.record().creates(emulator::Kind::Service, "api"), creates, "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_listing_of_a_project_that_lies_is_never_complete() {
    let Stage { client, emulator } = stage(Platform::default(), &["per_page=2"]);
    let writer = writer(&client).await;
    for number in 0..5 {
        create(&writer, &format!("api-{number}")).await.unwrap();
    }
    let reader = client.reader();
    let read = || reader.list(Kind::Service);
    assert!(read().await.unwrap().coverage.is_complete());
    for fault in [
        "shift-repeat",
        "page-ignored",
        "total:missing",
        "total:wrong",
        "total:negative",
        "rename-key",
        "duplicate",
        "html",
        "empty",
        "truncate:30",
        "cut:30",
        "malice",
        "fail:500",
    ] {
        emulator.play(Faults::parse(&format!("{fault}@GET /services")).unwrap());
        let listing = read().await.unwrap();
        let is_whole = listing.coverage.is_complete() && listing.objects.len() < 5;
        assert!(!is_whole, "{fault}");
        assert!(fault == "malice" || !listing.coverage.is_complete(), "{fault}");
    }
    emulator.play(Faults::default());
    assert!(read().await.unwrap().coverage.is_complete());
    emulator.play(Faults::parse("shift-vanish@GET /services#1-3").unwrap());
    let listing = client.reader().list_steadily(Kind::Service).await.unwrap();
    let has_all = (0..5).all(|n| listing.objects.iter().any(|it| it.name == format!("api-{n}")));
    assert!(has_all || !listing.coverage.is_complete(), "two passes find what one page hid");
}

#[tokio::test(start_paused = true)]
async fn a_project_of_a_thousand_is_read_with_one_request_a_page() {
    let Stage { client, emulator } = stage(Platform::default(), &[]);
    for number in 0..1_000 {
        let body = serde_json::json!({"name": format!("s{number}"), "type": "web_service",
            "repo": "github.com/acme/shop"});
        let act = emulator::Act::Create { kind: emulator::Kind::Service, body };
        emulator.act(&act).unwrap();
    }
    let live = client
        .reader()
        .live(&Desired::default(), &Inventory::default(), &mut Recollection::default())
        .await
        .unwrap();
    assert_eq!(live.listing(Kind::Service).objects.len(), 1_000);
    assert!(Kind::ALL.iter().all(|kind| live.listing(*kind).coverage.is_complete()));
    assert_eq!((live.requests, client.calls()), (13, 13));
    assert_eq!(emulator.record().refused_for_rate(), 0);
}
