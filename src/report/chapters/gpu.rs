//! GPUs: what they are, what they went through, and what a prediction costs on them.

use crate::analysis::{CellFindings, SessionFindings};
use crate::metric::{Metric, Unit};
use crate::observed::Observed;
use crate::plan::LoadMode;
use crate::record::{Conditions, GpuConditions, GpuDriver, GpuInfo, Host};
use crate::report::words::{self, Builder, Item, Source, Table, not_measured, number, plain};
use crate::text::Plain;
use crate::units::{Bytes, Hertz, Watts};

pub(in crate::report) const NO_SESSION: &str = "no session ran on an NVIDIA GPU";

/// Oldest drivers that serve the CUDA builds of ONNX Runtime, by NVIDIA's table of minor version compatibility.
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
    figure(told, |&on| if on { "on" } else { "off" }.to_owned())
}

/// The machine's GPUs, one line each; nothing for a record that does not know of them.
pub(in crate::report) fn machine(host: &Host) -> Vec<Item> {
    let mut items: Vec<Item> = host
        .gpus
        .iter()
        .map(|gpu| Item::new(format!("GPU {}", gpu.index), line(gpu)))
        .collect();
    if let Some(driver) = host.gpu_driver.as_ref().filter(|_| !host.gpus.is_empty()) {
        items.push(Item::new("GPU driver", driver_line(driver)));
    }
    items.extend(
        host.gpus_absent_reason
            .as_ref()
            .map(|reason| Item::new("GPU", not_measured(reason))),
    );
    items
}

pub(in crate::report) fn hardware(host: &Host) -> Vec<String> {
    let named = host.gpus.iter().filter(|gpu| gpu.name.is_ok()).map(line);
    let driver = host
        .gpu_driver
        .iter()
        .filter(|driver| driver.version.is_ok() && !host.gpus.is_empty());
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
    let number = |told: &Observed<u64>| figure(told, u64::to_string);
    format!(
        "generation {} (of {}) x{} (of {})",
        number(&gpu.pcie_generation),
        number(&gpu.pcie_max_generation),
        number(&gpu.pcie_width),
        number(&gpu.pcie_max_width)
    )
}

pub(in crate::report) fn conditions(host: &Host, seen: &Conditions) -> Vec<Item> {
    seen.gpus.iter().flat_map(|gpu| of_gpu(host, gpu)).collect()
}

fn of_gpu(host: &Host, gpu: &GpuConditions) -> [Item; 4] {
    let label = |what: &str| format!("GPU {} {what}", gpu.index);
    let most = host.gpus.iter().find(|known| known.index == gpu.index);
    let most = most
        .map(|known| format!(" (highest {})", megahertz(&known.sm_clock_max_hertz)))
        .unwrap_or_default();
    [
        Item::new(
            label("clocks"),
            format!(
                "SM {}{most}, memory {}",
                megahertz(&gpu.sm_clock_hertz),
                megahertz(&gpu.memory_clock_hertz)
            ),
        ),
        Item::new(
            label("clocks held down"),
            figure(&gpu.clock_events, |events| {
                let held = |event: &crate::record::ClockEvent| {
                    format!(
                        "{} in {} of {} samples",
                        plain(&event.reason),
                        event.samples_count,
                        gpu.samples_count
                    )
                };
                let held: Vec<String> = events.iter().map(held).collect();
                if held.is_empty() {
                    format!("in none of {} samples", gpu.samples_count)
                } else {
                    held.join(", ")
                }
            }),
        ),
        Item::new(
            label("other processes"),
            figure(&gpu.other_pids, |pids| {
                let pids: Vec<String> = pids.iter().map(u64::to_string).collect();
                if pids.is_empty() {
                    "none".into()
                } else {
                    format!("process id {}", pids.join(", "))
                }
            }),
        ),
        Item::new(
            label("level"),
            format!(
                "{} in use, {}, at most {}",
                bytes(&gpu.memory_used_bytes),
                watts(&gpu.power_watts),
                figure(&gpu.temperature_max_celsius, |hottest| format!(
                    "{:.0} °C",
                    hottest.0
                ))
            ),
        ),
    ]
}

/// Whether the driver serves ONNX Runtime's CUDA builds, and which settings bear on figures; empty without a GPU.
pub(in crate::report) fn gpu_settings(host: &Host) -> Vec<Item> {
    let Some(driver) = host.gpu_driver.as_ref().filter(|_| !host.gpus.is_empty()) else {
        return Vec::new();
    };
    let mut items: Vec<Item> = Vec::new();
    items.extend(DRIVERS.map(|(cuda, oldest)| {
        let label = format!("Driver for {cuda} builds");
        Item::new(
            label,
            figure(&driver.version, |version| {
                suitability(version, cuda, oldest)
            }),
        )
    }));
    let persistence = host.gpus.iter().filter(|gpu| gpu.persistence == Ok(false));
    items.extend(persistence.map(|gpu| {
        let todo = "off: the driver starts the GPU anew for every launch; to do: `nvidia-smi -pm 1` as root";
        Item::new(format!("GPU {} persistence mode", gpu.index), todo)
    }));
    let ecc = host.gpus.iter().filter(|gpu| gpu.ecc == Ok(false));
    items.extend(ecc.map(|gpu| {
        let todo = "off: faster on some chips, without correction of memory errors; to do: set it as in production";
        Item::new(format!("GPU {} ECC", gpu.index), todo)
    }));
    let divided = host.gpus.iter().filter(|gpu| gpu.mig == Ok(true));
    items.extend(divided.map(|gpu| {
        let todo = "on: utilization is not told, memory and energy are of the whole GPU; to do: `nvidia-smi -mig 0` to \
                    measure the whole";
        Item::new(format!("GPU {} MIG", gpu.index), todo)
    }));
    items
}

fn suitability(version: &Plain, cuda: &str, oldest: u64) -> String {
    let shown = version.to_string();
    match version
        .exact()
        .split('.')
        .next()
        .and_then(|major| major.parse::<u64>().ok())
    {
        Some(major) if major >= oldest => format!("{shown} suffices (needs {oldest})"),
        Some(_) if cuda == "CUDA 13" => {
            format!(
                "{shown} is too old (needs {oldest}); to do: update it, or use a build for CUDA 12"
            )
        }
        Some(_) => format!("{shown} is too old (needs {oldest}); to do: update it"),
        None => not_measured(&format!("`{shown}` is no version")),
    }
}

/// Cost of a prediction. `None` where neither a GPU nor energy was measured.
pub(in crate::report) fn energy(source: Source<'_>) -> Option<Table> {
    const OF_GPU: [(&str, Metric); 6] = [
        ("first run", Metric::BatchFirstRun),
        ("GPU", Metric::GpuUtilization),
        ("GPU memory", Metric::GpuMemoryPeak),
        ("GPU power", Metric::GpuPower),
        ("GPU energy", Metric::GpuEnergy),
        ("above idle", Metric::GpuEnergyAboveIdle),
    ];
    const OF_CPU: [(&str, Metric); 2] = [
        ("CPU energy", Metric::CpuEnergy),
        ("CPU above idle", Metric::CpuEnergyAboveIdle),
    ];
    let cells = || {
        source
            .findings
            .cells
            .iter()
            .filter(|cell| cell.outcome.is_ok())
    };
    let ran_on_gpu = cells().any(|cell| cell.figure(Metric::GpuUtilization).is_some());
    let is_measured = |metric: Metric| cells().any(|cell| cell.value(metric).is_some());
    let columns: Vec<(&str, Metric)> = (OF_GPU.into_iter().filter(|_| ran_on_gpu))
        .chain(
            OF_CPU
                .into_iter()
                .filter(|(_, metric)| is_measured(*metric)),
        )
        .collect();
    if columns.is_empty() {
        return None;
    }
    let modes = source.record.plan.load_modes.len() > 1;
    let mut header = vec!["variant", "batch"];
    header.extend(modes.then_some(LoadMode::COLUMN));
    header.extend(columns.iter().map(|(column, _)| *column));
    let mut table = Builder::new("GPU and energy: what does a prediction cost?", &header);
    for cell in cells() {
        let name = source.name(cell.key.session);
        let row = format!("{name} {}", source.at(cell.key));
        let batch = source.batch(cell.key.shape, cell.key.batch_size);
        let mut texts = vec![name, batch.trim_start_matches("batch ").to_owned()];
        texts.extend(modes.then(|| cell.key.load_mode.in_column()));
        for &(column, metric) in &columns {
            texts.push(match cell.figure(metric) {
                None => table.absence(column, &row, "the session ran on no GPU"),
                estimate => table.figure(column, &row, estimate, |estimate| {
                    words::short(metric, estimate)
                }),
            });
        }
        table.plain_row(texts);
    }
    let energy = "energy is per prediction, of the whole GPU or processor; above idle: less what it takes while nothing runs";
    let first = "first run: of a launch's first inference at this batch size, which selects kernels and plans memory";
    let notes = [Some(energy), ran_on_gpu.then_some(first)];
    Some(table.finish(notes.into_iter().flatten().map(str::to_owned).collect()))
}

/// Of each session that ran on a GPU and was measured, the cell of the batch size that is enough.
fn on_gpu(source: Source<'_>) -> impl Iterator<Item = &CellFindings> {
    let is_on_gpu = move |session: usize| {
        source.record.plan.sessions[session]
            .nvidia_device()
            .is_some()
    };
    let curves = source
        .findings
        .batch_curves
        .iter()
        .filter(move |curve| is_on_gpu(curve.session));
    curves.filter_map(move |curve| source.cell(curve.key(curve.enough)))
}

/// How busy GPUs were; `None` where no session ran on an NVIDIA GPU.
pub(in crate::report) fn utilization(source: Source<'_>) -> Option<String> {
    let lines: Vec<String> = on_gpu(source)
        .map(|cell| utilization_of(source, cell))
        .collect();
    (!lines.is_empty()).then(|| lines.join("; "))
}

fn utilization_of(source: Source<'_>, cell: &CellFindings) -> String {
    let full = |metric: Metric| {
        cell.figure(metric)
            .map(|estimate| words::full(metric, estimate))
            .unwrap_or_default()
    };
    format!(
        "{} {}: {}; peak {}",
        source.name(cell.key.session),
        source.at(cell.key),
        full(Metric::GpuUtilization),
        full(Metric::GpuUtilizationPeak)
    )
}

/// The GPU's part of the template's `Memory Usage per Model`, of the baseline.
pub(in crate::report) fn memory(source: Source<'_>, baseline: &SessionFindings) -> String {
    if let Some(estimate) = baseline.figure(Metric::GpuMemoryPeak) {
        return words::full(Metric::GpuMemoryPeak, estimate);
    }
    let others = source.findings.sessions.iter().filter_map(|session| {
        let peak = session.figure(Metric::GpuMemoryPeak)?;
        Some(format!(
            "{} {}",
            plain(&session.label),
            words::full(Metric::GpuMemoryPeak, peak)
        ))
    });
    let others: Vec<String> = others.collect();
    if others.is_empty() {
        not_measured(NO_SESSION)
    } else {
        others.join(", ")
    }
}

/// The template's `Hardware Acceleration`; `None` where no session ran on an NVIDIA GPU.
pub(in crate::report) fn acceleration(source: Source<'_>) -> Option<String> {
    let lines: Vec<String> = on_gpu(source)
        .map(|cell| acceleration_of(source, cell))
        .collect();
    (!lines.is_empty()).then(|| lines.join("; "))
}

fn acceleration_of(source: Source<'_>, cell: &CellFindings) -> String {
    let session = cell.key.session;
    let rate = cell
        .figure(Metric::Throughput)
        .map(|rate| words::value(Metric::Throughput, rate))
        .unwrap_or_default();
    let change = cell.comparison.as_ref().map(|comparison| {
        let baseline = source.name(comparison.baseline.session);
        format!(
            ", against {baseline} by throughput: {}",
            words::throughput_change(&comparison.throughput)
        )
    });
    let provider = plain(&source.record.plan.sessions[session].execution_provider);
    format!(
        "{} with {provider}{}: {rate} {}{}",
        source.name(session),
        gpu_name(source, session)
            .map(|name| format!(" on {name}"))
            .unwrap_or_default(),
        source.at(cell.key),
        change.unwrap_or_default()
    )
}

fn gpu_name(source: Source<'_>, session: usize) -> Option<String> {
    let launches = source
        .record
        .launches
        .iter()
        .filter(|launch| launch.session == session);
    let used = launches
        .flat_map(|launch| &launch.cells)
        .find_map(|cell| cell.gpu.as_ref()?.as_ref().ok())?;
    let gpu = source
        .record
        .host
        .gpus
        .iter()
        .find(|gpu| gpu.index == used.index)?;
    gpu.name.as_ref().ok().map(plain)
}

pub(in crate::report) fn provenance(source: Source<'_>) -> Vec<Item> {
    let Some(monitoring) = &source.record.monitoring else {
        return Vec::new();
    };
    let mut items = vec![Item::new(
        "CPU energy counters",
        figure(&monitoring.cpu, |power| {
            let idle = number::value(Unit::Watts, power.idle_watts.0, None);
            format!(
                "{}; {idle} before the run",
                Plain::joined(&power.domains, ", ")
            )
        }),
    )];
    let Ok(sampling) = &monitoring.gpus else {
        return items;
    };
    let cost = sampling
        .cost_ns
        .map(|cost| format!(", each took {}", number::time(cost)))
        .unwrap_or_default();
    let ended = sampling
        .ended_early
        .as_ref()
        .map(|why| format!("; it ended early: {}", plain(why)))
        .unwrap_or_default();
    items.push(Item::new(
        "GPU samples",
        format!("one each {}{cost}{ended}", number::time(sampling.period_ns)),
    ));
    items.extend(sampling.idle.iter().map(|idle| {
        let period = figure(&idle.counter_period_ns, |&period| {
            format!("changes each {}", number::time(period))
        });
        let text = format!(
            "{} before the run; energy counter {period}",
            watts(&idle.power_watts)
        );
        Item::new(format!("GPU {} idle", idle.index), text)
    }));
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_driver_is_told_with_what_to_do() {
        let suitability = |version: &str, cuda, oldest| suitability(&version.into(), cuda, oldest);
        let newer = suitability("580.65.06", "CUDA 13", 580);
        assert_eq!(newer, "580.65.06 suffices (needs 580)");
        assert!(
            suitability("570.124", "CUDA 13", 580)
                .ends_with("to do: update it, or use a build for CUDA 12")
        );
        assert!(
            suitability("470.1", "CUDA 12", 525)
                .ends_with("is too old (needs 525); to do: update it")
        );
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
