//! Deciding what is fed where there is data.

use std::path::{Path, PathBuf};

use super::argument::forms_of;
use super::check;
use super::data::{self, Data, Source};
use super::dims::{Dims, sample_axes};
use super::protobuf::Stored;
use super::synthesize::fed_type;
use super::values::{Shapes, Values};
use super::wanted::{Expected, Wanted};
use super::{InputError, InputSource, Misfit, labels};
use crate::onnx::Graph;
use crate::plan::InputRequest;
use crate::record::{BatchAxis, FedInput, FillKind, SizeSource, TensorInfo};

pub(super) struct Decided {
    /// The inputs, in the model's order.
    pub fed: Vec<FedInput>,
    pub source: InputSource,
    /// Decisions that nobody asked for.
    pub notes: Vec<String>,
}

pub(super) fn from_data(
    graph: &Graph,
    batch: &BatchAxis,
    dims: &Dims,
    request: &InputRequest,
    path: &Path,
) -> Result<Decided, InputError> {
    let expected = Expected {
        inputs: &graph.inputs,
        batch,
        asked: &request.dims,
    };
    let wanted: Vec<Wanted> = graph
        .inputs
        .iter()
        .map(|info| Wanted::of(info, &expected))
        .collect();
    let mut data = Data::open(path, &wanted, &forms_of(&graph.outputs))?;
    check::check(&data, &expected)?;
    let mut fed: Vec<FedInput> = graph
        .inputs
        .iter()
        .zip(&data.sets[0].inputs)
        .map(|(info, source)| fed_from(info, source, dims, path))
        .collect::<Result<_, _>>()?;
    let shapes: Shapes = fed
        .iter()
        .map(|fed| (fed.name.clone(), fed.dims.clone()))
        .collect();
    let values = Values::new(graph, &shapes);
    check_tables(graph, &values, &data, &fed)?;
    for (info, fed) in graph.inputs.iter().zip(&mut fed) {
        fed.steers = values.steers(info, fed.element_type);
    }
    let axes = sample_axes(&fed, batch);
    let mut samples = 0_usize;
    for set in &data.sets {
        samples = samples.saturating_add(check::samples(&data, set, &axes)?);
    }
    let mut notes = std::mem::take(&mut data.notes);
    let labels = labels_file(&data, request, samples, &mut notes)?;
    notes.extend(casts(&fed, &data.sets[0].inputs));
    notes.extend(
        request
            .ranges
            .keys()
            .map(|name| format!("the range of `{name}` has no effect: its values are data")),
    );
    Ok(Decided {
        fed,
        source: InputSource::Data {
            path: data.path,
            labels,
        },
        notes,
    })
}

/// The file of the labels where it is not that of the data: the one asked for, else one beside the data.
fn labels_file(
    data: &Data,
    request: &InputRequest,
    samples: usize,
    notes: &mut Vec<String>,
) -> Result<Option<PathBuf>, InputError> {
    if request.labels.is_none() && data.labels.is_none() {
        return labels_beside(data, samples, notes);
    }
    let found = data::labels_of(data, request.labels.as_deref(), samples)?;
    if let (Some(file), Some(column)) = (
        &request.labels,
        found.as_ref().and_then(|labels| labels.guessed.as_ref()),
    ) {
        notes.push(format!(
            "labels are taken from the {column} of `{}`",
            file.display()
        ));
    }
    Ok(request.labels.clone())
}

/// The likeliest file with a label for every sample; an error where none is understood and one has as many rows.
fn labels_beside(
    data: &Data,
    samples: usize,
    notes: &mut Vec<String>,
) -> Result<Option<PathBuf>, InputError> {
    let (mut taken, mut refused) = (None, Vec::new());
    for file in labels::beside(&data.path) {
        match data::labels_of(data, Some(&file), samples) {
            Ok(found) => {
                let column = found.as_ref().and_then(|labels| labels.guessed.as_ref());
                let column = column
                    .map(|column| format!("the {column} of "))
                    .unwrap_or_default();
                notes.push(format!(
                    "labels are taken from {column}`{}`",
                    file.display()
                ));
                taken = Some(file);
                break;
            }
            Err(error) => refused.push((file, error)),
        }
    }
    let is_meant = |(file, _): &(PathBuf, InputError)| labels::has_row_for_each(file, samples);
    if let Some(place) = refused
        .iter()
        .position(is_meant)
        .filter(|_| taken.is_none())
    {
        return Err(refused.swap_remove(place).1);
    }
    let left = refused.iter();
    notes.extend(
        left.map(|(file, error)| {
            format!("`{}` is not taken for the labels: {error}", file.display())
        }),
    );
    Ok(taken)
}

fn casts(fed: &[FedInput], sources: &[Source]) -> Vec<String> {
    let is_cast = |(fed, source): &(&FedInput, &Source)| {
        source
            .element_type()
            .is_some_and(|found| found != fed.element_type)
    };
    let cast = fed.iter().zip(sources).filter(is_cast);
    let note = |(fed, source): (&FedInput, &Source)| {
        let (name, found, wanted) = (&fed.name, source.type_name(), fed.element_type);
        format!("array `{name}` is cast from {found} to {wanted}, which the model wants")
    };
    cast.map(note).collect()
}

/// Looks for values that an operator would look up in vain.
fn check_tables(
    graph: &Graph,
    values: &Values<'_>,
    data: &Data,
    fed: &[FedInput],
) -> Result<(), InputError> {
    for (index, (info, fed)) in graph.inputs.iter().zip(fed).enumerate() {
        let Some((range, reason)) = values.table(info, fed.element_type) else {
            continue;
        };
        for set in &data.sets {
            let Stored::Tensor(array) = set.inputs[index].load()? else {
                continue;
            };
            let read = |source| InputError::Read(data.path.clone(), source);
            if let Some(value) = array.find(|value| !range.contains(&value)).map_err(read)? {
                let misfit = Misfit::OutOfTable {
                    value,
                    low: *range.start(),
                    high: *range.end(),
                    reason,
                };
                return Err(InputError::Array(
                    data.path.clone(),
                    info.name.clone(),
                    misfit,
                ));
            }
        }
    }
    Ok(())
}

fn fed_from(
    info: &TensorInfo,
    array: &Source,
    dims: &Dims,
    path: &Path,
) -> Result<FedInput, InputError> {
    let element_type = fed_type(info)?;
    let known = dims.shape(info);
    let from = path.display();
    let reason = match array.element_type() {
        Some(found) if found != element_type => {
            format!("from `{from}`, cast from {found} to {element_type}")
        }
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
    let grows = placed
        .iter()
        .enumerate()
        .filter(|(_, placed)| placed.size.is_none() && placed.rows != 1);
    let sizes = array.shape().iter().enumerate().map(size).collect();
    Ok(FedInput {
        rows_per_sample: grows.map(|(axis, placed)| (axis, placed.rows)).collect(),
        sources: (0..array.shape().len()).map(source).collect(),
        reason,
        no_tensor: array.no_tensor(),
        ..FedInput::new(&info.name, element_type, sizes, FillKind::Data)
    })
}
