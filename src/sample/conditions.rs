//! Conditions of the machine while it measures: counters before and after, and their changes.
//!
//! Everything is read from a few short files, before the first measurement and after the last,
//! never in between.

use std::collections::BTreeSet;
use std::time::Instant;

use super::cpu_time::{self, CpuTimes};
use super::{Roots, cgroup, list, number, parsed, read};
use crate::record::{Conditions, Frequency, Throttling};
use crate::units::{Bytes, Celsius, Hertz, Nanos, Ratio};

/// The machine's counters at one moment.
#[derive(Clone, Debug)]
pub struct Counters {
    taken: Instant,
    cpus: Option<CpuTimes>,
    own: Option<Nanos>,
    /// One for each group that has a limit, from this process's own up to the root.
    throttling: Vec<Option<Throttling>>,
    waited_for_cpu: Option<Nanos>,
    waited_for_memory: Option<Nanos>,
    waited_for_io: Option<Nanos>,
    /// Bytes.
    swapped_in: Option<u64>,
    /// Bytes.
    swapped_out: Option<u64>,
    thermal_throttles: Option<u64>,
    /// Lowest current frequency of the CPUs that were asked for.
    frequency: Option<Hertz>,
}

impl Counters {
    /// Reads the counters; `workers` are the CPUs whose frequency is of interest.
    #[must_use]
    pub fn read(roots: &Roots, workers: &[u64]) -> Counters {
        let vmstat = read(&roots.proc.join("vmstat")).unwrap_or_default();
        let swapped = |key| number(&vmstat, key).map(|pages| pages * procfs::page_size());
        Counters {
            taken: Instant::now(),
            cpus: CpuTimes::read(roots),
            own: cpu_time::own(roots),
            throttling: cgroup::throttled_files(roots)
                .iter()
                .map(|path| cgroup::throttling(path))
                .collect(),
            waited_for_cpu: waited(roots, "cpu"),
            waited_for_memory: waited(roots, "memory"),
            waited_for_io: waited(roots, "io"),
            swapped_in: swapped("pswpin "),
            swapped_out: swapped("pswpout "),
            thermal_throttles: thermal_throttles(roots),
            frequency: lowest(roots, workers, "scaling_cur_freq"),
        }
    }
}

/// The machine's conditions since `before`, with `workers` as the workers' CPUs.
#[must_use]
pub fn since(roots: &Roots, before: &Counters, workers: &[u64]) -> Conditions {
    let after = Counters::read(roots, workers);
    let span = Span {
        before,
        after: &after,
        elapsed: after.taken.duration_since(before.taken).into(),
    };
    span.conditions(roots, workers)
}

struct Span<'a> {
    before: &'a Counters,
    after: &'a Counters,
    elapsed: Nanos,
}

impl Span<'_> {
    fn time(&self, counter: impl Fn(&Counters) -> Option<Nanos>) -> Option<Nanos> {
        Some(counter(self.after)?.since(counter(self.before)?))
    }

    /// Change of a counter of time, as a share of the time between the readings, times `cpus`.
    fn share(&self, counter: impl Fn(&Counters) -> Option<Nanos>, cpus: usize) -> Option<Ratio> {
        share(
            self.time(counter)?,
            Nanos(self.elapsed.0.saturating_mul(cpus as u64)),
        )
    }

    fn change(&self, counter: impl Fn(&Counters) -> Option<u64>) -> Option<u64> {
        Some(counter(self.after)?.saturating_sub(counter(self.before)?))
    }

    fn conditions(&self, roots: &Roots, workers: &[u64]) -> Conditions {
        let siblings = siblings(roots, workers);
        Conditions {
            observed_ns: self.elapsed,
            online_cpus_count: self.after.cpus.as_ref().map(|cpus| cpus.each.len() as u64),
            worker_cpus: workers.to_vec(),
            siblings_busy_ratio: siblings.as_deref().and_then(|siblings| {
                self.share(|counters| busy_time(counters, siblings), siblings.len())
            }),
            sibling_cpus: siblings,
            frequency: self.frequency(roots, workers),
            others_busy_ratio: self.others_busy(),
            steal_ratio: self.steal(),
            throttling: self.throttling(),
            cpu_pressure_ratio: self.share(|counters| counters.waited_for_cpu, 1),
            memory_pressure_ratio: self.share(|counters| counters.waited_for_memory, 1),
            io_pressure_ratio: self.share(|counters| counters.waited_for_io, 1),
            swap_used_bytes: swap_used(roots),
            swapped_in_bytes: self.change(|counters| counters.swapped_in).map(Bytes),
            swapped_out_bytes: self.change(|counters| counters.swapped_out).map(Bytes),
            thermal_throttles_count: self.change(|counters| counters.thermal_throttles),
            temperature_celsius: temperature(roots),
            gpus: Vec::new(),
        }
    }

    fn others_busy(&self) -> Option<Ratio> {
        let cpus = self.after.cpus.as_ref()?.each.len();
        let busy = self.time(|counters| Some(counters.cpus.as_ref()?.all.busy_ns))?;
        share(
            busy.since(self.time(|counters| counters.own)?),
            Nanos(self.elapsed.0.saturating_mul(cpus as u64)),
        )
    }

    /// Stolen time over busy and stolen, or over one CPU's time if more: a tick is much of an idle
    /// machine.
    fn steal(&self) -> Option<Ratio> {
        let stolen = self.time(|counters| Some(counters.cpus.as_ref()?.all.steal_ns))?;
        let busy = self.time(|counters| Some(counters.cpus.as_ref()?.all.busy_ns))?;
        share(stolen, (busy + stolen).max(self.elapsed))
    }

    /// Of several groups with limits, the one that was stopped longest.
    fn throttling(&self) -> Option<Throttling> {
        let groups = self.before.throttling.iter().zip(&self.after.throttling);
        let changes = groups.filter_map(|(before, after)| {
            let before = (*before)?;
            let after = (*after)?;
            Some(Throttling {
                periods_count: after.periods_count.saturating_sub(before.periods_count),
                throttled_periods_count: after
                    .throttled_periods_count
                    .saturating_sub(before.throttled_periods_count),
                throttled_ns: after.throttled_ns.since(before.throttled_ns),
            })
        });
        changes.max_by_key(|change| change.throttled_ns)
    }

    fn frequency(&self, roots: &Roots, workers: &[u64]) -> Option<Frequency> {
        Some(Frequency {
            minimum_hertz: lowest(roots, workers, "scaling_min_freq")?,
            maximum_hertz: lowest(roots, workers, "scaling_max_freq")?,
            before_hertz: self.before.frequency,
            after_hertz: self.after.frequency,
        })
    }
}

/// A share of 0 to 1; counters that tick in 10 ms may add up to a little more than the time between
/// two readings.
fn share(part: Nanos, whole: Nanos) -> Option<Ratio> {
    (whole.0 > 0).then(|| Ratio((part.as_f64() / whole.as_f64()).min(1.0)))
}

fn busy_time(counters: &Counters, cpus: &[u64]) -> Option<Nanos> {
    let each = &counters.cpus.as_ref()?.each;
    cpus.iter().map(|cpu| Some(each.get(cpu)?.busy_ns)).sum()
}

/// CPUs online that share a core with one of `workers` and are none of them; `None` where the
/// kernel does not tell.
fn siblings(roots: &Roots, workers: &[u64]) -> Option<Vec<u64>> {
    let online = list(&roots.cpu("online"))?;
    let mut siblings = BTreeSet::new();
    for cpu in workers {
        siblings.extend(list(
            &roots.cpu(format!("cpu{cpu}/topology/thread_siblings_list")),
        )?);
    }
    siblings.retain(|cpu| online.contains(cpu) && !workers.contains(cpu));
    Some(siblings.into_iter().collect())
}

/// The lowest value of a file of `cpufreq`, which holds kHz, over CPUs.
fn lowest(roots: &Roots, cpus: &[u64], file: &str) -> Option<Hertz> {
    cpus.iter()
        .filter_map(|cpu| parsed::<u64>(&roots.cpu(format!("cpu{cpu}/cpufreq/{file}"))))
        .min()
        .map(|kilohertz| Hertz(kilohertz * 1000))
}

/// Time for which tasks had to wait since boot: `total` of the line `some` of a file of pressure
/// stall information.
fn waited(roots: &Roots, resource: &str) -> Option<Nanos> {
    let text = read(&roots.proc.join("pressure").join(resource)).ok()?;
    let some = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let total = some
        .split_ascii_whitespace()
        .find_map(|word| word.strip_prefix("total="))?;
    Some(Nanos(total.parse::<u64>().ok()?.saturating_mul(1000)))
}

/// Swap in use, from the sizes in KiB of `/proc/meminfo`.
fn swap_used(roots: &Roots) -> Option<Bytes> {
    let text = read(&roots.proc.join("meminfo")).ok()?;
    Some(Bytes(
        number(&text, "SwapTotal:")?.saturating_sub(number(&text, "SwapFree:")?) * 1024,
    ))
}

/// Cores' events over all CPUs, and the package's of the CPU that saw most: all its CPUs count the
/// same.
fn thermal_throttles(roots: &Roots) -> Option<u64> {
    let folders: Vec<_> = roots
        .cpu("")
        .read_dir()
        .ok()?
        .flatten()
        .map(|entry| entry.path().join("thermal_throttle"))
        .filter(|folder| folder.is_dir())
        .collect();
    let cores = folders
        .iter()
        .filter_map(|folder| parsed::<u64>(&folder.join("core_throttle_count")));
    let packages = folders
        .iter()
        .filter_map(|folder| parsed::<u64>(&folder.join("package_throttle_count")));
    (!folders.is_empty()).then(|| cores.sum::<u64>() + packages.max().unwrap_or(0))
}

/// Temperature of the hottest thermal zone, which the kernel gives in thousandths of a degree.
fn temperature(roots: &Roots) -> Option<Celsius> {
    roots
        .sys
        .join("class/thermal")
        .read_dir()
        .ok()?
        .flatten()
        .filter_map(|zone| parsed::<i64>(&zone.path().join("temp")))
        .max()
        .map(|millidegrees| Celsius(millidegrees as f64 / 1000.0))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Machine;
    use super::*;

    /// A machine with two CPUs on one core, whose clock ticks a hundred times a second.
    fn machine(busy: u64, own: u64, late: u64) -> Machine {
        let each = busy / 2;
        let periods = late * 4;
        let waited = late * 10_000;
        Machine::new(&format!(
            "proc/stat cpu  {busy} 0 0 500 0 0 0 {late} 0 0
             proc/stat cpu0 {each} 0 0 1 0 0 0 0
             proc/stat cpu1 {each} 0 0 1 0 0 0 0
             proc/self/stat 7 (onnxprof) S 1 7 7 0 -1 0 0 0 0 0 {own} 0 0 0 20 0 1 0 5
             proc/pressure/cpu some avg10=0.00 avg60=0.00 avg300=0.00 total={waited}
             proc/pressure/cpu full total=0
             proc/vmstat nr_free_pages 5
             proc/vmstat pswpin {late}
             proc/vmstat pswpout 0
             proc/meminfo MemTotal: 8 kB
             proc/meminfo SwapTotal: 2048 kB
             proc/meminfo SwapFree: 1024 kB
             proc/self/cgroup 0::/a
             proc/self/mountinfo 41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
             sys/fs/cgroup/a/cpu.max 150000 100000
             sys/fs/cgroup/a/cpu.stat nr_periods {periods}
             sys/fs/cgroup/a/cpu.stat nr_throttled {late}
             sys/fs/cgroup/a/cpu.stat throttled_usec {late}
             sys/devices/system/cpu/online 0-1
             sys/devices/system/cpu/cpu0/topology/thread_siblings_list 0-1
             sys/devices/system/cpu/cpu0/cpufreq/scaling_min_freq 800000
             sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq 3200000
             sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq 2100000
             sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count {late}
             sys/devices/system/cpu/cpu1/thermal_throttle/package_throttle_count 3
             sys/class/thermal/thermal_zone0/temp 61500",
        ))
    }

    fn observed(seconds: u64) -> Conditions {
        // 100 ticks a second everywhere but in a kernel that was built otherwise; times here follow
        // it.
        let tick = 1_000_000_000 / procfs::ticks_per_second();
        let first = machine(100, 50, 0);
        let last = machine(300, 150, 20);
        let [before, after] = [&first, &last].map(|machine| Counters::read(&machine.roots(), &[0]));
        let span = Span {
            before: &before,
            after: &after,
            elapsed: Nanos(seconds * 100 * tick),
        };
        span.conditions(&last.roots(), &[0])
    }

    #[test]
    fn shares_are_of_the_time_observed() {
        let seen = observed(2);
        // 200 ticks busy, of which 100 our own, over 2 CPUs of 200 ticks each.
        assert_eq!(seen.others_busy_ratio, Some(Ratio(0.25)));
        // 20 ticks stolen, where 220 were wanted.
        assert_eq!(seen.steal_ratio, Some(Ratio(20.0 / 220.0)));
        // The sibling of CPU 0 was busy for half of what both were.
        assert_eq!(
            (seen.sibling_cpus, seen.siblings_busy_ratio),
            (Some(vec![1]), Some(Ratio(0.5)))
        );
    }

    #[test]
    fn counters_are_given_as_their_change() {
        let seen = observed(2);
        let throttling = Throttling {
            periods_count: 80,
            throttled_periods_count: 20,
            throttled_ns: Nanos(20_000),
        };
        assert_eq!(seen.throttling, Some(throttling));
        assert_eq!(seen.swapped_in_bytes, Some(Bytes(20 * procfs::page_size())));
        assert_eq!(
            (seen.swapped_out_bytes, seen.swap_used_bytes),
            (Some(Bytes(0)), Some(Bytes(1 << 20)))
        );
        assert_eq!(
            (seen.thermal_throttles_count, seen.temperature_celsius),
            (Some(20), Some(Celsius(61.5)))
        );
        let frequency = seen.frequency.unwrap();
        assert_eq!(frequency.maximum_hertz, Hertz(3_200_000_000));
        assert_eq!(frequency.after_hertz, Some(Hertz(2_100_000_000)));
    }

    #[test]
    fn pressure_is_the_share_of_time_in_which_tasks_waited() {
        let pressure = observed(2).cpu_pressure_ratio.unwrap();
        assert!(
            (pressure.0 - 0.2 / observed(2).observed_ns.as_secs_f64()).abs() < 1e-12,
            "{pressure:?}"
        );
    }

    #[test]
    fn machine_that_tells_nothing_has_no_conditions() {
        let machine = Machine::new("");
        let seen = since(
            &machine.roots(),
            &Counters::read(&machine.roots(), &[0]),
            &[0],
        );
        let told = Conditions {
            observed_ns: seen.observed_ns,
            worker_cpus: vec![0],
            ..Conditions::default()
        };
        assert_eq!(seen, told);
    }
}
