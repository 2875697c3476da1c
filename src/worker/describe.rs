//! Reading a model file and planning its inputs, in a process whose memory is its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::hash;
use crate::inputs::{self, Dataset, InputError, InputPlan};
use crate::measure;
use crate::observed::Observed;
use crate::onnx::{self, Model, ShapeFacts, StoredTensor};
use crate::plan::{InputRequest, Shape};
use crate::protocol::{Described, NodeWeight, Response};
use crate::record::{Failure, FailureKind, ModelSummary, TensorShape};
use crate::text::Plain;
use crate::units::Bytes;

pub(super) fn describe(
    path: &Path,
    request: &InputRequest,
    shapes: &[Shape],
) -> Result<Response, Failure> {
    let model = read(path)?;
    let Planned {
        inputs: plan,
        shapes,
    } = plan(&model, request, shapes)?;
    let dataset = Dataset::open(&plan)?;
    let sha256 =
        hash::of_file(path).map_err(|error| Failure::new(FailureKind::BadModel, &error, None))?;
    let external_sha256 = external_sha256(&model.external_files);
    let outputs_vary = ShapeFacts::of(&onnx::inlined(&model)).varying;
    let weights = weights(&model);
    let model = ModelSummary {
        batch_axis: plan.batch_axis.clone(),
        ..onnx::summary(&model)
    };
    Ok(Response::Described(Box::new(Described {
        model,
        sha256,
        external_sha256,
        dataset: dataset.map(|dataset| dataset.info().clone()),
        inputs: plan,
        shapes,
        harness_cost_ns: measure::harness_cost(),
        outputs_vary,
        weights,
        probe: None,
    })))
}

fn weights(model: &Model) -> BTreeMap<Plain, Vec<NodeWeight>> {
    let of_nodes = onnx::weights_of_nodes(model).into_iter();
    let told = of_nodes.map(|(name, tensors)| (name.into(), tensors.iter().map(told).collect()));
    told.collect()
}

fn told(tensor: &StoredTensor) -> NodeWeight {
    NodeWeight {
        shape: TensorShape {
            element_type: tensor.element_type.name().into(),
            dims: tensor.dims.clone(),
        },
        bytes: Bytes(tensor.bytes()),
    }
}

/// Beyond this, weights outside the model file are not hashed: it would take longer than a budget
/// leaves, or than a worker may be silent.
const MOST_HASHED: Bytes = Bytes(4 << 30);

/// Of all files, or of none where they are too large or one cannot be read.
fn external_sha256(files: &BTreeMap<PathBuf, Bytes>) -> BTreeMap<PathBuf, Plain> {
    if files.values().copied().sum::<Bytes>() > MOST_HASHED {
        return BTreeMap::new();
    }
    files
        .keys()
        .map(|file| Some((file.clone(), hash::of_file(file).ok()?.into())))
        .collect::<Option<_>>()
        .unwrap_or_default()
}

pub(super) fn read(path: &Path) -> Result<Model, Failure> {
    onnx::read(path).map_err(|error| {
        Failure::new(
            FailureKind::BadModel,
            &error,
            error.hint().map(str::to_owned),
        )
    })
}

/// Inputs where the shape does not matter, and at each shape.
struct Planned {
    inputs: InputPlan,
    shapes: Vec<Observed<InputPlan>>,
}

/// Swept dimensions are not those of data: inputs of such shapes are made up.
fn plan_at(shape: &Shape, model: &Model, request: &InputRequest) -> Result<InputPlan, InputError> {
    if shape.dims.is_empty() {
        return inputs::plan(model, request);
    }
    let mut dims = request.dims.clone();
    dims.extend(shape.dims.clone());
    let made_up = InputRequest {
        data: None,
        labels: None,
        dims,
        ..request.clone()
    };
    inputs::plan(model, &made_up)
}

/// The error is the first shape's.
fn plan(model: &Model, request: &InputRequest, shapes: &[Shape]) -> Result<Planned, InputError> {
    let is_swept = shapes.iter().any(|shape| !shape.dims.is_empty());
    let mut first_error = None;
    let mut planned: Vec<Observed<InputPlan>> = Vec::new();
    for shape in shapes {
        planned.push(plan_at(shape, model, request).map_err(|error| {
            let reason = error.to_string().into();
            first_error.get_or_insert(error);
            reason
        }));
    }
    let first = planned.iter().find_map(|plan| plan.as_ref().ok()).cloned();
    let inputs = match (first, first_error) {
        (None, Some(error)) => return Err(error),
        (Some(first), _) if request.data.is_none() || !is_swept => first,
        _ => inputs::plan(model, request)?,
    };
    Ok(Planned {
        inputs,
        shapes: planned,
    })
}
