//! SHA-256 of files.

use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::files::{self, Kind};

/// SHA-256 of a model or library, lower-case hexadecimal.
pub(crate) fn of_file(path: &Path) -> io::Result<String> {
    copy(
        &mut files::open(path, Kind::LIBRARY)?.reader(),
        &mut io::sink(),
    )
}

/// Copies everything, and returns the SHA-256 of what was copied, lower-case hexadecimal.
pub(crate) fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                hasher.update(&buffer[..count]);
                to.write_all(&buffer[..count])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copying_hashes_what_was_copied() {
        let mut copied = Vec::new();
        let hash = copy(&mut "abc".as_bytes(), &mut copied).unwrap();
        assert_eq!(copied, b"abc");
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            hash,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
