//! Charts: what is drawn where, scaled, ordered and labelled. Renderers add nothing but pixels.
//!
//! [`ChartView`] is the one to read first: report.html and the SVG files beside report.md are both
//! drawn from it.

mod axis;
mod batch;
mod cast;
mod latency;
mod loading;
mod memory;
mod operators;
mod pareto;
mod timeline;
mod view;
mod waterfall;

pub use axis::{AxisView, Scale, Tick};
pub use view::{ChartView, Form, PointView, SeriesView, Topic};

use crate::report::words::Source;
use axis::Measure;
use cast::{Cast, Drawn};

pub(in crate::report) fn latency(source: Source<'_>) -> Topic {
    Topic::of(vec![(
        "Latency distributions",
        latency::chart(source, &Cast::of(source)),
    )])
}

pub(in crate::report) fn batch(source: Source<'_>) -> Topic {
    Topic::of(batch::charts(source, &Cast::of(source)))
}

pub(in crate::report) fn pareto(source: Source<'_>) -> Topic {
    Topic::of(vec![("Latency against accuracy", pareto::chart(source))])
}

pub(in crate::report) fn memory(source: Source<'_>) -> Topic {
    Topic::of(vec![("Memory", memory::chart(source))])
}

pub(in crate::report) fn operators(source: Source<'_>) -> Topic {
    Topic::of(vec![(
        "Time in operators",
        operators::chart(source, &Cast::of(source)),
    )])
}

pub(in crate::report) fn waterfall(source: Source<'_>) -> Topic {
    Topic::of(waterfall::charts(source))
}

pub(in crate::report) fn timeline(source: Source<'_>) -> Topic {
    Topic::of(timeline::charts(source, &Cast::of(source)))
}

pub(in crate::report) fn loading(source: Source<'_>) -> Topic {
    Topic::of(vec![("Loading", loading::chart(source))])
}
