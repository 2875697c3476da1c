//! An input whose values may decide how much is computed, as it is asked about.

use super::bound::IndexBound;
use super::flow::Flow;
use super::simulate::Known;
use super::{Fill, Shapes};
use crate::plan::ElementType;
use crate::record::{FillKind, TensorInfo};

/// An input, and what its values are judged by.
pub(super) struct Question<'q, 'm> {
    /// The input.
    pub info: &'q TensorInfo,
    /// Type of its elements.
    pub element_type: ElementType,
    /// The model's graph.
    pub flow: &'q Flow<'m>,
    /// Knowledge of its values.
    pub known: &'q Known<'q, 'm>,
    /// The model's inputs.
    pub inputs: &'q [TensorInfo],
    /// Their shapes.
    pub shapes: &'q Shapes,
    /// Values outside of which an operator fails.
    pub bound: Option<&'q IndexBound>,
    /// Numbers that the input is compared with.
    pub compared: &'q [f64],
}

impl Question<'_, '_> {
    /// Numbers of one sample in the input.
    pub fn elements(&self) -> u64 {
        super::elements(self.shapes.get(&self.info.name).map_or(&[][..], Vec::as_slice))
    }

    /// A fill of one value everywhere that decides how much is computed.
    pub fn constant(&self, value: f64, reason: String) -> Fill {
        Fill { kind: FillKind::Constant(value), reason, steers: true }
    }

    /// The value as people write it for the input's type.
    pub fn shown(&self, value: f64) -> String {
        match (self.element_type, value) {
            (ElementType::Bool, 0.0) => "false".to_owned(),
            (ElementType::Bool, _) => "true".to_owned(),
            _ => value.to_string(),
        }
    }
}
