//! Files that are taken in: opened in one way, which waits for nobody, knows the size first, and
//! maps nothing.
//!
//! A file that others may shorten or overwrite is read with `pread` only, so that a change is an
//! error and no signal. Read [`open()`] first. What is ours, and is written, is opened by
//! [`open_own`].

mod kind;
mod own;

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::statfs::{FsType, fstatfs};

pub(crate) use kind::Kind;
use kind::Refusal;
pub(crate) use own::{check_own, open_own};

/// The kernel's number of the file system of pipes that have no name, from `linux/magic.h`.
const PIPEFS: FsType = FsType(0x5049_5045);
/// The device that is always empty.
const NULL_DEVICE: u64 = nix::sys::stat::makedev(1, 3);

#[derive(Debug)]
pub(crate) struct InputFile {
    file: File,
    kind: Kind,
    /// Absent for a pipe.
    stamp: Option<Stamp>,
}

/// The system's marks of a file's content, had without its being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Stamp {
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// Opens the file at `path`, which is to be of a kind. An error where it is no regular file (or
/// pipe, where its kind may be one), or larger than its kind may be.
pub(crate) fn open(path: &Path, kind: Kind) -> io::Result<InputFile> {
    // Before the file is opened: some devices do something then.
    check_type(&fs::metadata(path)?, kind)?;
    let waits_for_nobody = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = File::options()
        .read(true)
        .custom_flags(waits_for_nobody.bits())
        .open(path)?;
    let metadata = file.metadata()?;
    check_type(&metadata, kind)?;
    let mut opened = InputFile {
        file,
        kind,
        stamp: None,
    };
    if metadata.is_file() {
        if metadata.len() > kind.most.0 {
            return Err(Refusal::TooLarge {
                size: metadata.len(),
                kind,
            }
            .into());
        }
        opened.stamp = Some(Stamp::of(&metadata));
    } else if metadata.file_type().is_fifo() {
        opened.wait_for_writers()?;
    }
    Ok(opened)
}

/// An error where the file is changed meanwhile.
pub(crate) fn bytes(path: &Path, kind: Kind) -> io::Result<Vec<u8>> {
    open(path, kind)?.bytes()
}

/// [`io::ErrorKind::InvalidData`] where it is not UTF-8.
pub(crate) fn text(path: &Path, kind: Kind) -> io::Result<String> {
    String::from_utf8(bytes(path, kind)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

fn check_type(metadata: &Metadata, kind: Kind) -> io::Result<()> {
    let file_type = metadata.file_type();
    let is_empty_device = file_type.is_char_device() && metadata.rdev() == NULL_DEVICE;
    match () {
        () if file_type.is_file() => Ok(()),
        () if file_type.is_dir() => Err(io::Error::from_raw_os_error(nix::libc::EISDIR)),
        () if kind.may_be_pipe && (file_type.is_fifo() || is_empty_device) => Ok(()),
        () if file_type.is_fifo() => Err(Refusal::Pipe { kind }.into()),
        () if file_type.is_socket() => Err(Refusal::Socket.into()),
        () => Err(Refusal::Device.into()),
    }
}

impl InputFile {
    /// Size when it was opened; 0 for a pipe.
    pub(crate) fn len(&self) -> u64 {
        self.stamp.map_or(0, |stamp| stamp.size)
    }

    /// The file as the system knows it, for who looks at single places of it.
    pub(crate) fn into_file(self) -> File {
        self.file
    }

    /// An error where the file has been shortened or a pipe gives more than its kind may have.
    pub(crate) fn bytes(&self) -> io::Result<Vec<u8>> {
        // What the kernel makes up when it is read has size 0, like a pipe.
        let Some(size) = self.stamp.map(|stamp| stamp.size).filter(|&size| size > 0) else {
            return self.unsized_bytes();
        };
        let mut bytes = Vec::new();
        let size = usize::try_from(size).map_err(|_| io::ErrorKind::OutOfMemory)?;
        bytes
            .try_reserve_exact(size)
            .map_err(|_| io::ErrorKind::OutOfMemory)?;
        bytes.resize(size, 0);
        self.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    fn unsized_bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        (&self.file)
            .take(self.kind.most.0 + 1)
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 > self.kind.most.0 {
            return Err(Refusal::Endless { kind: self.kind }.into());
        }
        Ok(bytes)
    }

    /// Fills `buffer` with the bytes from `offset` on.
    /// An error where the file has been shortened since it was opened.
    pub(crate) fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file
            .read_exact_at(buffer, offset)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => Refusal::Changed.into(),
                _ => error,
            })
    }

    /// An error where the file has been changed since it was opened.
    pub(crate) fn check_unchanged(&self) -> io::Result<()> {
        match self.stamp {
            Some(stamp) if Stamp::of(&self.file.metadata()?) != stamp => {
                Err(Refusal::Changed.into())
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader {
            file: self,
            place: 0,
        }
    }

    /// Reads of a pipe wait from now on; a pipe that has a name may never be written to.
    fn wait_for_writers(&self) -> io::Result<()> {
        if fstatfs(&self.file)?.filesystem_type() != PIPEFS {
            return Err(Refusal::NamedPipe.into());
        }
        fcntl(&self.file, FcntlArg::F_SETFL(OFlag::empty()))?;
        Ok(())
    }
}

/// Reads a file from a place on, up to the size that it had when it was opened.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'f> {
    file: &'f InputFile,
    place: u64,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.file.len().saturating_sub(self.place);
        let length = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        self.file.read_exact_at(&mut buffer[..length], self.place)?;
        self.place += length as u64;
        Ok(length)
    }
}

impl Seek for Reader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(distance) => self.file.len().checked_add_signed(distance),
            SeekFrom::Current(distance) => self.place.checked_add_signed(distance),
        };
        self.place = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.place)
    }
}

#[cfg(test)]
pub(crate) mod tests;
