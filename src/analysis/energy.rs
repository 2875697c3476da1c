//! Figures of a cell that come from a GPU's driver or from energy counters.

use super::figures::Estimate;
use super::index::Index;
use super::over_launches::{largest, median, per_launch, pooled};
use crate::metric::Metric;
use crate::observed::Observed;
use crate::plan::CellKey;
use crate::record::{BlockRecord, GpuMemory, GpuMemoryScope, GpuUse, LaunchCell};
use crate::text::Plain;
use crate::units::{Joules, Nanos, Watts};

/// Figures of a GPU, for cells of sessions that ran on one.
pub(super) const OF_GPU: [Metric; 6] = [
    Metric::GpuUtilization,
    Metric::GpuUtilizationPeak,
    Metric::GpuMemoryPeak,
    Metric::GpuPower,
    Metric::GpuEnergy,
    Metric::GpuEnergyAboveIdle,
];

/// Figures of the processor's energy, for runs that looked for its counters.
pub(super) const OF_CPU: [Metric; 2] = [Metric::CpuEnergy, Metric::CpuEnergyAboveIdle];

/// Time that the blocks of a launch must last together: ten updates of a processor's counters, which come every
/// millisecond.
const LEAST_BLOCK_TIME: Nanos = Nanos(10_000_000);

/// Why a figure of a GPU is absent of which no launch tells anything.
const NOT_REPORTED: &str = "no launch came to the end of the cell";

/// What a figure of memory says where only the end of the cell was looked at.
const AT_THE_END: &str = "at the end of the cell: the budget left no time to look longer";

/// What a figure of memory says where it was read from the device's level.
const OF_THE_DEVICE: &str = "from the level of the whole device: the driver does not list the worker";

/// One of [`OF_GPU`].
pub(super) fn of_gpu(index: &Index<'_>, key: CellKey, metric: Metric) -> Estimate {
    if metric == Metric::GpuMemoryPeak {
        return memory_peak(index, key);
    }
    let told = |used: &GpuUse| match metric {
        Metric::GpuEnergyAboveIdle => per_prediction(used, key.batch_size, above_idle(index, used)?),
        metric => figure(metric, used, key.batch_size),
    };
    let launches = || index.launch_cells(key).iter().filter_map(|(_, cell)| cell.gpu.as_ref());
    let answers: Vec<Observed<f64>> =
        launches().map(|used| used.as_ref().map_err(Clone::clone).and_then(told)).collect();
    let values: Vec<f64> = answers.iter().filter_map(|answer| answer.as_ref().ok()).copied().collect();
    let reason = answers.iter().find_map(|answer| answer.as_ref().err()).map_or(NOT_REPORTED, Plain::exact);
    match metric {
        Metric::GpuUtilizationPeak => largest(&values, reason),
        _ => median(&values, reason),
    }
}

/// Most GPU memory in any launch, with a remark where it was read in another way than the usual.
fn memory_peak(index: &Index<'_>, key: CellKey) -> Estimate {
    let cells: Vec<&LaunchCell> = index.launch_cells(key).iter().map(|(_, cell)| *cell).collect();
    let answers: Vec<Observed<GpuMemory>> = cells.iter().filter_map(|cell| memory(cell)).collect();
    let memories = || answers.iter().filter_map(|answer| answer.as_ref().ok());
    let reason = answers.iter().find_map(|answer| answer.as_ref().err()).map_or(NOT_REPORTED, Plain::exact);
    let values: Vec<f64> = memories().map(|memory| memory.bytes.as_f64()).collect();
    let mut remarks = Vec::new();
    if memories().any(|memory| memory.scope == GpuMemoryScope::Device) {
        remarks.push(OF_THE_DEVICE);
    }
    if cells.iter().all(|cell| cell.gpu_memory.is_some()) {
        remarks.push(AT_THE_END);
    }
    remarked(largest(&values, reason), &remarks)
}

/// GPU memory of one launch of a cell; `None` where the session ran on no GPU.
fn memory(cell: &LaunchCell) -> Option<Observed<GpuMemory>> {
    match (cell.gpu.as_ref()?, &cell.gpu_memory) {
        (Ok(used), _) => Some(used.memory.clone()),
        (Err(_), Some(memory)) => Some(memory.clone()),
        (Err(reason), None) => Some(Err(reason.clone())),
    }
}

/// A figure of one launch that does not depend on what the GPU takes while nothing runs.
fn figure(metric: Metric, used: &GpuUse, batch_size: u64) -> Observed<f64> {
    match metric {
        Metric::GpuUtilization => used.utilization_mean_ratio.clone().map(|ratio| ratio.0),
        Metric::GpuUtilizationPeak => used.utilization_peak_ratio.clone().map(|ratio| ratio.0),
        Metric::GpuPower => used.power_mean_watts.clone().map(|power| power.0),
        Metric::GpuEnergy => per_prediction(used, batch_size, energy(used)?),
        _ => Err(NOT_REPORTED.into()),
    }
}

/// A figure of a GPU in one launch of a cell; `None` if there is none, or if it is above idle.
pub(super) fn of_launch(metric: Metric, cell: &LaunchCell) -> Option<f64> {
    if metric == Metric::GpuMemoryPeak {
        return memory(cell)?.ok().map(|memory| memory.bytes.as_f64());
    }
    figure(metric, cell.gpu.as_ref()?.as_ref().ok()?, cell.batch_size).ok()
}

fn remarked(mut estimate: Estimate, remarks: &[&str]) -> Estimate {
    if let (Estimate::Measured(measured), false) = (&mut estimate, remarks.is_empty()) {
        measured.remark = Some(remarks.join("; ").into());
    }
    estimate
}

fn energy(used: &GpuUse) -> Observed<Joules> {
    used.energy.clone().map(|energy| energy.joules)
}

fn above_idle(index: &Index<'_>, used: &GpuUse) -> Observed<Joules> {
    let sampling = index.record.monitoring.as_ref().and_then(|monitoring| monitoring.gpus.as_ref().ok());
    let idle = sampling.and_then(|sampling| sampling.idle.iter().find(|idle| idle.index == used.index));
    let power =
        idle.map_or_else(|| Err("the GPU was not looked at before the run".into()), |idle| idle.power_watts.clone());
    Ok(less(energy(used)?, power?, used.elapsed_ns))
}

fn less(energy: Joules, idle: Watts, time: Nanos) -> Joules {
    Joules(energy.0 - idle.over(time).0)
}

fn per_prediction(used: &GpuUse, batch_size: u64, energy: Joules) -> Observed<f64> {
    let predictions = used.inferences_count as f64 * batch_size as f64;
    if predictions > 0.0 { Ok(energy.0 / predictions) } else { Err("no inference was completed".into()) }
}

/// One of [`OF_CPU`].
pub(super) fn of_cpu(index: &Index<'_>, blocks: &[&BlockRecord], metric: Metric) -> Estimate {
    let Some(monitoring) = &index.record.monitoring else { return Estimate::absent("the run did not look for it") };
    let idle = match &monitoring.cpu {
        Ok(power) => power.idle_watts,
        Err(reason) => return Estimate::absent(reason.exact()),
    };
    let idle = if metric == Metric::CpuEnergyAboveIdle { idle } else { Watts(0.0) };
    let figure = |blocks: &[&BlockRecord]| cpu_energy_above(idle, blocks);
    match figure(blocks) {
        Some(value) => pooled(value, &per_launch(blocks, figure)),
        None => Estimate::absent("a counter was not read in every block, or the blocks last less than 10 ms together"),
    }
}

/// CPU energy per prediction over the blocks of one launch, in joules.
pub(super) fn cpu_energy(blocks: &[&BlockRecord]) -> Option<f64> {
    cpu_energy_above(Watts(0.0), blocks)
}

fn cpu_energy_above(idle: Watts, blocks: &[&BlockRecord]) -> Option<f64> {
    let time = blocks.iter().fold(Nanos(0), |sum, block| sum + block.span());
    let energy = blocks.iter().try_fold(Joules(0.0), |sum, block| Some(sum + block.cpu_energy?.total()))?;
    let predictions = |block: &&BlockRecord| block.inferences_count as f64 * block.key.batch_size as f64;
    let predictions: f64 = blocks.iter().map(predictions).sum();
    (time >= LEAST_BLOCK_TIME && predictions > 0.0).then(|| less(energy, idle, time).0 / predictions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_above_idle_is_the_rest() {
        assert_eq!(less(Joules(300.0), Watts(70.0), Nanos(2_000_000_000)), Joules(160.0));
    }
}
