//! What happened over time: under stress, and over a soak.

use super::drawn::{LIMIT_COLOR, MOST_ALONE, left_out, place, straight};
use crate::analysis::load::{LoadCandidate, joined};
use crate::metric::Unit;
use crate::record::{LoadSegment, LoadStage, LoadWindow};
use crate::report::charts::axis::Measure;
use crate::report::charts::{AxisView, ChartView, Drawing, Form, PointView, SeriesView};
use crate::report::words::load::Load;
use crate::report::words::{self, ABSENT, Builder, Table, number};
use crate::units::{Bytes, Nanos};

const SINCE: &str = "time since the start";

/// Rates, queue and responses of each candidate in its first round with a ramp.
pub(super) fn stress(load: Load<'_>) -> Vec<(String, Drawing)> {
    let mut charts = Vec::new();
    for (number, candidate) in load.candidates().take(MOST_ALONE).enumerate() {
        let course = Course::of_stress(load, candidate);
        for curve in [&RATES, &QUEUE, &RESPONSE] {
            let name = format!("{}: {}", curve.title, load.name(candidate.key));
            charts.push((name, course.chart(load, number, curve)));
        }
    }
    charts
}

/// Responses and memory of each candidate over its soak.
pub(super) fn soak(load: Load<'_>) -> Vec<(String, Drawing)> {
    let mut charts = Vec::new();
    for (number, candidate) in load.candidates().take(MOST_ALONE).enumerate() {
        let course = Course::of_soak(load, candidate);
        let name = load.name(candidate.key);
        charts.push((
            format!("{}: {name}", RESPONSE.title),
            course.chart(load, number, &RESPONSE),
        ));
        charts.push((
            format!("Memory over time: {name}"),
            course.memory(load, number),
        ));
    }
    charts
}

/// Parts of segments one after another, and where the phases begin.
struct Course<'a> {
    candidate: &'a LoadCandidate,
    parts: Vec<Part>,
    phases: Vec<Phase>,
    memory: Vec<Moment>,
}

/// A part of a segment, from where the last one ended.
struct Part {
    from: Nanos,
    window: LoadWindow,
}

struct Phase {
    at: Nanos,
    name: &'static str,
}

struct Moment {
    at: Nanos,
    bytes: Bytes,
}

impl<'a> Course<'a> {
    fn of_stress(load: Load<'_>, candidate: &'a LoadCandidate) -> Self {
        let ramp = first(load, candidate, LoadStage::Ramp);
        let round = ramp.map(|segment| segment.round);
        let before = load.segments().find(|segment| {
            (segment.key, segment.stage) == (candidate.key, LoadStage::Before)
                && Some(segment.round) == round
        });
        Course::empty(candidate).then(before).then(ramp)
    }

    fn of_soak(load: Load<'_>, candidate: &'a LoadCandidate) -> Self {
        let mut course = Course::empty(candidate);
        let round = first(load, candidate, LoadStage::Soak).map(|segment| segment.round);
        for segment in load.segments() {
            let is_of_it = (segment.key, segment.stage) == (candidate.key, LoadStage::Soak);
            if is_of_it && Some(segment.round) == round {
                course = course.then(Some(segment));
            }
        }
        course.phases.clear();
        course
    }

    fn empty(candidate: &'a LoadCandidate) -> Self {
        Course {
            candidate,
            parts: Vec::new(),
            phases: Vec::new(),
            memory: Vec::new(),
        }
    }

    fn end(&self) -> Nanos {
        self.parts
            .last()
            .map_or(Nanos(0), |part| part.window.end_ns)
    }

    /// With a segment behind what there is.
    fn then(mut self, segment: Option<&LoadSegment>) -> Self {
        let Some(segment) = segment else {
            return self;
        };
        let start = self.end();
        self.phases.push(Phase {
            at: start,
            name: phase(segment.stage),
        });
        if segment.offer.fall.is_some() {
            self.phases.push(Phase {
                at: start + segment.offer.length_ns,
                name: "the rate falls",
            });
        }
        let mut from = start;
        for window in joined(segment) {
            let end_ns = start + window.end_ns;
            self.parts.push(Part {
                from,
                window: LoadWindow { end_ns, ..window },
            });
            from = end_ns;
        }
        self.memory.extend(memory(segment, start));
        self
    }

    fn chart(&self, load: Load<'_>, number: usize, curve: &Curve) -> Drawing {
        let last = self.end().as_f64();
        let lines = curve.lines.iter();
        let values: Vec<f64> = lines
            .flat_map(|line| self.parts.iter().filter_map(line.value))
            .collect();
        if values.is_empty() || last == 0.0 {
            return Err("nothing of it was measured".into());
        }
        let time = Measure::new(Unit::Ns, last);
        let measure = Measure::of(curve.unit, values.iter().copied()).ok_or("it has no parts")?;
        let y = (curve.axis)(measure, curve.what, values);
        let phases = self
            .phases
            .iter()
            .skip(1)
            .zip(LIMIT_COLOR..)
            .map(|(phase, color)| {
                let x = time.scaled(phase.at.as_f64());
                let (low, high) = (place(x, y.low, phase.name), place(x, y.high, phase.name));
                SeriesView {
                    color,
                    ..straight(phase.name.into(), low, high)
                }
            });
        let lines = curve
            .lines
            .iter()
            .enumerate()
            .map(|(color, line)| SeriesView {
                name: Some(line.name.into()),
                color,
                form: curve.form,
                points: self
                    .parts
                    .iter()
                    .filter_map(|part| {
                        point(
                            part,
                            line,
                            Axes {
                                time,
                                measure,
                                unit: curve.unit,
                            },
                        )
                    })
                    .collect(),
            });
        Ok(ChartView {
            id: format!("load-{}-{number}", curve.id),
            title: format!("{}: {}", curve.title, load.name(self.candidate.key)),
            summary: format!("{}{}", curve.summary, left_out(load, MOST_ALONE)),
            series: phases
                .chain(lines.filter(|line| !line.points.is_empty()))
                .collect(),
            x: time.until(SINCE, last),
            y,
            table: self.table(curve),
        })
    }

    fn memory(&self, load: Load<'_>, number: usize) -> Drawing {
        let last = self
            .memory
            .last()
            .ok_or("the system does not tell memory")?;
        let time = Measure::new(Unit::Ns, last.at.as_f64());
        let bytes: Vec<f64> = self.memory.iter().map(|one| one.bytes.as_f64()).collect();
        let measure = Measure::of(Unit::Bytes, bytes.iter().copied()).ok_or("none was seen")?;
        let points = self.memory.iter().map(|one| PointView {
            x: time.scaled(one.at.as_f64()),
            y: measure.scaled(one.bytes.as_f64()),
            label: format!(
                "{} after {}",
                number::bytes(one.bytes),
                number::time(one.at)
            ),
            ..PointView::default()
        });
        let mut table = Builder::new("Memory over time", &["after", "memory"]);
        for one in &self.memory {
            table.plain_row([number::time(one.at), number::bytes(one.bytes)]);
        }
        Ok(ChartView {
            id: format!("load-memory-{number}"),
            title: format!("Memory over time: {}", load.name(self.candidate.key)),
            summary: format!(
                "Resident memory of the processes that serve, together.{}",
                left_out(load, MOST_ALONE)
            ),
            x: time.until(SINCE, last.at.as_f64()),
            y: measure.around("memory", bytes),
            series: vec![SeriesView {
                name: None,
                color: 0,
                form: Form::Marks,
                points: points.collect(),
            }],
            table: table.finish([]),
        })
    }

    fn table(&self, curve: &Curve) -> Table {
        let mut header = vec!["until"];
        header.extend(curve.lines.iter().map(|line| line.name));
        let mut table = Builder::new(curve.title, &header);
        for part in &self.parts {
            let mut cells = vec![number::time(part.window.end_ns)];
            cells.extend(curve.lines.iter().map(|line| match (line.value)(part) {
                Some(value) => number::value(curve.unit, value, None),
                None => ABSENT.into(),
            }));
            table.plain_row(cells);
        }
        table.finish([])
    }
}

fn first<'a>(
    load: Load<'a>,
    candidate: &LoadCandidate,
    stage: LoadStage,
) -> Option<&'a LoadSegment> {
    load.segments()
        .find(|segment| (segment.key, segment.stage) == (candidate.key, stage))
}

fn phase(stage: LoadStage) -> &'static str {
    match stage {
        LoadStage::Before => "a steady rate",
        LoadStage::Ramp => "the rate rises",
        LoadStage::Asked | LoadStage::Bracket | LoadStage::Edge | LoadStage::Soak => "",
    }
}

/// Of all processes together, as far as they were seen in the same number of moments.
fn memory(segment: &LoadSegment, start: Nanos) -> Vec<Moment> {
    let samples = segment.processes.iter().map(|process| &process.samples);
    let count = samples.clone().map(Vec::len).min().unwrap_or(0);
    (0..count)
        .filter_map(|place| {
            let bytes = samples.clone().map(|samples| samples[place].memory_bytes);
            Some(Moment {
                at: start + samples.clone().next()?[place].at_ns,
                bytes: bytes.sum::<Option<Bytes>>()?,
            })
        })
        .collect()
}

struct Curve {
    id: &'static str,
    title: &'static str,
    what: &'static str,
    summary: &'static str,
    unit: Unit,
    form: Form,
    axis: fn(Measure, &str, Vec<f64>) -> AxisView,
    lines: &'static [Line],
}

struct Line {
    name: &'static str,
    value: fn(&Part) -> Option<f64>,
}

const RATES: Curve = Curve {
    id: "rates",
    title: "Rates over time",
    what: "requests",
    summary: "What comes, and what becomes of it, in equal parts of the time.",
    unit: Unit::PerSec,
    form: Form::Line,
    axis: Measure::with_zero,
    lines: &[
        Line {
            name: "offered",
            value: |part| per_second(part, part.window.counts.offered),
        },
        Line {
            name: "completed",
            value: |part| per_second(part, part.window.counts.completed),
        },
        Line {
            name: "rejected or failed",
            value: |part| per_second(part, part.window.counts.errors()),
        },
    ],
};

const QUEUE: Curve = Curve {
    id: "queue",
    title: "Queue over time",
    what: "requests that wait",
    summary: "Requests that wait at the end of each part of the time.",
    unit: Unit::Count,
    form: Form::Line,
    axis: Measure::with_zero,
    lines: &[Line {
        name: "waiting",
        value: |part| Some(part.window.queue as f64),
    }],
};

const RESPONSE: Curve = Curve {
    id: "response-over-time",
    title: "Response over time",
    what: "response",
    summary: "Of requests that are completed in each part of the time.",
    unit: Unit::Ns,
    form: Form::Line,
    axis: Measure::log,
    lines: &[
        Line {
            name: "median",
            value: |part| Some(part.window.response_p50_ns?.as_f64()),
        },
        Line {
            name: "longest",
            value: |part| Some(part.window.response_max_ns?.as_f64()),
        },
    ],
};

fn per_second(part: &Part, count: u64) -> Option<f64> {
    let length = part.window.end_ns.since(part.from).as_secs_f64();
    (length > 0.0).then(|| count as f64 / length)
}

#[derive(Clone, Copy)]
struct Axes {
    time: Measure,
    measure: Measure,
    unit: Unit,
}

fn point(part: &Part, line: &Line, axes: Axes) -> Option<PointView> {
    let value = (line.value)(part)?;
    Some(PointView {
        x: axes.time.scaled(part.window.end_ns.as_f64()),
        y: axes.measure.scaled(value),
        label: format!(
            "{} {}\nuntil {}",
            line.name,
            number::value(axes.unit, value, None),
            words::number::time(part.window.end_ns)
        ),
        ..PointView::default()
    })
}
