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

use extent::{measured, place};
use flow::Flow;
use operators::IndexBound;
use simulate::Question;

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

impl Fill {
    fn steering(kind: FillKind, reason: String) -> Fill {
        Fill {
            kind,
            reason,
            steers: true,
        }
    }
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
        usual::by_type(element_type, 0)
    }

    /// Values that can be looked up where an input indexes a table, counted from its end where they
    /// are negative, and what looks them up; absent where nothing does, or not with every value.
    pub fn table(
        &self,
        info: &TensorInfo,
        element_type: ElementType,
    ) -> Option<(RangeInclusive<f64>, String)> {
        let uses = bound::uses(&self.flow, info.name.exact(), element_type);
        let table = uses.table.filter(|_| element_type.is_integer())?;
        let least = 2.0 * table.low - table.high - 1.0;
        Some((least..=table.high, table.reason))
    }

    /// Ways to fill an input, the best first; there is at least one. A later one is worth a try
    /// where the runtime refuses the values of those before, or where outputs are not finite.
    pub fn fills(&self, info: &TensorInfo, element_type: ElementType) -> Vec<Fill> {
        let question = Question {
            info,
            element_type,
            flow: &self.flow,
            graph: self.graph,
            shapes: self.shapes,
            uses: bound::uses(&self.flow, info.name.exact(), element_type),
        };
        let columns = columns(question.shape());
        if let Some(fill) = categories::fill(&self.flow, info.name.exact(), element_type, columns) {
            return vec![fill];
        }
        question.by_operators().unwrap_or_else(|| {
            let bound = question.bound();
            let fill = question.by_name().or_else(|| bound.map(usual::by_bound));
            vec![fill.unwrap_or_else(|| question.by_readers())]
        })
    }

    /// Whether values of an input decide how much is computed, wherever they come from.
    pub fn steers(&self, info: &TensorInfo, element_type: ElementType) -> bool {
        info.value_type.as_sequence().is_none()
            && self
                .fills(info, element_type)
                .iter()
                .any(|fill| fill.steers)
    }
}

impl Question<'_> {
    /// The bound of numbers.
    fn bound(&self) -> Option<&IndexBound> {
        self.uses.bound.as_ref().filter(|_| self.is_number())
    }

    /// Values that list numbers of axes, or that decide how much is computed.
    fn by_operators(&self) -> Option<Vec<Fill>> {
        if self.is_number() {
            let lists = self.lists();
            if lists.is_some() || self.bound().is_some_and(|bound| bound.indexes) {
                return lists;
            }
        }
        self.taken()
            .or_else(|| self.steering())
            .or_else(|| self.compared())
    }

    /// Values in the range that operators read floating-point numbers in, or usual ones of the
    /// type.
    fn by_readers(&self) -> Fill {
        if self.element_type.is_float()
            && let Some((range, reason)) = floats::range(self.flow, self.info.name.exact())
        {
            return Fill {
                kind: FillKind::Uniform(range),
                reason,
                steers: false,
            };
        }
        Fill {
            // One truth value switches something, whatever that is.
            steers: self.element_type == ElementType::Bool && self.elements() == 1,
            ..usual::by_type(self.element_type, dims_of(self.info).len())
        }
    }

    /// Numbers that an operator usually takes where the input ends.
    fn taken(&self) -> Option<Vec<Fill>> {
        let (values, reason) = self.uses.takes.as_ref().filter(|_| self.is_number())?;
        let safe = values.iter().filter(|&&value| self.allows(value));
        let fills: Vec<Fill> = safe
            .map(|&value| self.constant(value, format!("is {reason}: {value}")))
            .collect();
        (!fills.is_empty()).then_some(fills)
    }

    /// Numbers that the input is compared with: one of them where it is one number, else all.
    fn compared(&self) -> Option<Vec<Fill>> {
        let (reason, compared) = (self.uses.compares.as_ref()?, &self.uses.compared);
        let is_one = self.elements() <= 1;
        if !self.element_type.is_integer() && !is_one {
            return None;
        }
        if compared.len() > 1 && !is_one {
            let reason = format!("numbers that {reason} and others compare with");
            let numbers = FillKind::Numbers(compared.clone());
            return Some(vec![Fill::steering(numbers, reason)]);
        }
        let fills = compared
            .iter()
            .map(|&value| self.constant(value, format!("{reason} compares it with {value}")));
        (!compared.is_empty()).then(|| fills.collect())
    }
}

/// Columns of an input that has samples along its first axis.
fn columns(shape: &[Option<u64>]) -> usize {
    match shape {
        [_, .., Some(columns)] => usize::try_from(*columns).unwrap_or(usize::MAX),
        _ => 1,
    }
}
