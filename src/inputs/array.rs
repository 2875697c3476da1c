//! Arrays as they lie in data files, of which rows are taken without reading the rest.

use std::ops::Range;
use std::sync::Arc;

use half::{bf16, f16};
use memmap2::Mmap;
use ndarray::ArrayD;

use super::TensorData;
use crate::plan::ElementType;

/// An array in row-major order, in memory or in a mapped file.
#[derive(Clone, Debug)]
pub(super) struct Array {
    element_type: ElementType,
    shape: Vec<usize>,
    content: Content,
}

/// Elements of an array.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Little-endian elements in a mapped file, from this byte on.
    Mapped(Arc<Mmap>, usize),
    /// Little-endian elements in memory.
    Bytes(Vec<u8>),
    /// Strings in memory.
    Text(Vec<String>),
}

impl Array {
    /// An array whose `content` holds as many elements as `shape` says; absent if it does not, or if no tensor can be
    /// made of such elements.
    pub fn new(element_type: ElementType, shape: Vec<usize>, content: Content) -> Option<Array> {
        let elements = shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size))?;
        let fits = match (&content, element_bytes(element_type)) {
            (Content::Text(items), _) => element_type == ElementType::String && items.len() == elements,
            (Content::Bytes(bytes), Some(width)) => Some(bytes.len()) == elements.checked_mul(width),
            (Content::Mapped(map, start), Some(width)) => {
                elements.checked_mul(width)?.checked_add(*start)? <= map.len()
            }
            (_, None) => false,
        };
        fits.then_some(Array { element_type, shape, content })
    }

    /// Type of the elements.
    pub fn element_type(&self) -> ElementType {
        self.element_type
    }

    /// Sizes of the dimensions.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The whole array.
    pub fn tensor(&self) -> Option<TensorData> {
        let range = 0..self.shape.first().copied().unwrap_or(1);
        self.rows(0, range)
    }

    /// The part with indices in `rows` along `axis`; absent if the array has fewer.
    pub fn rows(&self, axis: usize, rows: Range<usize>) -> Option<TensorData> {
        let outer: usize = self.shape.iter().take(axis).product();
        let along = self.shape.get(axis).copied().unwrap_or(1);
        if rows.end > along {
            return None;
        }
        let inner: usize = self.shape.iter().skip(axis + 1).product();
        let mut shape = self.shape.clone();
        if let Some(size) = shape.get_mut(axis) {
            *size = rows.len();
        }
        let pick = Pick { outer, along, inner, rows };
        match &self.content {
            Content::Text(items) => ArrayD::from_shape_vec(shape, pick.of(items, 1)).ok().map(TensorData::String),
            Content::Bytes(bytes) => self.decode(shape, &pick.of(bytes, element_bytes(self.element_type)?)),
            Content::Mapped(map, start) => {
                self.decode(shape, &pick.of(&map[*start..], element_bytes(self.element_type)?))
            }
        }
    }

    fn decode(&self, shape: Vec<usize>, bytes: &[u8]) -> Option<TensorData> {
        fn each<T, const N: usize>(shape: Vec<usize>, bytes: &[u8], element: fn([u8; N]) -> T) -> Option<ArrayD<T>> {
            let elements = bytes.as_chunks().0.iter().map(|&chunk| element(chunk)).collect();
            ArrayD::from_shape_vec(shape, elements).ok()
        }
        match self.element_type {
            ElementType::Float => each(shape, bytes, f32::from_le_bytes).map(TensorData::Float),
            ElementType::Double => each(shape, bytes, f64::from_le_bytes).map(TensorData::Double),
            ElementType::Float16 => each(shape, bytes, f16::from_le_bytes).map(TensorData::Float16),
            ElementType::Bfloat16 => each(shape, bytes, bf16::from_le_bytes).map(TensorData::Bfloat16),
            ElementType::Int8 => each(shape, bytes, i8::from_le_bytes).map(TensorData::Int8),
            ElementType::Int16 => each(shape, bytes, i16::from_le_bytes).map(TensorData::Int16),
            ElementType::Int32 => each(shape, bytes, i32::from_le_bytes).map(TensorData::Int32),
            ElementType::Int64 => each(shape, bytes, i64::from_le_bytes).map(TensorData::Int64),
            ElementType::Uint8 => each(shape, bytes, u8::from_le_bytes).map(TensorData::Uint8),
            ElementType::Uint16 => each(shape, bytes, u16::from_le_bytes).map(TensorData::Uint16),
            ElementType::Uint32 => each(shape, bytes, u32::from_le_bytes).map(TensorData::Uint32),
            ElementType::Uint64 => each(shape, bytes, u64::from_le_bytes).map(TensorData::Uint64),
            ElementType::Bool => each(shape, bytes, |[byte]: [u8; 1]| byte != 0).map(TensorData::Bool),
            _ => None,
        }
    }
}

/// A range of rows along an axis of `along`, in an array of `outer` x `along` x `inner` elements.
struct Pick {
    outer: usize,
    along: usize,
    inner: usize,
    rows: Range<usize>,
}

impl Pick {
    fn of<T: Clone>(&self, items: &[T], width: usize) -> Vec<T> {
        let row = self.inner * width;
        let mut picked = Vec::with_capacity(self.outer * self.rows.len() * row);
        for block in 0..self.outer {
            let start = block * self.along * row;
            picked.extend_from_slice(&items[start + self.rows.start * row..start + self.rows.end * row]);
        }
        picked
    }
}

/// Bytes of one element; absent for types that no tensor is made of, and for strings.
pub(super) fn element_bytes(element_type: ElementType) -> Option<usize> {
    match element_type {
        ElementType::Double | ElementType::Int64 | ElementType::Uint64 => Some(8),
        ElementType::Float | ElementType::Int32 | ElementType::Uint32 => Some(4),
        ElementType::Float16 | ElementType::Bfloat16 | ElementType::Int16 | ElementType::Uint16 => Some(2),
        ElementType::Int8 | ElementType::Uint8 | ElementType::Bool => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(shape: &[usize], bytes: Vec<u8>) -> Array {
        Array::new(ElementType::Uint8, shape.to_vec(), Content::Bytes(bytes)).unwrap()
    }

    fn bytes(data: Option<TensorData>) -> (Vec<usize>, Vec<u8>) {
        match data {
            Some(TensorData::Uint8(array)) => (array.shape().to_vec(), array.into_raw_vec_and_offset().0),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rows_are_taken_along_any_axis() {
        let array = array(&[2, 3, 2], (0..12).collect());
        assert_eq!(bytes(array.rows(0, 1..2)), (vec![1, 3, 2], (6..12).collect()));
        assert_eq!(bytes(array.rows(1, 1..3)), (vec![2, 2, 2], vec![2, 3, 4, 5, 8, 9, 10, 11]));
        assert_eq!(bytes(array.tensor()), (vec![2, 3, 2], (0..12).collect()));
    }

    #[test]
    fn scalar_is_one_element() {
        assert_eq!(bytes(array(&[], vec![7]).tensor()), (vec![], vec![7]));
    }

    #[test]
    fn content_that_does_not_fill_the_shape_is_no_array() {
        assert!(Array::new(ElementType::Int32, vec![2], Content::Bytes(vec![0; 7])).is_none());
        assert!(Array::new(ElementType::Int32, vec![usize::MAX, 2], Content::Bytes(vec![0; 8])).is_none());
    }
}
