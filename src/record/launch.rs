//! Launches and blocks: one worker process, and one short timed stretch inside it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CpuEnergy, Failure, GpuMemory, GpuUse, Outcome};
use crate::observed::Observed;
use crate::plan::{CellKey, LoadMode, Workload};
use crate::text::Plain;
use crate::units::{Bytes, Nanos};

/// One fresh worker process that held one session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LaunchRecord {
    /// Index of this launch in the run.
    pub launch: u64,
    /// Round in which it was started.
    pub round: u64,
    /// Index into [`Plan::sessions`](crate::plan::Plan::sessions).
    pub session: usize,
    /// Start of the process, since the start of the run.
    pub started_ns: Nanos,
    /// How it ended.
    pub outcome: Outcome,
    /// Time to open the runtime library and create its environment.
    pub runtime_start_ns: Option<Nanos>,
    /// Time from the call that creates the session to its return.
    pub session_load_ns: Option<Nanos>,
    /// Time of the first inference after the session was created.
    pub first_run_ns: Option<Nanos>,
    /// Private memory of the process just before the session was created.
    pub before_load_memory_bytes: Option<Bytes>,
    /// Private memory of the process just after the session was created.
    pub after_load_memory_bytes: Option<Bytes>,
    /// Peak resident memory from the start of the process until the session was created.
    pub load_peak_memory_bytes: Option<Bytes>,
    /// Bytes that creating the session read from storage, not from the page cache.
    pub load_storage_read_bytes: Option<Bytes>,
    /// Configuration in force, read back from the worker.
    pub effective: Option<EffectiveOptions>,
    /// Figures that are taken once per cell in this launch.
    pub cells: Vec<LaunchCell>,
    /// Whether inputs were tried out in the process before its first cell. Its first run is then
    /// that of the first trial, or absent where that was refused, and memory of its cells and
    /// counts of its log are absent, for trials are in them. False in records before version 1.4.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_probed: bool,
    /// Warnings that ONNX Runtime wrote to the worker's log; absent if the worker ended before it
    /// told.
    pub log_warnings_count: Option<u64>,
    /// Errors that ONNX Runtime wrote to the worker's log; absent like the warnings.
    pub log_errors_count: Option<u64>,
}

impl LaunchRecord {
    /// Time to open the runtime and create the session; absent where that failed.
    pub(crate) fn start_time(&self) -> Option<Duration> {
        Some((self.runtime_start_ns.unwrap_or_default() + self.session_load_ns?).into())
    }
}

/// Why memory of a cell is absent from a launch that is probed, and counts of its log.
pub const TRIED_OUT_BEFORE: &str = "inputs were tried out in the process before";

/// A worker that was lost beside the rounds, in a launch that has no record of its own: one that
/// tried inputs out, profiled a session, measured it after idle gaps, or the like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LostWorker {
    /// Index into [`Plan::sessions`](crate::plan::Plan::sessions).
    pub session: usize,
    /// How it was lost.
    pub failure: Failure,
}

/// Configuration in force in a worker, read back rather than repeated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EffectiveOptions {
    /// CPUs that the worker may use, by the kernel's numbers; empty where the kernel does not tell.
    pub cpus: Vec<u64>,
    /// Threads of the worker before the session was created; absent where the kernel does not tell.
    pub threads_before_load_count: Option<u64>,
    /// Threads of the worker after the session was created; absent where the kernel does not tell.
    pub threads_after_load_count: Option<u64>,
    /// Whether each thread that the worker had after loading was given one of the CPUs for itself.
    /// False in records before version 1.4.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_cpu_per_thread: bool,
    /// Session configuration entries as ONNX Runtime returns them.
    pub session_config: std::collections::BTreeMap<Plain, Plain>,
    /// Execution providers registered with the session, in order of preference.
    pub execution_providers: Vec<Plain>,
    /// Options that the first of them was registered with; absent in records before version 1.2.
    #[serde(default)]
    pub provider_options: std::collections::BTreeMap<Plain, Plain>,
}

/// Figures that are taken once per cell in one launch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LaunchCell {
    /// Index into [`Plan::shapes`](crate::plan::Plan::shapes).
    #[serde(default)]
    pub shape: usize,
    /// Samples per inference.
    pub batch_size: u64,
    /// How requests arrive.
    pub load_mode: LoadMode,
    /// Time of this launch's first inference at this batch size.
    pub first_run_ns: Nanos,
    /// How warming up went.
    pub warmup: Warmup,
    /// Peak resident memory of the process during the cell.
    pub peak_memory_bytes: Option<Bytes>,
    /// Statistics of ONNX Runtime's arena at the end of the cell, or why there are none.
    pub arena: Observed<ArenaStats>,
    /// Latencies of this launch's timed blocks of the cell, in the form of a cell's histogram;
    /// absent in records of version 1.0.
    #[serde(default)]
    pub latency_histogram: Option<String>,
    /// Use of the GPU by the cell, or why that is not known; absent if the session ran on none, and
    /// in records before version 1.2.
    #[serde(default)]
    pub gpu: Option<Observed<GpuUse>>,
    /// Memory that the session held of its GPU when the cell ended, or why that is not known, where
    /// there was no time to find out more. Absent where there was, where the session ran on no GPU,
    /// and in records before version 1.3.
    #[serde(default)]
    pub gpu_memory: Option<Observed<GpuMemory>>,
    /// Why outputs were bound anew before each inference, outside its latency, which then includes
    /// their allocation, as a fragment of a sentence. Absent where they were bound once for all,
    /// and in records before version 1.4.
    #[serde(default)]
    pub outputs_anew: Option<Plain>,
}

impl LaunchCell {
    /// The workload that the session was measured under.
    #[must_use]
    pub fn workload(&self) -> Workload {
        Workload {
            shape: self.shape,
            batch_size: self.batch_size,
            load: self.load_mode,
        }
    }
}

/// How warming up a cell went in one launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warmup {
    /// Whether the latency was steady before the bound was reached.
    pub steady: bool,
    /// Inferences that warming up took.
    pub inferences_count: u64,
    /// Time that warming up took.
    pub elapsed_ns: Nanos,
}

/// Statistics of ONNX Runtime's memory arena of the session's device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArenaStats {
    /// Bytes in use now.
    pub in_use_bytes: Bytes,
    /// Most bytes ever in use.
    pub peak_in_use_bytes: Bytes,
    /// Bytes taken from the system.
    pub total_allocated_bytes: Bytes,
    /// How often the arena grew.
    pub extensions_count: u64,
}

/// One short stretch of one cell inside one launch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BlockRecord {
    /// Which cell.
    pub key: CellKey,
    /// Index of the launch.
    pub launch: u64,
    /// Round of the launch.
    pub round: u64,
    /// Alternation within the round and batch size: blocks that share it are neighbours.
    pub alternation: u64,
    /// Place in the order of the alternation.
    pub position: u64,
    /// Whether it counts.
    pub phase: Phase,
    /// Start of the block, since the start of the run.
    pub started_ns: Nanos,
    /// From just before the first inference to just after the last, less `rebinding_ns`.
    pub elapsed_ns: Nanos,
    /// Time between inferences in which outputs were bound anew; with several requests in flight,
    /// the mean of them. Absent where outputs were bound once for all, and in records before
    /// version 1.4.
    #[serde(default)]
    pub rebinding_ns: Option<Nanos>,
    /// Inferences completed.
    pub inferences_count: u64,
    /// Median latency (nearest rank).
    pub median_ns: Nanos,
    /// 10th percentile of latency (nearest rank), which follows the machine's fast mode.
    pub p10_ns: Nanos,
    /// Mean latency.
    pub mean_ns: Nanos,
    /// CPU time of the worker during the block.
    pub cpu_time_ns: Nanos,
    /// Involuntary context switches of the worker during the block.
    pub involuntary_switches_count: u64,
    /// Major page faults of the worker during the block.
    pub major_faults_count: u64,
    /// Minor page faults of the worker during the block: pages that the kernel had to map, without
    /// reading storage; absent in records before version 1.3.
    #[serde(default)]
    pub minor_faults_count: Option<u64>,
    /// CPU time stolen from this machine by its host during the block, over all CPUs; absent where
    /// the kernel does not tell.
    pub steal_ns: Option<Nanos>,
    /// Time for which the control group was throttled during the block; absent without a limit.
    pub throttled_ns: Option<Nanos>,
    /// How often the kernel moved the worker's main thread to another CPU during the block; absent
    /// where the kernel does not tell, and in records of version 1.0.
    #[serde(default)]
    pub migrations_count: Option<u64>,
    /// Resident memory of the worker just after the block.
    pub resident_bytes: Option<Bytes>,
    /// Energy of the processor during the block, idle power included; absent where its counters
    /// cannot be read, and in records before version 1.2.
    #[serde(default)]
    pub cpu_energy: Option<CpuEnergy>,
    /// Disturbances of the block; empty if there were none. A disturbed block is run again, and
    /// stays here.
    pub disturbances: Vec<Disturbance>,
}

impl BlockRecord {
    /// From just before the first inference to just after the last, with what lay between them.
    #[must_use]
    pub fn span(&self) -> Nanos {
        self.elapsed_ns + self.rebinding_ns.unwrap_or_default()
    }

    pub(crate) fn predictions(&self) -> f64 {
        self.inferences_count as f64 * self.key.batch_size as f64
    }
}

/// The purpose of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Until the latency is steady.
    Warmup,
    /// Counts in every figure.
    Timed,
}

/// A disturbance of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Disturbance {
    /// The worker was interrupted by other work on its CPUs more often than the documented bound.
    ContextSwitches,
    /// The host took CPU time away for more than the documented share of the block.
    Steal,
    /// The control group's CPU limit stopped the worker.
    Throttled,
    /// Pages had to be read from storage.
    MajorFaults,
}
