//! Memory that a trial may take.

use crate::inputs::InputPlan;
use crate::onnx::{Graph, ShapeFacts};
use crate::units::Bytes;

/// Size of an element of an output; most are of four bytes, and the others are not far from it.
const OUTPUT_ELEMENT: u64 = 4;

/// Memory that inputs and outputs of a trial may take, and what tells how much they do.
#[derive(Debug)]
pub(super) struct Room {
    bytes: Option<Bytes>,
    facts: ShapeFacts,
}

impl Room {
    /// Room of so many bytes for a model's inputs and outputs; absent: no bound is known.
    pub(super) fn new(bytes: Option<Bytes>, graph: &Graph) -> Self {
        Room { bytes, facts: ShapeFacts::of(graph) }
    }

    /// Room for anything.
    pub(super) fn unbounded() -> Self {
        Room { bytes: None, facts: ShapeFacts::default() }
    }

    /// Whether a plan fits at a batch size.
    ///
    /// # Errors
    /// Why not, as a sentence of its own.
    pub(super) fn check(&self, plan: &InputPlan, batch_size: u64) -> Result<(), String> {
        let needed = plan.bytes(batch_size).0.saturating_add(self.output_bytes(plan, batch_size));
        match self.bytes {
            Some(room) if needed > room.0 => Err(format!(
                "inputs and outputs would take {} of memory, and {} may be used",
                Bytes(needed).in_words(),
                room.in_words()
            )),
            _ => Ok(()),
        }
    }

    /// Size of the outputs as far as it follows from the inputs.
    pub(super) fn output_bytes(&self, plan: &InputPlan, batch_size: u64) -> u64 {
        let size = |dim: usize| {
            let place = self.facts.dims.get(dim)?.places.first()?;
            let fed = plan.fed.iter().find(|fed| fed.name == place.input)?;
            fed.shape(batch_size).get(place.axis).copied()
        };
        let elements = |output: &Vec<_>| {
            output.iter().try_fold(1_u64, |product, expr: &crate::onnx::Expr| {
                product.checked_mul(u64::try_from(expr.evaluate(&size)?).ok()?)
            })
        };
        let outputs = self.facts.outputs.values().flatten();
        outputs
            .filter_map(elements)
            .fold(0, |sum, elements| sum.saturating_add(elements.saturating_mul(OUTPUT_ELEMENT)))
    }
}
