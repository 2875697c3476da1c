//! Figures of every session: loading, memory, file size and what its outputs were worth.

use super::over_launches::LAUNCHES_WANTED;
use super::remote;
use super::{
    CellFindings, Cells, Counted, Estimate, Figure, Index, OfSession, SessionFindings, Source,
    median, outputs, source,
};
use crate::metric::{Group, Metric, Unit};
use crate::record::{Outcome, RunRecord};

pub(in crate::analysis) const NOT_REPORTED: &str =
    "no launch came so far, or the system does not tell";

pub(in crate::analysis) fn all(index: &Index<'_>, cells: &Cells) -> Vec<SessionFindings> {
    let mut of_session: Vec<Vec<&CellFindings>> =
        vec![Vec::new(); index.record.plan.sessions.len()];
    for cell in cells {
        of_session[cell.key.session].push(cell);
    }
    of_session
        .iter()
        .enumerate()
        .map(|(session, cells)| {
            Found {
                index,
                session,
                cells,
            }
            .findings()
        })
        .collect()
}

struct Found<'a> {
    index: &'a Index<'a>,
    session: usize,
    cells: &'a [&'a CellFindings],
}

impl Found<'_> {
    fn findings(&self) -> SessionFindings {
        let Found { index, session, .. } = *self;
        let outcome = self.outcome();
        let scored = outputs::findings(index, session);
        let mut figures: Vec<Figure> = self.figures().collect();
        if let Some(reason) = outcome.reason() {
            figures
                .iter_mut()
                .filter(|figure| figure.estimate.measured().is_none())
                .for_each(|figure| figure.estimate = Estimate::absent(reason));
        }
        figures.extend(scored.figures);
        let launches = index.launches(session).iter();
        SessionFindings {
            session,
            label: index.record.session_label(session),
            is_baseline: index.baseline == Some(session),
            outcome,
            launches_count: launches
                .clone()
                .filter(|launch| launch.outcome.is_ok())
                .count() as u64,
            failed_launches_count: self.failed_launches_count(),
            all_launches_count: self.all_launches_count(),
            launch_failure: index
                .record
                .failed_launches(Some(session))
                .next()
                .map(|failure| failure.message.clone()),
            figures,
            accuracy: scored.findings,
            log_warnings_count: launches
                .clone()
                .filter_map(|launch| launch.log_warnings_count)
                .sum(),
            log_errors_count: launches.filter_map(|launch| launch.log_errors_count).sum(),
        }
    }

    /// Well if any of its cells was measured, else as its variant, its first failed launch or its
    /// first cell did.
    fn outcome(&self) -> Outcome {
        let cells = self.cells.iter().map(|cell| &cell.outcome);
        if cells.clone().any(Outcome::is_ok) {
            return Outcome::Ok;
        }
        std::iter::once(&self.index.record.variant_of(self.session).outcome)
            .chain(
                self.index
                    .launches(self.session)
                    .iter()
                    .map(|launch| &launch.outcome),
            )
            .chain(cells)
            .find(|outcome| !outcome.is_ok())
            .cloned()
            .unwrap_or_else(|| Outcome::Skipped {
                reason: "the plan has no cell for it".into(),
            })
    }

    /// In the order in which reports list them.
    fn figures(&self) -> impl Iterator<Item = Figure> {
        let on_gpu = self.index.is_on_gpu(self.session);
        Group::Loading
            .metrics()
            .chain(
                Group::Launch
                    .metrics()
                    .chain(Group::Gpu.metrics().filter(move |_| on_gpu))
                    .filter(|metric| metric.unit() == Unit::Bytes),
            )
            .chain(Group::Session.metrics())
            .filter_map(|metric| {
                Some(Figure {
                    metric,
                    estimate: self.figure(metric)?,
                })
            })
    }

    /// `None` of outputs, whose figures are made elsewhere.
    fn figure(&self, metric: Metric) -> Option<Estimate> {
        if let Some(reason) = remote::why_not(self.index.record, self.session, metric) {
            return Some(Estimate::absent(reason));
        }
        Some(match source(metric) {
            Source::Cell(_) => largest_cell(self.cells, metric),
            Source::Session(OfSession::Launches(value)) => {
                let median = median(
                    &self
                        .index
                        .launches(self.session)
                        .iter()
                        .filter_map(|launch| value(launch))
                        .collect::<Vec<_>>(),
                    NOT_REPORTED,
                );
                if metric.unit() == Unit::Ns {
                    with_few(median)
                } else {
                    median
                }
            }
            Source::Session(OfSession::Files) => file_size(self.index, self.session),
            Source::Session(OfSession::Failures) => self.failed_launches(),
            Source::Session(OfSession::Scores(_) | OfSession::Agreement(_)) | Source::Load(_) => {
                return None;
            }
        })
    }

    fn failed_launches_count(&self) -> u64 {
        self.index
            .record
            .failed_launches(Some(self.session))
            .count() as u64
    }

    fn all_launches_count(&self) -> u64 {
        self.index.launches(self.session).len() as u64
            + self
                .index
                .record
                .lost_workers
                .iter()
                .filter(|lost| lost.session == self.session)
                .count() as u64
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
    median(
        &record
            .launches
            .iter()
            .filter(|launch| launch.session == session)
            .filter_map(|launch| Some(launch.before_load_memory_bytes?.as_f64()))
            .collect::<Vec<_>>(),
        NOT_REPORTED,
    )
}

fn largest_cell(cells: &[&CellFindings], metric: Metric) -> Estimate {
    let estimates: Vec<&Estimate> = cells
        .iter()
        .filter_map(|cell| cell.figure(metric))
        .collect();
    estimates
        .iter()
        .copied()
        .filter(|estimate| estimate.measured().is_some())
        .max_by(|one, other| {
            one.value()
                .unwrap_or(0.0)
                .total_cmp(&other.value().unwrap_or(0.0))
        })
        .or(estimates.first().copied())
        .cloned()
        .unwrap_or_else(|| Estimate::absent(NOT_REPORTED))
}

pub(in crate::analysis) fn file_size(index: &Index<'_>, session: usize) -> Estimate {
    let variant = index.record.variant_of(session);
    match (&variant.model, variant.outcome.reason()) {
        (Some(model), _) => Estimate::exact(
            model.file_size_bytes.as_f64(),
            1 + model.external_files.len() as u64,
            Counted::Files,
        ),
        (None, Some(reason)) => Estimate::absent(reason),
        (None, None) => Estimate::absent("the model file was not read"),
    }
}
