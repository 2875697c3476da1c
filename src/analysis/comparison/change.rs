//! The change of one metric between two sides.

use std::collections::BTreeMap;

use serde::Serialize;

use super::side::{OfRound, Side, of_cell, of_session, percentiles};
use crate::analysis::figures::change::judge as judge_together;
use crate::analysis::figures::energy::gpu_of_launch;
use crate::analysis::figures::over_launches::per_launch;
use crate::analysis::figures::score_change::{same_samples, unlike_samples};
use crate::analysis::figures::sessions::file_size;
use crate::analysis::figures::source::{OfBlocks, OfCell, OfSession, Source, source};
use crate::analysis::figures::{AccuracyChange, Change, Estimate};
use crate::metric::{Group, Metric};
use crate::observed::Observed;
use crate::record::{Pairs, RunRecord, Scores};
use crate::stats::{CONFIDENCE, END_ERROR};

/// How two sides were measured with regard to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Design {
    /// Side by side: in turns within each round, or on the same samples.
    Paired,
    /// Apart: in two runs, or on different samples.
    Separate,
    /// Read off, without noise.
    Exact,
}

/// Change of one metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Delta {
    /// Candidate / baseline.
    Ratio {
        /// How both were measured.
        design: Design,
        /// The ratio and its verdict.
        change: Change,
    },
    /// Candidate less baseline, of a score.
    Score {
        /// How both were measured.
        design: Design,
        /// The difference, the samples that flipped, and the verdict.
        change: AccuracyChange,
    },
}

/// The change of `metric` from `baseline` to `candidate`, judged by itself; [`judge()`] judges
/// several together.
///
/// Sides of one [`RunIndex`](super::side::RunIndex) are compared round by round, others launch
/// against launch. Latencies, throughput and percentiles take the sides' cells; runtime start,
/// session load, first run, model memory, file size and scores those of the session, whatever the
/// cell; peak memory either. A ratio to the baseline is the same as its metric.
///
/// # Errors
/// Why there is no change: something was not measured, or the metric is not one that is compared.
pub fn change(metric: Metric, candidate: Side<'_>, baseline: Side<'_>) -> Observed<Delta> {
    let mut delta = match source(metric) {
        Source::Session(OfSession::Scores(_)) if metric.group() == Group::LeadingScore => {
            return score(metric, candidate, baseline);
        }
        Source::Session(OfSession::Files) => {
            let [own, other] =
                [candidate, baseline].map(|side| file_size(&side.run.index, side.session));
            exact(own, other)?
        }
        Source::Session(OfSession::Launches(value)) => {
            over_launches(metric, candidate, baseline, &|side| of_session(side, value))?
        }
        Source::Cell(OfCell::Launches(of)) => {
            over_launches(metric, candidate, baseline, &|side| of_cell(side, of.value))?
        }
        Source::Cell(OfCell::Gpu(figure, _)) => {
            over_launches(metric, candidate, baseline, &|side| {
                of_cell(side, |_, cell| gpu_of_launch(figure, cell))
            })?
        }
        Source::Cell(OfCell::Tail(quantile, _)) => {
            over_launches(metric, candidate, baseline, &|side| {
                percentiles(side, quantile)
            })?
        }
        Source::Cell(OfCell::Blocks(figure)) => over_blocks(metric, candidate, baseline, figure)?,
        Source::Cell(OfCell::Whole(_))
        | Source::Session(OfSession::Failures | OfSession::Scores(_) | OfSession::Agreement(_)) => {
            return Err(NOT_JUDGED.into());
        }
    };
    judge(metric, &mut [&mut delta]);
    Ok(delta)
}

/// Judges changes of one metric together, so that the share of false verdicts among those given
/// stays bounded, however many they are: 4% of paired ones, 5% of separate ones. Scores have their
/// own test and stay as they are.
pub fn judge(metric: Metric, deltas: &mut [&mut Delta]) {
    for (judged, error) in [
        (Design::Paired, END_ERROR),
        (Design::Separate, 1.0 - CONFIDENCE),
        (Design::Exact, 0.0),
    ] {
        let changes = deltas.iter_mut().filter_map(|delta| match &mut **delta {
            Delta::Ratio { design, change } if *design == judged => Some(change),
            _ => None,
        });
        judge_together(metric, &mut changes.collect::<Vec<_>>(), error);
    }
}

fn is_one_run(candidate: Side<'_>, baseline: Side<'_>) -> bool {
    std::ptr::eq(candidate.run.record(), baseline.run.record())
}

fn ratio(design: Design, change: Option<Change>, otherwise: &str) -> Observed<Delta> {
    let change = change.ok_or(otherwise)?;
    Ok(Delta::Ratio { design, change })
}

fn over_blocks(
    metric: Metric,
    candidate: Side<'_>,
    baseline: Side<'_>,
    figure: OfBlocks,
) -> Observed<Delta> {
    for side in [candidate, baseline] {
        if side.blocks().is_empty() {
            return Err(side.why_nothing("no timed block was recorded"));
        }
    }
    if is_one_run(candidate, baseline) {
        let rounds = Pairs::new(candidate.blocks(), baseline.blocks()).log_ratios(figure.of_block);
        return ratio(
            Design::Paired,
            Change::paired(metric, &rounds),
            "no block of one has a neighbour of the other",
        );
    }
    let [candidate, baseline] =
        [candidate, baseline].map(|side| per_launch(side.blocks(), figure.of_blocks));
    ratio(
        Design::Separate,
        Change::unpaired(metric, &candidate, &baseline),
        NOT_POSITIVE,
    )
}

const NOT_JUDGED: &str = "no change of it is judged; hold it against a number";
const NOT_POSITIVE: &str = "it is not positive in every launch, so that there is no ratio";

fn over_launches(
    metric: Metric,
    candidate: Side<'_>,
    baseline: Side<'_>,
    values: &dyn Fn(Side<'_>) -> Observed<Vec<OfRound>>,
) -> Observed<Delta> {
    if let Some(reason) = unlike(metric, candidate, baseline) {
        return Err(reason.into());
    }
    let (own, other) = (values(candidate)?, values(baseline)?);
    if own.iter().chain(&other).any(|&(_, value)| value <= 0.0) {
        return Err(NOT_POSITIVE.into());
    }
    if is_one_run(candidate, baseline) {
        let change = Change::paired(metric, &by_round(&own, &other));
        return ratio(Design::Paired, change, "no round has a launch of both");
    }
    let [own, other] = [own, other].map(without_rounds);
    ratio(
        Design::Separate,
        Change::unpaired(metric, &own, &other),
        NOT_POSITIVE,
    )
}

fn without_rounds(values: Vec<OfRound>) -> Vec<f64> {
    values.into_iter().map(|(_, value)| value).collect()
}

/// Why figures of whole sessions that depend on the batch sizes measured are not alike.
fn unlike(metric: Metric, candidate: Side<'_>, baseline: Side<'_>) -> Option<&'static str> {
    let is_of_first = matches!(metric, Metric::FirstRun | Metric::TimeToFirstPrediction);
    if is_of_first && candidate.first() != baseline.first() {
        return Some("the first inference was of another batch size or shape");
    }
    let is_of_all_cells = metric.group() == Group::Launch && candidate.at.is_none();
    let unlike = is_of_all_cells && candidate.measured_at() != baseline.measured_at();
    unlike.then_some("other batch sizes or shapes were measured")
}

/// The log-ratio of each round in which both were launched; of several launches the last counts.
fn by_round(candidate: &[OfRound], baseline: &[OfRound]) -> Vec<Vec<f64>> {
    let partners: BTreeMap<u64, f64> = baseline.iter().copied().collect();
    let own: BTreeMap<u64, f64> = candidate.iter().copied().collect();
    own.iter()
        .filter_map(|(round, value)| Some(vec![(value / partners.get(round)?).ln()]))
        .collect()
}

fn exact(candidate: Estimate, baseline: Estimate) -> Observed<Delta> {
    match (candidate, baseline) {
        (Estimate::Measured(candidate), Estimate::Measured(baseline)) => ratio(
            Design::Exact,
            Change::exact(&candidate, &baseline),
            "one of them is zero",
        ),
        (Estimate::Absent { reason, .. }, _) | (_, Estimate::Absent { reason, .. }) => Err(reason),
    }
}

fn score(metric: Metric, candidate: Side<'_>, baseline: Side<'_>) -> Observed<Delta> {
    let (own, other) = (scores(metric, candidate)?, scores(metric, baseline)?);
    let (own_run, other_run) = (candidate.run.record(), baseline.run.record());
    let (design, change) =
        if is_one_run(candidate, baseline) || are_same_samples(own_run, other_run) {
            let seed = own_run.plan.schedule.seed;
            (Design::Paired, same_samples(other, own, seed))
        } else {
            (Design::Separate, unlike_samples(other, own))
        };
    let change = change.ok_or("they were scored on different samples")?;
    Ok(Delta::Score { design, change })
}

fn scores(metric: Metric, side: Side<'_>) -> Observed<&Scores> {
    let Some(accuracy) = side.accuracy() else {
        return Err(side.why_nothing("outputs were not scored"));
    };
    if let Some(reason) = accuracy.outcome.reason() {
        return Err(reason.clone());
    }
    match (metric, &accuracy.scores) {
        (_, None) => Err("there are neither labels nor targets".into()),
        (metric, Some(scores)) if metric == scores.leading() => Ok(scores),
        _ => Err("the outputs were scored as something else".into()),
    }
}

/// Whether the samples of both runs are the same ones, as far as the records tell: as many, with
/// the same labels; and from the same file where there are no labels to tell by.
fn are_same_samples(one: &RunRecord, other: &RunRecord) -> bool {
    let (Some(one), Some(other)) = (&one.dataset, &other.dataset) else {
        return false;
    };
    let labelled = one.class_labels.is_some() && one.class_labels == other.class_labels;
    one.samples_count == other.samples_count
        && (labelled || (one.class_labels.is_none() && one == other))
}
