//! Targets that people set, judged by what was measured; and the score that is to be kept.

use super::testing::small_percent;
use super::{Fill, monitoring};
use crate::analysis::gate::{self, Checked, GateVerdict, Held, Rule, Run, Selectors, Terms};
use crate::analysis::{Estimate, ScoreTarget, requests};
use crate::check::Check;
use crate::metric::{Direction, Metric};
use crate::plan::CellKey;
use crate::report::template::fill::baseline::single;
use crate::report::template::found::{
    Found, Kind, NO_TRAINING, NOT_GIVEN, measured, not_measured, stated, told,
};
use crate::report::template::keys::{AiTargets, Key, Overview, Targets};
use crate::report::words::{self, Source, number};

/// Short names of metrics, as people write targets.
const NAMES: [(&str, Metric); 11] = [
    ("mean", Metric::LatencyMean),
    ("median", Metric::LatencyP50),
    ("latency", Metric::LatencyP50),
    ("p50", Metric::LatencyP50),
    ("p90", Metric::LatencyP90),
    ("p95", Metric::LatencyP95),
    ("p99", Metric::LatencyP99),
    ("p99.9", Metric::LatencyP999),
    ("top-1", Metric::AccuracyTop1),
    ("accuracy", Metric::AccuracyTop1),
    ("memory", Metric::PeakMemory),
];

pub(super) fn of_model(field: AiTargets, fill: Fill<'_>) -> Found {
    let key = Key::AiTargets(field);
    match field {
        AiTargets::InferenceLatency | AiTargets::ResourceEfficiency => judged(key, fill),
        AiTargets::TrainingTime => not_measured(NO_TRAINING),
        AiTargets::ModelAccuracy => judged(key, fill).or_else(|_| score_to_keep(*fill)),
    }
}

pub(super) fn of_system(field: Targets, fill: Fill<'_>) -> Found {
    let key = Key::Targets(field);
    match field {
        Targets::ResponseTime | Targets::Throughput | Targets::ResourceUtilization => {
            judged(key, fill)
        }
        Targets::ErrorRate => error_rate(key, fill),
    }
}

pub(super) fn improvement(fill: Fill<'_>) -> Found {
    judged(Key::Overview(Overview::TargetImprovement), fill)
}

/// Each of the targets that people set for a field, with what became of it.
fn judged(key: Key, fill: Fill<'_>) -> Found {
    match fill.beside.context.get(key) {
        Some(targets) => told(
            Kind::Whole,
            targets.iter().map(|target| judge(target, *fill)).collect(),
        ),
        None => NOT_GIVEN,
    }
}

/// `p99 <= 1 ms: unmet by fp32 at batch 1 today: 1.2 ms (1.1 to 1.3); met by int8 at batch 1: ...`.
fn judge(target: &str, source: Source<'_>) -> String {
    let text = in_full(target);
    let check = match Check::parse(&text) {
        Ok(check) => check,
        Err(_) => {
            return format!("{target}: open: no figure is named, as in `latency_p99 <= 20 ms`");
        }
    };
    let rule = Rule {
        text: text.as_str().into(),
        check,
        line: 1,
        selectors: Selectors::default(),
    };
    let run = Run {
        record: source.record,
        findings: source.findings,
    };
    match gate::gate(&[rule], run, Terms::default()) {
        Err(error) => format!(
            "{target}: open: {}",
            words::text::plain(&error.mistake.to_string())
        ),
        Ok(found) => {
            let judged = places(source, check.metric)
                .into_iter()
                .map(|place| at(source, &found.checks, place));
            format!("{target}: {}", words::joined(judged, "; "))
        }
    }
}

/// A target with the name of its metric in full.
fn in_full(target: &str) -> String {
    let target = target.trim();
    let end = target
        .find(|c: char| c.is_whitespace() || c == '<' || c == '>')
        .unwrap_or(target.len());
    let (subject, rest) = target.split_at(end);
    NAMES
        .iter()
        .find(|(name, _)| subject.eq_ignore_ascii_case(name))
        .map_or_else(
            || target.to_owned(),
            |(_, metric)| format!("{}{rest}", metric.name()),
        )
}

/// A cell that a target is judged on.
#[derive(Clone, Copy)]
struct Place {
    key: CellKey,
    /// Whether it is what runs today.
    is_today: bool,
}

/// What runs today, and what is recommended for the metric.
fn places(source: Source<'_>, metric: Metric) -> Vec<Place> {
    let today = single(source).map(|cell| Place {
        key: cell.key,
        is_today: true,
    });
    let answer = source.answer();
    let choice = match metric {
        Metric::Throughput => &answer.throughput,
        _ => &answer.latency,
    };
    let best = source
        .findings
        .tuning
        .as_ref()
        .and_then(|found| found.best());
    let chosen = best
        .map(|best| best.key)
        .or(choice.pick().map(|pick| pick.key));
    let chosen = chosen.map(|key| Place {
        key,
        is_today: false,
    });
    let is_another = |chosen: &Place| today.is_none_or(|today| today.key != chosen.key);
    today.into_iter().chain(chosen.filter(is_another)).collect()
}

fn at(source: Source<'_>, checks: &[Checked], place: Place) -> String {
    let label = &source.session(place.key.session).label;
    let mut checks = checks.iter();
    let found = checks.find(|check| match check.cell {
        Some(key) => key == place.key,
        None => check.session.exact() == label.as_str(),
    });
    let name = match place.is_today {
        true => format!("{} today", source.place(place.key)),
        false => source.place(place.key),
    };
    match found {
        Some(check) => format!(
            "{} by {name}{}",
            word(check.judgement.verdict),
            figure(check)
        ),
        None => format!("open for {name}: relative to itself"),
    }
}

fn word(verdict: GateVerdict) -> &'static str {
    match verdict {
        GateVerdict::Pass => "met",
        GateVerdict::Fail => "unmet",
        GateVerdict::Inconclusive => "left open",
    }
}

/// `: 1.2 ms (1.1 to 1.3)`, and why it decides nothing where it does not.
fn figure(check: &Checked) -> String {
    let figure = match (&check.figure, check.held) {
        (Estimate::Absent { .. }, _) => String::new(),
        (Estimate::Measured(_), Held::Figure) => words::value(check.metric, &check.figure),
        (Estimate::Measured(one), Held::RatioToBaseline) => {
            format!("{} the baseline's", number::times(one.value, one.interval))
        }
        (Estimate::Measured(one), Held::DifferenceToBaseline) => {
            words::score_difference(check.metric, one.value)
        }
    };
    let reason = check.judgement.reason.as_ref().map(words::plain);
    let parts = [figure]
        .into_iter()
        .filter(|part| !part.is_empty())
        .chain(reason);
    match words::joined(parts, ", ") {
        none if none.is_empty() => none,
        parts => format!(": {parts}"),
    }
}

/// A limit on the share of requests that may fail, or the bound that this run gives.
fn error_rate(key: Key, fill: Fill<'_>) -> Found {
    let Some(targets) = fill.beside.context.get(key) else {
        let bound = monitoring::error_bound(*fill)?;
        return stated(format!("proposed: not {}", bound.lines.join("; ")));
    };
    let Some(found) = requests(fill.record, None) else {
        return told(Kind::Whole, targets.to_vec());
    };
    let judged = targets.iter().map(|target| {
        let verdict = match limit(target) {
            None => "open: a share is needed, as in `<= 0.1%`",
            Some(limit) if found.interval.high <= limit => "met",
            Some(limit) if found.interval.low > limit => "unmet",
            Some(_) => "open",
        };
        format!(
            "{target}: {verdict}: {} of {} timed requests failed, at most {}",
            number::count(found.failed_count),
            number::count(found.sent_count),
            small_percent(found.interval.high)
        )
    });
    told(Kind::Whole, judged.collect())
}

/// The share in `<= 0.1%`.
fn limit(target: &str) -> Option<f64> {
    let number = target.trim().trim_start_matches(['<', '=', ' ']);
    let percent: f64 = number.strip_suffix('%')?.trim().parse().ok()?;
    Some(percent / 100.0)
}

/// The baseline's interval says what chance alone may do to its score; what is recommended is held
/// to its worse end.
fn score_to_keep(source: Source<'_>) -> Found {
    let Some(target) = source.findings.score_target() else {
        let baseline = source.baseline();
        return match baseline.and_then(|baseline| baseline.accuracy.absent_reason.as_ref()) {
            Some(reason) => not_measured(reason.as_str()),
            None => not_measured("no labels came with what was fed"),
        };
    };
    let kept = source.answer().latency.gain().ok();
    let kept = kept.and_then(|pick| keeps(source, &target, pick.key.session));
    measured(format!(
        "proposed: {}{}",
        maintained(&target),
        kept.unwrap_or_default()
    ))
}

fn maintained(target: &ScoreTarget<'_>) -> String {
    let ScoreTarget {
        metric,
        baseline,
        bound,
    } = *target;
    let name = metric.short_label();
    let value = number::value(metric.unit(), baseline.value, None);
    let n = words::counted(baseline);
    let Some(bound) = bound else {
        return format!("maintain {name} at the baseline's {value}, n = {n}");
    };
    let bound = number::value(metric.unit(), bound, None);
    let word = match metric.direction() {
        Direction::Higher => "above",
        Direction::Lower | Direction::Neutral => "below",
    };
    format!(
        "maintain {name} {word} {bound}, the nearer end of the baseline's 95% interval ({value}, n = {n})"
    )
}

/// `; met by int8: 98.2% (96.1% to 99.0%)`.
fn keeps(source: Source<'_>, target: &ScoreTarget<'_>, session: usize) -> Option<String> {
    let bound = target.bound?;
    let figure = source.session(session).figure(target.metric)?;
    let ends = figure.interval()?;
    let verdict = match target.metric.direction() {
        Direction::Higher if ends.low >= bound => "met",
        Direction::Higher if ends.high < bound => "unmet",
        Direction::Lower | Direction::Neutral if ends.high <= bound => "met",
        Direction::Lower | Direction::Neutral if ends.low > bound => "unmet",
        Direction::Higher | Direction::Lower | Direction::Neutral => "left open",
    };
    Some(format!(
        "; {verdict} by {}: {}",
        source.name(session),
        words::value(target.metric, figure)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_stand_for_metrics_and_others_stay() {
        for (target, full) in [
            ("p99 <= 1 ms", "latency_p99 <= 1 ms"),
            ("P99<=1 ms", "latency_p99<=1 ms"),
            (
                "top-1 drop <= 0.5 points",
                "accuracy_top1 drop <= 0.5 points",
            ),
            ("throughput >= 100 /s", "throughput >= 100 /s"),
            ("as fast as can be", "as fast as can be"),
        ] {
            assert_eq!(in_full(target), full);
        }
    }

    #[test]
    fn limits_on_errors_are_shares() {
        for (target, share) in [("<= 0.1%", Some(0.001)), ("1 %", Some(0.01)), ("few", None)] {
            assert_eq!(limit(target), share, "{target}");
        }
    }
}
