//! Errors on the way to a library.

use std::env::consts::{ARCH, OS};
use std::io;
use std::path::{Path, PathBuf};

use super::{Build, DEFAULT_VERSION, OLDEST_VERSION, ProbeError, Release, Version};
use crate::text::joined;
use crate::units::Bytes;

pub(super) type Result<T, E = RuntimeError> = std::result::Result<T, E>;

/// Why there is no library to use.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// `--runtime` holds neither a path nor a version.
    #[error("`{0}` is neither a library's path nor a version such as `cpu@{DEFAULT_VERSION}`")]
    NotARequest(String),
    /// A build that there is not was asked for by name.
    #[error("there is no build `{0}` that onnxprof can install")]
    UnknownBuild(String),
    /// The version that was asked for cannot be loaded.
    #[error("ONNX Runtime {} is older than {}.{}, the oldest that onnxprof loads", .0, OLDEST_VERSION.major, OLDEST_VERSION.minor)]
    TooOld(Version),
    /// A path that a flag or variable names does not exist or cannot be read.
    #[error("cannot read `{0}`, named by {1}")]
    UnreadablePath(PathBuf, &'static str, #[source] io::Error),
    /// A folder that a flag or variable names holds no library.
    #[error("there is no ONNX Runtime library in `{0}`, named by {1}")]
    NoLibraryInside(PathBuf, &'static str),
    /// No environment variable leads to a cache folder.
    #[error(
        "no folder to keep ONNX Runtime in: neither ONNXPROF_CACHE nor XDG_CACHE_HOME nor HOME is set"
    )]
    NoCacheFolder,
    /// A file or folder of the cache cannot be read or written.
    #[error("cannot use the cache at `{0}`")]
    Cache(PathBuf, #[source] io::Error),
    /// The disk has less room than an installation takes. Nothing was downloaded.
    #[error(
        "no space for {what}: installing takes {} in `{path}`, which has {} left",
        needed.in_megabytes(),
        free.in_megabytes()
    )]
    TooLittleSpace {
        /// The installation, in words.
        what: String,
        /// The cache's folder of libraries, or that of temporary files.
        path: PathBuf,
        /// The size that it takes there while it is installed, about.
        needed: Bytes,
        /// The space that is left there.
        free: Bytes,
    },
    /// The disk is full.
    #[error("no space left to install ONNX Runtime in `{0}`")]
    NoSpace(PathBuf),
    /// Nothing can be installed on this operating system or processor.
    #[error("onnxprof cannot install ONNX Runtime on {OS} {ARCH}")]
    UnsupportedPlatform,
    /// The build has no wheels for this operating system or processor.
    #[error("there is no official build of ONNX Runtime for {} on {OS} {ARCH}", .0.purpose())]
    BuildNotForPlatform(Build),
    /// No pip works.
    #[error("no working pip to install ONNX Runtime with (tried {0})")]
    NoPip(String),
    /// The package index was not reached, or has nothing at all for this machine of what was asked
    /// for in these words.
    #[error("pip found no {0}: the package index cannot be reached, or has none for this machine")]
    NoIndex(String, #[source] PipMessage),
    /// The package index does not have the release. It has these versions that can be loaded,
    /// ascending.
    #[error("the package index has no {}", .0.title())]
    NoSuchVersion(Release, Vec<Version>),
    /// The package index has the build, but in no version that can be loaded.
    #[error(
        "the package index has no ONNX Runtime for {} from {}.{} on, the oldest that onnxprof loads",
        .0.purpose(), OLDEST_VERSION.major, OLDEST_VERSION.minor
    )]
    NoLatest(Build),
    /// pip failed in some other way.
    #[error("pip failed to get {what}")]
    PipFailed {
        /// The request, in words.
        what: String,
        /// A command that does the same.
        by_hand: String,
        /// Pip's words.
        source: PipMessage,
    },
    /// A wheel that was downloaded for what was asked for in these words is not the one that the
    /// index states.
    #[error(
        "pip refused what it downloaded of {0}: its SHA-256 is not the one that the package index states"
    )]
    IndexHash(String, #[source] PipMessage),
    /// The downloaded wheel is not the one that was published.
    #[error(
        "the downloaded `{wheel}` is not the published file: its SHA-256 is {found}, not {expected}"
    )]
    WrongHash {
        /// File name.
        wheel: String,
        /// SHA-256 of what was downloaded.
        found: String,
        /// SHA-256 of what was published.
        expected: &'static str,
    },
    /// The downloaded wheel of this file name cannot be unpacked.
    #[error("cannot unpack `{0}`")]
    BadWheel(String, #[source] io::Error),
    /// The library of a wheel cannot be opened. Nothing of it stays.
    #[error("{} is not installed: the library in `{wheel}` cannot be opened", release.title())]
    Unopenable {
        /// The release asked for.
        release: Release,
        /// File name.
        wheel: String,
        /// Why not.
        source: ProbeError,
    },
    /// The wheel of the GPU build names packages that the package index does not have.
    #[error("{} asks for CUDA libraries that the package index does not have", .0.title())]
    NoSuchLibraries(Release, #[source] PipMessage),
    /// Libraries of these file names, which the GPU build needs, are nowhere.
    #[error("{} needs libraries that neither its wheels nor this system have: {}", .0.title(), .1.join(", "))]
    MissingLibraries(Release, Vec<String>),
    /// A release that was to be removed is not in the cache, which has these.
    #[error("{} is not installed", .0.title())]
    NotInstalled(Release, Vec<Release>),
}

/// A line in which pip says what went wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pip: {0}")]
pub struct PipMessage(pub String);

impl RuntimeError {
    /// The disk got full while `unfinished`, a folder inside the cache, was filled.
    pub(super) fn no_space_for(unfinished: &Path) -> Self {
        RuntimeError::NoSpace(unfinished.parent().unwrap_or(unfinished).into())
    }

    /// A remedy, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        const OWN: &str = "name a library with `--runtime PATH`";
        Some(match self {
            Self::NotARequest { .. } | Self::TooOld { .. } => {
                format!("use `--runtime cpu@{DEFAULT_VERSION}` or `--runtime PATH`")
            }
            Self::UnknownBuild(_) => {
                let builds = joined(Build::ALL.map(|build| format!("`{build}@VERSION`")));
                format!("use one of {builds}, or {OWN} of another build")
            }
            Self::UnreadablePath { .. } | Self::NoLibraryInside { .. } => {
                "give the path of `libonnxruntime.so` or of the folder that holds it".into()
            }
            Self::NoCacheFolder => "set ONNXPROF_CACHE to a folder that can be written".into(),
            Self::Cache { .. } => format!("set ONNXPROF_CACHE to a folder that can be written, or {OWN}"),
            Self::TooLittleSpace { .. } | Self::NoSpace { .. } => format!(
                "make room there, set ONNXPROF_CACHE (and TMPDIR, where pip downloads to) to folders on another disk, or \
                 {OWN}"
            ),
            Self::BuildNotForPlatform { .. } => format!("use `cpu@{DEFAULT_VERSION}`, or {OWN}"),
            Self::UnsupportedPlatform { .. } => format!("{OWN} or ORT_DYLIB_PATH"),
            Self::NoPip { .. } => format!("install Python 3 with pip, or {OWN}"),
            Self::NoIndex { .. } => format!(
                "check the network and pip's configuration (proxy, index); without a network, copy \
                 `libonnxruntime.so` here and {OWN}"
            ),
            Self::NoSuchVersion(_, available) if available.is_empty() => {
                format!("the index has none that onnxprof loads; {OWN}")
            }
            Self::NoSuchVersion(_, available) => {
                format!("use one of those that there are: {}", newest(available))
            }
            Self::NoLatest(build) => {
                format!("see `onnxprof runtime list --remote`, and name a version: `{build}@VERSION`")
            }
            Self::PipFailed { by_hand, .. } => format!("try it by hand with `{by_hand}`, or {OWN}"),
            Self::NoSuchLibraries { .. } => {
                "choose another version from `onnxprof runtime list --remote`, or install CUDA and cuDNN with the system's \
                 packages, so that `ldconfig -p` lists them and none has to be downloaded"
                    .into()
            }
            Self::MissingLibraries { .. } => {
                "install CUDA and cuDNN in the versions that these names end in with the system's packages, so that \
                 `ldconfig -p` lists them, or name their folders in LD_LIBRARY_PATH"
                    .into()
            }
            Self::NotInstalled(_, installed) if installed.is_empty() => "nothing is installed".into(),
            Self::NotInstalled(_, installed) => {
                format!(
                    "name one that is: {}",
                    joined(installed.iter().map(|release| format!("`{release}`")))
                )
            }
            Self::Unopenable { release: Release { build, .. }, .. } => format!(
                "check which index pip uses, choose another version from `onnxprof runtime list --remote` (`{build}@VERSION`), \
                 or {OWN}"
            ),
            Self::WrongHash { .. } | Self::BadWheel { .. } | Self::IndexHash { .. } => {
                format!("check which index pip uses and clear its cache with `pip cache purge`, or {OWN}")
            }
        })
    }
}

/// A remedy for a library of the cache that is as it was installed, and cannot be opened.
#[must_use]
pub fn removal_hint(release: Release) -> String {
    format!(
        "remove it with `onnxprof runtime remove {release}`; another version is installed with \
         `onnxprof runtime install {}@VERSION`",
        release.build
    )
}

/// The newest patch of each minor version, newest first.
fn newest(ascending: &[Version]) -> String {
    let mut kept: Vec<&Version> = ascending.iter().rev().collect();
    kept.dedup_by_key(|version| (version.major, version.minor));
    joined(kept)
}
