//! What a search answers, and what it refuses.

use onnxprof::plan::GraphOptimization;
use onnxprof::record::{EndReason, Fate, Stage};
use serde_json::json;

use super::{assert_says, champion, fate_of, found, tune};
use crate::support::{BAD_INPUT, Onnxprof, UNDECIDED, USAGE, model};
use crate::workbench::Workbench;

/// Nothing but threads and batch sizes.
const KEEP: [&str; 2] = ["--keep", "optimization,execution,spinning,arena,pattern"];

#[test]
fn the_fastest_threads_and_batch_size_win_under_noise() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    // Per prediction: 100 us at batch 1, 32.5 us at batch 4; two threads take 0.6 times as long.
    let variants = json!({"a": {"fixed_ns": 90_000, "per_sample_ns": 10_000,
        "options": [{"intra_threads": 2, "latency_ratio": 0.6}]}});
    let words = [&["--batch", "1,4", "--intra-threads", "1,2"][..], &KEEP].concat();
    let output = tune(&bench, &model, &variants, &words).run();
    output.assert_code(0);
    let record = bench.record();
    let (key, spec) = champion(&record);
    assert_eq!(
        (spec.options.intra_threads, key.batch_size),
        (2, 4),
        "{output}"
    );
    assert_eq!(record.run.ended_by, Some(EndReason::SearchDone));
    let of_defaults = fate_of(&record, |key| key.session == 0 && key.batch_size == 1);
    assert!(
        matches!(of_defaults, Some(Fate::Worse(_))),
        "{of_defaults:?}"
    );
    let gain = &found(&bench)["gain"];
    let interval = |end: &str| gain["interval"][end].as_f64().unwrap();
    // 32.5 x 0.6 over 100.
    assert!(
        interval("low") < 0.195 && 0.195 < interval("high") && interval("high") < 0.21,
        "{gain}"
    );
    assert_says(
        &output,
        &[
            "Ship: a (2 intra-op threads) at batch 4",
            "Throughput over the defaults: 5.",
            "with_intra_threads(2)",
        ],
    );
}

#[test]
fn options_are_varied_around_the_best_one() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    let variants = json!({"a": {"fixed_ns": 100_000, "options": [
        {"memory_arena": false, "latency_ratio": 1.5},
        {"graph_optimization": "extended", "latency_ratio": 0.7},
        {"allow_spinning": false, "latency_ratio": 0.8},
    ]}});
    let words = [
        "--objective",
        "latency",
        "--intra-threads",
        "1",
        "--keep",
        "execution",
    ];
    let output = tune(&bench, &model, &variants, &words).run();
    output.assert_code(0);
    let record = bench.record();
    let (_, spec) = champion(&record);
    let options = &spec.options;
    assert_eq!(
        (
            options.graph_optimization,
            options.allow_spinning,
            options.memory_arena
        ),
        (GraphOptimization::Extended, Some(false), None),
        "{output}"
    );
    let stages: Vec<Stage> = record
        .tuning
        .as_ref()
        .unwrap()
        .heats
        .iter()
        .map(|heat| heat.stage)
        .collect();
    assert!(
        stages.contains(&Stage::Options) && stages.last() == Some(&Stage::Final),
        "{stages:?}"
    );
    assert_says(
        &output,
        &[
            "Median latency over the defaults: 1.",
            "ORT_ENABLE_EXTENDED",
            "AddConfigEntry(\"session.intra_op.allow_spinning\", \"0\")",
        ],
    );
}

#[test]
fn least_memory_wins_where_memory_is_the_objective() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    let variants = json!({"a": {"fixed_ns": 100_000, "options": [
        {"intra_threads": 1, "memory_bytes": 60_000_000}, {"intra_threads": 2, "memory_bytes": 20_000_000},
    ]}});
    let words = [
        &["--objective", "memory", "--intra-threads", "1,2"][..],
        &KEEP,
    ]
    .concat();
    tune(&bench, &model, &variants, &words).run().assert_code(0);
    assert_eq!(champion(&bench.record()).1.options.intra_threads, 2);
}

/// Of batch sizes with the same throughput, the one that answers sooner is taken, and the answer
/// says so.
#[test]
fn of_those_that_do_as_well_the_one_with_the_lower_latency_is_taken() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    // Per prediction: 60 us at batch 1, 50.3 us at batch 32, 50.2 us at batch 64.
    let variants = json!({"a": {"fixed_ns": 10_000, "per_sample_ns": 50_000}});
    let words = [&["--batch", "1,32,64", "--intra-threads", "1"][..], &KEEP].concat();
    let output = tune(&bench, &model, &variants, &words).run();
    output.assert_code(0);
    let found = found(&bench);
    let best = &found["candidates"][found["best"].as_u64().unwrap() as usize];
    assert_eq!(
        (&best["key"]["batch_size"], &best["state"]),
        (&json!(32), &json!("best")),
        "{output}"
    );
    let at_64 = found["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["key"]["batch_size"] == 64)
        .unwrap();
    assert_eq!(at_64["state"], "as_good", "{at_64}");
    if champion(&bench.record()).0.batch_size == 64 {
        assert_eq!(found["preference"]["criterion"], "latency", "{found}");
        assert_says(
            &output,
            &[
                "Taken for the lower median latency, -49.",
                "a at batch 64, which does as well",
            ],
        );
    }
    assert_says(
        &output,
        &[
            "Ship: a at batch 32",
            "vs best: throughput against the best one's",
        ],
    );
}

/// A limit far above what was measured is told as a factor, and a limit on the wrong side is
/// refused.
#[test]
fn an_slo_that_is_far_away_is_told_as_a_factor() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    let variants = json!({"a": {"fixed_ns": 100_000}});
    let words = [
        "--slo",
        "latency_p50<=1us",
        "--slo",
        "throughput>=5000000/s",
        "--intra-threads",
        "1",
        "--batch",
        "1",
    ];
    let output = tune(&bench, &model, &variants, &[&words[..], &KEEP].concat()).run();
    output.assert_code(7);
    assert_says(&output, &["broken: 1", "x as much.", "broken: 0.2% of it."]);
}

#[test]
fn a_slower_configuration_wins_if_it_alone_keeps_the_slo() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    // Batch 8 gives most predictions per second, but takes 170 us; batch 16 would take even longer.
    let variants = json!({"a": {"fixed_ns": 90_000, "per_sample_ns": 10_000}});
    let slo = [
        "--slo",
        "latency_p50<=140us",
        "--batch",
        "1,2,4,8,16",
        "--intra-threads",
        "1",
    ];
    let output = tune(&bench, &model, &variants, &[&slo[..], &KEEP].concat()).run();
    output.assert_code(0);
    let record = bench.record();
    assert_eq!(champion(&record).0.batch_size, 4, "{output}");
    let at = |batch_size| fate_of(&record, |key| key.batch_size == batch_size);
    assert!(matches!(at(8), Some(Fate::BreaksSlo(_))), "{:?}", at(8));
    assert!(
        matches!(at(16), Some(Fate::BreaksSlo(_) | Fate::BeyondSlo { .. })),
        "{:?}",
        at(16)
    );
    assert_says(&output, &["latency_p50<=140us: 1", "kept"]);
}

#[test]
fn an_slo_that_nothing_meets_says_what_comes_closest_and_is_no_success() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    let variants = json!({"a": {"fixed_ns": 100_000, "options": [{"intra_threads": 2, "latency_ratio": 0.8}]}});
    let words = [
        "--slo",
        "latency_p50<=50us",
        "--objective",
        "latency",
        "--intra-threads",
        "1,2",
    ];
    let output = tune(&bench, &model, &variants, &[&words[..], &KEEP].concat()).run();
    output.assert_code(7);
    let closest = found(&bench);
    assert_eq!(closest["verdict"], "nothing_meets");
    assert_eq!(
        champion(&bench.record()).1.options.intra_threads,
        2,
        "{output}"
    );
    assert_says(
        &output,
        &[
            "Nothing that was tried keeps",
            "a (2 intra-op threads) at batch 1 comes closest",
            "broken: 6",
            "above it",
            "with_intra_threads(2)",
        ],
    );
}

#[test]
fn a_configuration_that_fails_is_told_and_the_others_go_on() {
    let bench = Workbench::new();
    bench.copy("fixtures/one-node.onnx", "family/a.onnx");
    bench.copy("fixtures/one-node.onnx", "family/b.onnx");
    let variants = json!({
        "a": {"fixed_ns": 100_000},
        "b": {"fixed_ns": 50_000, "fault": {"at": "run", "kind": "crash", "from_batch_size": 4}},
    });
    let words = [&["--batch", "1,4,8", "--intra-threads", "1"][..], &KEEP].concat();
    let output = tune(&bench, &bench.path("family"), &variants, &words).run();
    let record = bench.record();
    let failed = fate_of(&record, |key| {
        record.plan.variant_of(key.session).name == "b" && key.batch_size == 4
    });
    assert!(matches!(failed, Some(Fate::Failed { .. })), "{failed:?}");
    let (key, _) = champion(&record);
    assert_eq!(
        (
            record.plan.variant_of(key.session).name.exact(),
            key.batch_size
        ),
        ("a", 8),
        "{output}"
    );
}

/// One round of launches is no proof, whatever it looks like.
#[test]
fn what_only_looks_better_leaves_the_search_undecided() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    let options = json!([{"intra_threads": 2, "latency_ratio": 0.5}]);
    let script = json!({"variants": {"a": {"fixed_ns": 250_000_000, "options": options}}, "real_time": true});
    let script = bench.write("script.json", script.to_string());
    let words = [
        "--batch",
        "1",
        "--intra-threads",
        "1,2",
        "--objective",
        "latency",
        "--budget",
        "4s",
    ];
    let tune = Onnxprof::new()
        .arg("tune")
        .arg(&model)
        .arg("--out")
        .arg(bench.run_folder())
        .args(words)
        .args(KEEP);
    let output = tune
        .arg("--runtime")
        .arg(format!("script:{}", script.display()))
        .run();
    output.assert_code(UNDECIDED);
    assert_eq!(found(&bench)["verdict"], "undecided", "{output}");
    assert_says(
        &output,
        &[
            "No answer: a verdict takes 6 launches of each configuration",
            "more would decide",
            "--resume",
        ],
    );
    assert!(
        !output.stdout.contains("Ship") && !output.stdout.contains("Keep the defaults"),
        "{output}"
    );
}

/// A batch that the model fixes is the default, and nothing else is tried.
#[test]
fn a_model_of_a_fixed_batch_is_tuned() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/fixed-batch.onnx", "a.onnx");
    let variants = json!({"a": {"fixed_ns": 100_000, "options": [{"intra_threads": 2, "latency_ratio": 1.5}]}});
    let words = [&["--intra-threads", "1,2"][..], &KEEP].concat();
    let output = tune(&bench, &model, &variants, &words).run();
    output.assert_code(0);
    let record = bench.record();
    assert!(
        record.blocks.iter().all(|block| block.key.batch_size == 4),
        "{output}"
    );
    assert_eq!(champion(&record).0.batch_size, 4);
    assert_says(
        &output,
        &[
            "Everything that was tried is shown not to be better than the defaults",
            "Keep the defaults",
        ],
    );
}

#[test]
fn mistakes_are_told_before_anything_is_measured() {
    let bench = Workbench::new();
    let a = bench.copy("fixtures/one-node.onnx", "a.onnx");
    let variants = json!({"a": {"fixed_ns": 1000}});
    let cases: [(&[&str], i32, &[&str]); 8] = [
        (
            &["--slo", "latency_p98<=20ms"],
            USAGE,
            &["unknown metric `latency_p98`", "did you mean"],
        ),
        (
            &["--slo", "latency_p99<=20 furlongs"],
            USAGE,
            &["unknown unit `furlongs`"],
        ),
        (
            &["--slo", "latency_p99<=20MiB"],
            USAGE,
            &["takes a time such as `20 ms`"],
        ),
        (
            &["--slo", "latency_p99<=1.1x baseline"],
            USAGE,
            &["a limit in units"],
        ),
        (
            &["--slo", "latency_p99>=20ms"],
            USAGE,
            &["less of `latency_p99` is better", "limits it by `<=`"],
        ),
        (
            &["--max-accuracy-drop", "0.5"],
            USAGE,
            &["percentage points, such as `0.5pt`"],
        ),
        (
            &["--max-accuracy-drop", "0.5pt"],
            BAD_INPUT,
            &["needs labels", "--labels"],
        ),
        (
            &["--objective", "beauty"],
            USAGE,
            &["beauty", "throughput, latency, memory, energy"],
        ),
    ];
    for (words, code, says) in cases {
        let output = tune(&bench, &a, &variants, words).run();
        output.assert_code(code);
        assert_says(&output, says);
        assert!(!bench.run_folder().exists(), "{output}");
    }
    let output = tune(
        &bench,
        &a,
        &variants,
        &["--max-accuracy-drop", "1pt", "--task", "regression"],
    )
    .run();
    output.assert_code(USAGE);
}

#[test]
fn energy_is_refused_where_no_counter_tells_it() {
    let readable = std::fs::read_to_string("/sys/class/powercap/intel-rapl:0/energy_uj").is_ok();
    if readable {
        eprintln!("skipped: this machine tells its energy");
        return;
    }
    let bench = Workbench::new();
    let a = bench.copy("fixtures/one-node.onnx", "a.onnx");
    let output = tune(
        &bench,
        &a,
        &json!({"a": {"fixed_ns": 1000}}),
        &["--objective", "energy"],
    )
    .run();
    output.assert_code(BAD_INPUT);
    assert_says(
        &output,
        &["energy cannot be measured on this machine", "caused by"],
    );
}

#[test]
fn help_says_what_is_searched() {
    let output = Onnxprof::new().args(["tune", "--help"]).run();
    output.assert_code(0);
    insta::assert_snapshot!(output.stdout);
}

#[test]
fn digits_are_tuned_on_onnx_runtime() {
    let bench = Workbench::new();
    let words = [
        "--budget",
        "20s",
        "--batch",
        "1,8",
        "--max-accuracy-drop",
        "5pt",
        "--block",
        "5ms",
        "--quiet",
    ];
    let tune = Onnxprof::new()
        .arg("tune")
        .arg(model("digits/digits-fp32.onnx"))
        .args(words);
    let data = model("digits/digits-test.npz");
    let tune = tune
        .arg("--data")
        .arg(data)
        .arg("--out")
        .arg(bench.run_folder());
    let output = tune
        .arg("--runtime")
        .arg(crate::support::library("1.31.1"))
        .run();
    // Whether anything is shown to be better in so short a time is the machine's to decide.
    assert!(matches!(output.code(), Some(0 | UNDECIDED)), "{output}");
    let record = bench.record();
    let tuning = record.tuning.as_ref().unwrap();
    assert!(
        !tuning.heats.is_empty() && !record.blocks.is_empty(),
        "{output}"
    );
    assert!(
        record.launches.iter().all(|launch| launch.outcome.is_ok()),
        "{output}"
    );
    assert_says(
        &bench.report(),
        &["Python (onnxruntime)", "InferenceSession(", "Pareto front"],
    );
}

#[test]
fn where_time_is_short_the_defaults_are_measured_first_and_large_batches_are_left_out() {
    let bench = Workbench::new();
    let words = ["--budget", "3s", "--quiet"];
    let tune = Onnxprof::new()
        .arg("tune")
        .arg(model("fixtures/conv-milliseconds.onnx"))
        .args(words);
    let tune = tune
        .arg("--out")
        .arg(bench.run_folder())
        .arg("--runtime")
        .arg(crate::support::library("1.31.1"));
    let output = tune.run();
    assert!(matches!(output.code(), Some(0 | UNDECIDED)), "{output}");
    let record = bench.record();
    let first = &record.tuning.as_ref().unwrap().heats[0];
    assert_eq!(first.cells, [first.reference], "{output}");
    assert_eq!(first.rounds.len(), 1, "{output}");
    assert_eq!(record.blocks[0].key, first.reference, "{output}");
}
