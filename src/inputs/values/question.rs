//! An input whose values may decide how much is computed, as it is asked about.

use super::bound::IndexBound;
use super::flow::Flow;
use super::simulate::Known;
use super::{Fill, Shapes};
use crate::plan::ElementType;
use crate::record::{FillKind, TensorInfo};

pub(super) struct Question<'q, 'm> {
    pub info: &'q TensorInfo,
    pub element_type: ElementType,
    pub flow: &'q Flow<'m>,
    pub known: &'q Known<'q, 'm>,
    pub inputs: &'q [TensorInfo],
    pub shapes: &'q Shapes,
    pub bound: Option<&'q IndexBound>,
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

    pub fn shown(&self, value: f64) -> String {
        match (self.element_type, value) {
            (ElementType::Bool, 0.0) => "false".to_owned(),
            (ElementType::Bool, _) => "true".to_owned(),
            _ => value.to_string(),
        }
    }
}
