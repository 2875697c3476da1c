//! Why there is no run.

use crate::metric::Unit;
use crate::plan::Plan;
use crate::record::{Failure, Scores};
use crate::store::StoreError;

/// Files that a parent or a worker may have open at once at least: pipes, logs, the journal, a
/// library and a model.
pub(super) const LEAST_FILES: u64 = 64;

pub(super) type Result<T, E = RunError> = std::result::Result<T, E>;

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The run folder could not be written; what was written before is there.
    #[error("failed to write down the run")]
    Store(#[from] StoreError),
    /// No variant could even be read.
    #[error("no model can be measured")]
    NoVariant {
        /// Why not, one for each variant.
        failures: Vec<Failure>,
    },
    /// A runtime cannot be used, or lacks the execution provider.
    #[error("the runtime cannot be used: {}", .0.message)]
    Runtime(Failure),
    /// The user or the system asked this process to end before the first measurement.
    #[error("interrupted before anything was measured")]
    Interrupted,
    /// A search cannot be taken up again, because what it measured is not what there is now.
    #[error("the search cannot be taken up again: {0}")]
    Changed(String),
    /// A fall of accuracy is limited, and there is nothing to measure an accuracy with.
    #[error("`--max-accuracy-drop` needs labels, and the data has none")]
    Unlabelled,
    /// A fall of accuracy is limited, and labels are numbers to predict.
    #[error(
        "`--max-accuracy-drop` is of a share of right answers, and the labels are numbers to predict"
    )]
    NoShare,
    /// Labels fit no output in a form that is known.
    #[error("outputs cannot be scored: {}", .0.message)]
    Labels(Failure),
    /// Requests are to be gathered into batches that a model does not take.
    #[error("`{variant}` cannot be served by this batcher: {reason}")]
    NoBatch {
        /// Name of the variant.
        variant: String,
        /// Why not, as a fragment of a sentence.
        reason: String,
    },
    /// The system does not let this process open as many files as it takes.
    #[error("at most {limit} files may be open at once, and {LEAST_FILES} are needed")]
    Files {
        /// How many it lets be open.
        limit: u64,
    },
    /// The system refused what a parent needs.
    #[error("failed to set up the run")]
    System(#[from] std::io::Error),
}

/// An error where a plan limits a fall of accuracy and scores are no share of right answers.
pub(super) fn require_share(plan: &Plan, scores: &Scores) -> Result<()> {
    let tuning = plan.tuning.as_ref();
    match tuning.and_then(|tuning| tuning.max_accuracy_drop_ratio) {
        Some(_) if scores.leading().unit() != Unit::Ratio => Err(RunError::NoShare),
        _ => Ok(()),
    }
}
