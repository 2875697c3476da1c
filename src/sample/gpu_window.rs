//! Summary of the samples of a GPU over one stretch of a cell.

use std::collections::BTreeMap;

use super::nvml::GpuReading;
use crate::observed::Observed;
use crate::record::{ClockEvent, GpuEnergy, GpuMemory, GpuUse};
use crate::units::{Bytes, Celsius, Hertz, Nanos, Ratio, Watts};

pub(super) const NO_SAMPLE: &str = "no sample was taken";
const IDLE: &str = "gpu_idle";
/// Share by which the power of a GPU at rest may change within a look at it.
const REST_SPREAD: f64 = 0.03;

/// The samples of one stretch, in their order.
#[derive(Clone, Debug, Default)]
pub struct GpuWindow {
    pub(super) readings: Vec<GpuReading>,
    /// How many of them are of the first half of the stretch.
    pub(super) early: usize,
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
        let all = &self.readings;
        GpuUse {
            index: u64::from(stretch.index),
            elapsed_ns: stretch.elapsed_ns,
            inferences_count: stretch.inferences_count,
            samples_count: all.len() as u64,
            utilization_mean_ratio: mean(late, utilization).map(Ratio),
            utilization_peak_ratio: fold(late, utilization, f64::max).map(Ratio),
            memory_utilization_mean_ratio: mean(late, |reading| {
                let share = reading.memory_utilization_ratio.clone();
                share.map(|share| share.0)
            })
            .map(Ratio),
            power_mean_watts: stretch.energy.clone().and_then(|energy| {
                let power = energy.joules.over(stretch.elapsed_ns);
                power.ok_or("the stretch took no time".into())
            }),
            memory: stretch.memory,
            energy_by_power_joules: Some(
                self.power_mean()
                    .map(|power| power.over(stretch.elapsed_ns)),
            ),
            energy: stretch.energy,
            sm_clock_mean_hertz: mean(all, sm_clock).map(hertz),
            sm_clock_min_hertz: fold(all, sm_clock, f64::min).map(hertz),
            memory_clock_mean_hertz: mean(all, |reading| {
                let clock = reading.memory_clock_hertz.clone();
                clock.map(|clock| clock.0 as f64)
            })
            .map(hertz),
            temperature_max_celsius: fold(
                all,
                |reading| reading.temperature_celsius.clone().map(|degrees| degrees.0),
                f64::max,
            )
            .map(Celsius),
            clock_events: self.clock_events(),
        }
    }

    /// Whether nothing ran on the GPU all the time, and nothing that had run before still showed:
    /// the driver says so in every sample, and the power, which is an average over the last second
    /// or so, stays where it is. Also where the driver tells nothing.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        let mut told = self.readings.iter().map(|reading| &reading.clock_events);
        told.clone().all(|events| {
            events
                .as_ref()
                .is_ok_and(|events| events.iter().any(|event| event == IDLE))
        }) && self.is_power_steady()
            || !told.any(Result::is_ok)
    }

    fn is_power_steady(&self) -> bool {
        match [f64::min, f64::max].map(|choose| fold(&self.readings, power, choose)) {
            [Ok(least), Ok(most)] => most - least <= REST_SPREAD * most,
            _ => true,
        }
    }

    /// Mean of the sampled power.
    pub fn power_mean(&self) -> Observed<Watts> {
        mean(&self.readings, power).map(Watts)
    }

    /// Most memory that the driver lists for a process; `None` if it does not list it.
    #[must_use]
    pub fn process_memory_max(&self, pid: u32) -> Option<Bytes> {
        self.readings
            .iter()
            .filter_map(|reading| reading.processes.as_ref().ok())
            .flatten()
            .filter(|process| process.pid == pid)
            .filter_map(|process| process.memory_bytes)
            .max()
    }

    /// Most memory in use on the whole device.
    pub fn memory_used_max(&self) -> Observed<Bytes> {
        Ok(
            told(&self.readings, |reading| reading.memory_used_bytes.clone())?
                .into_iter()
                .max()
                .unwrap_or_default(),
        )
    }

    fn clock_events(&self) -> Observed<Vec<ClockEvent>> {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
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
    let values: Vec<T> = readings.iter().flat_map(&value).collect();
    if !values.is_empty() {
        return Ok(values);
    }
    Err(readings
        .iter()
        .find_map(|reading| value(reading).err())
        .unwrap_or_else(|| NO_SAMPLE.into()))
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

fn utilization(reading: &GpuReading) -> Observed<f64> {
    reading.utilization_ratio.clone().map(|ratio| ratio.0)
}

fn sm_clock(reading: &GpuReading) -> Observed<f64> {
    reading.sm_clock_hertz.clone().map(|clock| clock.0 as f64)
}

fn power(reading: &GpuReading) -> Observed<f64> {
    reading.power_watts.clone().map(|power| power.0)
}

fn hertz(clock: f64) -> Hertz {
    Hertz(clock.round() as u64)
}

pub(super) fn events(counts: &BTreeMap<String, u64>) -> Vec<ClockEvent> {
    counts
        .iter()
        .map(|(reason, &samples_count)| ClockEvent {
            reason: reason.as_str().into(),
            samples_count,
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::nvml::GpuProcess;
    use super::*;

    const REFUSED: &str = "the GPU does not offer it";

    pub(in crate::sample) fn reading(utilization: f64, watts: f64, pids: &[u32]) -> GpuReading {
        let capped = (watts > 600.0).then(|| "sw_power_cap".to_owned());
        let process = |&pid: &u32| GpuProcess {
            pid,
            memory_bytes: Some(Bytes(pid.into())),
        };
        GpuReading {
            utilization_ratio: Ok(Ratio(utilization)),
            memory_utilization_ratio: Err(REFUSED.into()),
            memory_used_bytes: Ok(Bytes((watts * 10.0) as u64)),
            power_watts: Ok(Watts(watts)),
            sm_clock_hertz: Ok(Hertz(1_980_000_000)),
            memory_clock_hertz: Err(REFUSED.into()),
            temperature_celsius: Ok(Celsius(watts / 10.0)),
            clock_events: Ok(Vec::from_iter(capped)),
            processes: Ok(pids.iter().map(process).collect()),
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
        let window = GpuWindow {
            readings: vec![
                reading(0.1, 100.0, &[]),
                reading(0.8, 700.0, &[7]),
                reading(0.9, 300.0, &[7, 9]),
            ],
            early: 1,
        };
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
        assert_eq!(used.memory_clock_mean_hertz, Err(REFUSED.into()));
        assert_eq!(
            (window.process_memory_max(9), window.process_memory_max(8)),
            (Some(Bytes(9)), None)
        );
        assert_eq!(window.memory_used_max(), Ok(Bytes(7000)));
    }

    #[test]
    fn gpu_is_at_rest_while_nothing_runs_and_its_power_stays() {
        let idle = || Ok(vec!["gpu_idle".to_owned()]);
        for (watts, events, is_at_rest) in [
            ([74.3, 74.2, 74.4], idle(), true),
            // Clocks stay up for a while after the last process, and the average falls after that.
            ([126.3, 126.2, 126.3], Ok(vec![]), false),
            ([122.9, 97.2, 76.4], idle(), false),
            ([74.0, 74.0, 74.0], Err(REFUSED.into()), true),
        ] {
            let readings = watts.map(|watts| GpuReading {
                clock_events: events.clone(),
                ..reading(0.0, watts, &[])
            });
            let window = GpuWindow {
                readings: readings.into(),
                early: 0,
            };
            assert_eq!(window.is_at_rest(), is_at_rest, "{watts:?}");
        }
    }

    #[test]
    fn stretch_without_a_sample_says_so() {
        let used = GpuWindow::default().used(stretch());
        assert_eq!(used.utilization_mean_ratio, Err(NO_SAMPLE.into()));
        assert_eq!(used.energy_by_power_joules, Some(Err(NO_SAMPLE.into())));
        assert_eq!(GpuWindow::default().power_mean(), Err(NO_SAMPLE.into()));
    }
}
