//! Values of synthesized tensors.

use std::ops::RangeInclusive;

use ndarray::{ArrayD, IxDyn};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::synthesize::whole_limits;
use super::tensor::element_bytes;
use super::{InputError, TensorData, Value, element_name};
use crate::memory;
use crate::plan::{ElementType, ValueRange};
use crate::record::{FedInput, FillKind, NoTensor};
use crate::units::Bytes;

const TEXT_LETTERS: usize = 5;

/// A tensor, or a sequence of them, each with values of its own.
pub(super) fn value(fed: &FedInput, batch_size: u64, seed: u64) -> Result<Value, InputError> {
    let shapes = match &fed.no_tensor {
        None => return tensor(fed, batch_size, seed).map(Value::Tensor),
        Some(NoTensor::Nothing) => return Ok(Value::Nothing),
        Some(NoTensor::Sequence(shapes)) => shapes,
    };
    let mut tensors = Vec::new();
    for (place, shape) in shapes.iter().enumerate() {
        tensors.push(tensor(&element(fed, place, shape), batch_size, seed)?);
    }
    Ok(Value::Sequence(fed.element_type, tensors))
}

/// A tensor of a sequence as an input of its own.
fn element(sequence: &FedInput, place: usize, shape: &[u64]) -> FedInput {
    FedInput {
        name: element_name(sequence.name.exact(), place).into(),
        dims: shape.iter().copied().map(Some).collect(),
        no_tensor: None,
        ..sequence.clone()
    }
}

/// One seed gives the same values to inputs of one name in all variants of a model, whatever their
/// types and order.
pub(super) fn tensor(fed: &FedInput, batch_size: u64, seed: u64) -> Result<TensorData, InputError> {
    let shape = shape(fed, batch_size)?;
    let counted = of_batch(&fed.fill, batch_size).map(|fill| FedInput {
        fill,
        ..fed.clone()
    });
    let fed = counted.as_ref().unwrap_or(fed);
    let mut random = Pcg64Mcg::seed_from_u64(seed ^ name_hash(fed.name.exact()));
    let made = if fed.element_type == ElementType::String {
        texts(fed, &shape, &mut random)
    } else if fed.element_type.is_float() {
        floats(fed, &shape, &mut random)
    } else {
        integers(fed, &shape, &mut random)
    };
    made.ok_or_else(|| {
        InputError::UnsupportedElements(fed.name.exact().to_owned(), fed.element_type)
    })
}

fn texts(fed: &FedInput, shape: &[usize], random: &mut Pcg64Mcg) -> Option<TensorData> {
    let texts = (0..elements(shape)).map(|index| match column(&fed.fill, shape, index) {
        FillKind::Words(words) if !words.is_empty() => words[random.random_range(0..words.len())]
            .exact()
            .to_owned(),
        _ => (0..TEXT_LETTERS)
            .map(|_| random.random_range('a'..='z'))
            .collect(),
    });
    ArrayD::from_shape_vec(IxDyn(shape), texts.collect())
        .ok()
        .map(TensorData::String)
}

fn elements(shape: &[usize]) -> usize {
    shape.iter().product()
}

fn shape(fed: &FedInput, batch_size: u64) -> Result<Vec<usize>, InputError> {
    let sizes = fed.shape(batch_size);
    let Some(needed) = memory_of(fed, &sizes) else {
        return Err(InputError::TooLarge(fed.name.exact().to_owned(), sizes));
    };
    memory::ask(needed, || {
        format!("input `{}` of the shape {sizes:?}", fed.name.exact())
    })
    .map_err(|reason| InputError::BatchMemory {
        fitting: None,
        reason,
    })?;
    Ok(sizes.into_iter().map(|size| size as usize).collect())
}

/// Memory of a tensor of these sizes, where it can be counted. A string takes at least its own
/// three words.
fn memory_of(fed: &FedInput, sizes: &[u64]) -> Option<Bytes> {
    let width = element_bytes(fed.element_type).unwrap_or(24) as u64;
    sizes
        .iter()
        .try_fold(width, |product, &size| product.checked_mul(size))
        .map(Bytes)
}

fn floats(fed: &FedInput, shape: &[usize], random: &mut Pcg64Mcg) -> Option<TensorData> {
    let values = (0..elements(shape)).map(|index| match column(&fed.fill, shape, index) {
        FillKind::Ascending => place(shape, index) as f64,
        FillKind::AscendingFrom(first) => *first as f64 + place(shape, index) as f64,
        FillKind::Numbers(numbers) if !numbers.is_empty() => {
            numbers[random.random_range(0..numbers.len())]
        }
        fill => float_of(range(fill), random),
    });
    TensorData::of_floats(fed.element_type, shape, values)
}

/// The difference of the ends may be infinite where their mean is not.
fn float_of(ValueRange { low, high }: ValueRange, random: &mut Pcg64Mcg) -> f64 {
    let share: f64 = random.random();
    low * (1.0 - share) + high * share
}

/// Whole numbers that the type holds: what ascends beyond it stays at its end, and of a range it
/// has its part.
fn integers(fed: &FedInput, shape: &[usize], random: &mut Pcg64Mcg) -> Option<TensorData> {
    let (least, most) = whole_limits(fed.element_type);
    let values = (0..elements(shape)).map(|index| {
        let value = match column(&fed.fill, shape, index) {
            FillKind::Ascending => place(shape, index) as i128,
            FillKind::AscendingFrom(first) => i128::from(*first) + place(shape, index) as i128,
            FillKind::Numbers(numbers) if !numbers.is_empty() => {
                numbers[random.random_range(0..numbers.len())] as i128
            }
            fill => random.random_range(whole_range(range(fill), least, most)),
        };
        value.clamp(least, most)
    });
    TensorData::of_whole(fed.element_type, shape, values)
}

fn whole_range(range: ValueRange, least: i128, most: i128) -> RangeInclusive<i128> {
    let low = (range.low.ceil() as i128).clamp(least, most);
    low..=(range.high.floor() as i128).clamp(low, most)
}

/// Index along the last axis of the element with that index in row-major order.
fn place(shape: &[usize], index: usize) -> usize {
    shape.last().map_or(0, |&size| index % size.max(1))
}

fn of_batch(fill: &FillKind, batch_size: u64) -> Option<FillKind> {
    match fill {
        FillKind::Columns(columns) if columns.iter().any(is_per_sample) => {
            let counted = columns.iter().map(|column| counted(column, batch_size));
            Some(FillKind::Columns(counted.collect()))
        }
        fill => is_per_sample(fill).then(|| counted(fill, batch_size)),
    }
}

fn is_per_sample(fill: &FillKind) -> bool {
    matches!(fill, FillKind::PerSample(_))
}

fn counted(fill: &FillKind, batch_size: u64) -> FillKind {
    match fill {
        FillKind::PerSample(each) => FillKind::Constant(each.saturating_mul(batch_size) as f64),
        other => other.clone(),
    }
}

pub(super) fn follows_batch(fill: &FillKind) -> bool {
    of_batch(fill, 1).is_some()
}

fn column<'f>(fill: &'f FillKind, shape: &[usize], index: usize) -> &'f FillKind {
    match fill {
        FillKind::Columns(columns) if !columns.is_empty() => {
            &columns[place(shape, index) % columns.len()]
        }
        other => other,
    }
}

fn range(fill: &FillKind) -> ValueRange {
    match *fill {
        FillKind::Uniform(range) => range,
        FillKind::Constant(value) => ValueRange {
            low: value,
            high: value,
        },
        FillKind::Data
        | FillKind::Ascending
        | FillKind::AscendingFrom(_)
        | FillKind::Text
        | FillKind::Numbers(_)
        | FillKind::Words(_)
        | FillKind::Columns(_)
        | FillKind::PerSample(_) => ValueRange {
            low: 0.0,
            high: 0.0,
        },
    }
}

/// FNV-1a, 64 bits: the same on every machine and in every version. Source: RFC 9923.
fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(element_type: ElementType, dims: Vec<Option<u64>>, fill: FillKind) -> FedInput {
        FedInput::new("x", element_type, dims, fill)
    }

    fn uniform(low: f64, high: f64) -> FillKind {
        FillKind::Uniform(ValueRange { low, high })
    }

    /// The values of so many samples, of the type that is asked for.
    fn numbers(fed: &FedInput, batch_size: u64) -> Vec<f64> {
        let made = tensor(fed, batch_size, 7).unwrap();
        assert_eq!(made.element_type(), fed.element_type);
        made.first_f64(usize::MAX)
    }

    #[test]
    fn values_lie_in_the_closed_range_and_reach_its_ends() {
        let input = fed(ElementType::Int64, vec![None, Some(500)], uniform(3.0, 6.0));
        assert_eq!(tensor(&input, 2, 7).unwrap().shape(), [2, 500]);
        let values = numbers(&input, 2);
        assert!(
            values.iter().all(|value| (3.0..=6.0).contains(value))
                && values.contains(&3.0)
                && values.contains(&6.0)
        );
    }

    #[test]
    fn variants_of_other_precision_get_the_same_values() {
        let of = |element_type| numbers(&fed(element_type, vec![Some(16)], uniform(0.0, 1.0)), 1);
        let (wide, short) = (of(ElementType::Float), of(ElementType::Float16));
        assert!(
            wide.iter()
                .zip(&short)
                .all(|(wide, short)| (wide - short).abs() < 1e-3)
        );
    }

    #[test]
    fn positions_ascend_along_the_last_axis() {
        let positions = fed(ElementType::Int32, vec![None, Some(3)], FillKind::Ascending);
        assert_eq!(numbers(&positions, 2), [0.0, 1.0, 2.0, 0.0, 1.0, 2.0]);
    }

    /// Values of `[1, 4]` that are filled so.
    fn whole(element_type: ElementType, fill: FillKind) -> Vec<f64> {
        numbers(&fed(element_type, vec![Some(1), Some(4)], fill), 1)
    }

    #[test]
    fn whole_numbers_stay_within_their_type_and_those_that_ascend_stay_at_its_end() {
        use ElementType as E;
        for (element_type, least, most) in [
            (E::Bool, 0, 1),
            (E::Int2, -2, 1),
            (E::Uint2, 0, 3),
            (E::Int4, -8, 7),
            (E::Uint4, 0, 15),
            (E::Int8, i64::from(i8::MIN), i8::MAX as u64),
            (E::Uint8, 0, u64::from(u8::MAX)),
            (E::Int16, i64::from(i16::MIN), i16::MAX as u64),
            (E::Uint16, 0, u64::from(u16::MAX)),
            (E::Int32, i64::from(i32::MIN), i32::MAX as u64),
            (E::Uint32, 0, u64::from(u32::MAX)),
            (E::Int64, i64::MIN, i64::MAX as u64),
            (E::Uint64, 0, u64::MAX),
        ] {
            let ascending = whole(element_type, FillKind::AscendingFrom(most - 1));
            assert_eq!(
                ascending,
                [most - 1, most, most, most].map(|number| number as f64),
                "{element_type}"
            );
            let (low, high) = (least as f64, most as f64);
            assert_eq!(
                whole(element_type, FillKind::Constant(1e30)),
                [high; 4],
                "{element_type}"
            );
            assert_eq!(
                whole(element_type, FillKind::Constant(-1e30)),
                [low; 4],
                "{element_type}"
            );
            assert_eq!(
                whole(element_type, FillKind::Numbers(vec![1e30])),
                [high; 4],
                "{element_type}"
            );
            let ranged = whole(element_type, uniform(-1e30, 1e30));
            assert!(
                ranged.iter().all(|value| (low..=high).contains(value)),
                "{element_type}: {ranged:?}"
            );
        }
        let positions = numbers(
            &fed(ElementType::Int8, vec![Some(300)], FillKind::Ascending),
            1,
        );
        assert!(
            positions
                .iter()
                .enumerate()
                .all(|(place, &value)| value == place.min(127) as f64)
        );
    }

    #[test]
    fn columns_are_filled_each_in_a_way_of_its_own() {
        let words =
            |words: &[&str]| FillKind::Words(words.iter().map(|&word| word.into()).collect());
        let fill = FillKind::Columns(vec![words(&["a", "b"]), words(&["c"])]);
        let TensorData::String(values) =
            tensor(&fed(ElementType::String, vec![None, Some(2)], fill), 40, 3).unwrap()
        else {
            panic!()
        };
        let column = |at: usize| {
            values
                .iter()
                .skip(at)
                .step_by(2)
                .map(String::as_str)
                .collect::<Vec<_>>()
        };
        assert!(column(1).iter().all(|&word| word == "c"));
        assert!(column(0).contains(&"a") && column(0).contains(&"b") && !column(0).contains(&"c"));
        let fill = FillKind::Columns(vec![FillKind::Constant(7.0), FillKind::AscendingFrom(5)]);
        assert_eq!(
            numbers(&fed(ElementType::Int64, vec![None, Some(2)], fill), 1),
            [7.0, 6.0]
        );
    }

    #[test]
    fn a_number_for_each_sample_grows_with_the_batch() {
        let columns = vec![
            FillKind::PerSample(2),
            FillKind::Constant(3.0),
            FillKind::Constant(64.0),
        ];
        let sizes = fed(
            ElementType::Int64,
            vec![Some(3)],
            FillKind::Columns(columns),
        );
        assert_eq!(
            (numbers(&sizes, 1), numbers(&sizes, 4)),
            (vec![2.0, 3.0, 64.0], vec![8.0, 3.0, 64.0])
        );
        let count = fed(ElementType::Int64, vec![], FillKind::PerSample(1));
        assert_eq!(
            (numbers(&count, 1), numbers(&count, 4)),
            (vec![1.0], vec![4.0])
        );
        assert!(
            follows_batch(&sizes.fill)
                && follows_batch(&count.fill)
                && !follows_batch(&uniform(0.0, 1.0))
        );
    }

    #[test]
    fn absurd_shape_is_an_error_and_no_allocation() {
        let input = fed(
            ElementType::Float,
            vec![None, Some(u64::MAX)],
            uniform(0.0, 1.0),
        );
        assert!(matches!(
            tensor(&input, 2, 1),
            Err(InputError::TooLarge { .. })
        ));
    }
}
