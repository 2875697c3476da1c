//! Description of the machine.

use std::env::consts::ARCH;
use std::path::Path;

use procfs::{LoadAverage, Meminfo};

use super::affinity::{Topology, own_affinity};
use super::{Roots, Sampler, cgroup, list, nvml, parse, parsed, read, value};
use crate::record::{CgroupLimits, CpuCache, CpuInfo, Host};
use crate::text::Plain;
use crate::units::Bytes;

/// Instruction sets that ONNX Runtime's kernels choose between, by the kernel's names for them.
const ISA_FLAGS: &str = "sse4_1 sse4_2 avx avx2 fma f16c avx_vnni \
    avx512f avx512bw avx512vl avx512_vnni avx512_bf16 avx512_fp16 amx_tile amx_int8 amx_bf16 amx_fp16 \
    asimd asimdhp asimddp i8mm bf16 sve sve2 svei8mm svebf16 sme sme2";

/// Describes the machine, as far as the system tells. What it does not tell is absent.
#[must_use]
pub fn fingerprint(roots: &Roots) -> Host {
    let cpu = cpu_info(roots, &Topology::read(roots));
    let affinity_cpus = own_affinity().unwrap_or_default();
    let first_cpu = affinity_cpus.first();
    let cgroup = cgroup::limits(roots);
    let memory = parse::<Meminfo>(&roots.proc.join("meminfo")).ok();
    let mut host = Host {
        os: os_name(Path::new("/etc/os-release")),
        kernel: value(&roots.proc.join("sys/kernel/osrelease")).map(Plain::from),
        architecture: ARCH.into(),
        caches: first_cpu.map_or_else(Vec::new, |cpu| caches(roots, *cpu)),
        usable_cpus_count: usable_cpus(affinity_cpus.len() as u64, &cgroup),
        memory_bytes: memory.as_ref().map(|memory| Bytes(memory.mem_total)),
        memory_available_bytes: memory.and_then(|memory| memory.mem_available).map(Bytes),
        governor: first_cpu
            .and_then(|cpu| value(&roots.cpu(format!("cpu{cpu}/cpufreq/scaling_governor"))))
            .map(Plain::from),
        turbo: turbo(roots),
        virtualization: virtualization(roots).map(Plain::from),
        load_average: parse::<LoadAverage>(&roots.proc.join("loadavg"))
            .ok()
            .map(|load| decimal(load.one)),
        steal_since_boot_ns: Sampler::new(roots).steal(),
        cpu,
        affinity_cpus,
        cgroup,
        ..Host::default()
    };
    nvml::describe(roots, &mut host);
    host
}

/// The default number of threads: CPUs of the affinity mask, at most the CPU limit rounded up, and
/// at least 1.
fn usable_cpus(affinity_count: u64, cgroup: &CgroupLimits) -> u64 {
    cgroup
        .cpu_quota_count
        .map_or(affinity_count, |quota| {
            affinity_count.min(quota.ceil() as u64)
        })
        .max(1)
}

/// The number that the kernel wrote, which is the shortest one that reads as `value`.
fn decimal(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| value.into())
}

fn os_name(os_release: &Path) -> Option<Plain> {
    Some(
        read(os_release)
            .ok()?
            .lines()
            .find_map(|line| line.strip_prefix("PRETTY_NAME="))?
            .trim_matches(['"', '\''])
            .into(),
    )
}

fn cpu_info(roots: &Roots, topology: &Topology) -> CpuInfo {
    let text = read(&roots.proc.join("cpuinfo")).unwrap_or_default();
    let flags = cpuinfo_field(&text, "flags")
        .or_else(|| cpuinfo_field(&text, "Features"))
        .unwrap_or_default();
    let listed = text
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count() as u64;
    let online = topology
        .cores
        .iter()
        .map(|core| core.cpus.len() as u64)
        .sum();
    let is_isa_flag = |flag: &&str| ISA_FLAGS.split(' ').any(|known| known == *flag);
    CpuInfo {
        model_name: cpu_model(&text),
        logical_count: if online > 0 { online } else { listed.max(1) },
        physical_count: (online > 0).then_some(topology.cores.len() as u64),
        isa_flags: flags
            .split_whitespace()
            .filter(is_isa_flag)
            .map(Plain::from)
            .collect(),
    }
}

/// The name of the CPU's model; ARM kernels give only numbers for implementer and part.
fn cpu_model(cpuinfo: &str) -> Option<Plain> {
    if let Some(name) = cpuinfo_field(cpuinfo, "model name") {
        return Some(name.into());
    }
    let implementer = cpuinfo_field(cpuinfo, "CPU implementer")?;
    let part = cpuinfo_field(cpuinfo, "CPU part")?;
    Some(format!("implementer {implementer} part {part}").into())
}

/// Value of the first line `name : value`.
fn cpuinfo_field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = fields.find(|(key, _)| key.trim() == name)?;
    Some(value.trim()).filter(|value| !value.is_empty())
}

/// The caches of a CPU that hold data, smallest level first.
fn caches(roots: &Roots, cpu: u64) -> Vec<CpuCache> {
    let mut caches: Vec<CpuCache> = (0..)
        .map(|index| roots.cpu(format!("cpu{cpu}/cache/index{index}")))
        .take_while(|folder| folder.is_dir())
        .filter_map(|folder| cache(&folder))
        .collect();
    caches.sort_by_key(|cache| cache.level);
    caches
}

fn cache(folder: &Path) -> Option<CpuCache> {
    let field = |name: &str| value(&folder.join(name));
    if field("type")? == "Instruction" {
        return None;
    }
    Some(CpuCache {
        level: parsed(&folder.join("level"))?,
        size_bytes: Bytes(field("size")?.strip_suffix('K')?.parse::<u64>().ok()? << 10),
        shared_by_count: list(&folder.join("shared_cpu_list"))?.len() as u64,
    })
}

fn turbo(roots: &Roots) -> Option<bool> {
    flag(&roots.cpu("intel_pstate/no_turbo"))
        .map(|off| !off)
        .or_else(|| flag(&roots.cpu("cpufreq/boost")))
}

fn flag(path: &Path) -> Option<bool> {
    match value(path)?.as_str() {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

/// Hypervisor and container, such as `hypervisor (Amazon EC2 m7i.large), Docker`.
fn virtualization(roots: &Roots) -> Option<String> {
    match (hypervisor(roots), container(roots)) {
        (Some(hypervisor), Some(container)) => Some(format!("{hypervisor}, {container}")),
        (hypervisor, container) => hypervisor.or(container),
    }
}

fn hypervisor(roots: &Roots) -> Option<String> {
    let cpuinfo = read(&roots.proc.join("cpuinfo")).unwrap_or_default();
    let flags = cpuinfo_field(&cpuinfo, "flags").unwrap_or_default();
    let kind = value(&roots.sys.join("hypervisor/type"));
    if kind.is_none() && !flags.split_whitespace().any(|flag| flag == "hypervisor") {
        return None;
    }
    let machine: Vec<String> = ["sys_vendor", "product_name"]
        .map(|file| value(&roots.sys.join("class/dmi/id").join(file)))
        .into_iter()
        .flatten()
        .collect();
    let kind = kind.unwrap_or_else(|| "hypervisor".into());
    Some(if machine.is_empty() {
        kind
    } else {
        format!("{kind} ({})", machine.join(" "))
    })
}

fn container(roots: &Roots) -> Option<String> {
    let marks = [("/.dockerenv", "Docker"), ("/run/.containerenv", "Podman")];
    if let Some((_, name)) = marks.iter().find(|(path, _)| Path::new(path).exists()) {
        return Some((*name).to_owned());
    }
    let groups = read(&roots.proc.join("self/cgroup")).unwrap_or_default();
    [
        ("kubepods", "Kubernetes"),
        ("docker", "Docker"),
        ("lxc", "LXC"),
        ("libpod", "Podman"),
    ]
    .iter()
    .find(|(mark, _)| groups.contains(mark))
    .map(|(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Machine;
    use super::*;

    const X86_CPUINFO: &str = "\
processor\t: 0
model name\t: Intel(R) Xeon(R) Processor
flags\t\t: fpu sse4_1 sse4_2 fma avx f16c hypervisor avx2 avx512f avx512bw avx_vnni avx512_vnni amx_tile amx_int8

processor\t: 1
model name\t: Intel(R) Xeon(R) Processor
flags\t\t: fpu

";
    const ARM_CPUINFO: &str = "\
processor\t: 0
BogoMIPS\t: 2100.00
Features\t: fp asimd evtstrm aes asimdhp asimddp sve i8mm bf16
CPU implementer\t: 0x41
CPU part\t: 0xd40
";

    #[test]
    fn x86_machine_is_described() {
        let machine = Machine::new(
            "proc/loadavg 0.52 0.4 0.3 1/100 7
             proc/sys/kernel/osrelease 6.1.0-13-amd64
             proc/self/cgroup 0::/kubepods/pod7
             sys/devices/system/cpu/online 0-1
             sys/devices/system/cpu/cpu0/topology/thread_siblings_list 0-1
             sys/devices/system/cpu/intel_pstate/no_turbo 1
             sys/class/dmi/id/sys_vendor Amazon EC2
             sys/class/dmi/id/product_name m7i.large",
        )
        .with("proc/cpuinfo", X86_CPUINFO);
        let host = fingerprint(&machine.roots());
        assert_eq!(host.kernel, Some("6.1.0-13-amd64".into()));
        assert_eq!(
            host.cpu.model_name,
            Some("Intel(R) Xeon(R) Processor".into())
        );
        assert_eq!(
            (host.cpu.logical_count, host.cpu.physical_count),
            (2, Some(1))
        );
        let flags = "sse4_1 sse4_2 fma avx f16c avx2 avx512f avx512bw avx_vnni avx512_vnni amx_tile amx_int8";
        assert_eq!(Plain::joined(&host.cpu.isa_flags, " "), flags);
        assert_eq!(host.turbo, Some(false));
        assert_eq!(host.load_average, Some(0.52));
        assert!(
            host.virtualization
                .unwrap()
                .exact()
                .starts_with("hypervisor (Amazon EC2 m7i.large), ")
        );
    }

    #[test]
    fn caches_for_data_are_listed_with_their_sharers() {
        let machine = Machine::new(
            "sys/devices/system/cpu/cpu0/cache/index0/type Data
             sys/devices/system/cpu/cpu0/cache/index0/level 1
             sys/devices/system/cpu/cpu0/cache/index0/size 48K
             sys/devices/system/cpu/cpu0/cache/index0/shared_cpu_list 0,2
             sys/devices/system/cpu/cpu0/cache/index1/type Instruction
             sys/devices/system/cpu/cpu0/cache/index1/size 32K
             sys/devices/system/cpu/cpu0/cache/index2/type Unified
             sys/devices/system/cpu/cpu0/cache/index2/level 3
             sys/devices/system/cpu/cpu0/cache/index2/size 32768K
             sys/devices/system/cpu/cpu0/cache/index2/shared_cpu_list 0-3,8-9",
        );
        let cache = |level, size, shared_by_count| CpuCache {
            level,
            size_bytes: Bytes(size),
            shared_by_count,
        };
        assert_eq!(
            caches(&machine.roots(), 0),
            [cache(1, 48 << 10, 2), cache(3, 32 << 20, 6)]
        );
        assert_eq!(caches(&machine.roots(), 1), []);
    }

    #[test]
    fn arm_machine_is_described() {
        let machine = Machine::new("sys/devices/system/cpu/cpufreq/boost 1")
            .with("proc/cpuinfo", ARM_CPUINFO);
        let host = fingerprint(&machine.roots());
        assert_eq!(
            host.cpu.model_name,
            Some("implementer 0x41 part 0xd40".into())
        );
        assert_eq!((host.cpu.logical_count, host.cpu.physical_count), (1, None));
        assert_eq!(
            Plain::joined(&host.cpu.isa_flags, " "),
            "asimd asimdhp asimddp sve i8mm bf16"
        );
        assert_eq!(host.turbo, Some(true));
    }

    #[test]
    fn machine_that_tells_nothing_is_described_by_absence() {
        let host = fingerprint(&Machine::new("").roots());
        assert_eq!(
            (host.kernel, host.memory_bytes, host.turbo, host.governor),
            (None, None, None, None)
        );
        assert_eq!((host.load_average, host.steal_since_boot_ns), (None, None));
        assert_eq!(host.cpu.model_name, None);
    }

    #[test]
    fn running_machine_is_described() {
        let host = fingerprint(&Roots::system());
        assert!(
            host.memory_bytes > host.memory_available_bytes
                && host.memory_available_bytes > Some(Bytes(0))
        );
        assert!(host.cpu.logical_count >= host.affinity_cpus.len() as u64);
        assert!((1..=host.affinity_cpus.len() as u64).contains(&host.usable_cpus_count));
        assert!(host.kernel.is_some() && host.steal_since_boot_ns.is_some());
    }

    #[test]
    fn usable_cpus_are_those_of_the_mask_within_the_quota_rounded_up() {
        for (mask, quota, usable) in [
            (8, None, 8),
            (8, Some(1.5), 2),
            (2, Some(4.0), 2),
            (8, Some(0.1), 1),
            (0, None, 1),
        ] {
            let limits = CgroupLimits {
                cpu_quota_count: quota,
                ..CgroupLimits::default()
            };
            assert_eq!(
                usable_cpus(mask, &limits),
                usable,
                "{mask} CPUs, quota {quota:?}"
            );
        }
    }

    #[test]
    fn os_name_is_without_quotes() {
        let machine = Machine::new(
            "proc/os-release ID=debian
             proc/os-release PRETTY_NAME=\"Debian GNU/Linux 12\"",
        );
        assert_eq!(
            os_name(&machine.roots().proc.join("os-release")),
            Some("Debian GNU/Linux 12".into())
        );
    }
}
