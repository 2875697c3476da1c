//! What outputs should be, by the data.

use crate::accuracy::Truth;
use crate::inputs::Dataset;
use crate::protocol::Evaluation;

/// What the data says the outputs should be; `None` if it does not.
pub(super) fn truth(evaluation: &Evaluation, dataset: &Dataset) -> Option<Truth> {
    let labels = dataset.labels()?.clone();
    Some(Truth { labels, names: evaluation.inputs.classes.clone(), task: evaluation.task })
}
