//! Taking files out of wheels into the folder of an installation.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;
use zip::ZipArchive;

use super::manifest::{self, ManifestFile};
use crate::hash;
use crate::units::Bytes;

/// Files that stand in the folder of an installation, and are on the disk.
#[derive(Debug)]
pub(super) struct Unpacked {
    pub folder: PathBuf,
    /// In the order in which they were unpacked.
    pub files: Vec<ManifestFile>,
}

impl Unpacked {
    pub(super) fn new(folder: &Path) -> Self {
        Unpacked {
            folder: folder.into(),
            files: Vec::new(),
        }
    }

    /// Takes an entry out of a wheel as the file `name` below the folder, unless that is there.
    /// Wheels know no links: a library under several names is in them several times, and becomes
    /// one file here.
    pub(super) fn add(
        &mut self,
        archive: &mut ZipArchive<File>,
        entry: &str,
        name: &str,
    ) -> io::Result<()> {
        if self.files.iter().any(|file| file.name == name) {
            return Ok(());
        }
        let path = self.folder.join(name);
        let mut file = File::create_new(&path)?;
        let sha256 = hash::copy(&mut archive.by_name(entry)?, &mut file)?;
        file.sync_all()?;
        if let Some(twin) = self.files.iter().find(|file| file.sha256 == sha256) {
            link(&self.folder.join(&twin.name), &path)?;
        }
        let metadata = fs::metadata(&path)?;
        self.files.push(ManifestFile {
            name: name.into(),
            sha256,
            size_bytes: Bytes(metadata.len()),
            modified_ns: manifest::modified(&metadata),
        });
        Ok(())
    }

    pub(super) fn sha256(&self, name: &str) -> Option<&str> {
        self.files
            .iter()
            .find(|file| file.name == name)
            .map(|file| file.sha256.as_str())
    }

    /// Size of the files together, each content once.
    pub(super) fn size(&self) -> Bytes {
        let contents: BTreeMap<&str, u64> = self
            .files
            .iter()
            .map(|file| (file.sha256.as_str(), file.size_bytes.0))
            .collect();
        Bytes(contents.into_values().sum())
    }
}

/// Makes `copy` another name of `first`, which has the same content. Where the filesystem has no
/// hard links, it stays.
fn link(first: &Path, copy: &Path) -> io::Result<()> {
    let mut unlinked = copy.as_os_str().to_owned();
    unlinked.push(".link");
    if fs::hard_link(first, &unlinked).is_ok() {
        fs::rename(&unlinked, copy)?;
    }
    Ok(())
}

pub(super) fn is_shared_library(name: &str) -> bool {
    name.ends_with(".so") || name.contains(".so.")
}

/// Free space of the disk that holds a folder, and the number by which the kernel tells disks
/// apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disk {
    pub device: u64,
    pub free: Bytes,
}

pub(super) fn disk(folder: &Path) -> io::Result<Disk> {
    let (stat, device) = (statvfs(folder)?, fs::metadata(folder)?.dev());
    Ok(Disk {
        device,
        free: Bytes(stat.blocks_available().saturating_mul(stat.fragment_size())),
    })
}

/// Makes sure that entries of a wheel have room in `folder`, by what the wheel states of their
/// sizes.
pub(super) fn require_room<'e>(
    archive: &mut ZipArchive<File>,
    entries: impl Iterator<Item = &'e str>,
    folder: &Path,
) -> io::Result<()> {
    let mut sum = 0_u64;
    for entry in entries {
        sum = sum.saturating_add(archive.by_name(entry)?.size());
    }
    // Where the system does not tell, there is taken to be enough.
    let is_full = disk(folder).is_ok_and(|disk| sum > disk.free.0);
    if is_full {
        Err(io::ErrorKind::StorageFull.into())
    } else {
        Ok(())
    }
}

pub(super) fn entries(archive: &ZipArchive<File>) -> Vec<String> {
    archive
        .file_names()
        .flatten()
        .map(|name| name.into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn wheel(files: &[(&str, &str)]) -> ZipArchive<File> {
        let mut wheel = zip::ZipWriter::new(tempfile::tempfile().unwrap());
        for (name, text) in files {
            wheel
                .start_file(*name, zip::write::SimpleFileOptions::default())
                .unwrap();
            wheel.write_all(text.as_bytes()).unwrap();
        }
        ZipArchive::new(wheel.finish().unwrap()).unwrap()
    }

    #[test]
    fn one_content_under_several_names_is_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["libtbb.so", "libtbb.so.12", "libother.so"];
        let mut archive = wheel(&[(names[0], "tbb"), (names[1], "tbb"), (names[2], "other")]);
        assert_eq!(entries(&archive).len(), 3);
        let mut unpacked = Unpacked::new(folder.path());
        for name in names {
            unpacked.add(&mut archive, name, name).unwrap();
        }
        let inode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().ino();
        assert_eq!(inode(names[0]), inode(names[1]));
        assert_ne!(inode(names[0]), inode(names[2]));
        assert_eq!(unpacked.size(), Bytes(3 + 5));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        assert_eq!(unpacked.files.len(), 3);
    }

    /// A packed wheel of 100,000 zeros that states another size of them.
    fn stating(size: u32) -> ZipArchive<File> {
        let mut packed = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        packed
            .start_file("libx.so", zip::write::SimpleFileOptions::default())
            .unwrap();
        packed.write_all(&[0; 100_000]).unwrap();
        let mut bytes = packed.finish().unwrap().into_inner();
        // The size stands in the headers of the file (at 22) and of the directory (at 24).
        let directory = bytes
            .windows(4)
            .rposition(|window| window == b"PK\x01\x02")
            .unwrap();
        for place in [22, directory + 24] {
            bytes[place..place + 4].copy_from_slice(&size.to_le_bytes());
        }
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        ZipArchive::new(file).unwrap()
    }

    #[test]
    fn what_holds_more_than_it_states_is_refused_when_that_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let error = Unpacked::new(folder.path())
            .add(&mut stating(10), "libx.so", "libx.so")
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("larger than its declared uncompressed size"),
            "{error}"
        );
        assert!(fs::metadata(folder.path().join("libx.so")).unwrap().len() <= 10);
    }

    #[test]
    fn what_has_no_room_is_not_begun() {
        let folder = tempfile::tempdir().unwrap();
        let mut archive = stating(u32::MAX - 1);
        let wanted = |count| std::iter::repeat_n("libx.so", count);
        assert!(require_room(&mut archive, wanted(0), folder.path()).is_ok());
        // 4 GB each: more than any disk has.
        let error = require_room(&mut archive, wanted(1 << 15), folder.path()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn shared_libraries_are_known_by_their_names() {
        for name in ["libopenvino.so", "libopenvino.so.2025.4.1", "libtbb.so.12"] {
            assert!(is_shared_library(name), "{name}");
        }
        for name in [
            "__init__.py",
            "libcudart_static.a",
            "plugins.sock",
            "README.so-so",
        ] {
            assert!(!is_shared_library(name), "{name}");
        }
    }
}
