//! What was measured of one candidate at one rate.

use serde::Serialize;

use crate::analysis::figures::{Estimate, OfLoad, Source, source};
use crate::metric::Metric;
use crate::record::{Failure, LoadStage};
use crate::stats::Quantile;
use crate::text::Plain;
use crate::units::{Bytes, Nanos, PerSecond};

/// Percentiles that are reported, ascending.
pub(super) const QUANTILES: [Quantile; 5] = [
    Quantile::P50,
    Quantile::P90,
    Quantile::P95,
    Quantile::P99,
    Quantile::P999,
];

/// One candidate at one rate in one part of the run, over its rounds. What is not valid counts for
/// none of the figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadPoint {
    /// The part of the run.
    pub stage: LoadStage,
    /// Requests per second that were asked for, the mean where the rate changes; of virtual users
    /// their number.
    pub asked: PerSecond,
    /// What became of the requests.
    pub flow: Flow,
    /// From the scheduled arrival to the last output.
    pub response: Percentiles,
    /// From the start of the inference to the last output.
    pub service: Percentiles,
    /// From the scheduled arrival to the start of the inference.
    pub waiting: Percentiles,
    /// From the scheduled arrival to the moment of sending, the 99th percentile of all segments,
    /// invalid ones included; absent where nothing was sent.
    pub lag_p99_ns: Option<Nanos>,
    /// What the session took meanwhile.
    pub usage: LoadUsage,
    /// What shows that more comes than is completed; absent where nothing does.
    pub saturated: Option<SaturationSign>,
    /// Segments behind the figures, and those that do not count.
    pub segments: SegmentCounts,
    /// Requests that came in the segments that count.
    pub requests_count: u64,
}

/// What shows that a session is saturated.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum SaturationSign {
    /// Fewer requests are completed than come.
    Behind {
        /// Requests completed over requests that came.
        achieved_ratio: Estimate,
    },
    /// The queue grows.
    QueueGrows {
        /// Requests per second by which it does.
        slope_per_sec: Estimate,
    },
}

/// What became of requests, over rounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Flow {
    /// Requests that came per second of the offer.
    pub offered_per_sec: Estimate,
    /// Requests that were completed per second, until the last of them was.
    pub achieved_per_sec: Estimate,
    /// Requests that found the queue full, per second.
    pub rejected_per_sec: Estimate,
    /// Requests whose inference failed, per second.
    pub failed_per_sec: Estimate,
    /// Requests that were rejected or failed, over all.
    pub error_rate: Estimate,
    /// Requests that were answered within the bound on the response, per second.
    pub goodput_per_sec: Estimate,
}

/// Percentiles of times of requests, in nanoseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Percentiles {
    /// Arithmetic mean.
    pub mean: Estimate,
    /// Median.
    pub p50: Estimate,
    /// 90th percentile.
    pub p90: Estimate,
    /// 95th percentile.
    pub p95: Estimate,
    /// 99th percentile.
    pub p99: Estimate,
    /// 99.9th percentile.
    pub p999: Estimate,
}

/// What a session takes under load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadUsage {
    /// CPU time of its processes over elapsed time and the CPUs that they may use.
    pub cpu_utilization: Estimate,
    /// Requests that wait, mean over time.
    pub queue_mean: Estimate,
    /// Requests that waited at most, at the end of a part of a segment.
    pub queue_most_count: u64,
    /// Requests per second by which the queue grows.
    pub queue_slope_per_sec: Estimate,
    /// Requests of an inference, mean.
    pub batch_mean: Estimate,
    /// Resident memory of its processes together at most; absent where the system does not tell.
    pub peak_memory_bytes: Option<Bytes>,
}

/// Segments of a point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SegmentCounts {
    /// Segments that count.
    pub valid_count: u64,
    /// Rounds that these are of, each in processes of its own.
    pub rounds_count: u64,
    /// Segments that count for nothing, because requests were sent too late.
    pub invalid: Vec<InvalidSegment>,
    /// How segments failed that did not come to their end.
    pub failures: Vec<Failure>,
}

/// A segment that counts for nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InvalidSegment {
    /// Its round.
    pub round: u64,
    /// Why, as a lowercase fragment.
    pub reason: Plain,
}

impl LoadPoint {
    /// Whether anything of it counts.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.segments.valid_count > 0
    }

    /// The figure of a metric of one rate; `None` of other metrics.
    #[must_use]
    pub fn figure(&self, metric: Metric) -> Option<&Estimate> {
        let Source::Load(of_load) = source(metric) else {
            return None;
        };
        match of_load {
            OfLoad::Response(quantile) => self.response.at(quantile),
            OfLoad::ErrorRate => Some(&self.flow.error_rate),
            OfLoad::Goodput => Some(&self.flow.goodput_per_sec),
            OfLoad::Capacity | OfLoad::Recovery | OfLoad::MemoryGrowth => None,
        }
    }
}

impl Percentiles {
    /// The percentile of a quantile; `None` of others than these.
    #[must_use]
    pub fn at(&self, quantile: Quantile) -> Option<&Estimate> {
        QUANTILES
            .iter()
            .position(|&one| one == quantile)
            .map(|place| self.in_order()[place])
    }

    /// In ascending order, the mean left out.
    #[must_use]
    pub fn in_order(&self) -> [&Estimate; 5] {
        [&self.p50, &self.p90, &self.p95, &self.p99, &self.p999]
    }
}
