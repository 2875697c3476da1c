//! Deciding what is fed where there is data.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::argument::forms_of;
use super::check;
use super::data::{self, Data, Source};
use super::dims::{Dims, Placed, rows_per_sample, sample_axes};
use super::protobuf::Stored;
use super::synthesize::fed_type;
use super::values::{Shapes, Values};
use super::wanted::{Expected, Wanted};
use super::{InputError, InputSource, Misfit, labels};
use crate::onnx::Graph;
use crate::plan::{ElementType, InputRequest};
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
    let fed = inputs_from(graph, &data, dims, path)?;
    let samples = samples(&data, &fed, batch)?;
    let mut notes = std::mem::take(&mut data.notes);
    let labels = labels_file(&data, request, samples, &mut notes)?;
    notes.extend(casts(&fed, &data.sets[0].inputs));
    let ranges = request.ranges.keys();
    notes.extend(
        ranges.map(|name| format!("the range of `{name}` has no effect: its values are data")),
    );
    let path = data.path;
    Ok(Decided {
        fed,
        source: InputSource::Data { path, labels },
        notes,
    })
}

/// The inputs as the first set of data has them, with what their values steer.
fn inputs_from(
    graph: &Graph,
    data: &Data,
    dims: &Dims,
    path: &Path,
) -> Result<Vec<FedInput>, InputError> {
    let mut fed: Vec<FedInput> = graph
        .inputs
        .iter()
        .zip(&data.sets[0].inputs)
        .map(|(info, source)| fed_from(info, source, dims, path))
        .collect::<Result<_, _>>()?;
    let shapes: Shapes = fed
        .iter()
        .map(|fed| (fed.name.exact().to_owned(), fed.dims.clone()))
        .collect();
    let values = Values::new(graph, &shapes);
    check_tables(graph, &values, data, &fed)?;
    for (info, fed) in graph.inputs.iter().zip(&mut fed) {
        fed.steers = values.steers(info, fed.element_type);
    }
    Ok(fed)
}

/// Samples of all sets together.
fn samples(data: &Data, fed: &[FedInput], batch: &BatchAxis) -> Result<usize, InputError> {
    let axes = sample_axes(fed, batch);
    let mut samples = 0_usize;
    for set in &data.sets {
        samples = samples.saturating_add(check::samples(data, set, &axes)?);
    }
    Ok(samples)
}

/// The file of the labels where it is not that of the data: the one asked for, else one beside the
/// data.
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
    let column = found.and_then(|labels| labels.guessed);
    if let (Some(file), Some(column)) = (&request.labels, column) {
        let file = file.display();
        notes.push(format!("labels are taken from the {column} of `{file}`"));
    }
    Ok(request.labels.clone())
}

/// The likeliest file with a label for every sample; an error where none is understood and one has
/// as many rows.
fn labels_beside(
    data: &Data,
    samples: usize,
    notes: &mut Vec<String>,
) -> Result<Option<PathBuf>, InputError> {
    let mut refused = Vec::new();
    for file in labels::beside(&data.path) {
        match data::labels_of(data, Some(&file), samples) {
            Ok(found) => {
                notes.push(taken_from(&file, found.and_then(|labels| labels.guessed)));
                notes.extend(not_taken(&refused));
                return Ok(Some(file));
            }
            Err(error) => refused.push((file, error)),
        }
    }
    let meant = refused
        .iter()
        .position(|(file, _)| labels::has_row_for_each(file, samples));
    if let Some(place) = meant {
        return Err(refused.swap_remove(place).1);
    }
    notes.extend(not_taken(&refused));
    Ok(None)
}

fn taken_from(file: &Path, column: Option<String>) -> String {
    let column = column
        .map(|column| format!("the {column} of "))
        .unwrap_or_default();
    format!("labels are taken from {column}`{}`", file.display())
}

fn not_taken(refused: &[(PathBuf, InputError)]) -> impl Iterator<Item = String> {
    refused
        .iter()
        .map(|(file, error)| format!("`{}` is not taken for the labels: {error}", file.display()))
}

/// Remarks on the arrays whose elements are of another type than the model's.
fn casts(fed: &[FedInput], sources: &[Source]) -> Vec<String> {
    fed.iter()
        .zip(sources)
        .filter(|(fed, source)| {
            source
                .element_type()
                .is_some_and(|found| found != fed.element_type)
        })
        .map(|(fed, source)| {
            let (name, found, wanted) = (fed.name.exact(), source.type_name(), fed.element_type);
            format!("array `{name}` is cast from {found} to {wanted}, which the model wants")
        })
        .collect()
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
        if let Some(value) = first_outside(data, index, &range)? {
            let misfit = Misfit::OutOfTable {
                value,
                low: *range.start(),
                high: *range.end(),
                reason,
            };
            let path = data.path.clone();
            return Err(InputError::Array(
                path,
                info.name.exact().to_owned(),
                misfit,
            ));
        }
    }
    Ok(())
}

/// The first value of an input, in any set, that is not in a range.
fn first_outside(
    data: &Data,
    input: usize,
    range: &RangeInclusive<f64>,
) -> Result<Option<f64>, InputError> {
    for set in &data.sets {
        let Stored::Tensor(array) = set.inputs[input].load()? else {
            continue;
        };
        let found = array.find(|value| !range.contains(&value));
        if let Some(value) = found.map_err(InputError::read(&data.path))? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

fn fed_from(
    info: &TensorInfo,
    array: &Source,
    dims: &Dims,
    path: &Path,
) -> Result<FedInput, InputError> {
    let element_type = fed_type(info)?;
    let placed = dims.of(info);
    let sizes = array.shape().iter().enumerate();
    let sizes = sizes.map(|(axis, &size)| match placed.get(axis) {
        Some(Placed { size: None, .. }) => None,
        _ => Some(size as u64),
    });
    Ok(FedInput {
        rows_per_sample: rows_per_sample(&placed),
        sources: (0..array.shape().len())
            .map(|axis| size_source(placed.get(axis)))
            .collect(),
        reason: reason(array, element_type, path).into(),
        no_tensor: array.no_tensor(),
        ..FedInput::new(
            info.name.exact(),
            element_type,
            sizes.collect(),
            FillKind::Data,
        )
    })
}

fn reason(array: &Source, wanted: ElementType, path: &Path) -> String {
    let from = path.display();
    match array.element_type() {
        Some(found) if found != wanted => format!("from `{from}`, cast from {found} to {wanted}"),
        _ => format!("from `{from}`"),
    }
}

fn size_source(placed: Option<&Placed>) -> SizeSource {
    match placed.map(|placed| &placed.source) {
        Some(fixed @ (SizeSource::Fixed | SizeSource::Batch)) => fixed.clone(),
        _ => SizeSource::Data,
    }
}
