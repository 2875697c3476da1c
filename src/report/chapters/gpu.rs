//! GPUs: what they are, and what they went through.

use crate::metric::Unit;
use crate::observed::Observed;
use crate::record::{
    ClockEvent, Conditions, GpuConditions, GpuDriver, GpuIdle, GpuInfo, GpuSampling, Host,
    RunRecord,
};
use crate::report::words::{self, Item, not_measured, number};
use crate::text::Plain;
use crate::units::{Bytes, Hertz, Watts};

/// Oldest drivers that serve the CUDA builds of ONNX Runtime, by NVIDIA's table of minor version
/// compatibility.
const DRIVERS: [(&str, u64); 2] = [("CUDA 13", 580), ("CUDA 12", 525)];

fn figure<T>(told: &Observed<T>, shown: impl Fn(&T) -> String) -> String {
    told.as_ref().map_or_else(not_measured, shown)
}

fn text(told: &Observed<Plain>) -> String {
    figure(told, Plain::to_string)
}

fn bytes(told: &Observed<Bytes>) -> String {
    figure(told, |bytes| number::bytes(*bytes))
}

fn watts(told: &Observed<Watts>) -> String {
    figure(told, |power| number::value(Unit::Watts, power.0, None))
}

fn megahertz(told: &Observed<Hertz>) -> String {
    figure(told, |clock| {
        format!("{} MHz", number::count(clock.0 / 1_000_000))
    })
}

fn switch(told: &Observed<bool>) -> String {
    figure(told, |&on| words::on_or_off(on))
}

/// The machine's GPUs, one line each; nothing for a record that does not know of them.
pub(in crate::report) fn machine(host: &Host) -> Vec<Item> {
    let gpus = host
        .gpus
        .iter()
        .map(|gpu| Item::new(format!("GPU {}", gpu.index), line(gpu)));
    let driver = driver(host).map(|driver| Item::new("GPU driver", driver_line(driver)));
    let absent = host
        .gpus_absent_reason
        .iter()
        .map(|reason| Item::new("GPU", not_measured(reason)));
    gpus.chain(driver).chain(absent).collect()
}

/// The driver of the GPUs, where there are any.
fn driver(host: &Host) -> Option<&GpuDriver> {
    host.gpu_driver.as_ref().filter(|_| !host.gpus.is_empty())
}

pub(in crate::report) fn hardware(host: &Host) -> Vec<String> {
    let named = host.gpus.iter().filter(|gpu| gpu.name.is_ok()).map(line);
    let driver = driver(host).filter(|driver| driver.version.is_ok());
    named.chain(driver.map(driver_line)).collect()
}

fn driver_line(driver: &GpuDriver) -> String {
    format!(
        "{}, up to CUDA {}",
        text(&driver.version),
        text(&driver.cuda_version)
    )
}

fn line(gpu: &GpuInfo) -> String {
    format!(
        "{}, {}, PCIe {}, ECC {}, MIG {}, persistence mode {}, power limit {}",
        text(&gpu.name),
        bytes(&gpu.memory_bytes),
        link(gpu),
        switch(&gpu.ecc),
        switch(&gpu.mig),
        switch(&gpu.persistence),
        watts(&gpu.power_limit_watts)
    )
}

fn link(gpu: &GpuInfo) -> String {
    let [generation, max_generation, width, max_width] = [
        &gpu.pcie_generation,
        &gpu.pcie_max_generation,
        &gpu.pcie_width,
        &gpu.pcie_max_width,
    ]
    .map(|told| figure(told, u64::to_string));
    format!("generation {generation} (of {max_generation}) x{width} (of {max_width})")
}

pub(in crate::report) fn conditions(host: &Host, seen: &Conditions) -> Vec<Item> {
    seen.gpus.iter().flat_map(|gpu| of_gpu(host, gpu)).collect()
}

fn of_gpu(host: &Host, gpu: &GpuConditions) -> [Item; 4] {
    let other_processes = figure(&gpu.other_pids, |pids| process_ids(pids));
    [
        ("clocks", clocks(host, gpu)),
        ("clocks held down", held_down(gpu)),
        ("other processes", other_processes),
        ("level", level(gpu)),
    ]
    .map(|(what, text)| Item::new(format!("GPU {} {what}", gpu.index), text))
}

fn clocks(host: &Host, gpu: &GpuConditions) -> String {
    format!(
        "SM {}{}, memory {}",
        megahertz(&gpu.sm_clock_hertz),
        highest(host, gpu.index).unwrap_or_default(),
        megahertz(&gpu.memory_clock_hertz)
    )
}

fn highest(host: &Host, gpu: u64) -> Option<String> {
    let known = host.gpus.iter().find(|known| known.index == gpu)?;
    let most = megahertz(&known.sm_clock_max_hertz);
    Some(format!(" (highest {most})"))
}

/// Why clocks were held down, and in how many samples.
fn held_down(gpu: &GpuConditions) -> String {
    let all = gpu.samples_count;
    figure(&gpu.clock_events, |events| match events.as_slice() {
        [] => format!("in none of {all} samples"),
        events => words::joined(events.iter().map(|event| held(event, all)), ", "),
    })
}

fn held(event: &ClockEvent, all: u64) -> String {
    let (reason, samples) = (&event.reason, event.samples_count);
    format!("{reason} in {samples} of {all} samples")
}

fn process_ids(pids: &[u64]) -> String {
    match pids {
        [] => "none".into(),
        pids => format!("process id {}", words::joined(pids, ", ")),
    }
}

fn level(gpu: &GpuConditions) -> String {
    let hottest = figure(&gpu.temperature_max_celsius, |hottest| {
        format!("{:.0} °C", hottest.0)
    });
    format!(
        "{} in use, {}, at most {hottest}",
        bytes(&gpu.memory_used_bytes),
        watts(&gpu.power_watts)
    )
}

/// Whether the driver serves ONNX Runtime's CUDA builds, and which settings bear on figures; empty
/// without a GPU.
pub(in crate::report) fn gpu_settings(host: &Host) -> Vec<Item> {
    let Some(driver) = driver(host) else {
        return Vec::new();
    };
    let drivers = DRIVERS.map(|(cuda, oldest)| {
        let served = figure(&driver.version, |version| {
            suitability(version, cuda, oldest)
        });
        Item::new(format!("Driver for {cuda} builds"), served)
    });
    let settings = SETTINGS.iter().flat_map(|setting| setting.items(host));
    drivers.into_iter().chain(settings).collect()
}

/// A setting that bears on figures.
struct Setting {
    name: &'static str,
    is_so: fn(&GpuInfo) -> bool,
    to_do: &'static str,
}

const SETTINGS: [Setting; 3] = [
    Setting {
        name: "persistence mode",
        is_so: |gpu| gpu.persistence == Ok(false),
        to_do: "off: the driver starts the GPU anew for every launch; to do: `nvidia-smi -pm 1` as root",
    },
    Setting {
        name: "ECC",
        is_so: |gpu| gpu.ecc == Ok(false),
        to_do: "off: faster on some chips, without correction of memory errors; to do: set it as in production",
    },
    Setting {
        name: "MIG",
        is_so: |gpu| gpu.mig == Ok(true),
        to_do: "on: utilization is not told, memory and energy are of the whole GPU; to do: `nvidia-smi -mig 0` to measure \
                the whole",
    },
];

impl Setting {
    fn items(&self, host: &Host) -> impl Iterator<Item = Item> {
        host.gpus
            .iter()
            .filter(|gpu| (self.is_so)(gpu))
            .map(|gpu| Item::new(format!("GPU {} {}", gpu.index, self.name), self.to_do))
    }
}

fn suitability(version: &Plain, cuda: &str, oldest: u64) -> String {
    let major = version.exact().split('.').next();
    let Some(Ok(major)) = major.map(str::parse::<u64>) else {
        return not_measured(&format!("`{version}` is no version"));
    };
    let other = if cuda == "CUDA 13" {
        ", or use a build for CUDA 12"
    } else {
        ""
    };
    if major >= oldest {
        format!("{version} suffices (needs {oldest})")
    } else {
        format!("{version} is too old (needs {oldest}); to do: update it{other}")
    }
}

pub(super) fn provenance(record: &RunRecord) -> Vec<Item> {
    let Some(monitoring) = &record.monitoring else {
        return Vec::new();
    };
    let counters = figure(&monitoring.cpu, |power| {
        format!(
            "{}; {} before the run",
            Plain::joined(&power.domains, ", "),
            number::value(Unit::Watts, power.idle_watts.0, None)
        )
    });
    let mut items = vec![Item::new("CPU energy counters", counters)];
    if let Ok(sampling) = &monitoring.gpus {
        items.push(Item::new("GPU samples", samples(sampling)));
        items.extend(sampling.idle.iter().map(idle));
    }
    items
}

fn samples(sampling: &GpuSampling) -> String {
    let cost = sampling
        .cost_ns
        .map(|cost| format!(", each took {}", number::time(cost)));
    let ended = sampling
        .ended_early
        .as_ref()
        .map(|why| format!("; it ended early: {why}"));
    format!(
        "one each {}{}{}",
        number::time(sampling.period_ns),
        cost.unwrap_or_default(),
        ended.unwrap_or_default()
    )
}

fn idle(idle: &GpuIdle) -> Item {
    let period = figure(&idle.counter_period_ns, |&period| {
        format!("changes each {}", number::time(period))
    });
    Item::new(
        format!("GPU {} idle", idle.index),
        format!(
            "{} before the run; energy counter {period}",
            watts(&idle.power_watts)
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_driver_is_told_with_what_to_do() {
        for (version, cuda, oldest, expected) in [
            (
                "580.65.06",
                "CUDA 13",
                580,
                "580.65.06 suffices (needs 580)",
            ),
            (
                "570.124",
                "CUDA 13",
                580,
                "570.124 is too old (needs 580); to do: update it, or use a build for CUDA 12",
            ),
            (
                "470.1",
                "CUDA 12",
                525,
                "470.1 is too old (needs 525); to do: update it",
            ),
        ] {
            assert_eq!(suitability(&version.into(), cuda, oldest), expected);
        }
    }

    #[test]
    fn machine_without_a_gpu_says_so_in_one_line() {
        let host = Host {
            gpus_absent_reason: Some("there is no NVIDIA driver".into()),
            ..Host::default()
        };
        assert_eq!(
            machine(&host),
            [Item::new("GPU", "not measured: there is no NVIDIA driver")]
        );
        assert_eq!(machine(&Host::default()), []);
        let driver = GpuDriver {
            version: Ok("580.1".into()),
            cuda_version: Ok("13.0".into()),
        };
        let host = Host {
            gpu_driver: Some(driver),
            ..host
        };
        assert_eq!((machine(&host).len(), gpu_settings(&host).len()), (1, 0));
    }
}
