//! The processes of a run, told from others by whoever looks at the machine.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Ids of the processes of a run: shared by who starts them and who is not to take them for others.
#[derive(Clone, Debug, Default)]
pub struct OwnProcesses(Arc<Mutex<BTreeSet<u32>>>);

impl OwnProcesses {
    /// From now on, `pid` is one of this run's.
    pub fn insert(&self, pid: u32) {
        self.ids().insert(pid);
    }

    /// All of them, those that have ended too.
    pub(crate) fn ids(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        // What a thread that panicked has left is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
