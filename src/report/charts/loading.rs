//! How long each launch took to load.

use super::axis::{AxisView, Measure};
use super::{ChartView, Form, PointView, SeriesView};
use crate::analysis::{Estimate, SessionFindings};
use crate::metric::{Metric, Unit};
use crate::record::LaunchRecord;
use crate::report::words::number;
use crate::report::words::table::{Builder, RowKind, Table};
use crate::report::words::{self, Source};
use crate::units::Nanos;

/// Sessions that one chart has room for.
const MOST: usize = 24;

/// A part of loading: its name, its figure and its time in a launch.
type Part = (&'static str, Metric, fn(&LaunchRecord) -> Option<Nanos>);

const PARTS: [Part; 3] = [
    ("runtime start", Metric::RuntimeStart, |launch| launch.runtime_start_ns),
    ("session load", Metric::SessionLoad, |launch| launch.session_load_ns),
    ("first run", Metric::FirstRun, |launch| launch.first_run_ns),
];

/// Distance between the parts of one session, in rows.
const APART: f64 = 0.25;

pub(super) fn chart(source: Source<'_>) -> Result<ChartView, String> {
    let measured: Vec<&SessionFindings> =
        source.findings.sessions.iter().filter(|session| session.outcome.is_ok()).take(MOST).collect();
    let rows: Vec<(usize, &LaunchRecord)> = source
        .record
        .launches
        .iter()
        .filter_map(|launch| Some((measured.iter().position(|session| session.session == launch.session)?, launch)))
        .collect();
    let times =
        || rows.iter().flat_map(|(_, launch)| PARTS.iter().filter_map(|part| (part.2)(launch))).map(Nanos::as_f64);
    let measure = Measure::new(Unit::Ns, times().reduce(f64::max).ok_or("no launch reported its times")?);
    let names: Vec<String> = measured.iter().map(|session| source.name(session.session)).collect();
    let series = PARTS.iter().enumerate().map(|(number, part)| {
        let points = rows.iter().filter_map(|&(row, launch)| point(&names, (row, launch), (number, part), measure));
        SeriesView { name: Some(part.0.into()), color: number, form: Form::Marks, points: points.collect() }
    });
    Ok(ChartView {
        id: "loading".into(),
        title: "Loading, launch by launch".into(),
        summary: "Each mark is one fresh process. How far marks of one row lie apart is how far a restart may be off."
            .into(),
        x: AxisView::log(measure.title("time"), times().map(|time| measure.scaled(time))),
        y: AxisView::names(&names),
        series: series.filter(|series| !series.points.is_empty()).collect(),
        table: table(source, &measured),
    })
}

fn point(
    names: &[String],
    (row, launch): (usize, &LaunchRecord),
    (number, part): (usize, &Part),
    measure: Measure,
) -> Option<PointView> {
    let time = (part.2)(launch).filter(|time| time.0 > 0)?.as_f64();
    Some(PointView {
        x: measure.scaled(time),
        y: row as f64 + (number as f64 - 1.0) * APART,
        label: format!("{}, launch {}\n{} {}", names[row], launch.launch, part.0, number::value(Unit::Ns, time, None)),
        ..PointView::default()
    })
}

fn table(source: Source<'_>, sessions: &[&SessionFindings]) -> Table {
    let header: Vec<&str> = ["variant"].into_iter().chain(PARTS.map(|part| part.0)).collect();
    let mut table = Builder::new("Time to load: median over launches, smallest to largest", &header);
    for session in sessions {
        let row = source.name(session.session);
        let mut cells = vec![row.clone()];
        for (head, metric, _) in PARTS {
            cells.push(table.figure((head, &row), session.figure(metric), |estimate| spread(metric, estimate)));
        }
        table.row(RowKind::Plain, cells);
    }
    table.finish(Vec::new())
}

fn spread(metric: Metric, estimate: &Estimate) -> String {
    let range = estimate.measured().and_then(|measured| measured.range);
    let range = range.map(|range| format!(", {}", number::ends(metric.unit(), range))).unwrap_or_default();
    format!("{}{range}", words::value(metric, estimate))
}
