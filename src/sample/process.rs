//! Figures of one process, each from one file of its `/proc` folder.
//!
//! `smaps_rollup` and `clear_refs` take the process's memory lock, and `status` walks its threads:
//! they are for the time between phases, never for a timed block.
//!
//! A value that cannot be read is an error: of a process that has ended, and of one of another
//! user.

use std::path::Path;

use procfs::process::{Io, MemoryMaps, SmapsRollup, StatM};

use super::{Roots, SampleError, cpu_time, parse, parse_list, read};
use crate::units::{Bytes, Nanos};

/// Memory that would be freed if the process ended: `Private_Clean` and `Private_Dirty` of
/// `smaps_rollup` (Linux 4.14).
pub fn private_memory(roots: &Roots, pid: u32) -> Result<Bytes, SampleError> {
    let path = roots.of_process(pid, "smaps_rollup");
    let maps = parse::<SmapsRollup>(&path)?.memory_map_rollup;
    Ok(Bytes(
        ["Private_Clean", "Private_Dirty"]
            .into_iter()
            .map(|field| sum(&maps, field).ok_or_else(|| SampleError::NoField(path.clone(), field)))
            .sum::<Result<_, _>>()?,
    ))
}

/// A field over all maps; `None` where one of them lacks it.
fn sum(maps: &MemoryMaps, field: &str) -> Option<u64> {
    let values: Vec<u64> = maps
        .iter()
        .map(|map| map.extension.map.get(field).copied())
        .collect::<Option<_>>()?;
    (!values.is_empty()).then(|| values.iter().sum())
}

/// CPU time that the process used so far, that of children that it has waited for included: `stat`,
/// in ticks of the kernel. `None` where it cannot be read.
#[must_use]
pub fn cpu_time(roots: &Roots, pid: u32) -> Option<Nanos> {
    cpu_time::of_process(&roots.of_process(pid, "stat"))
}

/// Memory that is resident now, pages shared with other processes included: `statm`.
pub fn resident(roots: &Roots, pid: u32) -> Result<Bytes, SampleError> {
    Ok(Bytes(
        parse::<StatM>(&roots.of_process(pid, "statm"))?.resident * procfs::page_size(),
    ))
}

/// Most memory that was resident at once since the process began, or since [`reset_peak`]: `VmHWM`
/// of `status`.
pub fn peak_resident(roots: &Roots, pid: u32) -> Result<Bytes, SampleError> {
    peak_of(&roots.of_process(pid, "status"))
}

/// Most memory that this process itself had resident at once.
pub fn own_peak_memory(roots: &Roots) -> Result<Bytes, SampleError> {
    peak_of(&roots.proc.join("self/status"))
}

fn peak_of(status: &Path) -> Result<Bytes, SampleError> {
    let kib = field(status, "VmHWM", |value| {
        // In kB, which are KiB.
        value.strip_suffix("kB")?.trim().parse::<u64>().ok()
    })?;
    Ok(Bytes(kib * 1024))
}

/// Makes [`peak_resident`] start again from what is resident now, by `clear_refs`, which the
/// process's user may write.
pub fn reset_peak(roots: &Roots, pid: u32) -> Result<(), SampleError> {
    let path = roots.of_process(pid, "clear_refs");
    std::fs::write(&path, "5").map_err(|error| SampleError::Unwritable(path, error))
}

/// Bytes that the process has had read from storage, rather than from the page cache: `read_bytes`
/// of `io`.
pub fn storage_read_bytes(roots: &Roots, pid: u32) -> Result<Bytes, SampleError> {
    Ok(Bytes(parse::<Io>(&roots.of_process(pid, "io"))?.read_bytes))
}

/// Threads of the process: `Threads` of `status`.
pub fn threads_count(roots: &Roots, pid: u32) -> Result<u64, SampleError> {
    field(&roots.of_process(pid, "status"), "Threads", number)
}

/// Files that the process has open: the entries of `fd`.
pub fn open_files_count(roots: &Roots, pid: u32) -> Result<u64, SampleError> {
    let path = roots.of_process(pid, "fd");
    match path.read_dir() {
        Ok(entries) => Ok(entries.count() as u64),
        Err(error) => Err(SampleError::Unreadable(path, error)),
    }
}

/// Kernel numbers of the process's threads, in the order in which they began, the main thread first:
/// `task`.
pub fn threads(roots: &Roots, pid: u32) -> Result<Vec<u32>, SampleError> {
    let path = roots.of_process(pid, "task");
    let entries = path
        .read_dir()
        .map_err(|error| SampleError::Unreadable(path.clone(), error))?;
    let mut threads: Vec<u32> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    threads.sort_unstable_by_key(|&thread| (thread != pid, thread));
    Ok(threads)
}

/// How often the kernel has moved the process's main thread from one CPU to another:
/// `se.nr_migrations` of `sched`, which the kernel offers where it was built with scheduler
/// debugging.
pub fn migrations_count(roots: &Roots, pid: u32) -> Result<u64, SampleError> {
    field(&roots.of_process(pid, "sched"), "se.nr_migrations", number)
}

/// CPUs that the process's main thread may run on, ascending: `Cpus_allowed_list` of `status`.
pub fn allowed_cpus(roots: &Roots, pid: u32) -> Result<Vec<u64>, SampleError> {
    field(
        &roots.of_process(pid, "status"),
        "Cpus_allowed_list",
        parse_list,
    )
}

/// Value of the line `name: value` of a file.
fn field<T>(
    path: &Path,
    name: &'static str,
    parse: fn(&str) -> Option<T>,
) -> Result<T, SampleError> {
    read(path)?
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'))
        .and_then(|value| parse(value.trim()))
        .ok_or_else(|| SampleError::NoField(path.to_path_buf(), name))
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Machine;
    use super::*;

    const SMAPS_ROLLUP: &str = "\
55a6b65fb000-7ffd9a946000 ---p 00000000 00:00 0                          [rollup]
Rss:                1620 kB
Pss:                 353 kB
Shared_Clean:       1500 kB
Private_Clean:         8 kB
Private_Dirty:       112 kB
";
    const STATUS: &str = "\
Name:\tworker
VmPeak:\t   90000 kB
VmHWM:\t   12345 kB
Threads:\t3
Cpus_allowed:\t00ff,000f0003
Cpus_allowed_list:\t0-1,16-19,32-39
";

    #[test]
    fn private_memory_is_clean_and_dirty_together() {
        assert_eq!(
            private_memory(
                &Machine::new("")
                    .with("proc/7/smaps_rollup", SMAPS_ROLLUP)
                    .roots(),
                7
            )
            .unwrap(),
            Bytes(120 * 1024)
        );
    }

    #[test]
    fn status_yields_peak_threads_and_cpus() {
        let machine = Machine::new("").with("proc/7/status", STATUS);
        let roots = machine.roots();
        assert_eq!(peak_resident(&roots, 7).unwrap(), Bytes(12345 * 1024));
        assert_eq!(threads_count(&roots, 7).unwrap(), 3);
        assert_eq!(
            allowed_cpus(&roots, 7).unwrap(),
            [0, 1, 16, 17, 18, 19, 32, 33, 34, 35, 36, 37, 38, 39]
        );
    }

    #[test]
    fn process_that_has_ended_is_an_error_that_names_the_file() {
        let error = resident(&Machine::new("").roots(), 7).unwrap_err();
        assert!(
            matches!(&error, SampleError::Unreadable(path, _) if path.ends_with("proc/7/statm")),
            "{error}"
        );
    }

    #[test]
    fn zombie_has_no_peak() {
        let zombie = "Name:\tworker\nState:\tZ (zombie)\nThreads:\t1\n";
        let error =
            peak_resident(&Machine::new("").with("proc/7/status", zombie).roots(), 7).unwrap_err();
        assert!(
            error.to_string().ends_with("has no usable `VmHWM`"),
            "{error}"
        );
    }

    /// A process that does nothing, ended when dropped.
    struct Sleeper(std::process::Child);

    impl Sleeper {
        fn start() -> Sleeper {
            Sleeper(
                std::process::Command::new("sleep")
                    .arg("600")
                    .spawn()
                    .unwrap(),
            )
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn running_process_yields_every_figure() {
        let roots = Roots::system();
        let sleeper = Sleeper::start();
        let pid = sleeper.0.id();
        assert!(private_memory(&roots, pid).unwrap() > Bytes(0));
        assert!(resident(&roots, pid).unwrap() > Bytes(0));
        reset_peak(&roots, pid).unwrap();
        assert!(peak_resident(&roots, pid).unwrap() > Bytes(0));
        storage_read_bytes(&roots, pid).unwrap();
        assert_eq!(threads_count(&roots, pid).unwrap(), 1);
        assert_eq!(
            allowed_cpus(&roots, pid).unwrap(),
            super::super::affinity::own_affinity().unwrap()
        );
    }

    #[test]
    fn reset_peak_forgets_memory_that_is_no_longer_held() {
        const HELD: usize = 64 << 20;
        let roots = Roots::system();
        let held = vec![1_u8; HELD];
        assert!(held.iter().all(|byte| *byte == 1));
        let before = own_peak_memory(&roots).unwrap();
        drop(held);
        reset_peak(&roots, std::process::id()).unwrap();
        let after = own_peak_memory(&roots).unwrap();
        assert!(
            before.0 >= after.0 + HELD as u64 / 2,
            "{before:?} {after:?}"
        );
    }
}
