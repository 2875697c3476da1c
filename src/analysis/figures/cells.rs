//! Figures of every cell.

use std::slice::Chunks;

use super::remote;
use super::{
    CellFindings, Estimate, Figure, Index, Measurement, OfCell, Source, energy, per_launch, source,
};
use crate::metric::{Group, Metric};
use crate::plan::CellKey;
use crate::record::{BlockRecord, Outcome};
use crate::stats::{self, Buckets, SteadyClass};

/// Groups of the figures of a cell, in the order in which reports list them.
const GROUPS: [Group; 6] = [
    Group::Timing,
    Group::Machine,
    Group::Launch,
    Group::ToBaseline,
    Group::CpuEnergy,
    Group::Gpu,
];

const NOT_REACHED: &str = "the run ended before this cell was measured";

/// Cells from which on they are worth more than one thread: fewer take some milliseconds.
const MANY: usize = 256;

pub(in crate::analysis) fn all(index: &Index<'_>) -> Vec<CellFindings> {
    let keys: Vec<CellKey> = index.record.plan.cells().collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if keys.len() < MANY || threads == 1 {
        return of_keys(index, &keys);
    }
    side_by_side(index, keys.chunks(keys.len().div_ceil(threads)))
}

/// Each part in a thread.
fn side_by_side(index: &Index<'_>, parts: Chunks<'_, CellKey>) -> Vec<CellFindings> {
    std::thread::scope(|scope| {
        let parts: Vec<_> = parts
            .map(|part| {
                (
                    part,
                    std::thread::Builder::new().spawn_scoped(scope, move || of_keys(index, part)),
                )
            })
            .collect();
        parts
            .into_iter()
            .flat_map(|(part, spawned)| match spawned {
                Ok(thread) => thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                // The system gives no more threads.
                Err(_) => of_keys(index, part),
            })
            .collect()
    })
}

fn of_keys(index: &Index<'_>, keys: &[CellKey]) -> Vec<CellFindings> {
    keys.iter().map(|&key| findings(index, key)).collect()
}

/// Figures of energy only where the run looked for it, those of a GPU only where the session ran on
/// one.
fn sources(index: &Index<'_>, key: CellKey) -> impl Iterator<Item = (Metric, OfCell)> {
    let looked_for_energy = index.record.monitoring.is_some();
    let ran_on_gpu = index.is_on_gpu(key.session);
    GROUPS
        .into_iter()
        .filter(move |group| {
            (looked_for_energy || *group != Group::CpuEnergy)
                && (ran_on_gpu || *group != Group::Gpu)
        })
        .flat_map(Group::metrics)
        .filter_map(|metric| match source(metric) {
            Source::Cell(of_cell) => Some((metric, of_cell)),
            Source::Session(_) | Source::Load(_) => None,
        })
}

fn findings(index: &Index<'_>, key: CellKey) -> CellFindings {
    latencies(index, key).map_or_else(
        |outcome| unmeasured(index, key, outcome),
        |latencies| measured(index, key, latencies),
    )
}

/// The latencies of a cell, or how it ended without any.
fn latencies(index: &Index<'_>, key: CellKey) -> Result<Buckets, Outcome> {
    let cell = index.cell(key).ok_or_else(not_reached)?;
    if !cell.outcome.is_ok() {
        return Err(cell.outcome.clone());
    }
    match Buckets::decode(cell.latency_histogram.as_ref().ok_or_else(not_reached)?) {
        Ok(latencies) if !latencies.is_empty() => Ok(latencies),
        Ok(_) => Err(not_reached()),
        Err(error) => Err(Outcome::Skipped {
            reason: format!("its latencies cannot be read: {error}").into(),
        }),
    }
}

fn not_reached() -> Outcome {
    Outcome::Skipped {
        reason: NOT_REACHED.into(),
    }
}

fn unmeasured(index: &Index<'_>, key: CellKey, outcome: Outcome) -> CellFindings {
    let reason = outcome.reason().cloned().unwrap_or_default();
    CellFindings {
        key,
        figures: sources(index, key)
            .map(|(metric, _)| Figure {
                metric,
                estimate: Estimate::absent(&reason),
            })
            .collect(),
        outcome,
        blocks_count: 0,
        launches_count: 0,
        comparison: None,
        speed_states: None,
        unsteady_launches_count: 0,
        steady: None,
        modes: None,
    }
}

fn measured(index: &Index<'_>, key: CellKey, latencies: Buckets) -> CellFindings {
    let cell = Measurement::new(index, key, latencies);
    let figures = sources(index, key).map(|(metric, source)| Figure {
        metric,
        estimate: match remote::why_not(index.record, key.session, metric) {
            Some(reason) => Estimate::absent(reason),
            None => figure(&cell, source),
        },
    });
    CellFindings {
        key,
        outcome: Outcome::Ok,
        blocks_count: cell.blocks.len() as u64,
        launches_count: per_launch(cell.blocks, |_| Some(())).len() as u64,
        figures: figures.collect(),
        speed_states: stats::speed_states(&medians(cell.blocks)),
        unsteady_launches_count: index
            .launch_cells(key)
            .iter()
            .filter(|(_, cell)| !cell.warmup.steady)
            .count() as u64,
        steady: steady(cell.blocks),
        modes: stats::latency_modes(&cell.latencies),
        comparison: cell.comparison,
    }
}

fn figure(cell: &Measurement<'_>, source: OfCell) -> Estimate {
    match source {
        OfCell::Blocks(blocks) => (blocks.figure)(cell, blocks.of_blocks),
        OfCell::Tail(quantile) => cell.tail(quantile),
        OfCell::TailToBaseline(_) => cell.p99_ratio(),
        OfCell::Launches(value, figure) => figure(cell, value),
        OfCell::Gpu(figure, centre) => energy::gpu(cell, figure, centre),
        OfCell::Whole(figure) => figure(cell),
    }
}

fn medians(blocks: &[&BlockRecord]) -> Vec<f64> {
    blocks
        .iter()
        .map(|block| block.median_ns.as_f64())
        .collect()
}

fn steady(blocks: &[&BlockRecord]) -> Option<SteadyClass> {
    stats::steady_class(&per_launch(blocks, |blocks| Some(medians(blocks))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Level;

    #[test]
    fn every_metric_is_of_what_the_table_says_and_listed_there() {
        for &metric in Metric::ALL {
            let level = match source(metric) {
                Source::Cell(_) => Level::Cell,
                Source::Session(_) => Level::Session,
                Source::Load(_) => Level::Load,
            };
            assert_eq!(metric.level(), level, "{}", metric.key());
            assert_eq!(
                GROUPS.contains(&metric.group()),
                level == Level::Cell,
                "{}",
                metric.key()
            );
        }
    }
}
