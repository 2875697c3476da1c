//! The worth of a session's outputs: scores against labels, agreement with a reference.

use super::agreement::differs_beyond_numbers;
use super::score_change::same_samples;
use super::scores::{
    AccuracyChange, AccuracyFindings, HeldAgainst, OutputAgreement, Samples, UnhealthyOutput,
    of_first,
};
use super::source::{OfSession, Source, source};
use crate::analysis::{Estimate, Figure, Index, find};
use crate::metric::{Direction, Group, Metric};
use crate::record::{AccuracyRecord, Agreement, OutputHealth};

pub(super) struct Scored {
    pub(super) figures: Vec<Figure>,
    pub(super) findings: AccuracyFindings,
}

pub(super) fn findings(index: &Index<'_>, session: usize) -> Scored {
    let Some(record) = index.accuracy(session) else {
        return absent(why_not_scored(index));
    };
    if let Some(reason) = record.outcome.reason() {
        return absent(reason.exact());
    }
    let seed = index.record.plan.schedule.seed;
    let agreement: Vec<OutputAgreement> = record
        .agreement
        .iter()
        .map(|agreement| output_agreement(agreement, seed))
        .collect();
    let mut figures = scores(index, record);
    figures.extend(worst(
        &agreement,
        record.agreement.iter().position(differs_beyond_numbers),
    ));
    Scored {
        figures,
        findings: AccuracyFindings {
            samples_count: samples_count(index, record),
            held_against: held_against(record),
            absent_reason: why_not_compared(record),
            change: change(index, record),
            unhealthy_outputs: record.unhealthy_outputs().map(unhealthy_output).collect(),
            agreement,
            reference: record.reference.clone(),
            not_comparable: record.not_comparable.clone(),
        },
    }
}

fn absent(reason: &str) -> Scored {
    Scored {
        figures: Vec::new(),
        findings: AccuracyFindings {
            absent_reason: Some(reason.into()),
            ..AccuracyFindings::default()
        },
    }
}

/// Data and labels may lie around that were not taken.
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

/// Those that all sessions were scored on.
fn samples_count(index: &Index<'_>, record: &AccuracyRecord) -> u64 {
    let in_common = index
        .samples_in_common()
        .filter(|_| record.scores.is_some());
    in_common.map_or(record.samples_count, |in_common| {
        record.samples_count.min(in_common as u64)
    })
}

fn why_not_compared(record: &AccuracyRecord) -> Option<String> {
    if record.reference.is_none() || held_against(record) != HeldAgainst::Nothing {
        return None;
    }
    Some(match record.not_comparable.first() {
        Some(unlike) => format!(
            "not comparable: output `{}`: {}",
            unlike.output.exact(),
            unlike.reason.exact()
        ),
        None => {
            "none of its outputs has the name, or the kind and place, of one of the reference's"
                .into()
        }
    })
}

fn scores(index: &Index<'_>, record: &AccuracyRecord) -> Vec<Figure> {
    let Some(scores) = &record.scores else {
        return Vec::new();
    };
    let scores = of_first(scores, index.samples_in_common().unwrap_or(usize::MAX));
    let samples = Samples {
        labels: index
            .record
            .dataset
            .as_ref()
            .and_then(|data| data.class_labels.as_deref()),
        seed: index.record.plan.schedule.seed,
    };
    Metric::ALL
        .iter()
        .filter_map(|&metric| {
            // Nothing of a metric that is no score, or one of other labels.
            let Source::Session(OfSession::Scores(score)) = source(metric) else {
                return None;
            };
            Some(Figure {
                metric,
                estimate: score.of(&scores, &samples)?,
            })
        })
        .collect()
}

/// Of the leading score, on the same samples; `None` for the baseline and where one of both has no
/// scores.
fn change(index: &Index<'_>, record: &AccuracyRecord) -> Option<AccuracyChange> {
    let baseline = index
        .baseline
        .filter(|&baseline| baseline != record.session)?;
    same_samples(
        index
            .accuracy(baseline)
            .filter(|baseline| baseline.outcome.is_ok())?
            .scores
            .as_ref()?,
        record.scores.as_ref()?,
        index.record.plan.schedule.seed,
    )
}

fn unhealthy_output(output: &OutputHealth) -> UnhealthyOutput {
    UnhealthyOutput {
        name: output.name.clone(),
        nan_count: output.nan_count,
        infinite_count: output.infinite_count,
        affected_samples_count: output.affected_samples_count,
    }
}

fn output_agreement(agreement: &Agreement, seed: u64) -> OutputAgreement {
    OutputAgreement {
        output: agreement.output.clone(),
        reference_output: agreement.reference_output.clone(),
        kind: agreement.kind,
        lowest_cosine: agreement
            .cosine_similarity_p1
            .or(agreement.cosine_similarity_min),
        signal_to_noise_db: agreement.signal_to_noise_db,
        rows_count: agreement
            .top1_by_row
            .iter()
            .map(|sample| sample.elements_count)
            .sum(),
        figures: Group::Agreement
            .metrics()
            .filter_map(|metric| agreement_figure(metric, agreement, seed))
            .collect(),
    }
}

fn agreement_figure(metric: Metric, agreement: &Agreement, seed: u64) -> Option<Figure> {
    let Source::Session(OfSession::Agreement(figure)) = source(metric) else {
        return None;
    };
    Some(Figure {
        metric,
        estimate: figure(agreement, seed),
    })
}

/// Each figure of agreement at the output where it is worst: where one differs by more than numbers
/// say, they say nothing.
fn worst(agreement: &[OutputAgreement], beyond_numbers: Option<usize>) -> Vec<Figure> {
    let beyond = beyond_numbers.map(|place| &agreement[place]);
    Group::Agreement
        .metrics()
        .filter_map(|metric| {
            let estimate = beyond
                .filter(|_| metric != Metric::Top1Agreement)
                .and_then(|output| output.figure(metric))
                .or_else(|| worst_of(metric, agreement))?;
            Some(Figure {
                metric,
                estimate: estimate.clone(),
            })
        })
        .collect()
}

fn worst_of(metric: Metric, agreement: &[OutputAgreement]) -> Option<&Estimate> {
    agreement
        .iter()
        .filter_map(|output| find(&output.figures, metric))
        .max_by(|one, other| badness(metric, one).total_cmp(&badness(metric, other)))
}

/// A figure as a number of which more is worse; without a value, the best there is.
fn badness(metric: Metric, estimate: &Estimate) -> f64 {
    match metric.direction() {
        Direction::Higher => -estimate.value().unwrap_or(f64::INFINITY),
        Direction::Lower | Direction::Neutral => estimate.value().unwrap_or(f64::NEG_INFINITY),
    }
}
