//! Cost of a prediction on GPUs: utilization, memory and energy.

use crate::analysis::{CellFindings, SessionFindings};
use crate::metric::Metric;
use crate::plan::LoadMode;
use crate::report::words::{self, Builder, Source, Table, not_measured, plain};

pub(in crate::report) const NO_SESSION: &str = "no session ran on an NVIDIA GPU";

/// A column of the table of costs, and its figure.
type Column = (&'static str, Metric);

const OF_GPU: [Column; 6] = [
    ("first run", Metric::BatchFirstRun),
    ("GPU", Metric::GpuUtilization),
    ("GPU memory", Metric::GpuMemoryPeak),
    ("GPU power", Metric::GpuPower),
    ("GPU energy", Metric::GpuEnergy),
    ("above idle", Metric::GpuEnergyAboveIdle),
];

const OF_CPU: [Column; 2] = [
    ("CPU energy", Metric::CpuEnergy),
    ("CPU above idle", Metric::CpuEnergyAboveIdle),
];

const ENERGY: &str = "energy is per prediction, of the whole GPU or processor; above idle: less what it takes while \
nothing runs";
const FIRST_RUN: &str = "first run: of a launch's first inference at this batch size, which selects kernels and plans \
memory";

/// Cost of a prediction. `None` where neither a GPU nor energy was measured.
pub(in crate::report) fn energy(source: Source<'_>) -> Option<Table> {
    let columns = columns(source);
    if columns.is_empty() {
        return None;
    }
    let modes = source.record.plan.load_modes.len() > 1;
    let mut header = vec!["variant", "batch"];
    header.extend(modes.then_some(LoadMode::COLUMN));
    header.extend(columns.iter().map(|(column, _)| *column));
    let mut table = Builder::new("GPU and energy: what does a prediction cost?", &header);
    for cell in measured(source) {
        let name = source.name(cell.key.session);
        let row = format!("{name} {}", source.at(cell.key));
        let batch = source.batch(cell.key.shape, cell.key.batch_size);
        let mut texts = vec![name, batch.trim_start_matches("batch ").to_owned()];
        texts.extend(modes.then(|| cell.key.load_mode.in_column()));
        for (column, metric) in &columns {
            texts.push(cost(&mut table, cell, &row, column, *metric));
        }
        table.plain_row(texts);
    }
    let notes = [Some(ENERGY), ran_on_gpu(source).then_some(FIRST_RUN)];
    Some(table.finish(notes.into_iter().flatten().map(str::to_owned).collect()))
}

fn measured(source: Source<'_>) -> impl Iterator<Item = &CellFindings> {
    let cells = source.findings.cells.iter();
    cells.filter(|cell| cell.outcome.is_ok())
}

fn ran_on_gpu(source: Source<'_>) -> bool {
    measured(source).any(|cell| cell.figure(Metric::GpuUtilization).is_some())
}

fn columns(source: Source<'_>) -> Vec<Column> {
    let of_gpu = OF_GPU.into_iter().filter(|_| ran_on_gpu(source));
    let of_cpu = OF_CPU.into_iter();
    let of_cpu =
        of_cpu.filter(|(_, metric)| measured(source).any(|cell| cell.value(*metric).is_some()));
    of_gpu.chain(of_cpu).collect()
}

fn cost(
    table: &mut Builder,
    cell: &CellFindings,
    row: &str,
    column: &str,
    metric: Metric,
) -> String {
    match cell.figure(metric) {
        None => table.absence(column, row, "the session ran on no GPU"),
        estimate => table.figure(column, row, estimate, |found| words::short(metric, found)),
    }
}

/// Of each session that ran on a GPU and was measured, the cell of the batch size that is enough.
fn on_gpu(source: Source<'_>) -> impl Iterator<Item = &CellFindings> {
    let sessions = &source.record.plan.sessions;
    let curves = source.findings.batch_curves.iter();
    curves
        .filter(move |curve| sessions[curve.session].nvidia_device().is_some())
        .filter_map(move |curve| source.cell(curve.key(curve.enough)))
}

/// How busy GPUs were; `None` where no session ran on an NVIDIA GPU.
pub(in crate::report) fn utilization(source: Source<'_>) -> Option<String> {
    let lines: Vec<String> = on_gpu(source)
        .map(|cell| utilization_of(source, cell))
        .collect();
    (!lines.is_empty()).then(|| lines.join("; "))
}

fn utilization_of(source: Source<'_>, cell: &CellFindings) -> String {
    let [mean, peak] = [Metric::GpuUtilization, Metric::GpuUtilizationPeak].map(|metric| {
        let estimate = cell.figure(metric);
        estimate
            .map(|estimate| words::full(metric, estimate))
            .unwrap_or_default()
    });
    let (name, at) = (source.name(cell.key.session), source.at(cell.key));
    format!("{name} {at}: {mean}; peak {peak}")
}

/// The GPU's part of the template's `Memory Usage per Model`, of the baseline.
pub(in crate::report) fn memory(source: Source<'_>, baseline: &SessionFindings) -> String {
    if let Some(peak) = peak(baseline) {
        return peak;
    }
    let sessions = source.findings.sessions.iter();
    let others: Vec<String> = sessions
        .filter_map(|session| Some(format!("{} {}", plain(&session.label), peak(session)?)))
        .collect();
    if others.is_empty() {
        not_measured(NO_SESSION)
    } else {
        others.join(", ")
    }
}

fn peak(session: &SessionFindings) -> Option<String> {
    let peak = session.figure(Metric::GpuMemoryPeak)?;
    Some(words::full(Metric::GpuMemoryPeak, peak))
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
    let (name, at) = (source.name(session), source.at(cell.key));
    let provider = plain(&source.record.plan.sessions[session].execution_provider);
    let gpu = gpu_name(source, session).map(|name| format!(" on {name}"));
    let gpu = gpu.unwrap_or_default();
    let rate = cell.figure(Metric::Throughput);
    let rate = rate
        .map(|rate| words::value(Metric::Throughput, rate))
        .unwrap_or_default();
    let change = throughput_change(source, cell);
    format!("{name} with {provider}{gpu}: {rate} {at}{change}")
}

/// `, against fp32 by throughput: 2.10x faster`; empty where nothing was compared.
fn throughput_change(source: Source<'_>, cell: &CellFindings) -> String {
    let Some(comparison) = &cell.comparison else {
        return String::new();
    };
    let baseline = source.name(comparison.baseline.session);
    let change = words::throughput_change(&comparison.throughput);
    format!(", against {baseline} by throughput: {change}")
}

fn gpu_name(source: Source<'_>, session: usize) -> Option<String> {
    let launches = source.record.launches.iter();
    let used = launches
        .filter(|launch| launch.session == session)
        .flat_map(|launch| &launch.cells)
        .find_map(|cell| cell.gpu.as_ref()?.as_ref().ok())?;
    let mut gpus = source.record.host.gpus.iter();
    let gpu = gpus.find(|gpu| gpu.index == used.index)?;
    gpu.name.as_ref().ok().map(plain)
}
