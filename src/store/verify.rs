//! Every record of the two generations that are kept, read again.
//!
//! Who opens the state reads the newest generation, and the one before only in need. Here both are
//! read, so that damage is known before it is met. What is left of older ones is being removed.

use std::collections::BTreeMap;

use super::disk::Disk;
use super::error::StoreError;
use super::load::{self, ATTEMPTS_MAX, Base, GenerationFiles, Replayed, SnapshotFault};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many generations were read: two at most.
    pub generations: u64,
    /// How many records of theirs are what was written.
    pub records: u64,
    /// What is not what was written, one each.
    pub faults: Vec<String>,
}

/// Reads all of it while somebody may be writing.
pub(super) fn verify(disk: &dyn Disk) -> Result<Verified, StoreError> {
    let mut generations = load::generations(disk)?;
    let mut outcome = all(disk, &generations);
    for _ in 1..ATTEMPTS_MAX {
        let now = load::generations(disk)?;
        if now == generations {
            break;
        }
        generations = now;
        outcome = all(disk, &generations);
    }
    outcome
}

fn all(
    disk: &dyn Disk,
    generations: &BTreeMap<u64, GenerationFiles>,
) -> Result<Verified, StoreError> {
    let mut verified = Verified::default();
    let mut before: Option<(u64, Replayed)> = None;
    let older = generations.len().saturating_sub(2);
    for (serial, files) in generations.iter().skip(older) {
        verified.generations += 1;
        let before_it = before.take().filter(|(number, _)| number + 1 == *serial);
        let closed = before_it.map(|(_, replayed)| replayed).filter(|it| it.damage.is_none());
        let base = match (load::base(disk, *serial, files.has_snapshot), closed) {
            (Ok(base), closed) => {
                if closed.is_some_and(|before| !continues(&before, &base)) {
                    let name = load::snapshot_name(*serial);
                    verified.faults.push(format!("{name} does not continue the one before it"));
                }
                base
            }
            (Err(SnapshotFault::Stop(error)), _) => return Err(error),
            (Err(SnapshotFault::Damage(what)), closed) => {
                let closed = closed.filter(|before| before.is_closed);
                // A snapshot that a crash kept from being written is an ordinary state.
                if files.has_snapshot || closed.is_none() {
                    verified.faults.push(what);
                }
                let Some(Replayed { inventory, seal, .. }) = closed else { continue };
                Base { inventory, follows: seal, bytes: 0 }
            }
        };
        let replayed = load::replay(disk, *serial, base)?;
        verified.records += replayed.records;
        verified.faults.extend(replayed.damage.clone());
        before = Some((*serial, replayed));
    }
    Ok(verified)
}

/// Whether a generation begins with what the one before it ended with.
fn continues(before: &Replayed, base: &Base) -> bool {
    before.is_closed && before.seal == base.follows && before.inventory == base.inventory
}
