//! The order of a create: on disk first, then on the wire (S3).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use stoker::api::{BodyStream, Transport, TransportError};
use stoker::store::Store;

use crate::faults::first;
use crate::stage::{Stage, pruning};

/// Looks, whenever a create leaves, whether it stands in the state by then.
struct Witness {
    inner: Arc<dyn Transport>,
    state: PathBuf,
    seen: Arc<Mutex<BTreeMap<String, bool>>>,
}

impl Transport for Witness {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<BodyStream>, TransportError>> {
        if request.method() == http::Method::POST {
            let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
            let name = body["name"].as_str().unwrap().to_owned();
            let inventory = Store::read(&self.state).unwrap().inventory;
            let is_written = inventory.intents.keys().any(|key| key.name.as_str() == name);
            self.seen.lock().unwrap().insert(name, is_written);
        }
        self.inner.send(request)
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_is_written_down_before_its_request_leaves() {
    let mut stage = Stage::new();
    let seen = Arc::new(Mutex::new(BTreeMap::new()));
    stage.transport = Arc::new(Witness {
        inner: Arc::clone(&stage.transport),
        state: stage.directory.path().to_owned(),
        seen: Arc::clone(&seen),
    });
    stage.apply(&first(), &pruning()).await;
    let seen = seen.lock().unwrap();
    assert!(seen.len() > 1 && seen.values().all(|is_written| *is_written), "{seen:?}");
}
