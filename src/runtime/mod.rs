//! ONNX Runtime libraries: find one, install one, ask one what it is.
//!
//! No library is opened here: an [`Opener`] lets a child process do that, so that a file that is no
//! library costs nothing but the child. Read [`resolve`] first; it is what every command that
//! measures calls.
//!
//! Look-up order: what the user asked for (`--runtime`), `ORT_DYLIB_PATH`, the package in the
//! user's Python environment, the CPU builds in the cache, and at last an installation of
//! [`DEFAULT_VERSION`] into the cache.

mod cache;
mod cuda;
mod elf;
mod error;
mod install;
mod locate;
mod manifest;
mod needs;
mod pip;
mod pip_words;
mod probe;
mod python;
mod request;
mod room;
mod staging;
mod unpack;
mod version;
mod wheel;

pub use crate::provider::Build;
pub use cache::{Cache, CachedLibrary, Condition};
use error::Result;
pub use error::{RuntimeError, removal_hint};
pub use install::{Installed, Removed, install, remove};
pub use locate::library as library_at;
pub use needs::{LOADER_VARIABLE, loader_path, missing_libraries};
pub use probe::{LibraryInfo, Opener, ProbeAnswer, ProbeError, ProbeFailure, TELEMETRY_OFF};
pub use python::{PythonEnvironment, PythonPackage, python_package};
pub use request::{Request, available, latest};
pub use version::{DEFAULT_VERSION, OLDEST_VERSION, Release, Version};

use std::fmt;
use std::path::{Path, PathBuf};

use crate::foreign;

/// Environment variable that names a library, known to other programs that load ONNX Runtime as
/// well.
pub const LIBRARY_VARIABLE: &str = "ORT_DYLIB_PATH";

/// A library, and how it was found. Whether it can be loaded has not been tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The library's file, absolute.
    pub path: PathBuf,
    /// Build by the place in the cache; absent elsewhere.
    pub build: Option<Build>,
    /// Which step of the look-up found it.
    pub found_by: FoundBy,
    /// A library that would have come before it and cannot be used, with the reason.
    pub passed_over: Option<String>,
}

impl Found {
    /// Why this library is used, in words.
    #[must_use]
    pub fn reason(&self) -> String {
        match &self.passed_over {
            Some(why) => format!("{}; {why}", self.found_by),
            None => self.found_by.to_string(),
        }
    }
}

/// Which step of the look-up found a library. Displays as the reason why the library is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundBy {
    /// The user gave its path.
    Path,
    /// The user asked for its version, which is in the cache.
    Version,
    /// `ORT_DYLIB_PATH` names it.
    Environment,
    /// It is the package of the user's Python environment.
    Python(PythonEnvironment),
    /// It is the default version, and in the cache.
    CachedDefault,
    /// It is the newest in the cache, where the default version is not.
    CachedNewest,
    /// It has just been installed.
    Installed,
}

impl fmt::Display for FoundBy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            FoundBy::Path => "given by --runtime",
            FoundBy::Version => "asked for by --runtime, in the cache",
            FoundBy::Environment => return write!(out, "named by {LIBRARY_VARIABLE}"),
            FoundBy::Python(environment) => return write!(out, "the package of {environment}"),
            FoundBy::CachedDefault => "the default, in the cache",
            FoundBy::CachedNewest => {
                return write!(
                    out,
                    "the newest in the cache, where the default {DEFAULT_VERSION} is not"
                );
            }
            FoundBy::Installed => "installed just now",
        })
    }
}

impl FoundBy {
    /// Where the library was found: `cache`, or the flag, variable or interpreter that led to it.
    #[must_use]
    pub fn place(self) -> &'static str {
        match self {
            FoundBy::Path => "--runtime",
            FoundBy::Environment => LIBRARY_VARIABLE,
            FoundBy::Python(environment) => environment.place(),
            FoundBy::Version
            | FoundBy::CachedDefault
            | FoundBy::CachedNewest
            | FoundBy::Installed => "cache",
        }
    }
}

/// The result of a look-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// There is a library.
    Found(Found),
    /// None is there.
    Missing {
        /// The release that would be installed.
        release: Release,
        /// A library that would have been used and cannot be, with the reason.
        passed_over: Option<String>,
    },
}

/// Finds the library to use, and installs one if there is none.
///
/// `request` is what the user asked for: a path to a library or to a folder that holds one,
/// `openvino@1.24.1`, `cuda@latest`, or `1.31.1` for the CPU build. What `latest` means is asked of
/// the package index with pip. What is installed is opened by `opener` first. `progress` is called
/// with a sentence before anything that takes long.
///
/// # Errors
/// The request names nothing that exists or cannot be understood, or an installation failed; see
/// [`RuntimeError`].
pub fn resolve(
    request: Option<&str>,
    opener: &Opener,
    progress: &mut dyn FnMut(&str),
) -> Result<Found> {
    tidy();
    let lookup = find(request)?;
    let (Lookup::Found(Found { passed_over, .. }) | Lookup::Missing { passed_over, .. }) = &lookup;
    if let Some(why) = passed_over {
        progress(why);
    }
    match lookup {
        Lookup::Found(found) => Ok(found),
        Lookup::Missing {
            release,
            passed_over,
        } => {
            let installed = install(&Cache::locate()?, release, opener, progress)?;
            let found_by = match (installed.newly, request) {
                (true, _) => FoundBy::Installed,
                (false, Some(_)) => FoundBy::Version,
                (false, None) => FoundBy::CachedDefault,
            };
            Ok(Found {
                path: installed.library,
                build: Some(release.build),
                found_by,
                passed_over,
            })
        }
    }
}

/// Removes what installations have left that were killed.
pub fn tidy() {
    foreign::tidy();
    if let Ok(cache) = Cache::locate() {
        staging::tidy(cache.runtimes());
    }
}

/// Finds the library that [`resolve`] would use, and changes nothing.
///
/// # Errors
/// As [`resolve`], less what installing can run into.
pub fn find(request: Option<&str>) -> Result<Lookup> {
    let named = std::env::var_os(LIBRARY_VARIABLE).filter(|value| !value.is_empty());
    match (request.map(str::parse::<Request>).transpose()?, named) {
        (Some(Request::Path(path)), _) => at_path(&path, FoundBy::Path),
        (Some(Request::Release(release)), _) => released(release),
        (Some(Request::Latest(build)), _) => released(latest(build)?),
        (None, Some(path)) => at_path(path.as_ref(), FoundBy::Environment),
        (None, None) => match python_package().map(usable) {
            Some(Ok(found)) => Ok(Lookup::Found(found)),
            unusable => best_in_cache(&Cache::locate()?, unusable.and_then(Result::err)),
        },
    }
}

/// The library of a package, if it can be used here; else why not, in a sentence.
fn usable(
    PythonPackage {
        environment,
        library,
    }: PythonPackage,
) -> Result<Found, String> {
    let path = openable(library)
        .map_err(|why| format!("the onnxruntime of {environment} is passed over: {why}"))?;
    Ok(Found {
        path,
        build: None,
        found_by: FoundBy::Python(environment),
        passed_over: None,
    })
}

/// The library of a package, if it is new enough and can be read; else why not.
fn openable(library: Result<PathBuf, PathBuf>) -> Result<PathBuf, String> {
    let path = library.map_err(|folder| format!("`{}` has no shared library", folder.display()))?;
    match locate::version_in_name(&path) {
        Some(version) if version < OLDEST_VERSION => Err(RuntimeError::TooOld(version).to_string()),
        _ => match elf::needed(&path) {
            Ok(_) => Ok(path),
            Err(error) => {
                let path = path.display();
                Err(format!(
                    "`{path}` cannot be read as a shared library: {error}"
                ))
            }
        },
    }
}

fn released(release: Release) -> Result<Lookup> {
    Ok(match Cache::locate()?.intact(release)? {
        Some(library) => in_cache(library, FoundBy::Version, None),
        None => Lookup::Missing {
            release,
            passed_over: None,
        },
    })
}

/// The default version of the CPU build if the cache has it intact, else the newest of that build
/// that is. Other builds are used only where they are asked for.
fn best_in_cache(cache: &Cache, passed_over: Option<String>) -> Result<Lookup> {
    let default = Release::cpu(DEFAULT_VERSION);
    if let Some(library) = cache.intact(default)? {
        return Ok(in_cache(library, FoundBy::CachedDefault, passed_over));
    }
    for release in cache
        .releases()?
        .into_iter()
        .rev()
        .filter(|release| release.build == Build::Cpu)
    {
        if let Some(library) = cache.intact(release)? {
            return Ok(in_cache(library, FoundBy::CachedNewest, passed_over));
        }
    }
    Ok(Lookup::Missing {
        release: default,
        passed_over,
    })
}

fn at_path(path: &Path, found_by: FoundBy) -> Result<Lookup> {
    Ok(Lookup::Found(Found {
        path: locate::library(found_by.place(), path)?,
        build: None,
        found_by,
        passed_over: None,
    }))
}

fn in_cache(library: CachedLibrary, found_by: FoundBy, passed_over: Option<String>) -> Lookup {
    Lookup::Found(Found {
        path: library.path,
        build: Some(library.release.build),
        found_by,
        passed_over,
    })
}
