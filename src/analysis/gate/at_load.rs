//! Figures under load, of a way of serving and a rate.

use serde::Serialize;

use super::verdict::{self, Basis, GateVerdict, Judgement};
use crate::analysis::figures::{Bounds, Estimate};
use crate::analysis::load::{LoadCandidate, LoadPoint};
use crate::check::Side;
use crate::metric::{Group, Metric};
use crate::plan::{LoadPlan, Serving};
use crate::record::RunRecord;
use crate::text::Plain;
use crate::units::PerSecond;

/// Why a run has none of these figures.
pub(super) const NOT_UNDER_LOAD: &str =
    "no requests arrived by themselves in this run: measure with `onnxprof load`";

const RATE_NOT_NAMED: &str = "the run searched for a rate, and was asked for none: name one that it measured with `rate`, or check `rate_at_slo`";

/// Where a figure under load was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadPlace {
    /// Index into the run's ways of serving.
    pub serving: usize,
    /// Requests per second, or virtual users; absent of what is over all rates.
    pub asked: Option<PerSecond>,
}

/// A candidate, at one of its rates where the figure is one of a rate.
#[derive(Clone, Copy)]
pub(super) struct AtLoad<'a> {
    pub(super) candidate: &'a LoadCandidate,
    pub(super) point: Option<&'a LoadPoint>,
}

impl AtLoad<'_> {
    pub(super) fn figure(&self, metric: Metric) -> Estimate {
        match (metric.group(), self.point) {
            (Group::Requests, Some(point)) => of_point(point, metric),
            (Group::Requests, None) => Estimate::absent(RATE_NOT_NAMED),
            _ => self
                .candidate
                .figure(metric)
                .cloned()
                .unwrap_or_else(|| Estimate::absent(NOT_UNDER_LOAD)),
        }
    }

    /// `None` where something came to its end.
    pub(super) fn failure(&self) -> Option<String> {
        let segments = &self.point?.segments;
        let failure = segments.failures.first()?;
        (segments.valid_count == 0 && segments.invalid.is_empty())
            .then(|| format!("it failed: {}", failure.message.exact()))
    }

    pub(super) fn place(&self) -> LoadPlace {
        LoadPlace {
            serving: self.candidate.key.serving,
            asked: self.point.map(|point| point.asked),
        }
    }

    /// As it follows the name of the session.
    pub(super) fn words(&self, record: &RunRecord) -> Plain {
        let Some(plan) = &record.plan.load else {
            return Plain::default();
        };
        let serving = (plan.servings.len() > 1)
            .then(|| serving_words(&plan.servings[self.candidate.key.serving]));
        let rate = self.point.map(|point| rate_words(plan, point.asked));
        let words: Vec<String> = serving.into_iter().chain(rate).collect();
        words
            .iter()
            .map(|words| format!(", {words}"))
            .collect::<String>()
            .into()
    }
}

/// Of a point of which nothing counts, why.
fn of_point(point: &LoadPoint, metric: Metric) -> Estimate {
    if let (false, Some(invalid)) = (point.is_valid(), point.segments.invalid.first()) {
        return Estimate::absent(&invalid.reason);
    }
    point
        .figure(metric)
        .cloned()
        .unwrap_or_else(|| Estimate::absent(NOT_UNDER_LOAD))
}

fn rate_words(plan: &LoadPlan, asked: PerSecond) -> String {
    let rounded = (asked.0 * 10.0).round() / 10.0;
    match plan.is_of_users() {
        true => format!("{rounded} virtual users"),
        false => format!("{rounded} requests/s"),
    }
}

fn serving_words(serving: &Serving) -> String {
    let batcher = serving.batcher.as_ref();
    let batcher = batcher.map(|batcher| format!(", batcher {batcher}"));
    format!(
        "callers {}, sessions {}, processes {}{}",
        serving.callers,
        serving.sessions,
        serving.processes,
        batcher.unwrap_or_default()
    )
}

/// Bounds decide too, each of which holds with 95% confidence on its own.
pub(super) fn judge(figure: &Estimate, side: Side, budget: f64) -> Judgement {
    let bounds = match figure {
        Estimate::Measured(measured) if measured.interval.is_none() => measured.bounds,
        Estimate::Absent { bounds, .. } => *bounds,
        Estimate::Measured(_) => None,
    };
    match bounds.and_then(|bounds| by_bounds(bounds, side, budget)) {
        Some(verdict) => Judgement::by(Basis::Bound, verdict),
        None => verdict::judge(figure, side, budget),
    }
}

fn by_bounds(bounds: Bounds, side: Side, budget: f64) -> Option<GateVerdict> {
    let (worse, better) = match side {
        Side::AtMost => (bounds.at_most, bounds.at_least),
        Side::AtLeast => (bounds.at_least, bounds.at_most),
    };
    if worse.is_some_and(|bound| side.allows(bound, budget)) {
        return Some(GateVerdict::Pass);
    }
    better
        .is_some_and(|bound| !side.allows(bound, budget))
        .then_some(GateVerdict::Fail)
}
