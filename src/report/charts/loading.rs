//! How long each launch took to load.

use super::{AxisView, ChartView, Form, Measure, PointView, SeriesView};
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

pub(super) fn chart(source: Source<'_>) -> Result<ChartView, String> {
    let measured: Vec<&SessionFindings> = source
        .findings
        .sessions
        .iter()
        .filter(|session| session.outcome.is_ok())
        .take(MOST)
        .collect();
    let rows: Vec<(usize, &LaunchRecord)> = source
        .record
        .launches
        .iter()
        .filter_map(|launch| {
            Some((
                measured
                    .iter()
                    .position(|session| session.session == launch.session)?,
                launch,
            ))
        })
        .collect();
    let times = || {
        rows.iter()
            .flat_map(|(_, launch)| PARTS.iter().filter_map(|part| (part.time)(launch)))
            .map(Nanos::as_f64)
    };
    let measure = Measure::new(
        Unit::Ns,
        times()
            .reduce(f64::max)
            .ok_or("no launch reported its times")?,
    );
    let names: Vec<String> = measured
        .iter()
        .map(|session| source.name(session.session))
        .collect();
    let series = PARTS.iter().enumerate().map(|(number, part)| {
        let points = rows.iter().filter_map(|&(row, launch)| {
            let y = row as f64 + (number as f64 - 1.0) * APART;
            Some(PointView {
                y,
                ..point(&names[row], launch, part, measure)?
            })
        });
        SeriesView {
            name: Some(part.name.into()),
            color: number,
            form: Form::Marks,
            points: points.collect(),
        }
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

fn point(name: &str, launch: &LaunchRecord, part: &Part, measure: Measure) -> Option<PointView> {
    let time = (part.time)(launch).filter(|time| time.0 > 0)?.as_f64();
    Some(PointView {
        x: measure.scaled(time),
        label: format!(
            "{}, launch {}\n{} {}",
            name,
            launch.launch,
            part.name,
            number::value(Unit::Ns, time, None)
        ),
        ..PointView::default()
    })
}

fn table(source: Source<'_>, sessions: &[&SessionFindings]) -> Table {
    let header: Vec<&str> = ["variant"]
        .into_iter()
        .chain(PARTS.map(|part| part.name))
        .collect();
    let mut table = Builder::new(
        "Time to load: median over launches, smallest to largest",
        &header,
    );
    for session in sessions {
        let row = source.name(session.session);
        let mut cells = vec![row.clone()];
        for Part {
            name: head, metric, ..
        } in PARTS
        {
            cells.push(
                table.figure(head, &row, session.figure(metric), |estimate| {
                    spread(metric, estimate)
                }),
            );
        }
        table.plain_row(cells);
    }
    table.finish(Vec::new())
}

fn spread(metric: Metric, estimate: &Estimate) -> String {
    let range = estimate.measured().and_then(|measured| measured.range);
    let range = range
        .map(|range| format!(", {}", number::ends(metric.unit(), range)))
        .unwrap_or_default();
    format!("{}{range}", words::value(metric, estimate))
}
