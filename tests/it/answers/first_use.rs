//! Statements that somebody met who used the program for the first time.
//!
//! | number | planted | stands | does not | tests |
//! | --- | --- | --- | --- | --- |
//! | 1 | embeddings with a cosine of 0.56 | Do not ship, cosine 0.56, floor 0.90; a rule on agreement | Ship | `self::embeddings_of_another_direction_are_not_shipped`, `tests/it/gate.rs::init_asks_for_agreement_where_nothing_says_what_is_right` |
//! | 2 | launches that leave 1.5x open | Undecided, what looks better, the command | Keep fp32 for the shortest latency | `self::what_is_open_is_undecided_and_has_its_command`, `tests/it/judgement.rs::the_headline_is_the_one_of_the_table_on_every_scripted_record` |
//! | 3 | a short budget, on the null engine | six launches of batch 1 before anything else | one more launch of another size | `tests/it/budget.rs::single_predictions_come_before_larger_batches` |
//! | 4 | a machine that was INVALID | No answer, probably faster | Ship, Keep | `self::of_an_unfit_machine_the_ratio_may_stand_as_probable`, `tests/it/gate.rs::timing_of_an_unfit_machine_decides_nothing` |
//! | 5 | float labels | scores of a regression, or an error | no labels | `tests/it/labels.rs::several_classes_tokens_pixels_and_numbers_are_scored`, `tests/it/labels.rs::labels_that_are_not_understood_stop_the_run_before_it_measures` |
//! | 6 | a quantized file that comes first by name | the file in full precision as baseline | the first by name | `src/cli/plan/family/tests.rs::baseline_is_found_whatever_the_files_are_called_and_is_none_that_cannot_be_read`, `src/cli/plan/family/baseline.rs::the_baseline_is_in_full_precision_or_else_the_widest_then_by_its_name_and_then_the_first` |
//! | 7 | a p99 of few inferences | a bound, with two digits | a figure alone | `self::a_tail_is_a_bound_or_has_an_interval`, `src/stats/percentile.rs::bounds_of_percentiles_ascend_with_them` |
//! | 8 | matrix work that explains most, and two files that are one | how large and how sure; the same file | two stories | `tests/it/explain.rs::matrix_work_that_explains_a_part_of_the_difference_says_how_large_and_how_sure`, `tests/it/explain.rs::two_files_with_one_sum_are_said_to_be_the_same_and_nothing_is_made_of_their_difference` |
//! | 9 | a profiler that slows down | bars that end at the median, or none | shares beyond twice the time | `tests/it/operators.rs::bars_of_operators_end_at_the_median_and_hold_what_is_sure`, `tests/it/operators.rs::operators_of_which_nothing_is_sure_are_not_drawn` |
//! | 10 | a file with a fixed batch | one line that says so | batch sizes that added less than 3% | `tests/it/budget.rs::a_fixed_batch_is_the_only_one_and_said_in_one_line` |
//! | 11 | a run that reached its target | half-widths within what is said | a table with wider ones | `self::what_is_said_to_be_known_is_what_the_table_shows` |
//! | 12 | a trace and its run | the inferences that count, said in both | two figures without a word | `self::operators_say_which_inferences_count` |
//! | 13 | the guide's rules on a run of its models | a gate that passes; one annotation for a rule | twelve on one line | `tests/it/gate.rs::rules_of_the_guide_are_kept_by_a_run_of_its_models`, `tests/it/gate.rs::github_is_given_no_more_annotations_of_a_kind_than_it_shows` |
//! | 14 | sessions that are pinned already | `--intra-threads 1` | `--pin auto` | `src/fitness/blocks.rs::workers_that_are_pinned_are_not_told_to_be` |
//! | 15 | a dynamic convolution beside a static one | inefficient kernel, quantize statically | a narrower type | `tests/it/explain/limits.rs::dynamic_convolution_beside_a_static_one_is_an_inefficient_kernel` |
//! | 16 | two runs of unlike models | an error with the way out | 0.10x as fast | `tests/it/compare.rs::other_models_are_refused_unless_asked_for`, `tests/it/gate.rs::other_models_and_unfit_machines_are_refused_unless_asked_for` |
//! | 17 | a pause that makes an inference slower | how much slower, on the screen too | silence | `self::a_pause_that_slows_down_is_in_the_answer` |
//! | 18 | a forecast on a machine that was INVALID | what the machine is | a forecast without it | `self::a_forecast_says_what_the_machine_is` |
//! | 19 | memory of advice on two batches | the batch of each | a share without its batch | `self::memory_of_advice_names_its_batch` |
//! | 20 | two requests in flight that bring nothing | no gain | with 2 requests in flight for the most throughput | `self::requests_in_flight_that_bring_nothing_are_not_advised` |
//! | 21 | names that begin alike | labels that differ | labels that are cut to the same | `src/report/paper/layout.rs::names_are_cut_only_as_far_as_they_differ` |
//! | 22 | a folder with data | what would be fed to each | an error | `tests/it/batches.rs::a_folder_is_inspected_as_it_would_be_profiled` |

use std::time::Duration;

use onnxprof::plan::LoadMode;
use onnxprof::record::EndReason;
use onnxprof::report::view::{Forecast, ForecastView};

use super::*;

/// An embedding, with these cosines.
fn of_cosine(cosine: f64) -> impl Fn(&mut Agreement) {
    move |agreement| {
        agreement.kind = Some(OutputKind::Vector);
        agreement.top1_agreeing_count = None;
        agreement.cosine_similarity_mean = Some(cosine);
        agreement.cosine_similarity_min = Some(cosine);
        agreement.relative_error = Some(0.938);
    }
}

#[test]
fn embeddings_of_another_direction_are_not_shipped() {
    let run = compared(pair(100_000.0, 200, 0), of_cosine(0.5587));
    let told = Told::of(&run);
    told.begins(
        "Do not ship int8 (outputs differ: cosine similarity 0.56, floor 0.90). Keep fp32.",
    );
    told.never(&[": Ship int8", "agree with the reference on fewer than"]);
    let between = Told::of(&compared(pair(100_000.0, 200, 0), of_cosine(0.95)));
    between.begins("Undecided: int8 is 1.98x faster");
    between.says("screen", "labels decide");
    Told::of(&compared(pair(100_000.0, 200, 0), of_cosine(0.995))).begins("Ship int8");
}

/// Launches of int8 that are now faster and now slower than those of fp32.
fn wandering(mut run: RunRecord) -> RunRecord {
    for block in &mut run.blocks {
        if block.key.session == 1 {
            let factor = [0.5, 1.1, 0.6, 1.0][block.round as usize % 4];
            for time in [
                &mut block.median_ns,
                &mut block.mean_ns,
                &mut block.p10_ns,
                &mut block.elapsed_ns,
            ] {
                *time = Nanos((time.as_f64() * factor) as u64);
            }
        }
    }
    run
}

#[test]
fn what_is_open_is_undecided_and_has_its_command() {
    let told = Told::of(&wandering(pair(200_000.0, 600, 0)));
    told.begins("Undecided: ");
    told.says("screen", "than fp32");
    told.says("screen", "`--budget ");
    told.never(&[
        "Keep fp32",
        "for the shortest latency and the most throughput",
    ]);
}

#[test]
fn of_an_unfit_machine_the_ratio_may_stand_as_probable() {
    let told = Told::of(&unfit(pair(100_000.0, 600, 0)));
    told.says("screen", "int8 is probably 1.98x faster (1.97 to 2.00)");
    let open = Told::of(&unfit(wandering(pair(200_000.0, 600, 0))));
    open.says("screen", "No answer: ");
    open.never(&["probably"]);
}

#[test]
fn a_tail_is_a_bound_or_has_an_interval() {
    let told = Told::of(&record::few_inferences());
    let (_, table) = told.text("screen").split_once("p99").unwrap();
    assert!(table.contains("≥ ") || table.contains("≤ "), "{table}");
}

#[test]
fn what_is_said_to_be_known_is_what_the_table_shows() {
    let mut run = pair(100_000.0, 600, 0);
    run.run.ended_by = Some(EndReason::TargetReached);
    let told = Told::of(&run);
    let text = told.text("markdown");
    let (_, known) = text
        .split_once("Complete: every ratio to the baseline is known to ± ")
        .unwrap();
    let (known, _) = known.split_once('%').unwrap();
    let known: f64 = known.parse().unwrap();
    let findings = analysis::findings(&run);
    let changes = findings
        .cells
        .iter()
        .filter_map(|cell| Some(&cell.comparison.as_ref()?.p50));
    let mut count = 0;
    for change in changes {
        let ratio = change.ratio.measured().unwrap();
        let ends = ratio.interval.unwrap();
        let wider = (ends.high - ratio.value).max(ratio.value - ends.low) / ratio.value;
        assert!(wider * 100.0 <= known + 0.05, "{ratio:?}, {known}%");
        count += 1;
    }
    assert_eq!(count, 3);
    // One that is wider is not said to be known.
    let told = Told::of(&{
        let mut run = wandering(pair(200_000.0, 600, 0));
        run.run.ended_by = Some(EndReason::TargetReached);
        run
    });
    told.says(
        "markdown",
        "Complete: 0 of 3 ratios to the baseline are known to ",
    );
}

#[test]
fn a_pause_that_slows_down_is_in_the_answer() {
    let mut run = pair(100_000.0, 600, 0);
    run.idle_gaps = gaps(1, &[(0, 100_000), (10, 1_900_000)]);
    let told = Told::of(&run);
    for format in ["screen", "terminal", "markdown"] {
        told.says(
            format,
            "After a pause of 10.0 ms, int8 at batch 1 is 18.94x slower than without one",
        );
    }
    run.idle_gaps = gaps(1, &[(0, 100_000), (10, 100_500)]);
    Told::of(&run).never(&["After a pause of"]);
}

#[test]
fn memory_of_advice_names_its_batch() {
    let told = Told::of(&pair(100_000.0, 600, 0));
    let text = told.text("markdown");
    let places: Vec<usize> = text
        .match_indices(" peak memory of the process")
        .map(|(at, words)| at + words.len())
        .collect();
    assert!(!places.is_empty(), "{text}");
    for at in places {
        assert!(
            text[at..].starts_with(" at batch "),
            "{}",
            &text[at - 40..at + 40]
        );
    }
}

/// The record with as many requests in flight once more, as fast as with one.
fn with_two_in_flight(mut run: RunRecord) -> RunRecord {
    let two = LoadMode::Closed { concurrency: 2 };
    run.plan.load_modes.push(two);
    let mut blocks = run.blocks.clone();
    blocks
        .iter_mut()
        .for_each(|block| block.key.load_mode = two);
    let mut cells = run.cells.clone();
    cells.iter_mut().for_each(|cell| cell.key.load_mode = two);
    run.blocks.extend(blocks);
    run.cells.extend(cells);
    for launch in &mut run.launches {
        let mut cells = launch.cells.clone();
        cells.iter_mut().for_each(|cell| cell.load_mode = two);
        launch.cells.extend(cells);
    }
    run
}

#[test]
fn requests_in_flight_that_bring_nothing_are_not_advised() {
    let told = Told::of(&with_two_in_flight(pair(200_000.0, 600, 0)));
    told.never(&["1 requests", "Ship fp32"]);
    for format in ["screen", "terminal"] {
        let text = told.text(format);
        let most = text.split("Most throughput").nth(1).unwrap_or_default();
        let most = most.split(". ").next().unwrap();
        assert!(!most.contains("2 requests in flight"), "{format}: {most}");
    }
}

#[test]
fn a_forecast_says_what_the_machine_is() {
    let run = unfit(pair(100_000.0, 0, 0));
    let names = ["fp32".to_owned(), "int8".to_owned()];
    let view = ForecastView::new(Forecast {
        plan: &run.plan,
        names: &names,
        rounds: 8,
        alternations: 4,
        time: Duration::from_secs(60),
        most_time: Duration::from_secs(60),
        enough_budget: None,
        beside: &[],
        stretches_time: Duration::ZERO,
        machine: run.fitness.as_ref(),
        precision: &[],
    });
    let text = report::terminal_forecast(&view, Color::Never);
    assert!(text.contains("the machine is INVALID"), "{text}");
}

#[test]
fn operators_say_which_inferences_count() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/record/run-1.3.json");
    let run: RunRecord = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    Told::of(&run).says(
        "markdown",
        "of the lower quartile, disturbed or with threads still asleep, and ",
    );
    let trace = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/trace/loop.json");
    let output = crate::support::Onnxprof::new()
        .arg("trace")
        .arg(trace)
        .run();
    assert!(
        flat(&output.stdout)
            .contains("of the lower quartile, disturbed or with threads still asleep, and "),
        "{output}"
    );
}
