//! The live stream: what a listener is told, when, and what becomes of one that is slow.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use futures_util::StreamExt;
use http::{Method, StatusCode};
use serde_json::Value;
use tokio::time::timeout;

use super::super::shared::LISTENERS_MAX;
use super::stage::{self, Stage, event, get, request, send};

/// One frame of the stream.
#[derive(Debug, PartialEq)]
struct Frame {
    name: String,
    id: String,
    data: Value,
}

struct Listener(BodyDataStream);

impl Listener {
    async fn open(router: &Router, path: &str, headers: &[(&str, &str)]) -> Self {
        let response = send(router, request(Method::GET, path, headers, Body::empty())).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self(response.into_body().into_data_stream())
    }

    /// Waits for a frame, for a second of the paused clock; none when there is none.
    async fn next(&mut self) -> Option<Frame> {
        let chunk = timeout(Duration::from_secs(1), self.0.next()).await.ok()?;
        let text = String::from_utf8(chunk?.unwrap().to_vec()).unwrap();
        let line = |name: &str| {
            let lines = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            lines.map(str::trim).collect::<Vec<_>>().join("\n")
        };
        let data = serde_json::from_str(&line("data")).unwrap();
        Some(Frame { name: line("event"), id: line("id"), data })
    }

    /// Reads all frames there are, as `event 3`, `lost 4`, `status`.
    async fn all(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(Frame { name, id: _, data }) = self.next().await {
            let detail = if name == "lost" { &data["count"] } else { &data["sequence"] };
            let detail = if detail.is_null() { String::new() } else { format!(" {detail}") };
            all.push(format!("{name}{detail}"));
        }
        all
    }
}

#[tokio::test(start_paused = true)]
async fn a_listener_is_told_the_whole_status_first_and_then_what_happens() {
    let stage = Stage::new(&["shop"]);
    stage.seats["shop"].tell(event(1));
    let mut listener = Listener::open(&stage.public, "/api/events", &[]).await;
    let first = listener.next().await.unwrap();
    assert_eq!((first.name.as_str(), first.id.as_str()), ("status", ""));
    assert_eq!(first.data, serde_json::to_value(stage::status("shop")).unwrap());
    assert_eq!(listener.next().await, None, "what happened before is in the list");
    stage.seats["shop"].tell(event(2));
    let told = listener.next().await.unwrap();
    let life = stage::now().as_millisecond();
    assert_eq!(told.id, format!("shop/2@{life}"));
    assert_eq!(told.data["project"], "shop");
    assert_eq!(told.data["message"], "event 2\nof two lines");
    let mut status = stage::status("shop");
    status.unmanaged = 7;
    stage.seats["shop"].show(status);
    let changed = listener.next().await.unwrap();
    assert_eq!((changed.name.as_str(), &changed.data["unmanaged"]), ("status", &7.into()));
}

#[tokio::test(start_paused = true)]
async fn changes_of_the_status_are_told_four_times_a_second_at_most_and_the_last_one_always() {
    let stage = Stage::new(&["shop"]);
    let mut listener = Listener::open(&stage.public, "/api/events", &[]).await;
    assert!(listener.next().await.is_some());
    let show = |unmanaged| {
        let mut status = stage::status("shop");
        status.unmanaged = unmanaged;
        stage.seats["shop"].show(status);
    };
    let writer = async {
        for unmanaged in 1..=200 {
            show(unmanaged);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let reader = async {
        let mut told = Vec::new();
        while let Some(frame) = listener.next().await {
            told.push(frame.data["unmanaged"].as_u64().unwrap());
        }
        told
    };
    let ((), told) = tokio::join!(writer, reader);
    assert!((8..=9).contains(&told.len()), "two seconds of changes: {told:?}");
    assert_eq!(told.last(), Some(&200));
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_hears_what_it_missed_and_what_is_gone() {
    let stage = Stage::new(&["shop"]);
    for sequence in 1..=5 {
        stage.seats["shop"].tell(event(sequence));
    }
    let life = stage::now().as_millisecond();
    for (id, expected) in [
        (format!("shop/3@{life}"), &["status", "event 4", "event 5"][..]),
        ("shop/4".to_owned(), &["status", "event 5"][..]),
        (format!("shop/5@{life}"), &["status"][..]),
        (
            "shop/5@1".to_owned(),
            &["status", "lost", "event 1", "event 2", "event 3", "event 4", "event 5"][..],
        ),
        ("nonsense".to_owned(), &["status"][..]),
    ] {
        let headers = [("last-event-id", id.as_str())];
        let mut listener = Listener::open(&stage.public, "/api/events", &headers).await;
        assert_eq!(listener.all().await, expected, "{id}");
    }
    for sequence in 6..=2_000 {
        stage.seats["shop"].tell(event(sequence));
    }
    let headers = [("last-event-id", "shop/5")];
    let mut listener = Listener::open(&stage.public, "/api/events", &headers).await;
    let all = listener.all().await;
    assert_eq!(all[..3], ["status", "lost 995", "event 1001"]);
    assert_eq!(all.last().unwrap(), "event 2000");
}

#[tokio::test(start_paused = true)]
async fn who_listens_to_many_projects_misses_nothing_of_the_others() {
    let stage = Stage::new(&["blog", "shop"]);
    for sequence in 1..=20 {
        stage.seats["blog"].tell(event(sequence));
        stage.seats["shop"].tell(event(sequence));
    }
    let headers = [("last-event-id", "shop/18")];
    let mut listener = Listener::open(&stage.public, "/api/events", &headers).await;
    let (mut blog, mut shop) = (Vec::new(), Vec::new());
    while let Some(frame) = listener.next().await {
        match (frame.name.as_str(), frame.data["project"].as_str()) {
            ("event", Some("blog")) => blog.push(frame.data["sequence"].as_u64().unwrap()),
            ("event", Some("shop")) => shop.push(frame.data["sequence"].as_u64().unwrap()),
            (name, _) => assert_eq!(name, "status"),
        }
    }
    assert_eq!(shop, [19, 20]);
    assert_eq!(blog, [13, 14, 15, 16, 17, 18, 19, 20], "five seconds are told again");
}

#[tokio::test(start_paused = true)]
async fn a_slow_listener_is_told_what_it_lost_and_makes_nothing_grow() {
    let stage = Stage::new(&["shop"]);
    let mut listener = Listener::open(&stage.public, "/api/events", &[]).await;
    assert_eq!(listener.next().await.unwrap().name, "status");
    for sequence in 1..=900 {
        stage.seats["shop"].tell(event(sequence));
    }
    let all = listener.all().await;
    assert_eq!(all.len(), 900, "nothing is lost that is still kept");
    for sequence in 901..=5_000 {
        stage.seats["shop"].tell(event(sequence));
    }
    let all = listener.all().await;
    assert_eq!(all[..2], ["lost 3100", "event 4001"]);
    assert_eq!(all.len(), 1_001);
    assert_eq!(all.last().unwrap(), "event 5000");
}

#[tokio::test(start_paused = true)]
async fn so_many_may_listen_and_a_place_is_free_again_when_one_goes() {
    let stage = Stage::new(&["shop"]);
    let mut listeners = Vec::new();
    for _ in 0..LISTENERS_MAX {
        listeners.push(Listener::open(&stage.public, "/api/events", &[]).await);
    }
    let refused = get(&stage.public, "/api/events").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.header("retry-after"), "5");
    Listener::open(&stage.local, "/api/events", &[]).await;
    listeners.pop();
    Listener::open(&stage.public, "/api/events", &[]).await;
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_shows_that_it_lives_and_ends_with_the_server() {
    let Stage { seats, public, open, .. } = Stage::new(&["shop"]);
    let mut listener = Listener::open(&public, "/api/events", &[]).await;
    assert_eq!(listener.next().await.unwrap().name, "status");
    let alive = timeout(Duration::from_secs(16), listener.0.next()).await.unwrap();
    assert_eq!(alive.unwrap().unwrap(), ":\n\n");
    drop(open);
    assert!(timeout(Duration::from_secs(1), listener.0.next()).await.unwrap().is_none());
    drop(seats);
}

#[tokio::test(start_paused = true)]
async fn the_last_events_are_a_list_for_who_asks_for_json() {
    let stage = Stage::new(&["blog", "shop"]);
    for sequence in 1..=700 {
        stage.seats["blog"].tell(event(sequence));
        stage.seats["shop"].tell(event(sequence));
    }
    let listed = get(&stage.public, "/api/events?format=json").await.json();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 1_000);
    assert_eq!((&listed[0]["sequence"], &listed[999]["sequence"]), (&201.into(), &700.into()));
    let headers = [("accept", "application/json")];
    let path = "/api/events?project=shop";
    let one = stage::ask(&stage.public, request(Method::GET, path, &headers, Body::empty())).await;
    let one = one.json();
    assert_eq!(one.as_array().unwrap().len(), 700);
    assert_eq!(one[0]["project"], "shop");
}
