//! Limits of the sessions, as far as this was measured.

use crate::analysis::decide::conclusions::{Bottleneck, BottleneckKind};
use crate::analysis::decide::facts::Facts;
use crate::analysis::figures::{
    BatchCurve, CellFindings, SATURATION_SHARE, SessionFindings, Verdict,
};
use crate::analysis::{Bound, Roofline, operators, scaling};
use crate::metric::Metric;
use crate::record::{Conditions, RunRecord};
use crate::text::Plain;
use crate::units::Ratio;

/// A CPU utilization from which on the CPUs are in use. Less is worth a word: it is more than the
/// serial operators of a well-parallelized model take.
pub const BUSY_SHARE: f64 = 0.9;

/// Share of the unused CPU time that other processes must have taken to explain it.
const EXPLAINING_SHARE: f64 = 0.5;

const DOMINATING_SHARE: f64 = 0.5;

/// Beyond this a session holds more than weights and a working copy.
const MEMORY_PER_FILE: f64 = 4.0;

/// In bytes: of smaller files the memory of a session is ONNX Runtime's own, whatever the model.
const SMALL_FILE: f64 = 1_048_576.0;

/// Outputs that are not numbers first, then what costs time, then start and memory.
pub(in crate::analysis) fn bottlenecks(
    facts: &Facts<'_>,
    rooflines: &[Roofline],
) -> Vec<Bottleneck> {
    let single = facts.single();
    let mut found: Vec<Bottleneck> = of_sessions(facts, not_finite).collect();
    found.extend(
        single
            .iter()
            .filter_map(|cell| limit(cell.key.session, slower(facts, cell))),
    );
    found.extend(operators::bottlenecks(facts.index.record, rooflines));
    found.extend(
        facts
            .curves
            .iter()
            .filter_map(|curve| limit(curve.session, idle_threads(facts, curve))),
    );
    for curve in facts.curves {
        found.extend(limit(curve.session, falls(facts, curve)));
        found.extend(limit(curve.session, saturates(facts, curve, rooflines)));
    }
    found.extend(of_sessions(facts, |session| {
        let mut single = single.iter();
        load_time(
            session,
            single.find(|cell| cell.key.session == session.session),
        )
    }));
    found.extend(of_sessions(facts, model_memory));
    found
}

fn limit(session: usize, kind: Option<BottleneckKind>) -> Option<Bottleneck> {
    kind.map(|kind| Bottleneck { session, kind })
}

fn of_sessions(
    facts: &Facts<'_>,
    kind: impl Fn(&SessionFindings) -> Option<BottleneckKind>,
) -> impl Iterator<Item = Bottleneck> {
    facts
        .sessions
        .iter()
        .filter_map(move |session| limit(session.session, kind(session)))
}

fn not_finite(session: &SessionFindings) -> Option<BottleneckKind> {
    Some(BottleneckKind::NotFiniteOutputs {
        affected_samples_count: session
            .accuracy
            .unhealthy_outputs
            .iter()
            .map(|output| output.affected_samples_count)
            .max()?,
        samples_count: session.accuracy.samples_count,
    })
}

fn slower(facts: &Facts<'_>, cell: &CellFindings) -> Option<BottleneckKind> {
    let change = &cell.comparison.as_ref()?.p50;
    let record = facts.index.record;
    (change.verdict == Verdict::Slower).then(|| BottleneckKind::SlowerThanBaseline {
        shape: cell.key.shape,
        batch_size: cell.key.batch_size,
        change: change.clone(),
        precision: precision(record, cell.key.session),
        baseline_precision: facts
            .index
            .baseline
            .and_then(|baseline| precision(record, baseline)),
    })
}

/// As the model file of a session says.
fn precision(record: &RunRecord, session: usize) -> Option<Plain> {
    Some(
        record
            .variant_of(session)
            .model
            .as_ref()?
            .precision
            .label
            .clone(),
    )
}

fn idle_threads(facts: &Facts<'_>, curve: &BatchCurve) -> Option<BottleneckKind> {
    if facts.index.is_on_gpu(curve.session) {
        // While a GPU computes, the CPU's threads have nothing to do.
        return None;
    }
    let cpus = facts
        .index
        .launches(curve.session)
        .iter()
        .find_map(|launch| facts.index.cpus(launch.launch))?;
    let batch_size = curve.shown()?;
    let utilization = facts
        .cell(curve.key(batch_size))?
        .figure(Metric::CpuUtilization)?;
    let used = utilization.measured()?;
    (cpus > 1 && used.high() < BUSY_SHARE).then(|| BottleneckKind::IdleThreads {
        shape: curve.shape,
        batch_size,
        utilization: utilization.clone(),
        cpus_count: cpus as u64,
        others_ratio: facts
            .index
            .record
            .conditions
            .as_ref()
            .and_then(|seen| others(seen, cpus, 1.0 - used.value)),
    })
}

/// Share of all CPUs' time that other processes took, if that may have been most of what a session
/// left `unused` of its CPUs.
fn others(seen: &Conditions, cpus: usize, unused: f64) -> Option<Ratio> {
    let others = seen.others_busy_ratio?;
    let taken = others.0 * seen.online_cpus_count? as f64 / cpus as f64;
    (taken >= EXPLAINING_SHARE * unused).then_some(others)
}

/// Where the largest batch size has less than the best one, by more than saturation leaves open,
/// and surely.
fn falls(facts: &Facts<'_>, curve: &BatchCurve) -> Option<BottleneckKind> {
    let largest = curve.points.last()?.batch_size;
    let change =
        scaling::throughput_change(facts.index, curve.key(curve.best), curve.key(largest))?;
    let is_less = change.ratio.value()? < SATURATION_SHARE && change.ratio.interval()?.high < 1.0;
    is_less.then_some(BottleneckKind::ThroughputFalls {
        shape: curve.shape,
        best: curve.best,
        largest,
        ratio: change.ratio,
    })
}

fn saturates(
    facts: &Facts<'_>,
    curve: &BatchCurve,
    rooflines: &[Roofline],
) -> Option<BottleneckKind> {
    let first = curve.points.first()?;
    let place = (curve.session, curve.shape, curve.enough);
    let is_shown = curve.shown() == Some(curve.enough);
    (curve.saturated && is_shown).then(|| BottleneckKind::ThroughputSaturates {
        shape: curve.shape,
        batch_size: curve.enough,
        gain: curve.throughput(curve.enough) / first.throughput_per_sec,
        utilization: facts
            .cell(curve.key(curve.enough))
            .and_then(|cell| cell.value(Metric::CpuUtilization)),
        memory_bound: rooflines
            .iter()
            .find(|found| (found.session, found.shape, found.batch_size) == place)
            .map(|roofline| roofline.share_of(Bound::Memory)),
    })
}

fn load_time(session: &SessionFindings, single: Option<&&CellFindings>) -> Option<BottleneckKind> {
    let total = session.figure(Metric::TimeToFirstPrediction)?.value()?;
    let single_ns = single.and_then(|cell| cell.value(Metric::LatencyP50));
    [Metric::RuntimeStart, Metric::SessionLoad, Metric::FirstRun]
        .into_iter()
        .find_map(|part| {
            let estimate = session.figure(part)?;
            let share = estimate.value()? / total;
            (share >= DOMINATING_SHARE).then(|| BottleneckKind::LoadTime {
                part,
                share: Ratio(share.min(1.0)),
                estimate: estimate.clone(),
                predictions: single_ns.and_then(|single| Some(estimate.value()? / single)),
            })
        })
}

fn model_memory(session: &SessionFindings) -> Option<BottleneckKind> {
    let memory = session.figure(Metric::ModelMemory)?;
    let per_file_size = memory.value()?
        / session
            .figure(Metric::FileSize)?
            .value()
            .filter(|&size| size >= SMALL_FILE)?;
    (per_file_size > MEMORY_PER_FILE).then(|| BottleneckKind::ModelMemory {
        memory: memory.clone(),
        per_file_size,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_processes_explain_unused_cpus_where_they_took_most_of_them() {
        let taken_by_others = |share, cpus, unused| {
            let seen = Conditions {
                online_cpus_count: Some(2),
                others_busy_ratio: Some(Ratio(share)),
                ..Conditions::default()
            };
            others(&seen, cpus, unused)
        };
        assert_eq!(taken_by_others(0.82, 2, 0.807), Some(Ratio(0.82)));
        assert_eq!(taken_by_others(0.05, 2, 0.5), None);
        assert_eq!(others(&Conditions::default(), 2, 0.5), None);
    }
}
