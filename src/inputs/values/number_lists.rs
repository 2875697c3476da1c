//! Shapes and other short lists of numbers, as operators make, cut and join them, and sums of what
//! is known.

use super::AttributeValue;
use super::extent::placed;
use super::flow::Call;
use super::guess::{Evaluated, Guess, truth};

impl Call<'_> {
    /// The sizes of a value's dimensions, or of some of them.
    pub(super) fn shape(self) -> Guess {
        let Some(dims) = self.dims(0) else {
            return Guess::Data;
        };
        let rank = dims.len() as i64;
        let [from, to] = [("start", 0), ("end", rank)].map(|(name, default)| {
            let axis = self.integer(name, default);
            (if axis < 0 { axis + rank } else { axis }).clamp(0, rank) as usize
        });
        let sizes = dims[from..to.max(from)].iter();
        Guess::list(
            sizes
                .map(|size| size.map_or(f64::NAN, |size| size as f64))
                .collect(),
        )
    }

    /// How many elements a value has.
    pub(super) fn elements(self) -> Guess {
        let value = self.node.inputs.first();
        let elements = value.and_then(|value| self.flow.elements(value));
        Guess::known(elements.map(|elements| elements as f64))
    }

    pub(super) fn constant_of_shape(self) -> Guess {
        let values = match self.node.attribute("value") {
            Some(AttributeValue::Tensor(tensor)) => tensor.values.as_deref(),
            _ => None,
        };
        let first = values.and_then(|values| values.first());
        Guess::all(first.copied().unwrap_or(0.0))
    }

    pub(super) fn gather(self, data: &Guess, index: &Guess) -> Evaluated {
        match (data, index) {
            (Guess::List(values), index) if self.integer("axis", 0) == 0 => {
                picked(values, index).into()
            }
            (Guess::Data, index) if index.worth(truth).is_some() => {
                Evaluated::other(std::slice::from_ref(index))
            }
            _ => data.clone().into(),
        }
    }

    /// A sum of one number over axes of known sizes, without an axis: over all.
    pub(super) fn summed(self, from: &Guess) -> Guess {
        match (from.uniform(), self.summands_count()) {
            (Some(value), Some(count)) => Guess::all(value * count),
            _ => zero(from),
        }
    }

    fn summands_count(self) -> Option<f64> {
        let dims = self.dims(0)?;
        let places = match self.axes() {
            Some(axes) => placed(&axes, dims.len())?,
            None => (0..dims.len()).collect(),
        };
        places
            .into_iter()
            .try_fold(1.0, |product, axis| Some(product * dims[axis]? as f64))
    }
}

/// The elements of a list that stand at these places.
fn picked(values: &[f64], index: &Guess) -> Guess {
    let places: Vec<f64> = match (index, index.uniform()) {
        (Guess::List(places), _) => places.clone(),
        (Guess::Places(Some(count)), _) => (0..*count as usize).map(|at| at as f64).collect(),
        (_, Some(at)) => vec![at],
        _ => return Guess::Data,
    };
    let elements = places.into_iter().map(|at| {
        let at = from_start(at, values.len()) as usize;
        values.get(at).copied().unwrap_or(f64::NAN)
    });
    Guess::list(elements.collect())
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
    let [start, end] = [1, 2].map(|operand| Guess::uniform_of(operands, operand));
    match (&operands[0], start, end) {
        (Guess::List(values), Some(start), Some(end)) => {
            let [start, end] = [start, end].map(|place| {
                let place = from_start(place, values.len());
                (place.max(0.0) as usize).min(values.len())
            });
            Guess::list(values[start..end.max(start)].to_vec())
        }
        (Guess::Places(size), Some(0.0), Some(end)) if end >= 0.0 => {
            Guess::Places(Some(size.map_or(end, |size| size.min(end))))
        }
        (Guess::Places(_), ..) => Guess::Places(None),
        (first, ..) => first.clone(),
    }
}

/// One list of several, or what is known of one part where nothing is of the others.
pub(super) fn concat(operands: &[Guess]) -> Guess {
    let (mut list, mut has_list) = (Vec::new(), false);
    for operand in operands {
        match operand {
            Guess::List(values) => {
                has_list = true;
                list.extend(values);
            }
            _ => list.push(operand.uniform().unwrap_or(f64::NAN)),
        }
    }
    if has_list || list.iter().all(|value| !value.is_nan()) {
        return Guess::list(list);
    }
    let mut operands = operands.iter();
    let known = operands.find(|operand| matches!(operand, Guess::Blend { .. }));
    known.cloned().unwrap_or(Guess::Data)
}

pub(super) fn range(operands: &[Guess]) -> Guess {
    match [0, 1, 2].map(|operand| Guess::uniform_of(operands, operand)) {
        [Some(0.0), end, Some(1.0)] => Guess::Places(end),
        [start, end, Some(1.0)] => Guess::Places(start.zip(end).map(|(start, end)| end - start)),
        _ => Guess::Data,
    }
}

/// A sum is known where all is 0.
fn zero(from: &Guess) -> Guess {
    match from.uniform() {
        Some(0.0) => Guess::all(0.0),
        _ => Guess::Data,
    }
}

/// Sums up to each element: ones make 1, 2, 3 ..., which count like places.
pub(super) fn running_sums(from: &Guess) -> Guess {
    match from.uniform() {
        Some(1.0) => Guess::Places(None),
        _ => zero(from),
    }
}

pub(super) fn product(from: &Guess) -> Guess {
    match from {
        Guess::List(values) => Guess::list(vec![values.iter().product()]),
        _ => Guess::Data,
    }
}
