//! How long each launch took to load.

use super::{AxisView, ChartView, Drawing, Form, Measure, PointView, SeriesView};
use crate::analysis::{Estimate, SessionFindings};
use crate::metric::{Metric, Unit};
use crate::record::LaunchRecord;
use crate::report::words::{self, Builder, Source, Table, number};
use crate::units::Nanos;

/// Sessions that one chart has room for.
const MOST: usize = 24;

struct Part {
    name: &'static str,
    metric: Metric,
    time: fn(&LaunchRecord) -> Option<Nanos>,
}

const PARTS: [Part; 3] = [
    Part {
        name: "runtime start",
        metric: Metric::RuntimeStart,
        time: |launch| launch.runtime_start_ns,
    },
    Part {
        name: "session load",
        metric: Metric::SessionLoad,
        time: |launch| launch.session_load_ns,
    },
    Part {
        name: "first run",
        metric: Metric::FirstRun,
        time: |launch| launch.first_run_ns,
    },
];

/// Distance between the parts of one session, in rows.
const APART: f64 = 0.25;

pub(super) fn chart(source: Source<'_>) -> Drawing {
    let measured: Vec<&SessionFindings> = source.measured().take(MOST).collect();
    let rows = rows(source, &measured);
    let times = rows
        .iter()
        .flat_map(|row| PARTS.iter().filter_map(|part| (part.time)(row.launch)))
        .map(Nanos::as_f64);
    let measure = Measure::of(Unit::Ns, times.clone()).ok_or("no launch reported its times")?;
    let names = measured.iter().map(|session| source.name(session.session));
    let series = (0..PARTS.len()).map(|number| series(number, &rows, measure));
    Ok(ChartView {
        id: "loading".into(),
        title: "Loading, launch by launch".into(),
        summary: "Each mark is one fresh process. How far marks of one row lie apart is how far a restart may be off."
            .into(),
        x: measure.log("time", times),
        y: AxisView::names(names),
        series: series.filter(|series| !series.points.is_empty()).collect(),
        table: table(source, &measured),
    })
}

/// A launch on the row of its session.
struct Row<'a> {
    place: usize,
    name: String,
    launch: &'a LaunchRecord,
}

fn rows<'a>(source: Source<'a>, measured: &[&SessionFindings]) -> Vec<Row<'a>> {
    source
        .record
        .launches
        .iter()
        .filter_map(|launch| {
            let mut sessions = measured.iter();
            Some(Row {
                place: sessions.position(|session| session.session == launch.session)?,
                name: source.name(launch.session),
                launch,
            })
        })
        .collect()
}

/// Of one of [`PARTS`].
fn series(number: usize, rows: &[Row<'_>], measure: Measure) -> SeriesView {
    let part = &PARTS[number];
    let points = rows.iter().filter_map(|row| {
        Some(PointView {
            y: row.place as f64 + (number as f64 - 1.0) * APART,
            ..point(row, part, measure)?
        })
    });
    SeriesView {
        name: Some(part.name.into()),
        color: number,
        form: Form::Marks,
        points: points.collect(),
    }
}

fn point(row: &Row<'_>, part: &Part, measure: Measure) -> Option<PointView> {
    let time = (part.time)(row.launch).filter(|time| time.0 > 0)?;
    let (name, launch) = (&row.name, row.launch.launch);
    Some(PointView {
        x: measure.scaled(time.as_f64()),
        label: format!(
            "{name}, launch {launch}\n{} {}",
            part.name,
            number::time(time)
        ),
        ..PointView::default()
    })
}

fn table(source: Source<'_>, sessions: &[&SessionFindings]) -> Table {
    let mut header = vec!["variant"];
    header.extend(PARTS.map(|part| part.name));
    let mut table = Builder::new(
        "Time to load: median over launches, smallest to largest",
        &header,
    );
    for session in sessions {
        let row = source.name(session.session);
        let mut cells = vec![row.clone()];
        cells.extend(PARTS.map(|Part { name, metric, .. }| {
            table.figure(name, &row, session.figure(metric), |found| {
                spread(metric, found)
            })
        }));
        table.plain_row(cells);
    }
    table.finish([])
}

fn spread(metric: Metric, estimate: &Estimate) -> String {
    let value = words::value(metric, estimate);
    match estimate.measured().and_then(|measured| measured.range) {
        Some(range) => format!("{value}, {}", number::ends(metric.unit(), range)),
        None => value,
    }
}
