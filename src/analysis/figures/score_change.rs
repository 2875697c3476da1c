//! Changes of scores between two sessions, on the same samples and on others.

use super::estimate::{Counted, Estimate, Interval, Measured};
use super::over_samples::{self, ErrorKind, Flips, NoFigure, SampleFigure};
use super::scores::{AccuracyChange, AccuracyVerdict, error, of_first};
use crate::metric::{Direction, Metric};
use crate::record::{LabelledScores, Scores};
use crate::stats::CONFIDENCE;

/// A change less likely than this by chance alone is significant.
const SIGNIFICANCE: f64 = 1.0 - CONFIDENCE;

/// Of the leading score, over the samples that both were scored on; `None` where they are of unlike
/// kinds.
pub(in crate::analysis) fn same_samples(
    baseline: &Scores,
    candidate: &Scores,
    seed: u64,
) -> Option<AccuracyChange> {
    let in_common = baseline.samples_count().min(candidate.samples_count());
    let [baseline, candidate] = [baseline, candidate].map(|scores| of_first(scores, in_common));
    let metric = candidate.leading();
    match (&*baseline, &*candidate) {
        (Scores::Classification(one), Scores::Classification(other)) => flipped(
            metric,
            over_samples::flips(one, other),
            Some(changed_predictions(one, other)),
        ),
        (Scores::SeveralClasses(one), Scores::SeveralClasses(other)) => {
            flipped(metric, over_samples::exact_flips(one, other), None)
        }
        (Scores::Elements(one), Scores::Elements(other)) if one.unit == other.unit => {
            mean_change(metric, over_samples::element_change(one, other, seed))
        }
        (
            Scores::Regression {
                absolute_errors: one,
                ..
            },
            Scores::Regression {
                absolute_errors: other,
                ..
            },
        ) => mean_change(
            metric,
            over_samples::error_change(ErrorKind::MeanAbsolute, one, other, seed),
        ),
        _ => None,
    }
}

/// Samples that two sessions were scored on.
pub(in crate::analysis) struct InCommon<'a> {
    /// Absent where the record does not hold them.
    pub(in crate::analysis) labels: Option<&'a [i64]>,
    pub(in crate::analysis) seed: u64,
}

/// Of a score that is not the leading one, over the samples that both were scored on; `None` where
/// they are of unlike kinds, and for what has no interval.
pub(in crate::analysis) fn other_score(
    metric: Metric,
    baseline: &Scores,
    candidate: &Scores,
    samples: &InCommon<'_>,
) -> Option<AccuracyChange> {
    let in_common = baseline.samples_count().min(candidate.samples_count());
    let [baseline, candidate] = [baseline, candidate].map(|scores| of_first(scores, in_common));
    match (&*baseline, &*candidate) {
        (Scores::Classification(one), Scores::Classification(other)) => {
            of_classes(metric, one, other, samples)
        }
        (Scores::SeveralClasses(one), Scores::SeveralClasses(other))
            if metric == Metric::AccuracyMicroF1 =>
        {
            mean_change(
                metric,
                over_samples::micro_f1_change(one, other, samples.seed),
            )
        }
        (
            Scores::Regression {
                squared_errors: one,
                ..
            },
            Scores::Regression {
                squared_errors: other,
                ..
            },
        ) if metric == Metric::RootMeanSquareError => mean_change(
            metric,
            over_samples::error_change(ErrorKind::RootMeanSquare, one, other, samples.seed),
        ),
        _ => None,
    }
}

fn of_classes(
    metric: Metric,
    one: &LabelledScores,
    other: &LabelledScores,
    samples: &InCommon<'_>,
) -> Option<AccuracyChange> {
    if metric == Metric::AccuracyTop5 && [one, other].into_iter().all(has_more_than_five) {
        return flipped(metric, over_samples::top5_flips(one, other), None);
    }
    if metric == Metric::AccuracyMacroF1 {
        let change = over_samples::macro_f1_change(one, other, samples.labels?, samples.seed)?;
        return mean_change(metric, change);
    }
    None
}

/// Else the label would always be among the first five.
fn has_more_than_five(scores: &LabelledScores) -> bool {
    scores.classes_count.is_some_and(|count| count > 5)
}

fn changed_predictions(one: &LabelledScores, other: &LabelledScores) -> u64 {
    one.predicted
        .iter()
        .zip(&other.predicted)
        .filter(|(one, other)| one != other)
        .count() as u64
}

/// As if the samples were drawn independently; `None` for scores that are no share of samples, and
/// without samples.
pub(in crate::analysis) fn unlike_samples(
    baseline: &Scores,
    candidate: &Scores,
) -> Option<AccuracyChange> {
    let metric = candidate.leading();
    let (baseline, candidate) = match (baseline, candidate) {
        (Scores::Classification(one), Scores::Classification(other)) => {
            (over_samples::top1(one)?, over_samples::top1(other)?)
        }
        (Scores::SeveralClasses(one), Scores::SeveralClasses(other)) => (
            over_samples::exact_match(one)?,
            over_samples::exact_match(other)?,
        ),
        _ => return None,
    };
    let interval = candidate.less(baseline);
    let difference = candidate.share() - baseline.share();
    let difference = Estimate::Measured(Measured {
        interval: Some(interval),
        remark: Some("on different samples".into()),
        ..Measured::exact(difference, candidate.n.min(baseline.n), Counted::Samples)
    });
    Some(untold(metric, difference, verdict(metric, interval)))
}

/// Significant if the interval leaves out zero.
fn verdict(metric: Metric, difference: Interval) -> AccuracyVerdict {
    match (difference.low > 0.0, difference.high < 0.0) {
        (false, false) => AccuracyVerdict::NotSignificant,
        (more, _) if more == (metric.direction() == Direction::Higher) => AccuracyVerdict::Better,
        _ => AccuracyVerdict::Worse,
    }
}

/// It is not known how many samples it rests on either way.
fn untold(metric: Metric, difference: Estimate, verdict: AccuracyVerdict) -> AccuracyChange {
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

/// Significant by McNemar's test.
fn flipped(
    metric: Metric,
    flips: Result<Flips, NoFigure>,
    changed: Option<u64>,
) -> Option<AccuracyChange> {
    let flips = flips.ok()?;
    let change = flips.change;
    let verdict = match (change.p_value < SIGNIFICANCE, change.difference > 0.0) {
        (false, _) => AccuracyVerdict::NotSignificant,
        (true, true) => AccuracyVerdict::Better,
        (true, false) => AccuracyVerdict::Worse,
    };
    let difference = Estimate::Measured(Measured {
        interval: Some(change.interval),
        ..Measured::exact(change.difference, flips.counts.n(), Counted::Samples)
    });
    Some(AccuracyChange {
        gained_count: Some(flips.counts.gained_count),
        lost_count: Some(flips.counts.lost_count),
        changed_predictions_count: changed,
        p_value: Some(change.p_value),
        ..untold(metric, difference, verdict)
    })
}

/// Significant if its bootstrap interval leaves out zero.
fn mean_change(metric: Metric, change: Result<SampleFigure, NoFigure>) -> Option<AccuracyChange> {
    let difference = error(change);
    let verdict = difference
        .interval()
        .map_or(AccuracyVerdict::Untested, |interval| {
            verdict(metric, interval)
        });
    Some(untold(metric, difference, verdict))
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
        let Estimate::Measured(difference) = change.difference else {
            panic!("not measured")
        };
        assert_eq!((difference.value, difference.n), (-0.5, 2));
    }
}
