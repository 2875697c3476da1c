//! Looks at GPUs all the time while a run uses them.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::gpu_log::GpuLog;
use super::gpu_window::GpuWindow;
use super::nvml::Gpus;
use crate::record::GpuConditions;
use crate::text::Plain;
use crate::units::Nanos;

/// Time between two samples. Drivers average utilization over 1/6 s at least, so more samples would
/// tell no more.
pub const GPU_PERIOD: Duration = Duration::from_millis(100);

/// How long a monitor that is dropped waits for its thread: a driver that has lost a GPU may never
/// answer, and one that is unloaded while it does may bring the process down.
const END_PATIENCE: Duration = Duration::from_secs(2);

/// Ids of the processes of a run: shared by who starts them and who is not to take them for others.
#[derive(Clone, Debug, Default)]
pub struct OwnProcesses(Arc<Mutex<BTreeSet<u32>>>);

impl OwnProcesses {
    /// From now on, `pid` is one of this run's.
    pub fn insert(&self, pid: u32) {
        self.ids().insert(pid);
    }

    /// All of them, those that have ended too.
    pub(crate) fn ids(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        // What a thread that panicked has left is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread that samples GPUs until it is dropped, or until one of them is lost.
#[derive(Debug)]
pub struct GpuMonitor {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    gpus: Gpus,
    own: OwnProcesses,
    period: Duration,
    state: Mutex<State>,
    /// Told when the thread is to end, and when it has ended.
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    logs: Vec<GpuLog>,
    costs: Vec<Nanos>,
    lost: Option<String>,
    ended: bool,
    running: bool,
}

impl GpuMonitor {
    /// Begins to sample `devices`, with a first sample before it returns, so that what is there
    /// before any worker is known; `own` are the processes that are not others. Where no thread can
    /// be started, only [`GpuMonitor::sample`] takes samples.
    #[must_use]
    pub fn begin(
        gpus: Gpus,
        devices: &BTreeSet<u32>,
        period: Duration,
        own: OwnProcesses,
    ) -> GpuMonitor {
        let state = State {
            logs: devices.iter().map(|&index| GpuLog::new(index)).collect(),
            costs: Vec::new(),
            lost: None,
            ended: false,
            running: true,
        };
        let shared = Arc::new(Shared {
            gpus,
            own,
            period,
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        shared.sample();
        let sampling = Arc::clone(&shared);
        let run = move || {
            sampling.run();
            sampling.lock().running = false;
            sampling.changed.notify_all();
        };
        if std::thread::Builder::new()
            .name("gpu-monitor".into())
            .spawn(run)
            .is_err()
        {
            shared.lock().running = false;
        }
        GpuMonitor { shared }
    }

    /// The GPUs, to ask them for what no sample holds.
    #[must_use]
    pub fn gpus(&self) -> &Gpus {
        &self.shared.gpus
    }

    /// Takes a sample now, besides those of the thread.
    pub fn sample(&self) {
        self.shared.sample();
    }

    /// From now on, samples are kept for [`GpuMonitor::close_window`].
    pub fn open_window(&self) {
        self.shared
            .lock()
            .logs
            .iter_mut()
            .for_each(GpuLog::open_window);
    }

    /// The samples of a GPU since the window was opened, and one more that is taken now.
    #[must_use]
    pub fn close_window(&self, index: u32) -> GpuWindow {
        self.sample();
        let mut state = self.shared.lock();
        state
            .logs
            .iter_mut()
            .find(|log| log.index == index)
            .map(GpuLog::close_window)
            .unwrap_or_default()
    }

    /// Conditions of the GPUs since the monitor began.
    #[must_use]
    pub fn conditions(&self) -> Vec<GpuConditions> {
        let state = self.shared.lock();
        let own = self.shared.own.ids();
        state.logs.iter().map(|log| log.conditions(&own)).collect()
    }

    /// Why there are no more samples; `None` while there are.
    #[must_use]
    pub fn lost(&self) -> Option<Plain> {
        self.shared.lock().lost.clone().map(Plain::from)
    }

    /// Wall time of taking a sample of all GPUs: median.
    #[must_use]
    pub fn cost(&self) -> Option<Nanos> {
        let mut costs = self.shared.lock().costs.clone();
        costs.sort_unstable();
        costs.get(costs.len() / 2).copied()
    }
}

impl Drop for GpuMonitor {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.ended = true;
        self.shared.changed.notify_all();
        // Whether it has ended or not: there is nothing more to do.
        let _ = self
            .shared
            .changed
            .wait_timeout_while(state, END_PATIENCE, |state| state.running);
    }
}

impl Shared {
    fn run(&self) {
        let mut state = self.lock();
        while !state.ended && state.lost.is_none() {
            state = self
                .changed
                .wait_timeout(state, self.period)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            if state.ended {
                return;
            }
            drop(state);
            self.sample();
            state = self.lock();
        }
    }

    fn sample(&self) {
        let devices: Vec<u32> = {
            let state = self.lock();
            if state.lost.is_some() {
                return;
            }
            state.logs.iter().map(|log| log.index).collect()
        };
        let start = Instant::now();
        for index in devices {
            // Not under the lock: a driver takes milliseconds to answer.
            let reading = self.gpus.read(index);
            let mut state = self.lock();
            let State { logs, lost, .. } = &mut *state;
            match (reading, logs.iter_mut().find(|log| log.index == index)) {
                (Ok(reading), Some(log)) => log.push(reading, &self.own.ids()),
                (Ok(_), None) => {}
                (Err(error), _) => {
                    lost.get_or_insert(error.reason());
                    return;
                }
            }
        }
        self.lock().costs.push(start.elapsed().into());
    }

    /// The state after a thread has panicked is whole: nothing is half done under the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
