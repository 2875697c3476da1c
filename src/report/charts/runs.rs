//! Several runs over each other: latency over batch sizes with a line for each run, and the ratio to
//! the first run, in the order in which runs were started.

use super::axis::value_and_ends;
use super::cast::MOST;
use super::sweep::{self, Traced};
use super::{AxisView, ChartView, Drawing, Form, Measure, PointView, SeriesView};
use crate::analysis::Measured;
use crate::report::words::number::{self, Ways};
use crate::report::words::{self, Builder, Table};

/// Median latency of one variant over batch sizes, a line for each run; `number` counts the charts.
pub(in crate::report) fn over_batches(
    number: usize,
    variant: &str,
    mut lines: Vec<Traced<'_>>,
) -> Drawing {
    let remark = match lines.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" Not drawn: {}.", words::number_of(more as u64, "more run")),
    };
    lines.truncate(MOST);
    let title = format!("{variant}: median latency over batch sizes, by run");
    let chart = sweep::over_runs(lines, &remark)?;
    Ok(ChartView {
        id: format!("runs-latency-{number}"),
        table: Table {
            title: title.clone(),
            ..chart.table
        },
        title,
        ..chart
    })
}

/// A variant whose runs are drawn against the first one.
pub(in crate::report) struct RatioLine {
    pub(in crate::report) name: String,
    pub(in crate::report) points: Vec<RatioPoint>,
}

/// The median latency of a run over that of the first run.
pub(in crate::report) struct RatioPoint {
    /// Place of the run in time, from 0.
    pub(in crate::report) place: usize,
    /// Name of the run, and when it began.
    pub(in crate::report) run: String,
    /// 1 without an interval for the first run itself.
    pub(in crate::report) ratio: Measured,
}

/// Ratios of all variants at `at`, over the names of the runs in the order of time.
pub(in crate::report) fn ratios(runs: &[String], mut lines: Vec<RatioLine>, at: &str) -> Drawing {
    lines.retain(|line| line.points.len() > 1);
    let more = lines.len().saturating_sub(MOST);
    lines.truncate(MOST);
    if lines.is_empty() {
        return Err(format!("no run was compared with the first one at {at}"));
    }
    let title = format!("Median latency over that of run 1 at {at}, by time");
    let points = lines.iter().flat_map(|line| &line.points);
    let extent = points.flat_map(|point| value_and_ends(&point.ratio));
    Ok(ChartView {
        id: "runs-ratio".into(),
        summary: format!(
            "Below 1 is faster than run 1. Runs stand in the order in which they were started. Bars are 95% intervals of \
             launch against launch.{}",
            left_out(more)
        ),
        x: AxisView::places("run, the earliest first", runs),
        y: Measure::AS_IS.log("ratio of median latencies", extent),
        series: lines
            .iter()
            .enumerate()
            .map(|(color, line)| series(color, line))
            .collect(),
        table: table(&title, runs, &lines),
        title,
    })
}

fn left_out(more: usize) -> String {
    match more {
        0 => String::new(),
        more => format!(
            " In the tables only: {}.",
            words::number_of(more as u64, "more variant")
        ),
    }
}

fn series(color: usize, line: &RatioLine) -> SeriesView {
    SeriesView {
        name: Some(line.name.clone()),
        color,
        form: Form::Line,
        points: line.points.iter().map(|found| point(line, found)).collect(),
    }
}

fn point(line: &RatioLine, found: &RatioPoint) -> PointView {
    let ends = found.ratio.interval;
    PointView {
        x: found.place as f64,
        y: found.ratio.value,
        y_ends: ends.map(|ends| (ends.low, ends.high)),
        label: format!("{}, {}\n{}", line.name, found.run, shown(&found.ratio)),
        ..PointView::default()
    }
}

fn shown(ratio: &Measured) -> String {
    number::relative(ratio.value, ratio.interval, Ways::TIME)
}

fn table(title: &str, runs: &[String], lines: &[RatioLine]) -> Table {
    let mut header = vec!["variant"];
    header.extend(runs.iter().map(String::as_str));
    let mut table = Builder::new(title, &header);
    for line in lines {
        let mut cells = vec![line.name.clone()];
        for (place, run) in runs.iter().enumerate() {
            let mut points = line.points.iter();
            let cell = match points.find(|point| point.place == place) {
                Some(point) => shown(&point.ratio),
                None => table.absence(run, &line.name, "it was not compared with run 1"),
            };
            cells.push(cell);
        }
        table.plain_row(cells);
    }
    table.finish([])
}
