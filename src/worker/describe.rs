//! Reading a model file and planning its inputs, in a process whose memory is its own.

use std::path::Path;

use crate::hash;
use crate::inputs::{self, Dataset};
use crate::measure;
use crate::onnx;
use crate::plan::InputRequest;
use crate::protocol::{Described, Response};
use crate::record::{Failure, FailureKind};

/// What a model file says, its sum, and what will be fed to it.
pub(super) fn describe(path: &Path, request: &InputRequest) -> Response {
    match read(path, request) {
        Ok(described) => Response::Described(Box::new(described)),
        Err(failure) => Response::Failed(failure),
    }
}

fn read(path: &Path, request: &InputRequest) -> Result<Described, Failure> {
    let model = onnx::read(path)
        .map_err(|error| Failure::new(FailureKind::BadModel, &error, error.hint().map(str::to_owned)))?;
    let plan = inputs::plan(&model, request).map_err(|error| super::input_failure(&error))?;
    let dataset = Dataset::open(&plan).map_err(|error| super::input_failure(&error))?;
    let sha256 = hash::of_file(path).map_err(|error| Failure::new(FailureKind::BadModel, &error, None))?;
    Ok(Described {
        model: onnx::summary(&model),
        sha256,
        dataset: dataset.map(|dataset| dataset.info().clone()),
        inputs: plan,
        harness_cost_ns: measure::harness_cost(),
    })
}
