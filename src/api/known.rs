//! What is known beside an answer: what objects are called, since an error that names an id alone
//! helps nobody, and what is declared, since an answer may quote it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::Cause;
use crate::model::{Desired, Kind, LiveObject, RemoteId};

/// What is known beside an answer.
#[derive(Default)]
pub(super) struct Known {
    names: Mutex<BTreeMap<RemoteId, String>>,
    declared: Mutex<Option<Arc<Desired>>>,
    /// Whether version 1 has answered here.
    is_first_generation: AtomicBool,
}

impl Known {
    /// Remembers what objects are called.
    pub(super) fn learn<'o>(&self, objects: impl IntoIterator<Item = &'o LiveObject>) {
        let mut names = held(&self.names);
        // A look at rest shows thousands of objects, and they are called what they were called.
        for object in objects {
            if names.get(&object.id) != Some(&object.name) {
                names.insert(object.id.clone(), object.name.clone());
            }
        }
    }

    /// Returns what an object is called in an error: `service/web (svc_1)`, or by its id alone.
    pub(super) fn name_of(&self, kind: Kind, id: &RemoteId) -> String {
        match held(&self.names).get(id) {
            Some(name) => format!("{kind}/{name} ({id})"),
            None => format!("{kind} {id}"),
        }
    }

    /// Notes that version 1 has answered, by an object or by an error of its own.
    pub(super) fn heard_the_api(&self) {
        self.is_first_generation.store(true, Ordering::Relaxed);
    }

    /// Judges anew what looks like the other generation of the API: where version 1 has answered, it
    /// is what the framework beneath it says by itself.
    pub(super) fn judged(&self, cause: Cause) -> Cause {
        match cause {
            Cause::WrongGeneration(error) if self.is_first_generation.load(Ordering::Relaxed) => {
                Cause::Api(error)
            }
            cause => cause,
        }
    }

    /// Remembers what is declared.
    pub(super) fn declare(&self, desired: &Arc<Desired>) {
        *held(&self.declared) = Some(Arc::clone(desired));
    }

    /// Returns what is declared.
    pub(super) fn declared(&self) -> Option<Arc<Desired>> {
        held(&self.declared).clone()
    }
}

/// Each value is whole after every statement, so a panic elsewhere spoils nothing.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
