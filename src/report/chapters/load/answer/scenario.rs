//! What a scenario of MLPerf Inference counts.

use crate::analysis::Estimate;
use crate::analysis::load::{LoadCandidate, LoadPoint};
use crate::metric::Unit;
use crate::record::LoadStage;
use crate::report::words::load::Load;
use crate::report::words::{self, plain};

pub(super) fn single_stream(load: Load<'_>, candidate: &LoadCandidate) -> String {
    let shown = figure(candidate, |point| &point.response.p90, Unit::Ns);
    format!(
        "{}: SingleStream, 90th percentile of latency {shown}",
        load.name(candidate.key)
    )
}

pub(super) fn multi_stream(load: Load<'_>, candidate: &LoadCandidate) -> String {
    let shown = figure(candidate, |point| &point.response.p99, Unit::Ns);
    format!(
        "{}: MultiStream, 99th percentile of latency {shown}",
        load.name(candidate.key)
    )
}

pub(super) fn offline(load: Load<'_>, candidate: &LoadCandidate) -> String {
    let shown = figure(
        candidate,
        |point| &point.flow.achieved_per_sec,
        Unit::PerSec,
    );
    format!(
        "{}: Offline, {}",
        load.name(candidate.key),
        shown.replacen("/s", " samples/s", 1)
    )
}

/// Of what the scenario asked for, or why there is none.
fn figure(candidate: &LoadCandidate, of: fn(&LoadPoint) -> &Estimate, unit: Unit) -> String {
    let Some(point) = candidate.of_stage(LoadStage::Asked).last() else {
        return words::not_measured("no segment came to its end");
    };
    match of(point) {
        Estimate::Absent { reason, .. } => words::not_measured(&plain(reason)),
        Estimate::Measured(_) => words::amount(unit, of(point)),
    }
}
