//! The virtual time of a scripted machine, shared by its processes.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::MmapMut;

use crate::units::Nanos;

/// Virtual time and a count of processes, in a file that all processes of a machine map.
#[derive(Debug)]
pub(super) struct SharedClock(MmapMut);

/// Time in nanoseconds, then processes so far.
const CLOCK_BYTES: u64 = 2 * size_of::<u64>() as u64;

impl SharedClock {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        if file.metadata()?.len() < CLOCK_BYTES {
            file.set_len(CLOCK_BYTES)?;
        }
        // SAFETY: the file is scratch of one scripted run; whatever stands in it, and whoever writes it, is two numbers. Only
        // workers map it: one that loses it, because somebody shortens it, costs a launch.
        Ok(SharedClock(unsafe { MmapMut::map_mut(&file) }?))
    }

    fn word(&self, index: usize) -> &AtomicU64 {
        // SAFETY: the mapping begins at a page, holds both words, lives as long as `self`, and is used as atomics only.
        unsafe { AtomicU64::from_ptr(self.0.as_ptr().cast::<u64>().cast_mut().add(index)) }
    }

    pub(super) fn now(&self) -> Nanos {
        Nanos(self.word(0).load(Ordering::Relaxed))
    }

    pub(super) fn advance(&self, span: Nanos) {
        self.word(0).fetch_add(span.0, Ordering::Relaxed);
    }

    /// The number of the process that asks, from 0.
    pub(super) fn next_process(&self) -> u64 {
        self.word(1).fetch_add(1, Ordering::Relaxed)
    }
}
