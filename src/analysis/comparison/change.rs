//! The change of one metric between two sides.

use std::collections::BTreeMap;

use serde::Serialize;

use super::side::{OfRound, Side, Sides, latencies, of_cell, of_session};
use crate::analysis::figures::change::{judge as judge_together, log_rounds};
use crate::analysis::figures::energy::gpu_of_launch;
use crate::analysis::figures::over_launches::per_launch;
use crate::analysis::figures::score_change::{InCommon, other_score, same_samples, unlike_samples};
use crate::analysis::figures::sessions::file_size;
use crate::analysis::figures::source::{OfBlocks, OfCell, OfSession, Source, source};
use crate::analysis::figures::tails;
use crate::analysis::figures::{AccuracyChange, Change, Estimate};
use crate::metric::{Group, Metric};
use crate::observed::Observed;
use crate::record::{Pairs, RunRecord, Scores};
use crate::stats::{CONFIDENCE, END_ERROR, LaunchLatencies, Quantile, TailRatio, TooFew};
use crate::units::Nanos;

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

impl Delta {
    /// Leaves a ratio open, whatever its interval says.
    pub(super) fn withhold(&mut self) {
        match self {
            Delta::Ratio { change, .. } => change.withhold(),
            Delta::Score { .. } => {}
        }
    }

    /// Tells in time how long the rounds take that would settle it.
    pub(super) fn time(&mut self, round: Option<Nanos>) {
        match self {
            Delta::Ratio { change, .. } => change.time(round),
            Delta::Score { .. } => {}
        }
    }
}

/// The change of `metric` from `baseline` to `candidate`, judged by itself; [`judge()`] judges
/// several together.
///
/// Sides of one run are compared round by round, others launch against launch. Latencies,
/// throughput and percentiles take the sides' cells; runtime start, session load, first run, model
/// memory, file size and scores those of the session, whatever the cell; peak memory either. A
/// ratio to the baseline is the same as its metric.
///
/// # Errors
/// Why there is no change: something was not measured, or the metric is not one that is compared.
pub fn change(metric: Metric, sides: Sides<Side<'_>>) -> Observed<Delta> {
    let mut delta = match source(metric) {
        Source::Session(OfSession::Scores(_)) if metric.group() == Group::LeadingScore => {
            return score(metric, sides);
        }
        Source::Session(OfSession::Scores(_)) => return other_score_of(metric, sides),
        Source::Session(OfSession::Files) => exact(sides),
        Source::Session(OfSession::Launches(value)) => {
            over_launches(metric, sides, &|side| of_session(side, value))
        }
        Source::Cell(OfCell::Launches(value, _)) => {
            over_launches(metric, sides, &|side| of_cell(side, value))
        }
        Source::Cell(OfCell::Gpu(figure, _)) => over_launches(metric, sides, &|side| {
            of_cell(side, |_, cell| gpu_of_launch(figure, cell))
        }),
        Source::Cell(OfCell::Tail(quantile) | OfCell::TailToBaseline(quantile)) => {
            of_tails(metric, quantile, sides)
        }
        Source::Cell(OfCell::Blocks(figure)) => over_blocks(metric, sides, figure),
        Source::Cell(OfCell::Whole(_))
        | Source::Session(OfSession::Failures | OfSession::Agreement(_))
        | Source::Load(_) => Err(NOT_JUDGED.into()),
    }?;
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
        judge_together(metric, changes, error);
    }
}

fn is_one_run(sides: Sides<Side<'_>>) -> bool {
    std::ptr::eq(sides.candidate.run.record, sides.baseline.run.record)
}

fn ratio(design: Design, change: Option<Change>, otherwise: &str) -> Observed<Delta> {
    Ok(Delta::Ratio {
        design,
        change: change.ok_or(otherwise)?,
    })
}

fn over_blocks(metric: Metric, sides: Sides<Side<'_>>, figure: OfBlocks) -> Observed<Delta> {
    let blocks = sides.try_map(|side| match side.blocks() {
        [] => Err(side.why_nothing("no timed block was recorded")),
        blocks => Ok(blocks),
    })?;
    if !is_one_run(sides) {
        return unpaired(
            metric,
            blocks.map(|blocks| per_launch(blocks, figure.of_blocks)),
        );
    }
    ratio(
        Design::Paired,
        Change::paired(
            metric,
            &Pairs::new(blocks.candidate, blocks.baseline).log_ratios(figure.of_block),
        ),
        "no block of one has a neighbour of the other",
    )
}

fn of_tails(metric: Metric, quantile: Quantile, sides: Sides<Side<'_>>) -> Observed<Delta> {
    let found = sides.try_map(latencies)?;
    let (design, compared): (_, TailsCompared) = if is_one_run(sides) {
        (Design::Paired, TailRatio::paired)
    } else {
        (Design::Separate, TailRatio::unpaired)
    };
    let ratio = compared(quantile, &found.candidate, &found.baseline);
    Ok(Delta::Ratio {
        design,
        change: tails::change(metric, ratio)?,
    })
}

type TailsCompared =
    fn(Quantile, &[LaunchLatencies], &[LaunchLatencies]) -> Result<TailRatio, TooFew>;

fn unpaired(metric: Metric, values: Sides<Vec<f64>>) -> Observed<Delta> {
    ratio(
        Design::Separate,
        Change::unpaired(metric, &values.candidate, &values.baseline),
        NOT_POSITIVE,
    )
}

const NOT_JUDGED: &str = "no change of it is judged; hold it against a number";
const NOT_POSITIVE: &str = "it is not positive in every launch, so that there is no ratio";

fn over_launches(
    metric: Metric,
    sides: Sides<Side<'_>>,
    values: &dyn Fn(Side<'_>) -> Observed<Vec<OfRound>>,
) -> Observed<Delta> {
    if let Some(reason) = unlike(metric, sides) {
        return Err(reason.into());
    }
    let values = sides.try_map(values)?;
    let mut all = values.candidate.iter().chain(&values.baseline);
    if all.any(|&(_, value)| value <= 0.0) {
        return Err(NOT_POSITIVE.into());
    }
    if is_one_run(sides) {
        return ratio(
            Design::Paired,
            Change::paired(metric, &by_round(values)),
            "no round has a launch of both",
        );
    }
    unpaired(
        metric,
        values.map(|values| values.into_iter().map(|(_, value)| value).collect()),
    )
}

/// Why figures of whole sessions that depend on the batch sizes measured are not alike.
fn unlike(metric: Metric, sides: Sides<Side<'_>>) -> Option<&'static str> {
    let (candidate, baseline) = (sides.candidate, sides.baseline);
    if matches!(metric, Metric::FirstRun | Metric::TimeToFirstPrediction)
        && candidate.first() != baseline.first()
    {
        return Some("the first inference was of another batch size or shape");
    }
    let is_of_all_cells = metric.group() == Group::Launch && candidate.at.is_none();
    (is_of_all_cells && candidate.measured_at() != baseline.measured_at())
        .then_some("other batch sizes or shapes were measured")
}

/// The log-ratio of each round in which both were launched; of several launches the last counts.
fn by_round(values: Sides<Vec<OfRound>>) -> Vec<Vec<f64>> {
    let values = values.map(BTreeMap::<u64, f64>::from_iter);
    log_rounds(
        values
            .candidate
            .iter()
            .filter_map(|(round, value)| Some(value / values.baseline.get(round)?)),
    )
}

fn exact(sides: Sides<Side<'_>>) -> Observed<Delta> {
    let sizes = sides.try_map(|side| match file_size(side.run, side.session) {
        Estimate::Measured(size) => Ok(size),
        Estimate::Absent { reason, .. } => Err(reason),
    })?;
    ratio(
        Design::Exact,
        Change::exact(&sizes.candidate, &sizes.baseline),
        "one of them is zero",
    )
}

fn score(metric: Metric, sides: Sides<Side<'_>>) -> Observed<Delta> {
    let scores = sides.try_map(|side| scores(metric, side))?;
    let runs = sides.map(|side| side.run.record);
    let (design, change) = if is_one_run(sides) || are_same_samples(runs.candidate, runs.baseline) {
        let seed = runs.candidate.plan.schedule.seed;
        let change = same_samples(scores.baseline, scores.candidate, seed);
        (Design::Paired, change)
    } else {
        let change = unlike_samples(scores.baseline, scores.candidate);
        (Design::Separate, change)
    };
    Ok(Delta::Score {
        design,
        change: change.ok_or("they were scored on different samples")?,
    })
}

/// Of a score that is not the leading one, which is compared on the same samples alone.
fn other_score_of(metric: Metric, sides: Sides<Side<'_>>) -> Observed<Delta> {
    let scores = sides.try_map(any_scores)?;
    let runs = sides.map(|side| side.run.record);
    if !is_one_run(sides) && !are_same_samples(runs.candidate, runs.baseline) {
        return Err("they were scored on different samples".into());
    }
    let data = runs.candidate.dataset.as_ref();
    let samples = InCommon {
        labels: data.and_then(|data| data.class_labels.as_deref()),
        seed: runs.candidate.plan.schedule.seed,
    };
    let change = other_score(metric, scores.baseline, scores.candidate, &samples)
        .ok_or("its change has no interval, or the outputs were scored as something else")?;
    Ok(Delta::Score {
        design: Design::Paired,
        change,
    })
}

fn scores(metric: Metric, side: Side<'_>) -> Observed<&Scores> {
    let scores = any_scores(side)?;
    if metric == scores.leading() {
        Ok(scores)
    } else {
        Err("the outputs were scored as something else".into())
    }
}

fn any_scores(side: Side<'_>) -> Observed<&Scores> {
    let accuracy = side
        .accuracy()
        .ok_or_else(|| side.why_nothing("outputs were not scored"))?;
    if let Some(reason) = accuracy.outcome.reason() {
        return Err(reason.clone());
    }
    accuracy
        .scores
        .as_ref()
        .ok_or_else(|| "there are neither labels nor targets".into())
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
