//! Two unlike samples, each alone and both together: what a batch is proved with.

use super::dataset::made_up;
use super::{Argument, Dataset, InputError, InputPlan, InputSet, Result, TensorData, Value, fill};
use crate::plan::ValueRange;
use crate::record::{FedInput, FillKind};

/// How far a number may be varied for a proof, relative to itself.
const VARIATION: f64 = 0.25;

/// Two unlike samples of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplePair {
    /// One sample.
    pub first: InputSet,
    /// Another one. Inputs that no samples lie along are the same as in the first.
    pub second: InputSet,
    /// Both, one after the other along the batch axis of each input.
    pub both: InputSet,
}

impl SamplePair {
    /// A pair of the plan's samples: rows of its data, or made up. Each `attempt`, from 0, takes
    /// another second sample.
    ///
    /// # Errors
    /// Inputs cannot be made, or cannot be put together; the data has no further sample.
    pub fn of(plan: &InputPlan, attempt: u64) -> Result<SamplePair> {
        let (first, mut second) = two_samples(plan, attempt)?;
        let mut both = InputSet::new();
        for (fed, (first, second)) in plan.fed.iter().zip(first.iter().zip(&mut second)) {
            if axis(fed).is_none() {
                second.clone_from(first);
            }
            both.push(Argument::of(
                fed,
                together(fed, &first.value, &second.value, plan.seed)?,
            ));
        }
        Ok(SamplePair {
            first,
            second,
            both,
        })
    }
}

fn two_samples(plan: &InputPlan, attempt: u64) -> Result<(InputSet, InputSet)> {
    match Dataset::open(plan)? {
        Some(data) if attempt + 1 < data.len() => {
            Ok((data.batch(0, 1)?, data.batch(attempt + 1, 1)?))
        }
        Some(_) => Err(no_pair("the data has no two unlike samples")),
        None => {
            let other_seed = plan.seed.wrapping_add(attempt + 1);
            Ok((
                made_up(plan, 1, plan.seed)?,
                made_up(&varied(plan, attempt), 1, other_seed)?,
            ))
        }
    }
}

/// The axis of an input along which samples lie, the first one if there are several.
fn axis(fed: &FedInput) -> Option<usize> {
    fed.dims.iter().position(Option::is_none)
}

/// The plan, from the second attempt on with other numbers where all samples would have the same,
/// which proves little.
fn varied(plan: &InputPlan, attempt: u64) -> InputPlan {
    let mut varied = plan.clone();
    for fed in &mut varied.fed {
        if let FillKind::Constant(value) = fed.fill
            && attempt > 0
            && fed.element_type.is_float()
            && value.is_finite()
        {
            let reach = VARIATION * value.abs();
            fed.fill = FillKind::Uniform(ValueRange {
                low: value - reach,
                high: value + reach,
            });
        }
    }
    varied
}

fn together(fed: &FedInput, first: &Value, second: &Value, seed: u64) -> Result<Value> {
    let (Value::Tensor(one), Value::Tensor(other)) = (first, second) else {
        return Ok(first.clone());
    };
    let tensor = match fed.dims.iter().filter(|size| size.is_none()).count() {
        0 if fill::follows_batch(&fed.fill) => fill::tensor(fed, 2, seed)?,
        0 => one.clone(),
        1 => TensorData::concatenated(&[one.clone(), other.clone()], axis(fed).unwrap_or_default())
            .ok_or_else(|| {
                no_pair(&format!(
                    "samples of `{}` differ in shape",
                    fed.name.exact()
                ))
            })?,
        _ => {
            return Err(no_pair(&format!(
                "`{}` grows along several axes",
                fed.name.exact()
            )));
        }
    };
    Ok(Value::Tensor(tensor))
}

fn no_pair(reason: &str) -> InputError {
    InputError::BatchSize(2, reason.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::plan::ElementType;
    use crate::record::{BatchAxis, BatchProof};

    fn fed(name: &str, dims: &[Option<u64>]) -> FedInput {
        let fill = FillKind::Uniform(ValueRange {
            low: 0.0,
            high: 1.0,
        });
        FedInput::new(name, ElementType::Float, dims.to_vec(), fill)
    }

    fn plan(fed: Vec<FedInput>) -> InputPlan {
        InputPlan::made_up(fed, BatchAxis::none(BatchProof::Untried))
    }

    #[test]
    fn samples_lie_along_their_own_axes_and_share_what_has_none() {
        let heads = FedInput {
            rows_per_sample: BTreeMap::from([(0, 4)]),
            ..fed("heads", &[None, Some(2)])
        };
        let plan = plan(vec![
            fed("state", &[Some(3), None]),
            heads,
            fed("scales", &[Some(2)]),
        ]);
        let pair = SamplePair::of(&plan, 0).unwrap();
        let data = |argument: &Argument| argument.value.as_tensor().unwrap().clone();
        let shapes = |set: &InputSet| {
            set.iter()
                .map(|one| data(one).shape().to_vec())
                .collect::<Vec<_>>()
        };
        assert_eq!(shapes(&pair.second), [vec![3, 1], vec![4, 2], vec![2]]);
        assert_eq!(shapes(&pair.both), [vec![3, 2], vec![8, 2], vec![2]]);
        assert_ne!(pair.first[0], pair.second[0]);
        assert_eq!(pair.first[2], pair.second[2]);
        assert_eq!(data(&pair.both[1]).rows(0, 4..8), data(&pair.second[1]));
        assert_ne!(pair.second[0], SamplePair::of(&plan, 1).unwrap().second[0]);
    }

    #[test]
    fn a_number_that_all_samples_share_is_varied_in_a_second_attempt() {
        let plan = plan(vec![FedInput {
            fill: FillKind::Constant(1.0),
            ..fed("gain", &[None, Some(2)])
        }]);
        let pair = |attempt| SamplePair::of(&plan, attempt).unwrap();
        assert_eq!(pair(0).first, pair(0).second);
        assert_ne!(pair(1).first, pair(1).second);
        assert_eq!(pair(1).first, pair(0).first);
    }

    #[test]
    fn an_input_that_says_how_many_samples_there_are_says_two() {
        let columns = vec![FillKind::PerSample(1), FillKind::Constant(8.0)];
        let sizes = FedInput {
            fill: FillKind::Columns(columns),
            ..fed("sizes", &[Some(2)])
        };
        let pair = SamplePair::of(&plan(vec![fed("image", &[None, Some(4)]), sizes]), 0).unwrap();
        let numbers = |set: &InputSet| set[1].value.as_tensor().unwrap().first_f64(2);
        assert_eq!(
            (numbers(&pair.first), numbers(&pair.second)),
            (vec![1.0, 8.0], vec![1.0, 8.0])
        );
        assert_eq!(numbers(&pair.both), [2.0, 8.0]);
    }

    #[test]
    fn an_input_that_grows_twice_cannot_be_put_together() {
        let square = plan(vec![fed("adjacency", &[None, None])]);
        assert!(SamplePair::of(&square, 0).is_err());
    }
}
