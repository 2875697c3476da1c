//! Use of the machine by this process, as the kernel accounts for it.

use nix::sys::resource::{UsageWho, getrusage};
use nix::time::{ClockId, clock_gettime};

use crate::units::Nanos;

/// Resources that this process has used since it began, over all of its threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time, user and system.
    pub cpu_time_ns: Nanos,
    /// Times that the kernel took a CPU away while there was work to do.
    pub involuntary_switches_count: u64,
    /// Page faults that had to read from storage.
    pub major_faults_count: u64,
    /// Page faults that the kernel answered from memory.
    pub minor_faults_count: u64,
}

impl Usage {
    /// Reads the kernel's account; two system calls, to be made outside of timed regions.
    #[must_use]
    pub fn now() -> Usage {
        let cpu_time_ns = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)
            .map_or(Nanos(0), |time| {
                Nanos(time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64)
            });
        let (involuntary, major, minor) =
            getrusage(UsageWho::RUSAGE_SELF).map_or((0, 0, 0), |usage| {
                (
                    usage.involuntary_context_switches(),
                    usage.major_page_faults(),
                    usage.minor_page_faults(),
                )
            });
        Usage {
            cpu_time_ns,
            involuntary_switches_count: u64::try_from(involuntary).unwrap_or(0),
            major_faults_count: u64::try_from(major).unwrap_or(0),
            minor_faults_count: u64::try_from(minor).unwrap_or(0),
        }
    }

    /// Resources used between `earlier` and `self`.
    #[must_use]
    pub fn since(&self, earlier: &Usage) -> Usage {
        Usage {
            cpu_time_ns: self.cpu_time_ns.since(earlier.cpu_time_ns),
            involuntary_switches_count: self
                .involuntary_switches_count
                .saturating_sub(earlier.involuntary_switches_count),
            major_faults_count: self
                .major_faults_count
                .saturating_sub(earlier.major_faults_count),
            minor_faults_count: self
                .minor_faults_count
                .saturating_sub(earlier.minor_faults_count),
        }
    }
}
