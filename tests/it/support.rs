//! Running the binary.

pub mod example;
pub mod gpu;
pub mod load;
pub mod protobuf;
pub mod record;
pub mod shown;
pub mod wheels;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// As long as a very slow machine may take for what waits for nobody.
const PATIENCE: Duration = Duration::from_secs(60);

/// Exit code of bad input.
pub const BAD_INPUT: i32 = 3;
/// Exit code of a wrong command line.
pub const USAGE: i32 = 2;
/// Exit code of a search that nothing is shown by.
pub const UNDECIDED: i32 = 6;
/// Exit code of a run of which something failed, or that was interrupted.
pub const PARTIAL: i32 = 4;

/// The folder in which tests keep ONNX Runtime between them, and from one `cargo test` to the next.
pub fn shared_cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("onnxprof-test-cache")
}

/// The library of one version, from the shared cache; installed if need be.
pub fn library(version: &str) -> PathBuf {
    installed(&format!("cpu@{version}"))
}

/// The library of one release, such as `openvino@1.24.1`, from the shared cache; installed if need
/// be.
pub fn installed(release: &str) -> PathBuf {
    let output = Onnxprof::new().args(["runtime", "install", release]).run();
    output.assert_code(0);
    PathBuf::from(output.stdout.trim_end())
}

/// A file or folder below `models/`.
pub fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("models")
        .join(name)
}

/// A command line of the binary, started in an empty folder of its own, in an environment that
/// differs from the test's own as little as it must: libraries come from the shared cache and from
/// nowhere else, and there is no colour.
pub struct Onnxprof {
    command: Command,
    /// Removed when the binary has ended.
    folder: TempDir,
}

/// The binary without a word, in the environment of an [`Onnxprof`].
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onnxprof"));
    command
        .env("ONNXPROF_CACHE", shared_cache())
        .env("NO_COLOR", "1")
        .env("ONNXPROF_PYTHON", "none")
        .env_remove("ORT_DYLIB_PATH")
        .env_remove("VIRTUAL_ENV")
        .env_remove("CONDA_PREFIX")
        .env_remove("COLUMNS");
    // Also on a machine with a GPU, what a test says of one is made up.
    command
        .env("ONNXPROF_NVML", "no-driver.so")
        .env_remove("CUDA_VISIBLE_DEVICES");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

impl Onnxprof {
    pub fn new() -> Self {
        let mut command = command();
        let folder = tempfile::tempdir().unwrap();
        command.current_dir(folder.path());
        Onnxprof { command, folder }
    }

    pub fn args<S: AsRef<OsStr>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.command.args(words);
        self
    }

    pub fn arg(mut self, word: impl AsRef<OsStr>) -> Self {
        self.command.arg(word);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Runs to the end.
    pub fn run(self) -> Output {
        self.spawn().wait()
    }

    /// Runs to the end, which must come without anybody being waited for.
    #[track_caller]
    pub fn promptly(self) -> Output {
        let mut running = self.spawn();
        let began = Instant::now();
        while running.child.try_wait().unwrap().is_none() {
            if began.elapsed() > PATIENCE {
                let words = running.words.clone();
                running.kill();
                panic!("`{words}` waits");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        running.wait()
    }

    /// Runs to the end; what it said is given in bytes.
    pub fn output(mut self) -> std::process::Output {
        self.command.output().unwrap()
    }

    /// Starts, and leaves running.
    pub fn spawn(mut self) -> Running {
        Running {
            words: words(&self.command),
            child: self.command.spawn().unwrap(),
            _folder: self.folder,
        }
    }
}

fn words(command: &Command) -> String {
    let words: Vec<_> = command
        .get_args()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    format!("onnxprof {}", words.join(" "))
}

/// The binary, running.
pub struct Running {
    words: String,
    child: Child,
    /// The folder that it was started in.
    _folder: TempDir,
}

impl Running {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The processes that it has started and that are alive.
    pub fn children(&self) -> Vec<u32> {
        let pid = self.pid();
        let text =
            std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        text.split_whitespace()
            .map(|child| child.parse().unwrap())
            .collect()
    }

    /// Whether it has come to its end.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Kills it with SIGKILL, and waits for its end. What it started is not killed.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub fn wait(self) -> Output {
        let output = self.child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Output {
            words: self.words,
            status: output.status,
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// What the binary said, and how it ended.
#[derive(Debug)]
pub struct Output {
    words: String,
    status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// Exit code; `None` if a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    #[track_caller]
    pub fn assert_code(&self, code: i32) -> &Self {
        assert_eq!(self.code(), Some(code), "{self}");
        self
    }

    #[track_caller]
    pub fn assert_stdout(&self, part: &str) -> &Self {
        assert!(
            self.stdout.contains(part),
            "`{part}` is not in the stdout of {self}"
        );
        self
    }

    #[track_caller]
    pub fn assert_stderr(&self, part: &str) -> &Self {
        assert!(
            self.stderr.contains(part),
            "`{part}` is not in the stderr of {self}"
        );
        self
    }

    /// An error that a user can act on: its exit code, a part of its message, and a part of its
    /// hint; stdout is empty.
    #[track_caller]
    pub fn assert_error(&self, code: i32, message: &str, hint: &str) -> &Self {
        self.assert_code(code);
        assert_eq!(self.stdout, "", "{self}");
        let error = self
            .stderr
            .find("error: ")
            .unwrap_or_else(|| panic!("no error in {self}"));
        let (error, advice) = self.stderr[error..]
            .split_once("\nhint: ")
            .unwrap_or_else(|| panic!("no hint in {self}"));
        assert!(
            error.contains(message),
            "`{message}` is not in the error of {self}"
        );
        assert!(
            advice.contains(hint),
            "`{hint}` is not in the hint of {self}"
        );
        self
    }

    /// stdout as JSON.
    #[track_caller]
    /// What a command found, out of the document that `--json` prints.
    pub fn data(&self) -> Value {
        self.json()["data"].take()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in the stdout of {self}"))
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Output {
            words,
            status,
            stdout,
            stderr,
        } = self;
        write!(
            out,
            "`{words}`, which ended with {status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"
        )
    }
}
