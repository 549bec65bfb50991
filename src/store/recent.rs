//! Reading again and again: what reads the same is not parsed again.

use std::sync::{Arc, Mutex, PoisonError};

use super::StoreError;
use super::load::{StateMark, StoredState};
use super::medium::Medium;

/// The last reading of one state; clones share it. The default knows none.
///
/// The files are read each time, and whole: only what is made of the very same bytes is kept. A
/// reading that comes with a warning is made anew, so that it ends when the files are mended.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    last: Arc<Mutex<Option<(StateMark, StoredState)>>>,
}

impl Recent {
    /// Reads a state, always the same one, without its lock.
    ///
    /// # Errors
    /// As [`super::Store::read`].
    pub fn read(&self, state: &Medium) -> Result<StoredState, StoreError> {
        // Nothing panics while it is held.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = state.mark()?;
        if let (Some(mark), Some((known, reading))) = (&mark, &*last)
            && mark == known
        {
            return Ok(reading.clone());
        }
        let reading = state.read()?;
        // A writer may have come between the two.
        let is_of_mark = mark.is_some() && state.mark()? == mark;
        let is_kept = is_of_mark && reading.warning.is_none();
        *last = mark.filter(|_| is_kept).map(|mark| (mark, reading.clone()));
        Ok(reading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Pin, Project};
    use crate::store::Simulated;

    fn pin(origin: &str) -> Pin {
        let project = Project { id: None, name: "shop".to_owned(), region: None, plan: None };
        Pin { origin: origin.to_owned(), project }
    }

    #[test]
    fn what_reads_the_same_is_the_same_and_every_write_is_seen() {
        let disk = Simulated::default();
        let (state, recent) = (Medium::Memory(disk.clone()), Recent::default());
        let origin = |recent: &Recent| {
            let inventory = recent.read(&state).unwrap().inventory;
            inventory.pin.as_ref().map(|pin| pin.origin.clone())
        };
        assert_eq!(origin(&recent), None);
        let mut store = state.open("a test").unwrap();
        store.set_pin(pin("https://api.dev/v1")).unwrap();
        assert_eq!(origin(&recent).as_deref(), Some("https://api.dev/v1"));
        let (first, second) = (recent.read(&state).unwrap(), recent.read(&state).unwrap());
        assert!(Arc::ptr_eq(&first.inventory, &second.inventory));
        // The files are those of another state: nothing of the first is left.
        let other = Medium::Memory(Simulated::default());
        assert_eq!(recent.read(&other).unwrap().inventory.pin, None);
    }

    #[test]
    fn a_damaged_state_is_not_taken_for_the_one_that_was_whole() {
        let disk = Simulated::default();
        let (state, recent) = (Medium::Memory(disk.clone()), Recent::default());
        state.open("a test").unwrap().set_pin(pin("https://api.dev/v1")).unwrap();
        assert_eq!(recent.read(&state).unwrap().warning, None);
        let mut files = disk.files();
        let journal = files.iter_mut().find(|(name, _)| name.starts_with("journal")).unwrap().1;
        journal[20] ^= 1;
        let damaged = Medium::Memory(Simulated::with(&files));
        for _ in 0..2 {
            assert!(recent.read(&damaged).unwrap().warning.is_some());
        }
        assert_eq!(recent.read(&state).unwrap().warning, None);
    }
}
