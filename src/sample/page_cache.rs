//! Emptying the page cache of a file.

use std::io;
use std::path::Path;

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

use super::SampleError;
use crate::files::{self, Kind};

/// Asks the kernel to drop the pages of a file from its cache, so that the next reader has to read
/// from storage.
///
/// The kernel keeps pages that another process has mapped, and a file system in memory has nothing
/// to drop to: whether it complied shows in [`super::process::storage_read_bytes`] of the next
/// reader.
pub fn drop_file(path: &Path) -> Result<(), SampleError> {
    advise(path).map_err(|error| SampleError::NotDropped(path.to_path_buf(), error))
}

fn advise(path: &Path) -> io::Result<()> {
    let file = files::open(path, Kind::MODEL)?.into_file();
    // Pages that still have to be written stay: a model that was exported a moment ago has such.
    file.sync_data()?;
    posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_file_keeps_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.onnx");
        std::fs::write(&path, [7; 8192]).unwrap();
        drop_file(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), [7; 8192]);
    }

    #[test]
    fn missing_file_is_an_error_that_names_it() {
        assert_eq!(
            drop_file(Path::new("no/model.onnx"))
                .unwrap_err()
                .to_string(),
            "cannot drop `no/model.onnx` from the page cache"
        );
    }
}
