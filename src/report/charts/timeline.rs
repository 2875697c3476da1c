//! How the run went: latency, CPU and GPU over time.

use super::{AxisView, Cast, ChartView, Drawn, Form, Measure, PointView, SeriesView};
use crate::analysis::{TimelineBlock, timeline};
use crate::metric::Unit;
use crate::report::words::{Builder, Source, Table, number};
use crate::units::{Nanos, Ratio};

/// Blocks that a chart shows at most: more marks would hide one another.
const MOST_BLOCKS: usize = 1500;

type Charted = (&'static str, Result<ChartView, String>);

pub(super) fn charts(source: Source<'_>, cast: &Cast) -> Vec<Charted> {
    let all = timeline(source.record, source.findings);
    let of_cast: Vec<&TimelineBlock> = all
        .iter()
        .filter(|block| cast.color(block.key.session).is_some())
        .collect();
    let every = of_cast.len().div_ceil(MOST_BLOCKS).max(1);
    let blocks: Vec<&TimelineBlock> = of_cast.into_iter().step_by(every).collect();
    let remark = if every > 1 {
        format!(" Of {every} blocks one is shown.")
    } else {
        String::new()
    };
    let remark = format!("{remark}{}", cast.remark());
    let run = Run {
        source,
        cast,
        blocks,
        remark,
    };
    vec![
        ("Latency over the run", run.chart(&LATENCY)),
        ("CPU over the run", run.chart(&CPU)),
        ("GPU over the run", gpu(source, cast)),
    ]
}

struct Run<'a> {
    source: Source<'a>,
    cast: &'a Cast,
    blocks: Vec<&'a TimelineBlock>,
    remark: String,
}

struct Line {
    id: &'static str,
    title: &'static str,
    what: &'static str,
    column: &'static str,
    shown: fn(f64) -> String,
    summary: &'static str,
    value: fn(&TimelineBlock) -> Option<f64>,
    axis: fn(String, Vec<f64>) -> AxisView,
}

const LATENCY: Line = Line {
    id: "timeline-latency",
    title: "Latency over the run",
    what: "block / median of its cell",
    column: "of its cell's median",
    shown: |ratio| number::share(ratio),
    summary: "Each mark is one block: its median latency against the median of all of its cell's. What lies above 1 for all \
              variants at once was the machine.",
    value: |block| block.to_cell_ratio.map(|ratio| ratio.0),
    axis: |title, values| AxisView::log(title, values),
};

const CPU: Line = Line {
    id: "timeline-cpu",
    title: "CPU over the run",
    what: "CPU utilization (%)",
    column: "CPU",
    shown: |percent| number::value(Unit::Ratio, percent / 100.0, None),
    summary: "CPU time of the worker during each block, as a share of the CPUs that it may use.",
    value: |block| block.cpu_utilization_ratio.map(|ratio| ratio.0 * 100.0),
    axis: |title, values| AxisView::from_zero(title, values),
};

impl Run<'_> {
    fn chart(&self, line: &Line) -> Result<ChartView, String> {
        let values: Vec<f64> = self
            .blocks
            .iter()
            .filter_map(|block| (line.value)(block))
            .collect();
        let last = self
            .blocks
            .iter()
            .map(|block| block.started_ns.as_f64())
            .reduce(f64::max);
        let last = last
            .filter(|_| !values.is_empty())
            .ok_or("no block tells it")?;
        let measure = Measure::new(Unit::Ns, last);
        Ok(ChartView {
            id: line.id.into(),
            title: line.title.into(),
            summary: format!("{}{}", line.summary, self.remark),
            x: AxisView::until(
                measure.title("time since the start of the run"),
                measure.scaled(last),
            ),
            y: (line.axis)(line.what.into(), values),
            series: self
                .cast
                .sessions()
                .map(|each| self.series(line, measure, each))
                .collect(),
            table: self.table(line),
        })
    }

    fn series(&self, line: &Line, measure: Measure, Drawn { session, color }: Drawn) -> SeriesView {
        let of_session = self
            .blocks
            .iter()
            .filter(|block| block.key.session == session);
        let points = of_session.filter_map(|block| {
            Some(PointView {
                x: measure.scaled(block.started_ns.as_f64()),
                y: (line.value)(block)?,
                label: self.label(block),
                ..PointView::default()
            })
        });
        SeriesView {
            name: Some(self.source.name(session)),
            color,
            form: Form::Marks,
            points: points.collect(),
        }
    }

    fn label(&self, block: &TimelineBlock) -> String {
        let disturbed = if block.is_disturbed {
            "\ndisturbed, measured again"
        } else {
            ""
        };
        let cpu = block
            .cpu_utilization_ratio
            .map(|cpu| format!(", CPU {:.0}%", cpu.0 * 100.0))
            .unwrap_or_default();
        format!(
            "{} {}\n{} at {}{cpu}{disturbed}",
            self.source.name(block.key.session),
            self.source.at(block.key),
            number::time(block.median_ns),
            number::time(block.started_ns),
        )
    }

    fn table(&self, line: &Line) -> Table {
        let header = [
            "variant",
            "started",
            "batch",
            "median latency",
            line.column,
            "disturbed",
        ];
        let mut table = Builder::new(line.title, &header);
        for block in &self.blocks {
            table.plain_row(vec![
                self.source.name(block.key.session),
                number::time(block.started_ns),
                block.key.batch_size.to_string(),
                number::time(block.median_ns),
                (line.value)(block).map(line.shown).unwrap_or_default(),
                if block.is_disturbed {
                    "yes".into()
                } else {
                    String::new()
                },
            ]);
        }
        table.finish(Vec::new())
    }
}

/// How busy the GPU was in a cell of a launch, if the driver told.
struct Use {
    session: usize,
    started_ns: Nanos,
    batch_size: u64,
    utilization: Option<Ratio>,
}

fn uses(source: Source<'_>) -> impl Iterator<Item = Use> {
    let launches = source.record.launches.iter();
    let cells = launches.flat_map(|launch| launch.cells.iter().map(move |cell| (launch, cell)));
    cells.filter_map(|(launch, cell)| {
        let gpu = cell.gpu.as_ref()?.as_ref().ok()?;
        Some(Use {
            session: launch.session,
            started_ns: launch.started_ns,
            batch_size: cell.batch_size,
            utilization: gpu.utilization_mean_ratio.as_ref().ok().copied(),
        })
    })
}

fn gpu(source: Source<'_>, cast: &Cast) -> Result<ChartView, String> {
    let mut sessions = source.record.plan.sessions.iter();
    if sessions.all(|session| session.nvidia_device().is_none()) {
        return Err("no session ran on a GPU".into());
    }
    let last = uses(source)
        .map(|used| used.started_ns.as_f64())
        .reduce(f64::max);
    let last = last.ok_or("the GPU was not observed")?;
    let measure = Measure::new(Unit::Ns, last);
    let series: Vec<SeriesView> = cast
        .sessions()
        .map(|drawn| gpu_series(source, drawn, measure))
        .filter(|series| !series.points.is_empty())
        .collect();
    let values: Vec<f64> = series
        .iter()
        .flat_map(|series| &series.points)
        .map(|point| point.y)
        .collect();
    if values.is_empty() {
        return Err("the driver did not tell the GPU's utilization".into());
    }
    Ok(ChartView {
        id: "timeline-gpu".into(),
        title: "GPU over the run".into(),
        summary: format!(
            "Mean GPU utilization of each cell's observed stretch, at the start of its launch.{}",
            cast.remark()
        ),
        x: AxisView::until(
            measure.title("time since the start of the run"),
            measure.scaled(last),
        ),
        y: AxisView::from_zero("GPU utilization (%)".into(), values),
        series,
        table: gpu_table(source, cast),
    })
}

fn gpu_series(source: Source<'_>, Drawn { session, color }: Drawn, measure: Measure) -> SeriesView {
    let name = source.name(session);
    let of_session = uses(source).filter(|used| used.session == session);
    let points = of_session.filter_map(|used| {
        let utilization = used.utilization?.0;
        Some(PointView {
            x: measure.scaled(used.started_ns.as_f64()),
            y: utilization * 100.0,
            label: format!(
                "{name}, batch {}\nGPU {}, launch started at {}",
                used.batch_size,
                number::share(utilization),
                number::time(used.started_ns)
            ),
            ..PointView::default()
        })
    });
    SeriesView {
        points: points.collect(),
        name: Some(name),
        color,
        form: Form::Marks,
    }
}

fn gpu_table(source: Source<'_>, cast: &Cast) -> Table {
    let mut table = Builder::new(
        "GPU, cell by cell",
        &["variant", "launch started", "batch", "GPU utilization"],
    );
    for Drawn { session, .. } in cast.sessions() {
        for used in uses(source).filter(|used| used.session == session) {
            if let Some(utilization) = used.utilization {
                table.plain_row(vec![
                    source.name(session),
                    number::time(used.started_ns),
                    used.batch_size.to_string(),
                    number::share(utilization.0),
                ]);
            }
        }
    }
    table.finish(Vec::new())
}
