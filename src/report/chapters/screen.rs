//! One screen: the verdict, what one prediction was, one table, what changes most beside it, and the
//! verdict again, so that nothing scrolls it away.

use super::{answer, failed, idle, load, prediction, rival, tables, tuning};
use crate::analysis::{CellFindings, Comparison, Estimate, SessionFindings, Speed, Support};
use crate::metric::Metric;
use crate::plan::Objective;
use crate::record::FitnessVerdict;
use crate::report::chapter::{Block, Chapter, Place};
use crate::report::words::load::Load;
use crate::report::words::{
    self, ABSENT, BASELINE, Builder, Line, Source, Table, judged, judgement, number, plain,
    shortened,
};

/// Rows of the table; what is left out is counted.
const ROWS: usize = 6;
/// Remarks beside the table.
const REMARKS: usize = 3;
/// Characters that a remark keeps.
const REMARK_LENGTH: usize = 300;

/// The verdict first, then what one prediction was, and on how many samples outputs were judged.
pub(super) fn chapter(source: Source<'_>) -> Chapter {
    if let Some(load) = Load::of(source) {
        return load::on_a_screen(load);
    }
    let verdict = verdict(source);
    let mut first = vec![verdict.clone()];
    first.extend(prediction::lines(source.record));
    if source.findings.tuning.is_none() {
        first.extend(judged::line(source));
    }
    let remarks = remarks(source)
        .into_iter()
        .map(|line| shortened(&line, REMARK_LENGTH))
        .take(REMARKS)
        .collect();
    Chapter::untitled("screen")
        .with(Block::Verdict(first))
        .with(Block::table(Place::Open, table(source)))
        .with(Block::Lines(remarks))
}

/// The verdict of the run, of the search, or on what was loaded.
pub(super) fn verdict(source: Source<'_>) -> String {
    if let Some(load) = Load::of(source) {
        return load::verdict(load);
    }
    tuning::answer(source)
        .and_then(|answer| answer.into_iter().next())
        .unwrap_or_else(|| judgement::verdict(source))
}

fn table(source: Source<'_>) -> Table {
    if let Some(table) = tuning::on_a_screen(source, ROWS) {
        return table;
    }
    let mut header = vec!["variant", "vs baseline"];
    header.extend(FIGURES);
    let mut table = Builder::new(format!("At {}:", source.single_batch()), &header);
    let sessions: Vec<&SessionFindings> = source.sessions().collect();
    for session in sessions.iter().take(ROWS) {
        row(&mut table, source, session);
    }
    let left = sessions.len().saturating_sub(ROWS);
    Table {
        notes: Vec::from_iter((left > 0).then(|| format!("{left} more are left out here."))),
        ..table.finish([])
    }
}

fn row(table: &mut Builder, source: Source<'_>, session: &SessionFindings) {
    let name = plain(&session.label);
    let single = source
        .single()
        .into_iter()
        .find(|cell| cell.key.session == session.session && cell.outcome.is_ok());
    let Some(cell) = single else {
        return table.absent_row(vec![name.clone()], &name, &session.outcome);
    };
    let mut line = table.line(name);
    line.text(against(source, session));
    add_figures(&mut line, source, cell);
    line.end(tables::kind(source, session));
}

/// Heads of the columns that [`add_figures`] fills.
pub(in crate::report) const FIGURES: [&str; 6] = [
    "median",
    "p99",
    "throughput/s",
    "accuracy",
    "memory",
    "size",
];

/// Figures of a cell that was measured, and of its session.
pub(in crate::report) fn add_figures(line: &mut Line<'_>, source: Source<'_>, cell: &CellFindings) {
    let session = source.session(cell.key.session);
    line.figure("median", Metric::LatencyP50, &cell.figures, median);
    line.bound("p99", Metric::LatencyP99, &cell.figures);
    line.text(most_throughput(source, session.session));
    tables::add_score(line, session);
    line.figure("memory", Metric::PeakMemory, &cell.figures, size);
    line.figure("size", Metric::FileSize, &session.figures, size);
}

/// With its half-width, as far as it has an interval.
fn median(metric: Metric, estimate: &Estimate) -> String {
    match estimate.value().zip(estimate.interval()) {
        Some((value, interval)) => number::with_whole_half_width(metric.unit(), value, interval),
        None => words::short(metric, estimate),
    }
}

fn size(_: Metric, estimate: &Estimate) -> String {
    estimate.value().map(number::about_size).unwrap_or_default()
}

/// `1.8x faster (1.7 to 2.1)`, as far as it was compared.
fn against(source: Source<'_>, session: &SessionFindings) -> String {
    if session.is_baseline {
        return BASELINE.into();
    }
    if source.judgement().objective == Objective::Latency
        && let Some(comparison) = compared(source, session)
    {
        return tables::short_change(&comparison.p50);
    }
    let judged = source.judgement().of(session.session);
    let Some((judged, gain)) = judged.and_then(|one| Some((one, judgement::gain(one)?))) else {
        return ABSENT.into();
    };
    match judged.advantage.as_ref().map(|found| found.speed) {
        Some(Speed::Open) => format!("open: {gain}"),
        _ => gain,
    }
}

/// Where single predictions were measured.
fn compared<'s>(source: Source<'s>, session: &SessionFindings) -> Option<&'s Comparison> {
    let mut single = source.single().into_iter();
    let cell = single.find(|cell| cell.key.session == session.session)?;
    cell.comparison.as_ref()
}

/// `49,000/s at 32`: the most of its batch sizes.
fn most_throughput(source: Source<'_>, session: usize) -> String {
    let curve = source.curves().find(|curve| curve.session == session);
    let best = curve.and_then(|curve| Some((curve, curve.point(curve.best)?)));
    best.map_or_else(
        || ABSENT.into(),
        |(curve, best)| {
            let cell = source.cell(curve.key(best.batch_size));
            let figure = cell.and_then(|cell| cell.figure(Metric::Throughput));
            format!(
                "{} at {}",
                number::value(
                    Metric::Throughput.unit(),
                    best.throughput_per_sec,
                    figure.and_then(Estimate::interval)
                )
                .trim_end_matches("/s"),
                best.batch_size
            )
        },
    )
}

/// What changes most beside the verdict, first what failed.
fn remarks(source: Source<'_>) -> Vec<String> {
    if let Some(answer) = tuning::answer(source) {
        return answer.into_iter().skip(1).collect();
    }
    failed::lines(source)
        .into_iter()
        .chain(answer::left_out(source))
        .chain(answer::untimed(source.record))
        .chain(few_launches(source))
        .chain(suspect(source))
        .chain(idle::remarks(source))
        .chain(answer::other_winner(source))
        .chain(answer::other_shapes(source))
        .chain(rival::not_reached(source))
        .chain(worse_tail(source))
        .collect()
}

/// Figures that nothing is decided by, where launches are too few for that.
fn few_launches(source: Source<'_>) -> Vec<String> {
    let single = source.single().into_iter();
    single
        .filter(|cell| cell.outcome.is_ok() && cell.support() != Some(Support::Interval))
        .filter_map(|cell| answer::so_far(source, cell))
        .collect()
}

fn suspect(source: Source<'_>) -> Option<String> {
    let fitness = source.findings.ending.fitness.as_ref()?;
    let seen = &fitness.reasons.first()?.seen;
    (fitness.verdict == FitnessVerdict::Suspect)
        .then(|| format!("Machine {}: {}.", fitness.verdict.word(), plain(seen)))
}

fn worse_tail(source: Source<'_>) -> Option<String> {
    let subject = source.judgement().subject()?;
    let cell = source.cell(subject.key?)?;
    let worse = cell.comparison.as_ref()?.worse_tail;
    worse.then(|| {
        format!(
            "The p99 latency of {} is worse than that of {}.",
            source.name(subject.session),
            source.baseline_name()
        )
    })
}
