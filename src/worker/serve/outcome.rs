//! From what was counted to what the record holds.

use crate::measure::Usage;
use crate::observed::Observed;
use crate::record::{
    BatchRuns, Exchanged, Integrity, LoadCounts, LoadTimes, LoadWindow, SenderPlace, ServedLoad,
};
use crate::stats::Latencies;
use crate::text::Plain;
use crate::traffic::{Tally, Window};
use crate::units::Nanos;

/// How a segment went.
pub(super) struct Course {
    pub tally: Tally,
    pub elapsed: Nanos,
    pub integrity: Observed<Integrity>,
    pub first_error: Option<String>,
    pub exchanged: Option<Exchanged>,
    pub sender: Option<SenderPlace>,
    pub usage: Usage,
}

impl Course {
    pub(super) fn served(self) -> ServedLoad {
        let Course { tally, .. } = self;
        let windows: Vec<LoadWindow> = (1..)
            .zip(&tally.windows)
            .map(|(number, window)| told(window, Nanos(tally.window_length().0 * number)))
            .collect();
        ServedLoad {
            counts: windows
                .iter()
                .fold(LoadCounts::default(), |sum, window| sum.plus(window.counts)),
            elapsed_ns: self.elapsed,
            times: LoadTimes {
                response: tally.response.encode(),
                service: tally.service.encode(),
                waiting: tally.waiting.encode(),
                lag: tally.lag.encode(),
            },
            windows,
            batches: (1..).zip(&tally.runs).filter_map(runs).collect(),
            integrity: self.integrity,
            cpu_time_ns: self.usage.cpu_time_ns,
            first_error: self.first_error.map(Plain::from),
            exchanged: self.exchanged,
            sender: self.sender,
        }
    }
}

fn told(window: &Window, end: Nanos) -> LoadWindow {
    LoadWindow {
        end_ns: end,
        counts: LoadCounts {
            offered: window.offered,
            completed: window.completed,
            rejected: window.rejected,
            failed: window.failed,
        },
        queue: window.queue,
        response_p50_ns: window.responses.median(),
        response_max_ns: (window.completed > 0).then_some(window.response_max),
    }
}

fn runs((size, times): (u64, &Latencies)) -> Option<BatchRuns> {
    (!times.is_empty()).then(|| BatchRuns {
        size,
        runs_count: times.count(),
        service: times.encode(),
    })
}
