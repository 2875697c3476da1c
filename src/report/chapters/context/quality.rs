//! How good the figures are: what disturbed them, and where they did not hold still.

use std::collections::BTreeMap;

use crate::analysis::{SessionFindings, TwoLevels, two_levels};
use crate::metric::{Metric, Unit};
use crate::report::words::{self, Source, number, plain};
use crate::stats::{LatencyModes, SteadyClass};
use crate::text::Plain;

pub(in crate::report::chapters) fn quality(source: Source<'_>) -> Vec<String> {
    let mut lines: Vec<String> = disturbed(source).into_iter().collect();
    lines.extend(without_interval(source));
    lines.extend(two_speeds(source));
    lines.extend(not_flat(source));
    lines.extend(unsteady(source));
    lines.extend(source.sessions().filter_map(logged));
    lines.extend(source.record.notes.iter().map(plain));
    lines
}

fn unsteady(source: Source<'_>) -> Option<String> {
    let count = source
        .cells()
        .filter(|cell| cell.unsteady_launches_count > 0)
        .count() as u64;
    (count > 0).then(|| {
        format!(
            "warm-up ended at its bound, before the latency was steady, in {}",
            words::number_of(count, "cell")
        )
    })
}

fn logged(session: &SessionFindings) -> Option<String> {
    let (warnings, errors) = (session.log_warnings_count, session.log_errors_count);
    let name = plain(&session.label);
    (warnings + errors > 0).then(|| {
        format!(
            "{name}: ONNX Runtime logged {warnings} warnings and {errors} errors; see the logs of its launches"
        )
    })
}

fn disturbed(source: Source<'_>) -> Option<String> {
    let (disturbed, all) = source
        .cells()
        .filter_map(|cell| cell.figure(Metric::DisturbedBlocks)?.measured())
        .fold((0.0, 0), |(sum, n), count| (sum + count.value, n + count.n));
    let all_words = (all > 0).then(|| number::count(all))?;
    if disturbed < 1.0 {
        return Some(format!("none of {all_words} timed blocks was disturbed"));
    }
    Some(format!(
        "{} of {all_words} timed blocks {} disturbed: CPU time was taken away, or pages came from storage",
        number::count(disturbed as u64),
        if disturbed < 2.0 { "was" } else { "were" },
    ))
}

/// Why medians have no interval, with the number of cells that it holds for.
fn without_interval(source: Source<'_>) -> Vec<String> {
    let remarks = source
        .cells()
        .filter_map(|cell| cell.figure(Metric::LatencyP50)?.measured()?.remark.as_ref());
    let mut counts: BTreeMap<&Plain, u64> = BTreeMap::new();
    for remark in remarks {
        *counts.entry(remark).or_default() += 1;
    }
    counts
        .into_iter()
        .map(|(remark, cells)| format!("{}: {remark}", words::counted_noun(cells, "cell")))
        .collect()
}

/// Cells that a list names before it only counts them.
const NAMED_CELLS: usize = 3;

/// In how many cells the latency had two levels, between blocks or within them, and where these lie
/// furthest apart.
fn two_speeds(source: Source<'_>) -> Option<String> {
    let cells = &source.findings.cells;
    let found = two_levels(cells);
    let examples = found.iter().take(NAMED_CELLS);
    let examples =
        words::listed(examples.map(|(cell, levels)| {
            format!("{} ({})", source.place(cell.key), levels_words(*levels))
        }));
    let most = match found.len() {
        0 => return None,
        1..=NAMED_CELLS => "",
        _ => "most of all ",
    };
    Some(format!(
        "two levels of latency in {} of {} cells, which makes intervals wide: {most}{examples}",
        found.len(),
        cells.iter().filter(|cell| cell.outcome.is_ok()).count()
    ))
}

/// `80% near 1.2 ms, 20% near 2.4 ms, within blocks`.
fn levels_words(levels: TwoLevels) -> String {
    match levels {
        TwoLevels::OfLatencies {
            modes,
            are_of_blocks,
        } => {
            let why = if are_of_blocks {
                "from block to block"
            } else {
                "within blocks"
            };
            format!("{}, {why}", modes_words(modes))
        }
        TwoLevels::OfBlocks(states) => {
            format!(
                "{} of the blocks {:.1}x as slow as the others",
                number::whole_percent(states.slow_share_ratio.0),
                levels.apart()
            )
        }
    }
}

/// `80% near 1.2 ms, 20% near 2.4 ms`.
fn modes_words(modes: LatencyModes) -> String {
    let [fast, slow] =
        [modes.fast_ns, modes.slow_ns].map(|latency| number::value(Unit::Ns, latency, None));
    let slow_share = modes.slow_share_ratio.0;
    let [fast_share, slow_share] = [1.0 - slow_share, slow_share].map(number::whole_percent);
    format!("{fast_share} near {fast}, {slow_share} near {slow}")
}

fn not_flat(source: Source<'_>) -> Vec<String> {
    let mut lines: Vec<String> = source
        .cells()
        .filter_map(|cell| {
            let trend = trend(cell.steady?)?;
            Some(format!("{}: {trend}", source.place(cell.key)))
        })
        .collect();
    let more = lines.len().saturating_sub(NAMED_CELLS) as u64;
    lines.truncate(NAMED_CELLS);
    if more > 0 {
        lines.push(format!(
            "no flat latency in {}",
            words::number_of(more, "more cell")
        ));
    }
    lines
}

fn trend(class: SteadyClass) -> Option<&'static str> {
    match class {
        SteadyClass::Flat => None,
        SteadyClass::WarmingUp => Some("still warming up: its latency fell while it was measured"),
        SteadyClass::SlowingDown => Some("slowing down: its latency rose while it was measured"),
        SteadyClass::NoSteadyState => {
            Some("no steady state: its latency wandered while it was measured")
        }
    }
}
