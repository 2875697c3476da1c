//! The machine that was measured on, in full and in essentials.

use crate::record::Host;
use crate::report::chapters::conditions::{known, unknown};
use crate::report::chapters::gpu;
use crate::report::words::number::bytes;
use crate::report::words::{self, Item, plain};
use crate::text::Plain;

pub(in crate::report) fn machine(host: &Host) -> Vec<Item> {
    let [cpu, cpus, memory, system] = essentials(host);
    let flags = match host.cpu.isa_flags.as_slice() {
        [] => unknown(),
        flags => words::joined(flags.iter().map(plain), ", "),
    };
    let load = known(host.load_average, |load| format!("{load:.2}"));
    [
        ("CPU", cpu),
        ("CPUs", cpus),
        ("Instruction sets", flags),
        ("Memory", memory),
        ("System", system),
        ("Virtualization", told(&host.virtualization)),
        ("Frequency governor", told(&host.governor)),
        ("Load at start", load),
    ]
    .into_iter()
    .map(|(label, text)| Item::new(label, text))
    .chain(gpu::machine(host))
    .collect()
}

pub(in crate::report) fn hardware(host: &Host) -> Vec<String> {
    essentials(host)
        .into_iter()
        .chain(gpu::hardware(host))
        .collect()
}

/// Model of the CPU, number of CPUs, memory and system.
fn essentials(host: &Host) -> [String; 4] {
    [
        told(&host.cpu.model_name),
        cpus(host),
        memory(host),
        format!(
            "{}, kernel {}, {}",
            told(&host.os),
            told(&host.kernel),
            host.architecture
        ),
    ]
}

fn cpus(host: &Host) -> String {
    let cores = host
        .cpu
        .physical_count
        .map(|count| format!(" on {count} cores"));
    let limit = host
        .cgroup
        .cpu_quota_count
        .map(|quota| format!(", control group limit {quota}"));
    format!(
        "{} logical CPUs{}, {} usable{}",
        host.cpu.logical_count,
        cores.unwrap_or_default(),
        host.usable_cpus_count,
        limit.unwrap_or_default()
    )
}

fn memory(host: &Host) -> String {
    let available = host
        .memory_available_bytes
        .map(|free| format!(", {} available", bytes(free)));
    known(host.memory_bytes, |all| {
        format!("{}{}", bytes(all), available.unwrap_or_default())
    })
}

fn told(text: &Option<Plain>) -> String {
    text.as_ref().map_or_else(unknown, Plain::to_string)
}
