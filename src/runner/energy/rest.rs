//! Power of the machine while nothing of the run computes on it.

use std::time::{Duration, Instant};

use super::EnergyWatch;
use crate::observed::Observed;
use crate::record::{CpuPower, GpuIdle};
use crate::runner::Extent;
use crate::runner::time::times;
use crate::sample::nvml::Gpus;
use crate::sample::{GpuWindow, Sampler};
use crate::text::Plain;
use crate::units::{Joules, Nanos};

/// How long the machine is looked at before anything of the run computes on it, and again while its
/// GPUs are not at rest.
const IDLE: Duration = Duration::from_millis(500);
/// How long a GPU is given to come to rest. An NVIDIA H100 kept its clocks for 1.75 s after the
/// last process had left it, and its power, told as an average, fell for another second (measured
/// with driver 580).
const REST: Duration = Duration::from_secs(5);
/// Share of the budget that it may take at most.
const REST_SHARE: f64 = 0.1;
/// How often a GPU's energy counter is read meanwhile, to see how often it changes.
const IDLE_STEP: Duration = Duration::from_millis(2);

impl EnergyWatch {
    /// Looks at the machine while no worker runs, until its GPUs are at rest or `patience` is at an
    /// end.
    pub(in crate::runner) async fn look_at_idle(&mut self, sampler: &Sampler, patience: Duration) {
        if self.monitor.is_none()
            && let Err(error) = sampler.rapl()
        {
            self.cpu = Err(error.to_string().into());
            return;
        }
        let mut counters: Vec<Counter> = self.used().into_iter().map(Counter::of).collect();
        let began = Instant::now();
        let mut windows = self.look(sampler, &mut counters).await;
        while !windows.iter().all(GpuWindow::is_at_rest) && began.elapsed() < patience {
            windows = self.look(sampler, &mut counters).await;
        }
        let waited = began.elapsed();
        let idle = counters.into_iter().zip(windows);
        self.idle = idle
            .map(|(counter, window)| counter.idle(&window, waited))
            .collect();
    }

    async fn look(&mut self, sampler: &Sampler, counters: &mut [Counter]) -> Vec<GpuWindow> {
        if let Some(monitor) = &self.monitor {
            monitor.open_window();
        }
        let began = Instant::now();
        let before = sampler.rapl().map(|rapl| rapl.read());
        while began.elapsed() < IDLE {
            tokio::time::sleep(IDLE_STEP).await;
            if let Some(monitor) = &self.monitor {
                for counter in &mut *counters {
                    counter.look(monitor.gpus());
                }
            }
        }
        self.cpu = match (before, sampler.rapl()) {
            (Ok(before), Ok(rapl)) => before
                .zip(rapl.read())
                .and_then(|(before, after)| {
                    after.since(&before).total().over(began.elapsed().into())
                })
                .ok_or("an energy counter could not be read any more".into())
                .map(|idle_watts| CpuPower {
                    domains: rapl.names().into_iter().map(Plain::from).collect(),
                    idle_watts,
                }),
            (Err(error), _) | (_, Err(error)) => Err(error.to_string().into()),
        };
        let Some(monitor) = &self.monitor else {
            return Vec::new();
        };
        counters
            .iter()
            .map(|one| monitor.close_window(one.index))
            .collect()
    }
}

/// How long GPUs are waited for before a run. A probe has no use for what they take at rest.
pub(in crate::runner) fn patience(extent: Extent, budget: Option<Nanos>) -> Duration {
    if matches!(extent, Extent::Probe(_)) {
        return Duration::ZERO;
    }
    budget.map_or(REST, |budget| {
        REST.min(Duration::from(budget).mul_f64(REST_SHARE))
    })
}

fn restless(waited: Duration) -> String {
    format!(
        "the GPU was not at rest within {:.1} s before the run: let it alone for some seconds, and end other processes on it",
        waited.as_secs_f64()
    )
}

#[derive(Default)]
struct Counter {
    index: u32,
    last: Option<Joules>,
    changes: Vec<Instant>,
    absent: Option<Plain>,
}

impl Counter {
    fn of(index: u32) -> Self {
        Counter {
            index,
            ..Counter::default()
        }
    }

    fn look(&mut self, gpus: &Gpus) {
        match gpus.energy(self.index) {
            Ok(now) if self.last.replace(now).is_some_and(|last| last != now) => {
                self.changes.push(Instant::now());
            }
            Ok(_) => {}
            Err(reason) => self.absent = Some(reason),
        }
    }

    fn idle(self, window: &GpuWindow, waited: Duration) -> GpuIdle {
        GpuIdle {
            index: self.index.into(),
            power_watts: if window.is_at_rest() {
                window.power_mean()
            } else {
                Err(restless(waited).into())
            },
            counter_period_ns: self.period(),
        }
    }

    /// Mean time between two changes.
    fn period(self) -> Observed<Nanos> {
        match (self.absent, self.changes.as_slice()) {
            (Some(reason), _) => Err(reason),
            (None, [first, .., last]) => Ok(Nanos::from(
                last.duration_since(*first) / times(self.changes.len() - 1),
            )),
            (None, _) => Err(format!(
                "the energy counter changed less than twice in {} ms before the run",
                IDLE.as_millis()
            )
            .into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn update_period_is_the_mean_time_between_changes() {
        let start = Instant::now();
        let changes = [0, 20, 41, 60].map(|ms| start + Duration::from_millis(ms));
        let counter = Counter {
            changes: changes.into(),
            ..Counter::default()
        };
        assert_eq!(counter.period(), Ok(Nanos(20_000_000)));
        assert!(
            Counter::default()
                .period()
                .unwrap_err()
                .contains("less than twice")
        );
    }
}
