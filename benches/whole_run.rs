//! What a whole run costs: how much of its time is spent measuring, what the parent process weighs,
//! and whether it keeps to its time.
//!
//! Takes some two minutes: a default run, a run with a budget, and one of a model of 300 MB.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark tells its figures where it runs"
)]

mod support;

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use onnx_rs::ast::{
    DataType, Dimension, Graph, Model, Node, OpType, OperatorSetId, TensorProto, TensorShape,
    TensorShapeDimension, TensorTypeProto, TypeProto, TypeValue, ValueInfo,
};
use onnxprof::record::RunRecord;
use onnxprof::runtime;
use onnxprof::store;
use onnxprof::units::Nanos;
use support::{BenchError, Rows, Targets, median};

const COMMAND: &str = "cargo bench --bench whole_run";
const HELP_CALLS: usize = 50;
const LARGE_MODEL_BYTES: usize = 300_000_000;

fn main() -> Result<ExitCode, BenchError> {
    let scratch = tempfile::tempdir()?;
    // Installed before anything is timed.
    runtime::resolve(
        None,
        &runtime::Opener::new(env!("CARGO_BIN_EXE_onnxprof")),
        &mut |line| eprintln!("{line}"),
    )?;
    let digits = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/digits");
    let large = scratch.path().join("large.onnx");
    std::fs::write(&large, large_model())?;
    let run = |model: &Path, options: &[&str], name: &str| {
        profile(model, options, &scratch.path().join(name))
    };
    let whole = run(&digits, &[], "default")?;
    let brief = run(&digits, &["--budget", "20s"], "brief")?;
    let heavy = run(
        &large,
        &["--batch", "1", "--rounds", "1", "--alternations", "2"],
        "large",
    )?;
    let help_ms = help_ms()?;

    let mut rows = Rows::new(&[
        "run",
        "wall (s)",
        "measuring",
        "blocks alone",
        "starting and loading",
        "parent's peak (MB)",
    ]);
    for (name, run) in [
        ("models/digits", &whole),
        ("models/digits --budget 20s", &brief),
        ("300 MB of weights", &heavy),
    ] {
        rows.push(&[
            &name,
            &format_args!("{:.1}", run.wall.as_secs_f64()),
            &format_args!("{:.1}%", 100.0 * run.share(run.blocks() + run.warmups())),
            &format_args!("{:.1}%", 100.0 * run.share(run.blocks())),
            &format_args!("{:.1}%", 100.0 * run.share(run.loading())),
            &format_args!("{:.1}", run.parent_megabytes()?),
        ]);
    }
    rows.print(COMMAND);

    let mut targets = Targets::default();
    let measuring = whole.share(whole.blocks() + whole.warmups());
    let (wall, brief_wall) = (whole.wall.as_secs_f64(), brief.wall.as_secs_f64());
    let parent = whole.parent_megabytes()?.max(heavy.parent_megabytes()?);
    targets.check(
        &format!(
            "at least 80% of a default run is measuring: {:.1}%",
            100.0 * measuring
        ),
        measuring >= 0.8,
    );
    targets.check(
        &format!("a default run takes at most 90 s: {wall:.1} s"),
        wall <= 90.0,
    );
    targets.check(
        &format!("a budget of 20 s is kept to within 20%: {brief_wall:.1} s"),
        (16.0..=24.0).contains(&brief_wall),
    );
    targets.check(
        &format!("the parent stays under 30 MB: {parent:.1} MB"),
        parent < 30.0,
    );
    targets.check(
        &format!("`onnxprof --help` takes at most 10 ms: {help_ms:.2} ms (median of {HELP_CALLS})"),
        help_ms <= 10.0,
    );
    Ok(targets.exit_code())
}

/// A run that came to its end.
struct Run {
    /// Wall time of the command.
    wall: Duration,
    record: RunRecord,
}

impl Run {
    fn blocks(&self) -> Nanos {
        Nanos(
            self.record
                .blocks
                .iter()
                .map(|block| block.elapsed_ns.0)
                .sum(),
        )
    }

    fn warmups(&self) -> Nanos {
        let cells = self.record.launches.iter().flat_map(|launch| &launch.cells);
        Nanos(cells.map(|cell| cell.warmup.elapsed_ns.0).sum())
    }

    fn loading(&self) -> Nanos {
        let times = self
            .record
            .launches
            .iter()
            .flat_map(|launch| [launch.runtime_start_ns, launch.session_load_ns]);
        Nanos(times.flatten().map(|time| time.0).sum())
    }

    /// Share of the command's wall time.
    fn share(&self, time: Nanos) -> f64 {
        time.as_secs_f64() / self.wall.as_secs_f64()
    }

    /// Peak resident memory of the parent, in 10^6 bytes.
    fn parent_megabytes(&self) -> Result<f64, BenchError> {
        let peak = self
            .record
            .run
            .parent_peak_memory_bytes
            .ok_or("the record does not say what the parent weighed")?;
        Ok(peak.as_f64() / 1e6)
    }
}

fn profile(model: &Path, options: &[&str], folder: &Path) -> Result<Run, BenchError> {
    let start = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_onnxprof"))
        .arg("profile")
        .arg(model)
        .args(options)
        .args(["--quiet", "--out"])
        .arg(folder)
        .stdout(Stdio::null())
        .status()?;
    let wall = start.elapsed();
    if !status.success() {
        return Err(format!("profiling `{}` ended with {status}", model.display()).into());
    }
    Ok(Run {
        wall,
        record: store::load(folder)?,
    })
}

/// Median wall time of `onnxprof --help`, in milliseconds.
fn help_ms() -> Result<f64, BenchError> {
    let mut times = Vec::with_capacity(HELP_CALLS);
    for _ in 0..HELP_CALLS {
        let start = Instant::now();
        Command::new(env!("CARGO_BIN_EXE_onnxprof"))
            .arg("--help")
            .stdout(Stdio::null())
            .status()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    median(&times)
}

/// A matrix product with weights of [`LARGE_MODEL_BYTES`].
fn large_model() -> Vec<u8> {
    const ROWS: usize = 1_000;
    let columns = LARGE_MODEL_BYTES / ROWS / size_of::<f32>();
    let weights = vec![0; LARGE_MODEL_BYTES];
    let shape = vec![ROWS as i64, columns as i64];
    let model = Model {
        ir_version: 8,
        opset_import: vec![OperatorSetId {
            domain: "",
            version: 17,
        }],
        graph: Some(Graph {
            name: "large",
            node: vec![Node {
                op_type: OpType::MatMul,
                input: vec!["x", "weights"],
                output: vec!["y"],
                ..Default::default()
            }],
            initializer: vec![TensorProto::from_raw(
                "weights",
                shape,
                DataType::Float,
                &weights,
            )],
            input: vec![floats("x", ROWS)],
            output: vec![floats("y", columns)],
            ..Default::default()
        }),
        ..Default::default()
    };
    onnx_rs::encode(&model)
}

/// An input or output of `batch` rows.
fn floats(name: &'static str, columns: usize) -> ValueInfo<'static> {
    let dim = |value| TensorShapeDimension {
        value,
        ..Default::default()
    };
    let shape = TensorShape {
        dim: vec![
            dim(Dimension::Param("batch")),
            dim(Dimension::Value(columns as i64)),
        ],
    };
    let tensor = TensorTypeProto {
        elem_type: DataType::Float,
        shape: Some(shape),
    };
    ValueInfo {
        name,
        r#type: Some(TypeProto {
            value: Some(TypeValue::Tensor(tensor)),
            ..Default::default()
        }),
        ..Default::default()
    }
}
