//! Charts that lay runs over each other.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::over_each_other::{Group, Member, Overlay, run_name};
use crate::analysis::comparison::{Delta, RowOutcome};
use crate::analysis::{Counted, Measured};
use crate::metric::Metric;
use crate::report::charts::{self, Drawing, RatioLine, RatioPoint, Topic, Traced};
use crate::report::words::plain;

/// Variants that have a chart of their own over batch sizes; the others are in the tables.
const CHARTED: usize = 6;

/// The ratio to the first run by time, then latency over batch sizes for each variant.
pub(super) fn topic(overlay: &Overlay<'_>) -> Topic {
    let groups = overlay.groups();
    let ratios = (
        "Ratio to run 1 by time".to_owned(),
        ratios(overlay, &groups),
    );
    let sweeps = groups
        .iter()
        .take(CHARTED)
        .enumerate()
        .map(|(number, group)| {
            let name = format!("Latency of {} over batch sizes", group.label);
            (name, over_batches(overlay, group, number + 1))
        });
    Topic::of(std::iter::once(ratios).chain(sweeps))
}

fn over_batches(overlay: &Overlay<'_>, group: &Group<'_>, number: usize) -> Drawing {
    let lines = group.members.iter().map(|&member| Traced {
        name: named(overlay, member.run),
        cells: overlay.sweep(member),
    });
    let lines = lines.filter(|line| !line.cells.is_empty());
    charts::over_batches(number, &group.label, lines.collect())
}

/// `run 2`, or `run 2 (other machine)`.
fn named(overlay: &Overlay<'_>, run: usize) -> String {
    let is_elsewhere = !overlay.comparisons.runs[run].host_differences.is_empty();
    let remark = if is_elsewhere { " (other machine)" } else { "" };
    format!("{}{remark}", run_name(run))
}

fn ratios(overlay: &Overlay<'_>, groups: &[Group<'_>]) -> Drawing {
    let order = by_time(overlay);
    let names: Vec<String> = order.iter().map(|&run| named(overlay, run)).collect();
    let lines = groups.iter().map(|group| line(overlay, group, &order));
    charts::ratios(&names, lines.collect(), &overlay.at_words())
}

/// Indices of the runs, the earliest first; those whose start cannot be read stand last.
fn by_time(overlay: &Overlay<'_>) -> Vec<usize> {
    let started = |run: usize| {
        let at = overlay.runs[run].record.run.started_at.exact();
        at.parse::<Timestamp>().ok()
    };
    let mut order: Vec<usize> = (0..overlay.runs.len()).collect();
    order.sort_by(|&one, &other| match (started(one), started(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        (one, other) => one.is_none().cmp(&other.is_none()).then(Ordering::Equal),
    });
    order
}

fn line(overlay: &Overlay<'_>, group: &Group<'_>, order: &[usize]) -> RatioLine {
    let points = order.iter().enumerate().filter_map(|(place, &run)| {
        let member = group.members.iter().find(|member| member.run == run)?;
        let started = plain(&overlay.runs[run].record.run.started_at);
        Some(RatioPoint {
            place,
            run: format!("{}, started {started}", named(overlay, run)),
            ratio: ratio(overlay, *member)?,
        })
    });
    RatioLine {
        name: group.label.clone(),
        points: points.collect(),
    }
}

fn ratio(overlay: &Overlay<'_>, member: Member<'_>) -> Option<Measured> {
    if member.run == 0 {
        let is_measured = overlay
            .cell(member)
            .is_some_and(|cell| cell.outcome.is_ok());
        return is_measured.then(|| Measured::exact(1.0, 1, Counted::Launches));
    }
    let mut rows = overlay.paired(member.pair?)?.rows.iter();
    match &rows.find(|row| row.metric == Metric::LatencyP50)?.outcome {
        RowOutcome::Compared {
            delta: Delta::Ratio { change, .. },
        } => change.ratio.measured().cloned(),
        RowOutcome::Compared {
            delta: Delta::Score { .. },
        }
        | RowOutcome::NotCompared { .. } => None,
    }
}
