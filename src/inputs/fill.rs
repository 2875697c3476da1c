//! Values of synthesized tensors.

use std::ops::{Range, RangeInclusive};

use ndarray::{ArrayD, IxDyn};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::synthesize::whole_limits;
use super::tensor::element_bytes;
use super::{InputError, Result, TensorData, Value, element_name};
use crate::memory;
use crate::plan::{ElementType, ValueRange};
use crate::record::{FedInput, FillKind, NoTensor};
use crate::units::Bytes;

const TEXT_LETTERS: usize = 5;

/// A tensor, or a sequence of them, each with values of its own.
pub(super) fn value(fed: &FedInput, batch_size: u64, seed: u64) -> Result<Value> {
    let shapes = match &fed.no_tensor {
        None => return tensor(fed, batch_size, seed).map(Value::Tensor),
        Some(NoTensor::Nothing) => return Ok(Value::Nothing),
        Some(NoTensor::Sequence(shapes)) => shapes,
    };
    let tensors = shapes
        .iter()
        .enumerate()
        .map(|(place, shape)| FedInput {
            name: element_name(fed.name.exact(), place).into(),
            dims: shape.iter().copied().map(Some).collect(),
            no_tensor: None,
            ..fed.clone()
        })
        .map(|element| tensor(&element, batch_size, seed));
    Ok(Value::Sequence(
        fed.element_type,
        tensors.collect::<Result<_>>()?,
    ))
}

/// One seed gives the same values to inputs of one name in all variants of a model, whatever their
/// types and order.
pub(super) fn tensor(fed: &FedInput, batch_size: u64, seed: u64) -> Result<TensorData> {
    let filler = Filler {
        fed,
        shape: shape(fed, batch_size)?,
        batch_size,
    };
    let mut random = Pcg64Mcg::seed_from_u64(seed ^ name_hash(fed.name.exact()));
    let made = if fed.element_type == ElementType::String {
        filler.texts(&mut random)
    } else if fed.element_type.is_float() {
        filler.floats(&mut random)
    } else {
        filler.integers(&mut random)
    };
    made.ok_or_else(|| {
        InputError::UnsupportedElements(fed.name.exact().to_owned(), fed.element_type)
    })
}

fn shape(fed: &FedInput, batch_size: u64) -> Result<Vec<usize>> {
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

/// A tensor to be filled.
struct Filler<'f> {
    fed: &'f FedInput,
    shape: Vec<usize>,
    batch_size: u64,
}

impl Filler<'_> {
    fn texts(&self, random: &mut Pcg64Mcg) -> Option<TensorData> {
        let texts = self.indices().map(|index| match self.fill(index) {
            FillKind::Words(words) if !words.is_empty() => {
                let word = &words[random.random_range(0..words.len())];
                word.exact().to_owned()
            }
            _ => (0..TEXT_LETTERS)
                .map(|_| random.random_range('a'..='z'))
                .collect::<String>(),
        });
        ArrayD::from_shape_vec(IxDyn(&self.shape), texts.collect())
            .ok()
            .map(TensorData::String)
    }

    fn floats(&self, random: &mut Pcg64Mcg) -> Option<TensorData> {
        let values = self.indices().map(|index| match self.fill(index) {
            FillKind::Ascending => self.place(index) as f64,
            FillKind::AscendingFrom(first) => *first as f64 + self.place(index) as f64,
            FillKind::Numbers(numbers) if !numbers.is_empty() => {
                numbers[random.random_range(0..numbers.len())]
            }
            fill => float_of(self.range(fill), random),
        });
        TensorData::of_floats(self.fed.element_type, &self.shape, values)
    }

    /// Whole numbers that the type holds: what ascends beyond it stays at its end, and of a range
    /// it has its part.
    fn integers(&self, random: &mut Pcg64Mcg) -> Option<TensorData> {
        let (least, most) = whole_limits(self.fed.element_type);
        let values = self.indices().map(|index| match self.fill(index) {
            FillKind::Ascending => self.place(index) as i128,
            FillKind::AscendingFrom(first) => i128::from(*first) + self.place(index) as i128,
            FillKind::Numbers(numbers) if !numbers.is_empty() => {
                numbers[random.random_range(0..numbers.len())] as i128
            }
            fill => random.random_range(whole_range(self.range(fill), least, most)),
        });
        TensorData::of_whole(
            self.fed.element_type,
            &self.shape,
            values.map(|value| value.clamp(least, most)),
        )
    }

    /// Indices of the elements in row-major order.
    fn indices(&self) -> Range<usize> {
        0..self.shape.iter().product()
    }

    /// Index of an element along the last axis.
    fn place(&self, index: usize) -> usize {
        self.shape.last().map_or(0, |&size| index % size.max(1))
    }

    fn fill(&self, index: usize) -> &FillKind {
        match &self.fed.fill {
            FillKind::Columns(columns) if !columns.is_empty() => {
                &columns[self.place(index) % columns.len()]
            }
            other => other,
        }
    }

    fn range(&self, fill: &FillKind) -> ValueRange {
        let value = match *fill {
            FillKind::Uniform(range) => return range,
            FillKind::Constant(value) => value,
            FillKind::PerSample(each) => each.saturating_mul(self.batch_size) as f64,
            FillKind::Data
            | FillKind::Ascending
            | FillKind::AscendingFrom(_)
            | FillKind::Text
            | FillKind::Numbers(_)
            | FillKind::Words(_)
            | FillKind::Columns(_) => 0.0,
        };
        ValueRange {
            low: value,
            high: value,
        }
    }
}

/// The difference of the ends may be infinite where their mean is not.
fn float_of(ValueRange { low, high }: ValueRange, random: &mut Pcg64Mcg) -> f64 {
    let share: f64 = random.random();
    low * (1.0 - share) + high * share
}

fn whole_range(range: ValueRange, least: i128, most: i128) -> RangeInclusive<i128> {
    let low = (range.low.ceil() as i128).clamp(least, most);
    low..=(range.high.floor() as i128).clamp(low, most)
}

/// Whether values say how many samples there are.
pub(super) fn follows_batch(fill: &FillKind) -> bool {
    match fill {
        FillKind::Columns(columns) => columns.iter().any(is_per_sample),
        fill => is_per_sample(fill),
    }
}

fn is_per_sample(fill: &FillKind) -> bool {
    matches!(fill, FillKind::PerSample(_))
}

/// FNV-1a, 64 bits: the same on every machine and in every version. Source: RFC 9923.
fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::text::Plain;

    /// An input; the batch stands where a size is 0.
    fn fed(element_type: ElementType, dims: &[u64], fill: FillKind) -> FedInput {
        let dims = dims.iter().map(|&size| (size > 0).then_some(size));
        FedInput::new("x", element_type, dims.collect(), fill)
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
        let input = fed(ElementType::Int64, &[0, 500], uniform(3.0, 6.0));
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
        let of = |element_type| numbers(&fed(element_type, &[16], uniform(0.0, 1.0)), 1);
        let mut both = of(ElementType::Float)
            .into_iter()
            .zip(of(ElementType::Float16));
        assert!(both.all(|(wide, short)| (wide - short).abs() < 1e-3));
    }

    #[test]
    fn positions_ascend_along_the_last_axis() {
        let positions = fed(ElementType::Int32, &[0, 3], FillKind::Ascending);
        assert_eq!(numbers(&positions, 2), [0.0, 1.0, 2.0, 0.0, 1.0, 2.0]);
    }

    /// Values of `[1, 4]` that are filled so.
    fn whole(element_type: ElementType, fill: FillKind) -> Vec<f64> {
        numbers(&fed(element_type, &[1, 4], fill), 1)
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
            (E::Int8, -128, 127),
            (E::Uint8, 0, 255),
            (E::Int16, -32_768, 32_767),
            (E::Uint16, 0, 65_535),
            (E::Int32, -2_147_483_648, 2_147_483_647),
            (E::Uint32, 0, 4_294_967_295),
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
            for (fill, value) in [
                (FillKind::Constant(1e30), high),
                (FillKind::Constant(-1e30), low),
                (FillKind::Numbers(vec![1e30]), high),
            ] {
                assert_eq!(whole(element_type, fill), [value; 4], "{element_type}");
            }
            let ranged = whole(element_type, uniform(-1e30, 1e30));
            assert!(
                ranged.iter().all(|value| (low..=high).contains(value)),
                "{element_type}: {ranged:?}"
            );
        }
        let long = fed(E::Int8, &[300], FillKind::Ascending);
        let positions = (0..300).map(|place| f64::from(place.min(127)));
        assert!(positions.eq(numbers(&long, 1)));
    }

    #[test]
    fn columns_are_filled_each_in_a_way_of_its_own() {
        let words = [vec!["a", "b"], vec!["c"]].map(|words| words.into_iter().map(Plain::from));
        let fill = FillKind::Columns(words.map(|words| FillKind::Words(words.collect())).into());
        let TensorData::String(values) =
            tensor(&fed(ElementType::String, &[0, 2], fill), 40, 3).unwrap()
        else {
            panic!()
        };
        let column = |at| values.iter().skip(at).step_by(2).collect::<BTreeSet<_>>();
        assert!(column(0).into_iter().eq(["a", "b"]) && column(1).into_iter().eq(["c"]));
        let fill = FillKind::Columns(vec![FillKind::Constant(7.0), FillKind::AscendingFrom(5)]);
        assert_eq!(
            numbers(&fed(ElementType::Int64, &[0, 2], fill), 1),
            [7.0, 6.0]
        );
    }

    #[test]
    fn a_number_for_each_sample_grows_with_the_batch() {
        let rest = [3.0, 64.0].map(FillKind::Constant);
        let columns = [&[FillKind::PerSample(2)], &rest[..]].concat();
        let columns = FillKind::Columns(columns);
        let sizes = fed(ElementType::Int64, &[3], columns);
        assert_eq!(
            (numbers(&sizes, 1), numbers(&sizes, 4)),
            (vec![2.0, 3.0, 64.0], vec![8.0, 3.0, 64.0])
        );
        let count = fed(ElementType::Int64, &[], FillKind::PerSample(1));
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
        let input = fed(ElementType::Float, &[0, u64::MAX], uniform(0.0, 1.0));
        assert!(matches!(
            tensor(&input, 2, 1),
            Err(InputError::TooLarge { .. })
        ));
    }
}
