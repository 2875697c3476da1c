//! Arrays as they lie in data files, of which rows are taken without reading the rest.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use half::{bf16, f16};
use ndarray::ArrayD;

use super::narrow::{is_narrow, lowest};
use super::tensor::{TensorData, element_bytes};
use crate::files::InputFile;
use crate::plan::ElementType;

/// An array in row-major order, in memory or in a file.
#[derive(Clone, Debug)]
pub(super) struct Array {
    element_type: ElementType,
    shape: Vec<usize>,
    content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Little-endian elements in a file, from this byte on.
    Stored(Arc<InputFile>, u64),
    /// Little-endian elements in memory.
    Bytes(Arc<Vec<u8>>),
    Text(Vec<String>),
}

impl Content {
    /// Whether it holds so many elements; absent where their bytes cannot be counted, too.
    fn holds(&self, elements: usize, element_type: ElementType) -> Option<bool> {
        let needed = element_bytes(element_type).and_then(|width| elements.checked_mul(width));
        Some(match self {
            Content::Text(items) => element_type == ElementType::String && items.len() == elements,
            Content::Bytes(bytes) => bytes.len() == needed?,
            Content::Stored(file, start) => (needed? as u64).checked_add(*start)? <= file.len(),
        })
    }
}

impl Array {
    /// Absent if `content` does not hold as many elements as `shape` says, or no tensor can be made
    /// of such elements.
    pub fn new(element_type: ElementType, shape: Vec<usize>, content: Content) -> Option<Array> {
        // No product of some of its sizes overflows either, whatever the others are.
        let sizes: Vec<usize> = shape.iter().map(|&size| size.max(1)).collect();
        product(&sizes, 8)?;
        let elements = shape.iter().product();
        content.holds(elements, element_type)?.then_some(Array {
            element_type,
            shape,
            content,
        })
    }

    pub fn element_type(&self) -> ElementType {
        self.element_type
    }

    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    pub fn tensor(&self) -> io::Result<Option<TensorData>> {
        self.rows(0, 0..self.shape.first().copied().unwrap_or(1))
    }

    /// The part with indices in `rows` along `axis`; absent if it has fewer. A file that has
    /// changed is an error.
    pub fn rows(&self, axis: usize, rows: Range<usize>) -> io::Result<Option<TensorData>> {
        let pick = Pick {
            outer: self.shape.iter().take(axis).product(),
            along: self.shape.get(axis).copied().unwrap_or(1),
            inner: self.shape.iter().skip(axis + 1).product(),
            rows,
        };
        if pick.rows.end > pick.along {
            return Ok(None);
        }
        let mut shape = self.shape.clone();
        if let Some(size) = shape.get_mut(axis) {
            *size = pick.rows.len();
        }
        self.picked(shape, pick)
    }

    fn picked(&self, shape: Vec<usize>, pick: Pick) -> io::Result<Option<TensorData>> {
        match &self.content {
            Content::Text(items) => Ok(ArrayD::from_shape_vec(shape, pick.of(items))
                .ok()
                .map(TensorData::String)),
            from @ Content::Bytes(_) => Picked { pick, from }.decode(self.element_type, shape),
            from @ Content::Stored(file, _) => {
                let tensor = Picked { pick, from }.decode(self.element_type, shape)?;
                file.check_unchanged().map(|()| tensor)
            }
        }
    }

    /// The first number that is sought; a part of the array is in memory at a time.
    pub fn find(&self, is_sought: impl Fn(f64) -> bool) -> io::Result<Option<f64>> {
        let along = self.shape.first().copied().unwrap_or(1);
        let step = (PART / self.shape.iter().skip(1).product::<usize>().max(1)).max(1);
        for start in (0..along).step_by(step) {
            let part = self.rows(0, start..along.min(start + step))?;
            if let Some(found) = part
                .iter()
                .flat_map(|part| part.first_f64(usize::MAX))
                .find(|&number| is_sought(number))
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// So many times all sizes, where a number holds that.
pub(super) fn product(sizes: &[usize], unit: usize) -> Option<usize> {
    sizes
        .iter()
        .try_fold(unit, |product, &size| product.checked_mul(size))
}

/// A range of rows along an axis of `along`, in an array of `outer` x `along` x `inner` elements.
struct Pick {
    outer: usize,
    along: usize,
    inner: usize,
    rows: Range<usize>,
}

impl Pick {
    /// The parts of the rows that lie together, where an element takes so many items.
    fn blocks(&self, width: usize) -> impl Iterator<Item = Range<usize>> {
        let (row, along, rows) = (self.inner * width, self.along, self.rows.clone());
        let blocks = if row == 0 || rows.is_empty() {
            0
        } else {
            self.outer
        };
        (0..blocks).map(move |block| {
            let start = block * along * row;
            start + rows.start * row..start + rows.end * row
        })
    }

    fn of<T: Clone>(&self, items: &[T]) -> Vec<T> {
        self.blocks(1)
            .flat_map(|block| &items[block])
            .cloned()
            .collect()
    }
}

/// Numbers of an array that are looked through at once.
const PART: usize = 1 << 20;

/// Bytes of a file that are in memory at once, besides what is made of them.
const STRETCH: usize = 1 << 20;

struct Picked<'a> {
    pick: Pick,
    from: &'a Content,
}

impl Picked<'_> {
    fn decode(&self, from: ElementType, shape: Vec<usize>) -> io::Result<Option<TensorData>> {
        Ok(match from {
            ElementType::Float => self
                .array(shape, f32::from_le_bytes)?
                .map(TensorData::Float),
            ElementType::Double => self
                .array(shape, f64::from_le_bytes)?
                .map(TensorData::Double),
            ElementType::Float16 => self
                .array(shape, f16::from_le_bytes)?
                .map(TensorData::Float16),
            ElementType::Bfloat16 => self
                .array(shape, bf16::from_le_bytes)?
                .map(TensorData::Bfloat16),
            ElementType::Int8 => self.array(shape, i8::from_le_bytes)?.map(TensorData::Int8),
            ElementType::Int16 => self
                .array(shape, i16::from_le_bytes)?
                .map(TensorData::Int16),
            ElementType::Int32 => self
                .array(shape, i32::from_le_bytes)?
                .map(TensorData::Int32),
            ElementType::Int64 => self
                .array(shape, i64::from_le_bytes)?
                .map(TensorData::Int64),
            ElementType::Uint8 => self.array(shape, u8::from_le_bytes)?.map(TensorData::Uint8),
            ElementType::Uint16 => self
                .array(shape, u16::from_le_bytes)?
                .map(TensorData::Uint16),
            ElementType::Uint32 => self
                .array(shape, u32::from_le_bytes)?
                .map(TensorData::Uint32),
            ElementType::Uint64 => self
                .array(shape, u64::from_le_bytes)?
                .map(TensorData::Uint64),
            ElementType::Bool => self.array(shape, |[byte]| byte != 0)?.map(TensorData::Bool),
            small if is_narrow(small) => self.array(shape, u8::from_le_bytes)?.and_then(|bytes| {
                TensorData::of_bytes(small, bytes.mapv(|byte| lowest(byte, small)))
            }),
            _ => None,
        })
    }

    /// The rows as elements, each of so many bytes.
    fn array<T, const N: usize>(
        &self,
        shape: Vec<usize>,
        element: fn([u8; N]) -> T,
    ) -> io::Result<Option<ArrayD<T>>> {
        let mut elements = Vec::with_capacity(shape.iter().product());
        self.read(N, |bytes| {
            elements.extend(bytes.as_chunks().0.iter().map(|&chunk| element(chunk)))
        })?;
        Ok(ArrayD::from_shape_vec(shape, elements).ok())
    }

    /// Hands the rows' bytes over, whole elements of `width` bytes at a time.
    fn read(&self, width: usize, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        let mut buffer = Vec::new();
        for block in self.pick.blocks(width) {
            for start in block.clone().step_by(STRETCH) {
                let end = block.end.min(start + STRETCH);
                match self.from {
                    Content::Bytes(bytes) => take(&bytes[start..end]),
                    // Texts have no bytes of a width.
                    Content::Text(_) => {}
                    Content::Stored(file, first) => {
                        buffer.resize(end - start, 0);
                        file.read_exact_at(&mut buffer, first + start as u64)?;
                        take(&buffer);
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::files::{self, Kind};

    fn array_of(shape: &[usize], content: Content) -> Array {
        Array::new(ElementType::Uint8, shape.to_vec(), content).unwrap()
    }

    fn array(shape: &[usize], bytes: Vec<u8>) -> Array {
        array_of(shape, Content::Bytes(bytes.into()))
    }

    fn stored(bytes: &[u8], start: u64, shape: Vec<usize>) -> (tempfile::NamedTempFile, Array) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let opened = files::open(file.path(), Kind::ARRAYS).unwrap();
        (
            file,
            array_of(&shape, Content::Stored(opened.into(), start)),
        )
    }

    fn bytes(data: io::Result<Option<TensorData>>) -> (Vec<usize>, Vec<u8>) {
        match data.unwrap() {
            Some(TensorData::Uint8(array)) => {
                (array.shape().to_vec(), array.into_raw_vec_and_offset().0)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rows_are_taken_along_any_axis_and_a_scalar_is_one_element() {
        assert_eq!(bytes(array(&[], vec![7]).tensor()), (vec![], vec![7]));
        let array = array(&[2, 3, 2], (0..12).collect());
        assert_eq!(
            bytes(array.rows(0, 1..2)),
            (vec![1, 3, 2], (6..12).collect())
        );
        assert_eq!(
            bytes(array.rows(1, 1..3)),
            (vec![2, 2, 2], vec![2, 3, 4, 5, 8, 9, 10, 11])
        );
        assert_eq!(bytes(array.tensor()), (vec![2, 3, 2], (0..12).collect()));
    }

    #[test]
    fn rows_of_a_file_are_the_same_whenever_they_are_taken() {
        let (rows, width) = (5, STRETCH / 2 + 8);
        let byte = |index: usize| (index % 251) as u8;
        let all: Vec<u8> = (0..3 + rows * width).map(byte).collect();
        let (_file, array) = stored(&all, 3, vec![rows, width]);
        for _ in 0..2 {
            let whole = (0..rows * width).map(|index| byte(3 + index)).collect();
            assert!(bytes(array.tensor()) == (vec![rows, width], whole));
            let ends =
                (0..rows).flat_map(|row| [2, 1].map(|end| byte(3 + (row + 1) * width - end)));
            assert_eq!(
                bytes(array.rows(1, width - 2..width)),
                (vec![rows, 2], ends.collect())
            );
        }
    }

    #[test]
    fn a_file_that_is_shortened_or_overwritten_is_an_error_and_no_signal() {
        let changes: [fn(&std::fs::File); 2] = [
            |file| file.set_len(10).unwrap(),
            |mut file| {
                std::thread::sleep(std::time::Duration::from_millis(20));
                file.write_all(&[9; 8]).unwrap();
            },
        ];
        for change in changes {
            let (file, array) = stored(&[1; 4096], 0, vec![4096]);
            assert!(array.tensor().unwrap().is_some());
            change(file.as_file());
            let said = array.rows(0, 0..4096).unwrap_err().to_string();
            assert_eq!(said, "the file changed while it was read");
        }
    }

    #[test]
    fn content_that_does_not_fill_the_shape_is_no_array() {
        for (element_type, shape, bytes) in [
            (ElementType::Int32, vec![2], 7),
            (ElementType::Int32, vec![usize::MAX, 2], 8),
            (ElementType::Uint8, vec![0, 1 << 40, 1 << 40], 0),
        ] {
            let content = Content::Bytes(vec![0; bytes].into());
            assert!(Array::new(element_type, shape, content).is_none());
        }
    }

    #[test]
    fn nothing_of_much_is_had_in_no_time() {
        let array = array(&[1 << 50, 0], Vec::new());
        assert_eq!(bytes(array.rows(0, 5..1 << 49)).0, [(1 << 49) - 5, 0]);
        assert_eq!(bytes(array.rows(1, 0..0)).0, [1 << 50, 0]);
    }
}
