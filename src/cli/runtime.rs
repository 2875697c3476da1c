//! `onnxprof runtime` and the hidden `probe-runtime`.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use comfy_table::{Table, presets};
use serde::Serialize;

use super::{CliError, exit};
use crate::engine;
use crate::runtime::{
    self, Cache, Condition, DEFAULT_VERSION, LIBRARY_VARIABLE, LibraryInfo, Lookup, ProbeAnswer, ProbeError,
    ProbeFailure, Request, RuntimeError,
};

/// Name of the hidden subcommand that opens a library in a process of its own.
const PROBE: &str = "probe-runtime";

/// Lists, installs and explains ONNX Runtime libraries.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists the libraries that are found without being named, and marks the one that is used.
    List {
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Installs a version of ONNX Runtime's CPU build into the cache, with pip.
    Install {
        /// What to install, such as `cpu@1.31.1`; the default version if left out.
        #[arg(value_name = "cpu@VERSION")]
        version: Option<String>,
    },
    /// Says which library is used, and why. Installs nothing.
    Which {
        /// A library, a folder that holds one, or a version such as `cpu@1.31.1`.
        #[arg(long, value_name = "PATH|cpu@VERSION")]
        runtime: Option<String>,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Arguments of the hidden command that opens one library.
#[derive(Debug, clap::Args)]
pub struct ProbeArgs {
    /// The library.
    path: PathBuf,
}

/// Runs the command.
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    match args.action {
        Action::List { json } => list(Format::of(json)),
        Action::Install { version } => install(version.as_deref()),
        Action::Which { runtime, json } => which(runtime.as_deref(), Format::of(json)),
    }
}

/// Opens one library, and writes what it is as one line of JSON.
pub fn run_probe(args: &ProbeArgs) -> Result<ExitCode, CliError> {
    let (answer, code) = match engine::describe_library(&args.path) {
        Ok(info) => (ProbeAnswer::Library(info), exit::DONE),
        Err(error) => {
            let CliError { chain, .. } = CliError::new(exit::BAD_INPUT, &error);
            (ProbeAnswer::Failed(ProbeFailure { chain, hint: Some(error.hint()) }), exit::BAD_INPUT)
        }
    };
    print_json(&answer, serde_json::to_string)?;
    Ok(ExitCode::from(code))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Json,
}

impl Format {
    fn of(json: bool) -> Self {
        if json { Format::Json } else { Format::Text }
    }
}

/// A library, as `--json` prints it.
#[derive(Serialize)]
struct Listed {
    /// The library's file, or the folder where it should be.
    path: PathBuf,
    /// `cache`, or the flag or variable that named it.
    found_in: &'static str,
    /// Why this one is used; absent if it is not.
    used_because: Option<String>,
    /// What it says of itself; absent if it cannot be loaded.
    #[serde(flatten)]
    info: Option<LibraryInfo>,
    /// Why it cannot be loaded; absent if it can.
    error: Option<String>,
}

fn list(format: Format) -> Result<ExitCode, CliError> {
    let used = runtime::find(None);
    let libraries = listed(used.as_ref().ok())?;
    match format {
        Format::Json => print_json(&libraries, serde_json::to_string_pretty)?,
        Format::Text => print(&table(&libraries))?,
    }
    if format == Format::Text && matches!(used, Ok(Lookup::Missing(_))) {
        eprintln!("no library is found; the first `onnxprof profile` installs ONNX Runtime {DEFAULT_VERSION}");
    }
    let usable = libraries.iter().all(|library| library.error.is_none());
    Ok(ExitCode::from(if usable { exit::DONE } else { exit::BAD_INPUT }))
}

/// The library that the environment names, then those of the cache by ascending version.
fn listed(used: Option<&Lookup>) -> Result<Vec<Listed>, CliError> {
    let reason = |path: &Path, found_in: &str| match used {
        Some(Lookup::Found(found)) if found.path == path && found.found_by.place() == found_in => {
            Some(found.found_by.to_string())
        }
        _ => None,
    };
    let mut all = Vec::new();
    if let Some(named) = std::env::var_os(LIBRARY_VARIABLE).filter(|value| !value.is_empty()) {
        let (path, condition) = match runtime::library_at(LIBRARY_VARIABLE, named.as_ref()) {
            Ok(path) => (path, Condition::Intact),
            Err(error) => (named.into(), Condition::Broken(CliError::new(exit::BAD_INPUT, &error).chain.join(": "))),
        };
        all.push((path, LIBRARY_VARIABLE, condition));
    }
    // Without a cache folder there is nothing in it to list.
    let cached = Cache::locate().map_or(Ok(Vec::new()), |cache| cache.libraries()).map_err(|error| failed(&error))?;
    all.extend(cached.into_iter().map(|library| (library.path, "cache", library.condition)));
    let entry = |(path, found_in, condition): (PathBuf, &'static str, Condition)| {
        let (info, error) = match condition {
            Condition::Broken(why) => (None, Some(why)),
            Condition::Intact => match ask(&path) {
                Ok(info) => (Some(info), None),
                Err(error) => (None, Some(chain(&error).join(": "))),
            },
        };
        Listed { used_because: reason(&path, found_in), path, found_in, info, error }
    };
    Ok(all.into_iter().map(entry).collect())
}

fn table(libraries: &[Listed]) -> String {
    if libraries.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["", "version", "execution providers", "found in", "path"]);
    for library in libraries {
        let mark = if library.used_because.is_some() { "*" } else { "" };
        let (version, providers) = match &library.info {
            Some(info) => (info.version.as_str(), info.execution_providers.join(", ")),
            None => ("unusable", String::new()),
        };
        table.add_row([mark, version, &providers, library.found_in, &library.path.display().to_string()]);
    }
    let mut text = format!("{}\n", table.trim_fmt());
    for library in libraries {
        if let Some(reason) = &library.used_because {
            text.push_str(&format!("* is used: {reason}\n"));
        }
        if let Some(error) = &library.error {
            text.push_str(&format!("unusable: {}: {error}\n", library.path.display()));
        }
    }
    text
}

fn install(version: Option<&str>) -> Result<ExitCode, CliError> {
    let version = match version.map(str::parse).transpose().map_err(|error| failed(&error))? {
        None => DEFAULT_VERSION,
        Some(Request::Version(version)) => version,
        Some(Request::Path(path)) => {
            let message = format!("`{}` is not a version", path.display());
            let hint = format!("use `onnxprof runtime install cpu@{DEFAULT_VERSION}`");
            return Err(CliError::message(exit::USAGE, message).with_hint(hint));
        }
    };
    let cache = Cache::locate().map_err(|error| failed(&error))?;
    let installed =
        runtime::install(&cache, version, &mut |line| eprintln!("{line}")).map_err(|error| failed(&error))?;
    if !installed.newly {
        eprintln!("ONNX Runtime {version} is installed already");
    }
    ask(&installed.library).map_err(|error| unusable(&error))?;
    print(&format!("{}\n", installed.library.display()))?;
    Ok(ExitCode::from(exit::DONE))
}

fn which(request: Option<&str>, format: Format) -> Result<ExitCode, CliError> {
    let found = match runtime::find(request).map_err(|error| failed(&error))? {
        Lookup::Found(found) => found,
        Lookup::Missing(version) => {
            let message = format!("ONNX Runtime {version} is not installed");
            let hint = format!("run `onnxprof runtime install cpu@{version}`; `onnxprof profile` does so by itself");
            return Err(CliError::message(exit::BAD_INPUT, message).with_hint(hint));
        }
    };
    let info = ask(&found.path).map_err(|error| unusable(&error))?;
    let reason = found.found_by.to_string();
    match format {
        Format::Text => print(&format!(
            "path                 {}\nversion              {}\nexecution providers  {}\nused because         {reason}\n",
            found.path.display(),
            info.version,
            info.execution_providers.join(", "),
        ))?,
        Format::Json => {
            let found_in = found.found_by.place();
            let listed =
                Listed { path: found.path, found_in, used_because: Some(reason), info: Some(info), error: None };
            print_json(&listed, serde_json::to_string_pretty)?;
        }
    }
    Ok(ExitCode::from(exit::DONE))
}

/// Asks a library what it is, in a child process.
fn ask(path: &Path) -> Result<LibraryInfo, ProbeError> {
    let program = std::env::current_exe().map_err(|source| ProbeError::Child { path: path.into(), source })?;
    runtime::probe(&program, &[OsStr::new(PROBE)], path)
}

fn failed(error: &RuntimeError) -> CliError {
    CliError::new(exit::BAD_INPUT, error).with_hint(error.hint())
}

fn unusable(error: &ProbeError) -> CliError {
    let hint = match error {
        ProbeError::Unusable(failure) => failure.hint.clone(),
        _ => Some("name another library with `--runtime PATH`, or leave that and ORT_DYLIB_PATH out".into()),
    };
    CliError { code: exit::BAD_INPUT, chain: chain(error), hint }
}

fn chain(error: &ProbeError) -> Vec<String> {
    match error {
        ProbeError::Unusable(failure) => failure.chain.clone(),
        _ => CliError::new(exit::BAD_INPUT, error).chain,
    }
}

fn print_json<T>(value: &T, to_text: impl Fn(&T) -> serde_json::Result<String>) -> Result<(), CliError> {
    let text = to_text(value).map_err(|error| CliError::new(exit::BUG, &error))?;
    print(&format!("{text}\n"))
}

fn print(text: &str) -> Result<(), CliError> {
    io::stdout().write_all(text.as_bytes()).map_err(|error| CliError::stdout(&error))
}
