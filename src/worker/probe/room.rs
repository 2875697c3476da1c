//! Memory that a trial may take.

use crate::inputs::InputPlan;
use crate::memory::{self, Held};
use crate::onnx::{Expr, Graph, ShapeFacts};
use crate::units::Bytes;

/// Size of an element of an output; most are of four bytes, and the others are not far from it.
const OUTPUT_ELEMENT: u64 = 4;

/// Samples that a pair holds at once: each alone, and both together.
const PAIR: u64 = 4;

pub(super) struct Room {
    bytes: Option<Bytes>,
    facts: ShapeFacts,
}

impl Room {
    pub(super) fn new(bytes: Option<Bytes>, graph: &Graph) -> Self {
        Room {
            bytes,
            facts: ShapeFacts::of(graph),
        }
    }

    /// Outputs are as large as plans say they are.
    pub(super) fn of_bytes(bytes: Option<Bytes>) -> Self {
        Room {
            bytes,
            facts: ShapeFacts::default(),
        }
    }

    /// The error is a sentence of its own.
    pub(super) fn check(&self, plan: &InputPlan, batch_size: u64) -> Result<(), String> {
        let outputs = self
            .output_bytes(plan, batch_size)
            .max(plan.output_bytes(batch_size).0);
        let needed = plan.bytes(batch_size).0.saturating_add(outputs);
        match self.bytes {
            Some(room) if needed > room.0 => Err(format!(
                "inputs and outputs would take {} of memory, and {} may be used",
                Bytes(needed).in_words(),
                room.in_words()
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn check_pair(&self, plan: &InputPlan) -> Result<(), String> {
        self.check(plan, PAIR)
            .map_err(|why| format!("of two samples, alone and together, {why}"))
    }

    /// Values of an input may make an output large whose size follows from no input's: this limits
    /// it while it is kept.
    pub(super) fn hold(&self) -> Option<Held> {
        self.bytes.and_then(|_| memory::hold())
    }

    /// Size of the outputs as far as it follows from the inputs.
    pub(super) fn output_bytes(&self, plan: &InputPlan, batch_size: u64) -> u64 {
        let size = |dim| self.size_of(dim, plan, batch_size);
        let elements = self
            .facts
            .outputs
            .values()
            .flatten()
            .filter_map(|output| elements_of(output, &size));
        elements.fold(0, |sum, elements| {
            sum.saturating_add(elements.saturating_mul(OUTPUT_ELEMENT))
        })
    }

    fn size_of(&self, dim: usize, plan: &InputPlan, batch_size: u64) -> Option<u64> {
        let place = self.facts.dims.get(dim)?.places.first()?;
        plan.fed
            .iter()
            .find(|fed| fed.name == place.input)?
            .shape(batch_size)
            .get(place.axis)
            .copied()
    }
}

fn elements_of(shape: &[Expr], size: &impl Fn(usize) -> Option<u64>) -> Option<u64> {
    shape.iter().try_fold(1_u64, |product, expr| {
        product.checked_mul(expr.evaluate(size)?.try_into().ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ElementType;
    use crate::record::{AxisReason, BatchAxis, BatchProof, FedInput, FillKind};

    #[test]
    fn a_pair_of_samples_takes_the_room_of_four() {
        let fed = FedInput::new(
            "x",
            ElementType::Float,
            vec![None, Some(250)],
            FillKind::Constant(0.0),
        );
        let batch_axis = BatchAxis {
            axes: [("x".into(), 0)].into(),
            symbol: None,
            fixed_size: None,
            reason: AxisReason::Proof,
            proof: BatchProof::Untried,
        };
        let plan = InputPlan {
            sample_output_bytes: Some(Bytes(1_000)),
            ..InputPlan::made_up(vec![fed], batch_axis)
        };
        // 1,000 bytes of inputs and as many of outputs, four times.
        let room = |bytes: u64| Room::of_bytes(Some(Bytes(bytes)));
        assert!(room(2_000).check(&plan, 1).is_ok() && room(8_000).check_pair(&plan).is_ok());
        let refused = room(7_999).check_pair(&plan).unwrap_err();
        assert!(
            refused
                .starts_with("of two samples, alone and together, inputs and outputs would take "),
            "{refused}"
        );
        assert!(Room::of_bytes(None).check_pair(&plan).is_ok());
    }
}
