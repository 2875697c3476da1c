//! Counters that the parent reads between blocks.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::time::Instant;

use super::cpu_time::in_nanos;
use super::rapl::{Rapl, RaplError, RaplReading};
use super::{Roots, cgroup, process};
use crate::record::CpuEnergy;
use crate::units::{Bytes, Nanos};

/// Reads what changes during a block, cheaply: a few short files, none of which locks the worker's
/// memory.
#[derive(Debug)]
pub struct Sampler {
    roots: Roots,
    throttled_files: Vec<PathBuf>,
    rapl: Result<Rapl, RaplError>,
}

/// Counters at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// CPU time that the host has taken from this machine since boot, over all CPUs; absent where
    /// the kernel does not tell. Counted in ticks, which are 10 ms on nearly every system.
    pub steal_ns: Option<Nanos>,
    /// Time for which this process's control groups have been throttled; absent without a CPU
    /// limit.
    pub throttled_ns: Option<Nanos>,
    /// How often the main thread of the process that was asked for has been moved to another CPU;
    /// absent where the kernel does not tell.
    pub migrations_count: Option<u64>,
    /// Resident memory of the process that was asked for.
    pub resident_bytes: Option<Bytes>,
    /// The processor's energy counters; absent where they cannot be read.
    pub energy: Option<RaplReading>,
    /// Wall time of taking the snapshot.
    pub cost_ns: Nanos,
}

/// Resources used between two snapshots.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockSample {
    /// CPU time that the host took from this machine, over all CPUs, to the resolution of a tick
    /// (10 ms).
    pub steal_ns: Option<Nanos>,
    /// Time for which a control group was throttled; absent without a CPU limit.
    pub throttled_ns: Option<Nanos>,
    /// How often the process's main thread was moved to another CPU.
    pub migrations_count: Option<u64>,
    /// Resident memory at the later snapshot.
    pub resident_bytes: Option<Bytes>,
    /// Energy of the processor, of all processes.
    pub cpu_energy: Option<CpuEnergy>,
}

impl Sampler {
    /// A sampler of the machine and of this process's control groups, which workers share.
    #[must_use]
    pub fn new(roots: &Roots) -> Sampler {
        Sampler {
            roots: roots.clone(),
            throttled_files: cgroup::throttled_files(roots),
            rapl: Rapl::open(roots),
        }
    }

    /// Takes a snapshot, with the resident memory of `pid`.
    #[must_use]
    pub fn sample(&self, pid: u32) -> Snapshot {
        let start = Instant::now();
        Snapshot {
            steal_ns: self.steal(),
            throttled_ns: self.throttled(),
            migrations_count: process::migrations_count(&self.roots, pid).ok(),
            resident_bytes: process::resident(&self.roots, pid).ok(),
            energy: self.rapl.as_ref().ok().and_then(Rapl::read),
            // All that stands above it.
            cost_ns: start.elapsed().into(),
        }
    }

    /// The processor's energy counters, or why they cannot be read.
    pub fn rapl(&self) -> Result<&Rapl, &RaplError> {
        self.rapl.as_ref()
    }

    /// CPU time stolen since boot, over all CPUs.
    #[must_use]
    pub fn steal(&self) -> Option<Nanos> {
        let mut head = [0; 256];
        let length = File::open(self.roots.proc.join("stat"))
            .ok()?
            .read(&mut head)
            .ok()?;
        steal_ticks(str::from_utf8(&head[..length]).ok()?).map(in_nanos)
    }

    /// Sum over all limited groups: each of them stops the process on its own.
    fn throttled(&self) -> Option<Nanos> {
        self.throttled_files
            .iter()
            .filter_map(|path| cgroup::throttled(path))
            .reduce(|sum, time| sum + time)
    }
}

impl Snapshot {
    /// Resources used since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Snapshot) -> BlockSample {
        let energy = self.energy.as_ref().zip(earlier.energy.as_ref());
        BlockSample {
            steal_ns: change(self.steal_ns, earlier.steal_ns),
            throttled_ns: change(self.throttled_ns, earlier.throttled_ns),
            migrations_count: self
                .migrations_count
                .zip(earlier.migrations_count)
                .map(|(later, earlier)| later.saturating_sub(earlier)),
            resident_bytes: self.resident_bytes,
            cpu_energy: energy.map(|(later, earlier)| later.since(earlier)),
        }
    }
}

fn change(later: Option<Nanos>, earlier: Option<Nanos>) -> Option<Nanos> {
    Some(later?.since(earlier?))
}

/// The eighth number of the first line of `/proc/stat`, in ticks; kernels before 2.6.11 do not have
/// it.
fn steal_ticks(stat: &str) -> Option<u64> {
    let (line, _) = stat.split_once('\n')?;
    line.strip_prefix("cpu ")?
        .split_ascii_whitespace()
        .nth(7)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Machine;
    use super::*;

    #[test]
    fn steal_is_the_eighth_counter_of_all_cpus() {
        assert_eq!(
            steal_ticks("cpu  51531 14809 6807 163481 739 0 97 25 0 0\ncpu0 1 2\n"),
            Some(25)
        );
        assert_eq!(steal_ticks("cpu  51531 14809 6807 163481\n"), None);
        assert_eq!(steal_ticks("cpu0 1 2 3 4 5 6 7 8 9\n"), None);
    }

    #[test]
    fn block_sample_is_the_change_and_the_later_memory() {
        let at = |steal, resident| Snapshot {
            steal_ns: Some(Nanos(steal)),
            throttled_ns: None,
            migrations_count: Some(resident / 4096),
            resident_bytes: Some(Bytes(resident)),
            energy: None,
            cost_ns: Nanos(1),
        };
        let expected = BlockSample {
            steal_ns: Some(Nanos(20)),
            throttled_ns: None,
            migrations_count: Some(1),
            resident_bytes: Some(Bytes(8192)),
            cpu_energy: None,
        };
        assert_eq!(at(30, 8192).since(&at(10, 4096)), expected);
    }

    #[test]
    fn machine_that_tells_nothing_yields_nothing_rather_than_zero() {
        let snapshot = Sampler::new(&Machine::new("").roots()).sample(7);
        assert_eq!(
            (
                snapshot.steal_ns,
                snapshot.throttled_ns,
                snapshot.resident_bytes
            ),
            (None, None, None)
        );
    }

    #[test]
    fn sampler_reads_steal_throttling_and_resident_memory() {
        let machine = Machine::new(
            "proc/stat cpu  1 2 3 4 5 6 7 200 0 0
             proc/stat cpu0 1 2 3 4 5 6 7 200 0 0
             proc/7/statm 500 20 10 5 0 40 0
             proc/7/sched worker (7, #threads: 1)
             proc/7/sched ---
             proc/7/sched se.nr_migrations     :      12
             proc/7/sched nr_switches : 3
             proc/self/cgroup 0::/a
             proc/self/mountinfo 41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
             sys/fs/cgroup/a/cpu.max 150000 100000
             sys/fs/cgroup/a/cpu.stat usage_usec 9
             sys/fs/cgroup/a/cpu.stat nr_throttled 2
             sys/fs/cgroup/a/cpu.stat throttled_usec 31",
        );
        let snapshot = Sampler::new(&machine.roots()).sample(7);
        assert_eq!(
            snapshot.steal_ns,
            Some(Nanos(200 * 1_000_000_000 / procfs::ticks_per_second()))
        );
        assert_eq!(snapshot.throttled_ns, Some(Nanos(31_000)));
        assert_eq!(snapshot.migrations_count, Some(12));
        assert_eq!(
            snapshot.resident_bytes,
            Some(Bytes(20 * procfs::page_size()))
        );
    }

    #[test]
    fn snapshot_of_this_process_has_memory_and_a_cost() {
        let snapshot = Sampler::new(&Roots::system()).sample(std::process::id());
        assert!(snapshot.resident_bytes > Some(Bytes(0)));
        assert!(snapshot.steal_ns.is_some());
        assert!(snapshot.cost_ns > Nanos(0));
    }
}
