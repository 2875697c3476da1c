//! Cost of a prediction on GPUs: utilization, memory and energy.

use crate::analysis::{CellFindings, SessionFindings};
use crate::metric::Metric;
use crate::plan::LoadMode;
use crate::record::{GpuUse, RunRecord};
use crate::report::words::{self, Builder, Line, RowKind, Source, Table, plain};
use crate::text::Plain;

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
pub(super) fn energy(source: Source<'_>) -> Option<Table> {
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
        let key = cell.key;
        let batch = source
            .batch(key.shape, key.batch_size)
            .trim_start_matches("batch ")
            .to_owned();
        let mut line = table.line_of(vec![source.name(key.session), batch], source.place(key));
        if modes {
            line.text(key.load_mode.in_column());
        }
        for &(column, metric) in &columns {
            add_cost(&mut line, cell, column, metric);
        }
        line.end(RowKind::Plain);
    }
    let mut notes = vec![ENERGY.to_owned()];
    notes.extend(ran_on_gpu(source).then(|| FIRST_RUN.to_owned()));
    Some(table.finish(notes))
}

fn measured(source: Source<'_>) -> impl Iterator<Item = &CellFindings> {
    source.cells().filter(|cell| cell.outcome.is_ok())
}

fn ran_on_gpu(source: Source<'_>) -> bool {
    measured(source).any(|cell| cell.figure(Metric::GpuUtilization).is_some())
}

fn columns(source: Source<'_>) -> Vec<Column> {
    let of_gpu: &[Column] = if ran_on_gpu(source) { &OF_GPU } else { &[] };
    let mut columns = of_gpu.to_vec();
    let of_cpu = OF_CPU.into_iter();
    columns.extend(of_cpu.filter(|(_, metric)| is_known(source, *metric)));
    columns
}

fn is_known(source: Source<'_>, metric: Metric) -> bool {
    measured(source).any(|cell| cell.value(metric).is_some())
}

fn add_cost(line: &mut Line<'_>, cell: &CellFindings, column: &str, metric: Metric) {
    if cell.figure(metric).is_some() {
        return line.figure(column, metric, &cell.figures, words::short);
    }
    let absence = line.absence(column, "the session ran on no GPU");
    line.text(absence);
}

/// Of each session that ran on a GPU and was measured, the cell of the batch size that is enough.
fn on_gpu(source: Source<'_>) -> impl Iterator<Item = &CellFindings> {
    let sessions = &source.record.plan.sessions;
    source
        .curves()
        .filter(move |curve| sessions[curve.session].nvidia_device().is_some())
        .filter_map(move |curve| source.cell(curve.key(curve.enough)))
}

/// How busy GPUs were; `None` where no session ran on an NVIDIA GPU.
pub(in crate::report) fn utilization(source: Source<'_>) -> Option<String> {
    joined(on_gpu(source).map(|cell| utilization_of(source, cell)))
}

fn joined(parts: impl Iterator<Item = String>) -> Option<String> {
    Some(words::joined(parts, "; ")).filter(|text| !text.is_empty())
}

fn utilization_of(source: Source<'_>, cell: &CellFindings) -> String {
    format!(
        "{}: {}; peak {}",
        source.place(cell.key),
        full(cell, Metric::GpuUtilization),
        full(cell, Metric::GpuUtilizationPeak)
    )
}

fn full(cell: &CellFindings, metric: Metric) -> String {
    cell.figure(metric)
        .map(|estimate| words::full(metric, estimate))
        .unwrap_or_default()
}

/// The GPU's part of the template's `Memory Usage per Model`, of the baseline, or else of those that
/// ran on one; `None` where no session did.
pub(in crate::report) fn memory(source: Source<'_>, baseline: &SessionFindings) -> Option<String> {
    if let Some(peak) = peak(baseline) {
        return Some(peak);
    }
    let others = source
        .sessions()
        .filter_map(|session| Some(format!("{} {}", plain(&session.label), peak(session)?)));
    Some(words::joined(others, ", ")).filter(|others| !others.is_empty())
}

fn peak(session: &SessionFindings) -> Option<String> {
    let peak = session.figure(Metric::GpuMemoryPeak)?;
    Some(words::full(Metric::GpuMemoryPeak, peak))
}

/// The template's `Hardware Acceleration`; `None` where no session ran on an NVIDIA GPU.
pub(in crate::report) fn acceleration(source: Source<'_>) -> Option<String> {
    joined(on_gpu(source).map(|cell| acceleration_of(source, cell)))
}

fn acceleration_of(source: Source<'_>, cell: &CellFindings) -> String {
    let session = cell.key.session;
    let (name, at) = (source.name(session), source.at(cell.key));
    let gpu = gpu_name(source.record, session)
        .map(|name| format!(" on {name}"))
        .unwrap_or_default();
    format!(
        "{name} with {}{gpu}: {} {at}{}",
        source.record.plan.sessions[session].execution_provider,
        words::shown(Metric::Throughput, cell.figure(Metric::Throughput)),
        throughput_change(source, cell).unwrap_or_default()
    )
}

/// `, against fp32 by throughput: 2.10x faster`, where that was compared.
fn throughput_change(source: Source<'_>, cell: &CellFindings) -> Option<String> {
    let comparison = cell.comparison.as_ref()?;
    Some(format!(
        ", against {} by throughput: {}",
        source.name(comparison.baseline.session),
        words::throughput_change(&comparison.throughput)
    ))
}

fn used(record: &RunRecord, session: usize) -> Option<&GpuUse> {
    record
        .launches
        .iter()
        .filter(|launch| launch.session == session)
        .flat_map(|launch| &launch.cells)
        .find_map(|cell| cell.gpu.as_ref()?.as_ref().ok())
}

fn gpu_name(record: &RunRecord, session: usize) -> Option<&Plain> {
    let used = used(record, session)?;
    record
        .host
        .gpus
        .iter()
        .find(|gpu| gpu.index == used.index)?
        .name
        .as_ref()
        .ok()
}
