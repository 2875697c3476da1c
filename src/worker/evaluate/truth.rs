//! What outputs should be, by the data.

use ndarray::aview1;

use crate::accuracy::{AccuracyError, Truth};
use crate::inputs::{Dataset, TensorData};
use crate::plan::Task;

/// What the data says the outputs should be; `None` if it does not.
pub(super) fn truth(task: Task, dataset: &Dataset) -> Option<Result<Truth, AccuracyError>> {
    let labels = || Some(TensorData::Int64(aview1(dataset.class_labels()?).to_owned().into_dyn()));
    let targets = || Some(TensorData::Double(dataset.targets()?.clone()));
    match task {
        Task::Classification => labels().map(|labels| Truth::classes(&labels)),
        Task::Regression => targets().or_else(labels).map(|targets| Truth::targets(&targets)),
    }
}
