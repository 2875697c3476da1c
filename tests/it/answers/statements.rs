//! Statements of reports on models whose truth was known.
//!
//! | number | planted | stands | does not | tests |
//! | --- | --- | --- | --- | --- |
//! | 1 | a product whose weights the trace leaves out, at batch 1 | memory-bound | fewer or cheaper operations | `tests/it/explain/limits.rs::product_of_400_megabytes_is_memory_bound_and_a_slow_softmax_is_not_arithmetic`, `src/analysis/operators/roofline/tests.rs::no_limit_is_claimed_where_weights_are_missing` |
//! | 2 | a softmax far below both peaks | far from both | CPU: arithmetic | `tests/it/explain/limits.rs::product_of_400_megabytes_is_memory_bound_and_a_slow_softmax_is_not_arithmetic` |
//! | 3 | 4 of 40 samples lost | whether it loses more is open, how many samples decide | Ship int8, Risk Level: Low | `self::four_of_forty_samples_lost_leave_open_what_is_lost` |
//! | 4 | 75% agreement of classes | Do not ship, with the floor | Ship int8 as High Priority | `self::three_quarters_of_agreement_forbid_to_ship` |
//! | 5 | a machine that was INVALID | No answer, in the summary too | Ship, in any part | `self::a_machine_that_was_not_fit_gives_no_answer_in_any_part` |
//! | 6 | CPUs that other processes took | CPUs taken by other processes | Idle threads | `tests/it/explain/limits.rs::cpus_that_other_processes_took_are_no_idle_threads` |
//! | 7 | a slow variant beside the baseline | issues of what runs today | Variant slower than the baseline | `tests/it/full/mod.rs::summary_says_in_a_line_each_what_runs_today_and_what_comes_next` |
//! | 8 | a run that is complete | latency, machine, accuracy, p99 and memory of today | the state of the tool | `tests/it/full/mod.rs::summary_says_in_a_line_each_what_runs_today_and_what_comes_next` |
//! | 9 | a target in the context | met, unmet or open | as measured | `tests/it/full/mod.rs::targets_are_judged_met_unmet_or_open_and_never_set_to_what_was_measured` |
//! | 10 | a peak at batch 8 | requests of 8 predictions each | predictions as requests | `self::a_peak_is_of_requests_and_failures_are_of_requests` |
//! | 11 | launches without a failure | requests that failed, with a bound | of launches alone | `self::a_peak_is_of_requests_and_failures_are_of_requests` |
//! | 12 | more CPU time than there was | 100.0% at most, memory at the peak | 102.5% | `tests/it/full/mod.rs::use_of_cpus_memory_and_storage_names_its_batch_and_is_no_more_than_all` |
//! | 13 | launches of unlike tails | bounds that ascend with the percentile | p90 above p95 | `src/stats/percentile.rs::bounds_of_percentiles_ascend_with_them` |
//! | 14 | reads from storage while loading | what was read, in how many launches | not measured | `tests/it/full/mod.rs::use_of_cpus_memory_and_storage_names_its_batch_and_is_no_more_than_all` |
//! | 15 | a library of the CPU alone on x86-64 | not tried: the build with OpenVINO, with its command | leaves no execution provider untried | `self::a_build_that_was_not_tried_has_the_command_that_does` |
//! | 16 | gains of a variant and of a batch | the gain over today, split | a batch of what is not shipped yet, without saying so | `self::the_gain_over_today_is_told_with_what_it_is_made_of` |
//! | 17 | a context that gives every key | measured by onnxprof, before figures of the run | before rules and commands | `self::nothing_is_called_measured_that_is_no_figure` |
//! | 18 | a search that found an answer | its answer in strategy, plan and after | no gain | `tests/it/full/mod.rs::search_that_decided_nothing_has_no_task_and_one_that_did_has_its_answer_for_one` |
//! | 19 | a configuration that took no turns with the best | Not compared directly with it | told apart | `self::what_took_no_turns_was_not_compared_directly` |
//! | 20 | a scale for each channel, without matrix nodes | nothing | 0 of 0 | `tests/it/explain/causes.rs::scales_per_channel_are_told_of_where_matrix_nodes_ran_alone` |
//! | 21 | a session that is slow to create, on the null engine | load before traffic | save the optimized model | `self::saving_the_optimized_model_is_not_advised_unmeasured` |
//! | 22 | labels of several classes, tokens and pixels | scores of them, or an error | no labels | `tests/it/labels.rs::several_classes_tokens_pixels_and_numbers_are_scored`, `tests/it/labels.rs::labels_that_are_not_understood_stop_the_run_before_it_measures` |
//! | 23 | samples that were scored in part | how many of how many, the same for every variant | the number in the file | `tests/it/scoring.rs::every_variant_is_scored_on_the_samples_that_were_asked_for`, `tests/it/scoring.rs::all_samples_are_scored_however_small_their_share_of_the_time` |
//! | 24 | macro F1 in the record | its change | no launch reported it | `tests/it/gate.rs::macro_f1_that_was_scored_is_compared` |
//! | 25 | a start with nanoseconds | its day, and no endpoint | the time to nanoseconds | `self::dates_are_days_and_a_model_has_no_endpoint` |
//! | 26 | throughput that saturates | what was measured there | perhaps | `src/report/chapters/bottlenecks/remedy.rs::what_limits_throughput_is_said_by_what_was_measured_there_alone`, `self::no_cause_is_guessed` |

use onnxprof::record::RuntimeInfo;
use serde_json::json;

use super::*;
use crate::workbench::Workbench;

#[test]
fn four_of_forty_samples_lost_leave_open_what_is_lost() {
    let told = Told::of(&pair(100_000.0, 40, 4));
    told.begins("Undecided: int8 is 1.98x faster");
    for format in ["screen", "markdown", "full"] {
        told.says(
            format,
            "whether it loses more than 1.0 points is open: 10.0 points lost",
        );
        told.says(format, "from 40 samples); about ");
    }
    told.never(&["Ship int8", "Risk Level: Low", "not by more than chance"]);
}

#[test]
fn three_quarters_of_agreement_forbid_to_ship() {
    let told = Told::of(&compared(pair(100_000.0, 200, 0), classes_agree(0.75)));
    told.begins("Do not ship int8 (outputs differ: top-1 agreement 75.0%, floor 90.0%)");
    told.says("full", "Optimization Strategy: Do not ship int8");
    told.never(&[": Ship int8", ". Ship int8", "(Critical Impact) - Ship"]);
}

#[test]
fn a_machine_that_was_not_fit_gives_no_answer_in_any_part() {
    let told = Told::of(&unfit(pair(100_000.0, 600, 0)));
    told.begins("No answer: the machine was not fit to measure on: other processes used 82%");
    told.says(
        "markdown",
        "Machine INVALID: the figures are those of another load",
    );
    let full = told.text("full");
    let (summary, _) = full.split_once("## Baseline Performance").unwrap();
    assert!(summary.contains("Machine: INVALID"), "{summary}");
    assert!(
        summary.contains("Optimization Strategy: No answer"),
        "{summary}"
    );
    told.never(&["Ship int8", "Risk Level: Low"]);
}

#[test]
fn a_peak_is_of_requests_and_failures_are_of_requests() {
    let told = Told::of(&pair(100_000.0, 600, 0));
    let full = told.text("full");
    let (_, results) = full.split_once("Peak RPS Achieved: ").unwrap();
    let (peak, rest) = results.split_once("Error Rate: ").unwrap();
    assert!(
        peak.contains("/s of 8 predictions each, with ") && peak.contains("predictions: "),
        "{peak}"
    );
    assert!(
        rest.starts_with("- 0 of ") && rest.contains("timed requests failed (at most "),
        "{}",
        &rest[..200]
    );
}

#[test]
fn a_build_that_was_not_tried_has_the_command_that_does() {
    let mut run = pair(100_000.0, 0, 0);
    let told = Told::of(&run);
    let command = "--runtime cpu@1.31.1,openvino@VERSION --ep cpu,openvino";
    told.says(
        "markdown",
        "the execution provider openvino, of a build that can be installed",
    );
    told.never(&["leaves no execution provider of its libraries untried"]);
    // Where the library has it, or the machine has no build of it, nothing is to be installed.
    run.runtimes.push(RuntimeInfo {
        execution_providers: vec!["OpenVINOExecutionProvider".into()],
        ..run.runtimes[0].clone()
    });
    Told::of(&run).never(&["of a build that can be installed", command]);
    run.runtimes.pop();
    run.host.architecture = "aarch64".into();
    Told::of(&run).never(&["of a build that can be installed", command]);
}

#[test]
fn the_gain_over_today_is_told_with_what_it_is_made_of() {
    let told = Told::of(&pair(100_000.0, 600, 0));
    let full = told.text("full");
    let (_, gain) = full.split_once("Expected Improvements: ").unwrap();
    let (gain, _) = gain.split_once("Resource Requirements: ").unwrap();
    assert!(gain.contains(", today "), "{gain}");
    told.never(&["undo the change: the model's file stays the same"]);
}

#[test]
fn nothing_is_called_measured_that_is_no_figure() {
    let starting = report::starting_file();
    let given: String = starting
        .lines()
        .map(|line| {
            let key = line.strip_prefix("# ");
            key.filter(|key| key.contains(" = ") || key.starts_with("[["))
                .unwrap_or(line)
        })
        .map(|line| line.replace("\"\"", "\"by hand\"") + "\n")
        .collect();
    let context = Context::parse(&given).unwrap_or_else(|error| panic!("{error:?}\n{given}"));
    let findings = analysis::findings(&record::digits());
    let beside = Beside {
        context,
        ..Beside::default()
    };
    let run = record::digits();
    let filled = Filled::new(&run, &findings, &beside);
    let text = report::full_markdown(&Report::new(&run, &findings), &filled).unwrap();
    let mut count = 0;
    for line in text.lines() {
        let Some((_, measured)) = line.split_once("measured by onnxprof: ") else {
            continue;
        };
        count += 1;
        assert!(
            measured.contains(|letter: char| letter.is_ascii_digit()),
            "{line}"
        );
        for words in ["onnxprof gate", "onnxprof compare", "undo", "done: "] {
            assert!(!measured.contains(words), "{line}");
        }
    }
    assert!(count > 20, "{count}");
}

#[test]
fn what_took_no_turns_was_not_compared_directly() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/record/tune-1.3.json");
    let run: RunRecord = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    Told::of(&run).never(&["told apart", "Told apart"]);
}

#[test]
fn saving_the_optimized_model_is_not_advised_unmeasured() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "one.onnx");
    let variants = json!({ "one": { "load_ns": 2_000_000_000u64, "fixed_ns": 100_000 } });
    let words = ["--rounds", "6", "--alternations", "1", "--block", "2ms"];
    bench
        .scripted(&model, &variants, words)
        .run()
        .assert_code(0);
    let told = Told::of(&bench.record());
    told.says(
        "markdown",
        "whether an optimized model that was saved loads faster was not measured",
    );
    told.never(&["save the optimized model"]);
}

#[test]
fn dates_are_days_and_a_model_has_no_endpoint() {
    let mut run = pair(100_000.0, 0, 0);
    run.run.started_at = "2026-11-25T18:16:03.898748526Z".into();
    let told = Told::of(&run);
    told.says("full", "Baseline Date: 2026-11-25 ");
    told.says(
        "full",
        "Slowest Endpoint: does not apply: a model has no endpoints",
    );
    told.never(&["18:16:03.898748526"]);
}

#[test]
fn no_cause_is_guessed() {
    for run in [
        record::digits(),
        pair(100_000.0, 600, 0),
        record::large(3, 12),
    ] {
        Told::of(&run).never(&["perhaps", "threads wait for each other"]);
    }
}
