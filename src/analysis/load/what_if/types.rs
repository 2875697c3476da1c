//! What is simulated of other ways of serving. Data only.

use serde::Serialize;

use crate::plan::{Arrivals, Serving};
use crate::units::{Nanos, PerSecond, Ratio};

/// What a simulation says of other ways in which a session could be served.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WhatIf {
    /// Index into [`Plan::sessions`](crate::plan::Plan::sessions).
    pub session: usize,
    /// How requests arrive in it: as in the run, or independently of each other where that follows
    /// answers or a trace.
    pub arrivals: Arrivals,
    /// What service times are drawn from, by batch size.
    pub measured: Vec<MeasuredSize>,
    /// Each rate, ascending.
    pub rates: Vec<WhatIfRate>,
    /// The highest rate that keeps the SLO on one machine; absent without an SLO, or where no
    /// setting keeps it.
    pub highest: Option<WhatIfCapacity>,
    /// Machines for each rate that one does not hold, by [`WhatIf::highest`].
    pub needed: Vec<MachinesNeeded>,
}

/// Service times of one batch size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MeasuredSize {
    /// Requests in an inference.
    pub batch_size: u64,
    /// Inferences that were measured.
    pub inferences_count: u64,
    /// Mean time of one.
    pub mean_ns: Nanos,
}

/// Ways of serving at one rate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WhatIfRate {
    /// Requests per second.
    pub rate_per_sec: PerSecond,
    /// Each setting.
    pub settings: Vec<Simulated>,
    /// Indices into `settings` of the best up to three: those that keep the SLO by their 99th
    /// percentile, then the others. Simulated with more requests than the others were.
    pub best: Vec<usize>,
}

/// What becomes of requests at one rate in one way of serving, simulated.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Simulated {
    /// How it is served.
    pub serving: Serving,
    /// Requests behind it.
    pub requests_count: u64,
    /// Mean response time.
    pub response_mean_ns: Nanos,
    /// Median response time.
    pub response_p50_ns: Nanos,
    /// 99th percentile of the response time.
    pub response_p99_ns: Nanos,
    /// Requests completed per second.
    pub achieved_per_sec: PerSecond,
    /// Share of the time of all threads in which they run inferences.
    pub utilization_ratio: Ratio,
    /// Requests in an inference, the mean.
    pub batch_size_mean: f64,
    /// Share of requests that found the queue full.
    pub rejected_ratio: Ratio,
    /// Whether the SLO is kept; absent without one.
    pub keeps_slo: Option<bool>,
}

/// The highest rate that keeps the SLO, simulated.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WhatIfCapacity {
    /// How it is served.
    pub serving: Serving,
    /// Requests per second.
    pub rate_per_sec: PerSecond,
}

/// Machines of this kind for a rate, each with its share of the requests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MachinesNeeded {
    /// Requests per second.
    pub rate_per_sec: PerSecond,
    /// Machines.
    pub machines_count: u64,
}

impl Simulated {
    /// Settings that keep the SLO come first, then by the 99th percentile; of those that are alike,
    /// the one with fewer threads.
    pub(super) fn rank(&self) -> (bool, Nanos, u64) {
        let breaks = self.keeps_slo == Some(false);
        (breaks, self.response_p99_ns, self.serving.callers)
    }
}
