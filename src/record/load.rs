//! What was found under load: one segment after another, each with whole histograms.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Failure;
use crate::observed::Observed;
use crate::plan::Offer;
use crate::text::Plain;
use crate::units::{Bytes, Nanos};

/// What a run under load found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadRecord {
    /// Segments, in the order in which they were measured.
    pub segments: Vec<LoadSegment>,
}

/// One stretch in which requests arrived at a session that was served in one way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadSegment {
    /// What was loaded.
    pub key: LoadKey,
    /// Round: its processes were started afresh for it.
    pub round: u64,
    /// The part of the run that it belongs to.
    pub stage: LoadStage,
    /// The requests that were to come.
    pub offer: Offer,
    /// Start of the segment, since the start of the run.
    pub started_ns: Nanos,
    /// What each process served, one after another; their histograms add up exactly.
    pub processes: Vec<ProcessLoad>,
    /// CPU time that the server used meanwhile, or why it is not known; absent where the model ran
    /// in the processes.
    #[serde(default)]
    pub server_cpu_time_ns: Option<Observed<Nanos>>,
    /// How the segment failed; absent where it came to its end.
    #[serde(default)]
    pub failure: Option<Failure>,
}

/// A session and a way in which it is served.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct LoadKey {
    /// Index into [`Plan::sessions`](crate::plan::Plan::sessions).
    pub session: usize,
    /// Index into [`LoadPlan::servings`](crate::plan::LoadPlan::servings).
    pub serving: usize,
}

/// The part of a run under load that a segment belongs to.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LoadStage {
    /// A rate that was asked for, or a number of users, or a scenario.
    Asked,
    /// The search for the highest rate that keeps the SLO: rates far apart.
    Bracket,
    /// The search near the edge.
    Edge,
    /// A rate that is held, before it is driven up.
    Before,
    /// The rate rises to beyond what is served, and then falls to half of what was held before,
    /// whatever still waits.
    Ramp,
    /// A long time at one rate.
    Soak,
}

/// What one process served in a segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessLoad {
    /// Index of its launch.
    pub launch: u64,
    /// What it served.
    pub served: ServedLoad,
    /// Memory and open files of the process, over time. Where the model is in a server these are the
    /// server's, and there are none where nobody named its process.
    pub samples: Vec<ProcessSample>,
}

/// Requests that one process served, and how long they took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServedLoad {
    /// Requests by what became of them.
    pub counts: LoadCounts,
    /// From the start of the segment to the last response, or to the end of the offer where that
    /// was later.
    pub elapsed_ns: Nanos,
    /// Their times, whole.
    pub times: LoadTimes,
    /// What happened in each of equal parts of the segment.
    pub windows: Vec<LoadWindow>,
    /// Inferences by the number of requests in them, ascending.
    pub batches: Vec<BatchRuns>,
    /// Whether outputs were what they are without load, or why that is not known.
    pub integrity: Observed<Integrity>,
    /// CPU time of the process, that of the thread that sends included. Nothing of it is the model's
    /// where that is in a server.
    pub cpu_time_ns: Nanos,
    /// The first error of an inference; absent where none failed.
    #[serde(default)]
    pub first_error: Option<Plain>,
    /// Sizes of what was exchanged with a server; absent where the model ran in the process.
    #[serde(default)]
    pub exchanged: Option<Exchanged>,
    /// Where the thread that sends ran; absent where no time passed, since latencies are scripted.
    #[serde(default)]
    pub sender: Option<SenderPlace>,
}

/// Sizes of the bodies that were exchanged with a server, over all requests, without what HTTP puts
/// before them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exchanged {
    /// Of requests.
    pub sent_bytes: Bytes,
    /// Of answers, those of failed requests included.
    pub received_bytes: Bytes,
}

/// Where the thread that sends requests ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SenderPlace {
    /// On a CPU that no thread of the model ran on.
    OwnCpu,
    /// On the CPUs of the model's threads, which take all that the process may use.
    Shared,
}

/// Requests by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoadCounts {
    /// Requests that came.
    pub offered: u64,
    /// Requests that were answered.
    pub completed: u64,
    /// Requests that found the queue full.
    pub rejected: u64,
    /// Requests whose inference failed.
    pub failed: u64,
}

/// Times of requests, each an encoded histogram in the form of
/// [`CellRecord::latency_histogram`](super::CellRecord::latency_histogram).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoadTimes {
    /// From the scheduled arrival to the last output, of completed requests.
    pub response: String,
    /// From the start of the inference to the last output, of completed requests.
    pub service: String,
    /// From the scheduled arrival to the start of the inference, of completed requests.
    pub waiting: String,
    /// From the scheduled arrival to the moment at which the request was sent, of all requests.
    pub lag: String,
}

/// What happened in one part of a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoadWindow {
    /// End of the part, since the start of the segment.
    pub end_ns: Nanos,
    /// Requests by what became of them in it; one counts as offered where it was scheduled and as
    /// the rest where it ended.
    pub counts: LoadCounts,
    /// Requests that waited at its end.
    pub queue: u64,
    /// Median response time of the requests that were completed in it; absent where none was.
    pub response_p50_ns: Option<Nanos>,
    /// Longest response time of these.
    pub response_max_ns: Option<Nanos>,
}

/// Inferences of one batch size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BatchRuns {
    /// Requests in each.
    pub size: u64,
    /// Inferences.
    pub runs_count: u64,
    /// Times of these inferences, encoded like those of [`LoadTimes`].
    pub service: String,
}

/// Outputs under load beside those of the same samples without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Integrity {
    /// Requests whose outputs were compared.
    pub checked: u64,
    /// Of these, equal to the bit.
    pub same: u64,
    /// Of these, within the tolerance.
    pub close: u64,
    /// Of these, neither.
    pub wrong: u64,
    /// Time that comparing took, which is in no response time.
    pub cost_ns: Nanos,
}

/// A process at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessSample {
    /// Since the start of the segment.
    pub at_ns: Nanos,
    /// Resident memory.
    pub memory_bytes: Option<Bytes>,
    /// Open files.
    pub open_files_count: Option<u64>,
}

impl LoadCounts {
    /// The sum, request by request.
    #[must_use]
    pub fn plus(self, other: LoadCounts) -> LoadCounts {
        LoadCounts {
            offered: self.offered + other.offered,
            completed: self.completed + other.completed,
            rejected: self.rejected + other.rejected,
            failed: self.failed + other.failed,
        }
    }

    /// Requests that were not answered.
    #[must_use]
    pub fn errors(self) -> u64 {
        self.rejected + self.failed
    }
}
