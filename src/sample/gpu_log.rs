//! What samples of a GPU add up to: over a whole run, and over one stretch of a cell.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::nvml::GpuReading;
use crate::observed::Observed;
use crate::record::{ClockEvent, GpuConditions, GpuEnergy, GpuMemory, GpuUse};
use crate::units::{Bytes, Celsius, Hertz, Nanos, Ratio, Watts};

const NO_SAMPLE: &str = "no sample was taken";

const IDLE: &str = "gpu_idle";
/// Share by which the power of a GPU at rest may change within a look at it.
const REST_SPREAD: f64 = 0.03;

#[derive(Debug)]
pub(super) struct GpuLog {
    pub(super) index: u32,
    samples_count: u64,
    clock_events: Observed<BTreeMap<&'static str, u64>>,
    other_pids: Observed<BTreeSet<u32>>,
    /// Processes that were there before this run's workers.
    first_pids: Option<BTreeSet<u32>>,
    /// Whether the driver has listed a worker, so that its process ids are those that this process knows.
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
            clock_events: Err(NO_SAMPLE.into()),
            other_pids: Err(NO_SAMPLE.into()),
            first_pids: None,
            lists_workers: false,
            temperature_max: Err(NO_SAMPLE.into()),
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
        match (&mut self.clock_events, &reading.clock_events) {
            (Ok(counts), Ok(names)) => names
                .iter()
                .for_each(|&name| *counts.entry(name).or_default() += 1),
            (counts @ Err(_), Ok(names)) => {
                *counts = Ok(names.iter().map(|&name| (name, 1)).collect())
            }
            (counts @ Err(_), Err(reason)) => *counts = Err(reason.clone()),
            (Ok(_), Err(_)) => {}
        }
    }

    /// Where process ids are those of the host, workers are not known by theirs, and others are what was there before.
    fn find_others(&mut self, reading: &GpuReading, workers: &BTreeSet<u32>) {
        let listed: BTreeSet<u32> = match &reading.processes {
            Ok(processes) => processes.iter().map(|process| process.pid).collect(),
            Err(reason) => {
                if self.other_pids.is_err() {
                    self.other_pids = Err(reason.clone());
                }
                return;
            }
        };
        self.lists_workers |= listed.iter().any(|pid| workers.contains(pid));
        let first = self.first_pids.get_or_insert_with(|| listed.clone());
        let is_other =
            |pid: &&u32| !workers.contains(pid) && (self.lists_workers || first.contains(pid));
        let others: BTreeSet<u32> = listed.iter().filter(is_other).copied().collect();
        match &mut self.other_pids {
            Ok(known) => known.extend(others),
            unknown => *unknown = Ok(others),
        }
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
            early,
            readings: readings.into_iter().map(|(_, reading)| reading).collect(),
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

fn events(counts: &BTreeMap<&'static str, u64>) -> Vec<ClockEvent> {
    counts
        .iter()
        .map(|(&reason, &samples_count)| ClockEvent {
            reason: reason.into(),
            samples_count,
        })
        .collect()
}

/// The samples of one stretch, in their order.
#[derive(Clone, Debug, Default)]
pub struct GpuWindow {
    readings: Vec<GpuReading>,
    /// How many of them are of the first half of the stretch.
    early: usize,
}

/// A stretch of a run, and those of its facts that do not come from samples.
#[derive(Clone, Debug)]
pub struct GpuStretch {
    /// Number by which the driver knows the GPU.
    pub index: u32,
    /// Length of the stretch.
    pub elapsed_ns: Nanos,
    /// Inferences completed.
    pub inferences_count: u64,
    /// Memory of the session.
    pub memory: Observed<GpuMemory>,
    /// Energy of the stretch.
    pub energy: Observed<GpuEnergy>,
}

impl GpuWindow {
    /// Use of the GPU in a stretch, by the samples and by facts beside them.
    #[must_use]
    pub fn used(&self, stretch: GpuStretch) -> GpuUse {
        // What a driver tells in the first half is partly an average over what came before.
        let late = &self.readings[self.early.min(self.readings.len())..];
        let utilization =
            |reading: &GpuReading| reading.utilization_ratio.clone().map(|ratio| ratio.0);
        let memory_utilization = |reading: &GpuReading| {
            reading
                .memory_utilization_ratio
                .clone()
                .map(|ratio| ratio.0)
        };
        let sm_clock =
            |reading: &GpuReading| reading.sm_clock_hertz.clone().map(|clock| clock.0 as f64);
        let memory_clock = |reading: &GpuReading| {
            reading
                .memory_clock_hertz
                .clone()
                .map(|clock| clock.0 as f64)
        };
        let temperature =
            |reading: &GpuReading| reading.temperature_celsius.clone().map(|degrees| degrees.0);
        let hertz = |clock: f64| Hertz(clock.round() as u64);
        GpuUse {
            index: u64::from(stretch.index),
            elapsed_ns: stretch.elapsed_ns,
            inferences_count: stretch.inferences_count,
            samples_count: self.readings.len() as u64,
            utilization_mean_ratio: mean(late, utilization).map(Ratio),
            utilization_peak_ratio: fold(late, utilization, f64::max).map(Ratio),
            memory_utilization_mean_ratio: mean(late, memory_utilization).map(Ratio),
            power_mean_watts: (stretch.energy.as_ref())
                .map_err(Clone::clone)
                .and_then(|energy| {
                    energy
                        .joules
                        .over(stretch.elapsed_ns)
                        .ok_or("the stretch took no time".into())
                }),
            memory: stretch.memory,
            energy_by_power_joules: Some(
                self.power_mean()
                    .map(|power| power.over(stretch.elapsed_ns)),
            ),
            energy: stretch.energy,
            sm_clock_mean_hertz: mean(&self.readings, sm_clock).map(hertz),
            sm_clock_min_hertz: fold(&self.readings, sm_clock, f64::min).map(hertz),
            memory_clock_mean_hertz: mean(&self.readings, memory_clock).map(hertz),
            temperature_max_celsius: fold(&self.readings, temperature, f64::max).map(Celsius),
            clock_events: self.clock_events(),
        }
    }

    /// Whether nothing ran on the GPU all the time, and nothing that had run before still showed: the driver says so in
    /// every sample, and the power, which is an average over the last second or so, stays where it is. Also where the
    /// driver tells nothing.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        let is_idle = |reading: &GpuReading| {
            reading
                .clock_events
                .as_ref()
                .is_ok_and(|events| events.contains(&IDLE))
        };
        let tells = self
            .readings
            .iter()
            .any(|reading| reading.clock_events.is_ok());
        let power = |reading: &GpuReading| reading.power_watts.clone().map(|power| power.0);
        let ends = [f64::min, f64::max].map(|choose| fold(&self.readings, power, choose));
        let is_steady = match ends {
            [Ok(least), Ok(most)] => most - least <= REST_SPREAD * most,
            _ => true,
        };
        !tells || is_steady && self.readings.iter().all(is_idle)
    }

    /// Mean of the sampled power.
    pub fn power_mean(&self) -> Observed<Watts> {
        mean(&self.readings, |reading| {
            reading.power_watts.clone().map(|power| power.0)
        })
        .map(Watts)
    }

    /// Most memory that the driver lists for a process; `None` if it does not list it.
    #[must_use]
    pub fn process_memory_max(&self, pid: u32) -> Option<Bytes> {
        let listed = self
            .readings
            .iter()
            .filter_map(|reading| reading.processes.as_ref().ok())
            .flatten();
        listed
            .filter(|process| process.pid == pid)
            .filter_map(|process| process.memory_bytes)
            .max()
    }

    /// Most memory in use on the whole device.
    pub fn memory_used_max(&self) -> Observed<Bytes> {
        let used = |reading: &GpuReading| reading.memory_used_bytes.clone().map(Bytes::as_f64);
        fold(&self.readings, used, f64::max).map(|bytes| Bytes(bytes as u64))
    }

    fn clock_events(&self) -> Observed<Vec<ClockEvent>> {
        let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
        for name in told(&self.readings, |reading| reading.clock_events.clone())?
            .into_iter()
            .flatten()
        {
            *counts.entry(name).or_default() += 1;
        }
        Ok(events(&counts))
    }
}

/// The values that were told; if none was, the first reason.
fn told<T>(
    readings: &[GpuReading],
    value: impl Fn(&GpuReading) -> Observed<T>,
) -> Observed<Vec<T>> {
    let (mut values, mut reason) = (Vec::new(), None);
    for reading in readings {
        match value(reading) {
            Ok(value) => values.push(value),
            Err(why) => reason = reason.or(Some(why)),
        }
    }
    if values.is_empty() {
        Err(reason.unwrap_or_else(|| NO_SAMPLE.into()))
    } else {
        Ok(values)
    }
}

fn mean(readings: &[GpuReading], value: impl Fn(&GpuReading) -> Observed<f64>) -> Observed<f64> {
    told(readings, value).map(|values| values.iter().sum::<f64>() / values.len() as f64)
}

fn fold(
    readings: &[GpuReading],
    value: impl Fn(&GpuReading) -> Observed<f64>,
    choose: fn(f64, f64) -> f64,
) -> Observed<f64> {
    told(readings, value)?
        .into_iter()
        .reduce(choose)
        .ok_or_else(|| NO_SAMPLE.into())
}

#[cfg(test)]
mod tests {
    use super::super::nvml::GpuProcess;
    use super::*;

    fn reading(utilization: f64, watts: f64, pids: &[u32]) -> GpuReading {
        let refused = || "the GPU does not offer it".into();
        GpuReading {
            utilization_ratio: Ok(Ratio(utilization)),
            memory_utilization_ratio: Err(refused()),
            memory_used_bytes: Ok(Bytes((watts * 10.0) as u64)),
            power_watts: Ok(Watts(watts)),
            sm_clock_hertz: Ok(Hertz(1_980_000_000)),
            memory_clock_hertz: Err(refused()),
            temperature_celsius: Ok(Celsius(watts / 10.0)),
            clock_events: Ok(if watts > 600.0 {
                vec!["sw_power_cap"]
            } else {
                Vec::new()
            }),
            processes: Ok(pids
                .iter()
                .map(|&pid| GpuProcess {
                    pid,
                    memory_bytes: Some(Bytes(u64::from(pid))),
                })
                .collect()),
        }
    }

    fn stretch() -> GpuStretch {
        GpuStretch {
            index: 0,
            elapsed_ns: Nanos(500_000_000),
            inferences_count: 10,
            memory: Err("no".into()),
            energy: Ok(GpuEnergy {
                joules: crate::units::Joules(150.0),
                method: crate::record::EnergyMethod::Counter,
            }),
        }
    }

    #[test]
    fn utilization_is_of_the_second_half_and_clocks_of_the_whole() {
        let readings = vec![
            reading(0.1, 100.0, &[]),
            reading(0.8, 700.0, &[7]),
            reading(0.9, 300.0, &[7, 9]),
        ];
        let window = GpuWindow { readings, early: 1 };
        let used = window.used(stretch());
        assert_eq!(used.utilization_peak_ratio, Ok(Ratio(0.9)));
        assert!((used.utilization_mean_ratio.unwrap().0 - 0.85).abs() < 1e-12);
        assert_eq!(used.power_mean_watts, Ok(Watts(300.0)));
        // (100 + 700 + 300) W / 3 for half a second, beside the counter's 150 J.
        assert!((used.energy_by_power_joules.unwrap().unwrap().0 - 1100.0 / 6.0).abs() < 1e-9);
        assert_eq!(used.temperature_max_celsius, Ok(Celsius(70.0)));
        assert_eq!(
            used.clock_events,
            Ok(vec![ClockEvent {
                reason: "sw_power_cap".into(),
                samples_count: 1
            }])
        );
        assert_eq!(
            used.memory_clock_mean_hertz,
            Err("the GPU does not offer it".into())
        );
        assert_eq!(
            (window.process_memory_max(9), window.process_memory_max(8)),
            (Some(Bytes(9)), None)
        );
        assert_eq!(window.memory_used_max(), Ok(Bytes(7000)));
    }

    #[test]
    fn gpu_is_at_rest_while_nothing_runs_and_its_power_stays() {
        let of = |watts: &[f64], events: &[&'static str]| {
            let reading = |&watts: &f64| GpuReading {
                clock_events: Ok(events.to_vec()),
                ..reading(0.0, watts, &[])
            };
            GpuWindow {
                readings: watts.iter().map(reading).collect(),
                early: 0,
            }
            .is_at_rest()
        };
        assert!(of(&[74.3, 74.2, 74.4], &["gpu_idle"]));
        // Clocks stay up for a while after the last process, and the average falls after that.
        assert!(!of(&[126.3, 126.2, 126.3], &[]) && !of(&[122.9, 97.2, 76.4], &["gpu_idle"]));
        let untold = GpuReading {
            clock_events: Err("the GPU does not offer it".into()),
            ..reading(0.0, 74.0, &[])
        };
        assert!(
            GpuWindow {
                readings: vec![untold],
                early: 0
            }
            .is_at_rest()
        );
    }

    #[test]
    fn stretch_without_a_sample_says_so() {
        let used = GpuWindow::default().used(stretch());
        assert_eq!(used.utilization_mean_ratio, Err(NO_SAMPLE.into()));
        assert_eq!(used.energy_by_power_joules, Some(Err(NO_SAMPLE.into())));
        assert_eq!(GpuWindow::default().power_mean(), Err(NO_SAMPLE.into()));
    }

    /// Other processes after `samples`, each the process ids that the driver lists, where 7 is a worker's.
    fn others(samples: &[&[u32]]) -> Vec<u64> {
        let mut log = GpuLog::new(0);
        samples
            .iter()
            .for_each(|pids| log.push(reading(0.0, 1.0, pids), &BTreeSet::from([7])));
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
        [650.0, 700.0, 100.0]
            .into_iter()
            .for_each(|watts| log.push(reading(0.5, watts, &[]), &BTreeSet::new()));
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
