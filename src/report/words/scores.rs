//! Scores and outputs in words.

use crate::analysis::{AccuracyChange, AccuracyFindings, AccuracyVerdict, SessionFindings};
use crate::metric::{Metric, Unit};
use crate::report::words::{joined, number, plain};
use crate::text::Plain;

/// `top-1 -0.3 points (not significant)`, or what else is known of the outputs.
pub(in crate::report) fn accuracy(session: &SessionFindings) -> String {
    let accuracy = &session.accuracy;
    let unhealthy = accuracy.unhealthy_outputs.first().map(|output| {
        format!(
            "NaN or infinite outputs in {} of {} samples",
            number::count(output.affected_samples_count),
            number::count(accuracy.samples_count)
        )
    });
    let change = accuracy.change.as_ref().map(accuracy_change);
    let absent = accuracy.absent_reason.as_ref();
    let worth = change
        .or_else(|| score(session))
        .or_else(|| agreement(session))
        .or_else(|| Some(format!("accuracy not measured ({})", plain(absent?))))
        .or_else(|| (unhealthy.is_none() && !session.is_baseline).then(|| NOT_JUDGED.to_owned()));
    joined(unhealthy.into_iter().chain(worth), ", ")
}

const NOT_JUDGED: &str = "accuracy not measured (compared with neither labels nor a reference)";

/// `top-1 98.8%`, where there is nothing to compare it with.
fn score(session: &SessionFindings) -> Option<String> {
    let (metric, score) = Metric::SCORES
        .into_iter()
        .find_map(|metric| Some((metric, session.figure(metric)?.value()?)))?;
    Some(format!(
        "{} {}",
        metric.short_label(),
        number::value(metric.unit(), score, None)
    ))
}

/// `top-1 agreement with the baseline outputs 99.2%`, or why no number says how far outputs are
/// off.
fn agreement(session: &SessionFindings) -> Option<String> {
    let reference = session
        .accuracy
        .reference
        .as_ref()
        .map_or_else(|| "reference".to_owned(), Plain::to_string);
    let measured = [
        Metric::Top1Agreement,
        Metric::CosineSimilarity,
        Metric::RelativeError,
    ]
    .into_iter()
    .find_map(|metric| Some((metric, session.figure(metric)?.measured()?)));
    let Some((metric, estimate)) = measured else {
        let reason = session.figure(Metric::MaxAbsoluteError)?.absent_reason()?;
        return Some(format!("not compared with the {reference}: {reason}"));
    };
    let value = match metric {
        Metric::CosineSimilarity => format!("{:.4}", estimate.value),
        _ => number::value(metric.unit(), estimate.value, None),
    };
    Some(format!("{} with the {reference} {value}", metric.label()))
}

/// `top-1 -0.3 points (not significant)`.
pub(in crate::report) fn accuracy_change(change: &AccuracyChange) -> String {
    let name = change.metric.short_label();
    let Some(difference) = change.difference.value() else {
        return format!("{name} not compared");
    };
    let verdict = match (change.verdict, change.p_value) {
        _ if difference == 0.0 => return format!("{name} unchanged"),
        (AccuracyVerdict::NotSignificant, _) => "not significant".into(),
        (AccuracyVerdict::Untested, _) => "not tested".into(),
        (_, Some(p)) => format!("significant, p {}", number::probability(p)),
        (_, None) => "significant".into(),
    };
    format!(
        "{name} {} ({verdict})",
        score_difference(change.metric, difference)
    )
}

/// `-0.3 (p = 0.625)`: in points for a share, else in the score's unit.
pub(in crate::report) fn short_accuracy_change(change: &AccuracyChange) -> String {
    let Some(difference) = change.difference.value() else {
        return "not compared".into();
    };
    let verdict = match (change.verdict, change.p_value) {
        (_, Some(p)) => format!("p {}", number::probability(p)),
        (AccuracyVerdict::NotSignificant, None) => "not significant".into(),
        (AccuracyVerdict::Untested, None) => "not tested".into(),
        (AccuracyVerdict::Better | AccuracyVerdict::Worse, None) => "significant".into(),
    };
    format!(
        "{} ({verdict})",
        score_difference(change.metric, difference).trim_end_matches(" points")
    )
}

/// A change of a score: in points for a share, else in the score's unit.
pub(in crate::report) fn score_difference(metric: Metric, difference: f64) -> String {
    match metric.unit() {
        Unit::Ratio => number::points(difference),
        unit if difference > 0.0 => format!("+{}", number::value(unit, difference, None)),
        unit => number::value(unit, difference, None),
    }
}

pub(in crate::report) fn not_finite(accuracy: &AccuracyFindings) -> Option<String> {
    let outputs = accuracy.unhealthy_outputs.iter().map(|output| {
        format!(
            "output {} holds {} NaN and {} infinite elements, in {} of {} samples",
            output.name,
            number::count(output.nan_count),
            number::count(output.infinite_count),
            number::count(output.affected_samples_count),
            number::count(accuracy.samples_count),
        )
    });
    Some(joined(outputs, "; ")).filter(|outputs| !outputs.is_empty())
}
