//! Settings that differ between two runs: those of the machine, and others that bear on the
//! figures.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::plan::SessionSpec;
use crate::record::{Host, RunRecord};
use crate::text::Plain;
use crate::units::Bytes;
use Setting::{Amount, Count, Flag, Text};

/// A setting that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Name of the setting.
    pub what: &'static str,
    /// Of the baseline; absent where it has none, or does not tell.
    pub baseline: Option<Setting>,
    /// Of the candidate; absent likewise.
    pub candidate: Option<Setting>,
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Setting {
    /// A name.
    Text(Plain),
    /// A number of things.
    Count(u64),
    /// A share of things, as of CPUs.
    Amount(f64),
    /// Storage or memory, in bytes.
    Bytes(Bytes),
    /// Yes or no.
    Flag(bool),
}

/// Sizes of the memory of like machines are this close: firmware and kernel keep a little, and not
/// always the same.
const MEMORY_TOLERANCE: f64 = 0.02;

/// A setting of a machine, a run or a session, by its name.
type Told<T> = (&'static str, fn(&T) -> Option<Setting>);

/// Those of `settings` that differ.
fn differences<T>(settings: &[Told<T>], baseline: &T, candidate: &T) -> Vec<Difference> {
    settings
        .iter()
        .map(|&(what, get)| Difference {
            what,
            baseline: get(baseline),
            candidate: get(candidate),
        })
        .filter(|found| found.baseline != found.candidate)
        .collect()
}

fn text(text: impl Into<Plain>) -> Option<Setting> {
    Some(Text(text.into()))
}

/// Differences that make two machines unlike, so that figures of one say nothing about the other:
/// architecture, processor, CPU counts, instruction sets, memory, limits, frequency governor, turbo
/// and virtualization.
#[must_use]
pub fn host_differences(baseline: &Host, candidate: &Host) -> Vec<Difference> {
    let is_like = is_like_memory(baseline.memory_bytes, candidate.memory_bytes);
    let mut found = differences(&OF_HOST, baseline, candidate);
    found.retain(|found| found.what != MEMORY || !is_like);
    found
}

const MEMORY: &str = "memory";

const OF_HOST: [Told<Host>; 14] = [
    ("architecture", |host| text(host.architecture.clone())),
    ("CPU model", |host| host.cpu.model_name.clone().map(Text)),
    ("instruction sets", |host| text(instruction_sets(host))),
    ("frequency governor", |host| host.governor.clone().map(Text)),
    ("virtualization", |host| {
        host.virtualization.clone().map(Text)
    }),
    ("GPUs", |host| gpus(host).map(Text)),
    ("GPU driver", |host| gpu_driver(host).map(Text)),
    ("logical CPUs", |host| Some(Count(host.cpu.logical_count))),
    ("physical cores", |host| host.cpu.physical_count.map(Count)),
    ("turbo", |host| host.turbo.map(Flag)),
    ("CPU limit", |host| host.cgroup.cpu_quota_count.map(Amount)),
    ("memory limit", |host| {
        host.cgroup.memory_max_bytes.map(Setting::Bytes)
    }),
    ("soft memory limit", |host| {
        host.cgroup.memory_high_bytes.map(Setting::Bytes)
    }),
    (MEMORY, |host| host.memory_bytes.map(Setting::Bytes)),
];

fn instruction_sets(host: &Host) -> Plain {
    let mut flags = host.cpu.isa_flags.clone();
    flags.sort();
    Plain::joined(&flags, " ")
}

fn gpus(host: &Host) -> Option<Plain> {
    let names: Vec<&Plain> = host.gpus.iter().flat_map(|gpu| &gpu.name).collect();
    (!names.is_empty()).then(|| Plain::joined(names, ", "))
}

fn gpu_driver(host: &Host) -> Option<Plain> {
    host.gpu_driver.as_ref()?.version.as_ref().ok().cloned()
}

fn is_like_memory(one: Option<Bytes>, other: Option<Bytes>) -> bool {
    one.zip(other).is_some_and(|(one, other)| {
        one.0.abs_diff(other.0) as f64 <= MEMORY_TOLERANCE * one.max(other).as_f64()
    })
}

/// Other differences of two runs: system, versions, data, CPUs and schedule.
#[must_use]
pub fn other_differences(baseline: &RunRecord, candidate: &RunRecord) -> Vec<Difference> {
    differences(&OF_RUN, baseline, candidate)
}

const OF_RUN: [Told<RunRecord>; 9] = [
    ("operating system", |run| run.host.os.clone().map(Text)),
    ("kernel", |run| run.host.kernel.clone().map(Text)),
    ("onnxprof", |run| text(run.run.tool_version.exact())),
    ("ONNX Runtime", |run| runtimes(run).and_then(text)),
    ("data", |run| {
        run.dataset
            .as_ref()
            .and_then(|data| text(data.source.exact()))
    }),
    ("page cache", |run| word(run.plan.schedule.page_cache)),
    ("CPUs of the run", |run| text(cpus(run))),
    ("samples of the data", |run| {
        run.dataset.as_ref().map(|data| Count(data.samples_count))
    }),
    ("block length in ns", |run| {
        Some(Count(run.plan.schedule.block_ns.0))
    }),
];

fn runtimes(run: &RunRecord) -> Option<String> {
    let versions: Vec<&str> = run
        .runtimes
        .iter()
        .map(|runtime| runtime.version.exact())
        .collect();
    (!versions.is_empty()).then(|| versions.join(", "))
}

fn cpus(run: &RunRecord) -> String {
    run.host
        .affinity_cpus
        .iter()
        .map(u64::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

/// Options that two sessions were asked for differently.
pub(super) fn session_differences(
    baseline: &SessionSpec,
    candidate: &SessionSpec,
) -> Vec<Difference> {
    differences(&OF_SESSION, baseline, candidate)
}

const OF_SESSION: [Told<SessionSpec>; 13] = [
    ("execution provider", |spec| {
        text(spec.execution_provider.exact())
    }),
    ("execution provider options", |spec| {
        joined(entries(&spec.provider.options))
    }),
    ("device", |spec| {
        spec.provider
            .device
            .and_then(|device| text(device.to_string()))
    }),
    ("binding", |spec| word(spec.binding)),
    ("graph optimization", |spec| {
        word(spec.options.graph_optimization)
    }),
    ("execution mode", |spec| word(spec.options.execution_mode)),
    ("session configuration", |spec| {
        joined(entries(&spec.options.session_config))
    }),
    ("libraries of custom operators", |spec| {
        joined(
            spec.options
                .custom_ops
                .iter()
                .map(|library| library.display().to_string()),
        )
    }),
    ("intra-op threads", |spec| {
        Some(Count(spec.options.intra_threads))
    }),
    ("inter-op threads", |spec| {
        Some(Count(spec.options.inter_threads))
    }),
    ("spinning", |spec| spec.options.allow_spinning.map(Flag)),
    ("memory arena", |spec| spec.options.memory_arena.map(Flag)),
    ("memory pattern", |spec| {
        spec.options.memory_pattern.map(Flag)
    }),
];

fn entries(options: &BTreeMap<Plain, Plain>) -> impl Iterator<Item = String> {
    options
        .iter()
        .map(|(key, value)| format!("{}={}", key.exact(), value.exact()))
}

fn joined(words: impl Iterator<Item = String>) -> Option<Setting> {
    let words = words.collect::<Vec<_>>().join(" ");
    if words.is_empty() { None } else { text(words) }
}

fn word(value: impl std::fmt::Debug) -> Option<Setting> {
    text(format!("{value:?}").to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(memory: u64) -> Host {
        Host {
            architecture: "x86_64".into(),
            memory_bytes: Some(Bytes(memory)),
            ..Host::default()
        }
    }

    #[test]
    fn memory_may_differ_by_two_percent_and_the_system_altogether() {
        assert!(host_differences(&host(1_000), &host(981)).is_empty());
        assert_eq!(host_differences(&host(1_000), &host(970))[0].what, "memory");
        let newer = Host {
            kernel: Some("6.9".into()),
            os: Some("Debian 13".into()),
            ..host(1)
        };
        assert!(host_differences(&host(1), &newer).is_empty());
    }

    #[test]
    fn order_of_instruction_sets_says_nothing() {
        let with = |flags: [&str; 2]| {
            let mut host = host(1);
            host.cpu.isa_flags = flags.map(Plain::from).to_vec();
            host
        };
        assert!(host_differences(&with(["avx", "fma"]), &with(["fma", "avx"])).is_empty());
        assert_eq!(
            host_differences(&with(["avx", "fma"]), &with(["avx", "avx2"]))[0].candidate,
            Some(Text("avx avx2".into()))
        );
    }

    #[test]
    fn setting_that_only_one_side_tells_differs() {
        let tells = Host {
            turbo: Some(true),
            ..host(1)
        };
        let found = host_differences(&host(1), &tells);
        assert_eq!((found[0].what, &found[0].baseline), ("turbo", &None));
    }
}
