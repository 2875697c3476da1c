//! Values that are fed where there is no data: decided by what operators do with them.
//!
//! Nothing here chooses a size or runs a model. Read [`Values`] first.

mod arithmetic;
mod bound;
mod branch;
mod categories;
mod evaluate;
mod extent;
mod floats;
mod flow;
mod guess;
mod lengths;
mod lists;
mod number_lists;
mod operators;
mod places;
mod simulate;
mod steering;
mod usual;
mod usual_numbers;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use bound::{IndexBound, Uses};
use extent::{measured, place};
use flow::Flow;
use operators::words;
use simulate::{Known, Question};
use usual::Role;

use super::dims::dims_of;
use super::synthesize::limits;
use crate::onnx::{AttributeValue, Graph, Node};
use crate::plan::ElementType;
use crate::record::{FillKind, TensorInfo};

/// Shapes of a model's inputs by name; a size is absent where the batch size stands.
pub(super) type Shapes = BTreeMap<String, Vec<Option<u64>>>;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fill {
    pub kind: FillKind,
    /// Why, in one sentence that names the operator that decided, if one did.
    pub reason: String,
    /// Whether the values decide how much is computed.
    pub steers: bool,
}

/// The uses of a model's inputs, which have certain shapes.
pub(super) struct Values<'m> {
    graph: &'m Graph,
    shapes: &'m Shapes,
    flow: Flow<'m>,
}

impl<'m> Values<'m> {
    pub fn new(graph: &'m Graph, shapes: &'m Shapes) -> Values<'m> {
        Values {
            graph,
            shapes,
            flow: measured(graph, shapes),
        }
    }

    /// How tensors of a sequence are filled.
    pub fn plain(element_type: ElementType) -> Fill {
        let (kind, reason) = usual::by_type(element_type, 0);
        Fill {
            kind,
            reason,
            steers: false,
        }
    }

    /// Values that can be looked up where an input indexes a table, counted from its end where they
    /// are negative, and what looks them up; absent where nothing does, or not with every value.
    pub fn table(
        &self,
        info: &TensorInfo,
        element_type: ElementType,
    ) -> Option<(RangeInclusive<f64>, String)> {
        let table = bound::uses(&self.flow, info.name.exact(), element_type)
            .table
            .filter(|_| element_type.is_integer())?;
        Some((
            2.0 * table.low - table.high - 1.0..=table.high,
            table.reason,
        ))
    }

    /// Ways to fill an input, the best first; there is at least one. A later one is worth a try
    /// where the runtime refuses the values of those before, or where outputs are not finite.
    pub fn fills(&self, info: &TensorInfo, element_type: ElementType) -> Vec<Fill> {
        let shape = self.shape(info);
        if let Some(fill) =
            categories::fill(&self.flow, info.name.exact(), element_type, columns(shape))
        {
            return vec![fill];
        }
        let uses = bound::uses(&self.flow, info.name.exact(), element_type);
        let bound = uses
            .bound
            .as_ref()
            .filter(|_| usual::is_number(element_type));
        self.by_operators(info, element_type, &uses)
            .unwrap_or_else(|| {
                let fill = self
                    .by_name(info, element_type, bound)
                    .or_else(|| bound.map(by_bound))
                    .unwrap_or_else(|| self.by_readers(info, element_type));
                vec![fill]
            })
    }

    fn shape(&self, info: &TensorInfo) -> &[Option<u64>] {
        self.shapes
            .get(info.name.exact())
            .map_or(&[][..], Vec::as_slice)
    }

    /// Values that list numbers of axes, or that decide how much is computed.
    fn by_operators(
        &self,
        info: &TensorInfo,
        element_type: ElementType,
        uses: &Uses,
    ) -> Option<Vec<Fill>> {
        let is_number = usual::is_number(element_type);
        let bound = uses.bound.as_ref().filter(|_| is_number);
        let list = is_number
            .then(|| {
                lists::fills(
                    &self.flow,
                    self.graph,
                    self.shapes,
                    info.name.exact(),
                    bound,
                )
            })
            .flatten();
        let indexes = bound.is_some_and(|bound| bound.indexes);
        list.or_else(|| {
            (!indexes)
                .then(|| self.steering(info, element_type, uses))
                .flatten()
        })
    }

    fn by_name(
        &self,
        info: &TensorInfo,
        element_type: ElementType,
        bound: Option<&IndexBound>,
    ) -> Option<Fill> {
        let shape = self.shape(info);
        let role = usual::role(info, &self.graph.inputs, self.shapes);
        let (kind, reason) = usual::by_role(role, bound, element_type, shape)?;
        let most = bound
            .map_or(f64::INFINITY, |bound| bound.high)
            .min(limits(element_type).1);
        let past = (kind == FillKind::Ascending)
            .then(|| self.past(shape, most))
            .flatten();
        let (kind, reason) = match past {
            Some(past) => (
                FillKind::AscendingFrom(past),
                format!("{reason}, after the {past} of the past"),
            ),
            None => (kind, reason),
        };
        Some(Fill {
            kind,
            reason,
            steers: role.is_some_and(Role::steers),
        })
    }

    /// Values in the range that operators read floating-point numbers in, or usual ones of the
    /// type.
    fn by_readers(&self, info: &TensorInfo, element_type: ElementType) -> Fill {
        let range = element_type
            .is_float()
            .then(|| floats::range(&self.flow, info.name.exact()))
            .flatten();
        let (kind, reason) = match range {
            Some((range, reason)) => (FillKind::Uniform(range), reason),
            None => usual::by_type(element_type, dims_of(info).len()),
        };
        // One truth value switches something, whatever that is.
        let is_switch = element_type == ElementType::Bool && elements(self.shape(info)) == 1;
        Fill {
            kind,
            reason,
            steers: is_switch,
        }
    }

    /// Whether values of an input decide how much is computed, wherever they come from.
    pub fn steers(&self, info: &TensorInfo, element_type: ElementType) -> bool {
        info.value_type.as_sequence().is_none()
            && self
                .fills(info, element_type)
                .iter()
                .any(|fill| fill.steers)
    }

    /// The length of a past that positions go on after, up to `most`, where sizes show one: an
    /// input is as long as it and the new tokens.
    fn past(&self, shape: &[Option<u64>], most: f64) -> Option<u64> {
        let new = shape.last().copied().flatten()?;
        let lists = self
            .shapes
            .values()
            .filter(|shape| shape.len() == 2)
            .filter_map(|shape| shape[1]);
        lists
            .filter_map(|all| all.checked_sub(new))
            .filter(|&past| past > 0 && self.has_size(past))
            .max()
            .filter(|&past| (past + new - 1) as f64 <= most)
    }

    fn has_size(&self, wanted: u64) -> bool {
        let mut sizes = self.shapes.values().flatten();
        sizes.any(|&size| size == Some(wanted))
    }

    /// Values of an input that indexes nothing, if they decide how much is computed.
    fn steering(
        &self,
        info: &TensorInfo,
        element_type: ElementType,
        uses: &Uses,
    ) -> Option<Vec<Fill>> {
        let question = Question {
            info,
            element_type,
            flow: &self.flow,
            known: &Known::new(&self.flow),
            inputs: &self.graph.inputs,
            shapes: self.shapes,
            bound: uses.bound.as_ref(),
            compared: &uses.compared,
        };
        taken(&question, uses)
            .or_else(|| steering::fills(&question))
            .or_else(|| compared(&question, uses))
    }
}

fn by_bound(bound: &IndexBound) -> Fill {
    let (kind, reason) = usual::by_bound(bound);
    Fill {
        kind,
        reason,
        steers: !bound.indexes,
    }
}

/// Elements of one sample.
fn elements(shape: &[Option<u64>]) -> u64 {
    shape
        .iter()
        .fold(1, |product, size| product.saturating_mul(size.unwrap_or(1)))
}

/// Columns of an input that has samples along its first axis.
fn columns(shape: &[Option<u64>]) -> usize {
    match shape {
        [_, .., Some(columns)] => usize::try_from(*columns).unwrap_or(usize::MAX),
        _ => 1,
    }
}

/// Numbers that an operator usually takes where the input ends.
fn taken(question: &Question<'_, '_>, uses: &Uses) -> Option<Vec<Fill>> {
    let (values, reason) = uses
        .takes
        .as_ref()
        .filter(|_| usual::is_number(question.element_type))?;
    let fills: Vec<Fill> = values
        .iter()
        .filter(|&&value| question.allows(value))
        .map(|&value| question.constant(value, format!("is {reason}: {value}")))
        .collect();
    (!fills.is_empty()).then_some(fills)
}

/// Numbers that the input is compared with: one of them where it is one number, else all.
fn compared(question: &Question<'_, '_>, uses: &Uses) -> Option<Vec<Fill>> {
    let reason = uses
        .compares
        .as_ref()
        .filter(|_| question.element_type.is_integer() || question.elements() <= 1)?;
    if uses.compared.len() > 1 && question.elements() > 1 {
        let reason = format!("numbers that {reason} and others compare with");
        return Some(vec![Fill {
            kind: FillKind::Numbers(uses.compared.clone()),
            reason,
            steers: true,
        }]);
    }
    let fills = uses
        .compared
        .iter()
        .map(|&value| question.constant(value, format!("{reason} compares it with {value}")));
    (!uses.compared.is_empty()).then(|| fills.collect())
}
