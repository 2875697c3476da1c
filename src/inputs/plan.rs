//! Deciding what is fed.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::array::element_bytes;
use super::check::{self, Expected};
use super::data::{self, Data, Source};
use super::dims::Dims;
use super::synthesize::fed_type;
use super::{InputError, Search, dataset};
use crate::onnx::{Graph, Model};
use crate::plan::{InputRequest, Shape};
use crate::record::{AxisReason, BatchAxis, FedInput, FillKind, SizeSource, TensorInfo};
use crate::units::Bytes;

/// What is fed to a model, decided once and carried to every worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InputPlan {
    /// What is fed to each input, in the model's order.
    pub fed: Vec<FedInput>,
    /// Where samples of a batch lie.
    pub batch_axis: BatchAxis,
    /// Names of the model's outputs, in its order.
    pub outputs: Vec<String>,
    /// Where values come from.
    pub source: InputSource,
    /// Seed of synthesized values.
    pub seed: u64,
    /// What a user should know: defaults that were taken, and what was asked for without effect.
    pub notes: Vec<String>,
}

/// Where values come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputSource {
    /// They are made up.
    Synthesized,
    /// A data file or folder, and a file with labels if those are not in it.
    Data {
        /// The file or folder.
        path: PathBuf,
        /// The file with labels.
        labels: Option<PathBuf>,
    },
}

impl InputPlan {
    /// Whether the model can be fed batches of `batch_size`.
    ///
    /// # Errors
    /// Why not, as a fragment of a sentence.
    pub fn supports_batch(&self, batch_size: u64) -> Result<(), String> {
        match (self.batch_axis.fixed_size, self.batch_axis.reason) {
            _ if batch_size == 0 => Err("a batch has at least one sample".to_owned()),
            (Some(fixed), _) if batch_size != fixed => Err(format!("the model's batch dimension is fixed at {fixed}")),
            (_, AxisReason::NoAxis) if batch_size != 1 => Err("the model has no batch dimension".to_owned()),
            _ => Ok(()),
        }
    }
}

impl InputPlan {
    /// Size of one set of inputs at a batch size; strings count as their own three words.
    #[must_use]
    pub fn bytes(&self, batch_size: u64) -> Bytes {
        let of = |fed: &FedInput| {
            let width = element_bytes(fed.element_type).unwrap_or(24) as u64;
            fed.shape(batch_size).into_iter().fold(width, u64::saturating_mul)
        };
        Bytes(self.fed.iter().map(of).fold(0, u64::saturating_add))
    }
}

/// Decides what is fed to `model`: arrays of the data that `request` names, else synthesized values.
///
/// Of data only the heads are read, except for the standard's test sets.
///
/// # Errors
/// An input cannot be fed, the request names what the model does not have, or the data does not fit.
pub fn plan(model: &Model, request: &InputRequest) -> Result<InputPlan, InputError> {
    let mut search = Search::new(model, request, &Shape::default())?;
    search.next().ok_or_else(|| search.nothing_runs("nothing was run"))
}

/// What is fed, where its values come from, and remarks.
pub(super) type Decided = (Vec<FedInput>, InputSource, Vec<String>);

pub(super) fn from_data(
    graph: &Graph,
    (batch, dims): (&BatchAxis, &Dims),
    request: &InputRequest,
    (path, labels): (&Path, Option<&Path>),
) -> Result<Decided, InputError> {
    let names: Vec<String> = graph.inputs.iter().map(|info| info.name.clone()).collect();
    let data = Data::open(path, &names)?;
    check::check(&data, &Expected { inputs: &graph.inputs, batch, asked: &request.dims })?;
    let fed: Vec<FedInput> = graph
        .inputs
        .iter()
        .zip(&data.sets[0].inputs)
        .map(|(info, source)| fed_from(info, source, dims, path))
        .collect::<Result<_, _>>()?;
    let axes = dataset::axes(&fed, batch);
    let mut samples = 0;
    for set in &data.sets {
        samples += check::samples(&data, set, &axes)?;
    }
    let label_source = labels.map(data::labels).transpose()?.or_else(|| data.labels.clone());
    if let Some(found) = &label_source {
        check::check_labels(labels.unwrap_or(path), found, samples)?;
    }
    let mut notes: Vec<String> = data
        .unused
        .iter()
        .map(|name| format!("array `{name}` of `{}` is no input and is not used", path.display()))
        .collect();
    let cast =
        fed.iter().zip(&data.sets[0].inputs).filter(|(fed, source)| source.element_type() != Some(fed.element_type));
    notes.extend(cast.map(|(fed, source)| {
        format!(
            "array `{}` is cast from {} to {}, which the model wants",
            fed.name,
            source.type_name(),
            fed.element_type
        )
    }));
    notes.extend(request.ranges.keys().map(|name| format!("the range of `{name}` has no effect: its values are data")));
    let source = InputSource::Data { path: data.path, labels: labels.map(Path::to_owned) };
    Ok((fed, source, notes))
}

fn fed_from(info: &TensorInfo, array: &Source, dims: &Dims, path: &Path) -> Result<FedInput, InputError> {
    let element_type = fed_type(info)?;
    let known = dims.shape(info);
    let from = path.display();
    let reason = match array.element_type() {
        Some(found) if found != element_type => format!("from `{from}`, cast from {found} to {element_type}"),
        _ => format!("from `{from}`"),
    };
    let size = |(axis, &size): (usize, &usize)| match known.get(axis) {
        Some(None) => None,
        _ => Some(size as u64),
    };
    let placed = dims.of(info);
    let source = |axis: usize| match placed.get(axis).map(|placed| &placed.source) {
        Some(fixed @ (SizeSource::Fixed | SizeSource::Batch)) => fixed.clone(),
        _ => SizeSource::Data,
    };
    let grows = placed.iter().enumerate().filter(|(_, placed)| placed.size.is_none() && placed.rows != 1);
    Ok(FedInput {
        name: info.name.clone(),
        element_type,
        dims: array.shape().iter().enumerate().map(size).collect(),
        rows_per_sample: grows.map(|(axis, placed)| (axis, placed.rows)).collect(),
        sources: (0..array.shape().len()).map(source).collect(),
        fill: FillKind::Data,
        reason,
        steers: false,
    })
}
