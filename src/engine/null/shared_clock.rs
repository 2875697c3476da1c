//! The virtual time of a scripted machine, shared by its processes.

use std::fs::File;
use std::io;
use std::path::{Component, Path};
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::{MmapOptions, MmapRaw};

use crate::files;
use crate::units::Nanos;

/// Virtual time and a count of processes, in a file that all processes of a machine map.
#[derive(Debug)]
pub(super) struct SharedClock(MmapRaw);

/// Time in nanoseconds, then processes so far.
const CLOCK_BYTES: usize = 2 * size_of::<u64>();

impl SharedClock {
    /// Begins the clock where the script's folder has none. A file that is no clock stays as it is.
    pub(super) fn open(folder: &Path, name: &Path) -> io::Result<Self> {
        if !is_plain(name) {
            return Err(refused(format!(
                "`{}` is no plain name of a file beside the script",
                name.display()
            )));
        }
        let path = folder.join(name);
        let file = files::open_own(
            &path,
            File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false),
        )?;
        let length = file.metadata()?.len();
        match length {
            0 => file.set_len(CLOCK_BYTES as u64)?,
            _ if length == CLOCK_BYTES as u64 => {}
            _ => {
                return Err(refused(format!(
                    "`{}` has {length} bytes, and a clock {CLOCK_BYTES}",
                    path.display()
                )));
            }
        }
        Ok(SharedClock(
            MmapOptions::new().len(CLOCK_BYTES).map_raw(&file)?,
        ))
    }

    fn word(&self, index: usize) -> &AtomicU64 {
        // SAFETY: the mapping begins at a page, holds both words whatever the length of the file,
        // and lives as long as `self`; this process uses it as atomics alone. Another that writes
        // the file writes numbers; one that shortens it has this process ended by a signal when it
        // looks next.
        unsafe { AtomicU64::from_ptr(self.0.as_mut_ptr().cast::<u64>().add(index)) }
    }

    pub(super) fn now(&self) -> Nanos {
        Nanos(self.word(0).load(Ordering::Relaxed))
    }

    pub(super) fn advance(&self, span: Nanos) {
        self.word(0).fetch_add(span.0, Ordering::Relaxed);
    }

    /// The number of the process that asks, from 0.
    pub(super) fn next_process(&self) -> u64 {
        self.word(1).fetch_add(1, Ordering::Relaxed)
    }
}

fn refused(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// Whether a name leads nowhere but to a file in the folder that it is looked for in.
fn is_plain(name: &Path) -> bool {
    let mut parts = name.components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(only)), None) if only == name.as_os_str())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const THEIRS: [u8; CLOCK_BYTES] = [7; CLOCK_BYTES];

    fn refusal(folder: &Path, name: &str) -> String {
        SharedClock::open(folder, Path::new(name))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn clock_lies_nowhere_but_beside_its_script() {
        let folder = tempfile::tempdir().unwrap();
        let scripts = folder.path().join("scripts");
        let theirs = folder.path().join("theirs");
        fs::create_dir_all(scripts.join("below")).unwrap();
        fs::write(&theirs, THEIRS).unwrap();
        std::os::unix::fs::symlink(&theirs, scripts.join("link")).unwrap();
        for name in [
            theirs.to_str().unwrap(),
            "../theirs",
            "../new",
            "below/new",
            "./new",
            "new/",
            "..",
            ".",
        ] {
            assert!(
                refusal(&scripts, name).contains("is no plain name"),
                "{name}"
            );
        }
        assert!(refusal(&scripts, "link").contains("a link"));
        assert_eq!(fs::read(&theirs).unwrap(), THEIRS);
        assert!(!folder.path().join("new").exists() && !scripts.join("new").exists());
        assert_eq!(fs::read_dir(scripts.join("below")).unwrap().count(), 0);
    }

    #[test]
    fn file_that_is_no_clock_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in [
            ("long", &[7_u8; CLOCK_BYTES + 1][..]),
            ("short", &b"abc"[..]),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            let length = content.len();
            assert!(
                refusal(folder.path(), name)
                    .ends_with(&format!("has {length} bytes, and a clock 16")),
                "{name}"
            );
            assert_eq!(fs::read(&path).unwrap(), content);
        }
    }

    #[test]
    fn clock_goes_on_where_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let open = || SharedClock::open(folder.path(), Path::new("clock")).unwrap();
        let first = open();
        first.advance(Nanos(5));
        let second = open();
        assert_eq!(
            (first.next_process(), second.next_process(), second.now()),
            (0, 1, Nanos(5))
        );
        assert_eq!(fs::metadata(folder.path().join("clock")).unwrap().len(), 16);
    }
}
