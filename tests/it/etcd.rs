//! The log over a real etcd, where there is one: `tests/etcd/run` starts three members and says where.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use stoker::api::HttpTransport;
use stoker::etcd::{EtcdAddress, EtcdMedium, Gateway};
use stoker::shared::{
    History, Log, LogError, Put, SealKey, SharedMedium as _, SharedSeat, Sitting, probe,
};
use tokio::time::Instant;

/// Names the members, as `HOST:PORT,…`.
const MEMBERS: &str = "STOKER_TEST_ETCD";

const TIME_TO_LIVE: Duration = Duration::from_secs(5);

/// A word that nobody has used.
fn unused(word: &str) -> String {
    format!("{word}-{:016x}", rand())
}

fn rand() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).unwrap();
    u64::from_be_bytes(bytes)
}

#[expect(clippy::disallowed_methods, reason = "the script says where the members are")]
fn medium() -> Arc<EtcdMedium> {
    let members = std::env::var(MEMBERS).unwrap();
    let address: EtcdAddress = format!("etcd://{members}/{}", unused("test")).parse().unwrap();
    let transport = Arc::new(HttpTransport::new(None).unwrap());
    Arc::new(EtcdMedium::new(Gateway::new(transport, &address, None), address.prefix()))
}

async fn sit(medium: &EtcdMedium, token: &str) -> SharedSeat {
    match medium.sit("shop", token, token, TIME_TO_LIVE).await {
        Sitting::Ours(seat) => seat,
        other => panic!("{other:?}"),
    }
}

fn key() -> SealKey {
    SealKey::from_bytes([1; 32])
}

#[tokio::test]
#[ignore = "needs an etcd: tests/etcd/run"]
async fn etcd_passes_the_probe() {
    let flaws = probe(medium().as_ref(), "probe", &unused("token")).await.unwrap();
    assert_eq!(flaws, [] as [String; 0]);
}

#[tokio::test]
#[ignore = "needs an etcd: tests/etcd/run"]
async fn what_is_appended_is_read_and_shortened() {
    let medium = medium();
    let seat = sit(&medium, &unused("one")).await;
    let (mut log, before) =
        Log::take_over(medium.clone(), key(), "shop", seat, "one").await.unwrap();
    assert_eq!(before, History::default());
    for number in 0..40 {
        log.append(&number.to_string()).await.unwrap();
    }
    let long = "x".repeat(500_000);
    log.append(&long).await.unwrap();
    let told = Log::read(medium.as_ref(), &key(), "shop").await.unwrap();
    assert_eq!((told.events.len(), told.events.last()), (41, Some(&long)));
    log.compact("all").await.unwrap();
    log.append("later").await.unwrap();
    let told = Log::read(medium.as_ref(), &key(), "shop").await.unwrap();
    assert_eq!((told.snapshot.as_deref(), told.events), (Some("all"), vec!["later".to_owned()]));
}

#[tokio::test]
#[ignore = "needs an etcd: tests/etcd/run"]
async fn the_seat_is_one_writers_and_its_loss_ends_it() {
    let medium = medium();
    let (one, two) = (unused("one"), unused("two"));
    let seat = sit(&medium, &one).await;
    assert_eq!(sit(&medium, &one).await, seat, "who asks again is answered alike");
    let held = medium.sit("shop", &two, "two", TIME_TO_LIVE).await;
    assert_eq!(held, Sitting::Held(one));
    let (mut log, _) =
        Log::take_over(medium.clone(), key(), "shop", seat.clone(), "one").await.unwrap();
    log.append("first").await.unwrap();
    log.compact("all").await.unwrap();
    medium.leave("shop", &seat).await;
    assert_eq!(log.append("second").await, Err(LogError::Unseated));
    let seat = sit(&medium, &two).await;
    // The numbers of what was removed are not free.
    for number in [1, 2, 9] {
        assert_eq!(medium.put("shop", number, b"x", &seat).await, Put::Gone, "{number}");
    }
}

/// How long writers quarrel while the members die and sleep.
const QUARREL: Duration = Duration::from_secs(40);

/// What one writer was told.
#[derive(Default)]
struct Told {
    done: Vec<String>,
    refused: Vec<String>,
}

/// All that a history says has happened.
fn all(history: History) -> Vec<String> {
    let snapshot = history.snapshot.unwrap_or_default();
    let before = snapshot.split(' ').filter(|it| !it.is_empty()).map(str::to_owned);
    before.chain(history.events).collect()
}

/// Writes until something ends it, and takes over again, as often as time allows.
async fn quarrel(medium: Arc<EtcdMedium>, writer: u32) -> Told {
    let (end, mut told) = (Instant::now() + QUARREL, Told::default());
    for life in 0.. {
        if Instant::now() > end {
            break;
        }
        let token = format!("{writer}-{life}");
        let Sitting::Ours(seat) = medium.sit("shop", &token, &token, TIME_TO_LIVE).await else {
            tokio::time::sleep(Duration::from_millis(200)).await;
            continue;
        };
        let taken = Log::take_over(medium.clone(), key(), "shop", seat.clone(), &token).await;
        if let Ok((mut log, history)) = taken {
            let mut truth = all(history);
            for number in 0..200 {
                let event = format!("{token}-{number}");
                let outcome = match number {
                    150 => log.compact(&truth.join(" ")).await,
                    _ => log.append(&event).await,
                };
                match outcome {
                    Ok(()) if number == 150 => {}
                    Ok(()) => {
                        told.done.push(event.clone());
                        truth.push(event);
                    }
                    Err(LogError::Refused(_)) => told.refused.push(event),
                    Err(_) => break,
                }
            }
        }
        medium.leave("shop", &seat).await;
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs an etcd: tests/etcd/run"]
async fn what_is_acknowledged_outlives_members_that_die_and_sleep() {
    let medium = medium();
    let writers = (0..3).map(|writer| tokio::spawn(quarrel(medium.clone(), writer)));
    let writers: Vec<_> = writers.collect();
    let mut told = Vec::new();
    for writer in writers {
        told.push(writer.await.unwrap());
    }
    let said = all(Log::read(medium.as_ref(), &key(), "shop").await.unwrap());
    let once: BTreeSet<&String> = said.iter().collect();
    assert_eq!(once.len(), said.len(), "something was written twice");
    for Told { done, refused } in &told {
        assert!(done.iter().all(|event| once.contains(event)), "something is lost");
        assert!(!refused.iter().any(|event| once.contains(event)), "a refusal was none");
    }
    let done: usize = told.iter().map(|told| told.done.len()).sum();
    assert!(done > 100, "{done} records prove little");
}
