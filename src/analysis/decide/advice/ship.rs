//! Another session instead of the baseline's: another file, or the same one with other settings.

use super::weighed::{Gain, factor, risk};
use super::{Action, Advice, Against, Answer, Estimate, Facts, Level, Setting, weighed};
use crate::analysis::decide::answer::caveats;
use crate::analysis::{CellFindings, Change, Counted, Pick, Verdict};
use crate::metric::Metric;
use crate::plan::{CellKey, SessionSpec};
use crate::record::RunRecord;

/// From here on the size of a file alone is a reason to ship it.
const SIZE_FACTOR_WORTH_IT: f64 = 1.1;

/// Every session that gains for single predictions, and the one that has the most throughput.
pub(super) fn advice(facts: &Facts<'_>, answer: &Answer) -> Vec<Advice> {
    let mut advice: Vec<Advice> = facts
        .single()
        .iter()
        .filter_map(|cell| for_single(facts, cell))
        .collect();
    if let Some(pick) = answer.throughput.pick()
        && facts.may_ship(pick.key.session)
        && !advice
            .iter()
            .any(|known| known.action.key().session == pick.key.session)
    {
        advice.extend(for_throughput(facts, pick));
    }
    advice
}

fn for_single(facts: &Facts<'_>, cell: &CellFindings) -> Option<Advice> {
    for_latency(facts, cell)
        .or_else(|| for_size(facts, cell))
        .or_else(|| for_threads(facts, cell))
}

fn usable_change<'a>(
    facts: &Facts<'_>,
    cell: &'a CellFindings,
    verdict: Verdict,
) -> Option<&'a Change> {
    let change = &cell.comparison.as_ref()?.p50;
    (change.verdict == verdict && facts.may_ship(cell.key.session)).then_some(change)
}

fn for_latency(facts: &Facts<'_>, cell: &CellFindings) -> Option<Advice> {
    let change = usable_change(facts, cell, Verdict::Faster)?;
    instead(
        facts,
        cell,
        Metric::LatencyP50,
        change.ratio.reciprocal(),
        change.verdict,
    )
}

fn for_throughput(facts: &Facts<'_>, pick: &Pick) -> Option<Advice> {
    let cell = facts.cell(pick.key)?;
    let change = &cell.comparison.as_ref()?.throughput;
    instead(
        facts,
        cell,
        Metric::Throughput,
        change.ratio.clone(),
        change.verdict,
    )
}

/// A session that is as fast and has the smaller file.
fn for_size(facts: &Facts<'_>, cell: &CellFindings) -> Option<Advice> {
    let change = usable_change(facts, cell, Verdict::Same)?;
    let factor = facts
        .size_factor(cell.key.session)
        .filter(|&factor| factor >= SIZE_FACTOR_WORTH_IT)?;
    instead(
        facts,
        cell,
        Metric::FileSize,
        Estimate::exact(factor, 1, Counted::Files),
        change.verdict,
    )
}

/// A session of the baseline's model that is as fast, also in throughput, with fewer threads.
fn for_threads(facts: &Facts<'_>, cell: &CellFindings) -> Option<Advice> {
    let change = usable_change(facts, cell, Verdict::Same)?;
    let throughput = cell.comparison.as_ref()?.throughput.verdict;
    let plan = &facts.index.record.plan;
    let [own, base] =
        [cell.key.session, facts.index.baseline?].map(|session| &plan.sessions[session]);
    let fewer =
        own.variant == base.variant && own.options.intra_threads < base.options.intra_threads;
    if !fewer || !matches!(throughput, Verdict::Same | Verdict::Faster) {
        return None;
    }
    instead(
        facts,
        cell,
        Metric::CpuUtilization,
        Estimate::exact(
            base.options.intra_threads as f64 / own.options.intra_threads as f64,
            change.ratio.measured()?.n,
            Counted::Launches,
        ),
        change.verdict,
    )
}

fn instead(
    facts: &Facts<'_>,
    cell: &CellFindings,
    metric: Metric,
    gain: Estimate,
    verdict: Verdict,
) -> Option<Advice> {
    let session = cell.key.session;
    let baseline = CellKey {
        session: facts.index.baseline?,
        ..cell.key
    };
    let gain = Gain {
        metric,
        factor: gain,
        against: Against::Baseline(baseline),
        verdict: Some(verdict),
    };
    let caveats = caveats(facts, cell);
    let risk = risk(&caveats);
    let without = facts.cell(baseline);
    let record = facts.index.record;
    let base = &record.plan.sessions[baseline.session];
    let effort = effort(&record.plan.sessions[session], base);
    let action = action(record, cell.key, base);
    Some(Advice {
        accuracy: facts.sessions[session].accuracy.change.clone(),
        memory_factor: without.and_then(|without| factor(cell, without, Metric::PeakMemory)),
        latency_factor: without.and_then(|without| factor(cell, without, Metric::LatencyP50)),
        caveats,
        ..weighed::advice(record, action, gain, effort, risk)
    })
}

fn action(record: &RunRecord, key: CellKey, base: &SessionSpec) -> Action {
    if record.plan.sessions[key.session].variant == base.variant {
        Action::Switch {
            key,
            settings: settings(record, key.session, base),
        }
    } else {
        Action::Ship { key }
    }
}

/// By the rule that stands on [`Level`].
fn effort(own: &SessionSpec, base: &SessionSpec) -> Level {
    if own.nvidia_device().is_some() && base.nvidia_device().is_none() {
        Level::High
    } else if own.runtime != base.runtime
        || own.execution_provider != base.execution_provider
        || own.binding != base.binding
    {
        Level::Medium
    } else {
        Level::Low
    }
}

fn settings(record: &RunRecord, session: usize, base: &SessionSpec) -> Vec<Setting> {
    let own = &record.plan.sessions[session];
    let mut settings = Vec::new();
    if own.runtime != base.runtime {
        settings.push(Setting::Runtime {
            version: version(record, session),
        });
    }
    if own.execution_provider != base.execution_provider {
        settings.push(Setting::ExecutionProvider(
            own.execution_provider.exact().to_owned(),
        ));
    }
    if own.binding != base.binding {
        settings.push(Setting::Binding(own.binding));
    }
    if own.options.intra_threads != base.options.intra_threads {
        settings.push(Setting::IntraThreads(own.options.intra_threads));
    }
    if differ_in_options(own, base) {
        settings.push(Setting::Options);
    }
    settings
}

fn version(record: &RunRecord, session: usize) -> String {
    match record.runtime_of(session) {
        Some(runtime) => runtime.version.exact().to_owned(),
        None => record.plan.sessions[session]
            .runtime
            .path()
            .display()
            .to_string(),
    }
}

/// Beside the number of threads, and what comes with another execution provider.
fn differ_in_options(own: &SessionSpec, base: &SessionSpec) -> bool {
    let mut alike = own.options.clone();
    alike.intra_threads = base.options.intra_threads;
    alike != base.options
        || own.provider != base.provider && own.execution_provider == base.execution_provider
}
