//! A tensor in host memory, of any element type that ONNX Runtime takes.

use std::ops::Range;

use half::{bf16, f16};
use ndarray::{ArrayD, Axis, IxDyn, Slice};
use serde::{Deserialize, Serialize};

use super::narrow::{self, Rounding};
use crate::plan::ElementType;

/// A named tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tensor {
    /// Name of the input or output.
    pub name: String,
    /// Elements, in row-major order with their shape.
    pub data: TensorData,
}

impl Tensor {
    /// Size of the elements; strings count as their own three words.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let width = element_bytes(self.data.element_type()).unwrap_or(24) as u64;
        self.data
            .shape()
            .iter()
            .fold(width, |bytes, &size| bytes.saturating_mul(size as u64))
    }
}

macro_rules! tensor_data {
    ($($variant:ident => $type:ty),+ $(,)?) => {
        /// Elements of a tensor with their shape, in standard (row-major) layout. Those of fewer
        /// than eight bits lie one to a byte; floating-point ones of up to eight bits are the codes
        /// of their values.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "the variants are the standard's names")]
        pub enum TensorData {
            $($variant(ArrayD<$type>),)+
        }

        impl TensorData {
            /// Type of the elements.
            #[must_use]
            pub fn element_type(&self) -> ElementType {
                match self {
                    $(TensorData::$variant(_) => ElementType::$variant,)+
                }
            }

            /// Sizes of the dimensions; empty for a scalar.
            #[must_use]
            pub fn shape(&self) -> &[usize] {
                match self {
                    $(TensorData::$variant(array) => array.shape(),)+
                }
            }

            /// The part with indices in `rows` along `axis`, both of which the tensor must have.
            pub(crate) fn rows(&self, axis: usize, rows: Range<usize>) -> TensorData {
                match self {
                    $(TensorData::$variant(array) => {
                        let part = array.slice_axis(Axis(axis), Slice::from(rows));
                        TensorData::$variant(part.as_standard_layout().into_owned())
                    })+
                }
            }

            /// The parts with these indices along `axis`, which the tensor must have, in that
            /// order.
            pub(crate) fn selected(&self, axis: usize, indices: &[usize]) -> TensorData {
                match self {
                    $(TensorData::$variant(array) => {
                        let part = array.select(Axis(axis), indices);
                        TensorData::$variant(part.as_standard_layout().into_owned())
                    })+
                }
            }

            /// The tensor in two dimensions: places along `axis`, which it must have, and all that
            /// is at each of them.
            pub(crate) fn by_rows(&self, axis: usize) -> Option<TensorData> {
                let shape = self.shape();
                let mut order: Vec<usize> = (0..shape.len()).collect();
                order[..=axis].rotate_right(1);
                let width = order[1..].iter().map(|&other| shape[other]).product::<usize>();
                let dims = [shape[axis], width];
                match self {
                    $(TensorData::$variant(array) => {
                        let rows = array.view().permuted_axes(order).as_standard_layout().into_owned();
                        rows.into_shape_with_order(IxDyn(&dims)).ok().map(TensorData::$variant)
                    })+
                }
            }

            /// Tensors one after the other along `axis`; absent if their types or other dimensions
            /// differ.
            pub(super) fn concatenated(parts: &[TensorData], axis: usize) -> Option<TensorData> {
                match parts.first()? {
                    $(TensorData::$variant(_) => {
                        let views = parts.iter().map(|part| match part {
                            TensorData::$variant(array) => Some(array.view()),
                            _ => None,
                        });
                        let joined = ndarray::concatenate(Axis(axis), &views.collect::<Option<Vec<_>>>()?).ok()?;
                        Some(TensorData::$variant(standard(joined)))
                    })+
                }
            }
        }
    };
}

tensor_data! {
    Float => f32,
    Double => f64,
    Float16 => f16,
    Bfloat16 => bf16,
    Int8 => i8,
    Int16 => i16,
    Int32 => i32,
    Int64 => i64,
    Uint8 => u8,
    Uint16 => u16,
    Uint32 => u32,
    Uint64 => u64,
    Bool => bool,
    String => String,
    Int2 => i8,
    Int4 => i8,
    Uint2 => u8,
    Uint4 => u8,
    Float8e4m3fn => u8,
    Float8e4m3fnuz => u8,
    Float8e5m2 => u8,
    Float8e5m2fnuz => u8,
    Float8e8m0 => u8,
    Float4e2m1 => u8,
}

fn standard<T: Clone>(array: ArrayD<T>) -> ArrayD<T> {
    if array.is_standard_layout() {
        array
    } else {
        array.as_standard_layout().into_owned()
    }
}

/// Whether tensors of one type may be fed where a model wants another: the same, between
/// floating-point types, to integer types that hold every value, and of the bits that numpy and
/// the standard's own test data keep bfloat16 numbers as.
pub(super) fn casts(from: ElementType, to: ElementType) -> bool {
    let wider = to.bits() > from.bits() && (is_unsigned(from) || !is_unsigned(to));
    from == to
        || (from, to) == (ElementType::Uint16, ElementType::Bfloat16)
        || (is_any_float(from) && is_any_float(to))
        || (from.is_integer() && to.is_integer() && wider)
}

/// Whether a type is a floating-point one of more than powers of two, which are scales.
fn is_any_float(element_type: ElementType) -> bool {
    element_type.is_float() && element_type != ElementType::Float8e8m0
}

impl TensorData {
    /// The same values as a type, rounded to it; absent unless it is their own, or [`casts`] allows
    /// it.
    pub(super) fn cast(self, to: ElementType) -> Option<TensorData> {
        if self.element_type() == to {
            return Some(self);
        }
        if !casts(self.element_type(), to) {
            return None;
        }
        if let (TensorData::Uint16(bits), ElementType::Bfloat16) = (&self, to) {
            return Some(TensorData::Bfloat16(bits.mapv(bf16::from_bits)));
        }
        // Exact: no integer type of 64 bits is cast to a wider one.
        let values = self.first_f64(usize::MAX).into_iter();
        if to.is_float() {
            return TensorData::of_floats(to, self.shape(), values);
        }
        TensorData::of_whole(to, self.shape(), values.map(|value| value as i128))
    }

    /// A tensor of a floating-point type with these values, rounded to it; absent for other types.
    pub(super) fn of_floats(
        to: ElementType,
        shape: &[usize],
        values: impl Iterator<Item = f64>,
    ) -> Option<TensorData> {
        match to {
            ElementType::Float => {
                filled(shape, values, |value| value as f32).map(TensorData::Float)
            }
            ElementType::Double => filled(shape, values, |value| value).map(TensorData::Double),
            ElementType::Float16 => filled(shape, values, f16::from_f64).map(TensorData::Float16),
            ElementType::Bfloat16 => {
                filled(shape, values, bf16::from_f64).map(TensorData::Bfloat16)
            }
            small => {
                let rounding = Rounding::to(small)?;
                TensorData::of_bytes(small, filled(shape, values, |value| rounding.code(value))?)
            }
        }
    }

    /// A tensor of whole numbers or truth values with these values, which the type holds; absent
    /// for other types.
    pub(super) fn of_whole(
        to: ElementType,
        shape: &[usize],
        values: impl Iterator<Item = i128>,
    ) -> Option<TensorData> {
        match to {
            ElementType::Bool => filled(shape, values, |value| value != 0).map(TensorData::Bool),
            ElementType::Int8 => filled(shape, values, |value| value as i8).map(TensorData::Int8),
            ElementType::Int16 => {
                filled(shape, values, |value| value as i16).map(TensorData::Int16)
            }
            ElementType::Int32 => {
                filled(shape, values, |value| value as i32).map(TensorData::Int32)
            }
            ElementType::Int64 => {
                filled(shape, values, |value| value as i64).map(TensorData::Int64)
            }
            ElementType::Uint8 => filled(shape, values, |value| value as u8).map(TensorData::Uint8),
            ElementType::Uint16 => {
                filled(shape, values, |value| value as u16).map(TensorData::Uint16)
            }
            ElementType::Uint32 => {
                filled(shape, values, |value| value as u32).map(TensorData::Uint32)
            }
            ElementType::Uint64 => {
                filled(shape, values, |value| value as u64).map(TensorData::Uint64)
            }
            ElementType::Int2 | ElementType::Int4 | ElementType::Uint2 | ElementType::Uint4 => {
                TensorData::of_bytes(to, filled(shape, values, |value| value as u8)?)
            }
            _ => None,
        }
    }

    /// Elements of a type that Rust lacks, as they lie in ONNX Runtime's memory; absent for other
    /// types.
    pub(crate) fn packed(&self) -> Option<Vec<u8>> {
        let codes: Vec<u8> = match self {
            TensorData::Int2(array) | TensorData::Int4(array) => {
                array.iter().map(|&value| value as u8).collect()
            }
            _ => self.codes()?.iter().copied().collect(),
        };
        Some(narrow::pack(&codes, self.element_type().bits()?))
    }

    /// The reverse of [`TensorData::packed`]; absent for other types, and where the bytes do not
    /// fill the shape.
    pub(crate) fn unpacked(
        element_type: ElementType,
        shape: &[usize],
        bytes: &[u8],
    ) -> Option<TensorData> {
        if !narrow::is_narrow(element_type) {
            return None;
        }
        let codes = narrow::unpack(bytes, element_type, shape.iter().product())?;
        TensorData::of_bytes(element_type, ArrayD::from_shape_vec(shape, codes).ok()?)
    }

    /// Elements of a type that Rust lacks, one to a byte; absent for other types.
    pub(super) fn of_bytes(element_type: ElementType, codes: ArrayD<u8>) -> Option<TensorData> {
        Some(match element_type {
            ElementType::Int2 => TensorData::Int2(codes.mapv(|code| code as i8)),
            ElementType::Int4 => TensorData::Int4(codes.mapv(|code| code as i8)),
            ElementType::Uint2 => TensorData::Uint2(codes),
            ElementType::Uint4 => TensorData::Uint4(codes),
            ElementType::Float8e4m3fn => TensorData::Float8e4m3fn(codes),
            ElementType::Float8e4m3fnuz => TensorData::Float8e4m3fnuz(codes),
            ElementType::Float8e5m2 => TensorData::Float8e5m2(codes),
            ElementType::Float8e5m2fnuz => TensorData::Float8e5m2fnuz(codes),
            ElementType::Float8e8m0 => TensorData::Float8e8m0(codes),
            ElementType::Float4e2m1 => TensorData::Float4e2m1(codes),
            _ => return None,
        })
    }

    /// Codes of floating-point numbers of up to eight bits, and whole numbers below eight bits
    /// that have no sign.
    fn codes(&self) -> Option<&ArrayD<u8>> {
        match self {
            TensorData::Uint2(codes)
            | TensorData::Uint4(codes)
            | TensorData::Float8e4m3fn(codes)
            | TensorData::Float8e4m3fnuz(codes)
            | TensorData::Float8e5m2(codes)
            | TensorData::Float8e5m2fnuz(codes)
            | TensorData::Float8e8m0(codes)
            | TensorData::Float4e2m1(codes) => Some(codes),
            _ => None,
        }
    }

    /// The first elements, at most `limit` of them; truth values are 0 and 1, and strings not a
    /// number.
    pub(crate) fn first_f64(&self, limit: usize) -> Vec<f64> {
        match self {
            TensorData::Float(array) => first(array, limit),
            TensorData::Double(array) => first(array, limit),
            TensorData::Float16(array) => first(array, limit),
            TensorData::Bfloat16(array) => first(array, limit),
            TensorData::Int2(array) | TensorData::Int4(array) | TensorData::Int8(array) => {
                first(array, limit)
            }
            TensorData::Int16(array) => first(array, limit),
            TensorData::Int32(array) => first(array, limit),
            TensorData::Int64(array) => array
                .iter()
                .take(limit)
                .map(|&value| value as f64)
                .collect(),
            TensorData::Uint2(array) | TensorData::Uint4(array) | TensorData::Uint8(array) => {
                first(array, limit)
            }
            TensorData::Uint16(array) => first(array, limit),
            TensorData::Uint32(array) => first(array, limit),
            TensorData::Uint64(array) => array
                .iter()
                .take(limit)
                .map(|&value| value as f64)
                .collect(),
            TensorData::Bool(array) => first(array, limit),
            TensorData::String(array) => array.iter().take(limit).map(|_| f64::NAN).collect(),
            small => small.first_of_codes(limit),
        }
    }

    fn first_of_codes(&self, limit: usize) -> Vec<f64> {
        let values = narrow::values(self.element_type()).unwrap_or_default();
        self.codes()
            .into_iter()
            .flatten()
            .take(limit)
            .map(|&code| values.get(usize::from(code)).copied().unwrap_or(f64::NAN))
            .collect()
    }

    pub(super) fn to_f64(&self) -> ArrayD<f64> {
        let mut values = self.first_f64(usize::MAX).into_iter();
        ArrayD::from_shape_simple_fn(self.shape(), || values.next().unwrap_or(f64::NAN))
    }
}

/// An array of values, each as its element.
fn filled<V, T>(
    shape: &[usize],
    values: impl Iterator<Item = V>,
    element: impl Fn(V) -> T,
) -> Option<ArrayD<T>> {
    ArrayD::from_shape_vec(shape, values.map(element).collect()).ok()
}

fn first<T: Copy + Into<f64>>(array: &ArrayD<T>, limit: usize) -> Vec<f64> {
    array
        .iter()
        .take(limit)
        .map(|&value| value.into())
        .collect()
}

/// Bytes of one element as it is held here, where none takes less; absent for strings and types
/// without tensors.
pub(super) fn element_bytes(element_type: ElementType) -> Option<usize> {
    match element_type {
        ElementType::Complex64 | ElementType::Complex128 => None,
        element_type => element_type.bits().map(|bits| bits.div_ceil(8) as usize),
    }
}

/// Whether a type of whole numbers has none below zero.
pub(super) fn is_unsigned(element_type: ElementType) -> bool {
    element_type.name().starts_with('u')
}
