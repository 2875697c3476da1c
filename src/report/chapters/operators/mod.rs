//! Where the time goes, by operator.

use crate::analysis::{Breakdown, Estimate, NodeTimes, OperatorFindings, TimeLevel};
use crate::observed::Observed;
use crate::record::{Profiled, RunRecord};
use crate::report::chapter::{Block, Chapter};
use crate::report::chapters::roofline;
use crate::report::charts;
use crate::report::words::{self, Builder, RowKind, Section, Source, Table, number, plain};
use crate::text::{Plain, Shown};
use crate::trace::Inferences;

pub(in crate::report) mod breakdown;
mod device;
pub(in crate::report) mod portion;

/// Operators that the summary names for each session, at most and at least.
const SUMMARY_OPERATORS: [usize; 2] = [5, 1];
/// Columns that the summary may take, and what of them its first column takes at least.
const SUMMARY_WIDTH: usize = 100;
const NAME_WIDTH: usize = 12;
const NAMED_OPERATORS: usize = 3;

pub(super) fn chapter(source: Source<'_>) -> Chapter {
    Chapter::new("operators", "Operators", "Where the time goes, by operator")
        .with(Block::Charts(charts::operators(source)))
        .sections(sections(source))
}

fn sections(source: Source<'_>) -> Vec<Section> {
    (0..source.findings.sessions.len())
        .filter_map(|session| section(source, session))
        .chain(roofline::sections(source))
        .collect()
}

pub(super) fn summary_chapter(source: Source<'_>) -> Chapter {
    Chapter::untitled("operators").folded(summary(source))
}

fn section(source: Source<'_>, session: usize) -> Option<Section> {
    let mut profiles = of_session(source, session);
    let first = profiles.next()?;
    let (mut lines, tables) = in_full(source, first);
    lines.extend(profiles.map(|found| further(source, found)));
    Some(Section {
        title: format!("Operators of {}", source.name(session)),
        lines,
        tables,
    })
}

/// The first profile of a session in lines and tables.
fn in_full(source: Source<'_>, found: &OperatorFindings) -> (Vec<String>, Vec<Table>) {
    match (&found.breakdown, profiled(source.record, found)) {
        (Ok(breakdown), Some(profiled)) => {
            let (mut lines, tables) = match breakdown::untold(breakdown) {
                Some(untold) => (vec![untold], Vec::new()),
                None => (
                    breakdown::lines(breakdown),
                    breakdown::tables(breakdown, profiled),
                ),
            };
            lines[0] = format!("{}: {}", place(source, found), lines[0]);
            lines.extend(found.graph.iter().map(breakdown::graph));
            lines.extend(profiled.trace_file.iter().map(kept));
            (lines, tables)
        }
        (Err(reason), _) => (vec![not_profiled(source, found, reason)], Vec::new()),
        (Ok(_), None) => (Vec::new(), Vec::new()),
    }
}

/// The profiles of a session, the first shape's smallest batch size first.
fn of_session<'a>(
    source: Source<'a>,
    session: usize,
) -> impl Iterator<Item = &'a OperatorFindings> {
    source
        .findings
        .causes
        .operators
        .iter()
        .filter(move |found| found.session == session)
}

fn profiled<'a>(record: &'a RunRecord, found: &OperatorFindings) -> Option<&'a Profiled> {
    let place = (found.session, found.shape, found.batch_size);
    record
        .operators
        .iter()
        .find(|one| (one.session, one.shape, one.batch_size) == place)?
        .profile
        .as_ref()
        .ok()
}

/// `At batch size 8, seq 16`.
fn place(source: Source<'_>, found: &OperatorFindings) -> String {
    format!(
        "At batch size {}{}",
        found.batch_size,
        source.record.plan.shape_words(found.shape)
    )
}

fn not_profiled<T: Shown + ?Sized>(
    source: Source<'_>,
    found: &OperatorFindings,
    reason: &T,
) -> String {
    format!("{}: {}", place(source, found), words::not_measured(reason))
}

fn kept(file: &Plain) -> String {
    format!("Trace: {file} in the run folder, which Perfetto (ui.perfetto.dev) opens")
}

fn further(source: Source<'_>, found: &OperatorFindings) -> String {
    let breakdown = match &found.breakdown {
        Ok(breakdown) => breakdown,
        Err(reason) => return not_profiled(source, found, reason),
    };
    let at = format!("{}{}", place(source, found), best_words(source, found));
    if let Some(untold) = breakdown::untold(breakdown) {
        return format!("{at}: {untold}");
    }
    format!(
        "{at}: {} an inference, {} of it{} in operators, of which {}",
        number::time(breakdown.inference_ns),
        breakdown::in_operators(breakdown),
        breakdown::on_the_host(breakdown),
        words::listed(longest(breakdown).take(NAMED_OPERATORS))
    )
}

/// Why this batch size was profiled, where its session's or the baseline's throughput is best
/// there.
fn best_words(source: Source<'_>, found: &OperatorFindings) -> &'static str {
    if is_best_of(source, found.session, found) {
        ", that of best throughput"
    } else if source
        .baseline()
        .is_some_and(|one| is_best_of(source, one.session, found))
    {
        ", that of the baseline's best throughput"
    } else {
        ""
    }
}

/// Whether a session's throughput is best at the batch size of a profile.
fn is_best_of(source: Source<'_>, session: usize, found: &OperatorFindings) -> bool {
    let best = (session, found.shape, found.batch_size);
    source
        .curves()
        .any(|curve| (curve.session, curve.shape, curve.best) == best)
}

/// `Conv 84%` and so on, the longest first, as far as they surely take time.
fn longest(breakdown: &Breakdown) -> impl Iterator<Item = String> {
    let several = breakdown::has_several_providers(breakdown);
    let operators = breakdown.by_operator.iter();
    operators
        .filter(|operator| operator.portion.sure_ns() > 0.0)
        .map(move |operator| {
            format!(
                "{} {}",
                breakdown::operator_name(operator, several),
                portion::share_words(operator.portion)
            )
        })
}

fn summary(source: Source<'_>) -> Option<Table> {
    let sessions = 0..source.findings.sessions.len();
    let firsts: Vec<&OperatorFindings> = sessions
        .filter_map(|session| of_session(source, session).next())
        .collect();
    let size = firsts.first()?.batch_size;
    let place = if firsts.iter().all(|found| found.batch_size == size) {
        format!("batch size {size}")
    } else {
        "the smallest batch size".into()
    };
    let title = format!("Operators: where does the time go at {place}?");
    let [most, least] = SUMMARY_OPERATORS;
    (least..=most)
        .rev()
        .map(|count| table(source, &firsts, &title, count))
        .find(fits)
}

/// Whether the summary has room for a table.
fn fits(table: &Table) -> bool {
    let columns = 1..table.header.len();
    let width: usize = columns.map(|column| width(table, column)).sum();
    NAME_WIDTH + width <= SUMMARY_WIDTH
}

fn width(table: &Table, column: usize) -> usize {
    let width = table
        .rows
        .iter()
        .map(|row| &row.cells[column])
        .chain([&table.header[column]])
        .map(|cell| cell.chars().count())
        .max();
    width.unwrap_or(0) + 2
}

fn table(source: Source<'_>, firsts: &[&OperatorFindings], title: &str, count: usize) -> Table {
    let places = ["1st", "2nd", "3rd", "4th", "5th"];
    let mut header = vec!["variant", "in operators"];
    header.extend(places.into_iter().take(count));
    let mut builder = Builder::new(title, &header);
    for found in firsts {
        let name = source.name(found.session);
        match told(found) {
            Ok(breakdown) => {
                let kind = if source.session(found.session).is_baseline {
                    RowKind::Baseline
                } else {
                    RowKind::Plain
                };
                builder.row(kind, summary_cells(name, breakdown, count));
            }
            Err(reason) => {
                let mark = builder.absence("operators", &name, &reason);
                let mut cells = vec![mark; count + 2];
                cells[0] = name;
                builder.row(RowKind::Absent, cells);
            }
        }
    }
    builder.finish(
        summary_notes(firsts)
            .into_iter()
            .chain(whose_times(source, firsts)),
    )
}

/// A breakdown that tells something, or why there is none.
fn told(found: &OperatorFindings) -> Observed<&Breakdown> {
    let breakdown = found.breakdown.as_ref().map_err(Plain::clone)?;
    match breakdown::untold(breakdown) {
        None => Ok(breakdown),
        Some(reason) => Err(reason.into()),
    }
}

fn summary_cells(name: String, breakdown: &Breakdown, count: usize) -> Vec<String> {
    let mut cells = vec![name, breakdown::in_operators(breakdown)];
    cells.extend(longest(breakdown).take(count));
    cells.resize_with(count + 2, String::new);
    cells
}

/// How many times as long an inference takes with the profiler, where that is shown to be longer.
fn shown_factor(distortion: &Estimate) -> Option<f64> {
    let interval = distortion.interval()?;
    distortion.value().filter(|_| interval.low > 1.0)
}

fn summary_notes(firsts: &[&OperatorFindings]) -> Vec<String> {
    let distortion = factors(firsts)
        .map(|range| format!("; with it, an inference takes {range} as long as without it"))
        .unwrap_or_default();
    let levels = firsts
        .iter()
        .filter_map(|found| Some(found.breakdown.as_ref().ok()?.level));
    let is_profiled = levels.clone().any(|level| level == TimeLevel::Profiled);
    let of = match is_profiled {
        true => "",
        false => ", less what it adds",
    };
    vec![
        "in operators: share of an inference; the others: shares of that".into(),
        format!("by ONNX Runtime's profiler, in launches of their own{of}{distortion}"),
    ]
}

/// Whose times those of the sessions are that had work done by a device.
fn whose_times(source: Source<'_>, firsts: &[&OperatorFindings]) -> Vec<String> {
    [
        (NodeTimes::HandingOver, device::HOST_ALONE),
        (
            NodeTimes::Device,
            "times of nodes that ran on a device are the device's own",
        ),
    ]
    .into_iter()
    .filter_map(|(times, words)| {
        let names = firsts
            .iter()
            .filter(|found| found.breakdown.as_ref().is_ok_and(|own| own.times == times))
            .map(|found| source.name(found.session));
        let names = words::listed(names);
        (!names.is_empty()).then(|| format!("{names}: {words}"))
    })
    .collect()
}

/// `1.05x to 1.20x`: how much longer inferences take with the profiler.
fn factors(firsts: &[&OperatorFindings]) -> Option<String> {
    let factors = firsts
        .iter()
        .filter_map(|found| shown_factor(&found.breakdown.as_ref().ok()?.distortion));
    let [low, high] = [factors.clone().reduce(f64::min)?, factors.reduce(f64::max)?]
        .map(|factor| format!("{factor:.2}x"));
    Some(if low == high {
        low
    } else {
        format!("{low} to {high}")
    })
}

/// Findings on a trace called `name`.
#[must_use]
pub fn trace(
    name: &str,
    profiled: &Profiled,
    breakdown: &Breakdown,
    inferences: Inferences,
) -> Section {
    let mut lines = breakdown::lines(breakdown);
    if inferences == Inferences::OnlyFirst {
        lines.insert(
            1,
            "It is the first inference, which prepares what later ones find ready: a trace of two or more tells more"
                .into(),
        );
    }
    Section {
        title: format!("Operators in {}", plain(name)),
        lines,
        tables: breakdown::tables(breakdown, profiled),
    }
}
