//! Targets that follow from what was measured, and the timeline of the model's optimization.

use crate::analysis::{AccuracyVerdict, Action, Advice, BottleneckKind, Level};
use crate::metric::{Metric, Unit};
use crate::report::chapters::advice as advised;
use crate::report::chapters::context::Item;
use crate::report::view::template::{NO_TRAINING, accuracy_target, lighter, reduction};
use crate::report::words::number;
use crate::report::words::{Source, not_measured};

/// *AI Performance Targets*: what the best accepted advice was measured to bring.
pub(in crate::report) fn targets(source: Source<'_>) -> Vec<Item> {
    let accepted = accepted(source);
    let why_none = || not_measured("no gain was shown whose risk is low or medium");
    let latency = accepted.map_or_else(why_none, |advice| latency(source, advice));
    let resources = accepted.map_or_else(why_none, |advice| resources(source, advice));
    vec![
        Item::new("Inference Latency", latency),
        Item::new("Training Time", NO_TRAINING),
        Item::new("Model Accuracy", accuracy(source, accepted)),
        Item::new("Resource Efficiency", resources),
    ]
}

/// The advice of the largest conservative gain in the median latency whose risk is not high.
pub(in crate::report) fn accepted(source: Source<'_>) -> Option<&Advice> {
    let for_latency =
        |advice: &&Advice| advice.metric == Metric::LatencyP50 && !matches!(advice.action, Action::KeepWarm { .. });
    source.findings.advice.iter().filter(for_latency).find(|advice| advice.risk != Level::High)
}

fn latency(source: Source<'_>, advice: &Advice) -> String {
    let Some(gain) = advice.gain.measured() else { return not_measured("there is no gain to state") };
    let reduced = |gain: f64| number::value(Unit::Ratio, 1.0 - 1.0 / gain, None);
    let ends = gain.interval.map(|ends| format!(" ({} to {})", reduced(ends.low), reduced(ends.high)));
    let ends = ends.unwrap_or_default();
    let area = advised::area(source, advice);
    format!("target latency reduction: {}{ends}, as measured; {area}", reduced(gain.value))
}

/// The template's words, with the score that is to be kept: the baseline's interval says what chance alone may do.
fn accuracy(source: Source<'_>, accepted: Option<&Advice>) -> String {
    let target = accuracy_target(source);
    let change = accepted.and_then(|advice| advice.accuracy.as_ref());
    let kept = match change.map(|change| change.verdict) {
        Some(AccuracyVerdict::Worse) => {
            "; the accepted advice falls short of the baseline by no more than 0.1 points, or 1% of the error"
        }
        Some(_) => "; the accepted advice shows no significant loss",
        None => "",
    };
    format!("{target}{kept}")
}

/// File and memory with the advice against those of the baseline.
fn resources(source: Source<'_>, advice: &Advice) -> String {
    let Some(baseline) = source.baseline() else { return not_measured("the run has no baseline session") };
    let session = source.session(advice.action.key().session);
    if session.session == baseline.session {
        return not_measured("the advice changes neither the file nor, as far as measured, the memory");
    }
    lighter(source, session, baseline)
}

/// *Success Criteria* of the system as a whole, as far as an inference profile can set them.
pub(in crate::report) fn throughput(source: Source<'_>) -> String {
    let found =
        source.findings.advice.iter().find(|advice| advice.metric == Metric::Throughput && advice.risk != Level::High);
    match found {
        Some(advice) => format!("{}: {}", advised::area(source, advice), advised::gain(advice)),
        None => not_measured("no gain in throughput was shown whose risk is low or medium"),
    }
}

/// *Response Time* among the targets: the same reduction as that of an inference.
pub(in crate::report) fn response(source: Source<'_>) -> String {
    let cell = accepted(source).and_then(|advice| source.cell(advice.action.key()));
    match cell.and_then(|cell| cell.figure(Metric::LatencyP50RatioToBaseline)) {
        Some(ratio) => format!("median of one inference {}", reduction(ratio)),
        None => not_measured("no faster variant was shown whose risk is low or medium"),
    }
}

/// *AI/ML Optimization Timeline*: the template's steps, each with what this run leaves to do.
pub(in crate::report) fn timeline(source: Source<'_>) -> Vec<Item> {
    let findings = source.findings;
    let count = |wanted: fn(&Action) -> bool| findings.advice.iter().filter(|advice| wanted(&advice.action)).count();
    let models = count(|action| matches!(action, Action::Ship { .. }));
    let serving = findings.advice.len() - models;
    let slower = findings.bottlenecks.iter();
    let slower = slower.filter(|found| matches!(found.kind, BottleneckKind::SlowerThanBaseline { .. })).count();
    let named = |count: usize, what: &str| match count {
        0 => format!("this run has no advice on {what}"),
        1 => format!("1 piece of advice on {what}, under Optimization Priorities"),
        count => format!("{count} pieces of advice on {what}, under Optimization Priorities"),
    };
    let unused = findings.not_tried.iter().filter(|found| is_hardware(&found.what)).count();
    let hardware = match unused {
        0 => "this run leaves no execution provider of its libraries untried".to_owned(),
        _ => format!("{unused} of the things not tried; their commands are under Not tried"),
    };
    let steps = [
        ("Week 1-2", "Model profiling and bottleneck identification", "done: this report".to_owned()),
        (
            "Week 3-4",
            "Model architecture optimization",
            match slower {
                0 => named(models, "the model file"),
                1 => format!("{}; 1 variant is slower than the baseline", named(models, "the model file")),
                _ => format!("{}; {slower} variants are slower than the baseline", named(models, "the model file")),
            },
        ),
        ("Week 5-6", "Inference pipeline optimization", named(serving, "how the model is served")),
        ("Week 7-8", "Hardware acceleration implementation", hardware),
    ];
    steps.into_iter().map(|(week, step, state)| Item::new(week, format!("{step} ({state})"))).collect()
}

fn is_hardware(what: &crate::analysis::Untried) -> bool {
    use crate::analysis::Untried;
    matches!(what, Untried::ExecutionProvider(_) | Untried::DeviceBinding)
}
