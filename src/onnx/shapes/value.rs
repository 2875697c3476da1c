//! Knowledge of a value, and of a node that is about to make some.

use std::cell::RefCell;
use std::fmt::{self, Display};
use std::rc::Rc;

use super::expr::{Expr, number};
use super::known::{Bound, Known, Side};
use super::{DimRole, Relation};
use crate::onnx::{AttributeValue, Node, StoredTensor};

/// Elements up to which a value's own are followed: shapes, axes, pads.
pub(super) const FOLLOWED_ELEMENTS: usize = 64;

/// Sizes of a value's axes; absent where not even their number is known.
pub(super) type Dims = Option<Vec<Expr>>;

/// A value's elements in row-major order; absent unless they are few and follow from sizes and
/// constants.
pub(super) type Elements = Option<Vec<Expr>>;

/// Sizes of what a node makes; absent for an operator that is not known.
pub(super) type Made = Option<Vec<Dims>>;

#[derive(Clone, Debug, Default)]
pub(super) struct Value {
    pub dims: Dims,
    pub elements: Elements,
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
        let sizes = tensor.dims.iter().copied();
        Value {
            dims: Some(sizes.map(Expr::of_size).collect()),
            elements: few.and_then(|values| values.iter().map(whole).collect()),
            fractions: few.cloned(),
            below: above_all(tensor),
            is_stored: true,
            ..Value::default()
        }
    }
}

fn whole(value: &f64) -> Option<Expr> {
    (value.fract() == 0.0 && value.abs() < 9e15).then_some(number(*value as i64))
}

/// One more than the largest of a tensor's whole numbers.
fn above_all(tensor: &StoredTensor) -> Option<Expr> {
    let values = tensor.values.iter().flatten();
    let largest = values.copied().fold(f64::NEG_INFINITY, f64::max);
    (tensor.element_type.is_integer() && (0.0..9e15).contains(&largest))
        .then(|| number(largest as i64 + 1))
}

/// Whether all of the sizes or elements are known.
pub(super) fn are_known(sizes: &Option<Vec<Expr>>) -> bool {
    let sizes = sizes.as_ref();
    sizes.is_some_and(|sizes| sizes.iter().all(Expr::is_known))
}

/// A node, and what is known of what it reads.
pub(super) struct Call<'a> {
    pub node: &'a Node,
    /// Absent where an optional one is left out.
    pub inputs: Vec<Option<Rc<Value>>>,
    pub known: Rc<RefCell<Known>>,
}

impl Call<'_> {
    pub(super) fn operator(&self) -> &str {
        &self.node.operator
    }

    /// The node's name, or that of what it makes.
    fn name(&self) -> &str {
        let mut names = [&self.node.name].into_iter().chain(&self.node.outputs);
        names.find(|name| !name.is_empty()).map_or("", |name| name)
    }

    pub(super) fn input(&self, index: usize) -> Option<&Value> {
        self.inputs.get(index)?.as_deref()
    }

    /// The inputs that are not left out.
    pub(super) fn given(&self) -> impl Iterator<Item = &Rc<Value>> {
        self.inputs.iter().flatten()
    }

    /// The operand, if it is a view of an input.
    pub(super) fn view(&self, index: usize) -> Option<&Value> {
        self.input(index).filter(|data| data.view_of.is_some())
    }

    /// Its sizes, if the operand is a view of an input.
    pub(super) fn view_dims(&self, index: usize) -> Option<&[Expr]> {
        self.view(index)?.dims.as_deref()
    }

    pub(super) fn dims(&self, index: usize) -> Option<&[Expr]> {
        self.input(index)?.dims.as_deref()
    }

    /// The sizes, if they are so many.
    pub(super) fn array<const N: usize>(&self, index: usize) -> Option<&[Expr; N]> {
        self.dims(index)?.try_into().ok()
    }

    /// The sizes, to be changed.
    pub(super) fn owned(&self, index: usize) -> Dims {
        self.input(index)?.dims.clone()
    }

    /// The sizes with whether they are those of a stored operand.
    pub(super) fn side(&self, index: usize) -> Option<Side> {
        Some(Side {
            dims: self.owned(index)?,
            is_stored: self.is_stored(index),
        })
    }

    /// The number of a list's elements, or of a table's rows.
    pub(super) fn list_len(&self, index: usize) -> Option<i64> {
        self.dims(index)?.first()?.number()
    }

    /// As many sizes as a list has elements, which are not known.
    pub(super) fn unknown_list(&self, index: usize) -> Dims {
        unknown(self.list_len(index)?.try_into().ok()?)
    }

    pub(super) fn elements(&self, index: usize) -> Option<&[Expr]> {
        self.input(index)?.elements.as_deref()
    }

    /// The elements of all inputs.
    pub(super) fn all_elements(&self) -> Option<Vec<&[Expr]>> {
        let places = 0..self.inputs.len();
        places.map(|index| self.elements(index)).collect()
    }

    pub(super) fn first(&self, index: usize) -> Option<&Expr> {
        self.elements(index)?.first()
    }

    pub(super) fn first_number(&self, index: usize) -> Option<i64> {
        self.first(index)?.number()
    }

    /// A size that an input says.
    pub(super) fn size(&self, index: usize) -> Expr {
        self.first(index).cloned().unwrap_or_default()
    }

    pub(super) fn is_stored(&self, index: usize) -> bool {
        self.input(index).is_some_and(|value| value.is_stored)
    }

    /// Number that all its elements lie below, and one of them next to.
    pub(super) fn below(&self, index: usize) -> Option<&Expr> {
        self.input(index)?.below.as_ref()
    }

    /// Whether what inputs hold decides on the operand.
    pub(super) fn is_fed(&self, index: usize) -> bool {
        self.input(index).is_none_or(|value| value.is_fed)
    }

    pub(super) fn reads_fed(&self) -> bool {
        self.given().any(|value| value.is_fed)
    }

    pub(super) fn is_integer(&self, index: usize) -> bool {
        self.input(index).is_some_and(|value| value.is_integer)
    }

    pub(super) fn numbers(&self, index: usize) -> Option<Vec<i64>> {
        numbers(self.elements(index)?)
    }

    pub(super) fn integer(&self, name: &str, default: i64) -> i64 {
        self.node.integer(name).unwrap_or(default)
    }

    /// Whether an attribute is 1 that is 0 where it is left out.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.integer(name, 0) == 1
    }

    pub(super) fn integers(&self, name: &str) -> Option<Vec<i64>> {
        match self.node.attribute(name) {
            Some(AttributeValue::Integers(values)) => Some(values.clone()),
            _ => None,
        }
    }

    /// One of an attribute's numbers, which is 0 where it is left out.
    pub(super) fn nth(&self, name: &str, place: usize) -> i64 {
        let numbers = self.integers(name).unwrap_or_default();
        numbers.get(place).copied().unwrap_or(0)
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.node.texts(name).first().map_or("", String::as_str)
    }

    /// Numbers that an attribute held in older operator sets and an input holds in newer ones.
    pub(super) fn attribute_or_input(&self, name: &str, index: usize) -> Option<Vec<i64>> {
        self.integers(name).or_else(|| self.numbers(index))
    }

    /// Sizes or places that an attribute held in older operator sets and an input holds in newer
    /// ones.
    pub(super) fn sizes(&self, name: &str, index: usize) -> Elements {
        let stored = self.stored_sizes(name);
        stored.or_else(|| self.input(index)?.elements.clone())
    }

    pub(super) fn stored_sizes(&self, name: &str) -> Elements {
        let stored = self.integers(name)?;
        Some(stored.into_iter().map(number).collect())
    }

    /// The axis that the attribute says, where there is one.
    pub(super) fn axis(&self, default: i64, rank: usize) -> Option<usize> {
        axis(self.integer("axis", default), rank).filter(|&place| place < rank)
    }

    /// The sizes that `Shape` gives.
    pub(super) fn shape(&self) -> Option<&[Expr]> {
        let dims = self.dims(0)?;
        let rank = dims.len() as i64;
        let (start, end) = (self.place("start", 0, rank), self.place("end", rank, rank));
        Some(&dims[start..end.max(start)])
    }

    /// A place between axes of so many that an attribute says.
    fn place(&self, name: &str, default: i64, rank: i64) -> usize {
        from_start(self.integer(name, default), rank).clamp(0, rank) as usize
    }

    pub(super) fn role(&self, size: &Expr, role: DimRole) {
        self.known.borrow_mut().role(size, role);
    }

    /// Demands that two sizes are alike, and says which that is; why, goes on from the node.
    pub(super) fn equal(&self, one: &Expr, other: &Expr, does: impl Display) -> Expr {
        let reason = format_args!("{self} {does}");
        self.known.borrow_mut().equal(one, other, reason)
    }

    pub(super) fn at_least(&self, size: &Expr, least: i64, does: impl Display) {
        if least > 1 {
            self.bound(Relation::AtLeast, size, least, does);
        }
    }

    pub(super) fn bound(&self, relation: Bound, size: &Expr, number: i64, does: impl Display) {
        let reason = format_args!("{self} {does}");
        let mut known = self.known.borrow_mut();
        known.bound(relation, size, number, reason);
    }

    pub(super) fn multiple(&self, size: &Expr, of: i64, does: impl Display) {
        let reason = format_args!("{self} {does}");
        self.known.borrow_mut().multiple(size, of, reason);
    }

    pub(super) fn broadcast(&self, one: &Side, other: &Side) -> Side {
        self.known.borrow_mut().broadcast(one, other, self)
    }
}

/// The node for a sentence: ``Conv `conv1` ``.
impl Display for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.operator(), self.name())
    }
}

pub(super) fn numbers(sizes: &[Expr]) -> Option<Vec<i64>> {
    sizes.iter().map(Expr::number).collect()
}

/// An axis by its number, which counts from the end where it is negative.
pub(super) fn axis(axis: i64, rank: usize) -> Option<usize> {
    let place = usize::try_from(from_start(axis, rank as i64)).ok()?;
    (place < rank.max(1)).then_some(place)
}

/// Axes by their numbers, without those that there are none of.
pub(super) fn axes(numbers: &[i64], rank: usize) -> Vec<usize> {
    let places = numbers.iter();
    places.filter_map(|&place| axis(place, rank)).collect()
}

/// A place that may count from the end of so many, counted from the start.
pub(super) fn from_start(place: i64, count: i64) -> i64 {
    match place {
        ..0 => place.saturating_add(count),
        _ => place,
    }
}

pub(super) fn product<'e>(sizes: impl IntoIterator<Item = &'e Expr>) -> Expr {
    let sizes = sizes.into_iter();
    sizes.fold(number(1), |all, size| all.times(size))
}

/// How many axes there are.
pub(super) fn len(dims: Option<&[Expr]>) -> Expr {
    dims.map(|dims| number(dims.len() as i64))
        .unwrap_or_default()
}

pub(super) fn unknown(rank: usize) -> Dims {
    Some(vec![Expr::Unknown; rank])
}
