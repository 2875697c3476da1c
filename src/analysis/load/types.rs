//! Findings under load. Data only; read [`LoadFindings`] first.

use serde::Serialize;

use super::capacity::Capacity;
use super::point::{LoadPoint, SaturationSign};
use crate::analysis::figures::{Estimate, Figure, find};
use crate::metric::Metric;
use crate::observed::Observed;
use crate::record::{LoadKey, LoadStage};
use crate::text::Plain;
use crate::units::{Bytes, Nanos, PerSecond};

/// What a run under load says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadFindings {
    /// Each session in each way in which it was served, in the order of the plan.
    pub candidates: Vec<LoadCandidate>,
    /// Each candidate but the first against the first.
    pub comparisons: Vec<LoadComparison>,
    /// With how little each rate that was asked for is held.
    pub fewest: Vec<Fewest>,
}

/// A session, served in one way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadCandidate {
    /// The session and how it is served.
    pub key: LoadKey,
    /// Label of the session.
    pub label: Plain,
    /// Figures of [`Group::Load`](crate::metric::Group::Load); those of one rate are in `points`.
    pub figures: Vec<Figure>,
    /// What was measured, by stage and then by rate.
    pub points: Vec<LoadPoint>,
    /// The highest rate that keeps the SLO.
    pub capacity: Capacity,
    /// From which rate on less is completed than comes, or why that is not known.
    pub saturation: Observed<Saturation>,
    /// Where it breaks, or why that is not known.
    pub stress: Observed<Stress>,
    /// What changes over a long time, or why that is not known.
    pub soak: Observed<Soak>,
    /// Whether outputs under load are those without, or why that is not known.
    pub integrity: Observed<OutputsUnderLoad>,
    /// What the capacity is worth.
    pub worth: CapacityWorth,
}

/// From which rate on less is completed than comes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "reached")]
pub enum Saturation {
    /// At this rate and every higher one that was measured.
    From {
        /// Requests per second.
        rate_per_sec: PerSecond,
        /// The highest measured rate below it, at which all that comes is completed.
        kept_up_per_sec: Option<PerSecond>,
        /// What shows it.
        sign: SaturationSign,
    },
    /// All that comes is completed at every rate that was measured.
    No {
        /// The highest of them, in requests per second.
        up_to_per_sec: PerSecond,
    },
}

/// What a rising rate did, and what came after it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stress {
    /// Offered rate, in requests per second, from which on completed requests fall behind or errors
    /// pass their limit; over rounds.
    pub breaking_point: Estimate,
    /// The highest rate that was offered.
    pub highest_offered_per_sec: PerSecond,
    /// How it fails beyond the breaking point; absent where it does not.
    pub failure_mode: Option<FailureMode>,
    /// From the fall of the rate until responses are again what they were before, in nanoseconds;
    /// over rounds.
    pub recovery: Estimate,
    /// Median response of a part of the segment up to which it counts as recovered: the most of the
    /// time before.
    pub recovered_up_to_ns: Option<Nanos>,
    /// Rounds with a ramp.
    pub rounds_count: u64,
}

/// How a session fails that is offered more than it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureMode {
    /// Requests wait longer and longer.
    Waiting,
    /// Requests are rejected, because the queue is full.
    Rejections,
    /// Inferences fail.
    Errors,
    /// The process runs out of memory.
    Memory,
    /// The process ends or hangs.
    Crash,
}

/// What changed over a long time at one rate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Soak {
    /// Offered rate.
    pub rate_per_sec: PerSecond,
    /// How long, over all rounds.
    pub length_ns: Nanos,
    /// Median response times of parts of the soak, in nanoseconds.
    pub response: Drift,
    /// Resident memory of each process, in bytes.
    pub memory: Drift,
    /// Open files of each process.
    pub open_files: Drift,
    /// Growth of memory for each request, in bytes.
    pub memory_per_request: Estimate,
    /// Whether memory or files leak.
    pub leak: Leak,
    /// Tests whose error of 5% together is divided among them.
    pub tests_count: u64,
}

/// How a level went over a soak.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drift {
    /// Median of the values.
    pub level: Estimate,
    /// Change in an hour: the median slope of all pairs of values (Theil and Sen), with an interval
    /// that allows for neighbours that are alike, and holds together with those of the other levels:
    /// it is wider than one of 95% alone.
    pub per_hour: Estimate,
    /// The least change in a day that matters.
    pub floor_per_day: f64,
    /// Whether the level moves and goes on to: the interval of the slope excludes 0, its change in a
    /// day is above the floor, so is that over the soak, the second half has at least half the
    /// slope, and no shift describes it better.
    pub drifts: bool,
    /// Moments at which the level moves at once; absent where none is shown.
    pub shifts: Vec<LevelShift>,
}

/// A moment at which a level moves at once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LevelShift {
    /// Since the start of the soak.
    pub at_ns: Nanos,
    /// Median before it.
    pub before: f64,
    /// Median after it.
    pub after: f64,
}

/// Whether memory or files leak.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Leak {
    /// Memory grows, and would grow by more than the floor in a day.
    Memory {
        /// In a day, by the slope.
        in_a_day_bytes: Bytes,
    },
    /// The number of open files grows.
    Files {
        /// In a day, by the slope.
        in_a_day_count: u64,
    },
    /// Neither grows by more than the floor.
    No,
    /// The slope is not known well enough.
    Undecided {
        /// Why, as a lowercase fragment.
        reason: Plain,
    },
}

/// Outputs under load beside those of the same samples without.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutputsUnderLoad {
    /// Requests whose outputs were compared.
    pub checked_count: u64,
    /// Of these, equal to the bit.
    pub same_count: u64,
    /// Of these, within the tolerance.
    pub close_count: u64,
    /// Of these, neither.
    pub wrong_count: u64,
    /// Share of wrong ones, with its interval.
    pub wrong_ratio: Estimate,
    /// Time that comparing took, which is in no response time.
    pub cost_ns: Nanos,
}

/// What a capacity is worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CapacityWorth {
    /// Requests that are completed in a minute at the capacity.
    pub transactions_per_minute: Estimate,
    /// Users whom it serves.
    pub virtual_users: Estimate,
    /// How often each of them sends one.
    pub user_cycle_ns: Nanos,
    /// Price of a million predictions at the capacity, in the currency of the price.
    pub cost_per_million: Estimate,
}

/// The least that keeps the SLO at a rate, of the ways of serving a session that were measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Fewest {
    /// Requests per second that were asked for.
    pub rate_per_sec: PerSecond,
    /// The session and how it is served.
    pub key: LoadKey,
    /// Sessions in all processes.
    pub sessions_count: u64,
    /// Threads that compute at once in all processes: as many CPUs are needed.
    pub threads_count: u64,
}

/// A candidate against the first one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadComparison {
    /// The candidate.
    pub key: LoadKey,
    /// The first one.
    pub reference: LoadKey,
    /// Ratio of the capacities.
    pub capacity_ratio: Estimate,
    /// At each rate that both were offered, over the rounds of both.
    pub rates: Vec<RateComparison>,
}

/// Two candidates at one rate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RateComparison {
    /// The part of the run.
    pub stage: LoadStage,
    /// Offered rate.
    pub rate_per_sec: PerSecond,
    /// Ratio of median responses.
    pub response_p50_ratio: Estimate,
    /// Ratio of 99th percentiles of the response.
    pub response_p99_ratio: Estimate,
}

impl LoadFindings {
    /// The candidate of a key.
    #[must_use]
    pub fn candidate(&self, key: LoadKey) -> Option<&LoadCandidate> {
        self.candidates
            .iter()
            .find(|candidate| candidate.key == key)
    }
}

impl Drift {
    /// Whether the level rises, and goes on to.
    #[must_use]
    pub fn grows(&self) -> bool {
        self.drifts && self.per_hour.value().is_some_and(|slope| slope > 0.0)
    }
}

impl LoadCandidate {
    /// One of its figures of [`Group::Load`](crate::metric::Group::Load).
    #[must_use]
    pub fn figure(&self, metric: Metric) -> Option<&Estimate> {
        find(&self.figures, metric)
    }

    /// Points of a stage, ascending in the rate.
    pub fn of_stage(&self, stage: LoadStage) -> impl Iterator<Item = &LoadPoint> {
        self.points.iter().filter(move |point| point.stage == stage)
    }
}
