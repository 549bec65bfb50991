//! Any bytes as answers of the API: whatever they say, unknown is never taken for absent (S2).
//!
//! The first line says what is asked; then come answers, one after the other, parted by `----`.

use std::collections::BTreeSet;
use std::fmt::Debug;

use futures_util::StreamExt as _;
use serde_json::Value;
use stoker::api::{Error, LogPlace, Lookup, Reader};
use stoker::model::{Coverage, Kind, Listing, RemoteId};

use super::scripted::{Reply, Script, TOKEN, parts, quietly, split};

/// The most answers of one input.
const REPLIES_MAX: usize = 12;

/// The most requests that so many answers lead to: each call is tried a few times.
const REQUESTS_MAX: usize = 64;

/// Asks, and reads what comes.
pub fn answers(input: &[u8]) {
    let (asked, rest) = split(input, b"\n");
    let replies: Vec<Reply> =
        parts(rest, b"\n----\n", REPLIES_MAX).into_iter().map(Reply::parse).collect();
    // A body that names the token by itself proves nothing.
    if contains(input, TOKEN.as_bytes()) {
        return;
    }
    quietly(async {
        let script = Script::of(replies.clone());
        let reader = script.client().reader();
        ask(&reader, asked, &replies).await;
        assert!(script.sent().len() <= REQUESTS_MAX, "{} requests", script.sent().len());
    });
}

async fn ask(reader: &Reader, asked: &[u8], replies: &[Reply]) {
    let id = RemoteId::new("svc_1").expect("it is an id");
    match asked {
        b"services" => whole_or_unknown(reader.list_steadily(Kind::Service).await, replies),
        b"databases" => whole_or_unknown(reader.list(Kind::Database).await, replies),
        b"envgroups" => whole_or_unknown(reader.list(Kind::EnvGroup).await, replies),
        b"service" => gone_only_by_proof(reader.get(Kind::Service, &id).await, &id, replies),
        b"database" => gone_only_by_proof(reader.get(Kind::Database, &id).await, &id, replies),
        b"deployments" => show(reader.deployments(&id).await),
        b"deployment" => show(reader.deployment(&id, &id).await),
        b"metrics" => show(reader.metrics(&id).await),
        b"members" => show(reader.members().await),
        b"logs" => match reader.logs(&id, &LogPlace::default()).await {
            Ok(lines) => {
                let lines: Vec<_> = lines.take(100).collect().await;
                lines.into_iter().for_each(show);
            }
            Err(error) => show::<()>(Err(error)),
        },
        _ => show(reader.project().await),
    }
}

/// S2: a listing is whole only when an answer proves it.
fn whole_or_unknown(listing: Result<Listing, Error>, replies: &[Reply]) {
    if let Ok(Listing { coverage: Coverage::Complete, objects, pages }) = &listing {
        let ids: BTreeSet<&RemoteId> = objects.iter().map(|object| &object.id).collect();
        assert_eq!(ids.len(), objects.len(), "an id stands in a whole list twice");
        assert!(*pages >= 1);
        let proves = |reply: &Reply| {
            let body: Option<Value> = serde_json::from_slice(&reply.body).ok();
            let total = body.as_ref().and_then(|body| body.get("total"));
            (200..300).contains(&reply.status)
                && total.is_some_and(|total| total.to_string().contains(&objects.len().to_string()))
        };
        assert!(replies.iter().any(proves), "whole without a total of {}", objects.len());
    }
    show(listing);
}

/// S2: gone is what the API itself says is gone.
fn gone_only_by_proof(lookup: Result<Lookup, Error>, id: &RemoteId, replies: &[Reply]) {
    match &lookup {
        Ok(Lookup::Found(object)) => assert_eq!(object.id, *id, "another object came"),
        Ok(Lookup::Gone) => {
            let proves = |reply: &Reply| {
                let body: Option<Value> = serde_json::from_slice(&reply.body).ok();
                let code = body.as_ref().and_then(|body| body.get("error")?.get("code"));
                reply.status == 404 && code.is_some_and(Value::is_string)
            };
            assert!(replies.iter().any(proves), "gone without proof");
        }
        Err(_) => {}
    }
    show(lookup);
}

/// S9: neither what was read nor why it was not shows the token.
fn show<T: Debug>(outcome: Result<T, Error>) {
    let shown = match &outcome {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("{error:?} {error} {}", error.cause()),
    };
    assert!(!shown.contains(TOKEN), "the token is shown");
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
