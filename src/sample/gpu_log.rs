//! Summary of the samples of a GPU over a whole run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::gpu_window::{GpuWindow, NO_SAMPLE, events};
use super::nvml::GpuReading;
use crate::observed::Observed;
use crate::record::GpuConditions;
use crate::units::Celsius;

#[derive(Debug)]
pub(super) struct GpuLog {
    pub(super) index: u32,
    samples_count: u64,
    clock_events: Observed<BTreeMap<String, u64>>,
    other_pids: Observed<BTreeSet<u32>>,
    /// Processes that were there before this run's workers.
    first_pids: Option<BTreeSet<u32>>,
    /// Whether the driver has listed a worker, so that its process ids are those that this process
    /// knows.
    lists_workers: bool,
    temperature_max: Observed<Celsius>,
    last: Option<GpuReading>,
    /// Samples of the stretch that is under way.
    window: Option<(Instant, Vec<(Instant, GpuReading)>)>,
}

impl GpuLog {
    pub(super) fn new(index: u32) -> GpuLog {
        GpuLog {
            index,
            samples_count: 0,
            clock_events: no_sample(),
            other_pids: no_sample(),
            first_pids: None,
            lists_workers: false,
            temperature_max: no_sample(),
            last: None,
            window: None,
        }
    }

    pub(super) fn push(&mut self, reading: GpuReading, workers: &BTreeSet<u32>) {
        self.samples_count += 1;
        self.count_clock_events(&reading);
        self.find_others(&reading, workers);
        self.temperature_max = match (&self.temperature_max, &reading.temperature_celsius) {
            (Ok(highest), Ok(now)) if highest.0 >= now.0 => Ok(*highest),
            (Ok(highest), Err(_)) => Ok(*highest),
            (_, now) => now.clone(),
        };
        if let Some((_, readings)) = &mut self.window {
            readings.push((Instant::now(), reading.clone()));
        }
        self.last = Some(reading);
    }

    fn count_clock_events(&mut self, reading: &GpuReading) {
        begin(&mut self.clock_events, &reading.clock_events);
        if let Ok(counts) = &mut self.clock_events {
            for name in reading.clock_events.iter().flatten() {
                *counts.entry(name.clone()).or_default() += 1;
            }
        }
    }

    /// Where process ids are those of the host, workers are not known by theirs, and others are
    /// what was there before.
    fn find_others(&mut self, reading: &GpuReading, workers: &BTreeSet<u32>) {
        begin(&mut self.other_pids, &reading.processes);
        let (Ok(known), Ok(processes)) = (&mut self.other_pids, &reading.processes) else {
            return;
        };
        let listed: BTreeSet<u32> = processes.iter().map(|process| process.pid).collect();
        self.lists_workers |= !listed.is_disjoint(workers);
        let first = self.first_pids.get_or_insert_with(|| listed.clone());
        known.extend(
            listed
                .difference(workers)
                .copied()
                .filter(|pid| self.lists_workers || first.contains(pid)),
        );
    }

    pub(super) fn open_window(&mut self) {
        self.window = Some((Instant::now(), Vec::new()));
    }

    pub(super) fn close_window(&mut self) -> GpuWindow {
        let Some((opened, readings)) = self.window.take() else {
            return GpuWindow::default();
        };
        let middle = opened + opened.elapsed() / 2;
        let early = readings.iter().filter(|(at, _)| *at < middle).count();
        GpuWindow {
            readings: readings.into_iter().map(|(_, reading)| reading).collect(),
            early,
        }
    }

    /// Conditions by all samples; a worker may have been listed before it was known as such.
    pub(super) fn conditions(&self, workers: &BTreeSet<u32>) -> GpuConditions {
        let last = self.last.as_ref();
        GpuConditions {
            index: u64::from(self.index),
            samples_count: self.samples_count,
            clock_events: self.clock_events.as_ref().map(events).map_err(Clone::clone),
            other_pids: (self.other_pids.as_ref())
                .map(|pids| pids.difference(workers).copied().map(u64::from).collect())
                .map_err(Clone::clone),
            sm_clock_hertz: last.map_or_else(no_sample, |last| last.sm_clock_hertz.clone()),
            memory_clock_hertz: last.map_or_else(no_sample, |last| last.memory_clock_hertz.clone()),
            power_watts: last.map_or_else(no_sample, |last| last.power_watts.clone()),
            memory_used_bytes: last.map_or_else(no_sample, |last| last.memory_used_bytes.clone()),
            temperature_max_celsius: self.temperature_max.clone(),
        }
    }
}

fn no_sample<T>() -> Observed<T> {
    Err(NO_SAMPLE.into())
}

/// Makes room for what is told from now on; until something is, the latest reason stands there.
fn begin<K: Default, T>(kept: &mut Observed<K>, told: &Observed<T>) {
    if kept.is_err() {
        *kept = told.as_ref().map(|_| K::default()).map_err(Clone::clone);
    }
}

#[cfg(test)]
mod tests {
    use super::super::gpu_window::tests::reading;
    use super::*;
    use crate::record::ClockEvent;
    use crate::units::Watts;

    /// Other processes after `samples`, each the process ids that the driver lists, where 7 is a
    /// worker's.
    fn others(samples: &[&[u32]]) -> Vec<u64> {
        let mut log = GpuLog::new(0);
        for pids in samples {
            log.push(reading(0.0, 1.0, pids), &BTreeSet::from([7]));
        }
        log.conditions(&BTreeSet::from([7])).other_pids.unwrap()
    }

    #[test]
    fn others_are_no_workers_or_where_ids_are_those_of_the_host_what_was_there_before() {
        assert_eq!(others(&[&[], &[7]]), [0; 0]);
        assert_eq!(others(&[&[5], &[5, 7], &[5, 7, 8]]), [5, 8]);
        assert_eq!(
            (others(&[&[], &[107]]), others(&[&[5], &[5, 107]])),
            (vec![], vec![5]),
            "ids of the host"
        );
    }

    #[test]
    fn clock_events_are_counted_and_the_highest_temperature_kept() {
        let mut log = GpuLog::new(3);
        for watts in [650.0, 700.0, 100.0] {
            log.push(reading(0.5, watts, &[]), &BTreeSet::new());
        }
        let seen = log.conditions(&BTreeSet::new());
        assert_eq!((seen.index, seen.samples_count), (3, 3));
        assert_eq!(
            seen.clock_events,
            Ok(vec![ClockEvent {
                reason: "sw_power_cap".into(),
                samples_count: 2
            }])
        );
        assert_eq!(
            (seen.temperature_max_celsius, seen.power_watts),
            (Ok(Celsius(70.0)), Ok(Watts(100.0)))
        );
    }
}
