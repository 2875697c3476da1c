//! What is known of a value, and of a node that is about to make some.

use std::rc::Rc;

use super::Expr;
use crate::onnx::{AttributeValue, Node, StoredTensor};
use crate::plan::ElementType;

/// Elements up to which a value's own are followed: shapes, axes, pads.
pub(super) const FOLLOWED_ELEMENTS: usize = 64;

/// Sizes of a value's axes; absent where not even their number is known.
pub(super) type Dims = Option<Vec<Expr>>;

#[derive(Clone, Debug, Default)]
pub(super) struct Value {
    pub dims: Dims,
    /// Its elements in row-major order, if they are few and follow from sizes and constants.
    pub elements: Option<Vec<Expr>>,
    /// Its elements, if they are stored, few, and not whole numbers.
    pub fractions: Option<Vec<f64>>,
    /// A number that all its elements stay below and that one of them comes next to, if they are
    /// positions.
    pub below: Option<Expr>,
    /// Whether the file stores it, or it follows from what the file stores alone.
    pub is_stored: bool,
    /// Whether its elements depend on what inputs hold, and not on their sizes alone.
    pub is_fed: bool,
    /// The input that it is a view of, as it is or computed with place by place, by its index.
    pub view_of: Option<usize>,
    pub is_integer: bool,
    /// Why its sizes may differ though those of the inputs do not.
    pub varying: Option<Rc<str>>,
}

impl Value {
    pub(super) fn stored(tensor: &StoredTensor) -> Value {
        let few = tensor
            .values
            .as_ref()
            .filter(|values| values.len() <= FOLLOWED_ELEMENTS);
        let sizes = tensor.dims.iter();
        Value {
            dims: Some(
                sizes
                    .map(|&size| size.try_into().map_or(Expr::Unknown, Expr::Number))
                    .collect(),
            ),
            elements: few.and_then(|values| values.iter().map(whole).collect()),
            fractions: few.cloned(),
            below: above_all(tensor),
            is_stored: true,
            ..Value::default()
        }
    }
}

fn whole(value: &f64) -> Option<Expr> {
    (value.fract() == 0.0 && value.abs() < 9e15).then_some(Expr::Number(*value as i64))
}

/// One more than the largest of a tensor's whole numbers.
fn above_all(tensor: &StoredTensor) -> Option<Expr> {
    let values = tensor.values.as_ref()?;
    if !is_integer(tensor.element_type) {
        return None;
    }
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (0.0..9e15)
        .contains(&largest)
        .then(|| Expr::Number(largest as i64 + 1))
}

pub(super) fn is_integer(element_type: ElementType) -> bool {
    use ElementType::{Int8, Int16, Int32, Int64, Uint8, Uint16, Uint32, Uint64};
    matches!(
        element_type,
        Int8 | Int16 | Int32 | Int64 | Uint8 | Uint16 | Uint32 | Uint64
    )
}

pub(super) struct Call<'a> {
    pub node: &'a Node,
    /// Absent where an optional one is left out.
    pub inputs: Vec<Option<Rc<Value>>>,
}

impl Call<'_> {
    pub(super) fn input(&self, index: usize) -> Option<&Value> {
        self.inputs.get(index)?.as_deref()
    }

    pub(super) fn dims(&self, index: usize) -> Option<&[Expr]> {
        self.input(index)?.dims.as_deref()
    }

    pub(super) fn elements(&self, index: usize) -> Option<&[Expr]> {
        self.input(index)?.elements.as_deref()
    }

    pub(super) fn first(&self, index: usize) -> Option<&Expr> {
        self.elements(index)?.first()
    }

    pub(super) fn is_stored(&self, index: usize) -> bool {
        self.input(index).is_some_and(|value| value.is_stored)
    }

    pub(super) fn numbers(&self, index: usize) -> Option<Vec<i64>> {
        self.elements(index)?.iter().map(Expr::number).collect()
    }

    pub(super) fn integer(&self, name: &str, default: i64) -> i64 {
        self.node.integer(name).unwrap_or(default)
    }

    pub(super) fn integers(&self, name: &str) -> Option<Vec<i64>> {
        match self.node.attribute(name) {
            Some(AttributeValue::Integers(values)) => Some(values.clone()),
            _ => None,
        }
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.node.texts(name).first().map_or("", String::as_str)
    }

    /// Numbers that an attribute held in older operator sets and an input holds in newer ones.
    pub(super) fn attribute_or_input(&self, name: &str, index: usize) -> Option<Vec<i64>> {
        self.integers(name).or_else(|| self.numbers(index))
    }

    /// An axis by its number, which counts from the end where it is negative.
    pub(super) fn axis(&self, axis: i64, rank: usize) -> Option<usize> {
        let place = if axis < 0 { axis + rank as i64 } else { axis };
        usize::try_from(place)
            .ok()
            .filter(|&place| place < rank.max(1))
    }

    /// The node for a sentence: ``Conv `conv1` ``.
    pub(super) fn words(&self) -> String {
        let output = self
            .node
            .outputs
            .iter()
            .find(|name| !name.is_empty())
            .map_or("", String::as_str);
        let name = if self.node.name.is_empty() {
            output
        } else {
            &self.node.name
        };
        format!("{} `{name}`", self.node.operator)
    }
}

pub(super) fn number(number: i64) -> Expr {
    Expr::Number(number)
}

/// A place that may count from the end of so many, counted from the start.
pub(super) fn from_start(place: i64, count: i64) -> i64 {
    match place {
        ..0 => place.saturating_add(count),
        _ => place,
    }
}

pub(super) fn product(dims: &[Expr]) -> Expr {
    dims.iter()
        .fold(number(1), |product, size| product.times(size))
}

pub(super) fn owned(dims: Option<&[Expr]>) -> Dims {
    dims.map(<[Expr]>::to_vec)
}

pub(super) fn unknown(rank: usize) -> Dims {
    Some(vec![Expr::Unknown; rank])
}
