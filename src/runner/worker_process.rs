//! The parent's end of one worker: start it, ask it, and say in words how it ended if it did.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::patience::Patience;
use super::worker_end::{End, Log, excerpt};
use crate::plan::RuntimeChoice;
use crate::protocol::{MAX_LINE, Request, Response, VERSION};
use crate::record::{Failure, FailureKind};
use crate::runtime::{LOADER_VARIABLE, TELEMETRY_OFF, loader_path};

/// How long a worker may take to end after it has closed its output: a crash may write a core file
/// first.
const END_PATIENCE: Duration = Duration::from_secs(2);

/// How worker processes are started.
#[derive(Clone, Debug)]
pub struct WorkerCommand {
    /// The program; it is given the one argument `worker`.
    pub program: PathBuf,
    /// A worker that does not answer a request within this time is killed.
    pub timeout: Duration,
}

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

impl WorkerProcess {
    /// Hears the worker's greeting too; `log` can be read as well. The loader reads its variable
    /// once, when a process starts, so that the `runtime` that the worker will be asked to open is
    /// to be known here.
    pub(super) async fn spawn(
        command: &WorkerCommand,
        runtime: Option<&RuntimeChoice>,
        log: File,
        patience: Patience,
    ) -> Result<Self, Failure> {
        let oom_kills_before = oom_kills();
        let log = Log::new(log);
        let mut child = start_program(command, runtime, log.file())
            .map_err(|error| spawn_failure(command, &error.to_string()))?;
        let (Some(pid), Some(requests), Some(responses)) =
            (child.id(), child.stdin.take(), child.stdout.take())
        else {
            return Err(spawn_failure(command, "it ended at once"));
        };
        let mut worker = WorkerProcess {
            pid,
            child,
            requests,
            responses: BufReader::new(responses),
            patience,
            started: Instant::now(),
            alive: true,
            oom_kills_before,
            log,
        };
        worker.hear_greeting().await?;
        Ok(worker)
    }

    async fn hear_greeting(&mut self) -> Result<(), Failure> {
        let what = match self
            .response("greet", self.patience.limit_of_start())
            .await?
        {
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

    /// Asks the worker and waits for its answer. `doing` names the request in error messages: "load
    /// the model".
    ///
    /// The worker runs from the request to the answer and is stopped at all other times: ONNX
    /// Runtime's pool threads spin for some 25 ms after an inference, which would be in the middle
    /// of another worker's block.
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

    /// Asks the worker, which is killed if it does not answer within `limit`, or within the time
    /// that any worker has.
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
        self.protocol_failure(&format!(
            "gave an answer out of turn: {}",
            excerpt(
                serde_json::to_string(response)
                    .unwrap_or_default()
                    .as_bytes()
            )
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
        let hint = if limit < self.patience.usual {
            "it took much longer than it had before; give the run more time with `--budget` if it is not stuck"
        } else {
            "give it more time with `--timeout` if it is slow rather than stuck"
        };
        Failure::of(
            FailureKind::TimedOut,
            format!("the process did not {doing} within {seconds} s, and was killed"),
        )
        .hinted(hint)
    }

    async fn protocol_failure(&mut self, what: &str) -> Failure {
        self.kill().await;
        Failure::of(
            FailureKind::Protocol,
            format!("the process does not follow the protocol: it {what}"),
        )
        .hinted("onnxprof and the processes that it starts must be the same build of onnxprof")
    }

    async fn end_failure(&mut self, doing: &str) -> Failure {
        let status = timeout(END_PATIENCE, self.child.wait()).await;
        self.kill().await;
        let end = End {
            status: status.ok().and_then(Result::ok),
            oom_killed: self
                .oom_kills_before
                .zip(oom_kills())
                .is_some_and(|(before, now)| now > before),
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
        Some(RuntimeChoice::Script(_) | RuntimeChoice::Server(_)) | None => None,
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
    let program = command.program.display();
    Failure::of(
        FailureKind::Crashed,
        format!("failed to start a process from `{program}`: {message}"),
    )
}

fn oom_kills() -> Option<u64> {
    std::fs::read_to_string("/proc/vmstat")
        .ok()?
        .lines()
        .find_map(|line| line.strip_prefix("oom_kill "))?
        .trim()
        .parse()
        .ok()
}
