//! Under which conditions the machine measured, and whether it was fit to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::GpuConditions;
use crate::text::Plain;
use crate::units::{Bytes, Celsius, Hertz, Nanos, Ratio};

/// Conditions of the machine while it was observed; its hardware stands in [`super::Host`].
///
/// Counters are their change over the time observed. What the system does not tell is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conditions {
    /// Time over which the machine was observed.
    pub observed_ns: Nanos,
    /// Logical CPUs that are online; absent where the kernel does not tell.
    pub online_cpus_count: Option<u64>,
    /// CPUs of the workers; those that this process may use where workers were not pinned.
    pub worker_cpus: Vec<u64>,
    /// CPUs that share a core with one of the workers' and are none of them: hardware threads
    /// (SMT).
    pub sibling_cpus: Option<Vec<u64>>,
    /// Share of their time for which `sibling_cpus` were busy; absent without siblings.
    pub siblings_busy_ratio: Option<Ratio>,
    /// Frequencies of the workers' CPUs; absent where the kernel does not tell, as on most virtual
    /// machines.
    pub frequency: Option<Frequency>,
    /// Share of all CPUs' time that was spent by anything but this process and its workers.
    pub others_busy_ratio: Option<Ratio>,
    /// CPU time that the host took from this machine, as a share of what the machine wanted (busy
    /// and stolen time together), which counts as one CPU's whole time at least.
    pub steal_ratio: Option<Ratio>,
    /// How the CPU limit of this process's control group struck; absent without a limit.
    pub throttling: Option<Throttling>,
    /// Share of the time for which at least one task of the machine waited for a CPU: `some` of
    /// `/proc/pressure/cpu`.
    pub cpu_pressure_ratio: Option<Ratio>,
    /// Share of the time for which at least one task waited for memory.
    pub memory_pressure_ratio: Option<Ratio>,
    /// Share of the time for which at least one task waited for storage.
    pub io_pressure_ratio: Option<Ratio>,
    /// Memory of the whole machine that lay in swap at the end.
    pub swap_used_bytes: Option<Bytes>,
    /// Memory of the whole machine that was read back from swap.
    pub swapped_in_bytes: Option<Bytes>,
    /// Memory of the whole machine that was written to swap.
    pub swapped_out_bytes: Option<Bytes>,
    /// How often a CPU was slowed down for its temperature: the cores' events, and those of the
    /// package that had most.
    pub thermal_throttles_count: Option<u64>,
    /// Temperature at the end in the hottest thermal zone.
    pub temperature_celsius: Option<Celsius>,
    /// The GPUs that were observed: those that sessions used; empty in records before version 1.2.
    #[serde(default)]
    pub gpus: Vec<GpuConditions>,
}

/// Frequencies of the workers' CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Frequency {
    /// Lowest frequency that the governor may choose, of all the CPUs.
    pub minimum_hertz: Hertz,
    /// Highest frequency that the governor may choose, of the CPU with the lowest such.
    pub maximum_hertz: Hertz,
    /// Current frequency when observing began, of the slowest of the CPUs.
    pub before_hertz: Option<Hertz>,
    /// Current frequency when observing ended, of the slowest of the CPUs.
    pub after_hertz: Option<Hertz>,
}

/// How a control group's CPU limit struck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Throttling {
    /// Periods of the limit in which the group wanted to run.
    pub periods_count: u64,
    /// Periods in which the limit stopped it.
    pub throttled_periods_count: u64,
    /// Time for which the limit stopped it.
    pub throttled_ns: Nanos,
}

/// Whether the machine was fit to measure on, and why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fitness {
    /// The worst of the reasons' severities; [`FitnessVerdict::Valid`] if there is none.
    pub verdict: FitnessVerdict,
    /// Reasons against the run, the worst first.
    pub reasons: Vec<FitnessReason>,
}

/// The worth of a run, as far as the machine decides it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FitnessVerdict {
    /// Nothing was seen that would distort the figures.
    Valid,
    /// Something was seen that may distort absolute figures or widen intervals; paired ratios hold.
    Suspect,
    /// Something was seen that makes the figures those of another machine or another load.
    Invalid,
}

impl FitnessVerdict {
    /// The word for people and programs: `VALID`, `SUSPECT` or `INVALID`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            FitnessVerdict::Valid => "VALID",
            FitnessVerdict::Suspect => "SUSPECT",
            FitnessVerdict::Invalid => "INVALID",
        }
    }
}

/// One thing that speaks against a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FitnessReason {
    /// How much it counts; never [`FitnessVerdict::Valid`].
    pub severity: FitnessVerdict,
    /// The observation, with its figure and the bound, as a lowercase fragment.
    pub seen: Plain,
    /// The remedy, in the imperative; absent if nothing can be done on this machine.
    pub remedy: Option<Plain>,
}
