//! The disks that an installation needs room on.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sys::statvfs::statvfs;

use crate::units::Bytes;

/// Free space of the disk that holds a folder, and the number by which the kernel tells disks apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disk {
    pub device: u64,
    pub free: Bytes,
}

/// Free space of the disk that holds a folder; `None` where the system does not tell.
pub(super) fn free(folder: &Path) -> Option<Bytes> {
    disk(folder).ok().map(|disk| disk.free)
}

pub(super) fn disk(folder: &Path) -> io::Result<Disk> {
    let (stat, device) = (statvfs(folder)?, fs::metadata(folder)?.dev());
    Ok(Disk { device, free: Bytes(stat.blocks_available().saturating_mul(stat.fragment_size())) })
}
