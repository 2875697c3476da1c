//! A reduced form of `cargo bench --bench validity`: on noisy scripted machines, a model is not
//! called different from itself, and a slowdown of known size is found.

use onnxprof::analysis::{Comparison, Verdict, findings};
use serde_json::json;

#[path = "../../benches/validity/kinds.rs"]
mod kinds;

use crate::workbench::Workbench;
use kinds::kinds;

/// A name and the parts of a script's `noise`.
type Kind = (&'static str, serde_json::Value);

const ONE_NODE: &str = "fixtures/one-node.onnx";
/// Batch sizes of a run, each a comparison of its own.
const COMPARISONS: usize = 24;

/// Compares a candidate of a true latency ratio with the baseline at every batch size, on a machine
/// with noise.
fn comparisons(noise: &serde_json::Value, ratio: f64, alternations: &str) -> Vec<Comparison> {
    let bench = Workbench::new();
    for name in ["base", "candidate"] {
        bench.copy(ONE_NODE, &format!("models/{name}.onnx"));
    }
    let mut noise = noise.clone();
    noise["clock"] = "clock".into();
    noise["seed"] = 1.into();
    let latency = |ratio: f64| json!({ "fixed_ns": (5e5 * ratio).round() as u64 });
    let script = json!({ "variants": { "base": latency(1.0), "candidate": latency(ratio) }, "noise": noise });
    let batch_sizes: Vec<String> = (1..=COMPARISONS).map(|size| size.to_string()).collect();
    let words = [
        "--baseline",
        "base",
        "--rounds",
        "6",
        "--pin",
        "none",
        "--target",
        "0.0001%",
    ];
    bench
        .scripted_machine(&bench.path("models"), &script, words)
        .args([
            "--alternations",
            alternations,
            "--batch",
            &batch_sizes.join(","),
        ])
        .run()
        .assert_code(0);
    findings(&bench.record())
        .cells
        .iter()
        .filter_map(|cell| cell.comparison.clone())
        .collect()
}

/// The same for each kind of noise at once, as their time is virtual.
fn for_each_kind(
    kinds: Vec<Kind>,
    ratio: f64,
    alternations: &'static str,
) -> Vec<(&'static str, Vec<Comparison>)> {
    let compare = move |(name, noise): Kind| (name, comparisons(&noise, ratio, alternations));
    let threads: Vec<_> = kinds
        .into_iter()
        .map(|kind| std::thread::spawn(move || compare(kind)))
        .collect();
    threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect()
}

#[test]
fn a_model_is_not_called_different_from_itself_whatever_the_noise() {
    for (name, comparisons) in for_each_kind(kinds(), 1.0, "2") {
        assert_eq!(comparisons.len(), COMPARISONS, "{name}");
        let is_false = |comparison: &&Comparison| {
            matches!(comparison.p50.verdict, Verdict::Faster | Verdict::Slower)
        };
        let false_verdicts = comparisons.iter().filter(is_false).count();
        // With 4% each, more than 5 of 24 come by chance once in 2,000 times.
        assert!(
            false_verdicts <= 5,
            "{name}: {false_verdicts} of {COMPARISONS}"
        );
    }
}

#[test]
fn a_planted_slowdown_is_found_and_its_size_is_inside_the_intervals() {
    let some = kinds()
        .into_iter()
        .filter(|(name, _)| ["white", "two speeds"].contains(name))
        .collect();
    for (name, comparisons) in for_each_kind(some, 1.05, "3") {
        let slower = comparisons
            .iter()
            .filter(|comparison| comparison.p50.verdict == Verdict::Slower)
            .count();
        let holds = |comparison: &&Comparison| {
            comparison
                .p50
                .ratio
                .interval()
                .is_some_and(|interval| (interval.low..=interval.high).contains(&1.05))
        };
        let held = comparisons.iter().filter(holds).count();
        assert!(
            slower * 10 >= COMPARISONS * 8,
            "{name}: {slower} of {COMPARISONS} found"
        );
        assert!(
            held >= COMPARISONS - 5,
            "{name}: {held} of {COMPARISONS} hold the truth"
        );
    }
}
