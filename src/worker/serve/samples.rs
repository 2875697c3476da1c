//! Samples that requests carry, and the batches that they are gathered into.

use std::collections::BTreeMap;

use crate::engine::{BatchInputs, ServedInputs};
use crate::inputs::{Dataset, InputPlan};
use crate::plan::Batcher;
use crate::protocol::ServeRequest;
use crate::record::{Failure, FailureKind, FedInput};
use crate::text::Plain;

/// Samples of the data, or made up; of a model that takes batches of one size alone, whole batches
/// where they are not gathered.
pub(super) fn of(request: &ServeRequest) -> Result<ServedInputs, Failure> {
    let plan = &request.inputs;
    let sizes = sizes(plan, request.serving.batcher.as_ref())?;
    let rows = match request.serving.batcher {
        Some(_) => 1,
        None => plan.batch_axis.fixed_size.unwrap_or(1),
    };
    let wanted = request.samples_count.max(1);
    let dataset = match Dataset::open(plan)? {
        Some(dataset) => dataset,
        None => Dataset::synthesized(plan, wanted.saturating_mul(rows))?,
    };
    let count = wanted.min(dataset.len() / rows).max(1);
    let axes = axes(plan, !sizes.is_empty())?;
    let most = sizes.last().copied();
    Ok(ServedInputs {
        samples: (0..count)
            .map(|place| dataset.batch(place * rows, rows))
            .collect::<Result<_, _>>()?,
        batches: sizes
            .into_iter()
            .map(|size| {
                let mut inputs = dataset.batch(0, size)?;
                inputs.retain(|input| Some(size) == most || !axes.contains_key(&input.name));
                Ok(BatchInputs { size, inputs })
            })
            .collect::<Result<_, Failure>>()?,
        axes,
        seed: request.offer.seed,
    })
}

/// Sizes of batches that memory is bound for; none where requests are run alone.
fn sizes(plan: &InputPlan, batcher: Option<&Batcher>) -> Result<Vec<u64>, Failure> {
    let Some(batcher) = batcher else {
        return Ok(Vec::new());
    };
    let most = batcher.max_batch.max(1);
    match plan.batch_axis.fixed_size {
        Some(fixed) if fixed >= most => Ok(vec![fixed]),
        Some(fixed) => Err(refused(
            most,
            &format!("the model's batch dimension is fixed at {fixed}"),
            fixed,
        )),
        None => match plan.supports_batch(most) {
            Ok(()) => Ok((1..=most).collect()),
            Err(reason) => Err(refused(most, &reason, 1)),
        },
    }
}

fn refused(most: u64, reason: &str, fitting: u64) -> Failure {
    let hint = if fitting > 1 {
        format!("gather at most {fitting} requests: `--batcher max-batch={fitting}`")
    } else {
        "leave `--batcher` out".to_owned()
    };
    Failure::of(
        FailureKind::BadInput,
        format!("requests cannot be gathered into batches of up to {most}: {reason}"),
    )
    .hinted(hint)
}

/// The axis of each input along which samples lie.
fn axes(plan: &InputPlan, are_gathered: bool) -> Result<BTreeMap<Plain, usize>, Failure> {
    let mut axes = BTreeMap::new();
    if are_gathered {
        for fed in &plan.fed {
            if let Some(axis) = axis(fed)? {
                axes.insert(fed.name.clone(), axis);
            }
        }
    }
    Ok(axes)
}

fn axis(fed: &FedInput) -> Result<Option<usize>, Failure> {
    let mut growing = (0..fed.dims.len()).filter(|&axis| fed.dims[axis].is_none());
    let first = growing.next();
    match growing.next() {
        None => Ok(first),
        Some(_) => Err(Failure::of(
            FailureKind::BadInput,
            format!(
                "requests cannot be gathered into batches: input `{}` grows with the batch in two \
                 dimensions",
                fed.name.exact()
            ),
        )
        .hinted("leave `--batcher` out")),
    }
}
