//! GPUs and energy: what both take while nothing runs, and what a cell takes of its GPU.
//!
//! Blocks of several sessions alternate too fast for a driver's figures, so that each cell on a GPU
//! is measured once more in every launch: for one uninterrupted stretch after its blocks, whose
//! latencies count nowhere.

pub(super) mod rest;
pub(super) mod stretch;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::observed::Observed;
use crate::plan::{CellKey, Plan, SessionSpec};
use crate::record::{
    CpuPower, EnergyMethod, Failure, GpuConditions, GpuEnergy, GpuIdle, GpuMemory, GpuMemoryScope,
    GpuSampling, GpuUse, Monitoring,
};
use crate::runner::Launch;
use crate::sample::nvml::Gpus;
use crate::sample::{GPU_PERIOD, GpuMonitor, GpuWindow, OwnProcesses, Roots};
use crate::text::Plain;
use crate::units::{Bytes, Joules, Nanos};

/// Updates of an energy counter that a stretch must hold, so that its ends cost a tenth at most.
const LEAST_UPDATES: u64 = 10;

pub(super) struct EnergyWatch {
    /// One entry for each session of the plan.
    devices: Vec<Device>,
    /// Absent if no session computes on a GPU, or the GPUs cannot be asked.
    monitor: Option<GpuMonitor>,
    idle: Vec<GpuIdle>,
    cpu: Observed<CpuPower>,
    /// Rise of the device's level while a launch's worker ran, by number of the launch.
    risen: BTreeMap<u64, Observed<i64>>,
    /// Time that stretches have taken.
    spent: Duration,
    /// How many each cell has had.
    stretches: BTreeMap<CellKey, u32>,
}

#[derive(Clone)]
enum Device {
    None,
    Known(u32),
    /// The session computes on a GPU, but nothing can be asked.
    Unknown(Plain),
}

impl Device {
    fn index(&self) -> Option<u32> {
        match self {
            Device::Known(index) => Some(*index),
            Device::None | Device::Unknown(_) => None,
        }
    }
}

impl EnergyWatch {
    /// `own` are the processes of this run.
    pub(super) fn begin(plan: &Plan, roots: &Roots, own: OwnProcesses) -> EnergyWatch {
        let gpus = plan
            .sessions
            .iter()
            .any(|session| session.nvidia_device().is_some())
            .then(|| Gpus::open(roots).map_err(|error| error.reason().into()));
        let visible = std::env::var("CUDA_VISIBLE_DEVICES").ok();
        let mut watch = EnergyWatch {
            devices: plan
                .sessions
                .iter()
                .map(|session| device(session, gpus.as_ref(), visible.as_deref()))
                .collect(),
            monitor: None,
            idle: Vec::new(),
            cpu: Err("the run has not begun".into()),
            risen: BTreeMap::new(),
            spent: Duration::ZERO,
            stretches: BTreeMap::new(),
        };
        let used = watch.used();
        watch.monitor = gpus
            .and_then(Result::ok)
            .filter(|_| !used.is_empty())
            .map(|gpus| GpuMonitor::begin(gpus, &used, GPU_PERIOD, own));
        watch
    }

    /// Takes in sessions that the plan has got since: each computes where one with the same device
    /// does.
    pub(super) fn extend(&mut self, sessions: &[SessionSpec]) {
        for session in self.devices.len()..sessions.len() {
            let device = (0..session)
                .find(|&other| sessions[other].nvidia_device() == sessions[session].nvidia_device())
                .map_or(Device::None, |other| self.devices[other].clone());
            self.devices.push(device);
        }
    }

    fn used(&self) -> BTreeSet<u32> {
        self.devices.iter().filter_map(Device::index).collect()
    }

    pub(super) fn monitoring(&self) -> Monitoring {
        let unknown = self.devices.iter().find_map(|device| match device {
            Device::Unknown(reason) => Some(reason.clone()),
            _ => None,
        });
        let gpus = match (&self.monitor, unknown) {
            (Some(monitor), _) => Ok(GpuSampling {
                period_ns: GPU_PERIOD.into(),
                cost_ns: monitor.cost(),
                ended_early: monitor.lost(),
                idle: self.idle.clone(),
            }),
            (None, Some(reason)) => Err(reason),
            (None, None) => Err("no session ran on an NVIDIA GPU".into()),
        };
        Monitoring {
            cpu: self.cpu.clone(),
            gpus,
        }
    }

    pub(super) fn level(&self, session: usize) -> Option<Observed<Bytes>> {
        Some(
            self.monitor
                .as_ref()?
                .gpus()
                .memory_used(self.devices.get(session)?.index()?),
        )
    }

    pub(super) fn worked(
        &mut self,
        session: usize,
        launch: &Launch,
        before: Option<Observed<Bytes>>,
    ) {
        let (Some(before), Some(after)) = (before, self.level(session)) else {
            return;
        };
        let risen = self.risen.entry(launch.record.launch).or_insert(Ok(0));
        *risen = match (&*risen, &rise(before, after)) {
            (Ok(risen), Ok(more)) => Ok(risen + more),
            (Err(reason), _) | (_, Err(reason)) => Err(reason.clone()),
        };
    }

    pub(super) fn conditions(&self) -> Vec<GpuConditions> {
        self.monitor
            .as_ref()
            .map(GpuMonitor::conditions)
            .unwrap_or_default()
    }

    /// Says so where the GPU was lost.
    pub(super) fn explained(&self, session: usize, failure: &Failure) -> Failure {
        let lost = self.monitor.as_ref().and_then(GpuMonitor::lost);
        match (self.devices.get(session), lost) {
            (Some(Device::Known(_)), Some(lost)) => Failure {
                message: format!("{}; {}", lost.exact(), failure.message.exact()).into(),
                hint: Some(
                    "search for `Xid` in the kernel's log (`dmesg`), and reset the GPU or restart the machine".into(),
                ),
                ..failure.clone()
            },
            _ => failure.clone(),
        }
    }

    fn memory(
        &self,
        launch: &Launch,
        window: &GpuWindow,
        before: &Observed<Bytes>,
    ) -> Observed<GpuMemory> {
        if let Some(bytes) = window.process_memory_max(launch.worker.pid) {
            return Ok(GpuMemory {
                bytes,
                scope: GpuMemoryScope::Process,
            });
        }
        let Some(risen) = self.risen.get(&launch.record.launch) else {
            return Err("its level was never read".into());
        };
        let in_stretch = rise(before.clone(), window.memory_used_max())?.max(0);
        let bytes = u64::try_from(risen.clone()? + in_stretch).unwrap_or(0);
        Ok(GpuMemory {
            bytes: Bytes(bytes),
            scope: GpuMemoryScope::Device,
        })
    }

    /// By how much a device's level rose while this worker alone was busy; `None` where a stretch
    /// tells it.
    pub(super) fn memory_without_stretch(
        &self,
        launch: &Launch,
        used: Option<&Observed<GpuUse>>,
    ) -> Option<Observed<GpuMemory>> {
        let Some(Err(_)) = used else { return None };
        let index = self.devices.get(launch.record.session)?.index()?;
        let monitor = self.monitor.as_ref()?;
        if let Some(lost) = monitor.lost() {
            return Some(Err(lost));
        }
        monitor.open_window();
        let window = monitor.close_window(index);
        Some(self.memory(launch, &window, &window.memory_used_max()))
    }

    fn energy(
        &self,
        index: u32,
        ends: CounterEnds,
        window: &GpuWindow,
        elapsed: Nanos,
    ) -> Observed<GpuEnergy> {
        let (before, after) = match (ends.before, ends.after) {
            (Ok(before), Ok(after)) => (before, after),
            (Err(reason), _) | (_, Err(reason)) => {
                return Ok(GpuEnergy {
                    joules: window.power_mean().map_err(|_| reason)?.over(elapsed),
                    method: EnergyMethod::PowerSamples,
                });
            }
        };
        if after.0 < before.0 {
            return Err("the GPU's energy counter began anew: the driver was loaded again".into());
        }
        let period = self.counter_period(index)?;
        if elapsed.0 < period.0.saturating_mul(LEAST_UPDATES) {
            return Err(format!(
                "the stretch of {} ms is shorter than {LEAST_UPDATES} updates of the energy counter, one each {} ms",
                elapsed.0 / 1_000_000,
                period.0 / 1_000_000
            )
            .into());
        }
        Ok(GpuEnergy {
            joules: Joules(after.0 - before.0),
            method: EnergyMethod::Counter,
        })
    }

    /// Time between two updates of a GPU's energy counter.
    fn counter_period(&self, index: u32) -> Observed<Nanos> {
        match self.idle.iter().find(|idle| idle.index == u64::from(index)) {
            Some(idle) => idle.counter_period_ns.clone(),
            None => Err("the GPU was not observed before the run".into()),
        }
    }
}

/// A GPU's energy counter before and after a stretch.
struct CounterEnds {
    before: Observed<Joules>,
    after: Observed<Joules>,
}

/// The GPU of a session; `gpus` is absent where no session computes on one.
fn device(session: &SessionSpec, gpus: Option<&Observed<Gpus>>, visible: Option<&str>) -> Device {
    match (session.nvidia_device(), gpus) {
        (Some(ordinal), Some(Ok(gpus))) => match gpus.resolve(ordinal, visible) {
            Ok(index) => Device::Known(index),
            Err(error) => Device::Unknown(error.reason().into()),
        },
        (Some(_), Some(Err(reason))) => Device::Unknown(reason.clone()),
        _ => Device::None,
    }
}

fn rise(before: Observed<Bytes>, after: Observed<Bytes>) -> Observed<i64> {
    Ok(after?.0.cast_signed() - before?.0.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(counter_period_ns: Observed<Nanos>) -> EnergyWatch {
        EnergyWatch {
            devices: vec![Device::Known(0)],
            monitor: None,
            idle: vec![GpuIdle {
                index: 0,
                power_watts: Err("no".into()),
                counter_period_ns,
            }],
            cpu: Err("no".into()),
            risen: BTreeMap::new(),
            spent: Duration::ZERO,
            stretches: BTreeMap::new(),
        }
    }

    #[test]
    fn energy_is_what_the_counter_rose_by_in_ten_updates_or_more() {
        const SECOND: u64 = 1_000_000_000;
        let period = |ns| Ok(Nanos(ns));
        let rise = |from, to| [Ok(Joules(from)), Ok(Joules(to))];
        let absent = [Err("the GPU does not offer it".into()), Ok(Joules(1.0))];
        let short = "the stretch of 999 ms is shorter than 10 updates of the energy counter, one each 100 ms";
        let anew = "the GPU's energy counter began anew: the driver was loaded again";
        let counted = GpuEnergy {
            joules: Joules(250.0),
            method: EnergyMethod::Counter,
        };
        for (name, period, ends, elapsed, expected) in [
            (
                "ten updates",
                period(SECOND / 10),
                rise(1000.0, 1250.0),
                SECOND,
                Ok(counted),
            ),
            (
                "fewer",
                period(SECOND / 10),
                rise(1000.0, 1250.0),
                999_000_000,
                Err(short),
            ),
            (
                "unknown steps",
                Err("it never changed".into()),
                rise(1000.0, 1250.0),
                SECOND,
                Err("it never changed"),
            ),
            (
                "a counter that fell",
                period(1),
                rise(1000.0, 3.0),
                SECOND,
                Err(anew),
            ),
            (
                "no counter and no power",
                Err("no".into()),
                absent,
                SECOND,
                Err("the GPU does not offer it"),
            ),
        ] {
            let [before, after] = ends;
            let ends = CounterEnds { before, after };
            assert_eq!(
                watch(period).energy(0, ends, &GpuWindow::default(), Nanos(elapsed)),
                expected.map_err(Plain::from),
                "{name}"
            );
        }
    }
}
