//! What is read of whole machines: trees of `/proc` and `/sys`, each kept as one text, which says
//! what of it was captured and what was composed. (A file name with a colon, as the kernel has
//! them, cannot be packaged.)

use std::fs;

use onnxprof::record::{CgroupLimits, Conditions, CpuEnergy, Host, Throttling};
use onnxprof::sample::rapl::Rapl;
use onnxprof::sample::{Roots, Sampler, conditions, host};
use onnxprof::units::{Bytes, Celsius, Hertz, Joules, Nanos};
use tempfile::TempDir;

const INTEL: &str = include_str!("machines/intel-laptop.txt");
const AMD: &str = include_str!("machines/amd-epyc.txt");
const CONTAINER: &str = include_str!("machines/container.txt");

/// A machine whose files are those of a text.
struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new(text: &str) -> Self {
        let machine = Machine {
            folder: tempfile::tempdir().unwrap(),
        };
        for section in text.split("\n=== ").skip(1) {
            let (path, content) = section.split_once('\n').unwrap();
            // The blank that separates two sections is the end of the last line.
            machine.write(path, &format!("{}\n", content.trim_end_matches('\n')));
        }
        machine
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn roots(&self) -> Roots {
        let [proc, sys, nvml] =
            ["proc", "sys", "libnvidia-ml.so"].map(|name| self.folder.path().join(name));
        Roots { proc, sys, nvml }
    }

    fn host(&self) -> Host {
        host::fingerprint(&self.roots())
    }

    /// What the machine goes through while `changes` come over it, with CPU 0 as the workers'.
    fn goes_through(&self, changes: &[(&str, &str)]) -> Conditions {
        let before = conditions::Counters::read(&self.roots(), &[0]);
        changes
            .iter()
            .for_each(|(path, content)| self.write(path, content));
        conditions::since(&self.roots(), &before, &[0])
    }

    /// Energy while the counters go to these values, in microjoules.
    fn energy(&self, counters: &[(&str, u64)]) -> CpuEnergy {
        let sampler = Sampler::new(&self.roots());
        let before = sampler.sample(7);
        for (zone, microjoules) in counters {
            self.write(
                &format!("sys/class/powercap/{zone}/energy_uj"),
                &format!("{microjoules}\n"),
            );
        }
        sampler.sample(7).since(&before).cpu_energy.unwrap()
    }
}

#[test]
fn intel_machine_is_described() {
    let host = Machine::new(INTEL).host();
    assert_eq!(
        host.cpu.model_name,
        Some("11th Gen Intel(R) Core(TM) i7-1185G7 @ 3.00GHz".into())
    );
    assert_eq!(
        (host.cpu.logical_count, host.cpu.physical_count),
        (8, Some(4))
    );
    assert!(host.cpu.isa_flags.contains(&"avx512_vnni".into()));
    assert_eq!(
        (host.turbo, &host.governor),
        (Some(true), &governor_of_first_cpu(&host).map(Into::into))
    );
    assert_eq!(host.memory_bytes, Some(Bytes(16_090_000 * 1024)));
    assert_eq!(host.cgroup, CgroupLimits::default());
    assert!(host.gpus.is_empty() && host.gpus_absent_reason.is_some());
}

/// The governor is that of the first CPU that the test itself may use.
fn governor_of_first_cpu(host: &Host) -> Option<&'static str> {
    (host.affinity_cpus.first() == Some(&0)).then_some("powersave")
}

#[test]
fn intel_machine_under_load_shows_frequency_heat_and_siblings() {
    let throttled = "sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count";
    let seen = Machine::new(INTEL).goes_through(&[(throttled, "43\n")]);
    let frequency = seen.frequency.unwrap();
    assert_eq!(
        (frequency.minimum_hertz, frequency.maximum_hertz),
        (Hertz(400_000_000), Hertz(4_800_000_000))
    );
    assert_eq!(
        (seen.thermal_throttles_count, seen.temperature_celsius),
        (Some(3), Some(Celsius(61.0)))
    );
    assert_eq!(
        (seen.sibling_cpus, seen.online_cpus_count),
        (Some(vec![4]), Some(8))
    );
    assert_eq!(seen.swap_used_bytes, Some(Bytes(0)));
}

#[test]
fn intel_machine_counts_packages_and_memory_once_each_and_across_the_wrap() {
    let machine = Machine::new(INTEL);
    assert_eq!(
        Rapl::open(&machine.roots()).unwrap().names(),
        ["package-0", "dram"]
    );
    // The package's counter stands 328,850 µJ before its end.
    let energy = machine.energy(&[
        ("intel-rapl:0", 671_150),
        ("intel-rapl:0:0", 1),
        ("intel-rapl:0:2", 30_000_250_000),
        ("intel-rapl-mmio:0", 5),
    ]);
    assert_eq!(
        energy,
        CpuEnergy {
            package_joules: Joules(1.0),
            dram_joules: Some(Joules(0.25))
        }
    );
}

#[test]
fn amd_machine_is_described() {
    let host = Machine::new(AMD).host();
    assert_eq!(host.cpu.model_name, Some("AMD EPYC".into()));
    assert_eq!(
        (host.cpu.logical_count, host.cpu.physical_count),
        (2, Some(2))
    );
    assert_eq!(host.kernel, Some("6.18.44".into()));
    assert!(host.virtualization.unwrap().starts_with("hypervisor"));
    assert_eq!((host.turbo, host.load_average), (None, Some(1.52)));
    assert!(host.steal_since_boot_ns > Some(Nanos(0)));
}

#[test]
fn amd_machine_counts_its_package_and_no_memory() {
    let machine = Machine::new(AMD);
    let energy = machine.energy(&[
        ("intel-rapl:0", 8_412_370_911 + 5_500_000),
        ("intel-rapl:0:0", 911_999_999),
    ]);
    assert_eq!(
        energy,
        CpuEnergy {
            package_joules: Joules(5.5),
            dram_joules: None
        }
    );
}

#[test]
fn container_is_described_by_its_limits() {
    let host = Machine::new(CONTAINER).host();
    let limits = CgroupLimits {
        cpu_quota_count: Some(1.5),
        memory_max_bytes: Some(Bytes(2 << 30)),
        memory_high_bytes: None,
    };
    assert_eq!(host.cgroup, limits);
    assert!(host.usable_cpus_count <= 2);
}

#[test]
fn container_shows_how_its_limit_struck() {
    let struck = "nr_periods 5220\nnr_throttled 84\nthrottled_usec 2548000\n";
    let seen = Machine::new(CONTAINER).goes_through(&[("sys/fs/cgroup/cpu.stat", struck)]);
    let throttling = Throttling {
        periods_count: 100,
        throttled_periods_count: 20,
        throttled_ns: Nanos(500_000_000),
    };
    assert_eq!(seen.throttling, Some(throttling));
}

#[test]
fn container_has_no_energy_counters_and_says_so() {
    let machine = Machine::new(CONTAINER);
    let error = Rapl::open(&machine.roots()).unwrap_err().to_string();
    assert!(
        error.starts_with("the kernel offers no energy counters in `")
            && error.ends_with("virtual machines")
    );
    let sampler = Sampler::new(&machine.roots());
    assert_eq!(sampler.sample(7).since(&sampler.sample(7)).cpu_energy, None);
}

#[test]
fn every_tree_says_where_it_comes_from() {
    for tree in [INTEL, AMD, CONTAINER] {
        let head = tree.split("\n=== ").next().unwrap();
        assert!(
            head.contains("Composed") && head.lines().all(|line| line.starts_with('#')),
            "{head}"
        );
    }
}
