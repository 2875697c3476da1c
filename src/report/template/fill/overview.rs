//! What is optimized, and the summary for those who read no further: eight lines on the system as
//! it runs today, what may be gained, and the next step.

use super::advised::{NO_GAIN, advised};
use super::{Fill, improvement, targets};
use crate::analysis::{Action, Advice, Decision};
use crate::metric::Metric;
use crate::report::chapters::implementation_plan::before;
use crate::report::chapters::{advice, bottlenecks, conditions, context, tuning};
use crate::report::template::fill::baseline;
use crate::report::template::found::{
    Absent, Found, Kind, NO_BASELINE, Text, not_measured, of_cell, of_session, or_why, stated, told,
};
use crate::report::template::keys::{Overview, Summary};
use crate::report::words::text::plain;
use crate::report::words::{self, Source, judgement};
use crate::text::Plain;

pub(super) fn overview(field: Overview, fill: Fill<'_>) -> Found {
    let run = &fill.record.run;
    match field {
        Overview::SystemComponent => {
            let variants = fill.record.plan.variants.iter();
            let names = words::listed(variants.map(|variant| plain(&variant.name)));
            stated(format!("the model {} ({names})", run.name))
        }
        Overview::OptimizationType => optimization_type(*fill),
        Overview::OptimizationScope => stated(scope(*fill)),
        Overview::BaselineDate => stated(day(&run.started_at)),
        Overview::TargetImprovement => targets::improvement(fill),
    }
}

/// Of an RFC 3339 time.
pub(super) fn day(time: &Plain) -> String {
    let time = plain(time);
    time.split_once('T')
        .map_or(time.clone(), |(day, _)| day.to_owned())
}

/// What the advice changes, in the template's words.
fn optimization_type(source: Source<'_>) -> Found {
    let searched = tuning::task(source).map(|_| "Performance");
    let types = words::once(advised(source).iter().map(type_of).chain(searched));
    if types.is_empty() {
        return not_measured(NO_GAIN);
    }
    stated(words::listed(types))
}

fn type_of(advice: &Advice) -> &'static str {
    match (&advice.action, advice.metric) {
        (_, Metric::FileSize | Metric::CpuUtilization) => "Resource Usage",
        (Action::Ship { .. }, _) => "AI Model",
        (Action::Batch { .. }, _) => "Scalability",
        _ => "Performance",
    }
}

fn scope(source: Source<'_>) -> String {
    let plan = &source.record.plan;
    let providers = plan.sessions.iter();
    let providers = words::once(providers.map(|session| plain(&session.execution_provider)));
    let sizes = match plan.batch_sizes.as_slice() {
        [one] => format!("batch {one}"),
        sizes => format!("batches of {}", words::listed(sizes)),
    };
    format!(
        "AI Pipeline: inference alone, on {}, in {sizes}",
        words::listed(providers)
    )
}

pub(super) fn summary(field: Summary, fill: Fill<'_>) -> Found {
    match field {
        Summary::CurrentPerformanceStatus => told(Kind::Measured, status(*fill)),
        Summary::KeyPerformanceIssues => issues(*fill),
        Summary::OptimizationStrategy => next_step(*fill),
        Summary::ExpectedImprovements => improvement::over_today(fill),
        Summary::ResourceRequirements => effort(*fill),
    }
}

fn status(source: Source<'_>) -> Vec<String> {
    let single = baseline::single(source);
    vec![
        state(source),
        machine(source),
        format!("Accuracy: {}", or_why(accuracy(source))),
        format!("p99: {}", or_why(of_cell(single, Metric::LatencyP99))),
        format!("Memory: {}", baseline::memory_today(source)),
    ]
}

/// The system as it runs today.
fn state(source: Source<'_>) -> String {
    let single = baseline::single(source);
    let place = single.map_or_else(|| source.baseline_name(), |cell| source.place(cell.key));
    let rate = words::shown(
        Metric::Throughput,
        single.and_then(|cell| cell.figure(Metric::Throughput)),
    );
    let rate = match rate.as_str() {
        "" => String::new(),
        rate => format!(", {}", rate.replacen("/s", " predictions/s", 1)),
    };
    let ending = match source.findings.ending.complete {
        true => String::new(),
        false => format!("; {}", context::ending(source).trim_end_matches('.')),
    };
    let median = or_why(of_cell(single, Metric::LatencyP50));
    let judged = match source.judgement().decision {
        Decision::NoAnswer => "no answer, and so far ",
        Decision::Ship | Decision::Keep | Decision::Undecided | Decision::DoNotShip => "",
    };
    format!("State: {judged}{place}: median latency {median}{rate}{ending}")
}

fn machine(source: Source<'_>) -> String {
    let Some(fitness) = &source.findings.ending.fitness else {
        return conditions::not_judged(source.findings.ending.complete)
            .replacen("Machine", "Machine:", 1);
    };
    let verdict = conditions::verdict(fitness);
    let verdict = verdict.first().map_or("", String::as_str);
    let worst = fitness.reasons.first();
    let worst = worst.map(|reason| format!(": {}", reason.seen));
    format!(
        "Machine: {}{}",
        verdict.trim_start_matches("Machine "),
        worst.unwrap_or_default()
    )
}

/// The leading score of the system as it runs today.
fn accuracy(source: Source<'_>) -> Text {
    let baseline = source.baseline().ok_or(Absent::because(NO_BASELINE))?;
    let score = Metric::SCORES
        .into_iter()
        .find(|&metric| of_session(baseline, metric).is_ok());
    match (score, &baseline.accuracy.absent_reason) {
        (Some(metric), _) => Ok(format!(
            "{} {}",
            metric.short_label(),
            of_session(baseline, metric)?
        )),
        (None, Some(reason)) => not_measured(reason.as_str()),
        (None, None) => not_measured("no labels came with what was fed"),
    }
}

/// Of what runs today: the most consequential in full, the others by name.
fn issues(source: Source<'_>) -> Found {
    let issues = bottlenecks::issues(source);
    let Some((first, others)) = issues.split_first() else {
        return not_measured("no limit of the baseline was found");
    };
    let others = words::listed(others.iter().map(|issue| issue.title));
    let others = match others.as_str() {
        "" => String::new(),
        others => format!("; also: {others}"),
    };
    told(
        Kind::Measured,
        vec![format!("{}: {}{others}", first.title, first.text)],
    )
}

/// The verdict, and behind one that decides what else is advised.
fn next_step(source: Source<'_>) -> Found {
    if let Some(answer) = tuning::answer(source).and_then(|lines| lines.into_iter().next()) {
        return stated(answer);
    }
    let verdict = judgement::verdict(source);
    let further = match source.judgement().decision {
        Decision::Ship | Decision::Keep => further(source),
        Decision::Undecided | Decision::DoNotShip | Decision::NoAnswer => None,
    };
    stated(match further {
        Some(area) => format!("{verdict} Then: {area}"),
        None => verdict,
    })
}

/// What is advised of the sessions that are shipped or kept.
fn further(source: Source<'_>) -> Option<String> {
    let mut advised = advised(source).iter();
    let first = advised.find(|one| !matches!(one.action, Action::Ship { .. }))?;
    Some(advice::area(source, first))
}

/// What the next step takes, by the judgement.
fn effort(source: Source<'_>) -> Found {
    if let Some(task) = tuning::task(source) {
        return stated(task.view.effort);
    }
    let judgement = source.judgement();
    match (judgement.decision, judgement.more_ns) {
        (Decision::Ship, _) => shipping(source),
        (Decision::Keep | Decision::DoNotShip, _) => {
            stated(format!("none: {} stays as it is", source.baseline_name()))
        }
        (Decision::Undecided | Decision::NoAnswer, Some(more)) => stated(format!(
            "about {} more of measuring, and no change of what runs today",
            words::rounded_time(more)
        )),
        (Decision::Undecided | Decision::NoAnswer, None) => {
            not_measured("nothing tells how much more would decide")
        }
    }
}

/// What it takes to ship the session that the judgement names.
fn shipping(source: Source<'_>) -> Found {
    let session = source.judgement().session;
    let mut advised = advised(source).iter();
    match advised.find(|one| Some(one.action.key().session) == session) {
        Some(first) => stated(advice::effort(before(source, first).unwrap_or(first))),
        None => not_measured(NO_GAIN),
    }
}
