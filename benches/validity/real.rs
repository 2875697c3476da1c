//! Real models: against their copies, and with one more operator than the baseline.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use onnx_rs::ast::{
    DataType, Dimension, Graph, Model, Node, OpType, OperatorSetId, TensorProto, TensorShape,
    TensorShapeDimension, TensorTypeProto, TypeProto, TypeValue, ValueInfo,
};
use onnxprof::analysis::{Change, Comparison, Interval, Verdict, findings};
use onnxprof::plan::{RuntimeChoice, SessionOptions, SessionSpec};
use onnxprof::record::RunRecord;
use onnxprof::runtime;
use onnxprof::sample::affinity;
use onnxprof::stats::PairedRatio;
use onnxprof::store;
use tempfile::TempDir;

use crate::options::{Machine, Options};
use crate::spawned::{self, Independent, Setup, TimedLoop};
use crate::support::{BenchError, Rows, Targets, median};
use crate::tally::Share;

pub const MODELS: [&str; 3] = [
    "models/fixtures/one-node.onnx",
    "models/digits/digits-fp32.onnx",
    "models/fixtures/conv-milliseconds.onnx",
];
const THREADS: [usize; 2] = [1, 2];
/// Seconds for each pair, where none are asked for.
const BUDGETS: [usize; 3] = [5, 10, 20];
/// Copies in a run, each a comparison with the original.
pub const COPIES: usize = 3;

/// A real run.
#[derive(Clone, Copy)]
pub struct Real<'a> {
    pub folder: &'a Path,
    pub threads: usize,
    pub seconds: usize,
    pub seed: u64,
    /// What `--pin` is given.
    pub pin: &'a str,
}

impl Real<'_> {
    /// The comparisons with `base` of all other models of the folder, at batch size 1.
    fn comparisons(&self) -> Result<Vec<Comparison>, BenchError> {
        Ok(findings(&self.record()?)
            .cells
            .iter()
            .filter_map(|cell| cell.comparison.clone())
            .collect())
    }

    /// The models of the folder beside `base`, at batch size 1.
    pub fn record(&self) -> Result<RunRecord, BenchError> {
        let out = tempfile::tempdir()?;
        let run = out.path().join("run");
        let status = Command::new(env!("CARGO_BIN_EXE_onnxprof"))
            .args([
                "profile",
                "--baseline",
                "base",
                "--quiet",
                "--batch",
                "1",
                "--target",
                "0.000001%",
            ])
            .args([
                "--intra-threads",
                &self.threads.to_string(),
                "--seed",
                &self.seed.to_string(),
            ])
            .args(["--pin", self.pin])
            .args(["--budget", &format!("{}s", self.seconds), "--out"])
            .arg(&run)
            .arg(self.folder)
            .stdout(Stdio::null())
            .status()?;
        if !status.success() {
            return Err(format!("`profile` ended with {status}").into());
        }
        Ok(store::load(&run)?)
    }
}

/// How often a real model is called different from its copies.
pub fn itself(options: &Options, targets: &mut Targets) -> Result<(), BenchError> {
    runtime::resolve(
        None,
        &runtime::Opener::new(env!("CARGO_BIN_EXE_onnxprof")),
        &mut |line| eprintln!("{line}"),
    )?;
    let mut rows = Rows::new(&[
        "model",
        "threads",
        "machine",
        "seconds a pair",
        "n",
        "false verdicts",
        "interval leaves 1 out",
        "half-width, median",
        "half-width, p90",
    ]);
    let budgets = options
        .seconds
        .map_or(BUDGETS.to_vec(), |seconds| vec![seconds]);
    let all_threads = options
        .threads
        .map_or(THREADS.to_vec(), |threads| vec![threads]);
    let machines = options
        .machine
        .map_or(vec![Machine::Idle, Machine::Busy], |machine| vec![machine]);
    for model in MODELS {
        let folder = with_copies(model)?;
        for &threads in &all_threads {
            for &machine in &machines {
                for &seconds in &budgets {
                    let real = Real {
                        folder: folder.path(),
                        threads,
                        seconds: seconds * COPIES,
                        seed: options.seed,
                        pin: "auto",
                    };
                    let fared = repeated(&real, machine, options.comparisons)?;
                    let half_widths = [fared.half_width(0.5), fared.half_width(0.9)];
                    rows.push(&[
                        &model,
                        &threads,
                        &format_args!("{machine:?}"),
                        &seconds,
                        &fared.false_verdicts.n(),
                        &fared.false_verdicts,
                        &fared.missed,
                        &half_widths[0],
                        &half_widths[1],
                    ]);
                    targets.check(
                        &format!(
                            "{model}, {threads} threads, {machine:?}, {seconds} s: false at most 5%: {}; half-width {}",
                            fared.false_verdicts, half_widths[0]
                        ),
                        fared.false_verdicts.may_be(0.0..=0.05),
                    );
                }
            }
        }
    }
    rows.print(&command(options, "real"));
    Ok(())
}

/// A folder with the model as `base` and its copies.
pub fn with_copies(model: &str) -> Result<TempDir, BenchError> {
    let folder = tempfile::tempdir()?;
    for name in
        std::iter::once("base".to_owned()).chain((1..=COPIES).map(|copy| format!("copy-{copy}")))
    {
        std::fs::copy(
            root().join(model),
            folder.path().join(format!("{name}.onnx")),
        )?;
    }
    Ok(folder)
}

pub fn command(options: &Options, experiment: &str) -> String {
    let Options {
        comparisons, seed, ..
    } = options;
    let seconds = options
        .seconds
        .map(|seconds| format!(" --seconds {seconds}"))
        .unwrap_or_default();
    format!(
        "cargo bench --bench validity -- {experiment} --comparisons {comparisons}{seconds} --seed {seed}"
    )
}

/// How comparisons of a model with itself came out.
#[derive(Default)]
struct Fared {
    false_verdicts: Share,
    missed: Share,
    half_widths: Vec<f64>,
}

impl Fared {
    fn note(&mut self, comparison: &Comparison) {
        let interval = comparison.p50.ratio.interval();
        self.false_verdicts.count(matches!(
            comparison.p50.verdict,
            Verdict::Faster | Verdict::Slower
        ));
        self.missed
            .count(interval.is_none_or(|interval| !holds(interval, 1.0)));
        self.half_widths
            .extend(interval.map(|interval| (interval.high / interval.low).ln() / 2.0));
    }

    /// Nearest rank, in percent.
    fn half_width(&self, share: f64) -> String {
        let mut sorted = self.half_widths.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
        sorted
            .get(rank - 1)
            .map_or_else(|| "none".into(), |width| format!("{:.2}%", 100.0 * width))
    }
}

fn holds(interval: Interval, value: f64) -> bool {
    (interval.low..=interval.high).contains(&value)
}

fn repeated(real: &Real<'_>, machine: Machine, comparisons: usize) -> Result<Fared, BenchError> {
    let mut fared = Fared::default();
    on(machine, || {
        for run in 0..comparisons.div_ceil(COPIES) as u64 {
            let all = Real {
                seed: real.seed + run,
                ..*real
            }
            .comparisons()?;
            all.iter().for_each(|comparison| fared.note(comparison));
        }
        Ok(())
    })?;
    Ok(fared)
}

/// Does something while the machine does what it is to do else.
pub fn on<T>(
    machine: Machine,
    work: impl FnOnce() -> Result<T, BenchError>,
) -> Result<T, BenchError> {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        if machine == Machine::Busy {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let measured = work();
        done.store(true, Ordering::Relaxed);
        measured
    })
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Operators in the baseline's chain.
const CHAIN: usize = 32;
/// Candidates and how many operators they have on top.
const EXTRA: [(&str, usize); 3] = [("more-1", 1), ("more-2", 2), ("more-4", 4)];
const LAUNCHES: usize = 12;
const ALTERNATIONS: usize = 8;
/// Where none are asked for.
const PLANTED_SECONDS: usize = 10;

/// Whether operators that were added are found, and the change agrees with that seen by an
/// independent loop in C.
pub fn planted(options: &Options, targets: &mut Targets) -> Result<(), BenchError> {
    let seconds = options.seconds.unwrap_or(PLANTED_SECONDS);
    let scratch = tempfile::tempdir()?;
    let program = scratch.path().join("agreement");
    spawned::compile(&root().join("benches/agreement.c"), &program)?;
    let library = runtime::resolve(
        None,
        &runtime::Opener::new(env!("CARGO_BIN_EXE_onnxprof")),
        &mut |line| eprintln!("{line}"),
    )?
    .path;
    let threads = options.threads.unwrap_or(1);
    let machine = options.machine.unwrap_or(Machine::Idle);
    let mut rows = Rows::new(&[
        "operators",
        "threads",
        "machine",
        "C loop (95% interval)",
        "seconds a run",
        "n",
        "called slower",
        "or told what would settle it",
        "agrees with C",
        "profile, median",
    ]);
    for (name, extra) in EXTRA {
        let folder = tempfile::tempdir()?;
        let models = [("base", CHAIN), (name, CHAIN + extra)]
            .map(|(name, count)| (folder.path().join(format!("{name}.onnx")), count));
        for (path, count) in &models {
            std::fs::write(path, chain(*count))?;
        }
        let expected = independent(&program, &library, &models.map(|(path, _)| path))?;
        let expected = expected
            .interval()
            .ok_or("the loop in C gave no interval")?;
        let real = Real {
            folder: folder.path(),
            threads,
            seconds,
            seed: options.seed,
            pin: "auto",
        };
        let Found {
            slower,
            found_or_told,
            agrees,
            values,
        } = on(machine, || {
            found(&real, options.comparisons as u64, expected)
        })?;
        let seen = format!("{:.4} to {:.4}", expected.low, expected.high);
        let value = format!("{:.4}", median(&values)?);
        rows.push(&[
            &format_args!("{CHAIN} + {extra}"),
            &threads,
            &format_args!("{machine:?}"),
            &seen,
            &seconds,
            &slower.n(),
            &slower,
            &found_or_told,
            &agrees,
            &value,
        ]);
        targets.check(
            &format!("{extra} more operators are found, or the report says what would find them: {found_or_told}"),
            found_or_told.may_be(0.95..=1.0),
        );
        targets.check(
            &format!("their cost agrees with the loop in C: {agrees}"),
            agrees.may_be(0.93..=1.0),
        );
    }
    rows.print(&command(options, "real-planted"));
    Ok(())
}

/// What runs say of operators that were added.
#[derive(Default)]
struct Found {
    slower: Share,
    found_or_told: Share,
    agrees: Share,
    values: Vec<f64>,
}

fn found(real: &Real<'_>, runs: u64, expected: Interval) -> Result<Found, BenchError> {
    let mut found = Found::default();
    for run in 0..runs {
        let real = Real {
            seed: real.seed + run,
            ..*real
        };
        for comparison in real.comparisons()? {
            found.note(&comparison.p50, expected);
        }
    }
    Ok(found)
}

impl Found {
    fn note(&mut self, change: &Change, expected: Interval) {
        let is_slower = change.verdict == Verdict::Slower;
        self.slower.count(is_slower);
        self.found_or_told
            .count(is_slower || change.rounds_to_settle.is_some());
        let interval = change.ratio.interval();
        self.agrees
            .count(interval.is_some_and(|interval| interval.overlaps(expected)));
        self.values.extend(change.ratio.value());
    }
}

/// The second model's median over the first's, by processes of the loop in C that take turns.
fn independent(
    program: &Path,
    library: &Path,
    models: &[PathBuf; 2],
) -> Result<PairedRatio, BenchError> {
    let cpus = affinity::own_affinity()?;
    let cpu = *cpus.last().ok_or("this process may use no CPU")?;
    let mut setups = Vec::new();
    for model in models {
        let spec = SessionSpec {
            variant: 0,
            runtime: RuntimeChoice::Library(library.to_owned()),
            execution_provider: "CPUExecutionProvider".into(),
            provider: Default::default(),
            binding: Default::default(),
            options: SessionOptions::default(),
        };
        let described = spawned::describe(model)?;
        setups.push(Setup {
            library: library.to_owned(),
            model: model.clone(),
            described,
            spec,
            cpu,
        });
    }
    let mut launches = Vec::new();
    for _ in 0..LAUNCHES {
        let mut loops = [
            Independent::start(program, &setups[0])?,
            Independent::start(program, &setups[1])?,
        ];
        let mut pairs = Vec::new();
        for alternation in 0..ALTERNATIONS {
            let mut medians = [0.0; 2];
            for place in if alternation % 2 == 0 { [0, 1] } else { [1, 0] } {
                medians[place] = loops[place].block()?;
            }
            pairs.push((medians[1] / medians[0]).ln());
        }
        launches.push(pairs);
    }
    PairedRatio::of(&launches).ok_or_else(|| "nothing was measured".into())
}

/// Matrix products in a row, each with the same weights.
pub fn chain(count: usize) -> Vec<u8> {
    const SIDE: usize = 128;
    let one = (1.0 / SIDE as f32).to_le_bytes();
    let weights: Vec<u8> = one
        .iter()
        .copied()
        .cycle()
        .take(SIDE * SIDE * one.len())
        .collect();
    let mut names: Vec<String> = (0..count).map(|place| format!("x{place}")).collect();
    // However many there are, it is one kind of model.
    names.push("y".into());
    let node = |place: usize| Node {
        op_type: OpType::MatMul,
        input: vec![names[place].as_str(), "weights"],
        output: vec![names[place + 1].as_str()],
        ..Default::default()
    };
    let floats = |name| {
        let dim = |value| TensorShapeDimension {
            value,
            ..Default::default()
        };
        let sides = [
            Dimension::Param("batch"),
            Dimension::Value(SIDE as i64),
            Dimension::Value(SIDE as i64),
        ];
        let shape = TensorShape {
            dim: sides.map(dim).into(),
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
    };
    let shape = vec![SIDE as i64, SIDE as i64];
    let model = Model {
        ir_version: 8,
        opset_import: vec![OperatorSetId {
            domain: "",
            version: 17,
        }],
        graph: Some(Graph {
            name: "chain",
            node: (0..count).map(node).collect(),
            initializer: vec![TensorProto::from_raw(
                "weights",
                shape,
                DataType::Float,
                &weights,
            )],
            input: vec![floats(names[0].as_str())],
            output: vec![floats(names[count].as_str())],
            ..Default::default()
        }),
        ..Default::default()
    };
    onnx_rs::encode(&model)
}
