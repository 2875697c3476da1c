//! Values that are fed where there is no data: decided by what operators do with them.
//!
//! Nothing here chooses a size or runs a model. Read [`Values`] first.

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

    /// Values that can be looked up where an input indexes a table, counted from its end where they are negative, and
    /// what looks them up; absent where nothing does, or not with every value.
    pub fn table(
        &self,
        info: &TensorInfo,
        element_type: ElementType,
    ) -> Option<(RangeInclusive<f64>, String)> {
        let table = bound::uses(&self.flow, &info.name, element_type)
            .table
            .filter(|_| element_type.is_integer())?;
        Some((
            2.0 * table.low - table.high - 1.0..=table.high,
            table.reason,
        ))
    }

    /// Ways to fill an input, the best first; there is at least one. A later one is worth a try where the runtime
    /// refuses the values of those before, or where outputs are not finite.
    pub fn fills(&self, info: &TensorInfo, element_type: ElementType) -> Vec<Fill> {
        let uses = bound::uses(&self.flow, &info.name, element_type);
        let bound = uses
            .bound
            .as_ref()
            .filter(|_| usual::is_number(element_type));
        let shape = self.shapes.get(&info.name).map_or(&[][..], Vec::as_slice);
        if let Some(fill) = categories::fill(&self.flow, &info.name, element_type, columns(shape)) {
            return vec![fill];
        }
        let list = || lists::fills(&self.flow, self.graph, self.shapes, &info.name, bound);
        if let Some(fills) = usual::is_number(element_type).then(list).flatten() {
            return fills;
        }
        if !bound.is_some_and(|bound| bound.indexes)
            && let Some(fills) = self.steering(info, element_type, &uses)
        {
            return fills;
        }
        let role = usual::role(info, &self.graph.inputs, self.shapes);
        if let Some(fill) = usual::by_role(role, bound, element_type, shape) {
            let most = bound
                .map_or(f64::INFINITY, |bound| bound.high)
                .min(limits(element_type).1);
            let (kind, reason) = self.after_the_past(fill, most, shape);
            return vec![Fill {
                kind,
                reason,
                steers: role.is_some_and(Role::steers),
            }];
        }
        if let Some(bound) = bound {
            let (kind, reason) = usual::by_bound(bound);
            return vec![Fill {
                kind,
                reason,
                steers: !bound.indexes,
            }];
        }
        let float = || {
            element_type
                .is_float()
                .then(|| floats::range(&self.flow, &info.name))
                .flatten()
        };
        let (kind, reason) = float()
            .map(|(range, reason)| (FillKind::Uniform(range), reason))
            .unwrap_or_else(|| usual::by_type(element_type, dims_of(info).len()));
        // One truth value switches something, whatever that is.
        let is_switch = element_type == ElementType::Bool && elements(shape) == 1;
        vec![Fill {
            kind,
            reason,
            steers: is_switch,
        }]
    }

    /// Whether values of an input decide how much is computed, wherever they come from.
    pub fn steers(&self, info: &TensorInfo, element_type: ElementType) -> bool {
        info.value_type.as_sequence().is_none()
            && self
                .fills(info, element_type)
                .iter()
                .any(|fill| fill.steers)
    }

    /// Positions go on after those of the past, up to `most`, where sizes show one: an input is as long as it and the
    /// new tokens.
    fn after_the_past(
        &self,
        fill: (FillKind, String),
        most: f64,
        shape: &[Option<u64>],
    ) -> (FillKind, String) {
        let Some(new) = shape
            .last()
            .copied()
            .flatten()
            .filter(|_| fill.0 == FillKind::Ascending)
        else {
            return fill;
        };
        let sizes = || self.shapes.values().flatten().copied().flatten();
        let lists = self
            .shapes
            .values()
            .filter(|shape| shape.len() == 2)
            .filter_map(|shape| shape[1]);
        let pasts = lists.filter_map(|all| all.checked_sub(new));
        let past = pasts
            .filter(|&past| past > 0 && sizes().any(|size| size == past))
            .max();
        match past.filter(|&past| (past + new - 1) as f64 <= most) {
            Some(past) => (
                FillKind::AscendingFrom(past),
                format!("{}, after the {past} of the past", fill.1),
            ),
            None => fill,
        }
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
    let fill = |&value: &f64| question.constant(value, format!("is {reason}: {value}"));
    let safe = |value: &&f64| {
        question
            .bound
            .is_none_or(|bound| (bound.low..=bound.high).contains(*value))
    };
    let fills: Vec<Fill> = values.iter().filter(safe).map(fill).collect();
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
    let fill =
        |&value: &f64| question.constant(value, format!("{reason} compares it with {value}"));
    (!uses.compared.is_empty()).then(|| uses.compared.iter().map(fill).collect())
}
