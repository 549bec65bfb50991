//! The requests as they must be, and what answers mean.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::api::{BodyStream, Transport, TransportError};
use crate::shared::{Put, SharedMedium as _, SharedSeat};

use super::gateway::{Unanswered, judge};
use super::wire::{self, KeyCondition, TxnOutcome};
use super::*;

#[test]
fn a_condition_is_written_with_the_field_that_its_target_reads() {
    let conditions = [
        KeyCondition::Absent("a"),
        KeyCondition::Present("b"),
        KeyCondition::Leased("c", 7),
        KeyCondition::Unchanged("d", 9),
    ];
    let written = wire::transaction(&conditions, &[wire::put("a", b"text", Some(7))]);
    let read = |key: &str| json!({"request_range": {"key": key}});
    let expected = json!({
        "compare": [
            {"key": "YQ==", "target": "CREATE", "result": "EQUAL", "create_revision": "0"},
            {"key": "Yg==", "target": "CREATE", "result": "GREATER", "create_revision": "0"},
            {"key": "Yw==", "target": "LEASE", "result": "EQUAL", "lease": "7"},
            {"key": "ZA==", "target": "MOD", "result": "EQUAL", "mod_revision": "9"},
        ],
        "success": [{"request_put": {"key": "YQ==", "value": "dGV4dA==", "lease": "7"}}],
        "failure": [read("YQ=="), read("Yg=="), read("Yw=="), read("ZA==")],
    });
    assert_eq!(written, expected);
    assert_eq!(
        wire::remove("a", "b"),
        json!({"request_delete_range": {"key": "YQ==", "range_end": "Yg=="}})
    );
}

#[test]
fn an_answer_that_does_not_say_it_succeeded_did_not() {
    let header = json!({"revision": "5"});
    let done = wire::outcome(&json!({"header": header, "succeeded": true}));
    assert!(matches!(done, Some(TxnOutcome::Done(5))));
    let value = json!({"key": "YQ==", "value": "dGV4dA==", "mod_revision": "3", "lease": "7"});
    let read = json!({"response_range": {"header": header, "kvs": [value]}});
    let empty = json!({"response_range": {"header": header}});
    let otherwise = wire::outcome(&json!({"header": header, "responses": [read, empty]}));
    let Some(TxnOutcome::Otherwise(pairs)) = otherwise else { panic!("a condition failed") };
    let found = pairs[0].as_ref().unwrap();
    assert_eq!((found.value.as_slice(), found.mod_revision, found.lease), (&b"text"[..], 3, 7));
    assert_eq!(pairs[1], None);
    assert!(wire::outcome(&json!({"succeeded": true})).is_none(), "that is not etcd");
    assert!(wire::outcome(&json!({"header": header})).is_none());
}

#[test]
fn only_a_status_that_proves_that_nothing_was_done_is_a_refusal() {
    let judged = |status: u16, body: &str| {
        judge(http::StatusCode::from_u16(status).unwrap(), body.as_bytes())
    };
    let full = "{\"error\":\"etcdserver: mvcc: database space exceeded\",\"code\":8}";
    let said = Unanswered::Full("etcdserver: mvcc: database space exceeded".to_owned());
    assert_eq!(judged(429, full), Err(said));
    assert!(matches!(judged(400, "{}"), Err(Unanswered::Refused(_))));
    for status in [500, 502, 503, 504, 408, 201] {
        assert!(matches!(judged(status, "{}"), Err(Unanswered::Unknown(_))), "{status}");
    }
    assert!(matches!(judged(200, "<html>"), Err(Unanswered::Unknown(_))));
    assert!(matches!(judged(401, "{}"), Err(Unanswered::NotLoggedIn(_))));
    assert_eq!(judged(200, "{}"), Ok(json!({})));
}

#[test]
fn a_lease_that_is_gone_is_answered_without_its_time() {
    let kept = json!({"result": {"header": {}, "ID": "1", "TTL": "10"}});
    assert_eq!(wire::time_to_live(&kept), Some(10));
    assert_eq!(wire::time_to_live(&json!({"result": {"header": {}, "ID": "1"}})), None);
}

#[test]
fn an_address_names_its_members_and_a_prefix_and_never_a_password() {
    let address: EtcdAddress =
        "etcd://one.example.com,two.example.com:1234/stoker/shop".parse().unwrap();
    assert_eq!(
        address.gateways(),
        ["https://one.example.com:2379", "https://two.example.com:1234"]
    );
    assert_eq!(address.prefix(), "stoker/shop");
    let here: EtcdAddress = "etcd://127.0.0.1:22379,localhost/a".parse().unwrap();
    assert_eq!(here.gateways(), ["http://127.0.0.1:22379", "http://localhost:2379"]);
    for wrong in [
        "etcd://one",
        "etcd:///a",
        "etcd://one/",
        "etcd://one//a",
        "http://one/a",
        "etcd://one:x/a",
    ] {
        wrong.parse::<EtcdAddress>().unwrap_err();
    }
    let login = "etcd://root:hunter2@one/a".parse::<EtcdAddress>().unwrap_err();
    assert!(!login.to_string().contains("hunter2"));
}

/// Answers one request after the other, the last ones alike, and keeps what was asked.
struct Canned {
    answers: Vec<(u16, serde_json::Value)>,
    asked: Mutex<Vec<serde_json::Value>>,
}

impl Transport for Canned {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, TransportError>> {
        let mut asked = self.asked.lock().unwrap();
        let (status, answer) = &self.answers[asked.len().min(self.answers.len() - 1)];
        asked.push(serde_json::from_slice(request.body()).unwrap());
        let body: BodyStream =
            futures_util::stream::iter([Ok(Bytes::from(answer.to_string()))]).boxed();
        let response = http::Response::builder().status(*status).body(body).unwrap();
        Box::pin(async move { Ok(response) })
    }
}

/// Puts a record, and returns what was asked and how the answer was understood.
async fn put(number: u64, answer: serde_json::Value) -> (serde_json::Value, Put) {
    put_among(number, vec![(200, answer)]).await
}

async fn put_among(
    number: u64,
    answers: Vec<(u16, serde_json::Value)>,
) -> (serde_json::Value, Put) {
    let canned = Arc::new(Canned { answers, asked: Mutex::default() });
    let address: EtcdAddress = "etcd://one/stoker".parse().unwrap();
    let gateway = Gateway::new(canned.clone(), &address, None);
    let medium = EtcdMedium::new(gateway, address.prefix());
    let put = medium.put("shop", number, b"text", &SharedSeat { token: "me".to_owned() }).await;
    let asked = canned.asked.lock().unwrap().remove(0);
    (asked, put)
}

fn key(text: &str) -> String {
    STANDARD.encode(text)
}

#[tokio::test]
async fn a_record_is_put_only_behind_the_one_before_it_and_with_the_seat() {
    let header = json!({"revision": "5"});
    let done = json!({"header": header, "succeeded": true});
    let record = |number: u64| key(&format!("stoker/shop/r/{number:020}"));
    let (asked, answered) = put(2, done.clone()).await;
    assert_eq!(answered, Put::Done);
    let compare = &asked["compare"];
    assert_eq!(compare.as_array().unwrap().len(), 3);
    assert_eq!((&compare[0]["key"], &compare[0]["result"]), (&json!(record(2)), &json!("EQUAL")));
    assert_eq!((&compare[1]["key"], &compare[1]["result"]), (&json!(record(1)), &json!("GREATER")));
    assert_eq!(compare[2]["key"], json!(key("stoker/shop/seat")));
    assert_eq!(compare[2]["target"], json!("LEASE"));
    assert_ne!(compare[2]["lease"], json!("0"), "no lease at all");
    let (asked, _) = put(1, done).await;
    assert_eq!(asked["compare"][1]["key"], json!(key("stoker/shop/short")));
    assert_eq!(asked["compare"][1]["result"], json!("EQUAL"));
}

#[tokio::test]
async fn of_several_conditions_that_fail_the_first_is_told() {
    let header = json!({"revision": "5"});
    let there = json!({"response_range": {"header": header, "kvs": [
        {"key": "YQ==", "value": "dGV4dA==", "mod_revision": "3"}]}});
    let none = json!({"response_range": {"header": header}});
    let read = |answers: [&serde_json::Value; 3]| json!({"header": header, "responses": answers});
    let taken = Put::Taken(b"text".to_vec());
    assert_eq!(put(2, read([&there, &none, &none])).await.1, taken);
    assert_eq!(put(2, read([&none, &none, &none])).await.1, Put::Gone);
    assert_eq!(put(2, read([&none, &there, &none])).await.1, Put::Unseated);
    assert_eq!(put(1, read([&none, &there, &there])).await.1, Put::Gone);
    assert_eq!(put(1, read([&none, &none, &there])).await.1, Put::Unseated);
    let strange = put(1, json!({"message": "hello"})).await.1;
    assert!(matches!(strange, Put::Unknown(_)), "{strange:?}");
}

#[tokio::test]
async fn a_full_store_may_have_written_all_the_same() {
    let header = json!({"revision": "5"});
    let pair = json!({"key": "YQ==", "value": "dGV4dA==", "mod_revision": "3"});
    let full = (429, json!({"message": "database space exceeded"}));
    let there = (200, json!({"header": header, "kvs": [pair]}));
    let none = (200, json!({"header": header}));
    let silent = (503, json!({}));
    let answered = async |then| put_among(2, vec![full.clone(), then]).await.1;
    assert_eq!(answered(there).await, Put::Taken(b"text".to_vec()));
    assert!(matches!(answered(none).await, Put::Refused(_)));
    assert!(matches!(answered(silent).await, Put::Unknown(_)));
}
