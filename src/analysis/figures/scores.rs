//! Scores and agreement of a session's outputs.

use std::borrow::Cow;

use serde::Serialize;

use super::estimate::{Counted, Estimate, Figure, Measured, find};
use super::over_samples::{self, ErrorKind, NoFigure, SampleFigure};
use crate::metric::Metric;
use crate::record::{
    ElementScores, ElementUnit, LabelledScores, NotComparable, OutputKind, Scores, SeveralScores,
};
use crate::stats::Proportion;
use crate::text::Plain;

/// Accuracy of the outputs of a session; its scores are among the session's figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AccuracyFindings {
    /// Samples whose outputs were computed, whether or not there was anything to hold them against.
    pub samples_count: u64,
    /// Labels, reference or nothing that the outputs were held against.
    pub held_against: HeldAgainst,
    /// Why nothing was scored; absent if something was.
    pub absent_reason: Option<String>,
    /// The change of the leading score against the baseline, on the same samples.
    pub change: Option<AccuracyChange>,
    /// Outputs with values that are not numbers.
    pub unhealthy_outputs: Vec<UnhealthyOutput>,
    /// Agreement with the reference, one for each output.
    pub agreement: Vec<OutputAgreement>,
    /// Name of the outputs that `agreement` compares with.
    pub reference: Option<Plain>,
    /// Outputs that cannot be compared with it.
    pub not_comparable: Vec<NotComparable>,
}

/// Labels, reference or nothing that outputs were held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldAgainst {
    /// Nothing: there is nothing, they are the reference themselves, or none of them can be
    /// compared with it.
    #[default]
    Nothing,
    /// Outputs of a reference.
    Reference,
    /// Labels or targets.
    Labels,
}

/// A score's change against the baseline on the same samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AccuracyChange {
    /// The score.
    pub metric: Metric,
    /// Score of the session minus score of the baseline, in the metric's unit.
    pub difference: Estimate,
    /// Samples that only the session got right; absent for regression.
    pub gained_count: Option<u64>,
    /// Samples that only the baseline got right; absent for regression.
    pub lost_count: Option<u64>,
    /// Samples that both predict alike or not, but differently from each other; absent for
    /// regression.
    pub changed_predictions_count: Option<u64>,
    /// Probability of a change at least as large if neither were better: McNemar, exact; absent for
    /// regression.
    pub p_value: Option<f64>,
    /// Verdict on the change.
    pub verdict: AccuracyVerdict,
}

/// Verdicts on a change of a score, at the 5% level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccuracyVerdict {
    /// Significantly better.
    Better,
    /// Significantly worse.
    Worse,
    /// No significant change.
    NotSignificant,
    /// There is no test to decide it with.
    Untested,
}

/// An output with values that are not numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnhealthyOutput {
    /// Name of the output.
    pub name: Plain,
    /// Elements that are not a number.
    pub nan_count: u64,
    /// Elements that are infinite.
    pub infinite_count: u64,
    /// Samples with at least one such element.
    pub affected_samples_count: u64,
}

/// Agreement of one output with its reference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutputAgreement {
    /// Name of the output.
    pub output: Plain,
    /// Name of the reference's output, where it is another one.
    pub reference_output: Option<Plain>,
    /// Kind of the output; absent in records before version 1.4.
    pub kind: Option<OutputKind>,
    /// 1st percentile of the cosines of samples, or the smallest where they are fewer than 1,000;
    /// absent where none has one.
    pub lowest_cosine: Option<f64>,
    /// Signal-to-noise ratio of signals and images, in decibels.
    pub signal_to_noise_db: Option<f64>,
    /// Rows that top-1 agreement counts, where each holds scores of classes; else 0.
    pub rows_count: u64,
    /// Top-1 agreement, cosine similarity, maximum and relative error.
    pub figures: Vec<Figure>,
}

impl OutputAgreement {
    /// The estimate of one of the output's figures.
    #[must_use]
    pub fn figure(&self, metric: Metric) -> Option<&Estimate> {
        find(&self.figures, metric)
    }
}

pub(super) const NO_SAMPLES: &str = "there are no samples";

pub(in crate::analysis) enum ScoreOf {
    Classes(fn(&LabelledScores, &Samples<'_>) -> Estimate),
    Several(fn(&SeveralScores, u64) -> Estimate),
    Elements(ElementUnit, fn(&ElementScores, u64) -> Estimate),
    Errors(ErrorKind),
}

pub(in crate::analysis) struct Samples<'a> {
    /// Absent where the record does not hold them.
    pub(super) labels: Option<&'a [i64]>,
    pub(super) seed: u64,
}

impl ScoreOf {
    pub(super) const TOP1: ScoreOf =
        ScoreOf::Classes(|scores, _| proportion(over_samples::top1(scores), NO_SAMPLES));
    pub(super) const TOP5: ScoreOf = ScoreOf::Classes(|scores, _| {
        proportion(
            over_samples::top_k(scores, 5),
            "there are no more than 5 classes",
        )
    });
    pub(super) const MACRO_F1: ScoreOf = ScoreOf::Classes(|scores, samples| {
        let figure = samples
            .labels
            .and_then(|labels| over_samples::macro_f1(scores, labels, samples.seed));
        over_samples_or(figure, "the record does not hold a label for every sample")
    });
    pub(super) const EXACT_MATCH: ScoreOf =
        ScoreOf::Several(|scores, _| proportion(over_samples::exact_match(scores), NO_SAMPLES));
    pub(super) const MICRO_F1: ScoreOf = ScoreOf::Several(|scores, seed| {
        over_samples_or(
            over_samples::micro_f1(scores, seed),
            "no class is true or predicted",
        )
    });
    pub(super) const TOKENS: ScoreOf = ScoreOf::Elements(ElementUnit::Token, elements);
    pub(super) const PIXELS: ScoreOf = ScoreOf::Elements(ElementUnit::Pixel, elements);
    pub(super) const MEAN_IOU: ScoreOf =
        ScoreOf::Elements(
            ElementUnit::Pixel,
            |scores, _| match over_samples::mean_iou(scores) {
                Some(value) => {
                    Estimate::exact(value, scores.samples.len() as u64, Counted::Samples)
                }
                None => Estimate::absent(
                    "classes were counted over other samples than those that are compared",
                ),
            },
        );
    pub(super) const MEAN_ABSOLUTE_ERROR: ScoreOf = ScoreOf::Errors(ErrorKind::MeanAbsolute);
    pub(super) const ROOT_MEAN_SQUARE_ERROR: ScoreOf = ScoreOf::Errors(ErrorKind::RootMeanSquare);

    /// `None` of scores of another kind.
    pub(super) fn of(&self, scores: &Scores, samples: &Samples<'_>) -> Option<Estimate> {
        match (self, scores) {
            (ScoreOf::Classes(figure), Scores::Classification(scores)) => {
                Some(figure(scores, samples))
            }
            (ScoreOf::Several(figure), Scores::SeveralClasses(scores)) => {
                Some(figure(scores, samples.seed))
            }
            (ScoreOf::Elements(unit, figure), Scores::Elements(scores)) if scores.unit == *unit => {
                Some(figure(scores, samples.seed))
            }
            (
                ScoreOf::Errors(kind),
                Scores::Regression {
                    absolute_errors,
                    squared_errors,
                },
            ) => {
                let errors = match kind {
                    ErrorKind::MeanAbsolute => absolute_errors,
                    ErrorKind::RootMeanSquare => squared_errors,
                };
                Some(error(over_samples::mean_error(*kind, errors, samples.seed)))
            }
            _ => None,
        }
    }
}

fn elements(scores: &ElementScores, seed: u64) -> Estimate {
    over_samples_or(
        over_samples::element_share(&scores.samples, seed),
        "no element has a label",
    )
}

pub(super) fn of_first(scores: &Scores, samples_count: usize) -> Cow<'_, Scores> {
    match scores.samples_count() > samples_count {
        true => Cow::Owned(scores.clone().of_first(samples_count)),
        false => Cow::Borrowed(scores),
    }
}

pub(super) fn error(figure: Result<SampleFigure, NoFigure>) -> Estimate {
    match figure {
        Ok(figure) => over_samples(&figure),
        Err(reason) => Estimate::absent(reason.to_string()),
    }
}

pub(super) fn over_samples_or(figure: Option<SampleFigure>, absent: &str) -> Estimate {
    figure.map_or_else(|| Estimate::absent(absent), |figure| over_samples(&figure))
}

fn over_samples(figure: &SampleFigure) -> Estimate {
    Estimate::Measured(
        Measured::exact(figure.value, figure.n, Counted::Samples).within(figure.interval),
    )
}

/// With its Wilson interval.
pub(super) fn proportion(proportion: Option<Proportion>, absent: &str) -> Estimate {
    let Some(proportion) = proportion else {
        return Estimate::absent(absent);
    };
    Estimate::Measured(Measured {
        interval: Some(proportion.interval()),
        ..Measured::exact(proportion.share(), proportion.n, Counted::Samples)
    })
}
