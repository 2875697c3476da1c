//! Files of the kernel: where they lie, and how they are read.

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use procfs::ProcError;

/// Where the kernel's file systems are mounted, and which library speaks with the GPUs' driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots {
    /// Mount point of proc.
    pub proc: PathBuf,
    /// Mount point of sysfs, with the control groups below it.
    pub sys: PathBuf,
    /// NVIDIA's management library: a path, or a name that the loader looks up.
    pub nvml: PathBuf,
}

impl Roots {
    /// The running system's. The environment variable `ONNXPROF_NVML` names another management
    /// library, for drivers in unusual places and for tests.
    #[must_use]
    pub fn system() -> Roots {
        Roots {
            proc: "/proc".into(),
            sys: "/sys".into(),
            nvml: std::env::var_os("ONNXPROF_NVML")
                .map_or_else(|| "libnvidia-ml.so.1".into(), PathBuf::from),
        }
    }

    pub(super) fn of_process(&self, pid: u32, file: &str) -> PathBuf {
        self.proc.join(pid.to_string()).join(file)
    }

    /// A file or folder of sysfs about the CPUs.
    pub(super) fn cpu(&self, path: impl AsRef<Path>) -> PathBuf {
        self.sys.join("devices/system/cpu").join(path)
    }
}

/// Why something about a process or the machine is not known.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// A file of the kernel cannot be read: the process has ended, or the kernel does not offer it
    /// or not to this user.
    #[error("cannot read `{0}`")]
    Unreadable(PathBuf, #[source] io::Error),
    /// A file of the kernel cannot be written.
    #[error("cannot write `{0}`")]
    Unwritable(PathBuf, #[source] io::Error),
    /// A file of the kernel does not have the form that is documented.
    #[error("cannot make sense of `{0}`")]
    Unexpected(PathBuf, #[source] ProcError),
    /// A file of the kernel lacks a field.
    #[error("`{0}` has no usable `{1}`")]
    NoField(PathBuf, &'static str),
    /// The CPUs on which this process may run cannot be read.
    #[error("cannot read the CPU affinity of this process")]
    AffinityUnknown(#[source] nix::Error),
    /// This process cannot be restricted to the CPUs.
    #[error("cannot run on CPUs {0:?}")]
    AffinityRefused(Vec<u64>, #[source] nix::Error),
    /// A file cannot be dropped from the page cache.
    #[error("cannot drop `{0}` from the page cache")]
    NotDropped(PathBuf, #[source] io::Error),
}

/// Text of a file of the kernel; bytes that are no text, as in names of mount points, become
/// replacement characters.
pub(super) fn read(path: &Path) -> Result<String, SampleError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => Err(SampleError::Unreadable(path.to_path_buf(), error)),
    }
}

/// First line of a file, for files that hold one value; `None` where there is no such file or
/// nothing in it.
pub(super) fn value(path: &Path) -> Option<String> {
    let text = read(path).ok()?;
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// The number in a file that holds one.
pub(super) fn parsed<T: FromStr>(path: &Path) -> Option<T> {
    value(path)?.parse().ok()
}

/// The numbers in a file that holds a list of them.
pub(super) fn list(path: &Path) -> Option<Vec<u64>> {
    parse_list(&value(path)?)
}

pub(super) fn parse<T: procfs::FromRead>(path: &Path) -> Result<T, SampleError> {
    let unreadable = |error| SampleError::Unreadable(path.to_path_buf(), error);
    T::from_file(path).map_err(|error| match error {
        ProcError::PermissionDenied(_) => unreadable(io::ErrorKind::PermissionDenied.into()),
        ProcError::NotFound(_) => unreadable(io::ErrorKind::NotFound.into()),
        ProcError::Io(error, _) => unreadable(error),
        error => SampleError::Unexpected(path.to_path_buf(), error),
    })
}

/// The number behind `key` in the first line that has one there, with ` kB` behind it or not.
pub(super) fn number(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let number = line.strip_prefix(key)?.trim();
        number.trim_end_matches(" kB").parse().ok()
    })
}

/// The numbers of a list such as `0-3,8`; `None` if it is not one.
pub(super) fn parse_list(text: &str) -> Option<Vec<u64>> {
    let mut numbers = Vec::new();
    for part in text.trim().split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        numbers.extend(first.parse::<u64>().ok()?..=last.parse().ok()?);
    }
    Some(numbers)
}
