//! numpy's files: `.npz` archives and single `.npy` arrays.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::Mmap;
use ndarray::{ArrayView, IxDyn, ShapeBuilder};
use ndarray_npy::npy::header::Header;
use zip::{CompressionMethod, ZipArchive};

use super::InputError;
use super::array::{Array, Content};
use crate::plan::ElementType;

/// A `.npz` or `.npy` file whose arrays' heads have been read.
///
/// Arrays that are stored plainly (as `numpy.savez` and `numpy.save` do) stay in the file until rows are taken; those
/// that are compressed are unpacked whole.
#[derive(Debug)]
pub(super) struct Archive {
    path: PathBuf,
    map: Arc<Mmap>,
    /// The arrays in the file's order.
    pub arrays: Vec<Head>,
}

/// What an array's head says.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// Name in the archive; empty for a `.npy` file.
    pub name: String,
    /// Type of the elements; absent where ONNX has none like it.
    pub element_type: Option<ElementType>,
    /// numpy's name of the type, such as `<f4`.
    pub descriptor: String,
    /// Sizes of the dimensions.
    pub shape: Vec<usize>,
    column_major: bool,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// The elements begin at this byte of the file.
    Stored(usize),
    /// The array is this entry of the archive, and its elements begin at this byte of it.
    Compressed(usize, usize),
}

impl Archive {
    /// Reads the heads of all arrays in a `.npz` file.
    ///
    /// # Errors
    /// The file cannot be opened, or is no archive of arrays.
    pub fn npz(path: &Path) -> Result<Archive, InputError> {
        let map = map(path)?;
        let fault = |reason: String| InputError::Format { path: path.to_owned(), format: ".npz", reason };
        let mut zip = ZipArchive::new(Cursor::new(&map[..])).map_err(|error| fault(error.to_string()))?;
        let mut arrays = Vec::new();
        for index in 0..zip.len() {
            let mut entry = zip.by_index(index).map_err(|error| fault(error.to_string()))?;
            let name = entry.name().map_err(|error| fault(error.to_string()))?.into_owned();
            let Some(name) = name.strip_suffix(".npy") else { continue };
            let start = match entry.compression() {
                CompressionMethod::Stored => entry.data_start(),
                _ => None,
            };
            let mut head = Head::read(name, &mut entry).map_err(|reason| fault(format!("array `{name}`: {reason}")))?;
            head.place = match (start, head.place) {
                (Some(start), Place::Compressed(_, length)) => Place::Stored(start as usize + length),
                (_, Place::Compressed(_, length)) => Place::Compressed(index, length),
                (_, place) => place,
            };
            arrays.push(head);
        }
        Ok(Archive { path: path.to_owned(), map: Arc::new(map), arrays })
    }

    /// Reads the head of a `.npy` file, whose one array has no name.
    ///
    /// # Errors
    /// The file cannot be opened, or is no array.
    pub fn npy(path: &Path) -> Result<Archive, InputError> {
        let map = map(path)?;
        let fault = |reason: String| InputError::Format { path: path.to_owned(), format: ".npy", reason };
        let mut head = Head::read("", &mut &map[..]).map_err(fault)?;
        if let Place::Compressed(_, length) = head.place {
            head.place = Place::Stored(length);
        }
        Ok(Archive { path: path.to_owned(), map: Arc::new(map), arrays: vec![head] })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The head of the array of that name.
    pub fn head(&self, name: &str) -> Option<&Head> {
        self.arrays.iter().find(|head| head.name == name)
    }

    /// The elements of an array.
    ///
    /// # Errors
    /// The file has fewer elements than the head says, or they have a type that ONNX lacks.
    pub fn array(&self, head: &Head) -> Result<Array, InputError> {
        self.try_array(head).map_err(|reason| InputError::Format {
            path: self.path.clone(),
            format: if head.name.is_empty() { ".npy" } else { ".npz" },
            reason: format!("array `{}`: {reason}", head.name),
        })
    }

    fn try_array(&self, head: &Head) -> Result<Array, String> {
        let element_type = head.element_type.ok_or("its element type is not known")?;
        let content = match head.place {
            Place::Stored(start) if head.stays_in_file() => Content::Mapped(Arc::clone(&self.map), start),
            _ => head.content(element_type, self.bytes(head)?).ok_or("it ends early")?,
        };
        Array::new(element_type, head.shape.clone(), content).ok_or_else(|| "it ends early".to_owned())
    }

    /// Bytes of the elements as they lie in the file.
    fn bytes(&self, head: &Head) -> Result<Vec<u8>, String> {
        let length = head.byte_length().ok_or("its shape is too large")?;
        match head.place {
            Place::Stored(start) => {
                let stored = self.map.get(start..start.saturating_add(length)).ok_or("it ends early")?;
                Ok(stored.to_vec())
            }
            Place::Compressed(index, skipped) => {
                let mut zip = ZipArchive::new(Cursor::new(&self.map[..])).map_err(|error| error.to_string())?;
                let mut entry = zip.by_index(index).map_err(|error| error.to_string())?;
                std::io::copy(&mut entry.by_ref().take(skipped as u64), &mut std::io::sink())
                    .map_err(|error| error.to_string())?;
                let mut bytes = Vec::new();
                entry.take(length as u64).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
                Ok(bytes)
            }
        }
    }
}

impl Head {
    fn read(name: &str, reader: &mut impl Read) -> Result<Head, String> {
        let mut counted = Counted { reader, bytes: 0 };
        let header = Header::from_reader(&mut counted).map_err(|error| error.to_string())?;
        let descriptor = header.type_descriptor.to_string().trim_matches(['\'', '"']).to_owned();
        Ok(Head {
            name: name.to_owned(),
            element_type: element_type(&descriptor),
            shape: header.shape,
            column_major: header.layout.is_fortran(),
            place: Place::Compressed(0, counted.bytes),
            descriptor,
        })
    }

    /// What people call the type: ours if there is one, else numpy's.
    pub fn type_name(&self) -> String {
        self.element_type.map_or_else(|| format!("numpy's `{}`", self.descriptor), |known| known.name().to_owned())
    }

    /// Whether each element is a byte without a type, as the package `ml_dtypes` writes numbers of eight bits and fewer.
    pub fn is_code(&self) -> bool {
        self.element_type.is_none() && self.descriptor.ends_with("V1")
    }

    /// Whether elements can be taken from the file as they lie there.
    pub fn stays_in_file(&self) -> bool {
        let plain = !self.column_major && !self.descriptor.starts_with('>');
        plain && self.element_type != Some(ElementType::String) && matches!(self.place, Place::Stored(_))
    }

    /// Bytes of one element, by the number that ends the descriptor.
    fn width(&self) -> Option<usize> {
        let digits = self.descriptor.trim_start_matches(|letter: char| !letter.is_ascii_digit());
        let number: usize = digits.parse().ok()?;
        if self.element_type == Some(ElementType::String) { number.checked_mul(4) } else { Some(number) }
    }

    fn byte_length(&self) -> Option<usize> {
        self.shape.iter().try_fold(self.width()?, |product, &size| product.checked_mul(size))
    }

    /// Elements in row-major order and little-endian.
    fn content(&self, element_type: ElementType, mut bytes: Vec<u8>) -> Option<Content> {
        let width = self.width()?;
        if Some(bytes.len()) != self.byte_length() {
            return None;
        }
        if self.descriptor.starts_with('>') {
            let unit = if element_type == ElementType::String { 4 } else { width };
            bytes.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
        }
        if self.column_major && width > 0 {
            bytes = row_major(&bytes, &self.shape, width)?;
        }
        if element_type != ElementType::String {
            return Some(Content::Bytes(bytes.into()));
        }
        let count = self.shape.iter().product();
        Some(Content::Text((0..count).map(|index| text(&bytes[index * width..][..width])).collect()))
    }
}

/// Elements of `width` bytes each, from column-major into row-major order.
fn row_major(bytes: &[u8], shape: &[usize], width: usize) -> Option<Vec<u8>> {
    let elements: Vec<&[u8]> = bytes.chunks_exact(width).collect();
    let view = ArrayView::from_shape(IxDyn(shape).f(), &elements).ok()?;
    Some(view.iter().copied().flatten().copied().collect())
}

/// A string of numpy's: code points of four bytes, filled up with zeros.
fn text(bytes: &[u8]) -> String {
    let points = bytes.as_chunks().0.iter().map(|&chunk| u32::from_le_bytes(chunk));
    points.take_while(|&point| point != 0).map(|point| char::from_u32(point).unwrap_or('\u{fffd}')).collect()
}

/// ONNX's type for numpy's descriptor. bfloat16, which numpy lacks, is written as two bytes without a type. (Of one byte
/// without a type there are several: see [`Head::is_code`].)
fn element_type(descriptor: &str) -> Option<ElementType> {
    match descriptor.trim_start_matches(['<', '>', '|', '=']) {
        "f4" => Some(ElementType::Float),
        "f8" => Some(ElementType::Double),
        "f2" => Some(ElementType::Float16),
        "f1" => Some(ElementType::Float8e5m2),
        "V2" => Some(ElementType::Bfloat16),
        "i1" => Some(ElementType::Int8),
        "i2" => Some(ElementType::Int16),
        "i4" => Some(ElementType::Int32),
        "i8" => Some(ElementType::Int64),
        "u1" => Some(ElementType::Uint8),
        "u2" => Some(ElementType::Uint16),
        "u4" => Some(ElementType::Uint32),
        "u8" => Some(ElementType::Uint64),
        "b1" => Some(ElementType::Bool),
        other if other.starts_with('U') => Some(ElementType::String),
        _ => None,
    }
}

fn map(path: &Path) -> Result<Mmap, InputError> {
    let read = |source| InputError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(read)?;
    // SAFETY: the map is read-only. A file that another process shortens meanwhile ends this one with SIGBUS; the
    // alternative is to hold all data in the memory of a process whose memory is measured.
    unsafe { Mmap::map(&file) }.map_err(read)
}

/// A reader that counts what it hands out.
struct Counted<'a, R> {
    reader: &'a mut R,
    bytes: usize,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.bytes += count;
        Ok(count)
    }
}
