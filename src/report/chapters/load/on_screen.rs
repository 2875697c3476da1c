//! The one table of a screen, by what was asked.

use super::cells;
use crate::analysis::Estimate;
use crate::analysis::load::{Drift, Kept, Leak, LoadCandidate, LoadPoint, kept};
use crate::metric::Unit;
use crate::plan::{Question, Scenario};
use crate::record::LoadStage;
use crate::report::words::load::{Load, asked};
use crate::report::words::{ABSENT, Builder, MEANINGLESS, RowKind, Table, number};

/// Columns that a table may have.
const WIDTH: usize = 100;
/// Characters between two columns.
const GAP: usize = 2;
/// Columns that are left out where a table is too wide, the first one first.
const DISPENSABLE: [&str; 4] = ["goodput/s", "waiting", "errors", "CPU"];

/// Where requests were sent too late.
const INVALID: &str = "INVALID";

/// A candidate, at one rate where there is one to show.
#[derive(Clone, Copy)]
struct Row<'a> {
    load: Load<'a>,
    candidate: &'a LoadCandidate,
    point: Option<&'a LoadPoint>,
}

struct Column {
    head: &'static str,
    cell: fn(Row<'_>) -> String,
}

const HELD: Column = column("rate at SLO/s", |row| {
    cells::rate_with_half_width(&row.candidate.capacity.rate_per_sec)
});
const NEAR: Column = column("at/s", asked_at);
const AT: Column = column("at/s", asked_at);
const USERS: Column = column("users", asked_at);
const COMPLETED: Column = column("completed/s", |row| {
    of_point(row, |point| {
        cells::rate_with_half_width(&point.flow.achieved_per_sec)
    })
});
const KEPT: Column = column("SLO", |row| {
    of_point(row, |point| kept_word(row.load, point).into())
});
const P50: Column = column("p50", |row| match row.point {
    Some(point) if !point.is_valid() && !point.segments.invalid.is_empty() => INVALID.into(),
    _ => of_point(row, |point| cells::value(Unit::Ns, &point.response.p50)),
});
const P90: Column = column("p90", |row| {
    of_point(row, |point| cells::percentile(&point.response.p90))
});
const P99: Column = column("p99", |row| {
    of_point(row, |point| cells::percentile(&point.response.p99))
});
const WAITING: Column = column("waiting", |row| of_point(row, cells::waiting_share));
const ERRORS: Column = column("errors", |row| {
    of_point(row, |point| cells::errors(&point.flow.error_rate))
});
const GOODPUT: Column = column("goodput/s", |row| {
    of_point(row, |point| cells::rate(&point.flow.goodput_per_sec))
});
const CPU: Column = column("CPU", |row| {
    of_point(row, |point| cells::share(&point.usage.cpu_utilization))
});
const MEMORY: Column = column("memory", |row| of_point(row, cells::memory));

const BREAKS: Column = column("breaks at/s", |row| match &row.candidate.stress {
    Ok(stress) => cells::rate_with_half_width(&stress.breaking_point),
    Err(_) => ABSENT.into(),
});
const HIGHEST: Column = column("offered up to/s", |row| match &row.candidate.stress {
    Ok(stress) => asked(stress.highest_offered_per_sec),
    Err(_) => ABSENT.into(),
});
const RECOVERS: Column = column("recovers in", |row| match &row.candidate.stress {
    Ok(stress) => with_half_width(Unit::Ns, &stress.recovery),
    Err(_) => ABSENT.into(),
});
const WRONG: Column = column("wrong outputs", |row| match &row.candidate.integrity {
    Ok(found) => number::count(found.wrong_count),
    Err(_) => ABSENT.into(),
});
const RESPONSE_DRIFT: Column = column("response an hour", |row| {
    drift(row, Unit::Ns, |candidate| {
        Some(&candidate.soak.as_ref().ok()?.response)
    })
});
const MEMORY_DRIFT: Column = column("memory an hour", |row| {
    drift(row, Unit::Bytes, |candidate| {
        Some(&candidate.soak.as_ref().ok()?.memory)
    })
});
const LEAK: Column = column("leak", |row| match &row.candidate.soak {
    Ok(soak) => match soak.leak {
        Leak::Memory { .. } => "memory",
        Leak::Files { .. } => "files",
        Leak::No => "none shown",
        Leak::Undecided { .. } => "open",
    }
    .into(),
    Err(_) => ABSENT.into(),
});

const OF_CAPACITY: &[Column] = &[HELD, NEAR, P50, P99, WAITING, ERRORS, GOODPUT, CPU, MEMORY];
const OF_CURVE: &[Column] = &[
    AT, KEPT, COMPLETED, P50, P99, WAITING, ERRORS, GOODPUT, CPU, MEMORY,
];
const OF_USERS: &[Column] = &[
    USERS, KEPT, COMPLETED, P50, P99, WAITING, ERRORS, GOODPUT, CPU, MEMORY,
];
const OF_STRESS: &[Column] = &[BREAKS, HIGHEST, RECOVERS, P50, P99, WRONG, CPU, MEMORY];
const OF_SOAK: &[Column] = &[
    AT,
    P50,
    P99,
    ERRORS,
    RESPONSE_DRIFT,
    MEMORY_DRIFT,
    LEAK,
    CPU,
    MEMORY,
];
const OF_SCENARIO: &[Column] = &[COMPLETED, P50, P90, P99, ERRORS, CPU, MEMORY];

const fn column(head: &'static str, cell: fn(Row<'_>) -> String) -> Column {
    Column { head, cell }
}

/// The table, with at most so many rows.
pub(in crate::report::chapters) fn table(load: Load<'_>, rows: usize) -> Table {
    let columns = columns(&load.plan.question);
    let mut header = vec!["variant", "served by"];
    header.extend(columns.iter().map(|column| column.head));
    let mut table = Builder::new(title(load), &header);
    let all = all_rows(load, rows);
    for row in all.iter().take(rows) {
        let mut cells = vec![
            load.source.name(row.candidate.key.session),
            load.serving_in_short(row.candidate.key)
                .unwrap_or_else(|| MEANINGLESS.into()),
        ];
        cells.extend(columns.iter().map(|column| (column.cell)(*row)));
        table.row(RowKind::Plain, cells);
    }
    let left = all.len().saturating_sub(rows);
    narrowed(Table {
        notes: Vec::from_iter((left > 0).then(|| format!("{left} more are left out here."))),
        ..without_blank_columns(table.finish([]))
    })
}

fn title(load: Load<'_>) -> String {
    match &load.plan.question {
        Question::Capacity | Question::Scenario(Scenario::Server) => {
            "Response at the nearest rate below:".into()
        }
        Question::Curve { .. } | Question::Users { .. } => "Response:".into(),
        Question::Stress => "Response before the ramp:".into(),
        Question::Soak { .. } => "Response:".into(),
        Question::Scenario(_) => "Latency:".into(),
    }
}

fn columns(question: &Question) -> &'static [Column] {
    match question {
        Question::Capacity | Question::Scenario(Scenario::Server) => OF_CAPACITY,
        Question::Curve { .. } => OF_CURVE,
        Question::Users { .. } => OF_USERS,
        Question::Stress => OF_STRESS,
        Question::Soak { .. } => OF_SOAK,
        Question::Scenario(_) => OF_SCENARIO,
    }
}

/// Which rates of a candidate have a row.
#[derive(Clone, Copy)]
enum Choice {
    /// Each.
    Every,
    /// The highest that keeps the SLO, and the next one.
    AboutEdge,
    /// One of these.
    One,
}

/// As many for each candidate as there is room for.
fn all_rows(load: Load<'_>, rows: usize) -> Vec<Row<'_>> {
    let every = rows_of(load, Choice::Every);
    if every.len() <= rows {
        return every;
    }
    let edges = rows_of(load, Choice::AboutEdge);
    if edges.len() <= rows {
        return edges;
    }
    rows_of(load, Choice::One)
}

fn rows_of(load: Load<'_>, choice: Choice) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for candidate in load.candidates() {
        let mut points = points(load, candidate, choice);
        if !points.iter().any(|point| point.is_valid()) {
            points.truncate(1);
        }
        let row = |point| Row {
            load,
            candidate,
            point,
        };
        if points.is_empty() {
            rows.push(row(None));
        }
        rows.extend(points.into_iter().map(|point| row(Some(point))));
    }
    rows
}

fn points<'a>(load: Load<'_>, candidate: &'a LoadCandidate, choice: Choice) -> Vec<&'a LoadPoint> {
    let stage = match &load.plan.question {
        Question::Capacity | Question::Scenario(Scenario::Server) => {
            return at_capacity(candidate).into_iter().collect();
        }
        Question::Stress => LoadStage::Before,
        Question::Soak { .. } => LoadStage::Soak,
        Question::Curve { .. } | Question::Users { .. } | Question::Scenario(_) => LoadStage::Asked,
    };
    let points: Vec<&LoadPoint> = candidate.of_stage(stage).collect();
    let is_kept = |point: &&&LoadPoint| kept(point, &load.plan.slo) == Some(Kept::Yes);
    let edge = points.iter().take_while(is_kept).count().saturating_sub(1);
    match choice {
        Choice::Every => points,
        Choice::AboutEdge => points.into_iter().skip(edge).take(2).collect(),
        Choice::One => points.into_iter().skip(edge).take(1).collect(),
    }
}

/// The nearest rate below the capacity that was measured, of those with the most rounds.
fn at_capacity(candidate: &LoadCandidate) -> Option<&LoadPoint> {
    let capacity = candidate.capacity.rate_per_sec.value()?;
    let of_search = candidate.points.iter().filter(|point| match point.stage {
        LoadStage::Bracket | LoadStage::Edge => point.is_valid(),
        LoadStage::Asked | LoadStage::Before | LoadStage::Ramp | LoadStage::Soak => false,
    });
    of_search
        .filter(|point| point.asked.0 <= capacity)
        .max_by(|one, other| one.asked.0.total_cmp(&other.asked.0))
}

fn asked_at(row: Row<'_>) -> String {
    of_point(row, |point| asked(point.asked))
}

fn of_point(row: Row<'_>, cell: impl Fn(&LoadPoint) -> String) -> String {
    match row.point.filter(|point| point.is_valid()) {
        Some(point) => cell(point),
        None => ABSENT.into(),
    }
}

pub(super) fn kept_word(load: Load<'_>, point: &LoadPoint) -> &'static str {
    match kept(point, &load.plan.slo) {
        Some(Kept::Yes) => "kept",
        Some(Kept::No) => "broken",
        Some(Kept::Open) => "open",
        None => MEANINGLESS,
    }
}

fn with_half_width(unit: Unit, estimate: &Estimate) -> String {
    match estimate.value().zip(estimate.interval()) {
        Some((value, interval)) => number::with_whole_half_width(unit, value, interval),
        None => cells::value(unit, estimate),
    }
}

fn drift(row: Row<'_>, unit: Unit, of: fn(&LoadCandidate) -> Option<&Drift>) -> String {
    match of(row.candidate) {
        Some(drift) => cells::slope(unit, &drift.per_hour),
        None => ABSENT.into(),
    }
}

/// Without columns in which nothing was measured.
fn without_blank_columns(mut table: Table) -> Table {
    let blank: Vec<String> = table
        .header
        .iter()
        .enumerate()
        .skip(1)
        .filter(|&(place, _)| table.rows.iter().all(|row| row.cells[place] == ABSENT))
        .map(|(_, head)| head.clone())
        .collect();
    blank.iter().for_each(|head| remove(&mut table, head));
    table
}

/// Narrow enough, as far as leaving columns out makes it so.
fn narrowed(mut table: Table) -> Table {
    for head in DISPENSABLE {
        if width(&table) > WIDTH {
            remove(&mut table, head);
        }
    }
    table
}

fn remove(table: &mut Table, head: &str) {
    if let Some(place) = table.header.iter().position(|one| one == head) {
        table.header.remove(place);
        for row in &mut table.rows {
            row.cells.remove(place);
        }
    }
}

fn width(table: &Table) -> usize {
    let widths = (0..table.header.len()).map(|column| column_width(table, column) + GAP);
    widths.sum::<usize>().saturating_sub(GAP)
}

fn column_width(table: &Table, column: usize) -> usize {
    let cells = table.rows.iter().map(|row| &row.cells[column]);
    let cells = cells.chain([&table.header[column]]);
    cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
}
