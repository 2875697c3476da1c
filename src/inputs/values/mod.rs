//! Values that are fed where there is no data: decided by what operators do with them.
//!
//! Nothing here chooses a size or runs a model. Read [`Values`] first.

mod bound;
mod flow;
mod names;
mod operators;
mod usual;

use std::collections::BTreeMap;

use flow::Flow;

use super::dims::dims_of;
use crate::onnx::Graph;
use crate::plan::ElementType;
use crate::record::{FillKind, TensorInfo};

/// Shapes of a model's inputs by name; a size is absent where the batch size stands.
pub(super) type Shapes = BTreeMap<String, Vec<Option<u64>>>;

/// One way to fill an input.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fill {
    /// How values are made.
    pub kind: FillKind,
    /// Why, in one sentence that names the operator that decided, if one did.
    pub reason: String,
    /// Whether the values decide how much is computed.
    pub steers: bool,
}

/// What a model does with the values of its inputs, which have certain shapes.
pub(super) struct Values<'m> {
    graph: &'m Graph,
    shapes: &'m Shapes,
    flow: Flow<'m>,
}

impl<'m> Values<'m> {
    /// What `graph` does with inputs of these shapes.
    pub fn new(graph: &'m Graph, shapes: &'m Shapes) -> Values<'m> {
        Values { graph, shapes, flow: Flow::new(graph, shapes) }
    }

    /// Ways to fill an input, the best first; there is at least one. A later one is worth a try where the runtime
    /// refuses the values of those before, or where outputs are not finite.
    pub fn fills(&self, info: &TensorInfo, element_type: ElementType) -> Vec<Fill> {
        let bound = bound::bound(&self.flow, &info.name, element_type).filter(|_| usual::is_number(element_type));
        let role = names::role(info, &self.graph.inputs, self.shapes);
        let shape = self.shapes.get(&info.name).map_or(&[][..], Vec::as_slice);
        let (kind, reason) = usual::by_role(role, bound.as_ref(), element_type, shape)
            .or_else(|| bound.map(usual::by_bound))
            .unwrap_or_else(|| usual::by_type(element_type, dims_of(info).len()));
        vec![Fill { kind, reason, steers: false }]
    }
}
