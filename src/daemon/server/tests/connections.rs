//! Peers that hold on: over pipes in memory, so the paused clock counts the seconds.

use std::net::IpAddr;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::super::connection::{ListenAddress, accept, converse, peer_of};
use super::super::refusals::Refusals;
use super::super::shared::ShutdownSignal;
use super::stage::{Stage, event};
use crate::clock::Clock;

/// Opens a connection to a server of one project.
fn open(stage: &Stage, closing: ShutdownSignal) -> (DuplexStream, JoinHandle<()>) {
    let (ours, theirs) = duplex(4 << 10);
    let refusals = Refusals::new(stage.clock.clone());
    (ours, tokio::spawn(converse(theirs, stage.public.clone(), closing, refusals)))
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_ends_the_connection_after_ten_seconds() {
    let stage = Stage::new(&["shop"]);
    for sent in ["", "GET /livez HTTP/1.1\r\nHost: ", "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"] {
        let (_keep, closing) = ShutdownSignal::new();
        let (mut peer, served) = open(&stage, closing);
        peer.write_all(sent.as_bytes()).await.unwrap();
        let began = Instant::now();
        timeout(Duration::from_secs(60), served).await.unwrap().unwrap();
        assert_eq!(began.elapsed().as_secs(), 10, "after `{sent}`");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_too_large_is_refused() {
    let stage = Stage::new(&["shop"]);
    let many: String = (0..100).map(|number| format!("x-{number}: 1\r\n")).collect();
    let long = format!("x-long: {}\r\n", "a".repeat(20_000));
    for headers in [many, long] {
        let (_keep, closing) = ShutdownSignal::new();
        let (mut peer, served) = open(&stage, closing);
        let head = format!("GET /livez HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        // The server may have gone before it read all.
        let _ = peer.write_all(head.as_bytes()).await;
        let mut answer = String::new();
        peer.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        served.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_takes_nothing_is_let_go_after_half_a_minute() {
    let stage = Stage::new(&["shop"]);
    let (_keep, closing) = ShutdownSignal::new();
    let (mut peer, served) = open(&stage, closing);
    peer.write_all(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    tokio::task::yield_now().await;
    for sequence in 1..=200 {
        stage.seats["shop"].tell(event(sequence));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let began = Instant::now();
    timeout(Duration::from_secs(120), served).await.unwrap().unwrap();
    assert!((29..=31).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn when_the_server_ends_an_idle_connection_ends_at_once() {
    let stage = Stage::new(&["shop"]);
    let (keep, closing) = ShutdownSignal::new();
    let (mut peer, served) = open(&stage, closing);
    peer.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut buffer = [0; 4096];
    let length = peer.read(&mut buffer).await.unwrap();
    assert!(String::from_utf8_lossy(&buffer[..length]).starts_with("HTTP/1.1 200 OK\r\n"));
    let began = Instant::now();
    drop(keep);
    timeout(Duration::from_secs(60), served).await.unwrap().unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO);
}

/// Connections with the number of whom they are from; nobody has number 0.
type Street = mpsc::Sender<(DuplexStream, u8)>;

/// A listener through which a test comes in.
struct Gate(mpsc::Receiver<(DuplexStream, u8)>);

impl Listener for Gate {
    type Io = DuplexStream;
    type Addr = u8;

    async fn accept(&mut self) -> (DuplexStream, u8) {
        match self.0.recv().await {
            Some(entering) => entering,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<u8> {
        Ok(0)
    }
}

/// Opens a door with so many places.
fn door(router: Router, connections_max: usize) -> (Street, ListenAddress<Gate>) {
    let (street, entering) = mpsc::channel(8);
    let peer = |number: &u8| (*number > 0).then(|| IpAddr::from([192, 0, 2, *number]));
    let clock = Clock::starting_at(super::stage::START.parse().unwrap());
    let (listener, refusals) = (Gate(entering), Refusals::new(clock));
    (street, ListenAddress { listener, router, connections_max, peer, refusals })
}

/// Comes in and asks for something.
async fn enter(street: &Street, head: &str) -> DuplexStream {
    enter_as(street, 0, head).await
}

async fn enter_as(street: &Street, number: u8, head: &str) -> DuplexStream {
    let (mut ours, theirs) = duplex(4 << 10);
    street.send((theirs, number)).await.unwrap();
    ours.write_all(format!("{head} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).await.unwrap();
    ours
}

/// Waits for the beginning of an answer, for so many seconds.
async fn answer(peer: &mut DuplexStream, seconds: u64) -> Option<String> {
    let mut first = [0; 12];
    let read = timeout(Duration::from_secs(seconds), peer.read_exact(&mut first)).await.ok()?;
    read.ok().map(|_| String::from_utf8_lossy(&first).into_owned())
}

#[tokio::test(start_paused = true)]
async fn when_all_places_are_taken_the_next_one_waits_until_one_is_free() {
    let stage = Stage::new(&["shop"]);
    let (street, door) = door(stage.public.clone(), 2);
    let (keep, closing) = ShutdownSignal::new();
    let served = tokio::spawn(accept(door, closing));
    let mut first = enter(&street, "GET /api/events").await;
    let mut second = enter(&street, "GET /api/events").await;
    let mut third = enter(&street, "GET /livez").await;
    assert_eq!(answer(&mut first, 5).await.as_deref(), Some("HTTP/1.1 200"));
    assert_eq!(answer(&mut second, 5).await.as_deref(), Some("HTTP/1.1 200"));
    assert_eq!(answer(&mut third, 5).await, None);
    drop(first);
    assert_eq!(answer(&mut third, 30).await.as_deref(), Some("HTTP/1.1 200"));
    drop(keep);
    timeout(Duration::from_secs(5), served).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_peer_has_at_most_half_of_the_places_and_gets_back_what_it_gives_back() {
    let stage = Stage::new(&["shop"]);
    let (street, door) = door(stage.public.clone(), 4);
    let (keep, closing) = ShutdownSignal::new();
    let served = tokio::spawn(accept(door, closing));
    // Heads that never come: they hold their places for ten seconds.
    let mut greedy = Vec::new();
    for _ in 0..8 {
        let (ours, theirs) = duplex(4 << 10);
        street.send((theirs, 1)).await.unwrap();
        greedy.push(ours);
    }
    let began = Instant::now();
    let mut other = enter_as(&street, 2, "GET /livez").await;
    assert_eq!(answer(&mut other, 1).await.as_deref(), Some("HTTP/1.1 200"));
    assert_eq!(began.elapsed(), Duration::ZERO);
    drop(greedy);
    tokio::time::sleep(Duration::from_millis(10)).await;
    let mut again = enter_as(&street, 1, "GET /livez").await;
    assert_eq!(answer(&mut again, 1).await.as_deref(), Some("HTTP/1.1 200"));
    drop(keep);
    timeout(Duration::from_secs(5), served).await.unwrap().unwrap();
}

#[test]
fn a_peer_is_an_address_of_ipv4_and_a_network_of_ipv6() {
    let peer = |text: &str| peer_of(text.parse().unwrap()).to_string();
    assert_eq!(peer("192.0.2.7"), "192.0.2.7");
    assert_eq!(peer("::ffff:192.0.2.7"), "192.0.2.7");
    assert_eq!(peer("2001:db8:1:2:3:4:5:6"), peer("2001:db8:1:2::9"));
    assert_ne!(peer("2001:db8:1:2::1"), peer("2001:db8:1:3::1"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_holds_the_end_up_for_three_seconds_and_no_more() {
    let stage = Stage::new(&["shop"]);
    let (street, door) = door(stage.local.clone(), 2);
    let (keep, closing) = ShutdownSignal::new();
    let served = tokio::spawn(accept(door, closing));
    let mut peer = enter(&street, "POST /api/orders/resume").await;
    assert_eq!(answer(&mut peer, 5).await, None, "the loop does not answer");
    let began = Instant::now();
    drop(keep);
    timeout(Duration::from_secs(60), served).await.unwrap().unwrap();
    assert_eq!(began.elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_panics_takes_no_other_with_it() {
    let router = axum::Router::new()
        .route("/panic", axum::routing::get(async || -> &'static str { panic!("as arranged") }))
        .route("/fine", axum::routing::get(async || "fine"));
    let (street, door) = door(router, 1);
    let (keep, closing) = ShutdownSignal::new();
    let served = tokio::spawn(accept(door, closing));
    let mut broken = enter(&street, "GET /panic").await;
    assert_eq!(answer(&mut broken, 5).await, None);
    let mut fine = enter(&street, "GET /fine").await;
    assert_eq!(answer(&mut fine, 5).await.as_deref(), Some("HTTP/1.1 200"));
    drop(keep);
    timeout(Duration::from_secs(5), served).await.unwrap().unwrap();
}
