//! Evidence, gain and risk of an advice.

use crate::analysis::decide::commands::compare_with_baseline;
use crate::analysis::{
    Action, Advice, Against, Caveat, CellFindings, Estimate, Evidence, Level, Priority, Verdict,
};
use crate::metric::Metric;
use crate::record::RunRecord;

pub(super) fn factor(with: &CellFindings, without: &CellFindings, metric: Metric) -> Option<f64> {
    Some(with.value(metric)? / without.value(metric)?)
}

/// By what is known of the outputs: nothing or little, agreement or a small fall of the score, no
/// significant fall.
pub(super) fn risk(caveats: &[Caveat]) -> Level {
    let has = |caveat| caveats.contains(&caveat);
    if has(Caveat::AccuracyNotMeasured) || has(Caveat::AgreementOpen) {
        Level::High
    } else if [
        Caveat::AgreementOnly,
        Caveat::AccuracyFellLittle,
        Caveat::AccuracyOpen,
        Caveat::WorseTail,
        Caveat::Incomplete,
    ]
    .into_iter()
    .any(has)
    {
        Level::Medium
    } else {
        Level::Low
    }
}

/// A gain in one figure, as a factor.
pub(super) struct Gain {
    pub(super) metric: Metric,
    pub(super) factor: Estimate,
    pub(super) against: Against,
    pub(super) verdict: Option<Verdict>,
}

/// Advice with a gain and nothing beside it, which is not ranked yet; its command measures the cell
/// beside the baseline.
pub(super) fn advice(
    record: &RunRecord,
    action: Action,
    Gain {
        metric,
        factor,
        against,
        verdict,
    }: Gain,
    effort: Level,
    risk: Level,
) -> Advice {
    let key = action.key();

    let evidence = factor.measured().map(|found| Evidence {
        key,
        against,
        n: found.n,
        n_of: found.n_of,
        verdict,
    });
    Advice {
        action,
        priority: Priority::Low,
        evidence: evidence.into_iter().collect(),
        gain: factor,
        metric,
        accuracy: None,
        memory_factor: None,
        latency_factor: None,
        effort,
        risk,
        caveats: Vec::new(),
        command: compare_with_baseline(record, key, &[key.batch_size]).words(),
    }
}
