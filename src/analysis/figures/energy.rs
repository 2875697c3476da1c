//! Figures of a cell that come from a GPU's driver or from energy counters.

use super::{Estimate, Index, Measurement, largest, median};
use crate::observed::Observed;
use crate::record::{BlockRecord, GpuMemory, GpuMemoryScope, GpuUse, LaunchCell};
use crate::text::Plain;
use crate::units::{Joules, Nanos, Watts};

/// Of a launch's blocks together: ten updates of a processor's counters, which come every
/// millisecond.
const LEAST_BLOCK_TIME: Nanos = Nanos(10_000_000);

/// A figure of a GPU in one launch, at a batch size.
pub(super) type GpuFigure = fn(&GpuUse, u64) -> Observed<f64>;

pub(super) fn gpu(
    cell: &Measurement<'_>,
    figure: GpuFigure,
    centre: fn(&[f64], &str) -> Estimate,
) -> Estimate {
    of_gpu(cell, |used| figure(used, cell.key.batch_size), centre)
}

fn of_gpu(
    cell: &Measurement<'_>,
    figure: impl Fn(&GpuUse) -> Observed<f64>,
    centre: fn(&[f64], &str) -> Estimate,
) -> Estimate {
    let answers: Vec<Observed<f64>> = cell
        .index
        .launch_cells(cell.key)
        .iter()
        .flat_map(|(_, cell)| &cell.gpu)
        .map(|used| used.as_ref().map_err(Clone::clone).and_then(&figure))
        .collect();
    centre(
        &answers.iter().flatten().copied().collect::<Vec<_>>(),
        why_nothing(&answers),
    )
}

fn why_nothing<T>(answers: &[Observed<T>]) -> &str {
    answers
        .iter()
        .find_map(|answer| answer.as_ref().err())
        .map_or("no launch came to the end of the cell", Plain::exact)
}

pub(in crate::analysis) fn gpu_of_launch(figure: GpuFigure, cell: &LaunchCell) -> Option<f64> {
    figure(cell.gpu.as_ref()?.as_ref().ok()?, cell.batch_size).ok()
}

pub(in crate::analysis) fn gpu_per_prediction(used: &GpuUse, batch_size: u64) -> Observed<f64> {
    per_prediction(used, batch_size, energy(used)?)
}

pub(super) fn gpu_above_idle(cell: &Measurement<'_>) -> Estimate {
    of_gpu(
        cell,
        |used| per_prediction(used, cell.key.batch_size, above_idle(cell.index, used)?),
        median,
    )
}

pub(super) fn gpu_memory_peak(cell: &Measurement<'_>) -> Estimate {
    let cells = cell.index.launch_cells(cell.key);
    let answers: Vec<Observed<GpuMemory>> =
        cells.iter().filter_map(|(_, cell)| memory(cell)).collect();
    let memories: Vec<&GpuMemory> = answers.iter().flatten().collect();
    let values: Vec<f64> = memories
        .iter()
        .map(|memory| memory.bytes.as_f64())
        .collect();
    let mut remarks = Vec::new();
    if memories
        .iter()
        .any(|memory| memory.scope == GpuMemoryScope::Device)
    {
        remarks.push("from the level of the whole device: the driver does not list the process");
    }
    if cells.iter().all(|(_, cell)| cell.gpu_memory.is_some()) {
        remarks.push("at the end of the cell: the budget left no time to measure longer");
    }
    remarked(largest(&values, why_nothing(&answers)), &remarks)
}

fn remarked(mut estimate: Estimate, remarks: &[&str]) -> Estimate {
    if let (Estimate::Measured(measured), false) = (&mut estimate, remarks.is_empty()) {
        measured.remark = Some(remarks.join("; ").into());
    }
    estimate
}

/// GPU memory of one launch of a cell; `None` where the session ran on no GPU.
fn memory(cell: &LaunchCell) -> Option<Observed<GpuMemory>> {
    match (cell.gpu.as_ref()?, &cell.gpu_memory) {
        (Ok(used), _) => Some(used.memory.clone()),
        (Err(_), Some(memory)) => Some(memory.clone()),
        (Err(reason), None) => Some(Err(reason.clone())),
    }
}

/// In bytes.
pub(super) fn gpu_memory(cell: &LaunchCell) -> Option<f64> {
    memory(cell)?.ok().map(|memory| memory.bytes.as_f64())
}

fn energy(used: &GpuUse) -> Observed<Joules> {
    used.energy.clone().map(|energy| energy.joules)
}

fn above_idle(index: &Index<'_>, used: &GpuUse) -> Observed<Joules> {
    let energy = energy(used)?;
    let sampling = index
        .record
        .monitoring
        .as_ref()
        .and_then(|monitoring| monitoring.gpus.as_ref().ok());
    let idle = sampling
        .and_then(|sampling| sampling.idle.iter().find(|idle| idle.index == used.index))
        .ok_or("the GPU was not observed before the run")?;
    Ok(less(energy, idle.power_watts.clone()?, used.elapsed_ns))
}

fn less(energy: Joules, idle: Watts, time: Nanos) -> Joules {
    Joules(energy.0 - idle.over(time).0)
}

fn per_prediction(used: &GpuUse, batch_size: u64, energy: Joules) -> Observed<f64> {
    let predictions = used.inferences_count as f64 * batch_size as f64;
    if predictions > 0.0 {
        Ok(energy.0 / predictions)
    } else {
        Err("no inference was completed".into())
    }
}

pub(super) fn cpu(cell: &Measurement<'_>) -> Estimate {
    cpu_above(cell, |_| Watts(0.0))
}

pub(super) fn cpu_above_idle(cell: &Measurement<'_>) -> Estimate {
    cpu_above(cell, |idle| idle)
}

fn cpu_above(cell: &Measurement<'_>, of_idle: fn(Watts) -> Watts) -> Estimate {
    let Some(monitoring) = &cell.index.record.monitoring else {
        return Estimate::absent("the run did not measure it");
    };
    let idle = match &monitoring.cpu {
        Ok(power) => of_idle(power.idle_watts),
        Err(reason) => return Estimate::absent(reason),
    };
    cell.pooled_or(
        |blocks| energy_above(idle, blocks),
        "a counter was not read in every block, or the blocks last less than 10 ms together",
    )
}

/// In joules for a prediction.
pub(super) fn of_cpu(blocks: &[&BlockRecord]) -> Option<f64> {
    energy_above(Watts(0.0), blocks)
}

fn energy_above(idle: Watts, blocks: &[&BlockRecord]) -> Option<f64> {
    let time: Nanos = blocks.iter().map(|block| block.span()).sum();
    let energy = blocks.iter().try_fold(Joules(0.0), |sum, block| {
        Some(sum + block.cpu_energy?.total())
    })?;
    let predictions: f64 = blocks.iter().map(|block| block.predictions()).sum();
    (time >= LEAST_BLOCK_TIME && predictions > 0.0)
        .then(|| less(energy, idle, time).0 / predictions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_above_idle_is_the_rest() {
        assert_eq!(
            less(Joules(300.0), Watts(70.0), Nanos(2_000_000_000)),
            Joules(160.0)
        );
    }
}
