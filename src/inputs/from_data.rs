//! Deciding what is fed where there is data.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::argument::forms_of;
use super::check;
use super::data::{self, Data, Source};
use super::dims::{Dims, Placed, rows_per_sample};
use super::protobuf::Stored;
use super::synthesize::fed_type;
use super::values::{Shapes, Values};
use super::wanted::Expected;
use super::{InputError, InputSource, Misfit, Result, labels};
use crate::onnx::Graph;
use crate::plan::{ElementType, InputRequest};
use crate::record::{BatchAxis, FedInput, FillKind, SizeSource, TensorInfo};
use crate::text::Plain;

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
) -> Result<Decided> {
    let expected = Expected {
        inputs: &graph.inputs,
        batch,
        asked: &request.dims,
    };
    let mut data = Data::open(path, &expected.wanted(), &forms_of(&graph.outputs))?;
    check::check(&data, &expected)?;
    let fed = inputs_from(graph, &data, dims, path)?;
    let mut samples = 0_usize;
    for set in &data.sets {
        samples = samples.saturating_add(check::samples(&data, set, &fed, batch)?);
    }
    let labels = labels_file(&mut data, request, samples)?;
    data.notes.extend(casts(&fed, &data.sets[0].inputs));
    data.notes.extend(
        request
            .ranges
            .keys()
            .map(Plain::exact)
            .map(|name| format!("the range of `{name}` has no effect: its values are data")),
    );
    let path = data.path;
    Ok(Decided {
        fed,
        source: InputSource::Data { path, labels },
        notes: data.notes,
    })
}

/// The inputs as the first set of data has them, with what their values steer.
fn inputs_from(graph: &Graph, data: &Data, dims: &Dims, path: &Path) -> Result<Vec<FedInput>> {
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

/// The file of the labels where it is not that of the data: the one asked for, else one beside the
/// data.
fn labels_file(data: &mut Data, request: &InputRequest, samples: usize) -> Result<Option<PathBuf>> {
    if request.labels.is_none() && data.labels.is_none() {
        return labels_beside(data, samples);
    }
    let column = data::labels_of(data, request.labels.as_deref(), samples)?
        .and_then(|labels| labels.guessed);
    if let (Some(file), Some(column)) = (&request.labels, column) {
        data.notes.push(taken_from(file, Some(column)));
    }
    Ok(request.labels.clone())
}

/// The likeliest file with a label for every sample; an error where none is understood and one has
/// as many rows.
fn labels_beside(data: &mut Data, samples: usize) -> Result<Option<PathBuf>> {
    let mut refused = Vec::new();
    let mut taken = None;
    for file in labels::beside(&data.path) {
        match data::labels_of(data, Some(&file), samples) {
            Ok(found) => {
                data.notes
                    .push(taken_from(&file, found.and_then(|labels| labels.guessed)));
                taken = Some(file);
                break;
            }
            Err(error) => refused.push((file, error)),
        }
    }
    if taken.is_none()
        && let Some(place) = refused
            .iter()
            .position(|(file, _)| labels::has_row_for_each(file, samples))
    {
        return Err(refused.swap_remove(place).1);
    }
    data.notes.extend(
        refused.iter().map(|(file, error)| {
            format!("`{}` is not taken for the labels: {error}", file.display())
        }),
    );
    Ok(taken)
}

fn taken_from(file: &Path, column: Option<String>) -> String {
    let column = column
        .map(|column| format!("the {column} of "))
        .unwrap_or_default();
    format!("labels are taken from {column}`{}`", file.display())
}

/// Remarks on the arrays whose elements are of another type than the model's.
fn casts(fed: &[FedInput], sources: &[Source]) -> Vec<String> {
    fed.iter()
        .zip(sources)
        .filter_map(|(fed, source)| cast(fed, source))
        .collect()
}

fn cast(fed: &FedInput, source: &Source) -> Option<String> {
    let (name, wanted) = (fed.name.exact(), fed.element_type);
    let found = source.element_type().filter(|&found| found != wanted)?;
    Some(format!(
        "array `{name}` is cast from {found} to {wanted}, which the model wants"
    ))
}

/// Looks for values that an operator would look up in vain.
fn check_tables(graph: &Graph, values: &Values<'_>, data: &Data, fed: &[FedInput]) -> Result<()> {
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
            return Err(InputError::Array(
                data.path.clone(),
                info.name.exact().to_owned(),
                misfit,
            ));
        }
    }
    Ok(())
}

/// The first value of an input, in any set, that is not in a range.
fn first_outside(data: &Data, input: usize, range: &RangeInclusive<f64>) -> Result<Option<f64>> {
    for set in &data.sets {
        let Stored::Tensor(array) = set.inputs[input].load()? else {
            continue;
        };
        if let Some(value) = array
            .find(|value| !range.contains(&value))
            .map_err(InputError::read(&data.path))?
        {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

fn fed_from(info: &TensorInfo, array: &Source, dims: &Dims, path: &Path) -> Result<FedInput> {
    let element_type = fed_type(info)?;
    let placed = dims.of(info);
    let sizes = array
        .shape()
        .iter()
        .enumerate()
        .map(|(axis, &size)| match placed.get(axis) {
            Some(Placed { size: None, .. }) => None,
            _ => Some(size as u64),
        });
    let sources = (0..array.shape().len()).map(|axis| size_source(placed.get(axis)));
    Ok(FedInput {
        rows_per_sample: rows_per_sample(&placed),
        sources: sources.collect(),
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
