//! Risks of following the advice, how far intervals bound them, and how to undo it.

use super::Fill;
use super::advised::{advised, searched};
use super::testing::{detection, regression as smallest};
use crate::analysis::{
    AccuracyVerdict, Action, Advice, Caveat, Decision, Level, SessionFindings, Setting,
};
use crate::metric::{Direction, Metric, Unit};
use crate::record::FitnessVerdict;
use crate::report::chapters::advice;
use crate::report::chapters::bottlenecks::{Entry, command};
use crate::report::chapters::tuning::Task;
use crate::report::template::found::{
    Found, Kind, NO_BASELINE, NOT_GIVEN, Text, all, measured, not_measured, or_why, stated, told,
};
use crate::report::template::keys::{Degradation, RegressionRisk};
use crate::report::words::text::plain;
use crate::report::words::{self, Item, Source, number};

/// A score that may have fallen by more than this many points, as a share, is a medium impact.
const MEDIUM_LOSS: f64 = 0.001;
/// The same of a high one.
const HIGH_LOSS: f64 = 0.01;

/// One for each piece of advice, the answers of searches first.
pub(super) fn entries(fill: Fill<'_>) -> Vec<Entry> {
    let searched = searched(fill).map(|task| of_search(*fill, task));
    let own = advised(*fill).iter().map(|one| of_advice(*fill, one));
    searched.chain(own).collect()
}

fn of_search(source: Source<'_>, task: Task) -> Entry {
    Entry {
        title: task.view.area,
        fields: vec![
            Item::new("Risk Description", task.view.risk),
            Item::new(
                "Probability",
                probability(
                    source,
                    task.sure_gain.map(|sure| sure > 1.0),
                    &task.view.gain,
                ),
            ),
            Item::new("Impact", task.view.accuracy),
            Item::new(
                "Mitigation Strategy",
                format!("measure it again: {}", task.view.command),
            ),
            Item::new("Rollback Plan", task.undo),
        ],
    }
}

fn of_advice(source: Source<'_>, advice: &Advice) -> Entry {
    let is_sure = is_sure(source, advice);
    let gain = advice::gain(advice);
    Entry {
        title: advice::area(source, advice),
        fields: vec![
            Item::new("Risk Description", advice::risk(source, advice)),
            Item::new("Probability", probability(source, is_sure, &gain)),
            Item::new("Impact", impact(source, advice)),
            Item::list("Mitigation Strategy", mitigation(source, advice)),
            Item::new("Rollback Plan", or_why(undo(source, advice))),
        ],
    }
}

/// Whether a gain is sure, by the judgement on the session, or by the interval where another session
/// does not come into it; `None` where there is no interval.
fn is_sure(source: Source<'_>, advice: &Advice) -> Option<bool> {
    let ends = advice.gain.interval()?;
    let judged = source.judgement().of(advice.action.key().session);
    Some(match judged.map(|one| one.decision) {
        Some(Decision::Undecided | Decision::NoAnswer | Decision::DoNotShip) => false,
        Some(Decision::Ship | Decision::Keep) | None => ends.low > 1.0,
    })
}

/// Probability that the gain is none: by the machine, and by the interval of the gain.
fn probability(source: Source<'_>, is_sure: Option<bool>, gain: &str) -> String {
    let fitness = source.findings.ending.fitness.as_ref();
    if fitness.is_some_and(|fitness| fitness.verdict == FitnessVerdict::Invalid) {
        let word = FitnessVerdict::Invalid.word();
        return format!("High that the gain is another one: the machine was {word}; {gain}");
    }
    match is_sure {
        Some(true) => format!("Low that there is no gain: its interval excludes that; {gain}"),
        Some(false) => format!("Medium that there is no gain: that is not decided; {gain}"),
        None => format!("High that there is no gain: it has no interval; {gain}"),
    }
}

/// The worst that the interval of the score leaves open.
fn impact(source: Source<'_>, advice: &Advice) -> String {
    if !changes_outputs(&advice.action) {
        let longer = advice.latency_factor.filter(|factor| *factor > 1.0);
        return match longer {
            Some(factor) => format!(
                "{}: one inference takes {}x as long; the outputs stay the same",
                advice::level(advice::judged_risk(source, advice)),
                number::factor(factor, None)
            ),
            None => format!("{}: the outputs stay the same", advice::level(Level::Low)),
        };
    }
    let Some(change) = &advice.accuracy else {
        let known = words::accuracy(source.session(advice.action.key().session));
        return format!(
            "{}: no score was compared; {known}",
            advice::level(advice::judged_risk(source, advice))
        );
    };
    let shown = words::accuracy_change(change);
    let Some(ends) = change.difference.interval() else {
        return format!(
            "{}: {shown}",
            advice::level(advice::judged_risk(source, advice))
        );
    };
    let worst = match change.metric.direction() {
        Direction::Lower => ends.high,
        Direction::Higher | Direction::Neutral => ends.low,
    };
    format!(
        "{}: {} by {} at worst, by its interval; {shown}",
        advice::level(severity(change.metric, worst)),
        change.metric.short_label(),
        words::score_difference(change.metric, worst)
    )
}

/// How much a change of a score is at its worst.
fn severity(metric: Metric, worst: f64) -> Level {
    let loss = match (metric.unit(), metric.direction()) {
        (Unit::Ratio, Direction::Higher | Direction::Neutral) => -worst,
        // An error is in units of the output, of which no share is known here.
        _ if worst <= 0.0 => 0.0,
        _ => HIGH_LOSS,
    };
    match loss {
        loss if loss > HIGH_LOSS => Level::High,
        loss if loss > MEDIUM_LOSS => Level::Medium,
        _ => Level::Low,
    }
}

fn changes_outputs(action: &Action) -> bool {
    match action {
        Action::Ship { .. } | Action::SetOption { .. } => true,
        Action::Switch { settings, .. } => settings.iter().any(|setting| match setting {
            Setting::Runtime { .. } | Setting::ExecutionProvider(_) | Setting::Options => true,
            Setting::Binding(_) | Setting::IntraThreads(_) => false,
        }),
        Action::Batch { .. } | Action::KeepWarm { .. } | Action::LoadBeforeTraffic { .. } => false,
    }
}

/// What makes a risk of the advice smaller.
fn mitigation(source: Source<'_>, advice: &Advice) -> Vec<String> {
    let again = format!("measure it again: {}", command(&advice.command));
    let caveats = advice
        .caveats
        .iter()
        .filter_map(|&caveat| remedy(source, caveat));
    let mut lines: Vec<String> = words::once(caveats);
    lines.push(again);
    lines
}

fn remedy(source: Source<'_>, caveat: Caveat) -> Option<String> {
    match caveat {
        Caveat::AccuracyNotMeasured | Caveat::AgreementOnly => {
            Some("score the outputs on labelled data: `--data FILE`".into())
        }
        Caveat::AgreementOpen | Caveat::AccuracyOpen | Caveat::AccuracyFellLittle => {
            let judged = source.judged().filter(|judged| judged.is_part())?;
            Some(format!(
                "score all {} samples: `--score-samples all`",
                number::count(judged.all_count?)
            ))
        }
        Caveat::Incomplete | Caveat::NoInterval => Some("let the run come to its end".into()),
        Caveat::StillRising | Caveat::WorseTail => None,
    }
}

fn undo(source: Source<'_>, advice: &Advice) -> Text {
    match &advice.action {
        Action::Ship { .. } => put_back(source),
        Action::Switch { .. } => Ok(format!(
            "take the options of {} again",
            source.baseline_name()
        )),
        Action::Batch { from, .. } => Ok(format!("run batches of {from} again")),
        Action::SetOption { option, .. } => Ok(format!("leave {option} out again")),
        Action::KeepWarm { longest_ns, .. } => Ok(format!(
            "stop sending predictions after {}",
            number::time(*longest_ns)
        )),
        Action::LoadBeforeTraffic { .. } => Ok("load with the first request again".into()),
    }
}

pub(super) fn regression(field: RegressionRisk, fill: Fill<'_>) -> Found {
    match field {
        RegressionRisk::Risk => NOT_GIVEN,
        RegressionRisk::Detection => detection(fill).or_else(|_| smallest(fill)),
        RegressionRisk::Prevention => turns(*fill),
    }
}

/// How this run kept the machine's changes out of its comparisons.
fn turns(source: Source<'_>) -> Found {
    let timed = source.record.blocks.len() as u64;
    let others = source.measured().count();
    if others < 2 || timed == 0 {
        return not_measured("the run compares no other variant with the baseline");
    }
    measured(format!(
        "{others} sessions took turns in {} blocks",
        number::count(timed)
    ))
}

pub(super) fn degradation(field: Degradation, source: Source<'_>) -> Found {
    match field {
        Degradation::Risk => accuracy(source),
        Degradation::Monitoring => scoring_again(source),
        Degradation::Rollback => stated(put_back(source)?),
    }
}

fn accuracy(source: Source<'_>) -> Found {
    let others = source.measured().filter(|session| !session.is_baseline);
    all(
        others.map(|session| format!("{}: {}", plain(&session.label), worth(session))),
        "there is no other variant to compare",
    )
}

/// With the interval of the change.
fn worth(session: &SessionFindings) -> String {
    let known = words::accuracy(session);
    let change = session.accuracy.change.as_ref();
    let ends = change.and_then(|change| Some((change.metric, change.difference.interval()?)));
    match (ends, change.map(|change| change.verdict)) {
        (None, _) | (_, None | Some(AccuracyVerdict::Untested)) => known,
        (Some((metric, ends)), Some(_)) => format!(
            "{known}, {}",
            number::span(ends, |end| words::score_difference(metric, end))
        ),
    }
}

pub(super) fn scoring_again(source: Source<'_>) -> Found {
    let Some(samples) = source.judged().and_then(|judged| judged.compared_count()) else {
        return not_measured(
            "the run compared outputs with nothing; give labelled data with `--data`",
        );
    };
    let width = source.findings.score_resolution().map(|width| {
        format!(
            ", which resolve a score to ± {}",
            number::points(width).trim_start_matches('+')
        )
    });
    told(
        Kind::Stated,
        vec![format!(
            "score again with the same {} samples{}",
            number::count(samples),
            width.unwrap_or_default()
        )],
    )
}

fn put_back(source: Source<'_>) -> Text {
    let Some(baseline) = source.baseline() else {
        return not_measured(NO_BASELINE);
    };
    let variant = source.record.plan.sessions[baseline.session].variant;
    let sum = source.record.variants[variant]
        .sha256
        .as_ref()
        .map(|sum| format!(" (SHA-256 {sum})"));
    let path = &source.record.plan.variants[variant].path;
    Ok(format!(
        "put the baseline's file {} back{}",
        plain(&path.display().to_string()),
        sum.unwrap_or_default()
    ))
}
