//! The machine that measured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{GpuDriver, GpuInfo};
use crate::text::Plain;
use crate::units::{Bytes, Nanos};

/// The machine that measured, as far as it bears on the figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// Operating system and its version, such as `Debian GNU/Linux 12 (bookworm)`.
    pub os: Option<Plain>,
    /// Kernel release.
    pub kernel: Option<Plain>,
    /// Instruction set architecture, such as `x86_64`.
    pub architecture: Plain,
    /// The processor.
    pub cpu: CpuInfo,
    /// Caches for data that the first usable CPU has, smallest first; empty where the kernel does
    /// not tell, and in records before version 1.3.
    #[serde(default)]
    pub caches: Vec<CpuCache>,
    /// CPUs that the run may use: affinity and control group limits considered, rounded up.
    pub usable_cpus_count: u64,
    /// CPUs in this process's affinity mask, by the kernel's numbers.
    pub affinity_cpus: Vec<u64>,
    /// Memory of the machine.
    pub memory_bytes: Option<Bytes>,
    /// Memory available at the start of the run.
    pub memory_available_bytes: Option<Bytes>,
    /// Limits of this process's control group.
    pub cgroup: CgroupLimits,
    /// Frequency governor of the first usable CPU.
    pub governor: Option<Plain>,
    /// Whether turbo frequencies are allowed.
    pub turbo: Option<bool>,
    /// Hypervisor or container, as far as it shows.
    pub virtualization: Option<Plain>,
    /// 1-minute load average at the start of the run.
    pub load_average: Option<f64>,
    /// CPU time stolen by the host since boot, over all CPUs.
    pub steal_since_boot_ns: Option<Nanos>,
    /// GPUs, as their driver lists them; empty in records before version 1.2.
    #[serde(default)]
    pub gpus: Vec<GpuInfo>,
    /// The GPUs' driver; absent without one, and in records before version 1.2.
    #[serde(default)]
    pub gpu_driver: Option<GpuDriver>,
    /// Why no GPU could be asked about; absent where one could, and in records before version 1.2.
    #[serde(default)]
    pub gpus_absent_reason: Option<Plain>,
}

impl Host {
    /// Memory that all processes of a run may take: what is available, and no more than the control
    /// group allows.
    #[must_use]
    pub fn usable_memory(&self) -> Option<Bytes> {
        self.memory_available_bytes
            .into_iter()
            .chain(self.cgroup.memory_max_bytes)
            .min()
    }
}

/// The processor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CpuInfo {
    /// Model name that the kernel reports.
    pub model_name: Option<Plain>,
    /// Logical CPUs that are online.
    pub logical_count: u64,
    /// Physical cores that are online; absent where the kernel does not tell.
    pub physical_count: Option<u64>,
    /// Instruction sets that matter for inference and are present, such as `avx2`, `avx512_vnni`,
    /// `amx_int8`.
    pub isa_flags: Vec<Plain>,
}

/// A cache for data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CpuCache {
    /// Level, from 1.
    pub level: u64,
    /// Size.
    pub size_bytes: Bytes,
    /// Logical CPUs that share it.
    pub shared_by_count: u64,
}

/// Limits that Linux control groups put on the run: the tightest from its own group up to the root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CgroupLimits {
    /// CPUs' worth of time that the run may use; absent without a limit.
    pub cpu_quota_count: Option<f64>,
    /// Memory beyond which processes are killed; absent without a limit.
    pub memory_max_bytes: Option<Bytes>,
    /// Memory beyond which processes are slowed down to give some back; absent without a limit.
    pub memory_high_bytes: Option<Bytes>,
}
