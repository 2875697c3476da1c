//! Resources of processes and facts about the machine, read from the operating system.
//!
//! Nothing here measures an inference: the parent looks at a worker between blocks ([`Sampler`])
//! and between phases ([`process`]), at GPUs while they are used ([`GpuMonitor`]), at energy
//! counters ([`rapl`], [`nvml`]), and at the machine before and after a run ([`host::fingerprint`],
//! [`conditions`]). Linux is the source; whatever it does not tell is absent, and the error says
//! which file was missing. Read [`Roots`] first: every reader takes it, so that a captured tree can
//! stand for a machine.

pub mod affinity;
pub mod cgroup;
pub mod conditions;
mod cpu_time;
mod gpu_log;
mod gpu_monitor;
mod gpu_window;
pub mod host;
mod kernel_files;
pub mod nvml;
pub mod page_cache;
pub mod process;
pub mod rapl;
mod sampler;

pub use affinity::{Core, CpuAssignment, Topology};
pub use gpu_monitor::{GPU_PERIOD, GpuMonitor, OwnProcesses};
pub use gpu_window::{GpuStretch, GpuWindow};
pub use kernel_files::{Roots, SampleError};
pub use sampler::{BlockSample, Sampler, Snapshot};

use kernel_files::{number, parse, parse_list, read, value};

#[cfg(test)]
mod fixture {
    use super::Roots;

    /// A tree of files that stands for a machine, by path below `proc/` and `sys/`.
    pub(super) struct Machine {
        folder: tempfile::TempDir,
    }

    impl Machine {
        pub(super) fn new(files: &[(&str, &str)]) -> Machine {
            let folder = tempfile::tempdir().unwrap();
            for (path, text) in files {
                let path = folder.path().join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
            Machine { folder }
        }

        pub(super) fn roots(&self) -> Roots {
            let [proc, sys, nvml] =
                ["proc", "sys", "libnvidia-ml.so"].map(|name| self.folder.path().join(name));
            Roots { proc, sys, nvml }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cpus_have_ranges() {
        assert_eq!(parse_list("0-2,8\n"), Some(vec![0, 1, 2, 8]));
        assert_eq!(parse_list("\n"), Some(vec![]));
        assert_eq!(parse_list("0-x"), None);
    }
}
