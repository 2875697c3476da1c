//! The batcher's own cost per request: what gathering adds to an inference of the same batch, and
//! what the queue takes.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use onnxprof::engine::{BatchInputs, OnnxRuntime, Runtime, ServedInputs, Session};
use onnxprof::inputs::{self, Dataset, InputPlan};
use onnxprof::measure::{Caller, ServingTarget, serve};
use onnxprof::onnx;
use onnxprof::plan::{
    Arrivals, Batcher, InputRequest, RuntimeChoice, Serving, SessionOptions, SessionSpec, Share,
};
use onnxprof::record::Offer;
use onnxprof::runtime;
use onnxprof::traffic::{Request, arrivals};
use onnxprof::units::{Nanos, PerSecond};

use super::COMMAND;
use super::support::{BenchError, Rows, Targets, median};

const MODEL: &str = "models/fixtures/one-node.onnx";
const SIZES: [u64; 4] = [1, 4, 8, 16];
/// Pairs of blocks of bare and of gathered inferences.
const PAIRS: usize = 101;
const INFERENCES: u32 = 200;
/// What the batcher may take of a request.
const LIMIT_NS: f64 = 5_000.0;

pub fn run(targets: &mut Targets) -> Result<(), BenchError> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = runtime::resolve(
        None,
        &runtime::Opener::new(env!("CARGO_BIN_EXE_onnxprof")),
        &mut |line| eprintln!("{line}"),
    )?
    .path;
    let model = root.join(MODEL);
    let plan = inputs::plan(&onnx::read(&model)?, &InputRequest::default())?;
    let engine = OnnxRuntime::open(&library)?;
    let session = engine.load(&model, &spec(library))?;
    let mut rows = Rows::new(&[
        "batch",
        "copies in and out (ns a request)",
        "queue (ns a request)",
        "both (ns a request)",
        "n (pairs x inferences; requests)",
    ]);
    let mut worst = 0.0_f64;
    for size in SIZES {
        let copies = copies(session.as_ref(), &plan, size)?;
        let queue = queue(size)?;
        worst = worst.max(copies + queue);
        rows.push(&[
            &size,
            &format_args!("{copies:.0}"),
            &format_args!("{queue:.0}"),
            &format_args!("{:.0}", copies + queue),
            &format_args!("{PAIRS} x {INFERENCES}; 11 x 100,000"),
        ]);
    }
    rows.print(&format!("{COMMAND} -- batcher_cost"));
    targets.check(
        &format!("the batcher takes at most {LIMIT_NS} ns of a request: {worst:.0} ns"),
        worst <= LIMIT_NS,
    );
    Ok(())
}

fn spec(library: std::path::PathBuf) -> SessionSpec {
    SessionSpec {
        variant: 0,
        runtime: RuntimeChoice::Library(library),
        execution_provider: "CPUExecutionProvider".into(),
        provider: Default::default(),
        binding: Default::default(),
        options: SessionOptions::default(),
    }
}

/// What gathering adds to an inference of a batch, for each of its requests.
fn copies(session: &dyn Session, plan: &InputPlan, size: u64) -> Result<f64, BenchError> {
    let dataset = Dataset::synthesized(plan, size)?;
    let batch = dataset.batch(0, size)?;
    let mut bare = session.bind(vec![batch.clone()], 1)?.swap_remove(0);
    let axes = plan.batch_axis.axes.iter();
    let served = ServedInputs {
        samples: (0..size)
            .map(|place| dataset.batch(place, 1))
            .collect::<Result<_, _>>()?,
        batches: vec![BatchInputs {
            size,
            inputs: batch,
        }],
        axes: axes
            .map(|(name, &axis)| (name.clone(), axis as usize))
            .collect(),
        seed: 0,
    };
    let mut gathered = session.serve(&served, 1)?.swap_remove(0);
    let samples: Vec<usize> = (0..size as usize).collect();
    let mut added = Vec::new();
    for _ in 0..PAIRS {
        let start = Instant::now();
        for _ in 0..INFERENCES {
            bare.run()?;
        }
        let alone = start.elapsed();
        let start = Instant::now();
        for _ in 0..INFERENCES {
            gathered.run(black_box(&samples))?;
        }
        let together = start.elapsed();
        let difference = together.as_nanos() as f64 - alone.as_nanos() as f64;
        added.push(difference / f64::from(INFERENCES) / size as f64);
    }
    median(&added)
}

/// A caller that does nothing.
struct Nothing;

impl Caller for Nothing {
    type Error = std::convert::Infallible;

    fn run(&mut self, batch: &[Request]) -> Result<(), Self::Error> {
        black_box(batch);
        Ok(())
    }

    fn check(&mut self, _batch: &[Request]) {}
}

/// Time from the first to the last of requests that all come at once, for each of them: sending,
/// waking, taking and counting.
fn queue(size: u64) -> Result<f64, BenchError> {
    const REQUESTS: f64 = 100_000.0;
    let length = Nanos(REQUESTS as u64);
    let serving = Serving {
        batcher: Some(Batcher {
            max_batch: size,
            max_delay_ns: Nanos(0),
            preferred: Vec::new(),
        }),
        ..Serving::single(None)
    };
    let target = ServingTarget {
        serving: &serving,
        length,
        windows: 1,
        start: None,
        model_threads: 1,
        limit: Nanos(u64::MAX / 4),
    };
    let offer = Offer::at(PerSecond(1e9), length, 1);
    let mut times = Vec::new();
    for _ in 0..11 {
        let mut arriving = arrivals(&Arrivals::Constant, &offer, Share::WHOLE)?;
        let segment = serve(&target, arriving.as_mut(), &mut [Nothing]);
        times.push(segment.elapsed.as_f64() / segment.tally.lag.count().max(1) as f64);
    }
    median(&times)
}
