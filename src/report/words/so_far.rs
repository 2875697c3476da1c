//! The answer while a run goes on.

use super::Source;
use super::judgement::{comparative, gain, looks};
use crate::analysis::{Findings, Judgement, Speed};
use crate::metric::Metric;
use crate::plan::Objective;
use crate::record::RunRecord;
use crate::report::words;
use crate::units::Nanos;

/// The answer to a run under way, after so many launches of each session, by what is known of it:
/// `so far, after 6 launches of each and 10 s: int8 is 1.8x faster (1.7 to 2.1) than fp32; outputs and
/// the machine are judged later`.
#[must_use]
pub fn so_far(record: &RunRecord, findings: &Findings, launches: u64, elapsed: Nanos) -> String {
    let source = Source { record, findings };
    let elapsed = words::rounded_time(elapsed);
    format!(
        "so far, after {launches} launches of each and {elapsed}: {}{}",
        answer(source),
        later(source)
    )
}

fn answer(source: Source<'_>) -> String {
    let judgement = source.judgement();
    let baseline = source.baseline_name();
    let others = &judgement.others;
    match best(others, Speed::Better).or_else(|| best(others, Speed::Open)) {
        Some(one) if speed(one) == Some(Speed::Better) => format!(
            "{} {} {} than {baseline}",
            source.name(one.session),
            has(judgement.objective),
            gain(one).unwrap_or_default()
        ),
        Some(one) => looks(source, one),
        None => match others.iter().find_map(|one| one.advantage.as_ref()) {
            Some(found) => format!(
                "nothing {} {} than {baseline}",
                has(judgement.objective),
                comparative(found.metric)
            ),
            None => medians(source),
        },
    }
}

fn has(objective: Objective) -> &'static str {
    match objective {
        Objective::Latency => "is",
        Objective::Throughput => "has",
        Objective::Memory | Objective::Energy => "takes",
    }
}

fn speed(one: &Judgement) -> Option<Speed> {
    one.advantage.as_ref().map(|found| found.speed)
}

/// The one that is, or looks, the furthest ahead.
fn best(all: &[Judgement], wanted: Speed) -> Option<&Judgement> {
    all.iter()
        .filter(|one| speed(one) == Some(wanted))
        .max_by(|one, other| factor(one).total_cmp(&factor(other)))
}

fn factor(one: &Judgement) -> f64 {
    let advantage = one.advantage.as_ref();
    advantage
        .and_then(|found| found.factor())
        .unwrap_or_default()
}

/// Of what is compared with nothing.
fn medians(source: Source<'_>) -> String {
    let single = source.single().into_iter();
    let shown = single.filter(|cell| cell.outcome.is_ok()).map(|cell| {
        let median = words::shown(Metric::LatencyP50, cell.figure(Metric::LatencyP50));
        format!("{} takes {median}", source.name(cell.key.session))
    });
    words::listed(shown)
}

/// What is not judged yet.
fn later(source: Source<'_>) -> String {
    let record = source.record;
    let has_others = source
        .judgement()
        .others
        .iter()
        .any(|one| one.advantage.is_some());
    let outputs = has_others && record.accuracy.is_empty();
    match (outputs, record.fitness.is_none()) {
        (true, true) => "; outputs and the machine are judged later".into(),
        (true, false) => "; outputs are judged later".into(),
        (false, true) => "; the machine is judged later".into(),
        (false, false) => String::new(),
    }
}
