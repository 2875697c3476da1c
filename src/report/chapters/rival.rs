//! Cells that may have more throughput than the chosen one, and batch sizes that there was no time
//! for.

use std::collections::BTreeMap;

use crate::analysis::{Answer, Pick, Rival, Support};
use crate::metric::Metric;
use crate::plan::{CellKey, SweepEnd};
use crate::report::words::{self, Source};
use crate::stats::MIN_LAUNCHES;

/// The question that is open where something looks better than the pick, or time was over before
/// all batch sizes.
pub(super) fn is_open(answer: &Answer, pick: &Pick) -> Option<&'static str> {
    match &pick.rival {
        Some(rival) if rival.key.session != pick.key.session => {
            Some("which variant has the most throughput")
        }
        None if answer.not_reached.is_none() => None,
        _ => Some("which batch size has the most throughput"),
    }
}

/// `batch 16 looks higher: 184/s, from 3 inferences; about 40 s would decide: --batch 1,16 --budget
/// 40s`.
pub(super) fn looks_higher(source: Source<'_>, pick: &Pick) -> Option<String> {
    let rival = pick.rival.as_ref()?;
    let cell = source.cell(rival.key)?;
    let place = if rival.key.session == pick.key.session {
        source.at(rival.key).trim_start_matches("at ").to_owned()
    } else {
        source.place(rival.key)
    };
    let behind = match cell.support() {
        Some(Support::Interval) => not_shown(source, rival.key),
        _ => format!("{}{}", source.behind(rival.key), deciding(source, rival)),
    };
    Some(format!(
        "{place} looks higher: {}, {behind}",
        words::shown(Metric::Throughput, cell.figure(Metric::Throughput))
    ))
}

fn not_shown(source: Source<'_>, key: CellKey) -> String {
    let more = source
        .cell(key)
        .and_then(|cell| cell.comparison.as_ref())
        .map(|comparison| format!("; {}", words::to_settle(&comparison.throughput)));
    format!(
        "not shown to be better than {} there{}",
        source.baseline_name(),
        more.unwrap_or_default()
    )
}

fn deciding(source: Source<'_>, rival: &Rival) -> String {
    let schedule = &source.record.plan.schedule;
    let rounds = schedule.rounds_count;
    if rounds.is_some_and(|rounds| rounds < MIN_LAUNCHES) {
        return format!("; `--rounds {MIN_LAUNCHES}` would give it an interval");
    }
    let (Some(enough), Some(_)) = (rival.enough_budget_ns, schedule.budget_ns) else {
        return String::new();
    };
    format!(
        "; about {} would decide: `--batch {},{} --budget {}`",
        words::rounded_time(enough),
        source.record.plan.batch_sizes.first().copied().unwrap_or(1),
        rival.key.batch_size,
        words::budget(enough)
    )
}

pub(super) fn not_reached(source: Source<'_>) -> Option<String> {
    let answer = source.answer();
    let left = answer.not_reached.as_ref()?;
    let had = source.record.plan.schedule.budget_ns?;
    let enough = left.enough_budget_ns.filter(|enough| *enough > had)?;
    let (time, budget) = (words::rounded_time(enough), words::budget(enough));
    let first = left.batch_sizes.first()?;
    match source.record.plan.sweep_end {
        SweepEnd::Listed => Some(format!(
            "Not reached: {}; about {time} would do: `--budget {budget}`.",
            which(source, &left.by_session)
        )),
        // Without a verdict on the smallest size, that comes first.
        SweepEnd::Saturation if answer.latency.pick().is_none() => None,
        SweepEnd::Saturation => Some(format!(
            "Not reached: batch sizes from {first} on; about {time} would show the first of them: `--batch {},{first} \
             --budget {budget}`.",
            source.record.plan.batch_sizes.first()?
        )),
    }
}

/// `batch 16 and 32`, or `batch 16 and 32 by fp32; batch 32 by int8`, where some that were measured
/// came further than others.
fn which(source: Source<'_>, by_session: &BTreeMap<usize, Vec<u64>>) -> String {
    let mut groups: BTreeMap<&[u64], Vec<usize>> = BTreeMap::new();
    for (&session, sizes) in by_session {
        groups.entry(sizes).or_default().push(session);
    }
    let measured = source.measured().count();
    let groups = groups.iter().map(|(sizes, sessions)| {
        let sizes = words::listed(*sizes);
        let names = sessions.iter().map(|&session| source.name(session));
        match sessions.len() < measured {
            true => format!("batch {sizes} by {}", words::listed(names)),
            false => format!("batch {sizes}"),
        }
    });
    words::joined(groups, "; ")
}
