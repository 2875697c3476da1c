//! numpy's files: `.npz` archives and single `.npy` arrays.

mod header;

use std::fmt::Display;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::{ArrayViewD, IxDyn, ShapeBuilder};
use zip::read::ZipFile;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::array::{Array, Content, product};
use super::error::ask;
use super::{InputError, Result};
use crate::files::{self, InputFile, Kind, Reader};
use crate::plan::ElementType;
use header::Header;

/// Arrays that an archive may have: what is read of each is its head, and data has one for each
/// input.
const MOST_ARRAYS: usize = 1 << 16;
/// Bytes that a string takes in memory besides its letters.
const TEXT_OVERHEAD: u64 = 48;

/// Arrays that are stored plainly (as `numpy.savez` and `numpy.save` do) stay in the file until
/// rows are taken; those that are compressed are unpacked whole.
#[derive(Debug)]
pub(super) struct Archive {
    pub path: PathBuf,
    file: Arc<InputFile>,
    /// The arrays in the file's order.
    pub arrays: Vec<Head>,
}

#[derive(Clone, Debug)]
pub(super) struct Head {
    /// Name in the archive; empty for a `.npy` file.
    pub name: String,
    /// Type of the elements; absent where ONNX has none like it.
    pub element_type: Option<ElementType>,
    pub descriptor: String,
    pub shape: Vec<usize>,
    column_major: bool,
    place: Location,
}

#[derive(Clone, Copy, Debug)]
enum Location {
    /// The elements begin at this byte of the file.
    Stored(u64),
    /// The array is this entry of the archive, and its elements begin at this byte of it.
    Compressed(usize, u64),
}

impl Archive {
    pub fn npz(path: &Path) -> Result<Archive> {
        let mut archive = Archive::open(path)?;
        archive.arrays = heads(&archive.file).map_err(InputError::format(path, ".npz"))?;
        Ok(archive)
    }

    /// The one array of a `.npy` file has no name.
    pub fn npy(path: &Path) -> Result<Archive> {
        let mut archive = Archive::open(path)?;
        let header = Header::read(&mut BufReader::new(archive.file.reader()))
            .map_err(InputError::format(path, ".npy"))?;
        let place = Location::Stored(header.length as u64);
        archive.arrays.push(Head::new("", header, place));
        Ok(archive)
    }

    fn open(path: &Path) -> Result<Archive> {
        let file = files::open(path, Kind::ARRAYS).map_err(InputError::read(path))?;
        Ok(Archive {
            path: path.to_owned(),
            file: file.into(),
            arrays: Vec::new(),
        })
    }

    pub fn names(&self) -> Vec<String> {
        self.arrays.iter().map(|head| head.name.clone()).collect()
    }

    pub fn head(&self, name: &str) -> Option<&Head> {
        self.arrays.iter().find(|head| head.name == name)
    }

    pub fn array(&self, head: &Head) -> Result<Array> {
        let element_type = head
            .element_type
            .ok_or_else(|| self.damaged(head, "its element type is not known"))?;
        let content = match head.place {
            Location::Stored(start) if head.stays_in_file() => {
                Some(Content::Stored(Arc::clone(&self.file), start))
            }
            _ => head.content(self.bytes(head)?),
        };
        content
            .and_then(|content| Array::new(element_type, head.shape.clone(), content))
            .ok_or_else(|| self.damaged(head, "it ends early"))
    }

    fn bytes(&self, head: &Head) -> Result<Vec<u8>> {
        let length = head
            .byte_length()
            .ok_or_else(|| self.damaged(head, "its shape is too large"))?;
        ask(
            &self.path,
            head.memory(length as u64),
            &format!("array `{}`, unpacked,", head.name),
        )?;
        match head.place {
            Location::Stored(start) => self.stored(head, start, length),
            Location::Compressed(index, skipped) => {
                let bytes = self
                    .unpacked(index, skipped, length as u64)
                    .map_err(|reason| self.damaged(head, &reason))?;
                self.file
                    .check_unchanged()
                    .map_err(InputError::read(&self.path))?;
                Ok(bytes)
            }
        }
    }

    fn stored(&self, head: &Head, start: u64, length: usize) -> Result<Vec<u8>> {
        let end = start.checked_add(length as u64);
        if end.is_none_or(|end| end > self.file.len()) {
            return Err(self.damaged(head, "it ends early"));
        }
        let mut bytes = vec![0; length];
        self.file
            .read_exact_at(&mut bytes, start)
            .map_err(InputError::read(&self.path))?;
        Ok(bytes)
    }

    /// Up to `length` bytes of an entry behind those that are skipped.
    fn unpacked(&self, index: usize, skipped: u64, length: u64) -> Result<Vec<u8>, String> {
        let mut zip = entries(&self.file).map_err(words)?;
        let mut entry = zip.by_index(index).map_err(words)?;
        let mut bytes = Vec::new();
        std::io::copy(&mut entry.by_ref().take(skipped), &mut std::io::sink())
            .and_then(|_| entry.take(length).read_to_end(&mut bytes))
            .map_err(words)?;
        Ok(bytes)
    }

    /// An array's fault, as a fragment of a sentence whose subject is the array.
    fn damaged(&self, head: &Head, reason: &str) -> InputError {
        let format = if head.name.is_empty() { ".npy" } else { ".npz" };
        InputError::Format(
            self.path.clone(),
            format,
            format!("array `{}`: {reason}", head.name),
        )
    }
}

fn words(error: impl Display) -> String {
    error.to_string()
}

/// The heads of an archive's arrays; else what is wrong with it, as a sentence's fragment.
fn heads(file: &InputFile) -> Result<Vec<Head>, String> {
    let mut zip = entries(file).map_err(words)?;
    if zip.len() > MOST_ARRAYS {
        return Err(format!(
            "it has {} entries, and {MOST_ARRAYS} are read at most",
            zip.len()
        ));
    }
    let mut heads = Vec::new();
    for index in 0..zip.len() {
        heads.extend(head_of(&mut zip.by_index(index).map_err(words)?, index)?);
    }
    Ok(heads)
}

/// The head of the array in an entry; absent where it holds something else.
fn head_of<R: Read>(entry: &mut ZipFile<'_, R>, index: usize) -> Result<Option<Head>, String> {
    let name = entry.name().map_err(words)?.into_owned();
    let Some(name) = name.strip_suffix(".npy") else {
        return Ok(None);
    };
    let is_plain = entry.compression() == CompressionMethod::Stored;
    let start = entry.data_start().filter(|_| is_plain);
    let header = Header::read(entry).map_err(|reason| format!("array `{name}`: {reason}"))?;
    let length = header.length as u64;
    let place = start.map_or(Location::Compressed(index, length), |start| {
        Location::Stored(start.saturating_add(length))
    });
    Ok(Some(Head::new(name, header, place)))
}

fn entries(file: &InputFile) -> Result<ZipArchive<BufReader<Reader<'_>>>, ZipError> {
    ZipArchive::new(BufReader::new(file.reader()))
}

impl Head {
    fn new(name: &str, header: Header, place: Location) -> Head {
        Head {
            name: name.to_owned(),
            element_type: element_type(&header.descriptor),
            shape: header.shape,
            column_major: header.column_major,
            place,
            descriptor: header.descriptor,
        }
    }

    /// Bytes of memory that elements of so many bytes in the file take while they are taken from it.
    fn memory(&self, length: u64) -> u64 {
        let mut texts = 0;
        if self.is_text() {
            texts = self
                .shape
                .iter()
                .fold(TEXT_OVERHEAD, |size, &of| size.saturating_mul(of as u64));
        }
        let copies = if self.column_major { 2 } else { 1 };
        length.saturating_mul(copies).saturating_add(texts)
    }

    /// The type in words: ours if there is one, else numpy's.
    pub fn type_name(&self) -> String {
        self.element_type.map_or_else(
            || format!("numpy's `{}`", self.descriptor),
            |known| known.name().to_owned(),
        )
    }

    /// Whether each element is a byte without a type, as the package `ml_dtypes` writes numbers of
    /// up to eight bits.
    pub fn is_code(&self) -> bool {
        self.element_type.is_none() && self.descriptor.ends_with("V1")
    }

    pub fn stays_in_file(&self) -> bool {
        let plain = !self.column_major && !self.descriptor.starts_with('>');
        plain && !self.is_text() && matches!(self.place, Location::Stored(_))
    }

    /// Bytes of one element, by the number that ends the descriptor.
    fn width(&self) -> Option<usize> {
        let number: usize = self
            .descriptor
            .trim_start_matches(|letter: char| !letter.is_ascii_digit())
            .parse()
            .ok()?;
        number.checked_mul(if self.is_text() { 4 } else { 1 })
    }

    fn is_text(&self) -> bool {
        self.element_type == Some(ElementType::String)
    }

    fn byte_length(&self) -> Option<usize> {
        product(&self.shape, self.width()?)
    }

    fn content(&self, mut bytes: Vec<u8>) -> Option<Content> {
        let width = self.width()?;
        if Some(bytes.len()) != self.byte_length() {
            return None;
        }
        if self.descriptor.starts_with('>') {
            let unit = if self.is_text() { 4 } else { width };
            bytes.chunks_exact_mut(unit).for_each(<[u8]>::reverse);
        }
        if self.column_major && width > 0 {
            bytes = row_major(&bytes, &self.shape, width)?;
        }
        if !self.is_text() {
            return Some(Content::Bytes(bytes.into()));
        }
        let texts = (0..product(&self.shape, 1)?).map(|at| text(&bytes[at * width..][..width]));
        Some(Content::Text(texts.collect()))
    }
}

/// Elements of `width` bytes each, from column-major into row-major order.
fn row_major(bytes: &[u8], shape: &[usize], width: usize) -> Option<Vec<u8>> {
    let dims = [&[width][..], shape].concat();
    let bytes = ArrayViewD::from_shape(IxDyn(&dims).f(), bytes).ok()?;
    let order: Vec<usize> = (1..dims.len()).chain([0]).collect();
    Some(
        bytes
            .permuted_axes(order)
            .as_standard_layout()
            .into_owned()
            .into_raw_vec_and_offset()
            .0,
    )
}

/// A string of numpy's: code points of four bytes, filled up with zeros.
fn text(bytes: &[u8]) -> String {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|&point| char::from_u32(u32::from_le_bytes(point)).unwrap_or('\u{fffd}'))
        .take_while(|&letter| letter != '\0')
        .collect()
}

/// ONNX's type for numpy's. Two bytes without a type are bfloat16, one is several: see
/// [`Head::is_code`].
fn element_type(descriptor: &str) -> Option<ElementType> {
    Some(match descriptor.trim_start_matches(['<', '>', '|', '=']) {
        "f4" => ElementType::Float,
        "f8" => ElementType::Double,
        "f2" => ElementType::Float16,
        "f1" => ElementType::Float8e5m2,
        "V2" => ElementType::Bfloat16,
        "i1" => ElementType::Int8,
        "i2" => ElementType::Int16,
        "i4" => ElementType::Int32,
        "i8" => ElementType::Int64,
        "u1" => ElementType::Uint8,
        "u2" => ElementType::Uint16,
        "u4" => ElementType::Uint32,
        "u8" => ElementType::Uint64,
        "b1" => ElementType::Bool,
        other if other.starts_with('U') => ElementType::String,
        _ => return None,
    })
}

/// A `.npy` file with elements of a type as numpy calls it.
#[cfg(test)]
pub(super) fn npy_file(descriptor: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let header =
        format!("{{'descr': '{descriptor}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = (header.len() as u16).to_le_bytes();
    [
        b"\x93NUMPY\x01\x00",
        &length[..],
        header.as_bytes(),
        elements,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_whose_product_no_number_holds_are_an_error_whatever_is_stored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        let (huge, none) = (
            "(1099511627776, 1099511627776)",
            "(1099511627776, 1099511627776, 0)",
        );
        for (descriptor, shape) in [
            ("<U0", huge),
            ("<U1", huge),
            ("<f4", huge),
            (">f4", huge),
            ("<U0", none),
            ("<U1", none),
            (">f4", none),
        ] {
            std::fs::write(&path, npy_file(descriptor, shape, &[])).unwrap();
            let archive = Archive::npy(&path).unwrap();
            let error = archive.array(&archive.arrays[0]).unwrap_err();
            let is_said = matches!(error, InputError::Format { .. } | InputError::Memory { .. });
            assert!(is_said, "{descriptor} {shape}: {error}");
        }
    }
}
