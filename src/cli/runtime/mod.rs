//! `onnxprof runtime` and the hidden `probe-runtime`.

mod list;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::Serialize;

use self::list::{Listed, chain, print};
use super::json::{self, JsonArgs};
use super::plan::opener;
use super::{CliError, Result, exit, say};
use crate::engine;
use crate::report::view::text::plain;
use crate::runtime::{
    self, Cache, DEFAULT_VERSION, Installed, LibraryInfo, Lookup, ProbeAnswer, ProbeError,
    ProbeFailure, Release, Request,
};
use crate::text::joined;
use crate::units::Bytes;

/// Lists, installs, removes and explains ONNX Runtime libraries.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists the libraries that are found without being named, and marks the one that is used.
    List {
        /// Lists what can be installed instead: every build and version that pip's package index
        /// has for this machine and that onnxprof loads, newest first.
        #[arg(long)]
        remote: bool,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// Installs a build of ONNX Runtime into the cache, with pip.
    ///
    /// Builds are `cpu`, `cuda` (with CUDA and TensorRT; some 250 MB) and `openvino`. With `cuda`
    /// the CUDA libraries that it needs are installed as well, often more than 1 GB, unless the
    /// system has them. `latest` is the newest version that pip's package index has for this
    /// machine.
    Install {
        /// Release to install, such as `openvino@1.24.1`; the default version of the CPU build if
        /// left out.
        #[arg(value_name = "BUILD@VERSION|BUILD@latest")]
        release: Option<String>,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// Removes a build of ONNX Runtime from the cache.
    Remove {
        /// Release to remove, such as `openvino@1.24.1`.
        #[arg(value_name = "BUILD@VERSION")]
        release: String,
        #[command(flatten)]
        json: JsonArgs,
    },
    /// Says which library is used, and why. Installs nothing.
    Which {
        /// A library, a folder that holds one, or a build and version such as `cpu@1.31.1` or
        /// `openvino@latest`.
        #[arg(long, value_name = "PATH|BUILD@VERSION")]
        runtime: Option<String>,
        #[command(flatten)]
        json: JsonArgs,
    },
}

/// Arguments of the hidden command that opens one library.
#[derive(Debug, clap::Args)]
pub struct ProbeArgs {
    /// The library.
    path: PathBuf,
}

/// A release that was installed or removed, as `--json` prints it.
#[derive(Serialize)]
struct Stored<'a> {
    /// The word that asks for it.
    release: String,
    /// Its library, or the folder that was removed.
    path: &'a Path,
    /// Size of its files; absent where that is not known.
    size_bytes: Option<Bytes>,
}

pub fn run(args: Args) -> Result<u8> {
    runtime::tidy();
    match args.action {
        Action::List {
            remote: false,
            json,
        } => list::local(json),
        Action::List { remote: true, json } => list::remote(json),
        Action::Install { release, json } => install(release.as_deref(), json),
        Action::Remove { release, json } => remove(&release, json),
        Action::Which { runtime, json } => which(runtime.as_deref(), json),
    }
}

pub fn run_probe(args: &ProbeArgs) -> Result<u8> {
    let (answer, code) = match engine::describe_library(&args.path) {
        Ok(info) => (ProbeAnswer::Library(info), exit::DONE),
        Err(error) => {
            let CliError { chain, code, .. } = CliError::of(&error);
            let hint = Some(error.hint());
            (ProbeAnswer::Failed(ProbeFailure { chain, hint }), code)
        }
    };
    // One line, which whoever asked reads.
    let line = serde_json::to_string(&answer).map_err(CliError::bug)?;
    print(&(line + "\n"))?;
    Ok(code)
}

fn install(words: Option<&str>, format: JsonArgs) -> Result<u8> {
    let release = match words.map(str::parse).transpose()? {
        None => Release::cpu(DEFAULT_VERSION),
        Some(Request::Release(release)) => release,
        Some(Request::Latest(build)) => runtime::latest(build)?,
        Some(Request::Path(path)) => {
            return Err(CliError::usage(
                format!("`{}` is not a version", path.display()),
                format!("use `onnxprof runtime install cpu@{DEFAULT_VERSION}`"),
            ));
        }
    };
    let cache = Cache::locate()?;
    let Installed {
        library,
        newly,
        size_bytes,
    } = runtime::install(&cache, release, &opener()?, &mut |line| say::aside(line))?;
    let (already, size) = (
        if newly { "" } else { " already" },
        size_bytes
            .map(|size| format!(", and takes {}", size.in_megabytes()))
            .unwrap_or_default(),
    );
    say::aside(&format!("{} is installed{already}{size}", release.title()));
    if !newly {
        ask(&library)?;
    }
    if format.json {
        let stored = Stored {
            release: release.to_string(),
            path: &library,
            size_bytes,
        };
        json::print("runtime install", None, &stored)?;
    } else {
        print(&format!("{}\n", library.display()))?;
    }
    Ok(exit::DONE)
}

fn remove(words: &str, format: JsonArgs) -> Result<u8> {
    let Request::Release(release) = words.parse()? else {
        return Err(CliError::usage(
            format!("`{words}` is not a build and version in the cache"),
            "use `onnxprof runtime remove BUILD@VERSION`; `onnxprof runtime list` says what is there",
        ));
    };
    let removed = runtime::remove(&Cache::locate()?, release, &mut |line| say::aside(line))?;
    let size = removed
        .size_bytes
        .map(|size| format!(", which took {}", size.in_megabytes()));
    say::aside(&format!(
        "{} is removed{}",
        release.title(),
        size.unwrap_or_default()
    ));
    if format.json {
        let stored = Stored {
            release: release.to_string(),
            path: &removed.folder,
            size_bytes: removed.size_bytes,
        };
        json::print("runtime remove", None, &stored)?;
    } else {
        print(&format!("{}\n", removed.folder.display()))?;
    }
    Ok(exit::DONE)
}

fn which(request: Option<&str>, format: JsonArgs) -> Result<u8> {
    let found = match runtime::find(request)? {
        Lookup::Found(found) => found,
        Lookup::Missing {
            release,
            passed_over,
        } => {
            let mut error = CliError::bad_input(
                format!("{} is not installed", release.title()),
                format!(
                    "run `onnxprof runtime install {release}`; `onnxprof profile` does so by itself"
                ),
            );
            error.chain.extend(passed_over);
            return Err(error);
        }
    };
    let info = ask(&found.path)?;
    let missing_libraries = runtime::missing_libraries(&found.path);
    let reason = found.reason();
    if format.json {
        let library = Listed {
            build: found.build,
            used_because: Some(reason),
            info: Some(info),
            missing_libraries: missing_libraries.clone(),
            ..Listed::new(found.found_by.place(), found.path, None)
        };
        json::print("runtime which", None, &library)?;
    } else {
        print(&format!(
            "path                 {}\nversion              {}\nexecution providers  {}\nused because         {}\n",
            plain(&found.path.display().to_string()),
            plain(&info.version),
            plain(&joined(&info.execution_providers)),
            plain(&reason),
        ))?;
    }
    warn_of(&missing_libraries);
    Ok(exit::DONE)
}

/// Says what keeps a library's CUDA execution provider from starting, and what to do about it.
fn warn_of(missing_libraries: &[String]) {
    if !missing_libraries.is_empty() {
        let names = joined(missing_libraries);
        say::aside(&format!(
            "its CUDA execution provider cannot start: {names} are neither beside the library nor in the system; install \
             them, or use a build that has them with `onnxprof runtime install cuda@VERSION`"
        ));
    }
}

fn ask(path: &Path) -> Result<LibraryInfo> {
    opener()?.ask(path).map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, error: &ProbeError) -> CliError {
    let hint = match (Cache::release_of(path), error) {
        (Some(release), _) => Some(runtime::removal_hint(release)),
        (None, ProbeError::Unusable(failure)) => failure.hint.clone(),
        (None, _) => Some(
            "name another library with `--runtime PATH`, or leave that and ORT_DYLIB_PATH out"
                .into(),
        ),
    };
    CliError {
        code: exit::BAD_INPUT,
        chain: chain(error),
        hint,
    }
}
