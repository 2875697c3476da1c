//! The parent's end of one worker: start it, ask it, and say in words how it ended if it did.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::patience::Patience;
use crate::memory;
use crate::plan::RuntimeChoice;
use crate::protocol::{MAX_LINE, Request, Response, VERSION};
use crate::record::{Failure, FailureKind};
use crate::runtime::{LOADER_VARIABLE, TELEMETRY_OFF, loader_path};
use crate::text::Plain;

/// How long a worker may take to end after it has closed its output: a crash may write a core file first.
const END_PATIENCE: Duration = Duration::from_secs(2);
const MEMORY_HINT: &str = "try smaller batch sizes with `--batch`, or give the process more memory";
const KILL_HINT: &str = "if nobody killed it, the system was out of memory: try smaller batch sizes, or give the process more memory";

/// Ends a process that reads a map whose file has become shorter: workers alone map weights and libraries.
const SIGBUS: i32 = Signal::SIGBUS as i32;
const MAP_LOST: &str =
    "was ended by SIGBUS: most likely a file that it had mapped changed while it was read";
const MAP_HINT: &str = "run again while nothing writes to the model, its weights and the libraries; if nothing did, check their disk";

/// How worker processes are started.
#[derive(Clone, Debug)]
pub struct WorkerCommand {
    /// The program; it is given the one argument `worker`.
    pub program: PathBuf,
    /// A worker that does not answer a request within this time is killed.
    pub timeout: Duration,
}

#[derive(Debug)]
pub(super) struct WorkerProcess {
    pub pid: u32,
    child: Child,
    requests: ChildStdin,
    responses: BufReader<ChildStdout>,
    patience: Patience,
    started: Instant,
    alive: bool,
    oom_kills_before: Option<u64>,
    log: Log,
}

#[derive(Debug)]
struct Log {
    file: File,
    start: u64,
}

impl WorkerProcess {
    /// Hears the worker's greeting too; `log` can be read as well. The loader reads its variable once, when a process starts,
    /// so that the `runtime` that the worker will be asked to open is to be known here.
    pub(super) async fn spawn(
        command: &WorkerCommand,
        runtime: Option<&RuntimeChoice>,
        log: File,
        patience: Patience,
    ) -> Result<Self, Failure> {
        let start = log.metadata().map_or(0, |metadata| metadata.len());
        let mut child = start_program(command, runtime, &log)
            .map_err(|error| spawn_failure(command, &error.to_string()))?;
        let (Some(pid), Some(requests), Some(responses)) =
            (child.id(), child.stdin.take(), child.stdout.take())
        else {
            return Err(spawn_failure(command, "it ended at once"));
        };
        let mut worker = WorkerProcess {
            child,
            pid,
            requests,
            responses: BufReader::new(responses),
            patience,
            started: Instant::now(),
            alive: true,
            oom_kills_before: oom_kills(),
            log: Log { file: log, start },
        };
        worker.hear_greeting().await?;
        Ok(worker)
    }

    async fn hear_greeting(&mut self) -> Result<(), Failure> {
        let limit = self.patience.limit_of_start();
        let what = match self.response("greet", limit).await? {
            Response::Hello {
                protocol: VERSION, ..
            } => return Ok(()),
            Response::Hello {
                protocol,
                tool_version,
            } => format!("speaks version {protocol} (onnxprof {tool_version}), not {VERSION}"),
            _ => "did not greet".to_owned(),
        };
        Err(self.protocol_failure(&what).await)
    }

    pub(super) fn is_alive(&self) -> bool {
        self.alive
    }

    /// Asks the worker and waits for its answer. `doing` names the request in error messages: "load the model".
    ///
    /// The worker runs from the request to the answer and is stopped at all other times: ONNX Runtime's pool threads
    /// spin for some 25 ms after an inference, which would be in the middle of another worker's block.
    pub(super) async fn ask(
        &mut self,
        request: &Request,
        doing: &str,
    ) -> Result<Response, Failure> {
        self.ask_expecting(Duration::ZERO, request, doing).await
    }

    pub(super) async fn ask_expecting(
        &mut self,
        expected: Duration,
        request: &Request,
        doing: &str,
    ) -> Result<Response, Failure> {
        self.ask_for(self.patience.limit(request, expected), request, doing)
            .await
    }

    /// Asks the worker, which is killed if it does not answer within `limit`, or within the time that any worker has.
    pub(super) async fn ask_within(
        &mut self,
        limit: Duration,
        request: &Request,
        doing: &str,
    ) -> Result<Response, Failure> {
        self.ask_for(limit.min(self.patience.usual), request, doing)
            .await
    }

    pub(super) async fn ask_for(
        &mut self,
        limit: Duration,
        request: &Request,
        doing: &str,
    ) -> Result<Response, Failure> {
        self.signal(Signal::SIGCONT);
        let asked = Instant::now();
        let answer = self.exchange(request, doing, limit).await;
        self.signal(Signal::SIGSTOP);
        if answer.is_ok() {
            self.patience
                .learn(request, asked.elapsed(), self.started.elapsed());
        }
        answer
    }

    async fn exchange(
        &mut self,
        request: &Request,
        doing: &str,
        limit: Duration,
    ) -> Result<Response, Failure> {
        let sent = match serde_json::to_vec(request) {
            Ok(mut line) => {
                line.push(b'\n');
                self.requests.write_all(&line).await
            }
            Err(error) => Err(error.into()),
        };
        // A worker that died breaks the pipe; its exit status, read below, says more than that.
        match sent {
            Ok(()) => self.response(doing, limit).await,
            Err(_) => Err(self.end_failure(doing).await),
        }
    }

    /// Reports an answer that does not fit its request, and ends the worker.
    pub(super) async fn unexpected(&mut self, response: &Response) -> Failure {
        let text = serde_json::to_string(response).unwrap_or_default();
        self.protocol_failure(&format!(
            "gave an answer out of turn: {}",
            excerpt(text.as_bytes())
        ))
        .await
    }

    /// Ends the worker. It has nothing to save, so it is not asked.
    pub(super) async fn end(mut self) {
        self.kill().await;
    }

    async fn response(&mut self, doing: &str, limit: Duration) -> Result<Response, Failure> {
        let mut line = Vec::new();
        let mut limited = (&mut self.responses).take(MAX_LINE.0);
        match timeout(limit, limited.read_until(b'\n', &mut line)).await {
            Err(_) => Err(self.timeout_failure(doing, limit).await),
            Ok(Err(_) | Ok(0)) => Err(self.end_failure(doing).await),
            Ok(Ok(_)) => match serde_json::from_slice(&line) {
                Ok(Response::Failed(failure)) => Err(failure),
                Ok(response) => Ok(response),
                Err(_) if line.len() as u64 >= MAX_LINE.0 => Err(self
                    .protocol_failure(&format!("sent a line without an end: {}", excerpt(&line)))
                    .await),
                Err(_) if !line.ends_with(b"\n") => Err(self.end_failure(doing).await),
                Err(_) => Err(self
                    .protocol_failure(&format!("said something else: {}", excerpt(&line)))
                    .await),
            },
        }
    }

    fn signal(&self, signal: Signal) {
        if self.alive {
            // A worker that has just died is found out by what it does not answer.
            let _ = kill(Pid::from_raw(self.pid.cast_signed()), signal);
        }
    }

    async fn kill(&mut self) {
        self.alive = false;
        // The process may be gone already.
        let _ = self.child.kill().await;
    }

    async fn timeout_failure(&mut self, doing: &str, limit: Duration) -> Failure {
        self.kill().await;
        let seconds = (limit.as_secs_f64() * 10.0).round() / 10.0;
        let hint = match limit < self.patience.usual {
            true => {
                "it took much longer than it had before; give the run more time with `--budget` if it is not stuck"
            }
            false => "give it more time with `--timeout` if it is slow rather than stuck",
        };
        Failure {
            kind: FailureKind::TimedOut,
            message: format!("the worker did not {doing} within {seconds} s, and was killed")
                .into(),
            hint: Some(hint.into()),
        }
    }

    async fn protocol_failure(&mut self, what: &str) -> Failure {
        self.kill().await;
        Failure {
            kind: FailureKind::Protocol,
            message: format!("the worker does not follow the protocol: it {what}").into(),
            hint: Some("parent and worker must be the same build of onnxprof".into()),
        }
    }

    async fn end_failure(&mut self, doing: &str) -> Failure {
        let status = timeout(END_PATIENCE, self.child.wait()).await;
        self.kill().await;
        let end = End {
            status: status.ok().and_then(Result::ok),
            oom_killed: matches!((self.oom_kills_before, oom_kills()), (Some(before), Some(now)) if now > before),
            last_words: self.log.last_words(),
        };
        end.describe(doing)
    }
}

fn start_program(
    command: &WorkerCommand,
    runtime: Option<&RuntimeChoice>,
    log: &File,
) -> std::io::Result<Child> {
    let folders = match runtime {
        Some(RuntimeChoice::Library(library)) => loader_path(library),
        Some(RuntimeChoice::Script(_)) | None => None,
    };
    let stderr = log.try_clone()?;
    Command::new(&command.program)
        .arg("worker")
        // The official Linux builds start a telemetry thread as soon as the library is opened.
        .env(TELEMETRY_OFF.0, TELEMETRY_OFF.1)
        .envs(folders.map(|folders| (LOADER_VARIABLE, folders)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .kill_on_drop(true)
        .spawn()
}

fn spawn_failure(command: &WorkerCommand, message: &str) -> Failure {
    Failure {
        kind: FailureKind::Crashed,
        message: format!(
            "failed to start a worker process from `{}`: {message}",
            command.program.display()
        )
        .into(),
        hint: None,
    }
}

impl Log {
    /// The last line that the worker wrote, printable; `None` if it wrote nothing.
    fn last_words(&self) -> Option<String> {
        const MOST: usize = 2048;
        let end = self.file.metadata().ok()?.len();
        let mut tail = vec![0; MOST];
        let length = self
            .file
            .read_at(&mut tail, self.start.max(end.saturating_sub(MOST as u64)))
            .ok()?;
        let line = tail[..length]
            .split(|&byte| byte == b'\n')
            .rfind(|line| !line.trim_ascii().is_empty())?;
        Some(excerpt(line.trim_ascii()))
    }
}

#[derive(Debug, Default)]
struct End {
    /// Its exit status; `None` if it lived on without answering, until it was killed.
    status: Option<ExitStatus>,
    oom_killed: bool,
    last_words: Option<String>,
}

impl End {
    fn describe(&self, doing: &str) -> Failure {
        let (kind, hint) = self.kind();
        let words = self.last_words.as_deref();
        let last = words.map_or_else(String::new, |words| format!("; its last words: {words}"));
        let message = match self.signal() {
            Some(SIGBUS) if !self.oom_killed => {
                format!("the worker that was to {doing} {MAP_LOST}{last}")
            }
            _ => format!("the worker {} while it was to {doing}{last}", self.how()),
        };
        Failure {
            kind,
            message: message.into(),
            hint: hint.map(Plain::from),
        }
    }

    fn signal(&self) -> Option<i32> {
        self.status.and_then(|status| status.signal())
    }

    /// How the worker ended, as a part of a sentence.
    fn how(&self) -> String {
        match (self.signal(), self.status.and_then(|status| status.code())) {
            (Some(_), _) if self.oom_killed => {
                "was killed by the kernel, which was out of memory,".to_owned()
            }
            (Some(number), _) => format!("was ended by {}", signal_name(number)),
            (None, Some(code)) => format!("ended with exit code {code}"),
            (None, None) => "closed its output, and was killed,".to_owned(),
        }
    }

    fn kind(&self) -> (FailureKind, Option<&'static str>) {
        let words = self.last_words.as_deref();
        match self.signal() {
            Some(_) if self.oom_killed => (FailureKind::OutOfMemory, Some(MEMORY_HINT)),
            _ if words.is_some_and(memory::is_short) => {
                (FailureKind::OutOfMemory, Some(MEMORY_HINT))
            }
            Some(9) => (FailureKind::Crashed, Some(KILL_HINT)),
            Some(SIGBUS) => (FailureKind::Crashed, Some(MAP_HINT)),
            _ => (FailureKind::Crashed, None),
        }
    }
}

fn signal_name(number: i32) -> &'static str {
    Signal::try_from(number).map_or("a signal", Signal::as_str)
}

fn oom_kills() -> Option<u64> {
    let text = std::fs::read_to_string(Path::new("/proc/vmstat")).ok()?;
    text.lines()
        .find_map(|line| line.strip_prefix("oom_kill "))?
        .trim()
        .parse()
        .ok()
}

/// The beginning of a line, printable.
fn excerpt(line: &[u8]) -> String {
    const MOST: usize = 200;
    let text = String::from_utf8_lossy(&line[..line.len().min(MOST)]);
    let mut printable = String::new();
    for letter in text.trim_end().chars() {
        if letter.is_control() {
            printable.extend(letter.escape_debug());
        } else {
            printable.push(letter);
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn ended(status: i32) -> End {
        End {
            status: Some(ExitStatus::from_raw(status)),
            ..End::default()
        }
    }

    #[test]
    fn an_end_is_told_by_its_signal_by_what_the_kernel_killed_and_by_last_words() {
        let killed = |status| End {
            oom_killed: true,
            ..ended(status)
        };
        let failed = End {
            last_words: Some("memory allocation of 1024 bytes failed".into()),
            ..ended(6)
        };
        let by_kernel = "the worker was killed by the kernel, which was out of memory, while it was to load the model";
        let aborted = "the worker was ended by SIGABRT while it was to load the model; its last words: memory allocation \
                       of 1024 bytes failed";
        let lost = "the worker that was to load the model was ended by SIGBUS: most likely a file that it had mapped \
                    changed while it was read";
        let (crashed, no_memory) = (FailureKind::Crashed, FailureKind::OutOfMemory);
        for (end, kind, hint, message) in [
            (
                ended(11),
                crashed,
                None,
                "the worker was ended by SIGSEGV while it was to load the model",
            ),
            (ended(SIGBUS), crashed, Some(MAP_HINT), lost),
            (killed(SIGBUS), no_memory, Some(MEMORY_HINT), by_kernel),
            (killed(9), no_memory, Some(MEMORY_HINT), by_kernel),
            (failed, no_memory, Some(MEMORY_HINT), aborted),
        ] {
            let expected = Failure {
                kind,
                message: message.into(),
                hint: hint.map(Plain::from),
            };
            assert_eq!(end.describe("load the model"), expected, "{end:?}");
        }
    }

    #[test]
    fn last_words_are_those_of_this_worker() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"of an earlier one\n").unwrap();
        let log = Log {
            start: file.metadata().unwrap().len(),
            file: file.try_clone().unwrap(),
        };
        assert_eq!(log.last_words(), None);
        file.write_all(b"warning\nthread panicked: \x1b no\n\n")
            .unwrap();
        assert_eq!(log.last_words().unwrap(), "thread panicked: \\u{1b} no");
    }

    #[test]
    fn an_excerpt_is_short_and_printable() {
        assert_eq!(excerpt(b"\x1b[31mred\n"), "\\u{1b}[31mred");
        assert!(excerpt(&[b'a'; 4096]).len() <= 200);
    }
}
