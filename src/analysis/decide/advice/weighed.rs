//! What an advice rests on, and what it risks.

use super::types::{Against, Evidence, Level};
use crate::analysis::decide::conclusions::Caveat;
use crate::analysis::figures::{CellFindings, Estimate, Verdict};
use crate::metric::Metric;
use crate::plan::CellKey;

pub(super) fn factor(with: &CellFindings, without: &CellFindings, metric: Metric) -> Option<f64> {
    Some(with.value(metric)? / without.value(metric)?)
}

/// By what is known of the outputs: nothing or little, agreement or a small fall of the score, no significant fall.
pub(super) fn risk(caveats: &[Caveat]) -> Level {
    let has = |caveat| caveats.contains(&caveat);
    if has(Caveat::AccuracyNotMeasured) || has(Caveat::LowAgreement) {
        Level::High
    } else if [Caveat::AgreementOnly, Caveat::AccuracyFellLittle, Caveat::WorseTail, Caveat::Incomplete]
        .into_iter()
        .any(has)
    {
        Level::Medium
    } else {
        Level::Low
    }
}

pub(super) fn evidence(key: CellKey, against: Against, gain: &Estimate, verdict: Option<Verdict>) -> Option<Evidence> {
    let measured = gain.measured()?;
    Some(Evidence { key, against, n: measured.n, n_of: measured.n_of, verdict })
}
