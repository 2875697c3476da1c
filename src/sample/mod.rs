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

use kernel_files::{list, number, parse, parse_list, parsed, read, value};

#[cfg(test)]
mod fixture {
    use std::collections::BTreeMap;

    use super::Roots;

    /// A tree of files below `proc/` and `sys/` that stands for a machine.
    pub(super) struct Machine {
        folder: tempfile::TempDir,
    }

    impl Machine {
        /// Each of `lines` is a line of the file whose path stands before it.
        pub(super) fn new(lines: &str) -> Machine {
            let mut files: BTreeMap<&str, String> = BTreeMap::new();
            for line in lines.lines().map(str::trim_start) {
                if let Some((path, line)) = line.split_once(' ') {
                    files.entry(path).or_default().extend([line, "\n"]);
                }
            }
            let machine = Machine {
                folder: tempfile::tempdir().unwrap(),
            };
            files
                .into_iter()
                .fold(machine, |machine, (path, text)| machine.with(path, &text))
        }

        pub(super) fn with(self, path: &str, text: &str) -> Machine {
            let path = self.folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
            self
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
