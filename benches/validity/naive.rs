//! What a simple tool would say on the same machines: the means of two runs, one after the other.

use std::path::Path;

use onnxprof::engine;
use onnxprof::measure::Clock;
use onnxprof::plan::{RuntimeChoice, SessionOptions, SessionSpec};
use serde_json::{Value, json};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::kinds::kinds;
use crate::options::Options;
use crate::pipeline::{BASELINE_NS, Scripted};
use crate::scripted::{ROUNDS, differs, floor, paired};
use crate::support::{BenchError, Rows, Targets};
use crate::tally::{Share, written};

const COMPARISONS: usize = 2_000;
/// Comparisons on one machine, so that its virtual time stays as short as a run's.
const ON_ONE_MACHINE: usize = 50;
/// Runs of `profile` of 20 comparisons, to stand beside.
const RUNS: usize = 10;
const ITERATIONS: usize = 100;
const WARMUP_ITERATIONS: usize = 10;
/// Time between both runs: a process starts and loads.
const LOAD_NS: u64 = 200_000_000;
/// Any change of means beyond this is called real.
const CALLED_REAL: f64 = 0.02;

/// How often a model is called different from itself, by two simple rules and by `profile`.
pub fn beside(options: &Options, _: &mut Targets) -> Result<(), BenchError> {
    let mut rows = Rows::new(&[
        "noise",
        "n",
        "means of 100 differ by 2%",
        "Welch's t, p < 0.05",
        "n of profile",
        "profile: verdict",
        "profile: interval leaves 1 out",
    ]);
    for (place, (name, noise)) in kinds().into_iter().enumerate() {
        let (mut means, mut welch) = (Share::default(), Share::default());
        for machine in 0..options.scaled(COMPARISONS).div_ceil(ON_ONE_MACHINE) {
            let seed = options.seed + 300_000 + 1_000 * (place as u64) + machine as u64;
            for [one, other] in sequential_runs(&noise, seed)? {
                means.count((mean(&other) / mean(&one) - 1.0).abs() > CALLED_REAL);
                welch.count(welch_p(&one, &other)? < 0.05);
            }
        }
        let (mut verdicts, mut missed) = (Share::default(), Share::default());
        for run in 0..options.scaled(RUNS) as u64 {
            let seed = options.seed + 400_000 + 1_000 * place as u64 + run;
            let scripted = Scripted {
                candidates: &[("copy", 1.0)],
                noise: &noise,
                seed,
                rounds: ROUNDS,
            };
            for compared in scripted.run()? {
                let paired = paired(&compared.rounds)?;
                verdicts.count(differs(
                    paired
                        .evidence(floor())
                        .relation(onnxprof::stats::END_ERROR),
                ));
                missed.count(
                    paired
                        .interval()
                        .is_none_or(|interval| !interval.contains(1.0)),
                );
            }
        }
        rows.push(&[
            &name,
            &means.n(),
            &means,
            &welch,
            &verdicts.n(),
            &verdicts,
            &missed,
        ]);
    }
    rows.print(&written("naive", options));
    Ok(())
}

/// Latencies of one process and of the next, on a machine of its own.
fn sequential_runs(noise: &Value, seed: u64) -> Result<Vec<[Vec<f64>; 2]>, BenchError> {
    let folder = tempfile::tempdir()?;
    let mut noise = noise.clone();
    noise["clock"] = "clock".into();
    noise["seed"] = seed.into();
    let script = folder.path().join("script.json");
    let variants = json!({ "base": { "fixed_ns": BASELINE_NS as u64, "load_ns": LOAD_NS } });
    std::fs::write(
        &script,
        json!({ "variants": variants, "noise": noise }).to_string(),
    )?;
    (0..ON_ONE_MACHINE)
        .map(|_| Ok([process(&script)?, process(&script)?]))
        .collect()
}

/// Latencies as a process of its own would meet them.
fn process(script: &Path) -> Result<Vec<f64>, BenchError> {
    let choice = RuntimeChoice::Script(script.to_owned());
    let runtime = engine::open(&choice)?;
    let spec = SessionSpec {
        variant: 0,
        runtime: choice,
        execution_provider: "CPUExecutionProvider".into(),
        provider: Default::default(),
        binding: Default::default(),
        options: SessionOptions::default(),
    };
    let session = runtime.load(Path::new("base.onnx"), &spec)?;
    let mut inference = session.bind(Vec::new(), 1)?.swap_remove(0);
    let clock = runtime.clock();
    let mut timed = || -> Result<f64, BenchError> {
        let start = clock.now();
        inference.run()?;
        Ok(clock.now().since(start).as_f64())
    };
    for _ in 0..WARMUP_ITERATIONS {
        timed()?;
    }
    (0..ITERATIONS).map(|_| timed()).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Welch's t-test of equal means, two-sided (Welch, *Biometrika* 34, 1947).
fn welch_p(one: &[f64], other: &[f64]) -> Result<f64, BenchError> {
    let squared_error = |values: &[f64]| {
        let (n, centre) = (values.len() as f64, mean(values));
        values
            .iter()
            .map(|value| (value - centre).powi(2))
            .sum::<f64>()
            / (n - 1.0)
            / n
    };
    let (own, theirs) = (squared_error(one), squared_error(other));
    if own + theirs == 0.0 {
        return Ok(1.0);
    }
    let freedom = (own + theirs).powi(2)
        / (own.powi(2) / (one.len() as f64 - 1.0) + theirs.powi(2) / (other.len() as f64 - 1.0));
    let t = (mean(one) - mean(other)).abs() / (own + theirs).sqrt();
    Ok(2.0 * StudentsT::new(0.0, 1.0, freedom)?.sf(t))
}
