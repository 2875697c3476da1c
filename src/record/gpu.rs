//! GPUs: what they are, what they went through, and what a cell took of one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::observed::Observed;
use crate::text::Plain;
use crate::units::{Bytes, Celsius, Hertz, Joules, Nanos, Ratio, Watts};

/// The driver of the machine's GPUs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GpuDriver {
    /// Version of the driver, such as `580.65.06`.
    pub version: Observed<Plain>,
    /// Latest version of CUDA that the driver serves, such as `13.0`.
    pub cuda_version: Observed<Plain>,
}

/// A GPU of the machine. What its driver refuses is absent with the reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GpuInfo {
    /// Number by which the driver knows it.
    pub index: u64,
    /// Product name.
    pub name: Observed<Plain>,
    /// SHA-256 of its UUID, lower-case hexadecimal: tells one GPU from another without naming it.
    pub uuid_sha256: Observed<Plain>,
    /// Its whole memory.
    pub memory_bytes: Observed<Bytes>,
    /// Generation of the PCIe link, which an idle GPU may have lowered.
    pub pcie_generation: Observed<u64>,
    /// Highest generation that GPU and machine support together.
    pub pcie_max_generation: Observed<u64>,
    /// Lanes of the PCIe link.
    pub pcie_width: Observed<u64>,
    /// Most lanes that GPU and machine support together.
    pub pcie_max_width: Observed<u64>,
    /// Whether its memory corrects errors (ECC).
    pub ecc: Observed<bool>,
    /// Whether it is divided into instances (MIG).
    pub mig: Observed<bool>,
    /// Whether the driver keeps it initialized while nobody uses it (persistence mode).
    pub persistence: Observed<bool>,
    /// Power that it may draw.
    pub power_limit_watts: Observed<Watts>,
    /// Highest clock of its multiprocessors.
    pub sm_clock_max_hertz: Observed<Hertz>,
}

/// How often something held a GPU's clocks down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClockEvent {
    /// NVML's reason, such as `sw_power_cap`.
    pub reason: Plain,
    /// Samples in which it was in force.
    pub samples_count: u64,
}

/// Conditions of a GPU while it was observed, work of others included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GpuConditions {
    /// Number by which the driver knows it.
    pub index: u64,
    /// How often it was looked at.
    pub samples_count: u64,
    /// Reasons that held its clocks down, and how often.
    pub clock_events: Observed<Vec<ClockEvent>>,
    /// Processes, other than this run's, that computed on it, by the driver's process ids.
    pub other_pids: Observed<Vec<u64>>,
    /// Clock of its multiprocessors when it was last looked at.
    pub sm_clock_hertz: Observed<Hertz>,
    /// Clock of its memory when it was last looked at.
    pub memory_clock_hertz: Observed<Hertz>,
    /// Power that it drew when it was last looked at.
    pub power_watts: Observed<Watts>,
    /// Memory in use, of all processes, when it was last looked at.
    pub memory_used_bytes: Observed<Bytes>,
    /// Highest temperature seen.
    pub temperature_max_celsius: Observed<Celsius>,
}

/// Use of a GPU by one cell in one launch: measured once, over one uninterrupted stretch after the
/// cell's blocks.
///
/// Blocks of several sessions alternate every 30 ms or so, while a driver averages utilization over
/// up to a second and updates its energy counter every 20 to 100 ms: what it tells about a block is
/// mostly about the blocks before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GpuUse {
    /// Number by which the driver knows the GPU.
    pub index: u64,
    /// Length of the stretch.
    pub elapsed_ns: Nanos,
    /// Inferences completed in the stretch.
    pub inferences_count: u64,
    /// Samples behind means and peaks.
    pub samples_count: u64,
    /// Share of the time in which a kernel ran, mean over the samples of the second half of the
    /// stretch.
    pub utilization_mean_ratio: Observed<Ratio>,
    /// The same, highest of the samples.
    pub utilization_peak_ratio: Observed<Ratio>,
    /// Share of the time in which the GPU's memory was read or written, mean like the
    /// utilization's.
    pub memory_utilization_mean_ratio: Observed<Ratio>,
    /// Most memory in use for the session, up to the end of the stretch.
    pub memory: Observed<GpuMemory>,
    /// Energy of the stretch.
    pub energy: Observed<GpuEnergy>,
    /// The same by the sampled power alone, so that the counter can be held against it: mean power
    /// times the length of the stretch, or why it is not known. Absent in records before version
    /// 1.3.
    #[serde(default)]
    pub energy_by_power_joules: Option<Observed<Joules>>,
    /// Mean power over the stretch: its energy over its length.
    pub power_mean_watts: Observed<Watts>,
    /// Mean clock of the multiprocessors.
    pub sm_clock_mean_hertz: Observed<Hertz>,
    /// Lowest clock of the multiprocessors.
    pub sm_clock_min_hertz: Observed<Hertz>,
    /// Mean clock of the GPU's memory.
    pub memory_clock_mean_hertz: Observed<Hertz>,
    /// Highest temperature.
    pub temperature_max_celsius: Observed<Celsius>,
    /// Reasons that held the clocks down, and how often.
    pub clock_events: Observed<Vec<ClockEvent>>,
}

/// Memory of a GPU that a session took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GpuMemory {
    /// The memory.
    pub bytes: Bytes,
    /// The source of the figure.
    pub scope: GpuMemoryScope,
}

/// The source of a session's GPU memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GpuMemoryScope {
    /// The driver lists the worker's process.
    Process,
    /// It does not, as in most containers: what the whole device's level rose by while only this
    /// worker ran, from the creation of the session on.
    Device,
}

/// Energy that a GPU took during a stretch, idle power included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GpuEnergy {
    /// The energy.
    pub joules: Joules,
    /// How it was measured.
    pub method: EnergyMethod,
}

/// How a GPU's energy is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnergyMethod {
    /// Difference of the chip's own counter.
    Counter,
    /// Mean of the sampled power times the length of the stretch, for chips without a counter.
    PowerSamples,
}

/// Energy that the processor took, from its own counters (RAPL): of the whole machine, not of one
/// process.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CpuEnergy {
    /// All packages.
    pub package_joules: Joules,
    /// Memory, where the chip counts it apart from the packages.
    pub dram_joules: Option<Joules>,
}

impl CpuEnergy {
    /// Packages and memory together.
    #[must_use]
    pub fn total(&self) -> Joules {
        self.package_joules + self.dram_joules.unwrap_or_default()
    }
}

/// How GPUs and energy were observed, and what they took while no worker ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Monitoring {
    /// Energy of the processor, or why it is not known.
    pub cpu: Observed<CpuPower>,
    /// The GPUs that sessions used, or why they were not observed.
    pub gpus: Observed<GpuSampling>,
}

/// The processor's energy counters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CpuPower {
    /// Names of the counters, such as `package-0` and `dram`.
    pub domains: Vec<Plain>,
    /// Mean power before the first launch.
    pub idle_watts: Watts,
}

/// How GPUs were sampled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GpuSampling {
    /// Time between two samples.
    pub period_ns: Nanos,
    /// Wall time of the parent to take a sample: median; absent while the run goes on.
    pub cost_ns: Option<Nanos>,
    /// Why sampling ended before the run did, if it did: the GPU was lost.
    pub ended_early: Option<Plain>,
    /// Each GPU before the first launch.
    pub idle: Vec<GpuIdle>,
}

/// A GPU while no worker ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GpuIdle {
    /// Number by which the driver knows it.
    pub index: u64,
    /// Mean power.
    pub power_watts: Observed<Watts>,
    /// Time between two updates of the energy counter.
    pub counter_period_ns: Observed<Nanos>,
}
