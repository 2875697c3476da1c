//! A gate that measures two versions of a model in turns: the same model, whose file differs in its
//! metadata alone, and one that has 3% more to do.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use onnxprof::runtime;
use onnxprof::store;

use crate::options::Options;
use crate::real::{chain, root};
use crate::support::{BenchError, Rows, Targets, median};
use crate::tally::Share;

/// Halfway between no change and what is planted.
const RULE: &str = "[[rule]]\ncheck = \"latency_p50 <= 1.015 x baseline\"\n";
/// Wall time of a gate, where none is asked for.
const SECONDS: usize = 15;
/// Operators of the older version; one more is 3% of the time.
const CHAIN: usize = 32;
const DIGITS: &str = "models/digits/digits-fp32.onnx";

/// An entry of `metadata_props` of a model (field 14), with a key and a value: fields of a message
/// may stand in any order, so that it may follow all others.
const METADATA: &[u8] = b"\x72\x0d\x0a\x04note\x12\x05again";

/// Two versions, and what is said of them.
struct Pair {
    what: &'static str,
    old: PathBuf,
    new: PathBuf,
}

/// How gates of one pair came out.
#[derive(Default)]
struct Fared {
    passed: Share,
    inconclusive: Share,
    failed: Share,
    rounds: Vec<f64>,
}

/// How often a gate fails the same model, or says nothing of it, and finds what was planted.
pub fn versions(options: &Options, targets: &mut Targets) -> Result<(), BenchError> {
    let program = program(options)?;
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("gate.toml");
    std::fs::write(&rules, RULE)?;
    let [digits, copy, planted] = pairs(folder.path())?;
    let gates = Gates {
        program: &program,
        rules: &rules,
        seconds: options.seconds.unwrap_or(SECONDS),
    };
    let mut fared = [Fared::default(), Fared::default(), Fared::default()];
    // In turns, so that what the machine does meets all alike.
    for run in 0..options.same.max(options.planted) {
        let seed = options.seed + run as u64;
        let place = run % 2;
        if run < options.same {
            gates.run([&digits, &copy][place], seed, &mut fared[place])?;
        }
        if run < options.planted {
            gates.run(&planted, seed, &mut fared[2])?;
        }
    }
    let mut rows = Rows::new(&[
        "versions",
        "n",
        "passed",
        "inconclusive",
        "failed",
        "rounds",
    ]);
    for (pair, fared) in [&digits, &copy, &planted].into_iter().zip(&fared) {
        let rounds = median(&fared.rounds).unwrap_or_default();
        rows.push(&[
            &pair.what,
            &fared.passed.n(),
            &fared.passed,
            &fared.inconclusive,
            &fared.failed,
            &rounds,
        ]);
    }
    rows.print(&format!(
        "cargo bench --bench validity -- real-gate --same {} --planted {} --seconds {} --seed {}",
        options.same, options.planted, gates.seconds, options.seed
    ));
    check(&fared, targets);
    Ok(())
}

fn check([digits, copy, planted]: &[Fared; 3], targets: &mut Targets) {
    let failed = Share::of_all([digits.failed, copy.failed].iter());
    targets.check(
        &format!("the same model fails at most 5%: {failed}"),
        failed.n() > 0 && failed.value() <= 0.05,
    );
    let inconclusive = Share::of_all([digits.inconclusive, copy.inconclusive].iter());
    targets.check(
        &format!("of the same model less than 10% are inconclusive: {inconclusive}"),
        inconclusive.n() > 0 && inconclusive.value() < 0.1,
    );
    targets.check(
        &format!("3% more is found in at least 90%: {}", planted.failed),
        planted.failed.n() > 0 && planted.failed.value() >= 0.9,
    );
}

/// The program of this build, or the one that is named.
fn program(options: &Options) -> Result<PathBuf, BenchError> {
    let program = options
        .program
        .clone()
        .unwrap_or_else(|| env!("CARGO_BIN_EXE_onnxprof").into());
    runtime::resolve(None, &runtime::Opener::new(&program), &mut |line| {
        eprintln!("{line}");
    })?;
    Ok(program)
}

fn pairs(folder: &Path) -> Result<[Pair; 3], BenchError> {
    let digits = std::fs::read(root().join(DIGITS))?;
    let products = chain(CHAIN);
    let older = written(folder, "chain.onnx", &products)?;
    Ok([
        Pair {
            what: "digits fp32, other metadata",
            old: written(folder, "digits.onnx", &digits)?,
            new: written(folder, "digits-again.onnx", &noted(&digits))?,
        },
        Pair {
            what: "32 products, other metadata",
            old: older.clone(),
            new: written(folder, "chain-again.onnx", &noted(&products))?,
        },
        Pair {
            what: "32 products, one more",
            old: older,
            new: written(folder, "chain-more.onnx", &chain(CHAIN + 1))?,
        },
    ])
}

fn written(folder: &Path, name: &str, model: &[u8]) -> Result<PathBuf, BenchError> {
    let path = folder.join(name);
    std::fs::write(&path, model)?;
    Ok(path)
}

/// The same model in another file.
fn noted(model: &[u8]) -> Vec<u8> {
    [model, METADATA].concat()
}

struct Gates<'a> {
    program: &'a Path,
    rules: &'a Path,
    seconds: usize,
}

impl Gates<'_> {
    fn run(&self, pair: &Pair, seed: u64, fared: &mut Fared) -> Result<(), BenchError> {
        let out = tempfile::tempdir()?;
        let run = out.path().join("run");
        let status = Command::new(self.program)
            .arg("gate")
            .arg(&pair.new)
            .arg("--against")
            .arg(&pair.old)
            .arg("--rules")
            .arg(self.rules)
            .args(["--budget", &format!("{}s", self.seconds)])
            .args(["--seed", &seed.to_string(), "--quiet", "--out"])
            .arg(&run)
            .stdout(Stdio::null())
            .status()?;
        let code = status.code().unwrap_or(-1);
        if ![0, 5, 6].contains(&code) {
            return Err(format!("`gate` ended with {status}").into());
        }
        fared.passed.count(code == 0);
        fared.failed.count(code == 5);
        fared.inconclusive.count(code == 6);
        let record = store::load(&run)?;
        let rounds = record.blocks.iter().map(|block| block.round + 1).max();
        fared.rounds.extend(rounds.map(|rounds| rounds as f64));
        Ok(())
    }
}
