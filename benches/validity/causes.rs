//! Real models that are slow for a known reason: whether the explanation names it.

use std::path::Path;
use std::process::{Command, Stdio};

use onnxprof::analysis::{Clause, Explanation, findings};
use onnxprof::runtime;
use onnxprof::store;

use crate::options::Options;
use crate::support::{BenchError, Rows, Targets};
use crate::tally::Share;

/// A model that is slower than another one for a reason.
struct Cause {
    /// The folder of both, below `models/fixtures/planted`.
    family: &'static str,
    baseline: &'static str,
    /// Whether an explanation names the reason.
    is_named: fn(&Clause) -> bool,
}

const CAUSES: [Cause; 2] = [
    Cause {
        family: "dynamic",
        baseline: "fp32",
        is_named: is_quantizing,
    },
    // Some processors lose nothing by denormal numbers.
    Cause {
        family: "denormals",
        baseline: "normal",
        is_named: is_denormals,
    },
];

/// How often the explanation of a model that is slow for a known reason names it.
pub fn named(options: &Options, targets: &mut Targets) -> Result<(), BenchError> {
    runtime::resolve(
        None,
        &runtime::Opener::new(env!("CARGO_BIN_EXE_onnxprof")),
        &mut |line| eprintln!("{line}"),
    )?;
    let mut rows = Rows::new(&["cause", "n", "named", "slower"]);
    for Cause {
        family,
        baseline,
        is_named,
    } in CAUSES
    {
        let (mut named, mut slower) = (Share::default(), Share::default());
        for run in 0..options.comparisons as u64 {
            let explanation = explained(family, baseline, options.seed + run)?;
            named.count(explanation.clauses.iter().any(is_named));
            slower.count(
                explanation
                    .latency
                    .is_some_and(|latency| latency.session_ns > latency.reference_ns),
            );
        }
        rows.push(&[&family, &named.n(), &named, &slower]);
        targets.check(
            &format!("{family}: the reason is named: {named}"),
            named.may_be(0.9..=1.0),
        );
    }
    rows.print(&format!(
        "cargo bench --bench validity -- real-causes --comparisons {} --seed {}",
        options.comparisons, options.seed
    ));
    Ok(())
}

/// Quantizing inputs while the model runs takes time that the baseline does not.
fn is_quantizing(clause: &Clause) -> bool {
    let Clause::Step {
        step, operators, ..
    } = clause
    else {
        return false;
    };
    step.after_ns > step.before_ns
        && operators
            .iter()
            .any(|added| added.operator == "DynamicQuantizeLinear")
}

fn is_denormals(clause: &Clause) -> bool {
    matches!(clause, Clause::Denormals { flushed_ns, unchanged_ns, .. } if flushed_ns < unchanged_ns)
}

/// The explanation of the model of a family that is no baseline, by a short run.
fn explained(family: &str, baseline: &str, seed: u64) -> Result<Explanation, BenchError> {
    let out = tempfile::tempdir()?;
    let run = out.path().join("run");
    let status = Command::new(env!("CARGO_BIN_EXE_onnxprof"))
        .args([
            "profile",
            "--quiet",
            "--rounds",
            "6",
            "--alternations",
            "2",
            "--block",
            "10ms",
            "--batch",
            "1",
        ])
        .args(["--baseline", baseline, "--seed", &seed.to_string(), "--out"])
        .arg(&run)
        .arg(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("models/fixtures/planted")
                .join(family),
        )
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        return Err(format!("`profile` ended with {status}").into());
    }
    let record = store::load(&run)?;
    let found = findings(&record).causes.explanations.into_iter().next();
    found.ok_or_else(|| format!("nothing of {family} is explained").into())
}
