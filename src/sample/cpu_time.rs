//! Who used the CPUs: the machine's counters, and those of this process and what it started.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Roots, read};
use crate::units::Nanos;

/// CPU time of one CPU, or of all together, since boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CpuTime {
    /// Spent on anything: user, nice, system and interrupts. Guests are part of user time.
    pub busy_ns: Nanos,
    pub steal_ns: Nanos,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CpuTimes {
    pub all: CpuTime,
    /// Of each CPU that is online, by the kernel's number.
    pub each: BTreeMap<u64, CpuTime>,
}

impl CpuTimes {
    pub(super) fn read(roots: &Roots) -> Option<CpuTimes> {
        let text = read(&roots.proc.join("stat")).ok()?;
        let lines = || {
            text.lines()
                .filter_map(|line| line.strip_prefix("cpu")?.split_once(' '))
        };
        let numbered =
            lines().filter_map(|(number, rest)| Some((number.parse().ok()?, cpu_time(rest)?)));
        let (_, all) = lines().find(|(number, _)| number.is_empty())?;
        Some(CpuTimes {
            all: cpu_time(all)?,
            each: numbered.collect(),
        })
    }
}

/// From the numbers of a line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq,
/// steal.
fn cpu_time(numbers: &str) -> Option<CpuTime> {
    let ticks: Vec<u64> = numbers
        .split_ascii_whitespace()
        .map_while(|number| number.parse().ok())
        .collect();
    let [user, nice, system, _, _, irq, softirq, steal, ..] = ticks[..] else {
        return None;
    };
    Some(CpuTime {
        busy_ns: in_nanos(user + nice + system + irq + softirq),
        steal_ns: in_nanos(steal),
    })
}

/// CPU time of this process, of the children that it has waited for, and of those that live.
pub(super) fn own(roots: &Roots) -> Option<Nanos> {
    let own = of_process(&roots.proc.join("self/stat"))?;
    let living = children(roots)
        .into_iter()
        .filter_map(|pid| of_process(&roots.of_process(pid, "stat")));
    Some(own + living.sum())
}

/// Fields utime, stime, cutime and cstime of a process's `stat`.
pub(super) fn of_process(stat: &Path) -> Option<Nanos> {
    let text = read(stat).ok()?;
    // The name, in parentheses, may hold anything; the fields after it begin with the third.
    let (_, fields) = text.rsplit_once(')')?;
    let times: Vec<u64> = fields
        .split_ascii_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|t| t.parse().ok())
        .collect();
    (times.len() == 4).then(|| in_nanos(times.iter().sum()))
}

/// Children of this process that it has not waited for; none where the kernel does not list them.
fn children(roots: &Roots) -> Vec<u32> {
    roots
        .proc
        .join("self/task")
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|task| read(&task.path().join("children")).ok())
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<u32>>()
        })
        .collect()
}

pub(super) fn in_nanos(ticks: u64) -> Nanos {
    Nanos(
        (u128::from(ticks) * 1_000_000_000 / u128::from(procfs::ticks_per_second().max(1))) as u64,
    )
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Machine;
    use super::*;

    #[test]
    fn busy_time_leaves_out_idle_waiting_and_stolen_time() {
        let machine = Machine::new(
            "proc/stat cpu  10 1 4 900 50 2 3 7 10 0
             proc/stat cpu0 10 1 4 400 50 2 3 7 10 0
             proc/stat cpu3 0 0 0 500 0 0 0 0 0 0
             proc/stat intr 5",
        );
        let times = CpuTimes::read(&machine.roots()).unwrap();
        assert_eq!(
            times.all,
            CpuTime {
                busy_ns: in_nanos(20),
                steal_ns: in_nanos(7)
            }
        );
        assert!(times.each.keys().eq(&[0, 3]));
        assert_eq!(times.each[&3], CpuTime::default());
    }

    #[test]
    fn own_time_includes_children_dead_and_alive() {
        let machine = Machine::new(
            "proc/self/stat 7 (a) b) S 1 7 7 0 -1 0 0 0 0 0 100 20 30 4 20 0 1 0 5
             proc/8/stat 8 (worker) R 7 7 7 0 -1 0 0 0 0 0 5 1 0 0 20 0 1 0 5
             proc/self/task/7/children 8 9 ",
        );
        assert_eq!(own(&machine.roots()), Some(in_nanos(160)));
        assert_eq!(own(&Machine::new("").roots()), None);
    }
}
