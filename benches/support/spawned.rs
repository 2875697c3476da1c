//! Two kinds of processes that run blocks of inferences when they are told to: onnxprof's worker,
//! and a loop in C.

use std::io::{BufRead, BufReader, Write};
use std::mem::offset_of;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use onnxprof::plan::{InputRequest, LoadMode, RuntimeChoice, SessionSpec};
use onnxprof::protocol::{CellRequest, Described, Request, Response};
use onnxprof::runtime::TELEMETRY_OFF;
use onnxprof::sample::affinity;
use onnxprof::units::Nanos;
use ort::sys::OrtApi;

use super::support::BenchError;

/// Length of a block: as long as `profile`'s by default.
const BLOCK_NS: Nanos = Nanos(30_000_000);
const MIN_INFERENCES: u64 = 3;
/// Blocks of the C loop that are not measured; onnxprof's worker warms up by itself.
const WARMUP_BLOCKS: usize = 3;

/// What both kinds of process run.
pub struct Setup {
    pub library: PathBuf,
    pub model: PathBuf,
    pub described: Described,
    pub spec: SessionSpec,
    pub cpu: u64,
}

/// A process that runs a block of inferences and says their median.
pub trait TimedLoop {
    /// Median latency of one block, in nanoseconds.
    fn block(&mut self) -> Result<f64, BenchError>;
}

/// A process that is spoken to in lines.
struct Lines {
    child: Child,
    requests: ChildStdin,
    responses: BufReader<ChildStdout>,
}

impl Lines {
    fn spawn(command: &mut Command) -> Result<Self, BenchError> {
        let mut child = command
            .env(TELEMETRY_OFF.0, TELEMETRY_OFF.1)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let (Some(requests), Some(responses)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the child has no pipes".into());
        };
        Ok(Lines {
            child,
            requests,
            responses: BufReader::new(responses),
        })
    }

    fn hear(&mut self) -> Result<String, BenchError> {
        let mut line = String::new();
        if self.responses.read_line(&mut line)? == 0 {
            Err("the child ended".into())
        } else {
            Ok(line)
        }
    }

    fn say(&mut self, line: &str) -> Result<String, BenchError> {
        self.requests.write_all(format!("{line}\n").as_bytes())?;
        self.hear()
    }

    fn ask(&mut self, request: &Request) -> Result<Response, BenchError> {
        match serde_json::from_str(&self.say(&serde_json::to_string(request)?)?)? {
            Response::Failed(failure) => Err(failure.message.exact().into()),
            response => Ok(response),
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        // A child that has ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn_worker() -> Result<Lines, BenchError> {
    let mut lines = Lines::spawn(Command::new(env!("CARGO_BIN_EXE_onnxprof")).arg("worker"))?;
    lines.hear()?;
    Ok(lines)
}

/// What onnxprof's worker reads in a model file.
pub fn describe(model: &Path) -> Result<Described, BenchError> {
    let request = Request::Describe {
        model: model.to_owned(),
        inputs: InputRequest::default(),
        shapes: Vec::new(),
    };
    match spawn_worker()?.ask(&request)? {
        Response::Described(described) => Ok(*described),
        other => Err(format!("unexpected answer: {other:?}").into()),
    }
}

/// onnxprof's worker, ready to run blocks at batch size 1.
pub struct Worker(Lines);

impl Worker {
    pub fn start(setup: &Setup) -> Result<Self, BenchError> {
        let mut lines = spawn_worker()?;
        affinity::set_affinity(lines.child.id(), &[setup.cpu])?;
        lines.ask(&Request::Open {
            runtime: RuntimeChoice::Library(setup.library.clone()),
            execution_provider: "CPUExecutionProvider".into(),
            ep_library: None,
        })?;
        lines.ask(&Request::Load {
            model: setup.model.clone(),
            spec: Box::new(setup.spec.clone()),
        })?;
        lines.ask(&Request::Begin(Box::new(CellRequest {
            batch_size: 1,
            load_mode: LoadMode::Closed { concurrency: 1 },
            inputs: setup.described.inputs.clone(),
            limit_ns: None,
            known_ns: None,
            outputs_anew: None,
        })))?;
        Ok(Worker(lines))
    }
}

impl TimedLoop for Worker {
    fn block(&mut self) -> Result<f64, BenchError> {
        match self.0.ask(&Request::Block {
            length_ns: BLOCK_NS,
            min_inferences: MIN_INFERENCES,
            limit_ns: None,
        })? {
            Response::Block(report) => Ok(report.median_ns.as_f64()),
            other => Err(format!("unexpected answer: {other:?}").into()),
        }
    }
}

/// The loop in C, ready to run blocks.
pub struct Independent(Lines);

impl Independent {
    pub fn start(program: &Path, setup: &Setup) -> Result<Self, BenchError> {
        let plan = &setup.described.inputs;
        let ([input], [output]) = (plan.fed.as_slice(), plan.outputs.as_slice()) else {
            return Err("the loop in C takes models of one input and one output".into());
        };
        let mut command = Command::new(program);
        command
            .args([&setup.library, &setup.model])
            .args([input.name.exact(), output]);
        command.args(input.dims.iter().map(|dim| dim.unwrap_or(1).to_string()));
        let mut lines = Lines::spawn(&mut command)?;
        affinity::set_affinity(lines.child.id(), &[setup.cpu])?;
        lines.say("load")?;
        let mut independent = Independent(lines);
        for _ in 0..WARMUP_BLOCKS {
            independent.block()?;
        }
        Ok(independent)
    }
}

impl TimedLoop for Independent {
    fn block(&mut self) -> Result<f64, BenchError> {
        let line = self.0.say(&format!("{} {MIN_INFERENCES}", BLOCK_NS.0))?;
        let median = line
            .split_whitespace()
            .next()
            .ok_or("the loop in C said nothing")?;
        Ok(median.parse()?)
    }
}

/// Compiles the loop in C; the places of functions in ONNX Runtime's table are those of the
/// bindings in use.
pub fn compile(source: &Path, program: &Path) -> Result<(), BenchError> {
    let places = [
        ("GET_ERROR_MESSAGE", offset_of!(OrtApi, GetErrorMessage)),
        ("CREATE_ENV", offset_of!(OrtApi, CreateEnv)),
        (
            "CREATE_SESSION_OPTIONS",
            offset_of!(OrtApi, CreateSessionOptions),
        ),
        (
            "SET_INTRA_OP_NUM_THREADS",
            offset_of!(OrtApi, SetIntraOpNumThreads),
        ),
        (
            "SET_INTER_OP_NUM_THREADS",
            offset_of!(OrtApi, SetInterOpNumThreads),
        ),
        (
            "SET_SESSION_GRAPH_OPTIMIZATION_LEVEL",
            offset_of!(OrtApi, SetSessionGraphOptimizationLevel),
        ),
        ("CREATE_SESSION", offset_of!(OrtApi, CreateSession)),
        (
            "CREATE_CPU_MEMORY_INFO",
            offset_of!(OrtApi, CreateCpuMemoryInfo),
        ),
        (
            "CREATE_TENSOR_WITH_DATA",
            offset_of!(OrtApi, CreateTensorWithDataAsOrtValue),
        ),
        ("CREATE_IO_BINDING", offset_of!(OrtApi, CreateIoBinding)),
        ("BIND_INPUT", offset_of!(OrtApi, BindInput)),
        (
            "BIND_OUTPUT_TO_DEVICE",
            offset_of!(OrtApi, BindOutputToDevice),
        ),
        ("RUN_WITH_BINDING", offset_of!(OrtApi, RunWithBinding)),
    ];
    let defines =
        places.map(|(name, offset)| format!("-DAT_{name}={}", offset / size_of::<usize>()));
    let status = Command::new("cc")
        .args(["-O2", "-o"])
        .arg(program)
        .arg(source)
        .args(defines)
        .arg("-ldl")
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`cc` ended with {status}").into())
    }
}
