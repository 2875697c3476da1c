//! Runs of `profile` with scripted latencies: real worker processes, the real pipeline, time that
//! is made up.

use std::path::Path;
use std::process::Command;

use onnxprof::analysis::{Change, Verdict, findings};
use onnxprof::observed::Observed;
use onnxprof::plan::CellKey;
use onnxprof::record::{BlockRecord, Pairs, Phase, RunRecord};
use onnxprof::stats::{Buckets, LaunchLatencies};
use onnxprof::store;
use serde_json::{Map, Value, json};

use crate::support::BenchError;

/// Latency of the baseline on a quiet machine: some 60 inferences in a block.
pub const BASELINE_NS: f64 = 500_000.0;
/// Batch sizes of a run, each a comparison of its own.
pub const BATCH_SIZES: u64 = 20;

/// A run to be made.
#[derive(Clone, Copy)]
pub struct Scripted<'a> {
    /// Names and true latency ratios of the candidates; the baseline comes on top.
    pub candidates: &'a [(&'a str, f64)],
    /// Parts of the script's `noise`.
    pub noise: &'a Value,
    pub seed: u64,
    pub rounds: usize,
}

/// What a run says about one candidate at one batch size.
pub struct Compared {
    /// Place among the candidates.
    pub candidate: usize,
    /// Log-ratios, round by round.
    pub rounds: Vec<Vec<f64>>,
    /// The verdict of the findings, where all comparisons of the run are judged together.
    pub together: Verdict,
    /// The finding on the 99th percentile.
    pub p99: Observed<Change>,
    /// Latencies of the candidate's and the baseline's launches.
    pub launches: [Vec<LaunchLatencies>; 2],
}

impl Scripted<'_> {
    /// Runs it in a folder of its own.
    pub fn run(&self) -> Result<Vec<Compared>, BenchError> {
        let folder = tempfile::tempdir()?;
        let mut variants = Map::new();
        for (name, ratio) in [("base", 1.0)].iter().chain(self.candidates) {
            variants.insert(
                (*name).into(),
                json!({ "fixed_ns": (BASELINE_NS * ratio).round() as u64 }),
            );
            std::fs::copy(one_node(), folder.path().join(format!("{name}.onnx")))?;
        }
        let mut noise = self.noise.clone();
        noise["clock"] = "clock".into();
        noise["seed"] = self.seed.into();
        let script = json!({ "variants": variants, "noise": noise });
        std::fs::write(folder.path().join("script.json"), script.to_string())?;
        compared(&self.profile(folder.path())?, self.candidates)
    }

    fn profile(&self, folder: &Path) -> Result<RunRecord, BenchError> {
        let out = folder.join("run");
        let batch_sizes: Vec<String> = (1..=BATCH_SIZES).map(|size| size.to_string()).collect();
        let output = Command::new(env!("CARGO_BIN_EXE_onnxprof"))
            .args([
                "profile",
                "--baseline",
                "base",
                "--quiet",
                "--alternations",
                "8",
                "--pin",
                "none",
            ])
            // Never reached, so that every run has all its rounds.
            .args([
                "--target",
                "0.000001%",
                "--rounds",
                &self.rounds.to_string(),
                "--seed",
                &self.seed.to_string(),
            ])
            .args(["--batch", &batch_sizes.join(",")])
            .arg("--runtime")
            .arg(format!("script:{}", folder.join("script.json").display()))
            .arg("--out")
            .arg(&out)
            .arg(folder)
            .output()?;
        if output.status.success() {
            Ok(store::load(&out)?)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
        }
    }
}

fn one_node() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/fixtures/one-node.onnx")
}

fn compared(record: &RunRecord, candidates: &[(&str, f64)]) -> Result<Vec<Compared>, BenchError> {
    let blocks = |key: CellKey| -> Vec<&BlockRecord> {
        record
            .blocks
            .iter()
            .filter(|block| block.key == key && block.phase == Phase::Timed)
            .collect()
    };
    let findings = findings(record);
    let compared = findings
        .cells
        .iter()
        .filter_map(|cell| Some((cell.key, cell.comparison.as_ref()?)));
    compared
        .map(|(key, comparison)| {
            let name = &record.plan.variant_of(key.session).name;
            let candidate = candidates
                .iter()
                .position(|(candidate, _)| name == candidate);
            let pairs = Pairs::new(&blocks(key), &blocks(comparison.baseline))
                .log_ratios(|block| block.median_ns.as_f64());
            Ok(Compared {
                candidate: candidate.ok_or_else(|| format!("`{name}` was not asked for"))?,
                rounds: pairs,
                together: comparison.p50.verdict,
                p99: comparison.p99.clone(),
                launches: [key, comparison.baseline].map(|key| launches(record, key)),
            })
        })
        .collect()
}

/// Those of which the record holds the latencies.
fn launches(record: &RunRecord, key: CellKey) -> Vec<LaunchLatencies> {
    let launches = record.launches.iter();
    let of_session = launches.filter(|launch| launch.session == key.session);
    of_session
        .flat_map(|launch| launch.cells.iter().map(move |cell| (launch.round, cell)))
        .filter(|(_, cell)| {
            (cell.shape, cell.batch_size, cell.load_mode)
                == (key.shape, key.batch_size, key.load_mode)
        })
        .filter_map(|(round, cell)| {
            let latencies = Buckets::decode(cell.latency_histogram.as_ref()?).ok()?;
            Some(LaunchLatencies { round, latencies })
        })
        .collect()
}
