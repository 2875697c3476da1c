//! Latency and throughput over each setting that a run varies.

use std::collections::{BTreeMap, BTreeSet};

use super::axis::value_and_ends;
use super::{AxisView, Cast, ChartView, Drawing, Form, Measure, PointView, SeriesView};
use crate::analysis::{CellFindings, Measured};
use crate::metric::Metric;
use crate::plan::{LoadMode, SessionSpec, Workload};
use crate::report::words::{self, Builder, Source, Table, plain};
use crate::text::Plain;

/// Sizes of dimensions by their names.
type Dims = BTreeMap<Plain, u64>;

/// Over batch sizes, then over whatever else was varied.
pub(super) fn charts(cast: &Cast<'_>) -> Vec<(&'static str, Drawing)> {
    let Some(first) = cast.source.single_place() else {
        return vec![("Sweeps", Err("nothing was asked for".into()))];
    };
    let place = Place { cast, first };
    let batch = place.over_batches();
    let mut charts = vec![
        ("Throughput over batch sizes", batch.chart(&THROUGHPUT)),
        ("Latency over batch sizes", batch.chart(&LATENCY)),
    ];
    let others = place
        .over_dimensions()
        .into_iter()
        .chain([place.over_requests(), place.over_threads()]);
    for sweep in others.filter(|sweep| sweep.values().len() > 1) {
        charts.push(("Latency", sweep.chart(&LATENCY)));
        charts.push(("Throughput", sweep.chart(&THROUGHPUT)));
    }
    charts
}

struct Curve {
    id: &'static str,
    title: &'static str,
    what: &'static str,
    metric: Metric,
    axis: fn(Measure, &str, Vec<f64>) -> AxisView,
    summary: &'static str,
}

const THROUGHPUT: Curve = Curve {
    id: "throughput",
    title: "Throughput",
    what: "throughput, predictions",
    metric: Metric::Throughput,
    axis: Measure::with_zero,
    summary: "Higher is better.",
};

const LATENCY: Curve = Curve {
    id: "latency",
    title: "Median latency",
    what: "median latency",
    metric: Metric::LatencyP50,
    axis: Measure::log,
    summary: "Time of one inference of the whole batch; lower is better.",
};

/// What is varied.
#[derive(Clone)]
enum Along<'a> {
    Batch,
    /// The size of a dimension of the inputs, by its number among those that are swept.
    Dimension(usize, &'a Plain),
    Requests,
    Threads,
}

impl Along<'_> {
    /// Part of the charts' ids.
    fn id(&self) -> String {
        match self {
            Along::Batch => "batch".into(),
            Along::Dimension(number, _) => format!("dimension-{number}"),
            Along::Requests => "requests".into(),
            Along::Threads => "threads".into(),
        }
    }

    fn over(&self) -> String {
        match self {
            Along::Batch => "batch sizes".into(),
            Along::Dimension(_, name) => plain(*name),
            Along::Requests => "requests in flight".into(),
            Along::Threads => "intra-op threads".into(),
        }
    }

    fn axis(&self) -> String {
        match self {
            Along::Batch => "batch size (samples)".into(),
            Along::Dimension(..) | Along::Requests | Along::Threads => self.over(),
        }
    }

    fn at(&self, value: u64) -> String {
        match self {
            Along::Batch => format!("batch {value}"),
            Along::Dimension(_, name) => format!("{name} {value}"),
            Along::Requests => format!("{value} in flight"),
            Along::Threads => words::number_of(value, "thread"),
        }
    }
}

/// Cells of one session, or of one variant, by the setting that is varied.
struct Line<'a> {
    name: String,
    /// As the legend has it.
    short_name: String,
    color: usize,
    cells: Vec<(u64, &'a CellFindings)>,
}

struct Sweep<'a> {
    along: Along<'a>,
    lines: Vec<Line<'a>>,
    /// What a line is.
    of: &'static str,
    /// What else holds of all that is drawn, as sentences after another one.
    remark: String,
}

/// Cells under one name, which a line joins.
pub(in crate::report) struct Traced<'a> {
    pub(in crate::report) name: String,
    pub(in crate::report) cells: Vec<&'a CellFindings>,
}

/// Median latency over batch sizes, one line for each run.
pub(super) fn over_runs(lines: Vec<Traced<'_>>, remark: &str) -> Drawing {
    let lines = lines.into_iter().enumerate();
    let sweep = Sweep {
        along: Along::Batch,
        lines: lines.map(|(color, line)| of_run(color, line)).collect(),
        of: "run",
        remark: remark.to_owned(),
    };
    sweep.chart(&LATENCY)
}

fn of_run(color: usize, line: Traced<'_>) -> Line<'_> {
    let measured = line.cells.into_iter().filter(|cell| cell.outcome.is_ok());
    Line {
        short_name: line.name.clone(),
        name: line.name,
        color,
        cells: measured.map(|cell| (cell.key.batch_size, cell)).collect(),
    }
}

/// The sessions that are drawn, and where everything that is not varied stands.
struct Place<'a> {
    cast: &'a Cast<'a>,
    first: Workload,
}

impl<'a> Place<'a> {
    fn source(&self) -> Source<'a> {
        self.cast.source
    }

    /// A line for each session, of the cells that `value` gives a place.
    fn lines(&self, value: impl Fn(&CellFindings) -> Option<u64>) -> Vec<Line<'a>> {
        let sessions = self.cast.sessions.iter().enumerate();
        sessions
            .map(|(color, &session)| Line {
                name: self.source().name(session),
                short_name: self.cast.short_name(color),
                color,
                cells: self
                    .source()
                    .cells()
                    .filter(|cell| cell.key.session == session && cell.outcome.is_ok())
                    .filter_map(|cell| Some((value(cell)?, cell)))
                    .collect(),
            })
            .collect()
    }

    fn over_batches(&self) -> Sweep<'a> {
        let Workload { shape, load, .. } = self.first;
        let is_there = |cell: &CellFindings| (cell.key.shape, cell.key.load_mode) == (shape, load);
        let lines = self.lines(|cell| is_there(cell).then_some(cell.key.batch_size));
        let fixed = [self.source().shape(shape), self.load()];
        self.sweep(Along::Batch, lines, fixed)
    }

    /// One for each dimension of which more than one size was asked for.
    fn over_dimensions(&self) -> Vec<Sweep<'a>> {
        let shapes = &self.source().record.plan.shapes;
        let Some(first) = shapes.get(self.first.shape).map(|shape| &shape.dims) else {
            return Vec::new();
        };
        let names = first.keys().enumerate();
        names
            .map(|(number, name)| self.over_dimension(number, name))
            .collect()
    }

    fn over_dimension(&self, number: usize, name: &'a Plain) -> Sweep<'a> {
        let shapes = self.shapes_along(name);
        let Workload {
            batch_size, load, ..
        } = self.first;
        let lines = self.lines(|cell| {
            let key = cell.key;
            let is_there = (key.batch_size, key.load_mode) == (batch_size, load);
            let mut shapes = shapes.iter().filter(|_| is_there);
            shapes
                .find(|&&(shape, _)| shape == key.shape)
                .map(|&(_, size)| size)
        });
        let fixed = [Some(format!("batch {batch_size}")), self.load()];
        self.sweep(Along::Dimension(number, name), lines, fixed)
    }

    /// Shapes that differ from the first one in this dimension alone; where none does, as height
    /// and width grow together, all of them by the first dimension.
    fn shapes_along(&self, name: &Plain) -> Vec<(usize, u64)> {
        let shapes = &self.source().record.plan.shapes;
        let first = &shapes[self.first.shape].dims;
        let of = |is_wanted: &dyn Fn(&Dims) -> bool| -> Vec<(usize, u64)> {
            let all = shapes.iter().enumerate();
            all.filter(|(_, shape)| is_wanted(&shape.dims))
                .filter_map(|(number, shape)| Some((number, *shape.dims.get(name)?)))
                .collect()
        };
        let alone = of(&|dims| differs_at_most_in(first, dims, name));
        if alone.len() > 1 || first.keys().next() != Some(name) {
            return alone;
        }
        let all = of(&|_| true);
        let sizes: BTreeSet<u64> = all.iter().map(|&(_, size)| size).collect();
        if sizes.len() == all.len() { all } else { alone }
    }

    fn over_requests(&self) -> Sweep<'a> {
        let Workload {
            shape, batch_size, ..
        } = self.first;
        let lines = self.lines(|cell| {
            let LoadMode::Closed { concurrency } = cell.key.load_mode;
            let is_there = (cell.key.shape, cell.key.batch_size) == (shape, batch_size);
            is_there.then_some(concurrency)
        });
        let fixed = [Some(self.source().batch(shape, batch_size)), None];
        self.sweep(Along::Requests, lines, fixed)
    }

    /// A line for each variant of which sessions differ in their threads alone.
    fn over_threads(&self) -> Sweep<'a> {
        let sessions = &self.source().record.plan.sessions;
        let mut lines: Vec<Line<'a>> = Vec::new();
        let mut likes: Vec<SessionSpec> = Vec::new();
        for cell in self.source().single() {
            let spec = &sessions[cell.key.session];
            if !cell.outcome.is_ok() {
                continue;
            }
            let mut like = spec.clone();
            like.options.intra_threads = 0;
            let line = likes.iter().position(|known| *known == like);
            let line = line.unwrap_or_else(|| {
                let variant = self.source().record.plan.variant_of(cell.key.session);
                let name = plain(&variant.name);
                lines.push(Line {
                    short_name: name.clone(),
                    name,
                    color: lines.len(),
                    cells: Vec::new(),
                });
                likes.push(like);
                lines.len() - 1
            });
            lines[line].cells.push((spec.options.intra_threads, cell));
        }
        lines.retain(|line| line.cells.len() > 1);
        let Workload {
            shape, batch_size, ..
        } = self.first;
        let fixed = [Some(self.source().batch(shape, batch_size)), self.load()];
        self.sweep(Along::Threads, lines, fixed)
    }

    /// The load mode of several that is drawn.
    fn load(&self) -> Option<String> {
        let is_one_of_several = self.source().record.plan.load_modes.len() > 1;
        is_one_of_several.then(|| {
            let load = self.first.load;
            format!("{} {}", load.in_column(), LoadMode::COLUMN)
        })
    }

    fn sweep(
        &self,
        along: Along<'a>,
        mut lines: Vec<Line<'a>>,
        fixed: [Option<String>; 2],
    ) -> Sweep<'a> {
        for line in &mut lines {
            line.cells.sort_by_key(|&(value, _)| value);
        }
        let fixed: Vec<String> = fixed.into_iter().flatten().collect();
        let chosen = match fixed.as_slice() {
            [] => String::new(),
            fixed => format!(
                " With {}; the table of the sweep has the others.",
                words::listed(fixed)
            ),
        };
        Sweep {
            remark: format!("{chosen}{}", self.cast.remark()),
            along,
            lines,
            of: "variant",
        }
    }
}

fn differs_at_most_in(one: &Dims, other: &Dims, name: &Plain) -> bool {
    let mut others = one.iter().filter(|(key, _)| *key != name);
    others.all(|(key, size)| other.get(key) == Some(size))
}

impl Sweep<'_> {
    /// Values that were measured, ascending.
    fn values(&self) -> BTreeSet<u64> {
        let cells = self.lines.iter().flat_map(|line| &line.cells);
        cells.map(|&(value, _)| value).collect()
    }

    fn figures(&self, metric: Metric) -> impl Iterator<Item = &Measured> {
        let cells = self.lines.iter().flat_map(|line| &line.cells);
        cells.filter_map(move |(_, cell)| cell.figure(metric)?.measured())
    }

    fn chart(&self, curve: &Curve) -> Drawing {
        let values = self.values();
        let over = self.along.over();
        if values.len() < 2 {
            return Err(format!("fewer than two {over} were measured"));
        }
        let figures = self.figures(curve.metric).map(|figure| figure.value);
        let measure = Measure::of(curve.metric.unit(), figures).ok_or("nothing was measured")?;
        let extent = self
            .figures(curve.metric)
            .flat_map(value_and_ends)
            .collect();
        let title = format!("{} over {over}", curve.title);
        Ok(ChartView {
            id: format!("{}-{}", self.along.id(), curve.id),
            summary: format!("{} Bars are 95% intervals.{}", curve.summary, self.remark),
            x: AxisView::counts(&self.along.axis(), &values),
            y: (curve.axis)(measure, curve.what, extent),
            series: self
                .lines
                .iter()
                .map(|line| self.series(line, curve.metric, measure))
                .collect(),
            table: self.table(&title, curve.metric, &values),
            title,
        })
    }

    fn series(&self, line: &Line<'_>, metric: Metric, measure: Measure) -> SeriesView {
        let points = line.cells.iter().filter_map(|&(value, cell)| {
            let estimate = cell.figure(metric)?;
            Some(PointView {
                x: value as f64,
                y: measure.scaled(estimate.value()?),
                y_ends: measure.ends(estimate),
                label: format!(
                    "{}, {}\n{}",
                    line.name,
                    self.along.at(value),
                    words::value(metric, estimate)
                ),
                ..PointView::default()
            })
        });
        SeriesView {
            name: Some(line.short_name.clone()),
            color: line.color,
            form: Form::Line,
            points: points.collect(),
        }
    }

    fn table(&self, title: &str, metric: Metric, values: &BTreeSet<u64>) -> Table {
        let heads: Vec<String> = values.iter().map(|&value| self.along.at(value)).collect();
        let mut header = vec![self.of];
        header.extend(heads.iter().map(String::as_str));
        let mut table = Builder::new(title, &header);
        for line in &self.lines {
            let mut cells = vec![line.name.clone()];
            for (&value, head) in values.iter().zip(&heads) {
                let at = line.cells.iter().find(|&&(at, _)| at == value);
                let figure = at.and_then(|(_, cell)| cell.figure(metric));
                cells.push(table.figure(head, &line.name, figure, |found| {
                    words::value(metric, found)
                }));
            }
            table.plain_row(cells);
        }
        table.finish([])
    }
}
