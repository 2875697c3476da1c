//! What the outputs of a session were worth.

use std::borrow::Cow;

use super::agreement::{differs_beyond_numbers, output_agreement, worst};
use super::figures::{
    AccuracyChange, AccuracyFindings, AccuracyVerdict, HeldAgainst, OutputAgreement, UnhealthyOutput,
};
use super::figures::{Counted, Estimate, Figure, Interval, Measured};
use super::index::Index;
use super::summary::{self, ErrorKind, Flips, NoFigure, SampleFigure};
use crate::metric::{Direction, Metric};
use crate::record::{AccuracyRecord, ElementScores, ElementUnit, LabelledScores, OutputHealth, Scores};
use crate::stats::{CONFIDENCE, Proportion};

/// A change less likely than this by chance alone is significant.
const SIGNIFICANCE: f64 = 1.0 - CONFIDENCE;

pub(super) const NO_SAMPLES: &str = "there are no samples";

/// Figures of accuracy and agreement, and what goes with them.
#[derive(Default)]
pub(super) struct Scored {
    pub(super) figures: Vec<Figure>,
    pub(super) findings: AccuracyFindings,
}

pub(super) fn findings(index: &Index<'_>, session: usize) -> Scored {
    let Some(record) = index.accuracy(session) else { return absent(why_not_scored(index)) };
    if let Some(reason) = record.outcome.reason() {
        return absent(reason.exact());
    }
    let seed = index.record.plan.schedule.seed;
    let agreement: Vec<OutputAgreement> =
        record.agreement.iter().map(|agreement| output_agreement(agreement, seed)).collect();
    let mut figures = scores(index, record);
    let beyond_numbers = record.agreement.iter().position(differs_beyond_numbers);
    figures.extend(worst(&agreement, beyond_numbers));
    Scored {
        figures,
        findings: AccuracyFindings {
            samples_count: samples_count(index, record),
            held_against: held_against(record),
            absent_reason: why_not_compared(record),
            change: change(index, record),
            unhealthy_outputs: unhealthy(record),
            agreement,
            reference: record.reference.clone(),
            not_comparable: record.not_comparable.clone(),
        },
    }
}

/// Why a session has no scores at all. Data and labels may lie around that were not taken.
fn why_not_scored(index: &Index<'_>) -> &'static str {
    match index.record.dataset {
        None if index.record.plan.sessions.len() == 1 => {
            "its inputs are made up, so that nothing says what is right, and there is no variant to compare it with"
        }
        _ => "outputs were not scored",
    }
}

fn held_against(record: &AccuracyRecord) -> HeldAgainst {
    match (&record.scores, record.agreement.as_slice()) {
        (Some(_), _) => HeldAgainst::Labels,
        (None, []) => HeldAgainst::Nothing,
        (None, _) => HeldAgainst::Reference,
    }
}

/// Samples whose scores are shown: those that all sessions were scored on.
fn samples_count(index: &Index<'_>, record: &AccuracyRecord) -> u64 {
    let in_common = index.samples_in_common().filter(|_| record.scores.is_some());
    in_common.map_or(record.samples_count, |in_common| record.samples_count.min(in_common as u64))
}

/// The scores of the first samples; those of all where there are no more.
fn of_first(scores: &Scores, samples_count: usize) -> Cow<'_, Scores> {
    match scores.samples_count() > samples_count {
        true => Cow::Owned(scores.clone().of_first(samples_count)),
        false => Cow::Borrowed(scores),
    }
}

/// Why nothing is known of outputs that could be computed.
fn why_not_compared(record: &AccuracyRecord) -> Option<String> {
    let is_compared = record.scores.is_some() || !record.agreement.is_empty();
    if record.reference.is_none() || is_compared {
        return None;
    }
    Some(match record.not_comparable.first() {
        Some(unlike) => format!("not comparable: output `{}`: {}", unlike.output, unlike.reason),
        None => "none of its outputs has the name, or the kind and place, of one of the reference's".into(),
    })
}

/// Figures of the scores against labels or targets.
fn scores(index: &Index<'_>, record: &AccuracyRecord) -> Vec<Figure> {
    let seed = index.record.plan.schedule.seed;
    let in_common = index.samples_in_common().unwrap_or(usize::MAX);
    let scores = record.scores.as_ref().map(|scores| of_first(scores, in_common));
    let figures = match scores.as_deref() {
        None => Vec::new(),
        Some(Scores::Classification(scores)) => vec![
            (Metric::AccuracyTop1, proportion(summary::top1(scores), NO_SAMPLES)),
            (Metric::AccuracyTop5, proportion(summary::top_k(scores, 5), "there are no more than 5 classes")),
            (Metric::AccuracyMacroF1, macro_f1(index, scores, seed)),
        ],
        Some(Scores::Regression { absolute_errors, squared_errors }) => vec![
            (Metric::MeanAbsoluteError, error(summary::mean_error(ErrorKind::MeanAbsolute, absolute_errors, seed))),
            (Metric::RootMeanSquareError, error(summary::mean_error(ErrorKind::RootMeanSquare, squared_errors, seed))),
        ],
        Some(Scores::SeveralClasses(scores)) => vec![
            (Metric::AccuracyExactMatch, proportion(summary::exact_match(scores), NO_SAMPLES)),
            (Metric::AccuracyMicroF1, figure(summary::micro_f1(scores, seed), "no class is true or predicted")),
        ],
        Some(leading @ Scores::Elements(scores)) => {
            let mut figures =
                vec![(leading.leading(), figure(summary::element_accuracy(scores, seed), "no element has a label"))];
            if scores.unit == ElementUnit::Pixel {
                figures.push((Metric::MeanIou, mean_iou(scores)));
            }
            figures
        }
    };
    figures.into_iter().map(|(metric, estimate)| Figure { metric, estimate }).collect()
}

pub(super) fn figure(figure: Option<SampleFigure>, absent: &str) -> Estimate {
    figure.map_or_else(|| Estimate::absent(absent), |figure| over_samples(&figure))
}

fn mean_iou(scores: &ElementScores) -> Estimate {
    match summary::mean_iou(scores) {
        Some(value) => Estimate::exact(value, scores.samples.len() as u64, Counted::Samples),
        None => Estimate::absent("classes were counted over other samples than those that are compared"),
    }
}

fn macro_f1(index: &Index<'_>, scores: &LabelledScores, seed: u64) -> Estimate {
    let labels = index.record.dataset.as_ref().and_then(|data| data.class_labels.as_ref());
    match labels.and_then(|labels| summary::macro_f1(scores, labels, seed)) {
        Some(figure) => over_samples(&figure),
        None => Estimate::absent("the record does not hold a label for every sample"),
    }
}

/// The change of the leading score, on the same samples; `None` for the baseline and where one of both has no scores.
fn change(index: &Index<'_>, record: &AccuracyRecord) -> Option<AccuracyChange> {
    let baseline = index.baseline.filter(|&baseline| baseline != record.session)?;
    let baseline = index.accuracy(baseline).filter(|baseline| baseline.outcome.is_ok())?;
    same_samples(baseline.scores.as_ref()?, record.scores.as_ref()?, index.record.plan.schedule.seed)
}

/// The change of the leading score between two scorings of the same samples, over those that both were scored on; `None`
/// where they are of unlike kinds.
pub(super) fn same_samples(baseline: &Scores, candidate: &Scores, seed: u64) -> Option<AccuracyChange> {
    let in_common = baseline.samples_count().min(candidate.samples_count());
    let (baseline, candidate) = (of_first(baseline, in_common), of_first(candidate, in_common));
    match (&*baseline, &*candidate) {
        (Scores::Classification(one), Scores::Classification(other)) => {
            let both = one.predicted.iter().zip(&other.predicted);
            let changed = both.filter(|(one, other)| one != other).count() as u64;
            flipped(Metric::AccuracyTop1, summary::flips(one, other), Some(changed))
        }
        (Scores::SeveralClasses(one), Scores::SeveralClasses(other)) => {
            flipped(Metric::AccuracyExactMatch, summary::exact_flips(one, other), None)
        }
        (Scores::Elements(one), Scores::Elements(other)) if one.unit == other.unit => {
            Some(mean_change(candidate.leading(), summary::element_change(one, other, seed)))
        }
        (
            Scores::Regression { absolute_errors: baseline, .. },
            Scores::Regression { absolute_errors: candidate, .. },
        ) => {
            let change = summary::error_change(ErrorKind::MeanAbsolute, baseline, candidate, seed);
            Some(mean_change(Metric::MeanAbsoluteError, change))
        }
        _ => None,
    }
}

/// The change of a share of samples between scorings of unlike samples, as if these were drawn independently; `None` for
/// other scores, and without samples.
pub(super) fn unlike_samples(baseline: &Scores, candidate: &Scores) -> Option<AccuracyChange> {
    let metric = candidate.leading();
    let (baseline, candidate) = match (baseline, candidate) {
        (Scores::Classification(one), Scores::Classification(other)) => (summary::top1(one)?, summary::top1(other)?),
        (Scores::SeveralClasses(one), Scores::SeveralClasses(other)) => {
            (summary::exact_match(one)?, summary::exact_match(other)?)
        }
        _ => return None,
    };
    let interval = candidate.less(baseline);
    let verdict = match (interval.low > 0.0, interval.high < 0.0) {
        (true, _) => AccuracyVerdict::Better,
        (_, true) => AccuracyVerdict::Worse,
        _ => AccuracyVerdict::NotSignificant,
    };
    Some(AccuracyChange {
        metric,
        difference: Estimate::Measured(Measured {
            value: candidate.share() - baseline.share(),
            interval: Some(Interval { low: interval.low, high: interval.high }),
            range: None,
            n: candidate.n.min(baseline.n),
            n_of: Counted::Samples,
            bounds: None,
            remark: Some("on different samples".into()),
        }),
        gained_count: None,
        lost_count: None,
        changed_predictions_count: None,
        p_value: None,
        verdict,
    })
}

/// A change of a share of samples that are right or wrong: significant by McNemar's test.
fn flipped(metric: Metric, flips: Result<Flips, NoFigure>, changed: Option<u64>) -> Option<AccuracyChange> {
    let flips = flips.ok()?;
    let change = flips.change;
    let verdict = match (change.p_value < SIGNIFICANCE, change.difference > 0.0) {
        (false, _) => AccuracyVerdict::NotSignificant,
        (true, true) => AccuracyVerdict::Better,
        (true, false) => AccuracyVerdict::Worse,
    };
    Some(AccuracyChange {
        metric,
        difference: Estimate::Measured(Measured {
            value: change.difference,
            interval: Some(Interval { low: change.interval.low, high: change.interval.high }),
            range: None,
            n: flips.counts.n(),
            n_of: Counted::Samples,
            bounds: None,
            remark: None,
        }),
        gained_count: Some(flips.counts.gained_count),
        lost_count: Some(flips.counts.lost_count),
        changed_predictions_count: changed,
        p_value: Some(change.p_value),
        verdict,
    })
}

/// A change of a mean: significant if its bootstrap interval leaves out zero.
fn mean_change(metric: Metric, change: Result<SampleFigure, NoFigure>) -> AccuracyChange {
    let difference = error(change);
    let more_is_better = metric.direction() == Direction::Higher;
    let verdict = match difference.interval() {
        None => AccuracyVerdict::Untested,
        Some(interval) if interval.low <= 0.0 && interval.high >= 0.0 => AccuracyVerdict::NotSignificant,
        Some(interval) if (interval.low > 0.0) == more_is_better => AccuracyVerdict::Better,
        Some(_) => AccuracyVerdict::Worse,
    };
    AccuracyChange {
        metric,
        difference,
        gained_count: None,
        lost_count: None,
        changed_predictions_count: None,
        p_value: None,
        verdict,
    }
}

fn error(figure: Result<SampleFigure, NoFigure>) -> Estimate {
    match figure {
        Ok(figure) => over_samples(&figure),
        Err(reason) => Estimate::absent(reason.to_string()),
    }
}

fn over_samples(figure: &SampleFigure) -> Estimate {
    let remark = figure.interval.as_ref().err().map(|too_few| format!("no interval: {too_few}").into());
    Estimate::Measured(Measured {
        value: figure.value,
        interval: figure.interval.as_ref().ok().map(|interval| Interval { low: interval.low, high: interval.high }),
        range: None,
        n: figure.n,
        n_of: Counted::Samples,
        bounds: None,
        remark,
    })
}

fn absent(reason: &str) -> Scored {
    let findings = AccuracyFindings { absent_reason: Some(reason.into()), ..AccuracyFindings::default() };
    Scored { figures: Vec::new(), findings }
}

fn unhealthy(record: &AccuracyRecord) -> Vec<UnhealthyOutput> {
    let finding = |output: &OutputHealth| UnhealthyOutput {
        name: output.name.clone(),
        nan_count: output.nan_count,
        infinite_count: output.infinite_count,
        affected_samples_count: output.affected_samples_count,
    };
    record.unhealthy_outputs().map(finding).collect()
}

/// A share of samples with its Wilson interval.
pub(super) fn proportion(proportion: Option<Proportion>, absent: &str) -> Estimate {
    let Some(proportion) = proportion else { return Estimate::absent(absent) };
    let interval = proportion.interval();
    Estimate::Measured(Measured {
        value: proportion.share(),
        interval: Some(Interval { low: interval.low, high: interval.high }),
        range: None,
        n: proportion.n,
        n_of: Counted::Samples,
        bounds: None,
        remark: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a classifier that gets these samples right.
    fn scores(right: &[bool]) -> Scores {
        Scores::Classification(LabelledScores {
            output: "y".into(),
            classes_count: Some(2),
            predicted: right.iter().map(|&right| Some(u64::from(right))).collect(),
            label_ranks: right.iter().map(|&right| Some(u64::from(!right))).collect(),
        })
    }

    #[test]
    fn change_is_of_the_samples_that_both_were_scored_on() {
        let (baseline, candidate) = (scores(&[true, true, false, true]), scores(&[true, false]));
        let change = same_samples(&baseline, &candidate, 0).unwrap();
        assert_eq!((change.lost_count, change.gained_count), (Some(1), Some(0)));
        let Estimate::Measured(difference) = change.difference else { panic!("not measured") };
        assert_eq!((difference.value, difference.n), (-0.5, 2));
    }
}
