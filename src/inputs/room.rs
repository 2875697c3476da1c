//! Whether there is memory for inputs, asked before they are made.

use super::{InputError, InputPlan};
use crate::memory;
use crate::units::Bytes;

/// Makes sure that so many sets of inputs of a batch size fit into memory; the error says what would fit.
pub(super) fn ask_for_sets(plan: &InputPlan, batch_size: u64, sets_count: u64) -> Result<(), InputError> {
    let needed = Bytes(plan.bytes(batch_size).0.saturating_mul(sets_count));
    let what = || match sets_count {
        1 => format!("inputs of batch size {batch_size}"),
        _ => format!("{sets_count} sets of inputs of batch size {batch_size}"),
    };
    memory::ask(needed, what).map_err(|reason| {
        let fits = |size: &u64| plan.bytes(*size).0.saturating_mul(sets_count) <= reason.free.0;
        let fitting = Some(reason.fitting(batch_size)).filter(|size| *size > 0 && *size < batch_size).filter(fits);
        InputError::BatchMemory { fitting, reason }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ElementType;
    use crate::record::{BatchAxis, BatchProof, FedInput, FillKind};

    fn synthesized(dims: &[Option<u64>]) -> InputPlan {
        let fed = FedInput::new("x", ElementType::Float, dims.to_vec(), FillKind::Constant(0.0));
        InputPlan::made_up(vec![fed], BatchAxis::none(BatchProof::Untried))
    }

    #[test]
    fn a_batch_that_no_machine_holds_is_refused_with_one_that_fits() {
        let plan = synthesized(&[None, Some(1 << 10)]);
        assert!(ask_for_sets(&plan, 8, 8).is_ok());
        let Err(InputError::BatchMemory { fitting: Some(fitting), reason }) = ask_for_sets(&plan, 1 << 48, 8) else {
            panic!()
        };
        assert!(plan.bytes(fitting).0 * 8 <= reason.free.0 && fitting > 1);
        assert!(ask_for_sets(&plan, fitting / 2, 8).is_ok());
        let endless = synthesized(&[None, Some(1 << 50)]);
        assert!(matches!(ask_for_sets(&endless, 1, 1), Err(InputError::BatchMemory { fitting: None, .. })));
    }
}
