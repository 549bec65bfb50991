//! The requests, field by field as the gateway reads them, and what is read of its answers.
//!
//! Numbers of 64 bits are texts here, as the JSON mapping of protocol buffers has them, and a field
//! of the value 0 is left out of answers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Returns bytes as the gateway wants them.
fn text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// A condition of a transaction.
pub(super) enum KeyCondition<'a> {
    /// There is no such key.
    Absent(&'a str),
    /// There is such a key.
    Present(&'a str),
    /// The key is beneath a lease.
    Leased(&'a str, i64),
    /// The key was last changed at a revision; 0 where there is none.
    Unchanged(&'a str, u64),
}

impl KeyCondition<'_> {
    const fn key(&self) -> &str {
        match self {
            Self::Absent(key) | Self::Present(key) => key,
            Self::Leased(key, _) | Self::Unchanged(key, _) => key,
        }
    }

    // Only one comparison fits each target; with another the value counts as 0.
    fn json(&self) -> Value {
        let key = text(self.key().as_bytes());
        match self {
            Self::Absent(_) => {
                json!({"key": key, "target": "CREATE", "result": "EQUAL", "create_revision": "0"})
            }
            Self::Present(_) => {
                json!({"key": key, "target": "CREATE", "result": "GREATER", "create_revision": "0"})
            }
            Self::Leased(_, lease) => {
                json!({"key": key, "target": "LEASE", "result": "EQUAL", "lease": lease.to_string()})
            }
            Self::Unchanged(_, revision) => {
                json!({"key": key, "target": "MOD", "result": "EQUAL", "mod_revision": revision.to_string()})
            }
        }
    }
}

/// Writes a transaction: where all conditions hold it does something, and else it reads the keys of
/// its conditions, in their order.
pub(super) fn transaction(conditions: &[KeyCondition<'_>], success: &[Value]) -> Value {
    let read = conditions
        .iter()
        .map(|condition| json!({"request_range": {"key": text(condition.key().as_bytes())}}));
    json!({
        "compare": conditions.iter().map(KeyCondition::json).collect::<Vec<_>>(),
        "success": success,
        "failure": read.collect::<Vec<_>>(),
    })
}

/// Writes a key, beneath a lease where one is given, as a part of a transaction.
pub(super) fn put(key: &str, value: &[u8], lease: Option<i64>) -> Value {
    let mut put = json!({"key": text(key.as_bytes()), "value": text(value)});
    if let Some(lease) = lease {
        put["lease"] = json!(lease.to_string());
    }
    json!({"request_put": put})
}

/// Removes the keys from one to before another, as a part of a transaction.
pub(super) fn remove(from: &str, before: &str) -> Value {
    let (from, before) = (text(from.as_bytes()), text(before.as_bytes()));
    json!({"request_delete_range": {"key": from, "range_end": before}})
}

/// Reads the keys from one to before another, in order, this many at most.
pub(super) fn range(from: &str, before: &str, limit: u32) -> Value {
    let (from, before) = (text(from.as_bytes()), text(before.as_bytes()));
    json!({
        "key": from, "range_end": before, "limit": limit.to_string(),
        "sort_target": "KEY", "sort_order": "ASCEND",
    })
}

/// Reads one key.
pub(super) fn one(key: &str) -> Value {
    json!({"key": text(key.as_bytes())})
}

/// One key as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyValue {
    pub key: String,
    pub value: Vec<u8>,
    pub mod_revision: u64,
    pub lease: i64,
}

/// What became of a transaction.
pub(super) enum TxnOutcome {
    /// It was done, at this revision.
    Done(u64),
    /// A condition did not hold; the keys of the conditions, in their order.
    Otherwise(Vec<Option<KeyValue>>),
}

/// Reads the answer to a transaction; nothing where it is none.
pub(super) fn outcome(answer: &Value) -> Option<TxnOutcome> {
    let revision = number(&answer["header"]["revision"])?;
    // A condition that failed is told by the absence of this word.
    if answer["succeeded"] == json!(true) {
        return Some(TxnOutcome::Done(revision));
    }
    let read = answer["responses"].as_array()?;
    let first = |it: &Value| pairs(&it["response_range"]).map(|pairs| pairs.into_iter().next());
    Some(TxnOutcome::Otherwise(read.iter().map(first).collect::<Option<_>>()?))
}

/// Reads the keys of an answer; nothing where it is no answer.
pub(super) fn pairs(answer: &Value) -> Option<Vec<KeyValue>> {
    number(&answer["header"]["revision"])?;
    match &answer["kvs"] {
        Value::Null => Some(Vec::new()),
        kvs => kvs.as_array()?.iter().map(pair).collect(),
    }
}

fn pair(value: &Value) -> Option<KeyValue> {
    let bytes = |field: &str| match &value[field] {
        Value::Null => Some(Vec::new()),
        text => STANDARD.decode(text.as_str()?).ok(),
    };
    let lease = value["lease"].as_str().map_or(Some(0), |text| text.parse().ok())?;
    let key = String::from_utf8(bytes("key")?).ok()?;
    Some(KeyValue {
        key,
        value: bytes("value")?,
        mod_revision: number(&value["mod_revision"])?,
        lease,
    })
}

fn number(value: &Value) -> Option<u64> {
    value.as_str()?.parse().ok()
}

/// Reads how long a lease still lives; nothing where it is gone, which is answered with 200, too.
pub(super) fn time_to_live(answer: &Value) -> Option<u64> {
    number(&answer["result"]["TTL"]).filter(|seconds| *seconds > 0)
}
