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

    /// Takes those entries out of a wheel that have a name here, once there is room for all of them.
    pub(super) fn take(
        &mut self,
        wheel: &Path,
        name: impl Fn(&str) -> Option<String>,
    ) -> io::Result<()> {
        let mut archive = ZipArchive::new(File::open(wheel)?)?;
        let kept: Vec<(String, String)> = entries(&archive)
            .into_iter()
            .filter_map(|entry| Some((name(&entry)?, entry)))
            .collect();
        require_room(
            &mut archive,
            kept.iter().map(|(_, entry)| entry.as_str()),
            &self.folder,
        )?;
        kept.iter()
            .try_for_each(|(name, entry)| self.add(&mut archive, entry, name))
    }

    /// Takes an entry out of a wheel as the file `name` below the folder, unless that is there.
    /// Wheels know no links: a library under several names is in them several times, and becomes
    /// one file here.
    fn add(&mut self, archive: &mut ZipArchive<File>, entry: &str, name: &str) -> io::Result<()> {
        if self.holds(name) {
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

    pub(super) fn holds(&self, name: &str) -> bool {
        self.files.iter().any(|file| file.name == name)
    }

    /// Size of the files together, each content once.
    pub(super) fn size(&self) -> Bytes {
        let contents: BTreeMap<_, _> = self
            .files
            .iter()
            .map(|file| (&file.sha256, file.size_bytes))
            .collect();
        contents.into_values().sum()
    }
}

/// Makes `copy` another name of `first`, which has the same content. Where the filesystem has no
/// hard links, it stays.
fn link(first: &Path, copy: &Path) -> io::Result<()> {
    let mut unlinked = copy.as_os_str().to_owned();
    unlinked.push(".link");
    match fs::hard_link(first, &unlinked) {
        Ok(()) => fs::rename(unlinked, copy),
        Err(_) => Ok(()),
    }
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
    let stat = statvfs(folder)?;
    Ok(Disk {
        device: fs::metadata(folder)?.dev(),
        free: Bytes(stat.blocks_available().saturating_mul(stat.fragment_size())),
    })
}

/// Makes sure that entries of a wheel have room in `folder`, by what the wheel states of their
/// sizes.
fn require_room<'e>(
    archive: &mut ZipArchive<File>,
    entries: impl Iterator<Item = &'e str>,
    folder: &Path,
) -> io::Result<()> {
    let mut sum = 0_u64;
    for entry in entries {
        sum = sum.saturating_add(archive.by_name(entry)?.size());
    }
    // Where the system does not tell, there is taken to be enough.
    match disk(folder) {
        Ok(disk) if sum > disk.free.0 => Err(io::ErrorKind::StorageFull.into()),
        Ok(_) | Err(_) => Ok(()),
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

    fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut packed = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, content) in files {
            let options = zip::write::SimpleFileOptions::default();
            packed.start_file(*name, options).unwrap();
            packed.write_all(content).unwrap();
        }
        packed.finish().unwrap().into_inner()
    }

    fn wheel(bytes: &[u8]) -> ZipArchive<File> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        ZipArchive::new(file).unwrap()
    }

    #[test]
    fn one_content_under_several_names_is_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["libtbb.so", "libtbb.so.12", "libother.so"];
        let mut archive = wheel(&packed(&[
            (names[0], b"tbb"),
            (names[1], b"tbb"),
            (names[2], b"other"),
        ]));
        assert_eq!(entries(&archive).len(), 3);
        let mut unpacked = Unpacked::new(folder.path());
        for name in names {
            unpacked.add(&mut archive, name, name).unwrap();
        }
        let [tbb, twin, other] =
            names.map(|name| fs::metadata(folder.path().join(name)).unwrap().ino());
        assert!(tbb == twin && tbb != other);
        assert_eq!(unpacked.size(), Bytes(3 + 5));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        assert_eq!(unpacked.files.len(), 3);
    }

    /// A packed wheel of 100,000 zeros that states another size of them.
    fn stating(size: u32) -> ZipArchive<File> {
        let mut bytes = packed(&[("libx.so", &[0; 100_000])]);
        // The size stands in the headers of the file (at 22) and of the directory (at 24).
        let directory = bytes
            .windows(4)
            .rposition(|window| window == b"PK\x01\x02")
            .unwrap();
        for place in [22, directory + 24] {
            bytes[place..place + 4].copy_from_slice(&size.to_le_bytes());
        }
        wheel(&bytes)
    }

    #[test]
    fn what_holds_more_than_it_states_is_refused_when_that_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let error = Unpacked::new(folder.path())
            .add(&mut stating(10), "libx.so", "libx.so")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("larger than its declared uncompressed size"),
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
