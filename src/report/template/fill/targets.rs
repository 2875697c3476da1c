//! Targets that follow from what was measured, and the timeline of the model's optimization.

use super::improvement::{lighter, reduction};
use super::{
    Absent, Found, Metric, NO_TRAINING, NOT_GIVEN, Source, advice, not_measured, number, words,
};
use crate::analysis::{AccuracyVerdict, Action, Advice, BottleneckKind, ScoreTarget, Untried};
use crate::metric::{Direction, Unit};
use crate::report::template::keys::{AiTargets, Targets, Timeline};

pub(super) fn of_model(field: AiTargets, source: Source<'_>) -> Found {
    match field {
        AiTargets::InferenceLatency => inference_latency(source),
        AiTargets::TrainingTime => not_measured(NO_TRAINING),
        AiTargets::ModelAccuracy => accuracy(source),
        AiTargets::ResourceEfficiency => resources(source),
    }
}

/// As far as an inference profile can set it.
pub(super) fn of_system(field: Targets, source: Source<'_>) -> Found {
    match field {
        Targets::ResponseTime => response(source),
        Targets::Throughput => throughput(source),
        Targets::ResourceUtilization => resources(source),
        Targets::ErrorRate => NOT_GIVEN,
    }
}

fn accepted(source: Source<'_>) -> Result<&Advice, Absent> {
    let none = || Absent::NotMeasured("no gain was shown whose risk is low or medium".into());
    source.findings.latency_target().ok_or_else(none)
}

/// Share of the latency that such a gain takes away.
fn reduced(gain: f64) -> String {
    number::value(Unit::Ratio, 1.0 - 1.0 / gain, None)
}

pub(super) fn inference_latency(source: Source<'_>) -> Found {
    let advice = accepted(source)?;
    let Some(gain) = advice.gain.measured() else {
        return not_measured("there is no gain to state");
    };
    let ends = gain
        .interval
        .map(|ends| format!(" ({})", number::span(ends, reduced)))
        .unwrap_or_default();
    let area = advice::area(source, advice);
    Ok(format!(
        "target latency reduction: {}{ends}, as measured; {area}",
        reduced(gain.value)
    ))
}

/// The baseline's interval says what chance alone may do to its score.
fn accuracy(source: Source<'_>) -> Found {
    let target = score_to_keep(source)?;
    let change = source
        .findings
        .latency_target()
        .and_then(|advice| advice.accuracy.as_ref());
    let kept = match change.map(|change| change.verdict) {
        Some(AccuracyVerdict::Worse) => {
            let [share, error] = words::loss_floors();
            format!(
                "; the accepted advice falls short of the baseline by no more than {share}, or {error}"
            )
        }
        Some(_) => "; the accepted advice shows no significant loss".into(),
        None => String::new(),
    };
    Ok(format!("{target}{kept}"))
}

fn score_to_keep(source: Source<'_>) -> Found {
    let Some(target) = source.findings.score_target() else {
        return not_measured(
            source
                .baseline()
                .and_then(|baseline| baseline.accuracy.absent_reason.as_deref())
                .unwrap_or("no labels came with what was fed"),
        );
    };
    Ok(maintained(target))
}

fn maintained(
    ScoreTarget {
        metric,
        baseline,
        bound,
    }: ScoreTarget<'_>,
) -> String {
    let name = metric.short_label();
    let value = number::value(metric.unit(), baseline.value, None);
    let n = words::counted(baseline);
    let Some(bound) = bound else {
        return format!("maintain {name} at the baseline's {value}, n = {n}");
    };
    let bound = number::value(metric.unit(), bound, None);
    let word = match metric.direction() {
        Direction::Higher => "above",
        _ => "below",
    };
    format!(
        "maintain {name} {word} {bound}, the nearer end of the baseline's 95% interval ({value}, n = {n})"
    )
}

fn resources(source: Source<'_>) -> Found {
    let session = accepted(source)?.action.key().session;
    if source
        .baseline()
        .is_some_and(|baseline| baseline.session == session)
    {
        return not_measured(
            "the advice changes neither the file nor, as far as measured, the memory",
        );
    }
    lighter(source, session)
}

fn throughput(source: Source<'_>) -> Found {
    let Some(found) = source.findings.throughput_target() else {
        return not_measured("no gain in throughput was shown whose risk is low or medium");
    };
    Ok(format!(
        "{}: {}",
        advice::area(source, found),
        advice::gain(found)
    ))
}

fn response(source: Source<'_>) -> Found {
    let cell = source
        .findings
        .latency_target()
        .and_then(|advice| source.cell(advice.action.key()));
    match cell.and_then(|cell| cell.figure(Metric::LatencyP50RatioToBaseline)) {
        Some(ratio) => Ok(format!("median of one inference {}", reduction(ratio)?)),
        None => not_measured("no faster variant was shown whose risk is low or medium"),
    }
}

pub(super) fn timeline(field: Timeline, source: Source<'_>) -> Found {
    let (step, state) = match field {
        Timeline::Profiling => (
            "Model profiling and bottleneck identification",
            "done: this report".into(),
        ),
        Timeline::Architecture => ("Model architecture optimization", models(source)),
        Timeline::Pipeline => (
            "Inference pipeline optimization",
            advice_on(
                source.findings.decisions.advice.len() - ships(source),
                "how the model is served",
            ),
        ),
        Timeline::Hardware => ("Hardware acceleration implementation", hardware(source)),
    };
    Ok(format!("{step} ({state})"))
}

fn ships(source: Source<'_>) -> usize {
    let advice = source.findings.decisions.advice.iter();
    advice
        .filter(|advice| matches!(advice.action, Action::Ship { .. }))
        .count()
}

fn models(source: Source<'_>) -> String {
    let slower = source
        .findings
        .decisions
        .bottlenecks
        .iter()
        .filter(|found| matches!(found.kind, BottleneckKind::SlowerThanBaseline { .. }))
        .count();
    let advice = advice_on(ships(source), "the model file");
    match slower {
        0 => advice,
        1 => format!("{advice}; 1 variant is slower than the baseline"),
        _ => format!("{advice}; {slower} variants are slower than the baseline"),
    }
}

fn advice_on(count: usize, subject: &str) -> String {
    match count {
        0 => format!("this run has no advice on {subject}"),
        1 => format!("1 piece of advice on {subject}, under Optimization Priorities"),
        count => format!("{count} pieces of advice on {subject}, under Optimization Priorities"),
    }
}

fn hardware(source: Source<'_>) -> String {
    match source
        .findings
        .decisions
        .not_tried
        .iter()
        .filter(|found| {
            matches!(
                found.what,
                Untried::ExecutionProvider(_) | Untried::DeviceBinding
            )
        })
        .count()
    {
        0 => "this run leaves no execution provider of its libraries untried".into(),
        unused => format!("{unused} of the things not tried; their commands are under Not tried"),
    }
}
