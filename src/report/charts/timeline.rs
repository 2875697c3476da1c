//! How the run went: latency, CPU and GPU over time.

use super::{AxisView, Cast, ChartView, Drawing, Form, Measure, PointView, SeriesView};
use crate::analysis::{TimelineBlock, timeline};
use crate::metric::Unit;
use crate::report::words::{Builder, Source, Table, number};
use crate::units::Nanos;

/// Blocks that a chart shows at most: more marks would hide one another.
const MOST_BLOCKS: usize = 1500;

const SINCE_START: &str = "time since the start of the run";

pub(super) fn charts(cast: &Cast<'_>) -> [(&'static str, Drawing); 3] {
    let mut blocks = timeline(cast.source.record, cast.source.findings);
    blocks.retain(|block| cast.color(block.key.session).is_some());
    let every = blocks.len().div_ceil(MOST_BLOCKS).max(1);
    let run = Run {
        cast,
        blocks: blocks.into_iter().step_by(every).collect(),
        remark: match every {
            1 => cast.remark(),
            every => format!(" Of {every} blocks one is shown.{}", cast.remark()),
        },
    };
    [
        ("Latency over the run", run.chart(&LATENCY)),
        ("CPU over the run", run.chart(&CPU)),
        ("GPU over the run", gpu(cast)),
    ]
}

struct Run<'a> {
    cast: &'a Cast<'a>,
    blocks: Vec<TimelineBlock>,
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
    axis: fn(Measure, &str, Vec<f64>) -> AxisView,
}

const LATENCY: Line = Line {
    id: "timeline-latency",
    title: "Latency over the run",
    what: "block / median of its cell",
    column: "of its cell's median",
    shown: number::share,
    summary: "Each mark is one block: its median latency against the median of all of its cell's. What lies above 1 for all \
              variants at once was the machine.",
    value: |block| block.to_cell_ratio.map(|ratio| ratio.0),
    axis: Measure::log,
};

const CPU: Line = Line {
    id: "timeline-cpu",
    title: "CPU over the run",
    what: "CPU utilization (%)",
    column: "CPU",
    shown: |percent| number::share(percent / 100.0),
    summary: "CPU time of the process during each block, as a share of the CPUs that it may use.",
    value: |block| block.cpu_utilization_ratio.map(|ratio| ratio.0 * 100.0),
    axis: Measure::with_zero,
};

impl Run<'_> {
    fn chart(&self, line: &Line) -> Drawing {
        let blocks = self.blocks.iter();
        let values: Vec<f64> = blocks.clone().filter_map(line.value).collect();
        let last = blocks
            .map(|block| block.started_ns)
            .max()
            .filter(|_| !values.is_empty())
            .ok_or("no block tells it")?
            .as_f64();
        let measure = Measure::new(Unit::Ns, last);
        let series = self.cast.series(Form::Marks, |session| {
            self.blocks
                .iter()
                .filter(|block| block.key.session == session)
                .filter_map(|block| self.point(line, measure, block))
                .collect()
        });
        Ok(ChartView {
            id: line.id.into(),
            title: line.title.into(),
            summary: format!("{}{}", line.summary, self.remark),
            x: measure.until(SINCE_START, last),
            y: (line.axis)(Measure::AS_IS, line.what, values),
            series: series.collect(),
            table: self.table(line),
        })
    }

    fn point(&self, line: &Line, measure: Measure, block: &TimelineBlock) -> Option<PointView> {
        Some(PointView {
            x: measure.scaled(block.started_ns.as_f64()),
            y: (line.value)(block)?,
            label: self.label(block),
            ..PointView::default()
        })
    }

    fn label(&self, block: &TimelineBlock) -> String {
        let disturbed = if block.is_disturbed {
            "\ndisturbed, measured again"
        } else {
            ""
        };
        let cpu = block
            .cpu_utilization_ratio
            .map(|cpu| format!(", CPU {}", number::whole_percent(cpu.0)));
        format!(
            "{}\n{} at {}{}{disturbed}",
            self.cast.source.place(block.key),
            number::time(block.median_ns),
            number::time(block.started_ns),
            cpu.unwrap_or_default()
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
            let disturbed = if block.is_disturbed { "yes" } else { "" };
            table.plain_row([
                self.cast.source.name(block.key.session),
                number::time(block.started_ns),
                block.key.batch_size.to_string(),
                number::time(block.median_ns),
                (line.value)(block).map(line.shown).unwrap_or_default(),
                disturbed.into(),
            ]);
        }
        table.finish([])
    }
}

/// How busy the GPU was in a cell of a launch, if the driver told.
struct Use {
    session: usize,
    started_ns: Nanos,
    batch_size: u64,
    utilization: Option<f64>,
}

fn uses(source: Source<'_>) -> impl Iterator<Item = Use> {
    let cells = source
        .record
        .launches
        .iter()
        .flat_map(|launch| launch.cells.iter().map(move |cell| (launch, cell)));
    cells.filter_map(|(launch, cell)| {
        let utilization = cell
            .gpu
            .as_ref()?
            .as_ref()
            .ok()?
            .utilization_mean_ratio
            .as_ref();
        Some(Use {
            session: launch.session,
            started_ns: launch.started_ns,
            batch_size: cell.batch_size,
            utilization: utilization.ok().map(|ratio| ratio.0),
        })
    })
}

fn gpu(cast: &Cast<'_>) -> Drawing {
    let source = cast.source;
    let mut sessions = source.record.plan.sessions.iter();
    if sessions.all(|session| session.nvidia_device().is_none()) {
        return Err("no session ran on a GPU".into());
    }
    let last = uses(source)
        .map(|used| used.started_ns.as_f64())
        .reduce(f64::max)
        .ok_or("the GPU was not observed")?;
    let measure = Measure::new(Unit::Ns, last);
    let series: Vec<SeriesView> = cast
        .series(Form::Marks, |session| gpu_points(source, session, measure))
        .filter(|series| !series.points.is_empty())
        .collect();
    if series.is_empty() {
        return Err("the driver did not tell the GPU's utilization".into());
    }
    let values = series
        .iter()
        .flat_map(|series| &series.points)
        .map(|point| point.y);
    Ok(ChartView {
        id: "timeline-gpu".into(),
        title: "GPU over the run".into(),
        summary: format!(
            "Mean GPU utilization of each cell's observed stretch, at the start of its launch.{}",
            cast.remark()
        ),
        x: measure.until(SINCE_START, last),
        y: Measure::AS_IS.with_zero("GPU utilization (%)", values),
        series,
        table: gpu_table(cast),
    })
}

fn gpu_points(source: Source<'_>, session: usize, measure: Measure) -> Vec<PointView> {
    let name = source.name(session);
    let of_session = uses(source).filter(|used| used.session == session);
    let points = of_session.filter_map(|used| {
        let utilization = used.utilization?;
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
    points.collect()
}

fn gpu_table(cast: &Cast<'_>) -> Table {
    let header = ["variant", "launch started", "batch", "GPU utilization"];
    let mut table = Builder::new("GPU, cell by cell", &header);
    for &session in &cast.sessions {
        for used in uses(cast.source).filter(|used| used.session == session) {
            if let Some(utilization) = used.utilization {
                table.plain_row([
                    cast.source.name(session),
                    number::time(used.started_ns),
                    used.batch_size.to_string(),
                    number::share(utilization),
                ]);
            }
        }
    }
    table.finish([])
}
