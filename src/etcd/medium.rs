//! The store as the log sees it: each act is one transaction.

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::shared::{
    MediumError, NumberedRecords, Put, Register, SharedMedium, SharedSeat, Sitting, Swap, Version,
};

use super::gateway::{CallError, Gateway};
use super::wire::{self, KeyCondition, TxnOutcome};

/// The longest record. As many as are read at once fit into the 4 MiB that a message of gRPC holds.
const RECORD_BYTES_MAX: usize = 192 * 1024;

/// How many records are read at once.
const PAGE: u32 = 16;

/// The logs and registers beneath a prefix of an etcd.
pub struct EtcdMedium {
    gateway: Gateway,
    prefix: String,
}

impl EtcdMedium {
    /// Names them; nothing is sent.
    #[must_use]
    pub fn new(gateway: Gateway, prefix: &str) -> Self {
        Self { gateway, prefix: prefix.to_owned() }
    }

    // Of one length, so that the order of keys is the order of numbers.
    fn record(&self, log: &str, number: u64) -> String {
        format!("{}/{log}/r/{number:020}", self.prefix)
    }

    fn shortened(&self, log: &str) -> String {
        format!("{}/{log}/short", self.prefix)
    }

    fn seat(&self, log: &str) -> String {
        format!("{}/{log}/seat", self.prefix)
    }

    fn register_key(&self, name: &str) -> String {
        format!("{}/register/{name}", self.prefix)
    }

    /// Reads one key.
    async fn pair(&self, key: &str) -> Result<Option<wire::KeyValue>, MediumError> {
        let answer = self.gateway.read("kv/range", &wire::one(key)).await?;
        let pairs = wire::pairs(&answer).ok_or_else(|| MediumError(strange()))?;
        Ok(pairs.into_iter().next())
    }

    /// Looks what a put has left that was refused for want of room: a read needs none.
    async fn put_when_full(&self, key: &str, reason: String) -> Put {
        let answer = self.gateway.read("kv/range", &wire::one(key)).await;
        let pairs = answer.ok().and_then(|answer| wire::pairs(&answer));
        match pairs.map(|pairs| pairs.into_iter().next()) {
            Some(Some(there)) => Put::Taken(there.value),
            Some(None) => Put::Refused(reason),
            None => Put::Unknown(reason),
        }
    }

    /// Renews a lease, or makes it.
    async fn lease(&self, lease: i64, time_to_live: Duration) -> Result<(), CallError> {
        let body = json!({"ID": lease.to_string()});
        let kept = self.gateway.call("lease/keepalive", &body).await?;
        if wire::time_to_live(&kept).is_some() {
            return Ok(());
        }
        let seconds = time_to_live.as_secs().max(2).to_string();
        let body = json!({"ID": lease.to_string(), "TTL": seconds});
        self.gateway.call("lease/grant", &body).await.map(|_| ())
    }
}

/// The lease of a token: who repeats a request asks for the same one.
fn lease_of(token: &str) -> i64 {
    let digest = Sha256::digest(token.as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    // A lease is a number above 0; with 0 etcd would choose one.
    (i64::from_be_bytes(bytes) & i64::MAX).max(1)
}

fn strange() -> String {
    "the answer is not etcd's".to_owned()
}

impl SharedMedium for EtcdMedium {
    fn record_bytes_max(&self) -> usize {
        RECORD_BYTES_MAX
    }

    fn after<'a>(
        &'a self,
        log: &'a str,
        number: u64,
    ) -> BoxFuture<'a, Result<NumberedRecords, MediumError>> {
        Box::pin(async move {
            let (from, before) = (self.record(log, number + 1), self.record(log, u64::MAX));
            let answer = self.gateway.read("kv/range", &wire::range(&from, &before, PAGE)).await?;
            let pairs = wire::pairs(&answer).ok_or_else(|| MediumError(strange()))?;
            let numbered = pairs.into_iter().map(|pair| {
                let digits = pair.key.rsplit('/').next().and_then(|digits| digits.parse().ok());
                digits.map(|number| (number, pair.value))
            });
            numbered.collect::<Option<_>>().ok_or_else(|| MediumError(strange()))
        })
    }

    fn put<'a>(
        &'a self,
        log: &'a str,
        number: u64,
        bytes: &'a [u8],
        seat: &'a SharedSeat,
    ) -> BoxFuture<'a, Put> {
        Box::pin(async move {
            let (key, chair) = (self.record(log, number), self.seat(log));
            let (before, short) = (self.record(log, number.saturating_sub(1)), self.shortened(log));
            let continues = match number {
                0 | 1 => KeyCondition::Absent(&short),
                _ => KeyCondition::Present(&before),
            };
            let lease = lease_of(&seat.token);
            let conditions =
                [KeyCondition::Absent(&key), continues, KeyCondition::Leased(&chair, lease)];
            let body = wire::transaction(&conditions, &[wire::put(&key, bytes, None)]);
            let answer = match self.gateway.call("kv/txn", &body).await {
                Ok(answer) => answer,
                Err(CallError::Refused(reason)) => return Put::Refused(reason),
                Err(CallError::Full(reason)) => return self.put_when_full(&key, reason).await,
                Err(CallError::Unknown(reason)) => return Put::Unknown(reason),
            };
            let Some(outcome) = wire::outcome(&answer) else { return Put::Unknown(strange()) };
            match outcome {
                TxnOutcome::Done(_) => Put::Done,
                TxnOutcome::Otherwise(read) => match read.as_slice() {
                    [Some(there), ..] => Put::Taken(there.value.clone()),
                    [None, before, _] if before.is_some() != (number > 1) => Put::Gone,
                    [None, _, _] => Put::Unseated,
                    _ => Put::Unknown(strange()),
                },
            }
        })
    }

    fn shorten<'a>(&'a self, log: &'a str, before: u64) -> BoxFuture<'a, Result<(), MediumError>> {
        Box::pin(async move {
            let success = [
                wire::put(&self.shortened(log), before.to_string().as_bytes(), None),
                wire::remove(&self.record(log, 0), &self.record(log, before)),
            ];
            let body = wire::transaction(&[], &success);
            Ok(self.gateway.read("kv/txn", &body).await.map(|_| ())?)
        })
    }

    fn register<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Register, MediumError>> {
        Box::pin(async move { Ok(register(self.pair(&self.register_key(name)).await?)) })
    }

    fn swap<'a>(&'a self, name: &'a str, version: Version, bytes: &'a [u8]) -> BoxFuture<'a, Swap> {
        Box::pin(async move {
            let key = self.register_key(name);
            let conditions = [KeyCondition::Unchanged(&key, version.0)];
            let body = wire::transaction(&conditions, &[wire::put(&key, bytes, None)]);
            let answer = match self.gateway.call("kv/txn", &body).await {
                Ok(answer) => answer,
                Err(CallError::Refused(reason)) => return Swap::Refused(reason),
                Err(CallError::Full(reason) | CallError::Unknown(reason)) => {
                    return Swap::Unknown(reason);
                }
            };
            match wire::outcome(&answer) {
                None => Swap::Unknown(strange()),
                Some(TxnOutcome::Done(revision)) => Swap::Done(Version(revision)),
                Some(TxnOutcome::Otherwise(read)) => {
                    Swap::Moved(register(read.into_iter().next().flatten()))
                }
            }
        })
    }

    fn sit<'a>(
        &'a self,
        log: &'a str,
        token: &'a str,
        holder: &'a str,
        time_to_live: Duration,
    ) -> BoxFuture<'a, Sitting> {
        Box::pin(async move {
            let (chair, lease) = (self.seat(log), lease_of(token));
            // Who waits for another asks again and again, and each lease is a write.
            if let Ok(Some(there)) = self.pair(&chair).await
                && there.lease != lease
            {
                return Sitting::Held(String::from_utf8_lossy(&there.value).into_owned());
            }
            let answer = match self.lease(lease, time_to_live).await {
                Err(trouble) => Err(trouble),
                Ok(()) => {
                    let conditions = [KeyCondition::Absent(&chair)];
                    let success = [wire::put(&chair, holder.as_bytes(), Some(lease))];
                    let body = wire::transaction(&conditions, &success);
                    self.gateway.call("kv/txn", &body).await
                }
            };
            let answer = match answer {
                Ok(answer) => answer,
                Err(CallError::Refused(reason)) => return Sitting::Refused(reason),
                Err(CallError::Full(reason) | CallError::Unknown(reason)) => {
                    return Sitting::Unknown(reason);
                }
            };
            let ours = Sitting::Ours(SharedSeat { token: token.to_owned() });
            match wire::outcome(&answer) {
                None => Sitting::Unknown(strange()),
                Some(TxnOutcome::Done(_)) => ours,
                Some(TxnOutcome::Otherwise(read)) => match read.into_iter().next().flatten() {
                    Some(there) if there.lease == lease => ours,
                    Some(there) => {
                        Sitting::Held(String::from_utf8_lossy(&there.value).into_owned())
                    }
                    None => Sitting::Unknown(strange()),
                },
            }
        })
    }

    fn seated<'a>(&'a self, log: &'a str) -> BoxFuture<'a, Result<Option<String>, MediumError>> {
        Box::pin(async move {
            let seat = self.pair(&self.seat(log)).await?;
            Ok(seat.map(|seat| String::from_utf8_lossy(&seat.value).into_owned()))
        })
    }

    fn leave<'a>(&'a self, _log: &'a str, seat: &'a SharedSeat) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let body = json!({"ID": lease_of(&seat.token).to_string()});
            // The seat goes with its lease; unheard, it goes when its time is over.
            let _ = self.gateway.call("lease/revoke", &body).await;
        })
    }

    fn pause(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

fn register(pair: Option<wire::KeyValue>) -> Register {
    pair.map_or_else(Register::default, |pair| Register {
        bytes: pair.value,
        version: Version(pair.mod_revision),
    })
}

impl From<CallError> for MediumError {
    fn from(trouble: CallError) -> Self {
        match trouble {
            CallError::Refused(reason) | CallError::Full(reason) | CallError::Unknown(reason) => {
                Self(reason)
            }
        }
    }
}
