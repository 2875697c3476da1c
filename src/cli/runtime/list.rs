//! `onnxprof runtime list`: what is here, and what could be.

use std::path::PathBuf;

use comfy_table::{Table, presets};
use serde::Serialize;

use crate::cli::json::{self, JsonArgs};
use crate::cli::plan::opener;
use crate::cli::{CliError, Result, exit, say};
use crate::report::view::text::plain;
use crate::runtime::{
    self, Build, Cache, CachedLibrary, Condition, DEFAULT_VERSION, LIBRARY_VARIABLE, LibraryInfo,
    Lookup, Opener, ProbeError, PythonEnvironment, PythonPackage, Release, RuntimeError,
};
use crate::text::joined;
use crate::units::Bytes;

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
    /// Size of its files; absent where that is not known.
    pub size_bytes: Option<Bytes>,
    /// Information that it gives of itself; absent if it cannot be loaded.
    #[serde(flatten)]
    pub info: Option<LibraryInfo>,
    /// File names of the CUDA libraries that it needs and that are nowhere.
    pub missing_libraries: Vec<String>,
    /// Why it cannot be loaded; absent if it can.
    pub error: Option<String>,
    /// Its release in the cache; absent elsewhere.
    #[serde(skip)]
    pub release: Option<Release>,
}

impl Listed {
    /// One that was not asked yet, or cannot be, and why not.
    pub fn new(found_in: &'static str, path: PathBuf, error: Option<String>) -> Self {
        Listed {
            path,
            found_in,
            build: None,
            used_because: None,
            size_bytes: None,
            info: None,
            missing_libraries: Vec::new(),
            error,
            release: None,
        }
    }

    /// One that is not in the cache; where there is none, the place where it should be, and why.
    fn outside(found_in: &'static str, library: Result<PathBuf, (PathBuf, String)>) -> Self {
        match library {
            Ok(path) => Listed::new(found_in, path, None),
            Err((place, why)) => Listed::new(found_in, place, Some(why)),
        }
    }

    /// Asks for its information on itself, and notes whether it is the one that is used.
    fn ask(&mut self, opener: &Opener, used: Option<&Lookup>) {
        self.missing_libraries = runtime::missing_libraries(&self.path);
        if self.error.is_none() {
            match opener.ask(&self.path) {
                Ok(info) => self.info = Some(info),
                Err(error) => self.error = Some(chain(&error).join(": ")),
            }
        }
        if let Some(Lookup::Found(found)) = used
            && found.path == self.path
            && found.found_by.place() == self.found_in
        {
            self.used_because = Some(found.reason());
        }
    }
}

pub(super) fn local(format: JsonArgs) -> Result<u8> {
    let used = runtime::find(None);
    let libraries = listed(used.as_ref().ok())?;
    if format.json {
        json::print("runtime list", None, &libraries)?;
    } else {
        print(&table(&libraries))?;
    }
    if !format.json && matches!(used, Ok(Lookup::Missing { .. })) {
        say::aside(&format!(
            "no library is found; the first `onnxprof profile` installs ONNX Runtime {DEFAULT_VERSION}"
        ));
    }
    Ok(if libraries.iter().all(is_fine) {
        exit::DONE
    } else {
        exit::BAD_INPUT
    })
}

/// Whether a library is in order. A package of Python that cannot be used is nobody's fault: the
/// look-up goes on behind it.
fn is_fine(library: &Listed) -> bool {
    use PythonEnvironment::{Conda, OnPath, VirtualEnv};
    library.error.is_none()
        || [VirtualEnv, Conda, OnPath]
            .iter()
            .any(|environment| environment.place() == library.found_in)
}

/// The libraries that the environment and Python name, then those of the cache by build and
/// ascending version.
fn listed(used: Option<&Lookup>) -> Result<Vec<Listed>> {
    let opener = opener()?;
    let mut all: Vec<Listed> = named_library().into_iter().collect();
    all.extend(runtime::python_package().map(pythons_library));
    // Without a cache folder there is nothing in it to list.
    let cached = Cache::locate().map_or(Ok(Vec::new()), |cache| cache.libraries())?;
    all.extend(cached.into_iter().map(cached_library));
    all.iter_mut()
        .for_each(|library| library.ask(&opener, used));
    Ok(all)
}

/// The library that the environment names.
fn named_library() -> Option<Listed> {
    let named = std::env::var_os(LIBRARY_VARIABLE).filter(|value| !value.is_empty())?;
    let library = runtime::library_at(LIBRARY_VARIABLE, named.as_ref());
    Some(Listed::outside(
        LIBRARY_VARIABLE,
        library.map_err(|error| (named.into(), CliError::of(error).chain.join(": "))),
    ))
}

fn pythons_library(package: PythonPackage) -> Listed {
    let why = "the package has no shared library";
    Listed::outside(
        package.environment.place(),
        package.library.map_err(|folder| (folder, why.into())),
    )
}

fn cached_library(library: CachedLibrary) -> Listed {
    let why = match library.condition {
        Condition::Intact => None,
        Condition::Broken(why) => Some(why),
    };
    Listed {
        release: Some(library.release),
        build: Some(library.release.build),
        size_bytes: library.size_bytes,
        ..Listed::new("cache", library.path, why)
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
    let remarks: String = libraries.iter().map(remarks).collect();
    format!("{}\n{remarks}", table.trim_fmt())
}

fn row(library: &Listed) -> [String; 7] {
    let mark = library.used_because.as_ref().map_or("", |_| "*");
    let (version, providers) = match &library.info {
        Some(info) => (
            plain(&info.version),
            plain(&info.execution_providers.join(", ")),
        ),
        None => ("unusable".into(), String::new()),
    };
    [
        mark.into(),
        library.build.map_or("", Build::word).into(),
        version,
        providers,
        library
            .size_bytes
            .map(Bytes::in_megabytes)
            .unwrap_or("unknown".into()),
        library.found_in.into(),
        plain(&library.path.display().to_string()),
    ]
}

/// Why a library is used, or cannot be, or cannot be used on a GPU: a line for each.
fn remarks(library: &Listed) -> String {
    let path = plain(&library.path.display().to_string());
    let mut text = String::new();
    if let Some(reason) = &library.used_because {
        text += &format!("* is used: {}\n", plain(reason));
    }
    if let Some(error) = &library.error {
        let (error, remedy) = (
            plain(error),
            library
                .release
                .map(|release| format!("; {}", runtime::removal_hint(release)))
                .unwrap_or_default(),
        );
        text += &format!("unusable: {path}: {error}{remedy}\n");
    }
    if !library.missing_libraries.is_empty() {
        let names = plain(&joined(&library.missing_libraries));
        text += &format!("without CUDA: {path}: it needs {names}, which are nowhere\n");
    }
    text
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
pub(super) fn remote(format: JsonArgs) -> Result<u8> {
    let found = all_installable()?;
    if format.json {
        json::print("runtime list", None, &found)?;
    } else {
        print(&remote_table(&found))?;
    }
    Ok(exit::DONE)
}

/// The releases of every build that the index has; says which builds it has not.
fn all_installable() -> Result<Vec<Installable>> {
    let (mut found, mut lacking) = (Vec::new(), Vec::new());
    for build in Build::ALL {
        match runtime::available(build) {
            Err(
                error @ (RuntimeError::NoIndex { .. } | RuntimeError::BuildNotForPlatform { .. }),
            ) => lacking.push(CliError::from(error)),
            versions => found.extend(installable(build, &versions?)?),
        }
    }
    // An index that is reached has at least one of them.
    if found.is_empty() && !lacking.is_empty() {
        return Err(lacking.swap_remove(0));
    }
    for error in lacking {
        say::aside(&error.chain.join(": "));
    }
    Ok(found)
}

fn installable(build: Build, versions: &[runtime::Version]) -> Result<Vec<Installable>> {
    let cache = Cache::locate().ok();
    versions
        .iter()
        .map(|&version| {
            let release = Release { build, version };
            let cached = cache
                .as_ref()
                .map(|cache| cache.intact(release))
                .transpose()?;
            Ok(Installable {
                request: release.to_string(),
                build,
                version: version.to_string(),
                latest: versions.first() == Some(&version),
                installed: cached.flatten().is_some(),
            })
        })
        .collect()
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
        _ => CliError::of(error).chain,
    }
}

pub(super) fn print(text: &str) -> Result<()> {
    say::result(text.as_bytes())
}
