//! The figures of a session.

use serde::Serialize;

use super::estimate::{Estimate, Figure, find};
use super::scores::AccuracyFindings;
use crate::metric::Metric;
use crate::record::Outcome;
use crate::text::Plain;

/// Findings on one session.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionFindings {
    /// Index into [`Plan::sessions`](crate::plan::Plan::sessions).
    pub session: usize,
    /// The variant's name, and what tells this session from the variant's other ones.
    pub label: String,
    /// Whether the others are compared with it.
    pub is_baseline: bool,
    /// Failed or skipped if nothing could be measured.
    pub outcome: Outcome,
    /// Launches that ended well.
    pub launches_count: u64,
    /// Launches that failed, those beside the rounds included.
    pub failed_launches_count: u64,
    /// Launches in all: those in the record, and those beside the rounds that failed.
    pub all_launches_count: u64,
    /// Why the first failed launch failed.
    pub launch_failure: Option<Plain>,
    /// Loading, memory, file size and accuracy.
    pub figures: Vec<Figure>,
    /// Accuracy of the outputs.
    pub accuracy: AccuracyFindings,
    /// Warnings that ONNX Runtime logged, over all launches that told.
    pub log_warnings_count: u64,
    /// Errors that ONNX Runtime logged, over all launches that told.
    pub log_errors_count: u64,
}

impl SessionFindings {
    /// The estimate of one of the session's figures.
    #[must_use]
    pub fn figure(&self, metric: Metric) -> Option<&Estimate> {
        find(&self.figures, metric)
    }
}
