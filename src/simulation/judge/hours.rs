//! What went within an hour, and by whose order: of the record and of the source alone.

use std::collections::BTreeMap;

use super::super::witness::ProcessLife;

/// How long a delete counts, in milliseconds: an hour, less what the clocks of two lives may differ
/// by.
const HOUR_MS: u64 = 3_600_000 - 62_000;

/// The deletes of each process, over all its lives and the commands beside it.
#[derive(Clone, Debug, Default)]
pub(super) struct Hours {
    gone: BTreeMap<usize, Vec<Gone>>,
    /// The commit that each run has read last; none of plain files, which are nobody's order.
    orders: BTreeMap<ProcessLife, Option<String>>,
}

#[derive(Clone, Debug)]
struct Gone {
    at: u64,
    order: Option<String>,
}

impl Hours {
    pub fn read(&mut self, run: ProcessLife, commit: Option<String>) {
        self.orders.insert(run, commit);
    }

    /// Notes a delete.
    pub fn went(&mut self, run: ProcessLife, at: u64) {
        let order = self.orders.get(&run).cloned().flatten();
        self.gone.entry(run.process).or_default().push(Gone { at, order });
    }

    /// Counts what went in the hour before and that no new order of this run's came after.
    pub fn before(&self, run: ProcessLife, at: u64) -> usize {
        let order = self.orders.get(&run).cloned().flatten();
        let gone = self.gone.get(&run.process).into_iter().flatten();
        let counts = |gone: &&Gone| {
            at.saturating_sub(gone.at) < HOUR_MS && (order.is_none() || gone.order == order)
        };
        gone.filter(counts).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: ProcessLife = ProcessLife { process: 0, life: 1 };

    #[test]
    fn deletes_count_over_lives_and_a_new_commit_begins_anew() {
        let mut hours = Hours::default();
        hours.went(FIRST, 0);
        hours.went(ProcessLife { life: 2, ..FIRST }, 1_000);
        hours.went(ProcessLife { process: 1, ..FIRST }, 1_000);
        assert_eq!(hours.before(FIRST, 2_000), 2);
        assert_eq!(hours.before(FIRST, HOUR_MS + 500), 1);
        hours.read(FIRST, Some("a".to_owned()));
        assert_eq!(hours.before(FIRST, 2_000), 0);
        hours.went(FIRST, 2_000);
        assert_eq!(hours.before(FIRST, 2_000), 1);
        hours.read(FIRST, None);
        assert_eq!(hours.before(FIRST, 2_000), 3);
    }
}
