//! Charts: what is drawn where, scaled, ordered and labelled. Renderers add nothing but pixels.
//!
//! [`ChartView`] is the one to read first: report.html and the SVG files beside report.md are both
//! drawn from it.

mod axis;
mod cast;
mod latency;
pub(super) mod load;
mod loading;
mod memory;
mod operators;
mod pareto;
mod runs;
mod search;
mod sweep;
mod timeline;
mod view;
mod waterfall;

pub use axis::{AxisView, Scale, Tick};
pub use view::{ChartView, Form, PointView, SeriesView, Topic};

pub(super) use runs::{RatioLine, RatioPoint, over_batches, ratios};
pub(super) use sweep::Traced;
pub(super) use view::Drawing;

use crate::report::words::Source;
use axis::Measure;
use cast::Cast;

pub(super) fn latency(source: Source<'_>) -> Topic {
    Topic::of([("Latency distributions", latency::chart(&Cast::of(source)))])
}

pub(super) fn sweeps(source: Source<'_>) -> Topic {
    Topic::of(sweep::charts(&Cast::of(source)))
}

pub(super) fn pareto(source: Source<'_>) -> Topic {
    Topic::of([("Latency against accuracy", pareto::chart(source))])
}

pub(super) fn search(source: Source<'_>) -> Topic {
    Topic::of([("Throughput over latency", search::chart(source))])
}

pub(super) fn memory(source: Source<'_>) -> Topic {
    Topic::of([("Memory", memory::chart(source))])
}

pub(super) fn operators(source: Source<'_>) -> Topic {
    Topic::of(operators::charts(&Cast::of(source)))
}

pub(super) fn waterfall(source: Source<'_>) -> Topic {
    Topic::of(waterfall::charts(source))
}

pub(super) fn timeline(source: Source<'_>) -> Topic {
    Topic::of(timeline::charts(&Cast::of(source)))
}

/// Of [`timeline()`], the chart in which other work shows.
pub(super) fn machine_over_time(source: Source<'_>) -> Topic {
    let [latency, ..] = timeline::charts(&Cast::of(source));
    Topic::of([latency])
}

/// What [`machine_over_time`] leaves of [`timeline()`].
pub(super) fn resources_over_time(source: Source<'_>) -> Topic {
    let [_, resources @ ..] = timeline::charts(&Cast::of(source));
    Topic::of(resources)
}

pub(super) fn loading(source: Source<'_>) -> Topic {
    Topic::of([("Loading", loading::chart(source))])
}
