//! Whether a file is still what it was when it was opened.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// The system's marks of a file's content, had without its being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Size in bytes.
    pub size: u64,
    modified: (i64, i64),
}

impl Stamp {
    /// That of an open file.
    pub(super) fn of(metadata: &Metadata) -> Self {
        Stamp { size: metadata.len(), modified: (metadata.mtime(), metadata.mtime_nsec()) }
    }
}
