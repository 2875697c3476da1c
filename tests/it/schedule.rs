//! How a run spends its time: forecast, looks, and cells that rest.

use std::collections::BTreeSet;
use std::time::Duration;

use onnxprof::analysis::{self, SeenRun};
use onnxprof::metric::Metric;
use onnxprof::observed::Observed;
use onnxprof::plan::RuntimeChoice;
use onnxprof::record::{EndReason, NOT_REACHED, RunRecord};
use onnxprof::report::view::{Forecast, ForecastView};
use onnxprof::runner::Diagnosing;
use onnxprof::units::Nanos;
use serde_json::json;

use crate::support::record;
use crate::workbench::{Workbench, cell};

/// A folder with three copies of a model.
fn family(bench: &Workbench) -> std::path::PathBuf {
    for name in ["family/a.onnx", "family/b.onnx", "family/c.onnx"] {
        bench.copy("fixtures/one-node.onnx", name);
    }
    bench.path("family")
}

#[test]
fn plan_says_what_would_be_measured_and_measures_nothing_more() {
    let bench = Workbench::new();
    let variants = json!({
        "a": { "fixed_ns": 100_000, "jitter_ratio": 0.02 },
        "b": { "fixed_ns": 150_000, "jitter_ratio": 0.02 },
        "c": { "fixed_ns": 100_000, "jitter_ratio": 0.02 },
    });
    let output = bench
        .scripted(&family(&bench), &variants, ["--batch", "1,4", "--plan"])
        .run();
    output.assert_code(0);
    for words in [
        "3 sessions (a, b, c)",
        "Cells: 6",
        "Launches: about 48: 16 rounds",
        "minutes",
        "within ± 2.0%",
    ] {
        let text = output.stdout.replace("Sessions: 3 (a", "3 sessions (a");
        assert!(text.contains(words), "`{words}` is missing: {output}");
    }
    assert!(!bench.run_folder().exists(), "{output}");
}

#[test]
fn places_that_a_probe_had_no_time_for_are_forecast_with_that_reason() {
    let mut probe = record::single_variant();
    let places = |probe: &RunRecord| -> Vec<(u64, Observed<()>)> {
        let precision = analysis::precision(probe, &[], &|_| 12, 1);
        precision
            .into_iter()
            .map(|one| (one.at.batch_size, one.half_width.map(|_| ())))
            .collect()
    };
    assert_eq!(places(&probe), [(1, Ok(())), (4, Ok(()))]);
    record::skip(&mut probe, 0, 4, NOT_REACHED);
    assert_eq!(
        places(&probe),
        [(1, Ok(())), (4, Err("the probe had no time for it".into()))]
    );
    record::skip(&mut probe, 0, 4, "throughput has saturated");
    assert_eq!(places(&probe), [(1, Ok(()))]);
}

/// An inference that takes a third of what a probe has: the forecast keeps the budget, and says
/// what a verdict takes.
#[test]
fn the_plan_of_a_slow_model_keeps_the_budget() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    let script = json!({"variants": {"a": {"fixed_ns": 0, "per_sample_ns": 400_000_000}}, "real_time": true});
    let script = bench.write("script.json", script.to_string());
    let output = crate::support::Onnxprof::new()
        .args(["profile", "--plan", "--budget", "4s", "--out"])
        .arg(bench.run_folder())
        .arg(&model)
        .arg("--runtime")
        .arg(format!("script:{}", script.display()))
        .run();
    output.assert_code(0);
    for words in [
        "Time: about 0.1 minutes",
        "Too short for a verdict, which needs about ",
        "too few for an interval; it needs 6",
    ] {
        assert!(
            output.stdout.contains(words),
            "`{words}` is missing: {output}"
        );
    }
    let told = output
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("Too short for a verdict, which needs about "));
    let enough: u64 = told.unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!((6..60).contains(&enough), "{output}");
}

#[test]
fn forecast_rests_on_earlier_runs_of_the_same_models() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    let cache = bench.path("cache");
    let profile = |words: &[&str]| {
        let short = ["--batch", "1", "--alternations", "1", "--block", "1ms"];
        bench
            .profile_of(&model, short)
            .args(words)
            .env("ONNXPROF_CACHE", &cache)
            .run()
    };
    profile(&["--rounds", "6"]).assert_code(0);
    // One run is too few; the probe writes nothing.
    profile(&["--budget", "3s", "--plan"])
        .assert_code(0)
        .assert_stdout("from a probe of seconds");
    let file = std::fs::read_dir(cache.join("spreads"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut seen: Vec<SeenRun> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let record = bench.record();
    assert_eq!(seen, [analysis::seen_run(&record).unwrap()]);

    let of_12 = |seen: &[SeenRun]| {
        analysis::precision(&record, seen, &|_| 12, 1)[0]
            .half_width
            .clone()
            .unwrap()
    };
    assert_eq!(of_12(&seen).runs, 0);
    seen = vec![seen[0].clone(); 3];
    let expected = of_12(&seen);
    let findings = analysis::findings(&record);
    let reached = findings.cells[0]
        .figure(Metric::LatencyP50)
        .unwrap()
        .measured()
        .unwrap()
        .half_width_ratio()
        .unwrap();
    assert_eq!(expected.runs, 3);
    assert!(
        (expected.middle / reached - (6.0_f64 / 12.0).sqrt()).abs() < 1e-9,
        "{expected:?}, reached {reached}"
    );
    assert!(
        expected.low < expected.middle && expected.middle < expected.high,
        "{expected:?}"
    );
    // Those of other models do not count.
    let mut other = record.clone();
    other.variants[0].sha256 = Some("0".into());
    assert_eq!(
        analysis::precision(&other, &seen, &|_| 12, 1)[0]
            .half_width
            .as_ref()
            .unwrap()
            .runs,
        0
    );
}

#[test]
fn nothing_is_recommended_where_too_few_inferences_were_completed() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    // A block holds three inferences at least, and a median needs six.
    let words = [
        "--batch",
        "1",
        "--rounds",
        "1",
        "--alternations",
        "1",
        "--block",
        "1ms",
    ];
    let output = bench
        .scripted(&model, &json!({ "a": { "fixed_ns": 10_000_000 } }), words)
        .run();
    output
        .assert_code(0)
        .assert_stdout("No answer: a verdict takes 6 launches of each variant")
        .assert_stdout(
            "So far: a at batch 1: median 10.0 ms, n = 3 inferences; no interval: needs 6 inferences, has 3.",
        );
    assert!(!output.stdout.contains("Shortest latency"), "{output}");
}

#[test]
fn rounds_that_were_asked_for_are_all_done() {
    let bench = Workbench::new();
    let variants =
        json!({ "a": { "fixed_ns": 1000 }, "b": { "fixed_ns": 1000 }, "c": { "fixed_ns": 1000 } });
    let words = ["--batch", "1", "--rounds", "12", "--alternations", "1"];
    bench
        .scripted(&family(&bench), &variants, words)
        .run()
        .assert_code(0);
    let record = bench.record();
    assert_eq!(record.run.ended_by, Some(EndReason::RoundsDone));
    assert_eq!(record.statistics.unwrap().look_rounds, [0; 0]);
    assert_eq!(
        record.launches.iter().map(|launch| launch.round).max(),
        Some(11)
    );
}

#[test]
fn run_ends_at_a_look_when_every_interval_is_narrow() {
    let bench = Workbench::new();
    let variants = json!({
        "a": { "fixed_ns": 100_000, "jitter_ratio": 0.02 },
        "b": { "fixed_ns": 150_000, "jitter_ratio": 0.02 },
        "c": { "fixed_ns": 100_000, "jitter_ratio": 0.02 },
    });
    bench
        .scripted(
            &family(&bench),
            &variants,
            ["--batch", "1", "--alternations", "1"],
        )
        .run()
        .assert_code(0);
    let record = bench.record();
    assert_eq!(record.run.ended_by, Some(EndReason::TargetReached));
    assert_eq!(
        record.launches.iter().map(|launch| launch.round).max(),
        Some(9)
    );
    assert_eq!(cell(&record, "b", 1).settled_after_rounds, Some(10));
    assert_eq!(cell(&record, "a", 1).settled_after_rounds, None);
}

/// Single predictions of every variant first, and what they say, before anything larger is measured.
#[test]
fn six_launches_of_every_variant_give_an_answer_before_larger_batches() {
    let bench = Workbench::new();
    let variants = json!({
        "a": { "fixed_ns": 100_000, "per_sample_ns": 1_000, "jitter_ratio": 0.02 },
        "b": { "fixed_ns": 50_000, "per_sample_ns": 1_000, "jitter_ratio": 0.02 },
        "c": { "fixed_ns": 150_000, "per_sample_ns": 1_000, "jitter_ratio": 0.02 },
    });
    let words = ["--batch", "1,4", "--alternations", "1", "--block", "1ms"];
    let output = bench.scripted(&family(&bench), &variants, words).run();
    output.assert_code(0);
    let record = bench.record();
    let measured = |rounds: std::ops::Range<u64>| -> BTreeSet<(usize, u64)> {
        let blocks = record.blocks.iter();
        blocks
            .filter(|block| rounds.contains(&block.round))
            .map(|block| (block.key.session, block.key.batch_size))
            .collect()
    };
    assert_eq!(measured(0..6), [(0, 1), (1, 1), (2, 1)].into());
    for round in 0..6 {
        assert_eq!(measured(round..round + 1).len(), 3, "round {round}");
    }
    assert_eq!(measured(6..7).len(), 6, "then every batch size");

    let lines: Vec<&str> = output.stderr.lines().collect();
    let place = |words: &str| {
        let found = lines.iter().position(|line| line.contains(words));
        found.unwrap_or_else(|| panic!("`{words}` is missing: {output}"))
    };
    let answer = lines[place("so far, after 6 launches of each and ")];
    assert!(
        answer.contains(": b is 1.9") || answer.contains(": b is 2.0"),
        "{answer}"
    );
    assert!(
        answer.contains("x faster")
            && answer.contains(" than a; outputs and the machine are judged later"),
        "{answer}"
    );
    assert!(place("round 6,") < place("so far,") && place("so far,") < place("round 7,"));
    let told = lines.iter().filter(|line| line.contains("so far,"));
    assert_eq!(told.count(), 1, "{output}");
    assert!(!output.stderr.contains("has changed"), "{output}");
    assert!(
        output.stdout.contains("b is") || output.stdout.contains("Ship b"),
        "{output}"
    );
}

#[test]
fn a_model_by_itself_is_told_by_its_median_and_too_few_rounds_tell_nothing() {
    for (rounds, is_told) in [("5", false), ("7", true)] {
        let bench = Workbench::new();
        let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
        let variants = json!({ "a": { "fixed_ns": 100_000, "jitter_ratio": 0.02 } });
        let words = ["--batch", "1", "--rounds", rounds, "--block", "1ms"];
        let output = bench.scripted(&model, &variants, words).run();
        output.assert_code(0);
        let told = output
            .stderr
            .contains("so far, after 6 launches of each and ")
            && output.stderr.contains(": a takes ")
            && output.stderr.contains("; the machine is judged later");
        assert_eq!(told, is_told, "{output}");
    }
}

/// `b` is twice as slow, which ten rounds show; that `c` is not takes more, for its latencies
/// wander.
#[test]
fn time_goes_to_the_undecided_once_others_are_settled() {
    let bench = Workbench::new();
    let variants = json!({
        "a": { "fixed_ns": 100_000, "jitter_ratio": 0.02 },
        "b": { "fixed_ns": 200_000, "jitter_ratio": 0.02 },
        "c": { "fixed_ns": 100_000, "jitter_ratio": 0.15 },
    });
    let words = [
        "--batch",
        "1",
        "--alternations",
        "1",
        "--block",
        "1ms",
        "--target",
        "1.75%",
        "--budget",
        "10s",
    ];
    bench
        .scripted(&family(&bench), &variants, words)
        .run()
        .assert_code(0);
    let record = bench.record();
    let rounds = |name: &str| {
        let key = cell(&record, name, 1).key;
        let rounds = record
            .blocks
            .iter()
            .filter(|block| block.key == key)
            .map(|block| block.round);
        rounds.collect::<BTreeSet<u64>>().len()
    };
    // Whether 10 s are enough for `c` is up to chance.
    assert!(matches!(
        record.run.ended_by,
        Some(EndReason::TargetReached | EndReason::BudgetSpent)
    ));
    assert_eq!(
        (cell(&record, "b", 1).settled_after_rounds, rounds("b")),
        (Some(10), 10)
    );
    // The baseline is measured for as long as one of the others.
    assert!(
        rounds("c") > 10 && rounds("a") == rounds("c"),
        "{} {}",
        rounds("a"),
        rounds("c")
    );
    assert_eq!(
        record.accuracy.len(),
        3,
        "what rests from rounds does not rest from scoring"
    );
}

#[test]
fn launches_beside_the_rounds_are_part_of_the_forecast() {
    let mut plan = record::digits().plan;
    plan.idle_gaps_ns = vec![Nanos(0), Nanos(10_000_000)];
    // 90 s: 4% after the first rounds and 4% after the last ones, 15%, 4% and 5%, but no more than
    // 25% in all.
    let secs = Duration::from_secs_f64;
    let beside = Diagnosing::of(&plan);
    let expected = Diagnosing {
        profiles: secs(7.2),
        denormals: secs(1.8),
        peaks: secs(0.0),
        idle_gaps: secs(13.5),
    };
    assert_eq!((beside, beside.total()), (expected, secs(22.5)));
    plan.batch_sizes = vec![1];
    plan.idle_gaps_ns.clear();
    assert_eq!(
        Diagnosing::of(&plan).total(),
        secs(11.7),
        "no second profile, and no gaps"
    );

    let names = vec!["fp32".to_owned()];
    let view = ForecastView::new(Forecast {
        plan: &plan,
        names: &names,
        rounds: 8,
        alternations: 2,
        time: secs(60.0),
        most_time: secs(60.0),
        beside: &[
            ("operator profiles", secs(9.0)),
            ("idle gaps", Duration::ZERO),
            ("peaks", secs(4.5)),
        ],
        stretches_time: Duration::ZERO,
        enough_budget: None,
        machine: None,
        precision: &[],
    });
    let told =
        "Launches beside the rounds: up to 13.5 s in all: operator profiles 9.0 s and peaks 4.5 s.";
    assert!(
        view.lines.iter().any(|line| line == told),
        "{:?}",
        view.lines
    );
    for session in &mut plan.sessions {
        session.runtime = RuntimeChoice::Script("script.json".into());
    }
    assert_eq!(
        Diagnosing::of(&plan).total(),
        Duration::ZERO,
        "scripts are neither profiled nor contrasted"
    );
}
