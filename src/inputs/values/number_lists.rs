//! Shapes and other short lists of numbers, as operators make, cut and join them, and sums of what
//! is known.

use super::extent::axes;
use super::guess::{Evaluated, Guess, truth};
use super::{AttributeValue, Flow, Node, place};

/// The sizes of a value's dimensions, or of some of them.
pub(super) fn shape(flow: &Flow<'_>, node: &Node) -> Guess {
    let Some(dims) = node.inputs.first().and_then(|value| flow.dims(value)) else {
        return Guess::Data;
    };
    let from = axis_within(node.integer("start").unwrap_or(0), dims.len());
    let to = node
        .integer("end")
        .map_or(dims.len(), |end| axis_within(end, dims.len()));
    let sizes = dims.get(from..to.max(from)).into_iter().flatten();
    Guess::list(
        sizes
            .map(|size| size.map_or(f64::NAN, |size| size as f64))
            .collect(),
    )
}

/// An axis by its number, which counts from the end where it is negative; the nearest one where
/// there is none.
fn axis_within(axis: i64, rank: usize) -> usize {
    let rank = rank as i64;
    (if axis < 0 { axis + rank } else { axis }).clamp(0, rank) as usize
}

/// How many elements a value has.
pub(super) fn size(flow: &Flow<'_>, node: &Node) -> Guess {
    node.inputs
        .first()
        .and_then(|value| flow.elements(value))
        .map_or(Guess::Data, |elements| Guess::all(elements as f64))
}

pub(super) fn constant_of_shape(node: &Node) -> f64 {
    let Some(AttributeValue::Tensor(tensor)) = node.attribute("value") else {
        return 0.0;
    };
    tensor
        .values
        .as_ref()
        .and_then(|values| values.first().copied())
        .unwrap_or(0.0)
}

pub(super) fn gather(node: &Node, data: &Guess, index: &Guess) -> Evaluated {
    let along_first = node.integer("axis").unwrap_or(0) == 0;
    match (data, index) {
        (Guess::List(values), index) if along_first => picked(values, index).into(),
        (Guess::Data, index) if index.worth(truth).is_some() => {
            Evaluated::other(std::slice::from_ref(index))
        }
        _ => data.clone().into(),
    }
}

/// The elements of a list that stand at these places.
fn picked(values: &[f64], index: &Guess) -> Guess {
    match index {
        Guess::List(places) => Guess::list(places.iter().map(|&at| element(values, at)).collect()),
        Guess::Places(Some(count)) => Guess::list(
            (0..*count as usize)
                .map(|at| element(values, at as f64))
                .collect(),
        ),
        _ => index
            .uniform()
            .map_or(Guess::Data, |at| Guess::list(vec![element(values, at)])),
    }
}

fn element(values: &[f64], at: f64) -> f64 {
    let at = from_start(at, values.len()) as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}

/// A place in a list, of which negative ones count from its end.
fn from_start(place: f64, count: usize) -> f64 {
    if place < 0.0 {
        place + count as f64
    } else {
        place
    }
}

pub(super) fn slice(operands: &[Guess]) -> Guess {
    let (start, end) = (
        Guess::uniform_of(operands, 1),
        Guess::uniform_of(operands, 2),
    );
    match (&operands[0], start, end) {
        (Guess::List(values), Some(start), Some(end)) => cut(values, start, end),
        (Guess::Places(size), Some(0.0), Some(end)) if end >= 0.0 => {
            Guess::Places(Some(size.map_or(end, |size| size.min(end))))
        }
        (Guess::Places(_), ..) => Guess::Places(None),
        (first, ..) => first.clone(),
    }
}

fn cut(values: &[f64], start: f64, end: f64) -> Guess {
    let count = values.len();
    let start = (from_start(start, count).max(0.0) as usize).min(count);
    let end = (from_start(end, count).max(0.0) as usize).min(count);
    Guess::list(values[start..end.max(start)].to_vec())
}

/// One list of several, or what is known of one part where nothing is of the others.
pub(super) fn concat(operands: &[Guess]) -> Guess {
    let mut list = Vec::new();
    for operand in operands {
        match operand {
            Guess::List(values) => list.extend(values),
            _ => list.push(operand.uniform().unwrap_or(f64::NAN)),
        }
    }
    if operands
        .iter()
        .any(|operand| matches!(operand, Guess::List(_)))
        || list.iter().all(|value| !value.is_nan())
    {
        return Guess::list(list);
    }
    let known = operands
        .iter()
        .find(|operand| matches!(operand, Guess::Blend { .. }));
    known.cloned().unwrap_or(Guess::Data)
}

pub(super) fn range(operands: &[Guess]) -> Guess {
    let [start, end, step] = [0, 1, 2].map(|operand| Guess::uniform_of(operands, operand));
    match (start, end, step) {
        (Some(0.0), end, Some(1.0)) => Guess::Places(end),
        (Some(start), Some(end), Some(1.0)) => Guess::Places(Some(end - start)),
        (_, _, Some(1.0)) => Guess::Places(None),
        _ => Guess::Data,
    }
}

/// A sum is known where all is 0.
fn zero(from: &Guess) -> Guess {
    if from.uniform() == Some(0.0) {
        Guess::all(0.0)
    } else {
        Guess::Data
    }
}

/// Sums up to each element: ones make 1, 2, 3 ..., which count like places.
pub(super) fn running_sums(from: &Guess) -> Guess {
    if from.uniform() == Some(1.0) {
        Guess::Places(None)
    } else {
        zero(from)
    }
}

/// A sum of one number over axes of known sizes, without an axis: over all.
pub(super) fn summed(flow: &Flow<'_>, node: &Node, from: &Guess) -> Guess {
    let Some(value) = from.uniform() else {
        return Guess::Data;
    };
    match summands_count(flow, node) {
        Some(count) => Guess::all(value * count),
        None => zero(from),
    }
}

fn summands_count(flow: &Flow<'_>, node: &Node) -> Option<f64> {
    let dims = flow.dims(node.inputs.first()?)?;
    let axes = axes(flow, node).unwrap_or_else(|| (0..dims.len() as i64).collect());
    axes.into_iter().try_fold(1.0, |product, axis| {
        Some(product * dims[place(axis, dims.len())?]? as f64)
    })
}

pub(super) fn product(from: &Guess) -> Guess {
    match from {
        Guess::List(values) => Guess::list(vec![values.iter().product()]),
        _ => Guess::Data,
    }
}
