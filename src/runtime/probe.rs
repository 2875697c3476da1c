//! Asking a library what it is, in a child process: opening what is no library can crash or hang
//! whoever does it.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::needs;
use crate::foreign::ends_with_us;

/// A hidden subcommand of the program.
const COMMAND: &str = "probe-runtime";

/// Variable and value that switch off ONNX Runtime's telemetry; to be set before a library is
/// opened.
pub const TELEMETRY_OFF: (&str, &str) = ("ORT_DISABLE_TELEMETRY", "1");

/// Time after which a library is given up: opening one takes some 0.1 s, from a slow disk some
/// seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often the child is looked after. Short against the 0.1 s that opening a library takes.
const TICK: Duration = Duration::from_millis(5);

/// A library's facts about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryInfo {
    /// Version.
    pub version: String,
    /// How it was built: branch, commit, compiler flags.
    pub build_info: String,
    /// Execution providers that it offers, by ONNX Runtime's identifiers, in its order of
    /// preference.
    pub execution_providers: Vec<String>,
}

/// The answer of the child that opens a library, written to its stdout as one line of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeAnswer {
    /// It is a library that can be loaded.
    Library(LibraryInfo),
    /// It is not.
    Failed(ProbeFailure),
}

/// Why a library cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeFailure {
    /// The failure, then its causes.
    pub chain: Vec<String>,
    /// A remedy.
    pub hint: Option<String>,
}

/// Why nothing is known of a library.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// It cannot be loaded.
    #[error("{}", .0.chain.join(": "))]
    Unusable(ProbeFailure),
    /// Whoever opened it was killed.
    #[error("opening `{0}` ended the process that did it ({1})")]
    Crashed(PathBuf, ExitStatus),
    /// Whoever opened it did not come back.
    #[error("opening `{}` did not end within {} s", .0.display(), PATIENCE.as_secs())]
    Hung(PathBuf),
    /// The child process could not be used.
    #[error("cannot ask `{0}` what it is")]
    Child(PathBuf, #[source] io::Error),
}

/// Asks libraries what they are, in processes of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opener {
    program: PathBuf,
}

impl Opener {
    /// With the program `onnxprof`, wherever it is.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Opener {
            program: program.into(),
        }
    }

    /// Asks a library what it is: runs `probe-runtime`, which is to print a [`ProbeAnswer`].
    ///
    /// # Errors
    /// The library cannot be loaded, or the child process failed.
    pub fn ask(&self, path: &Path) -> Result<LibraryInfo, ProbeError> {
        let failed = |source| ProbeError::Child(path.into(), source);
        let mut command = Command::new(&self.program);
        command
            .arg(COMMAND)
            .arg(path)
            .env(TELEMETRY_OFF.0, TELEMETRY_OFF.1)
            .envs(needs::loader_path(path).map(|folders| (needs::LOADER_VARIABLE, folders)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        ends_with_us(&mut command);
        let mut child = command.spawn().map_err(failed)?;
        let Some(status) = wait(&mut child).map_err(failed)? else {
            return Err(ProbeError::Hung(path.into()));
        };
        let mut text = String::new();
        if let Some(mut stdout) = child.stdout.take() {
            stdout.read_to_string(&mut text).map_err(failed)?;
        }
        // A library may print when it is opened; the answer comes last.
        match text
            .lines()
            .last()
            .map(serde_json::from_str)
            .and_then(Result::ok)
        {
            Some(ProbeAnswer::Library(info)) => Ok(info),
            Some(ProbeAnswer::Failed(failure)) => Err(ProbeError::Unusable(failure)),
            None => Err(ProbeError::Crashed(path.into(), status)),
        }
    }
}

/// Waits for the child; `None` if it had to be killed. The answer is far smaller than a pipe holds,
/// so that the child never waits for a reader.
fn wait(child: &mut Child) -> io::Result<Option<ExitStatus>> {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(TICK);
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}
