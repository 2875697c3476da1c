//! What may have more throughput than what was chosen, and batch sizes that there was no time for.

use super::words::{self, Source};
use crate::analysis::{Answer, Choice, Pick, Rival, Support};
use crate::plan::{CellKey, SweepEnd};
use crate::record::Metric;
use crate::stats::MIN_LAUNCHES;

/// `; which batch size has the most throughput is open`, where something looks better than what was picked, or the time was
/// over before all batch sizes were measured.
pub(super) fn is_open(answer: &Answer, pick: &Pick) -> Option<&'static str> {
    match &pick.rival {
        Some(rival) if rival.key.session != pick.key.session => Some("which variant has the most throughput"),
        None if answer.not_reached.is_none() => None,
        _ => Some("which batch size has the most throughput"),
    }
}

/// `batch 16 looks higher: 184/s, from 3 inferences; about 40 s would decide: --batch 1,16 --budget 40s`.
pub(super) fn looks_higher(source: Source<'_>, pick: &Pick) -> Option<String> {
    let rival = pick.rival.as_ref()?;
    let cell = source.cell(rival.key)?;
    let place = match source.at(rival.key) {
        at if rival.key.session == pick.key.session => at.trim_start_matches("at ").to_owned(),
        at => format!("{} {at}", source.name(rival.key.session)),
    };
    let rate = cell.figure(Metric::Throughput).map(|rate| words::value(Metric::Throughput, rate)).unwrap_or_default();
    let behind = match cell.support() {
        Some(Support::Interval) => not_shown(source, rival.key),
        _ => format!("{}{}", source.behind(rival.key), deciding(source, rival)),
    };
    Some(format!("{place} looks higher: {rate}, {behind}"))
}

/// Why a cell with an interval is not what was picked: `not shown to be better than fp32 at that batch size`.
fn not_shown(source: Source<'_>, key: CellKey) -> String {
    let change = source.cell(key).and_then(|cell| cell.comparison.as_ref());
    let more = change.map(|comparison| format!("; {}", words::to_settle(&comparison.throughput)));
    format!("not shown to be better than {} there{}", source.baseline_name(), more.unwrap_or_default())
}

/// What would show whether a rival is better.
fn deciding(source: Source<'_>, rival: &Rival) -> String {
    let schedule = &source.record.plan.schedule;
    if schedule.rounds_count.is_some_and(|rounds| rounds < MIN_LAUNCHES) {
        return format!("; `--rounds {MIN_LAUNCHES}` would give it an interval");
    }
    let Some(enough) = rival.enough_budget_ns.filter(|_| schedule.budget_ns.is_some()) else { return String::new() };
    let smallest = source.record.plan.batch_sizes.first().copied().unwrap_or(1);
    let (time, budget) = (words::rounded_time(enough), words::budget(enough));
    format!("; about {time} would decide: `--batch {smallest},{} --budget {budget}`", rival.key.batch_size)
}

/// Which batch sizes the budget did not suffice for, and what would.
pub(super) fn not_reached(source: Source<'_>) -> Option<String> {
    let answer = &source.findings.answer;
    let left = answer.not_reached.as_ref()?;
    let had = source.record.plan.schedule.budget_ns?;
    let budget = left.enough_budget_ns.filter(|enough| *enough > had);
    let (time, budget) = budget.map(|enough| (words::rounded_time(enough), words::budget(enough)))?;
    let sizes: Vec<String> = left.batch_sizes.iter().map(u64::to_string).collect();
    let who = who(source, &left.sessions);
    let decided = matches!(answer.latency, Choice::Ship(_));
    match (source.record.plan.sweep_end, sizes.as_slice()) {
        (SweepEnd::Listed, _) => Some(format!(
            "Not reached{who}: batch {}; about {time} would do: `--budget {budget}`.",
            words::listed(&sizes)
        )),
        // Without a verdict on the smallest size, that comes first.
        (SweepEnd::Saturation, _) if !decided => None,
        (SweepEnd::Saturation, [first, ..]) => Some(format!(
            "Not reached{who}: batch sizes from {first} on; about {time} would show the first of them: `--batch {},{first} \
             --budget {budget}`.",
            source.record.plan.batch_sizes.first()?
        )),
        _ => None,
    }
}

/// ` by int8`, where other sessions that were measured came further.
fn who(source: Source<'_>, sessions: &[usize]) -> String {
    let measured = source.findings.sessions.iter().filter(|session| session.outcome.is_ok()).count();
    if sessions.len() >= measured {
        return String::new();
    }
    let names: Vec<String> = sessions.iter().map(|&session| source.name(session)).collect();
    format!(" by {}", words::listed(&names))
}
