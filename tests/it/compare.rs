//! `compare`: two variants of a run, runs side by side, and what cannot be compared.

use std::fs;
use std::path::{Path, PathBuf};

use onnxprof::analysis::comparison::{Comparisons, Delta, Design, NamedRun, RowOutcome, compare};
use onnxprof::analysis::{AccuracyVerdict, Verdict};
use onnxprof::export;
use onnxprof::metric::Metric;
use onnxprof::plan::{CellKey, LoadMode};
use onnxprof::record::RunRecord;
use onnxprof::report::{self, Color, view::ComparisonView};
use onnxprof::stats::Latencies;
use onnxprof::units::{Bytes, Nanos};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::record::{self, RunShape, VariantShape};
use crate::support::{BAD_INPUT, Onnxprof, Output, USAGE, model};

/// Two variants at two batch sizes, eight rounds, 120 samples.
pub fn run_of(fp32_ns: f64, int8_ns: f64) -> RunRecord {
    let variant = |name, single_ns, file_bytes| VariantShape {
        wrong: vec![3, 77],
        ..VariantShape::new(name, "fp32", single_ns, file_bytes)
    };
    record::build(&RunShape {
        name: "digits".into(),
        variants: vec![
            variant("fp32", fp32_ns, 1_600_000),
            variant("int8", int8_ns, 400_000),
        ],
        batch_sizes: vec![1, 4],
        rounds: 8,
        alternations: 4,
        block_inferences: 40,
        samples: 120,
    })
}

/// The baseline run, and a later one whose int8 is slower and errs on more samples.
pub fn old_and_new() -> (RunRecord, RunRecord) {
    let (old, mut new) = (run_of(200_000.0, 100_000.0), run_of(200_000.0, 130_000.0));
    new.run.started_at = "2026-03-08T12:00:00+01:00".into();
    new.host.kernel = Some("6.1.0-20-cloud-amd64".into());
    new.variants[1].sha256 = Some("f".repeat(64).into());
    new.plan.variants[1].path = "models/digits/digits-int8-new.onnx".into();
    err_on(&mut new, 1, 20..32);
    (old, new)
}

/// Makes a session predict samples wrongly.
fn err_on(run: &mut RunRecord, session: usize, samples: std::ops::Range<usize>) {
    use onnxprof::record::Scores;
    let Some(Scores::Classification(scores)) = &mut run.accuracy[session].scores else {
        panic!("no classes")
    };
    for sample in samples {
        scores.predicted[sample] = scores.predicted[sample].map(|class| (class + 1) % 10);
        scores.label_ranks[sample] = Some(1);
    }
}

fn compared(runs: &[(&str, &RunRecord)], variants: Option<(&str, &str)>) -> Comparisons {
    let named = runs
        .iter()
        .map(|(path, run)| NamedRun::new(path.into(), run));
    compare(&named.collect::<Vec<_>>(), variants).unwrap()
}

/// The delta of a metric in the first pair, at a batch size or of the session.
#[track_caller]
fn delta(comparisons: &Comparisons, pair: usize, metric: Metric, batch_size: Option<u64>) -> Delta {
    let pair = &comparisons.pairs[pair];
    let rows = match batch_size {
        Some(size) => {
            &pair
                .cells
                .iter()
                .find(|cell| cell.batch_size == size)
                .unwrap()
                .rows
        }
        None => &pair.rows,
    };
    match &rows
        .iter()
        .find(|row| row.metric == metric)
        .unwrap()
        .outcome
    {
        RowOutcome::Compared { delta } => delta.clone(),
        RowOutcome::NotCompared { reason } => panic!("{metric:?} not compared: {reason}"),
    }
}

#[track_caller]
fn ratio(
    comparisons: &Comparisons,
    pair: usize,
    metric: Metric,
    batch_size: Option<u64>,
) -> (f64, Verdict, Design) {
    match delta(comparisons, pair, metric, batch_size) {
        Delta::Ratio { design, change } => (change.ratio.value().unwrap(), change.verdict, design),
        Delta::Score { .. } => panic!("{metric:?} is a score"),
    }
}

fn reason(comparisons: &Comparisons, metric: Metric, batch_size: Option<u64>) -> String {
    let pair = &comparisons.pairs[0];
    let cells = pair
        .cells
        .iter()
        .filter(|cell| Some(cell.batch_size) == batch_size)
        .flat_map(|cell| &cell.rows);
    let rows = cells.chain(pair.rows.iter().filter(|_| batch_size.is_none()));
    match &rows
        .into_iter()
        .find(|row| row.metric == metric)
        .unwrap()
        .outcome
    {
        RowOutcome::NotCompared { reason } => reason.exact().to_owned(),
        RowOutcome::Compared { delta } => panic!("{delta:?}"),
    }
}

#[test]
fn terminal_comparison_of_two_runs() {
    let (old, new) = old_and_new();
    let view = ComparisonView::new(&compared(&[("runs/old", &old), ("runs/new", &new)], None));
    insta::assert_snapshot!(report::comparison_terminal(&view, Color::Never));
}

#[test]
fn markdown_comparison_of_two_variants() {
    let run = run_of(200_000.0, 100_000.0);
    let view = ComparisonView::new(&compared(&[("runs/one", &run)], Some(("fp32", "int8"))));
    insta::assert_snapshot!(report::comparison_markdown(&view).unwrap());
}

#[test]
fn csv_comparison_of_two_runs() {
    let (old, new) = old_and_new();
    let csv = export::comparison_csv(
        &compared(&[("runs/old", &old), ("runs/new", &new)], None),
        export::Names::Guarded,
    )
    .unwrap();
    insta::assert_snapshot!(String::from_utf8(csv).unwrap());
}

#[test]
fn planted_change_between_runs_is_found_and_no_other() {
    let (old, new) = old_and_new();
    let found = compared(&[("old", &old), ("new", &new)], None);
    for batch_size in [1, 4] {
        let (fp32, int8) = (
            ratio(&found, 0, Metric::LatencyP50, Some(batch_size)),
            ratio(&found, 1, Metric::LatencyP50, Some(batch_size)),
        );
        assert!(
            (fp32.0 - 1.0).abs() < 0.03 && fp32.1 != Verdict::Slower && fp32.2 == Design::Separate,
            "{fp32:?}"
        );
        assert!(
            (int8.0 - 1.3).abs() < 0.05 && int8.1 == Verdict::Slower,
            "{int8:?}"
        );
    }
    assert_eq!(
        ratio(&found, 1, Metric::FileSize, None),
        (1.0, Verdict::Same, Design::Exact)
    );
}

#[test]
fn variants_of_one_run_are_paired_whichever_is_the_baseline() {
    let run = run_of(200_000.0, 100_000.0);
    for (names, expected, verdict) in [
        (("fp32", "int8"), 0.5, Verdict::Faster),
        (("int8", "fp32"), 2.0, Verdict::Slower),
    ] {
        let (value, found, design) = ratio(
            &compared(&[("run", &run)], Some(names)),
            0,
            Metric::LatencyP50,
            Some(1),
        );
        assert!((value / expected - 1.0).abs() < 0.02, "{value}");
        assert_eq!((found, design), (verdict, Design::Paired));
    }
}

#[test]
fn flips_between_two_runs_are_counted_sample_by_sample() {
    let (old, new) = old_and_new();
    let Delta::Score { design, change } = delta(
        &compared(&[("o", &old), ("n", &new)], None),
        1,
        Metric::AccuracyTop1,
        None,
    ) else {
        panic!("not a score")
    };
    assert_eq!(
        (design, change.lost_count, change.gained_count),
        (Design::Paired, Some(12), Some(0))
    );
    assert_eq!(
        (change.changed_predictions_count, change.verdict),
        (Some(12), AccuracyVerdict::Worse)
    );
    // McNemar by hand: 2 / 2^12.
    assert!((change.p_value.unwrap() - 2.0 / 4096.0).abs() < 1e-12);
}

#[test]
fn scores_on_other_samples_differ_independently() {
    let (old, mut new) = old_and_new();
    new.dataset.as_mut().unwrap().class_labels.as_mut().unwrap()[0] += 1;
    let found = delta(
        &compared(&[("o", &old), ("n", &new)], None),
        1,
        Metric::AccuracyTop1,
        None,
    );
    let Delta::Score { design, change } = found else {
        panic!("not a score")
    };
    assert_eq!(
        (design, change.lost_count, change.p_value),
        (Design::Separate, None, None)
    );
    assert!(
        (change.difference.value().unwrap() + 0.1).abs() < 1e-12
            && change.difference.interval().is_some()
    );
}

/// Gives every launch's cells the histogram `text`, or one of `count` latencies.
fn with_histograms(mut run: RunRecord, text: impl Fn(u64) -> String) -> RunRecord {
    for launch in &mut run.launches {
        let number = launch.launch;
        launch
            .cells
            .iter_mut()
            .for_each(|cell| cell.latency_histogram = Some(text(number)));
    }
    run
}

fn latencies(count: u64) -> String {
    let mut latencies = Latencies::new();
    (0..count).for_each(|number| latencies.record(Nanos(100_000 + number * 10)));
    latencies.encode()
}

#[test]
fn p99_is_compared_where_all_launches_together_have_inferences_enough() {
    let enough = with_histograms(run_of(200_000.0, 100_000.0), |_| latencies(400));
    let found = compared(&[("run", &enough)], Some(("fp32", "int8")));
    assert_eq!(
        ratio(&found, 0, Metric::LatencyP99, Some(1)),
        (1.0, Verdict::Same, Design::Paired)
    );
    let short = with_histograms(enough, |_| latencies(50));
    let found = compared(&[("run", &short)], Some(("fp32", "int8")));
    assert_eq!(
        ratio(&found, 0, Metric::LatencyP99, Some(1)),
        (1.0, Verdict::Same, Design::Paired)
    );
    let found = compared(&[("old", &short), ("new", &short.clone())], None);
    assert_eq!(
        ratio(&found, 0, Metric::LatencyP99, Some(1)),
        (1.0, Verdict::Same, Design::Separate)
    );
    let few = with_histograms(short, |_| latencies(40));
    let found = compared(&[("run", &few)], Some(("fp32", "int8")));
    assert_eq!(
        reason(&found, Metric::LatencyP99, Some(1)),
        "needs 368 inferences, has 320"
    );
}

#[test]
fn damaged_histogram_leaves_its_figure_absent() {
    let mut run = with_histograms(run_of(200_000.0, 100_000.0), |_| "AAAA!".into());
    run.cells[0].latency_histogram = Some("bm90IGEgaGlzdG9ncmFt".into());
    let found = compared(&[("run", &run)], None);
    let reason = reason(&found, Metric::LatencyP99, Some(1));
    assert!(
        reason.starts_with("latencies of launch ") && reason.contains("cannot be read"),
        "{reason}"
    );
    let shown = report::comparison_terminal(&ComparisonView::new(&found), Color::Never);
    assert!(shown.contains("cannot be read"), "{shown}");
}

#[test]
fn absurd_counts_are_survived() {
    let mut run = run_of(200_000.0, 100_000.0);
    for block in &mut run.blocks {
        block.inferences_count = u64::MAX;
        block.elapsed_ns = Nanos(0);
        block.median_ns = Nanos(0);
    }
    let found = compared(&[("run", &run)], None);
    assert!(
        reason(&found, Metric::LatencyP50, Some(1)).contains("no block of one has a neighbour")
    );
    assert!(
        reason(&found, Metric::Throughput, Some(1)).contains("no block of one has a neighbour")
    );
    let found = compared(&[("one", &run), ("other", &run.clone())], None);
    assert!(reason(&found, Metric::LatencyP50, Some(1)).contains("not positive"));
}

#[test]
fn cell_that_one_side_lacks_is_absent_with_how_it_ended() {
    let (old, mut new) = old_and_new();
    let key = CellKey {
        session: 0,
        shape: 0,
        batch_size: 4,
        load_mode: LoadMode::Closed { concurrency: 1 },
    };
    new.blocks.retain(|block| block.key != key);
    let cell = new.cells.iter_mut().find(|cell| cell.key == key).unwrap();
    cell.outcome = onnxprof::record::Outcome::Skipped {
        reason: "it would not fit into memory".into(),
    };
    let found = compared(&[("old", &old), ("new", &new)], None);
    assert_eq!(
        reason(&found, Metric::LatencyP50, Some(4)),
        "it would not fit into memory"
    );
}

/// Folders of runs.
pub struct Runs(pub TempDir);

impl Runs {
    pub fn new() -> Self {
        Runs(tempfile::tempdir().unwrap())
    }

    pub fn add(&self, name: &str, run: &RunRecord) -> PathBuf {
        self.write(name, &serde_json::to_string_pretty(run).unwrap())
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let folder = self.0.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("run.json"), text).unwrap();
        folder
    }

    /// Measures the digits models under a script.
    pub fn measure(&self, name: &str, fp32_ns: u64, int8_ns: u64) -> PathBuf {
        let script = json!({ "variants": {
            "digits-fp32": { "fixed_ns": fp32_ns, "jitter_ratio": 0.02 },
            "digits-int8-static": { "fixed_ns": int8_ns, "jitter_ratio": 0.02 },
        }});
        let path = self.0.path().join("script.json");
        fs::write(&path, script.to_string()).unwrap();
        let folder = self.0.path().join(name);
        let models = ["digits/digits-fp32.onnx", "digits/digits-int8-static.onnx"].map(model);
        let schedule = [
            "--rounds",
            "8",
            "--alternations",
            "2",
            "--block",
            "2ms",
            "--batch",
            "1",
        ];
        let runtime = format!("script:{}", path.display());
        let profile = Onnxprof::new()
            .arg("profile")
            .args(models)
            .args(schedule)
            .args(["--runtime", &runtime]);
        profile.arg("--out").arg(&folder).run().assert_code(0);
        folder
    }
}

fn command(runs: &[&Path], words: &[&str]) -> Output {
    Onnxprof::new().arg("compare").args(runs).args(words).run()
}

/// Two records as JSON, the second of them edited.
fn edited(edit: impl FnOnce(&mut Value)) -> (Runs, PathBuf, PathBuf) {
    let runs = Runs::new();
    let (old, new) = old_and_new();
    let mut value = serde_json::to_value(&new).unwrap();
    edit(&mut value);
    let (old, new) = (
        runs.add("old", &old),
        runs.write("new", &serde_json::to_string_pretty(&value).unwrap()),
    );
    (runs, old, new)
}

#[test]
fn measured_runs_are_compared_in_every_format() {
    let runs = Runs::new();
    let (old, new) = (
        runs.measure("old", 100_000, 60_000),
        runs.measure("new", 120_000, 60_000),
    );
    // The script's times are the same whatever the machine does.
    let accepted = "--accept-invalid";
    let found = command(&[&old, &new], &["--json", accepted])
        .assert_code(0)
        .data();
    let verdict = |pair: usize| {
        found["pairs"][pair]["cells"][0]["rows"][0]["outcome"]["delta"]["change"]["verdict"].clone()
    };
    assert_eq!((verdict(0), verdict(1)), (json!("slower"), json!("same")));
    let paired = command(&[&old], &["--format", "csv"]);
    paired
        .assert_code(0)
        .assert_stdout("latency_p50_ns,ns,")
        .assert_stdout(",paired,0.02,faster,");
    let crossed = command(
        &[&old, &new],
        &[
            "--variants",
            "fp32,int8-static",
            "--format",
            "markdown",
            accepted,
        ],
    );
    crossed
        .assert_code(0)
        .assert_stdout("# Comparison: ")
        .assert_stdout("onnxprof profile ");
    let output = old.join("comparison.txt");
    command(
        &[&old, &new],
        &["--output", output.to_str().unwrap(), accepted],
    )
    .assert_code(0);
    assert!(
        fs::read_to_string(output)
            .unwrap()
            .contains("The runs did not take turns.")
    );
}

#[test]
fn several_runs_are_compared_with_the_first() {
    let (old, new) = old_and_new();
    let found = compared(&[("a", &old), ("b", &new), ("c", &old.clone())], None);
    let sides: Vec<_> = found
        .pairs
        .iter()
        .map(|pair| (pair.baseline.run, pair.candidate.run))
        .collect();
    assert_eq!(sides, [(0, 1), (0, 1), (0, 2), (0, 2)]);
    let text = report::comparison_terminal(&ComparisonView::new(&found), Color::Never);
    let row = text
        .lines()
        .find(|line| line.starts_with("int8     median latency  1"))
        .unwrap_or_else(|| panic!("{text}"));
    assert!(
        row.contains("1.30x slower ") && row.contains("1.00x, open"),
        "{row}"
    );
}

#[test]
fn other_machine_is_refused_unless_asked_for() {
    let runs = Runs::new();
    let (old, mut new) = old_and_new();
    new.host.cpu.model_name = Some("Other CPU".into());
    new.host.memory_bytes = Some(Bytes(16 << 30));
    let (old, new) = (runs.add("old", &old), runs.add("new", &new));
    let refused = command(&[&old, &new], &[]);
    refused.assert_error(BAD_INPUT, "are of different machines", "--across-hosts");
    refused
        .assert_stderr("Other CPU")
        .assert_stderr("memory 8.00 GiB → 16.0 GiB");
    command(&[&old, &new], &["--across-hosts"])
        .assert_code(0)
        .assert_stdout("OTHER MACHINE")
        .assert_stdout("Other CPU");
}

#[test]
fn other_models_are_refused_unless_asked_for() {
    let runs = Runs::new();
    let (old, mut new) = old_and_new();
    new.variants[1].model.as_mut().unwrap().inputs[0].name = "gpu_0/data_0".into();
    let (old, new) = (runs.add("old", &old), runs.add("new", &new));
    let refused = command(&[&old, &new], &[]);
    refused.assert_error(
        BAD_INPUT,
        "the models are of unlike kinds",
        "--across-models",
    );
    refused
        .assert_stderr("`int8` in `")
        .assert_stderr("gpu_0/data_0 float");
    command(&[&old, &new], &["--across-models"])
        .assert_code(0)
        .assert_stdout("OTHER MODEL: int8 in ");
}

#[test]
fn invalid_runs_are_refused_unless_asked_for_but_for_variants_that_took_turns() {
    let (_runs, old, new) = edited(|run| {
        let reason = json!({ "severity": "invalid", "seen": "others took 80%", "remedy": null });
        run["fitness"] = json!({ "verdict": "invalid", "reasons": [reason] });
    });
    let refused = command(&[&old, &new], &[]);
    refused.assert_error(BAD_INPUT, "new` is INVALID", "--accept-invalid");
    refused.assert_stderr("others took 80%");
    command(&[&old, &new], &["--accept-invalid"])
        .assert_code(0)
        .assert_stdout("INVALID: ");
    command(&[&new], &["--variants", "fp32,int8"])
        .assert_code(0)
        .assert_stdout("INVALID: ");
}

#[test]
fn single_run_needs_to_be_told_which_variants() {
    let runs = Runs::new();
    let many = runs.add("many", &record::digits());
    command(&[&many], &[]).assert_error(
        USAGE,
        "has 5 variants to choose from",
        "--variants fp32,fp16",
    );
    let one = runs.add("one", &record::single_variant());
    command(&[&one], &[]).assert_error(USAGE, "has 1 variant", "name a second run");
    command(&[&many], &["--variants", "fp32"])
        .assert_code(USAGE)
        .assert_stderr("with a comma between them");
    command(&[&many], &["--variants", "fp32,fp32"]).assert_error(
        USAGE,
        "with itself",
        "two different variants",
    );
    command(&[&many], &["--variants", "fp32,fp64"]).assert_error(
        USAGE,
        "has no variant `fp64`",
        "name one of those",
    );
    command(&[&many, &many, &many], &["--variants", "fp32,fp16"]).assert_error(
        USAGE,
        "3 runs",
        "leave out",
    );
    command(&[], &[]).assert_code(USAGE);
}

#[test]
fn runs_without_a_common_variant_are_bad_input() {
    let runs = Runs::new();
    let (old, mut new) = old_and_new();
    new.plan.variants[0].name = "v2".into();
    new.plan.variants[1].name = "v3".into();
    let (old, new) = (runs.add("old", &old), runs.add("new", &new));
    let refused = command(&[&old, &new], &[]);
    refused.assert_error(BAD_INPUT, "no variant in common", "--variants fp32,v2");
    refused
        .assert_stderr("`fp32`, `int8`")
        .assert_stderr("`v2`, `v3`");
    command(&[&old, &new], &["--variants", "fp32,v2"]).assert_code(0);
}

#[test]
fn folders_that_hold_no_run_are_bad_input() {
    let runs = Runs::new();
    let old = runs.add("old", &old_and_new().0);
    let empty = runs.0.path().join("empty");
    fs::create_dir(&empty).unwrap();
    command(&[&old, &empty], &[]).assert_error(
        BAD_INPUT,
        "is not a run folder",
        "onnxprof profile",
    );
    command(&[&old, &runs.0.path().join("none")], &[]).assert_error(
        BAD_INPUT,
        "no such file",
        "onnxprof profile",
    );
    let text = fs::read_to_string(old.join("run.json")).unwrap();
    let truncated = runs.write("truncated", &text[..text.len() / 2]);
    command(&[&old, &truncated], &[])
        .assert_code(BAD_INPUT)
        .assert_stderr("is truncated");
}

#[test]
fn newer_major_version_is_bad_input() {
    let (_runs, old, new) = edited(|run| run["schema_version"]["major"] = json!(2));
    command(&[&old, &new], &[]).assert_error(BAD_INPUT, "schema version 2.4", "newer one");
}

#[test]
fn older_minor_version_is_compared() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/record/run-1.0.json");
    command(&[&fixture, &fixture], &[])
        .assert_code(0)
        .assert_stdout("the record does not");
}

#[test]
fn nonsense_in_a_record_is_an_error_that_names_the_field() {
    for (nonsense, cause) in [
        (Value::Null, "null"),
        (json!(-5), "-5"),
        (json!("fast"), "fast"),
    ] {
        let (_runs, old, new) = edited(|run| run["blocks"][3]["median_ns"] = nonsense);
        command(&[&old, &new], &[])
            .assert_code(BAD_INPUT)
            .assert_stderr("field `median_ns`")
            .assert_stderr(cause);
    }
    let (_runs, old, new) =
        edited(|run| run["plan"]["schedule"]["target_half_width_ratio"] = Value::Null);
    command(&[&old, &new], &[])
        .assert_code(BAD_INPUT)
        .assert_stderr("field `target_half_width_ratio`");
}
