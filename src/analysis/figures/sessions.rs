//! Figures of every session: loading, memory, file size and what its outputs were worth.

use super::over_launches::LAUNCHES_WANTED;
use super::{
    CellFindings, Cells, Counted, Estimate, Figure, Index, OfSession, SessionFindings, Source,
    median, outputs, source,
};
use crate::metric::{Group, Metric, Unit};
use crate::record::{Outcome, RunRecord};
use crate::units::Bytes;

const NOT_REPORTED: &str = "no launch came so far, or the system does not tell";

pub(in crate::analysis) fn all(index: &Index<'_>, cells: &Cells) -> Vec<SessionFindings> {
    let mut of_session: Vec<Vec<&CellFindings>> =
        vec![Vec::new(); index.record.plan.sessions.len()];
    cells
        .iter()
        .for_each(|cell| of_session[cell.key.session].push(cell));
    of_session
        .iter()
        .enumerate()
        .map(|(session, cells)| findings(index, session, cells))
        .collect()
}

fn findings(index: &Index<'_>, session: usize, cells: &[&CellFindings]) -> SessionFindings {
    let launches = index.launches(session);
    let outcome = outcome(index, session, cells);
    let scored = outputs::findings(index, session);
    let found = Found {
        index,
        session,
        cells,
    };
    let mut figures: Vec<Figure> = found.figures().collect();
    if let Some(reason) = outcome.reason() {
        let unmeasured = figures
            .iter_mut()
            .filter(|figure| figure.estimate.measured().is_none());
        unmeasured.for_each(|figure| figure.estimate = Estimate::absent(reason));
    }
    figures.extend(scored.figures);
    SessionFindings {
        session,
        label: index.record.session_label(session),
        is_baseline: index.baseline == Some(session),
        outcome,
        launches_count: launches
            .iter()
            .filter(|launch| launch.outcome.is_ok())
            .count() as u64,
        failed_launches_count: found.failed_launches_count(),
        all_launches_count: found.all_launches_count(),
        launch_failure: index
            .record
            .failed_launches(Some(session))
            .next()
            .map(|failure| failure.message.clone()),
        figures,
        accuracy: scored.findings,
        log_warnings_count: launches
            .iter()
            .filter_map(|launch| launch.log_warnings_count)
            .sum(),
        log_errors_count: launches
            .iter()
            .filter_map(|launch| launch.log_errors_count)
            .sum(),
    }
}

/// Well if any of its cells was measured, else as its variant, its first failed launch or its first
/// cell did.
fn outcome(index: &Index<'_>, session: usize, cells: &[&CellFindings]) -> Outcome {
    if cells.iter().any(|cell| cell.outcome.is_ok()) {
        return Outcome::Ok;
    }
    let variant = &index.record.variants[index.record.plan.sessions[session].variant].outcome;
    let launches = index.launches(session).iter().map(|launch| &launch.outcome);
    let cells = cells.iter().map(|cell| &cell.outcome);
    let told = std::iter::once(variant)
        .chain(launches)
        .chain(cells)
        .find(|outcome| !outcome.is_ok());
    told.cloned().unwrap_or_else(|| Outcome::Skipped {
        reason: "the plan has no cell for it".into(),
    })
}

struct Found<'a> {
    index: &'a Index<'a>,
    session: usize,
    cells: &'a [&'a CellFindings],
}

impl Found<'_> {
    /// In the order in which reports list them.
    fn figures(&self) -> impl Iterator<Item = Figure> {
        let on_gpu = self.index.record.plan.sessions[self.session]
            .nvidia_device()
            .is_some();
        let of_cells = Group::Launch
            .metrics()
            .chain(Group::Gpu.metrics().filter(move |_| on_gpu));
        let sizes = of_cells.filter(|metric| metric.unit() == Unit::Bytes);
        let metrics = Group::Loading
            .metrics()
            .chain(sizes)
            .chain(Group::Session.metrics());
        metrics.filter_map(|metric| {
            Some(Figure {
                metric,
                estimate: self.figure(metric)?,
            })
        })
    }

    /// `None` of outputs, whose figures are made elsewhere.
    fn figure(&self, metric: Metric) -> Option<Estimate> {
        let of_session = match source(metric) {
            Source::Cell(_) => return Some(largest_cell(self.cells, metric)),
            Source::Session(of_session) => of_session,
        };
        match of_session {
            OfSession::Launches(value) => {
                let launches = self.index.launches(self.session).iter();
                let values: Vec<f64> = launches.filter_map(|launch| value(launch)).collect();
                let median = median(&values, NOT_REPORTED);
                Some(if metric.unit() == Unit::Ns {
                    with_few(median)
                } else {
                    median
                })
            }
            OfSession::Files => Some(file_size(self.index, self.session)),
            OfSession::Failures => Some(self.failed_launches()),
            OfSession::Scores(_) | OfSession::Agreement(_) => None,
        }
    }

    fn failed_launches_count(&self) -> u64 {
        self.index
            .record
            .failed_launches(Some(self.session))
            .count() as u64
    }

    fn all_launches_count(&self) -> u64 {
        let lost = self
            .index
            .record
            .lost_workers
            .iter()
            .filter(|lost| lost.session == self.session);
        self.index.launches(self.session).len() as u64 + lost.count() as u64
    }

    fn failed_launches(&self) -> Estimate {
        match self.all_launches_count() {
            0 => Estimate::absent("it was not launched"),
            all => Estimate::exact(self.failed_launches_count() as f64, all, Counted::Launches),
        }
    }
}

fn with_few(mut estimate: Estimate) -> Estimate {
    if let Estimate::Measured(measured) = &mut estimate
        && measured.n < LAUNCHES_WANTED
    {
        let before = measured
            .remark
            .as_ref()
            .map(|remark| format!("; {}", remark.exact()))
            .unwrap_or_default();
        measured.remark = Some(format!("fewer than {LAUNCHES_WANTED} launches{before}").into());
    }
    estimate
}

/// Private memory of a session's workers just before the session was created, in bytes: median over
/// launches.
#[must_use]
pub fn before_load_memory(record: &RunRecord, session: usize) -> Estimate {
    let launches = record
        .launches
        .iter()
        .filter(|launch| launch.session == session);
    let values: Vec<f64> = launches
        .filter_map(|launch| launch.before_load_memory_bytes)
        .map(Bytes::as_f64)
        .collect();
    median(&values, NOT_REPORTED)
}

fn largest_cell(cells: &[&CellFindings], metric: Metric) -> Estimate {
    let estimates: Vec<&Estimate> = cells
        .iter()
        .filter_map(|cell| cell.figure(metric))
        .collect();
    let measured = estimates
        .iter()
        .copied()
        .filter(|estimate| estimate.measured().is_some());
    let largest = measured.max_by(|one, other| {
        one.value()
            .unwrap_or(0.0)
            .total_cmp(&other.value().unwrap_or(0.0))
    });
    largest
        .or(estimates.first().copied())
        .cloned()
        .unwrap_or_else(|| Estimate::absent(NOT_REPORTED))
}

pub(in crate::analysis) fn file_size(index: &Index<'_>, session: usize) -> Estimate {
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
