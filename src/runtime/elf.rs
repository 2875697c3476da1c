//! Which libraries a shared library needs, from its ELF header.
//!
//! Layout: System V Application Binary Interface, "ELF-64 Object File Format", version 1.5.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::files::{self, Kind};

const MAGIC: [u8; 6] = [0x7f, b'E', b'L', b'F', 2, 1];
const HEADER_BYTES: usize = 64;
const PROGRAM_HEADER_BYTES: usize = 56;
const PT_LOAD: u64 = 1;
const PT_DYNAMIC: u64 = 2;
const DT_NULL: u64 = 0;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
/// A dynamic section has some fifty entries of 16 bytes; a longer one than this is taken for
/// damage.
const MOST_DYNAMIC_BYTES: u64 = 1 << 20;
/// A longer name than a path may be is taken for damage.
const MOST_NAME_BYTES: usize = 4096;

struct Segment {
    kind: u64,
    offset: u64,
    address: u64,
    length: u64,
}

impl Segment {
    /// One of a row of the table of segments.
    fn of(row: &[u8]) -> Self {
        Segment {
            kind: number(&row[..4]),
            offset: number(&row[8..16]),
            address: number(&row[16..24]),
            length: number(&row[32..40]),
        }
    }

    fn holds(&self, address: u64) -> bool {
        self.address <= address && address - self.address < self.length
    }
}

/// File names of the libraries that the loader needs to open the one at `path`, such as
/// `libcudart.so.12`.
pub(super) fn needed(path: &Path) -> io::Result<Vec<String>> {
    let file = files::open(path, Kind::LIBRARY)?.into_file();
    let segments = segments(&file)?;
    let Some(dynamic) = segments.iter().find(|segment| segment.kind == PT_DYNAMIC) else {
        return Ok(Vec::new());
    };
    let entries = entries(&file, dynamic)?;
    let Some(&(_, address)) = entries.iter().find(|(tag, _)| *tag == DT_STRTAB) else {
        return Ok(Vec::new());
    };
    let texts = place_of(address, &segments)?;
    entries
        .iter()
        .filter(|(tag, _)| *tag == DT_NEEDED)
        .map(|(_, place)| name(&file, plus(texts, *place)?))
        .collect()
}

/// Tags and values of the dynamic section.
fn entries(file: &File, dynamic: &Segment) -> io::Result<Vec<(u64, u64)>> {
    if dynamic.length > MOST_DYNAMIC_BYTES {
        return Err(damaged());
    }
    let length = usize::try_from(dynamic.length).map_err(|_| damaged())?;
    Ok(read(file, dynamic.offset, length)?
        .chunks_exact(16)
        .map(|entry| (number(&entry[..8]), number(&entry[8..])))
        .take_while(|(tag, _)| *tag != DT_NULL)
        .collect())
}

/// The place in the file of what is loaded at an address.
fn place_of(address: u64, segments: &[Segment]) -> io::Result<u64> {
    let part = segments
        .iter()
        .find(|part| part.kind == PT_LOAD && part.holds(address))
        .ok_or_else(damaged)?;
    plus(part.offset, address - part.address)
}

fn segments(file: &File) -> io::Result<Vec<Segment>> {
    let header = read(file, 0, HEADER_BYTES)?;
    let (size, count) = (number(&header[54..56]), number(&header[56..58]));
    if header[..6] != MAGIC || size != PROGRAM_HEADER_BYTES as u64 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is no 64-bit little-endian ELF file",
        ));
    }
    let length = usize::try_from(count).map_err(|_| damaged())? * PROGRAM_HEADER_BYTES;
    Ok(read(file, number(&header[32..40]), length)?
        .chunks_exact(PROGRAM_HEADER_BYTES)
        .map(Segment::of)
        .collect())
}

fn read(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

fn name(file: &File, offset: u64) -> io::Result<String> {
    let mut bytes = vec![0; MOST_NAME_BYTES];
    let mut length = 0;
    while length < bytes.len() {
        match file.read_at(&mut bytes[length..], plus(offset, length as u64)?)? {
            0 => break,
            count => length += count,
        }
    }
    let end = bytes[..length]
        .iter()
        .position(|&byte| byte == 0)
        .ok_or_else(damaged)?;
    String::from_utf8(bytes[..end].to_vec()).map_err(|_| damaged())
}

/// The sum of two numbers of the file, which may be any.
fn plus(one: u64, other: u64) -> io::Result<u64> {
    one.checked_add(other).ok_or_else(damaged)
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |value, &byte| value << 8 | u64::from(byte))
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "its ELF header is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn a_program_needs_the_c_library() {
        let needed = needed(&std::env::current_exe().unwrap()).unwrap();
        assert!(needed.iter().any(|name| name == "libc.so.6"), "{needed:?}");
    }

    #[test]
    fn a_file_that_is_no_library_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (bytes, kind) in [
            (&b""[..], io::ErrorKind::UnexpectedEof),
            (&[b'x'; 64], io::ErrorKind::InvalidData),
        ] {
            std::fs::write(file.path(), bytes).unwrap();
            assert_eq!(needed(file.path()).unwrap_err().kind(), kind);
        }
    }

    /// A library of two parts (kind, offset, address, length), with these texts behind its header.
    fn read_back(parts: [[u64; 4]; 2], texts: &[u8]) -> io::Result<Vec<String>> {
        let mut bytes = vec![0; 64];
        bytes[..6].copy_from_slice(&MAGIC);
        bytes[32] = 64;
        (bytes[54], bytes[56]) = (56, 2);
        for [kind, offset, address, length] in parts {
            bytes.extend(
                [kind, offset, address, 0, length, 0, 0]
                    .map(u64::to_le_bytes)
                    .concat(),
            );
        }
        bytes.extend(texts);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        needed(file.path())
    }

    /// A library of one part, which is loaded at 0x1000, and of a dynamic section with the texts at
    /// `address` and one name at `name` in them.
    fn crafted(offset: u64, length: u64, address: u64, name: u64) -> io::Result<Vec<String>> {
        let part = [PT_LOAD, offset, 0x1000, length];
        let dynamic = [PT_DYNAMIC, 64 + 2 * 56, 0, 48];
        let entries = [DT_NEEDED, name, DT_STRTAB, address, DT_NULL, 0]
            .map(u64::to_le_bytes)
            .concat();
        read_back([part, dynamic], &[&entries[..], b"libc.so.6\0"].concat())
    }

    #[test]
    fn numbers_of_a_header_that_no_sum_holds_are_damage() {
        const TEXTS: u64 = 64 + 2 * 56 + 48;
        const ALL: u64 = u64::MAX;
        assert_eq!(crafted(TEXTS, 10, 0x1000, 0).unwrap(), ["libc.so.6"]);
        for read in [
            crafted(ALL, ALL, 0x1001, 0),
            crafted(ALL - 15, ALL, 0x1010, 0),
            crafted(TEXTS, ALL, 0x1000, ALL),
            crafted(16, ALL, ALL, ALL),
            read_back([PT_DYNAMIC, 0].map(|kind| [kind, 0, 0, ALL]), &[]),
        ] {
            assert_eq!(read.unwrap_err().to_string(), "its ELF header is damaged");
        }
        // No file goes on so far.
        assert!(crafted(ALL - 16, ALL, 0x1010, 0).is_err());
        assert!(crafted(TEXTS, ALL, ALL, 0).is_err());
    }
}
