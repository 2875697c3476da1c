//! Figures of one session: loading, memory, file size and what its outputs were worth.

use super::accuracy;
use super::figures::{CellFindings, SessionFindings};
use super::figures::{Counted, Estimate, Figure};
use super::index::Index;
use super::over_launches::{LAUNCHES_WANTED, median};
use crate::metric::Metric;
use crate::record::{LaunchRecord, Outcome, RunRecord};
use crate::units::{Bytes, Nanos};

/// Why a figure is absent that every launch should have.
const NOT_REPORTED: &str = "no launch came so far, or the system does not tell";

/// What was found of a session; `cells` are its own.
pub(super) fn findings(index: &Index<'_>, session: usize, cells: &[&CellFindings]) -> SessionFindings {
    let launches = index.launches(session);
    let outcome = outcome(index, session, cells);
    let scored = accuracy::findings(index, session);
    let mut figures = load_figures(launches);
    figures.extend(memory_figures(launches, cells));
    if index.record.plan.sessions[session].nvidia_device().is_some() {
        let estimate = largest_cell(cells, Metric::GpuMemoryPeak);
        figures.push(Figure { metric: Metric::GpuMemoryPeak, estimate });
    }
    figures.push(Figure { metric: Metric::FileSize, estimate: file_size(index, session) });
    let failed_launches_count = index.record.failed_launches(Some(session)).count() as u64;
    let all_launches_count = launches.len() as u64 + lost_count(index.record, session);
    figures.push(failed_launches(failed_launches_count, all_launches_count));
    if let Some(reason) = outcome.reason() {
        let unmeasured = figures.iter_mut().filter(|figure| figure.estimate.measured().is_none());
        unmeasured.for_each(|figure| figure.estimate = Estimate::absent(reason));
    }
    figures.extend(scored.figures);
    SessionFindings {
        session,
        label: index.record.session_label(session),
        is_baseline: index.baseline == Some(session),
        outcome,
        launches_count: launches.iter().filter(|launch| launch.outcome.is_ok()).count() as u64,
        failed_launches_count,
        all_launches_count,
        launch_failure: index.record.failed_launches(Some(session)).next().map(|failure| failure.message.clone()),
        figures,
        accuracy: scored.findings,
        log_warnings_count: launches.iter().filter_map(|launch| launch.log_warnings_count).sum(),
        log_errors_count: launches.iter().filter_map(|launch| launch.log_errors_count).sum(),
    }
}

fn lost_count(record: &RunRecord, session: usize) -> u64 {
    record.lost_workers.iter().filter(|lost| lost.session == session).count() as u64
}

/// Failed launches; without a single one nothing is known of them.
fn failed_launches(failed: u64, all: u64) -> Figure {
    let estimate = match all {
        0 => Estimate::absent("it was not launched"),
        all => Estimate::exact(failed as f64, all, Counted::Launches),
    };
    Figure { metric: Metric::FailedLaunches, estimate }
}

/// How a session ended: well if any of its cells was measured, else as its variant, its first failed launch or its
/// first cell did.
fn outcome(index: &Index<'_>, session: usize, cells: &[&CellFindings]) -> Outcome {
    if cells.iter().any(|cell| cell.outcome.is_ok()) {
        return Outcome::Ok;
    }
    let variant = &index.record.variants[index.record.plan.sessions[session].variant].outcome;
    let launches = index.launches(session).iter().map(|launch| &launch.outcome);
    let cells = cells.iter().map(|cell| &cell.outcome);
    let told = std::iter::once(variant).chain(launches).chain(cells).find(|outcome| !outcome.is_ok());
    told.cloned().unwrap_or_else(|| Outcome::Skipped { reason: "the plan has no cell for it".into() })
}

fn load_figures(launches: &[&LaunchRecord]) -> Vec<Figure> {
    let time = |metric, value: fn(&LaunchRecord) -> Option<Nanos>| {
        let values: Vec<f64> = launches.iter().filter_map(|launch| value(launch)).map(Nanos::as_f64).collect();
        Figure { metric, estimate: with_few(median(&values, NOT_REPORTED)) }
    };
    vec![
        time(Metric::RuntimeStart, |launch| launch.runtime_start_ns),
        time(Metric::SessionLoad, |launch| launch.session_load_ns),
        time(Metric::FirstRun, |launch| launch.first_run_ns),
        time(Metric::TimeToFirstPrediction, |launch| {
            Some(launch.runtime_start_ns? + launch.session_load_ns? + launch.first_run_ns?)
        }),
    ]
}

/// The same estimate; if it rests on few launches, it says so.
fn with_few(mut estimate: Estimate) -> Estimate {
    if let Estimate::Measured(measured) = &mut estimate
        && measured.n < LAUNCHES_WANTED
    {
        let before = measured.remark.as_ref().map(|remark| format!("; {}", remark.exact())).unwrap_or_default();
        measured.remark = Some(format!("fewer than {LAUNCHES_WANTED} launches{before}").into());
    }
    estimate
}

fn memory_figures(launches: &[&LaunchRecord], cells: &[&CellFindings]) -> Vec<Figure> {
    let model_memory = |launch: &&LaunchRecord| {
        let (Bytes(before), Bytes(after)) = (launch.before_load_memory_bytes?, launch.after_load_memory_bytes?);
        Some(after as f64 - before as f64)
    };
    let values: Vec<f64> = launches.iter().filter_map(model_memory).collect();
    let over_cells = |metric| Figure { metric, estimate: largest_cell(cells, metric) };
    vec![
        Figure { metric: Metric::ModelMemory, estimate: median(&values, NOT_REPORTED) },
        over_cells(Metric::PeakMemory),
        over_cells(Metric::PeakMemoryAboveLoad),
        over_cells(Metric::ArenaPeak),
    ]
}

/// Private memory of a session's workers just before the session was created, in bytes: median over launches.
#[must_use]
pub fn before_load_memory(record: &RunRecord, session: usize) -> Estimate {
    let launches = record.launches.iter().filter(|launch| launch.session == session);
    let values: Vec<f64> = launches.filter_map(|launch| launch.before_load_memory_bytes).map(Bytes::as_f64).collect();
    median(&values, NOT_REPORTED)
}

/// The largest figure of a session's cells, as it was measured there.
fn largest_cell(cells: &[&CellFindings], metric: Metric) -> Estimate {
    let estimates = || cells.iter().filter_map(|cell| cell.figure(metric));
    let measured = estimates().filter(|estimate| estimate.measured().is_some());
    let largest = measured.max_by(|one, other| one.value().unwrap_or(0.0).total_cmp(&other.value().unwrap_or(0.0)));
    largest.or(estimates().next()).cloned().unwrap_or_else(|| Estimate::absent(NOT_REPORTED))
}

pub(super) fn file_size(index: &Index<'_>, session: usize) -> Estimate {
    let variant = &index.record.variants[index.record.plan.sessions[session].variant];
    match (&variant.model, variant.outcome.reason()) {
        (Some(model), _) => {
            let files = 1 + model.external_files.len() as u64;
            Estimate::exact(model.file_size_bytes.as_f64(), files, Counted::Files)
        }
        (None, Some(reason)) => Estimate::absent(reason),
        (None, None) => Estimate::absent("the model file was not read"),
    }
}
