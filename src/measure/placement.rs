//! A CPU for the thread that sends requests, apart from the threads of the model.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::{Pid, gettid};
use procfs::process::Process;

/// A thread of this process on a CPU that the others leave; all may run everywhere again when this
/// is dropped.
#[derive(Debug)]
pub(super) struct Placement {
    before: CpuSet,
    others: CpuSet,
}

impl Placement {
    /// Leaves the calling thread the first CPU that this process may use, and all other threads the
    /// rest, where those are enough for `model_threads`. Threads that are created later are to be
    /// placed by [`Placement::join_others`], since they begin where who creates them is. `None` where
    /// there is no room, or the system refuses.
    pub(super) fn apart(model_threads: u64) -> Option<Self> {
        let before = sched_getaffinity(Pid::from_raw(0)).ok()?;
        let mut allowed = (0..CpuSet::count()).filter(|&cpu| before.is_set(cpu).unwrap_or(false));
        let own = allowed.next()?;
        if (allowed.count() as u64) < model_threads.max(1) {
            return None;
        }
        let mut others = before;
        others.unset(own).ok()?;
        let placement = Placement { before, others };
        for thread in threads() {
            place(thread, &others)?;
        }
        let mut alone = CpuSet::new();
        alone.set(own).ok()?;
        place(gettid(), &alone)?;
        Some(placement)
    }

    /// Has the calling thread run where the others do.
    pub(super) fn join_others(&self) {
        // It shares a CPU with the one that is apart, which shows as lag.
        let _ = place(Pid::from_raw(0), &self.others);
    }
}

impl Drop for Placement {
    fn drop(&mut self) {
        for thread in threads() {
            // One that has ended needs no place.
            let _ = sched_setaffinity(thread, &self.before);
        }
    }
}

fn place(thread: Pid, cpus: &CpuSet) -> Option<()> {
    sched_setaffinity(thread, cpus).ok()
}

fn threads() -> Vec<Pid> {
    Process::myself()
        .and_then(|own| own.tasks())
        .map(|tasks| {
            tasks
                .flatten()
                .map(|task| Pid::from_raw(task.tid))
                .collect()
        })
        .unwrap_or_default()
}
