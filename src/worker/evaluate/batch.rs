//! Running a batch of the data through a session.

use crate::engine::EngineError;
use crate::inputs::{Argument, Dataset, Tensor};
use crate::protocol::Evaluation;
use crate::record::Failure;

pub(super) type Compute<'c> = dyn FnMut(&[Argument]) -> Result<Vec<Tensor>, EngineError> + 'c;

/// A batch of fixed size is filled up with samples from the start of the data, whose outputs are cut off again.
pub(super) fn run_batch(
    compute: &mut Compute<'_>,
    evaluation: &Evaluation,
    dataset: &Dataset,
    first: u64,
    count: u64,
) -> Result<Vec<Tensor>, Failure> {
    let run_size = if evaluation.inputs.supports_batch(count).is_ok() { count } else { evaluation.batch_size };
    let inputs = dataset.batch(first, run_size)?;
    let outputs = compute(&inputs)?;
    if run_size == count {
        return Ok(outputs);
    }
    let cut = |output: Tensor| match output.data.shape().first() {
        Some(&rows) if rows as u64 == run_size => Tensor { data: output.data.rows(0, 0..count as usize), ..output },
        _ => output,
    };
    Ok(outputs.into_iter().map(cut).collect())
}
