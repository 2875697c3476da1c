//! Parts of an inference: times of nodes at one level, with what is open about them.

use serde::Serialize;

use super::span::Span;
use super::{NodeTimes, Undistorted};
use crate::analysis::Interval;
use crate::plan::ExecutionMode;
use crate::record::Profiled;
use crate::stats;
use crate::units::{Nanos, Ratio};

/// Up to so many times as long an inference may take with the profiler, so that shares of its
/// operators without it are known as one number; beyond, they are ranges.
pub const SURE_DISTORTION: f64 = 2.0;

/// What the times of a [`Breakdown`](super::Breakdown) are times of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeLevel {
    /// The timed launches: they add up to their median latency.
    Timed,
    /// Inferences of the profiled launch without the profiler, where none was timed.
    Unprofiled,
    /// Inferences with the profiler.
    Profiled,
}

/// Time in some nodes, or in none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Portion {
    /// Time for one inference.
    pub time_ns: Nanos,
    /// Share of the time in all nodes, or of the inference where it is time in no node.
    pub share: Ratio,
    /// Between what both lie, where the profiler makes an inference take more than
    /// [`SURE_DISTORTION`] times as long; absent where it does not, and of traces that tell nothing
    /// of that.
    pub bounds: Option<PortionBounds>,
}

/// Between what a portion lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PortionBounds {
    /// The time, in nanoseconds.
    pub time_ns: Interval,
    /// The share.
    pub share: Interval,
}

impl Portion {
    /// Several portions of the same whole together.
    #[must_use]
    pub fn together(portions: impl Iterator<Item = Portion>) -> Portion {
        portions
            .reduce(|one, other| Portion {
                time_ns: one.time_ns + other.time_ns,
                share: Ratio(one.share.0 + other.share.0),
                bounds: one
                    .bounds
                    .zip(other.bounds)
                    .map(|(one, other)| PortionBounds {
                        time_ns: sum(one.time_ns, other.time_ns),
                        share: Interval {
                            high: (one.share.high + other.share.high).min(1.0),
                            ..sum(one.share, other.share)
                        },
                    }),
            })
            .unwrap_or_default()
    }

    /// Time that is surely in it, in nanoseconds.
    #[must_use]
    pub fn sure_ns(&self) -> f64 {
        self.bounds
            .map_or(self.time_ns.as_f64(), |bounds| bounds.time_ns.low)
    }

    /// Whether its bounds tell anything of it.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.bounds
            .is_none_or(|bounds| bounds.share.low > 0.0 || bounds.share.high < 1.0)
    }
}

fn sum(one: Interval, other: Interval) -> Interval {
    Interval {
        low: one.low + other.low,
        high: one.high + other.high,
    }
}

/// Times of all nodes of a profile at one level.
pub(super) struct Times {
    pub(super) level: TimeLevel,
    pub(super) whole_ns: f64,
    pub(super) all: Span,
    /// By the place of the node.
    spans: Vec<Span>,
    /// `None` where nodes may run side by side.
    between: Option<Span>,
    has_bounds: bool,
}

impl Times {
    /// As the profiler has them.
    pub(super) fn profiled(profiled: &Profiled) -> Self {
        let of = NodeTimes::of(profiled);
        let nodes = profiled.nodes.iter();
        let spans: Vec<Span> = nodes
            .map(|node| Span::exact(of.time_ns(node).as_f64()))
            .collect();
        Times {
            level: TimeLevel::Profiled,
            whole_ns: profiled.mean_inference_ns.as_f64(),
            all: spans.iter().copied().sum(),
            spans,
            between: None,
            has_bounds: false,
        }
    }

    /// Without the profiler, so that a whole inference takes `timed_ns`, the median of the timed
    /// launches, where there is one. With neither that nor an inference beside the profiled ones,
    /// nothing is known of what the profiler adds.
    pub(super) fn without_profiler(
        profiled: &Profiled,
        mode: ExecutionMode,
        timed_ns: Option<f64>,
    ) -> Self {
        // What a device takes is not part of the time of the host.
        let is_of_device = NodeTimes::of(profiled) != NodeTimes::Host;
        if is_of_device || (profiled.unprofiled_ns.is_none() && timed_ns.is_none()) {
            return Times::profiled(profiled);
        }
        let times = match mode {
            ExecutionMode::Sequential => Undistorted::in_turn(profiled),
            ExecutionMode::Parallel => Undistorted::side_by_side(profiled),
        };
        let whole_ns = timed_ns.unwrap_or(times.whole_ns());
        let has_bounds = distortion(profiled, timed_ns) > SURE_DISTORTION;
        let leveling = Leveling {
            factor: whole_ns / times.whole_ns(),
            // Nothing tells what the profiler added to which node.
            open_up_to_ns: (has_bounds && profiled.unprofiled_ns.is_none()).then_some(whole_ns),
        };
        let nodes = profiled.nodes.iter();
        let spans: Vec<Span> = nodes.map(|node| leveling.of(times.span(node))).collect();
        Times {
            level: timed_ns.map_or(TimeLevel::Unprofiled, |_| TimeLevel::Timed),
            whole_ns,
            all: spans.iter().copied().sum(),
            between: times.between.map(|span| leveling.of(span)),
            spans,
            has_bounds,
        }
    }

    /// Of nodes, by their places.
    pub(super) fn portion(&self, places: &[usize]) -> Portion {
        let own: Span = places.iter().map(|&place| self.spans[place]).sum();
        Portion {
            time_ns: Nanos(own.time_ns.round() as u64),
            share: share(own.time_ns, self.all.time_ns),
            bounds: self.has_bounds.then(|| self.bounds(own)),
        }
    }

    fn bounds(&self, own: Span) -> PortionBounds {
        let others = self.all - own;
        // Nodes that run side by side may take longer than the inference.
        let Some(between) = self.between else {
            return PortionBounds {
                time_ns: ends(own),
                share: Interval {
                    low: quotient(own.low_ns, own.low_ns + others.high_ns),
                    high: quotient(own.high_ns, own.high_ns + others.low_ns),
                },
            };
        };
        let within = own.beside(others + between, self.whole_ns);
        let all = self.all.beside(between, self.whole_ns);
        PortionBounds {
            time_ns: ends(within),
            share: Interval {
                low: quotient(own.low_ns, all.high_ns)
                    .max(1.0 - quotient(others.high_ns, all.low_ns)),
                high: quotient(own.high_ns, all.low_ns)
                    .min(1.0 - quotient(others.low_ns, all.high_ns)),
            },
        }
    }

    /// What is in no node; `None` where nodes take longer than the inference.
    pub(super) fn between(&self) -> Option<Portion> {
        let time_ns = self.whole_ns - self.all.time_ns;
        // Rounding leaves less than a nanosecond.
        (time_ns > -1.0).then(|| Portion {
            time_ns: Nanos(time_ns.round() as u64),
            share: share(time_ns.max(0.0), self.whole_ns),
            bounds: self
                .between
                .filter(|_| self.has_bounds)
                .map(|between| self.bounds_between(between)),
        })
    }

    fn bounds_between(&self, between: Span) -> PortionBounds {
        let time_ns = ends(between.beside(self.all, self.whole_ns));
        PortionBounds {
            time_ns,
            share: Interval {
                low: quotient(time_ns.low, self.whole_ns),
                high: quotient(time_ns.high, self.whole_ns),
            },
        }
    }
}

/// Brings times of a profiled launch to those of timed ones.
#[derive(Clone, Copy)]
struct Leveling {
    factor: f64,
    /// Anything from nothing to this much, where that is all that is known.
    open_up_to_ns: Option<f64>,
}

impl Leveling {
    fn of(self, span: Span) -> Span {
        let span = span.scaled(self.factor);
        match self.open_up_to_ns {
            None => span,
            Some(most_ns) => Span {
                low_ns: 0.0,
                high_ns: most_ns.max(span.time_ns),
                ..span
            },
        }
    }
}

/// How many times as long an inference takes with the profiler: beside those without it in one
/// launch, else against the timed launches; 1 where nothing tells of more.
pub(in crate::analysis) fn distortion(profiled: &Profiled, timed_ns: Option<f64>) -> f64 {
    let paired = stats::over_launches(&profiled.distortion_ratios).map(|found| found.value);
    let unprofiled_ns = profiled.unprofiled_ns.map(Nanos::as_f64).or(timed_ns);
    let of_medians = unprofiled_ns
        .map(|unprofiled_ns| profiled.mean_inference_ns.as_f64() / unprofiled_ns.max(1.0));
    paired.or(of_medians).unwrap_or(1.0).max(1.0)
}

fn ends(span: Span) -> Interval {
    Interval {
        low: span.low_ns,
        high: span.high_ns,
    }
}

/// Share of a whole, at most all of it; 0 of nothing.
fn share(part: f64, whole: f64) -> Ratio {
    Ratio(if whole > 0.0 { part / whole } else { 0.0 })
}

/// Of at most all.
fn quotient(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        (part / whole).min(1.0)
    } else {
        1.0
    }
}
