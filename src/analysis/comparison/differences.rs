//! What two runs do not share: the machine, and what else bears on the figures.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::plan::SessionSpec;
use crate::record::{Host, RunRecord};
use crate::text::Plain;
use crate::units::Bytes;

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

/// Sizes of the memory of like machines are this close: firmware and kernel keep a little, and not always the same.
const MEMORY_TOLERANCE: f64 = 0.02;

/// Settings of both sides, of which those stay that differ.
#[derive(Default)]
struct Differences(Vec<Difference>);

impl Differences {
    fn check<T>(
        &mut self,
        what: &'static str,
        of: fn(T) -> Setting,
        baseline: Option<T>,
        candidate: Option<T>,
    ) {
        let (baseline, candidate) = (baseline.map(of), candidate.map(of));
        if baseline != candidate {
            self.0.push(Difference {
                what,
                baseline,
                candidate,
            });
        }
    }
}

/// Differences that make two machines unlike, so that figures of one say nothing about the other: architecture,
/// processor, CPU counts, instruction sets, memory, limits, frequency governor, turbo and virtualization.
#[must_use]
pub fn host_differences(baseline: &Host, candidate: &Host) -> Vec<Difference> {
    let mut found = Differences::default();
    let mut text = |what, get: fn(&Host) -> Option<Plain>| {
        found.check(what, Setting::Text, get(baseline), get(candidate))
    };
    text("architecture", |host| Some(host.architecture.clone()));
    text("CPU model", |host| host.cpu.model_name.clone());
    text("instruction sets", |host| {
        let mut flags = host.cpu.isa_flags.clone();
        flags.sort();
        Some(Plain::joined(&flags, " "))
    });
    text("frequency governor", |host| host.governor.clone());
    text("virtualization", |host| host.virtualization.clone());
    text("GPUs", |host| {
        let names: Vec<&Plain> = host
            .gpus
            .iter()
            .filter_map(|gpu| gpu.name.as_ref().ok())
            .collect();
        (!names.is_empty()).then(|| Plain::joined(names, ", "))
    });
    text("GPU driver", |host| {
        host.gpu_driver.as_ref()?.version.as_ref().ok().cloned()
    });
    let mut count = |what, get: fn(&Host) -> Option<u64>| {
        found.check(what, Setting::Count, get(baseline), get(candidate))
    };
    count("logical CPUs", |host| Some(host.cpu.logical_count));
    count("physical cores", |host| host.cpu.physical_count);
    found.check("turbo", Setting::Flag, baseline.turbo, candidate.turbo);
    let (one, other) = (&baseline.cgroup, &candidate.cgroup);
    found.check(
        "CPU limit",
        Setting::Amount,
        one.cpu_quota_count,
        other.cpu_quota_count,
    );
    found.check(
        "memory limit",
        Setting::Bytes,
        one.memory_max_bytes,
        other.memory_max_bytes,
    );
    found.check(
        "soft memory limit",
        Setting::Bytes,
        one.memory_high_bytes,
        other.memory_high_bytes,
    );
    if !is_like_memory(baseline.memory_bytes, candidate.memory_bytes) {
        found.check(
            "memory",
            Setting::Bytes,
            baseline.memory_bytes,
            candidate.memory_bytes,
        );
    }
    found.0
}

fn is_like_memory(one: Option<Bytes>, other: Option<Bytes>) -> bool {
    let (Some(one), Some(other)) = (one, other) else {
        return false;
    };
    (one.as_f64() - other.as_f64()).abs() <= MEMORY_TOLERANCE * one.as_f64().max(other.as_f64())
}

/// Other differences of two runs: system, versions, data, CPUs and schedule.
#[must_use]
pub fn other_differences(baseline: &RunRecord, candidate: &RunRecord) -> Vec<Difference> {
    let mut found = Differences::default();
    let mut text = |what, get: fn(&RunRecord) -> Option<Plain>| {
        found.check(what, Setting::Text, get(baseline), get(candidate))
    };
    text("operating system", |run| run.host.os.clone());
    text("kernel", |run| run.host.kernel.clone());
    text("onnxprof", |run| Some(run.run.tool_version.as_str().into()));
    text("ONNX Runtime", |run| {
        let versions: Vec<&str> = run
            .runtimes
            .iter()
            .map(|runtime| runtime.version.as_str())
            .collect();
        (!versions.is_empty()).then(|| versions.join(", ").into())
    });
    text("data", |run| {
        run.dataset.as_ref().map(|data| data.source.as_str().into())
    });
    text("page cache", |run| {
        Some(word(run.plan.schedule.page_cache).into())
    });
    text("CPUs of the run", |run| {
        let cpus: Vec<String> = run.host.affinity_cpus.iter().map(u64::to_string).collect();
        Some(cpus.join(",").into())
    });
    let mut count = |what, get: fn(&RunRecord) -> Option<u64>| {
        found.check(what, Setting::Count, get(baseline), get(candidate))
    };
    count("samples of the data", |run| {
        run.dataset.as_ref().map(|data| data.samples_count)
    });
    count("block length in ns", |run| {
        Some(run.plan.schedule.block_ns.0)
    });
    found.0
}

/// Options that two sessions were asked for differently.
pub(super) fn session_differences(
    baseline: &SessionSpec,
    candidate: &SessionSpec,
) -> Vec<Difference> {
    let mut found = Differences::default();
    let mut text = |what, get: fn(&SessionSpec) -> Option<String>| {
        found.check(
            what,
            |text| Setting::Text(text.into()),
            get(baseline),
            get(candidate),
        );
    };
    text("execution provider", |spec| {
        Some(spec.execution_provider.clone())
    });
    text("execution provider options", |spec| {
        joined(entries(&spec.provider.options))
    });
    text("device", |spec| {
        spec.provider.device.map(|device| device.to_string())
    });
    text("binding", |spec| Some(word(spec.binding)));
    text("graph optimization", |spec| {
        Some(word(spec.options.graph_optimization))
    });
    text("execution mode", |spec| {
        Some(word(spec.options.execution_mode))
    });
    text("session configuration", |spec| {
        joined(entries(&spec.options.session_config))
    });
    text("libraries of custom operators", |spec| {
        joined(
            spec.options
                .custom_ops
                .iter()
                .map(|library| library.display().to_string()),
        )
    });
    let mut count = |what, get: fn(&SessionSpec) -> u64| {
        found.check(
            what,
            Setting::Count,
            Some(get(baseline)),
            Some(get(candidate)),
        );
    };
    count("intra-op threads", |spec| spec.options.intra_threads);
    count("inter-op threads", |spec| spec.options.inter_threads);
    found.check(
        "spinning",
        Setting::Flag,
        baseline.options.allow_spinning,
        candidate.options.allow_spinning,
    );
    found.check(
        "memory arena",
        Setting::Flag,
        baseline.options.memory_arena,
        candidate.options.memory_arena,
    );
    found.check(
        "memory pattern",
        Setting::Flag,
        baseline.options.memory_pattern,
        candidate.options.memory_pattern,
    );
    found.0
}

fn entries(options: &BTreeMap<String, String>) -> impl Iterator<Item = String> {
    options.iter().map(|(key, value)| format!("{key}={value}"))
}

fn joined(words: impl Iterator<Item = String>) -> Option<String> {
    Some(words.collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty())
}

fn word(value: impl std::fmt::Debug) -> String {
    format!("{value:?}").to_lowercase()
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
        let found = host_differences(&with(["avx", "fma"]), &with(["avx", "avx2"]));
        assert_eq!(found[0].candidate, Some(Setting::Text("avx avx2".into())));
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
