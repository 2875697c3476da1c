//! `onnxprof runtime list`: what is here, and what could be.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use comfy_table::{Table, presets};
use serde::Serialize;

use crate::cli::plan::{opener, runtime_error as failed};
use crate::cli::{CliError, exit, output, say};
use crate::report::view::text::plain;
use crate::runtime::{
    self, Build, Cache, Condition, DEFAULT_VERSION, LIBRARY_VARIABLE, LibraryInfo, Lookup, Opener,
    ProbeError, PythonEnvironment, PythonPackage, Release, RuntimeError,
};
use crate::units::Bytes;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Json,
}

impl Format {
    pub fn of(json: bool) -> Self {
        if json { Format::Json } else { Format::Text }
    }
}

#[derive(Serialize)]
pub(super) struct Listed {
    /// The library's file, or the folder where it should be.
    pub path: PathBuf,
    /// `cache`, or the flag, variable or interpreter that led to it.
    pub found_in: &'static str,
    /// Its build; absent outside the cache.
    pub build: Option<Build>,
    /// Why this one is used; absent if it is not.
    pub used_because: Option<String>,
    /// What its files take; absent where that is not known.
    pub size_bytes: Option<Bytes>,
    /// What it says of itself; absent if it cannot be loaded.
    #[serde(flatten)]
    pub info: Option<LibraryInfo>,
    /// File names of the CUDA libraries that it needs and that are nowhere.
    pub missing_libraries: Vec<String>,
    /// Why it cannot be loaded; absent if it can.
    pub error: Option<String>,
    /// What it is in the cache; absent elsewhere.
    #[serde(skip)]
    pub release: Option<Release>,
}

struct Candidate {
    path: PathBuf,
    found_in: &'static str,
    release: Option<Release>,
    size_bytes: Option<Bytes>,
    condition: Condition,
}

impl Candidate {
    /// One that is not in the cache.
    fn outside(found_in: &'static str, path: PathBuf, condition: Condition) -> Self {
        Candidate {
            path,
            found_in,
            release: None,
            size_bytes: None,
            condition,
        }
    }
}

pub(super) fn local(format: Format) -> Result<ExitCode, CliError> {
    let used = runtime::find(None);
    let libraries = listed(used.as_ref().ok())?;
    match format {
        Format::Json => print(&output::json(&libraries)?)?,
        Format::Text => print(&table(&libraries))?,
    }
    if format == Format::Text && matches!(used, Ok(Lookup::Missing { .. })) {
        say::aside(&format!(
            "no library is found; the first `onnxprof profile` installs ONNX Runtime {DEFAULT_VERSION}"
        ));
    }
    Ok(ExitCode::from(if libraries.iter().all(is_fine) {
        exit::DONE
    } else {
        exit::BAD_INPUT
    }))
}

/// Whether a library is in order. A package of Python that cannot be used is nobody's fault: the
/// look-up goes on behind it.
fn is_fine(library: &Listed) -> bool {
    library.error.is_none() || is_pythons(library.found_in)
}

/// The libraries that the environment and Python name, then those of the cache by build and
/// ascending version.
fn listed(used: Option<&Lookup>) -> Result<Vec<Listed>, CliError> {
    let opener = opener()?;
    Ok(candidates()?
        .into_iter()
        .map(|candidate| asked(candidate, &opener, used))
        .collect())
}

/// A library, and what it says of itself.
fn asked(candidate: Candidate, opener: &Opener, used: Option<&Lookup>) -> Listed {
    let (info, error) = match candidate.condition {
        Condition::Broken(why) => (None, Some(why)),
        Condition::Intact => match opener.ask(&candidate.path) {
            Ok(info) => (Some(info), None),
            Err(error) => (None, Some(chain(&error).join(": "))),
        },
    };
    Listed {
        found_in: candidate.found_in,
        build: candidate.release.map(|release| release.build),
        used_because: used_because(used, &candidate.path, candidate.found_in),
        size_bytes: candidate.size_bytes,
        info,
        missing_libraries: runtime::missing_libraries(&candidate.path),
        error,
        release: candidate.release,
        path: candidate.path,
    }
}

fn used_because(used: Option<&Lookup>, path: &Path, found_in: &str) -> Option<String> {
    match used {
        Some(Lookup::Found(found)) if found.path == path && found.found_by.place() == found_in => {
            Some(found.reason())
        }
        _ => None,
    }
}

fn candidates() -> Result<Vec<Candidate>, CliError> {
    let mut all: Vec<Candidate> = named_library().into_iter().collect();
    all.extend(runtime::python_package().map(pythons_library));
    // Without a cache folder there is nothing in it to list.
    let cached = Cache::locate()
        .map_or(Ok(Vec::new()), |cache| cache.libraries())
        .map_err(|error| failed(&error))?;
    all.extend(cached.into_iter().map(|library| Candidate {
        path: library.path,
        found_in: "cache",
        release: Some(library.release),
        size_bytes: library.size_bytes,
        condition: library.condition,
    }));
    Ok(all)
}

/// The library that the environment names.
fn named_library() -> Option<Candidate> {
    let named = std::env::var_os(LIBRARY_VARIABLE).filter(|value| !value.is_empty())?;
    Some(
        match runtime::library_at(LIBRARY_VARIABLE, named.as_ref()) {
            Ok(path) => Candidate::outside(LIBRARY_VARIABLE, path, Condition::Intact),
            Err(error) => {
                let why = CliError::new(exit::BAD_INPUT, &error).chain.join(": ");
                Candidate::outside(LIBRARY_VARIABLE, named.into(), Condition::Broken(why))
            }
        },
    )
}

fn pythons_library(package: PythonPackage) -> Candidate {
    let place = package.environment.place();
    match package.library {
        Ok(path) => Candidate::outside(place, path, Condition::Intact),
        Err(folder) => {
            let why = "the package has no shared library".into();
            Candidate::outside(place, folder, Condition::Broken(why))
        }
    }
}

fn table(libraries: &[Listed]) -> String {
    if libraries.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "",
        "build",
        "version",
        "execution providers",
        "size",
        "found in",
        "path",
    ]);
    table.add_rows(libraries.iter().map(row));
    let mut text = format!("{}\n", table.trim_fmt());
    text.extend(libraries.iter().map(remarks));
    text
}

fn row(library: &Listed) -> [String; 7] {
    let mark = if library.used_because.is_some() {
        "*"
    } else {
        ""
    };
    let (version, providers) = match &library.info {
        Some(info) => (
            plain(&info.version),
            plain(&info.execution_providers.join(", ")),
        ),
        None => ("unusable".into(), String::new()),
    };
    let size = library
        .size_bytes
        .map_or_else(|| "unknown".into(), Bytes::in_megabytes);
    [
        mark.to_owned(),
        library.build.map_or("", Build::word).to_owned(),
        version,
        providers,
        size,
        library.found_in.to_owned(),
        plain(&library.path.display().to_string()),
    ]
}

/// Why a library is used, or cannot be, or cannot be used on a GPU: a line for each.
fn remarks(library: &Listed) -> String {
    let path = plain(&library.path.display().to_string());
    let mut text = String::new();
    if let Some(reason) = &library.used_because {
        text.push_str(&format!("* is used: {}\n", plain(reason)));
    }
    if let Some(error) = &library.error {
        let remedy = library
            .release
            .map(|release| format!("; {}", runtime::removal_hint(release)));
        let (error, remedy) = (plain(error), remedy.unwrap_or_default());
        text.push_str(&format!("unusable: {path}: {error}{remedy}\n"));
    }
    if !library.missing_libraries.is_empty() {
        let names = plain(&library.missing_libraries.join(", "));
        text.push_str(&format!(
            "without CUDA: {path}: it needs {names}, which are nowhere\n"
        ));
    }
    text
}

fn is_pythons(place: &str) -> bool {
    use PythonEnvironment::{Conda, OnPath, VirtualEnv};
    [VirtualEnv, Conda, OnPath]
        .iter()
        .any(|environment| environment.place() == place)
}

/// A release that can be installed, as `--json` prints it.
#[derive(Serialize)]
struct Installable {
    /// The word that asks for it.
    request: String,
    build: Build,
    version: String,
    /// Whether `BUILD@latest` means this one.
    latest: bool,
    /// Whether it is in the cache and intact.
    installed: bool,
}

/// Lists what the package index has for this machine, newest first.
pub(super) fn remote(format: Format) -> Result<ExitCode, CliError> {
    let found = all_installable()?;
    match format {
        Format::Json => print(&output::json(&found)?)?,
        Format::Text => print(&remote_table(&found))?,
    }
    Ok(ExitCode::from(exit::DONE))
}

/// The releases of every build that the index has; says which builds it has not.
fn all_installable() -> Result<Vec<Installable>, CliError> {
    let (mut found, mut lacking) = (Vec::new(), Vec::new());
    for build in Build::ALL {
        match runtime::available(build) {
            Ok(versions) => found.extend(installable(build, &versions)?),
            Err(
                error @ (RuntimeError::NoIndex { .. } | RuntimeError::BuildNotForPlatform { .. }),
            ) => lacking.push(error),
            Err(error) => return Err(failed(&error)),
        }
    }
    // An index that is reached has at least one of them.
    if let (true, Some(error)) = (found.is_empty(), lacking.first()) {
        return Err(failed(error));
    }
    for error in &lacking {
        say::aside(&CliError::new(exit::BAD_INPUT, error).chain.join(": "));
    }
    Ok(found)
}

fn installable(build: Build, versions: &[runtime::Version]) -> Result<Vec<Installable>, CliError> {
    let cache = Cache::locate().ok();
    let mut all = Vec::new();
    for &version in versions {
        let release = Release { build, version };
        all.push(Installable {
            request: release.to_string(),
            build,
            version: version.to_string(),
            latest: versions.first() == Some(&version),
            installed: is_installed(cache.as_ref(), release)?,
        });
    }
    Ok(all)
}

fn is_installed(cache: Option<&Cache>, release: Release) -> Result<bool, CliError> {
    let cached = cache
        .map(|cache| cache.intact(release))
        .transpose()
        .map_err(|error| failed(&error))?;
    Ok(cached.flatten().is_some())
}

fn remote_table(releases: &[Installable]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["release", ""]);
    for release in releases {
        let remark = match (release.latest, release.installed) {
            (true, true) => "latest, installed",
            (true, false) => "latest",
            (false, true) => "installed",
            (false, false) => "",
        };
        table.add_row([release.request.as_str(), remark]);
    }
    format!("{}\n", table.trim_fmt())
}

pub(super) fn chain(error: &ProbeError) -> Vec<String> {
    match error {
        ProbeError::Unusable(failure) => failure.chain.clone(),
        _ => CliError::new(exit::BAD_INPUT, error).chain,
    }
}

pub(super) fn print(text: &str) -> Result<(), CliError> {
    output::write(None, text.as_bytes())
}
