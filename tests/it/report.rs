//! Reports of a made-up run: each format has a golden file, and what must hold for all of them
//! holds.

use onnxprof::analysis::{self, Findings, GainCause, StepBasis};
use onnxprof::export;
use onnxprof::plan::LoadMode;
use onnxprof::record::{Agreement, Failure, FitnessVerdict, RunRecord};
use onnxprof::report::{self, Color, Paper, Report};

use crate::support::record::{self, RunShape, VariantShape};
use crate::support::shown;

fn terminal(run: &RunRecord, findings: &Findings) -> String {
    report::terminal(
        &Report::new(run, findings),
        Some("onnxprof-runs/digits".as_ref()),
        Color::Never,
    )
}

fn markdown(run: &RunRecord, findings: &Findings) -> String {
    report::markdown(&Report::new(run, findings)).unwrap()
}

fn csv(run: &RunRecord, findings: &Findings) -> String {
    String::from_utf8(export::cells_csv(run, findings, export::Names::Guarded).unwrap()).unwrap()
}

#[test]
fn screen_of_the_digits_run() {
    let run = record::digits();
    let findings = analysis::findings(&run);
    let folder = std::path::Path::new("onnxprof-runs/20260301T120000-digits");
    let text = report::screen(&Report::new(&run, &findings), Some(folder), Color::Never);
    let verdict = text.split_once(".\n").unwrap().0;
    assert!(
        verdict.starts_with("Ship int8-static at batch 1: 2.1"),
        "{text}"
    );
    assert!(text.trim_end().ends_with(&format!("{verdict}.")), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines.len() <= 25 && lines.iter().all(|line| line.chars().count() <= 100),
        "{} lines:\n{text}",
        lines.len()
    );
    insta::assert_snapshot!(text);
}

#[test]
fn screens_fit_and_show_how_sure_each_median_is() {
    for (name, run) in [
        ("digits", record::digits()),
        ("six variants", record::large(6, 2)),
        ("ten variants", record::large(10, 2)),
        ("unlabelled", record::unlabelled()),
        ("regression", record::regression()),
        ("worse accuracy", record::worse_accuracy()),
        ("slowing down", record::slowing_down()),
    ] {
        let findings = analysis::findings(&run);
        let text = report::screen(&Report::new(&run, &findings), None, Color::Never);
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines.len() <= 25 && lines.iter().all(|line| line.chars().count() <= 100),
            "{name}: {} lines:\n{text}",
            lines.len()
        );
        let header = lines.iter().find(|line| line.starts_with("variant "));
        let header = header.unwrap_or_else(|| panic!("{name}: no table\n{text}"));
        let at = |column: &str| header.find(column).unwrap();
        let (from, to) = (at("median"), at("p99"));
        let rows = lines
            .iter()
            .skip_while(|line| !line.starts_with('─'))
            .skip(1);
        for row in rows.take_while(|row| !row.is_empty() && !row.contains("left out")) {
            let cell: String = row.chars().skip(from).take(to - from).collect();
            let is_sure = cell.contains(" ± ") && cell.trim_end().ends_with('%');
            assert!(
                is_sure || cell.trim_end() == "-",
                "{name}: `{cell}`\n{text}"
            );
        }
    }
}

#[test]
fn terminal_summary_of_the_digits_run() {
    let run = record::digits();
    insta::assert_snapshot!(terminal(&run, &analysis::findings(&run)));
}

#[test]
fn markdown_report_of_the_digits_run() {
    let run = record::digits();
    insta::assert_snapshot!(markdown(&run, &analysis::findings(&run)));
}

#[test]
fn gain_of_file_and_batch_together_is_split_by_cause() {
    let run = record::digits();
    let findings = analysis::findings(&run);
    let split = findings.decisions.split.as_ref().unwrap();
    let steps: Vec<(&[GainCause], StepBasis)> = split
        .steps
        .iter()
        .map(|step| (step.causes.as_slice(), step.basis))
        .collect();
    assert_eq!(
        steps,
        [
            (&[GainCause::Variant][..], StepBasis::InTurns),
            (&[GainCause::Batch][..], StepBasis::NotInTurns)
        ]
    );
    let factors = split.steps.iter().map(|step| step.factor.value().unwrap());
    let (product, whole) = (factors.product::<f64>(), split.factor.value().unwrap());
    assert!((product / whole - 1.0).abs() < 0.03, "{product} {whole}");
    let text = terminal(&run, &findings);
    let sentence = text
        .lines()
        .find(|line| line.starts_with("  In throughput, int8"));
    assert!(
        sentence.is_some_and(|line| line.contains("as good as fp32 at batch")),
        "{text}"
    );
    let json = serde_json::to_value(&findings).unwrap();
    assert_eq!(json["gain_split"]["steps"][1]["basis"], "not_in_turns");
}

#[test]
fn one_cause_alone_is_not_split() {
    let run = record::single_variant();
    assert_eq!(analysis::findings(&run).decisions.split, None);
}

#[test]
fn cells_csv_of_the_digits_run() {
    let run = record::digits();
    insta::assert_snapshot!(csv(&run, &analysis::findings(&run)));
}

#[test]
fn answer_and_tables_mean_the_same_by_a_single_prediction() {
    let mut run = record::digits();
    let several = LoadMode::Closed { concurrency: 2 };
    run.plan.load_modes.push(several);
    // Batch 1 was measured with two requests in flight alone.
    let of_blocks = run.blocks.iter_mut().map(|block| &mut block.key);
    let of_cells = run.cells.iter_mut().map(|cell| &mut cell.key);
    of_blocks
        .chain(of_cells)
        .filter(|key| key.batch_size == 1)
        .for_each(|key| key.load_mode = several);
    let findings = analysis::findings(&run);
    assert_eq!(
        findings
            .decisions
            .answer
            .latency
            .pick()
            .unwrap()
            .key
            .batch_size,
        2
    );
    let report = Report::new(&run, &findings);
    let variants = &shown::tables_on(&report, Paper::Written, "latency")[0];
    assert_eq!(variants.title, "Variants at batch 2: which is the fastest?");
    assert!(!variants.rows.is_empty());
}

/// Headings and field labels that the performance template has for what a profile measures.
const TEMPLATE: &[&str] = &[
    "### AI/ML Performance Baseline (if applicable)",
    "**Model Inference Performance**:",
    "- **Single Prediction Latency**: ",
    "- **Batch Prediction Throughput**: ",
    "- **Model Loading Time**: ",
    "- **Memory Usage per Model**: ",
    "**Training Performance**:",
    "- **Training Time**: ",
    "- **GPU Utilization**: ",
    "- **Data Loading Time**: ",
    "- **Epoch Time**: ",
    "### AI/ML Bottlenecks (if applicable)",
    "   - **Pipeline Stage**: ",
    "   - **Performance Issue**: ",
    "   - **Resource Constraint**: ",
    "   - **Optimization Opportunity**: ",
    "### Optimization Priorities",
    "1. **High Priority** (Critical Impact)",
    "2. **Medium Priority** (Significant Impact)",
    "3. **Low Priority** (Minor Impact)",
    "   - **Implementation Effort**: ",
    "   - **Risk Level**: ",
    "#### AI/ML Optimizations (if applicable)",
    "1. **Model Optimization**",
    "   - **Model Compression**: ",
    "   - **Model Architecture**: ",
    "   - **Batch Optimization**: ",
    "   - **Hardware Acceleration**: ",
    "2. **Data Pipeline Optimization**",
    "   - **Data Loading**: ",
    "   - **Preprocessing**: ",
    "   - **Feature Engineering**: ",
    "   - **Parallel Processing**: ",
    "**AI Performance Targets** (if applicable):",
    "- **Inference Latency**: ",
    "- **Model Accuracy**: ",
    "- **Resource Efficiency**: ",
    "### AI/ML Risks (if applicable)",
    "1. **Model Performance Degradation**",
    "   - **Risk**: ",
    "   - **Monitoring**: ",
    "   - **Rollback**: ",
    "**Before vs. After Comparison**:",
    "- **Response Time Improvement**: ",
    "- **Throughput Increase**: ",
    "- **User Experience**: ",
];

/// Runs of every kind that a report has to cope with, by name.
fn runs() -> Vec<(&'static str, RunRecord)> {
    vec![
        ("digits", record::digits()),
        ("one variant", record::single_variant()),
        ("few rounds", record::few_rounds()),
        ("killed", record::killed()),
        ("nothing measured", record::nothing_measured()),
        ("no baseline", record::without_baseline()),
        ("no labels", record::unlabelled()),
        ("regression", record::regression()),
        ("hostile names", record::hostile()),
    ]
}

#[test]
fn every_field_of_the_template_is_filled() {
    for (name, run) in runs() {
        let report = markdown(&run, &analysis::findings(&run));
        for expected in TEMPLATE {
            let mut lines = report
                .lines()
                .filter(|line| line.starts_with(expected.trim_end()));
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("{name}: no `{expected}` in\n{report}"));
            let below = report
                .split_once(line)
                .is_some_and(|(_, rest)| rest.trim_start_matches('\n').starts_with("  "));
            if expected.ends_with(": ") && !below {
                assert!(
                    line.len() > expected.len(),
                    "{name}: `{line}` holds nothing"
                );
            }
        }
        // Names and commands of that run hold brackets of their own.
        if name == "hostile names" {
            continue;
        }
        let placeholder = report
            .match_indices('[')
            .find(|(at, _)| !report[..*at].ends_with('\\'));
        assert_eq!(
            placeholder, None,
            "{name}: a bracket of the template is left in\n{report}"
        );
    }
}

#[test]
fn no_report_shows_a_number_that_is_none() {
    for (name, run) in runs() {
        let findings = analysis::findings(&run);
        for text in [terminal(&run, &findings), markdown(&run, &findings)] {
            for word in text.split(|c: char| !c.is_alphanumeric()) {
                assert!(
                    !["inf", "infinity", "None", "Some"].contains(&word)
                        || text.contains("NaN or inf"),
                    "{name}: {text}"
                );
            }
            assert!(
                !text.contains("NaN ms") && !text.contains("NaN%") && !text.contains("()"),
                "{name}: {text}"
            );
        }
        let json = serde_json::to_value(&findings).unwrap();
        assert_eq!(
            null_values(&json),
            0,
            "{name}: a figure of the findings is not finite"
        );
    }
}

/// How many fields `value` are null, which is what JSON makes of a number that is none.
fn null_values(json: &serde_json::Value) -> usize {
    match json {
        serde_json::Value::Object(fields) => {
            usize::from(fields.get("value").is_some_and(serde_json::Value::is_null))
                + fields.values().map(null_values).sum::<usize>()
        }
        serde_json::Value::Array(items) => items.iter().map(null_values).sum(),
        _ => 0,
    }
}

#[test]
fn csv_rows_hold_a_number_or_a_reason() {
    for (name, run) in runs() {
        let table = csv(&run, &analysis::findings(&run));
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        let header = "variant,execution_provider,batch_size,concurrency,intra_threads,metric,unit,value,low,high,n,outcome,reason,runtime,binding,shape";
        assert_eq!(
            reader
                .headers()
                .unwrap()
                .iter()
                .collect::<Vec<_>>()
                .join(","),
            header
        );
        for row in reader.records() {
            let row = row.unwrap();
            let number = |column: usize| {
                (!row[column].is_empty()).then(|| row[column].parse::<f64>().unwrap())
            };
            match (number(7), number(8), number(9)) {
                (None, None, None) => {
                    assert!(!row[12].is_empty(), "{name}: {row:?} lacks a reason")
                }
                (Some(value), Some(low), Some(high)) => {
                    assert!(
                        low <= value && value <= high && value.is_finite(),
                        "{name}: {row:?}"
                    );
                }
                (Some(value), None, None) => assert!(value.is_finite(), "{name}: {row:?}"),
                _ => panic!("{name}: half an interval in {row:?}"),
            }
        }
    }
}

#[test]
fn terminal_summary_fits_a_hundred_columns() {
    for (name, run) in runs() {
        for line in terminal(&run, &analysis::findings(&run)).lines() {
            assert!(line.chars().count() <= 100, "{name}: `{line}`");
        }
    }
}

#[test]
fn skipped_and_failed_cells_are_rows_with_their_outcome() {
    let run = record::digits();
    let table = csv(&run, &analysis::findings(&run));
    let row = |start: &str| {
        table
            .lines()
            .find(|line| line.starts_with(start))
            .unwrap()
            .to_owned()
    };
    let skipped = row("fp16,CPUExecutionProvider,64,1,1,latency_p50_ns");
    assert!(
        skipped.ends_with(
            ",,,,,skipped,batch size 64 would bring no more throughput than 32,1.31.1,host,"
        ),
        "{skipped}"
    );
    let failed = row("truncated,CPUExecutionProvider,1,1,1,latency_p50_ns");
    assert!(
        failed.contains(",,,,,failed,failed to read `models/"),
        "{failed}"
    );
}

#[test]
fn names_from_outside_cannot_steer_a_terminal_or_markdown() {
    let run = record::hostile();
    let findings = analysis::findings(&run);
    let terminal = terminal(&run, &findings);
    assert!(
        !terminal.contains('\u{1b}') && !terminal.contains('\u{202e}'),
        "{terminal}"
    );
    let markdown = markdown(&run, &findings);
    let rows = markdown.lines().filter(|line| line.starts_with("| **int8"));
    for row in rows {
        assert!(row.contains("\\<b\\>\\|\\[x\\](y)\\`"), "{row}");
    }
}

#[test]
fn variant_with_nan_outputs_is_never_the_answer() {
    let run = record::digits();
    let findings = analysis::findings(&run);
    let nan = 2;
    assert!(
        findings
            .decisions
            .answer
            .rejected
            .iter()
            .any(|rejection| rejection.session == nan)
    );
    for choice in [
        &findings.decisions.answer.latency,
        &findings.decisions.answer.throughput,
    ] {
        assert_ne!(choice.pick().unwrap().key.session, nan);
    }
}

#[test]
fn a_few_rounds_settle_nothing_and_say_so() {
    let run = record::few_rounds();
    let text = terminal(&run, &analysis::findings(&run));
    assert!(
        text.starts_with("No answer: a verdict takes 6 launches of each variant, and there were 3"),
        "{text}"
    );
    assert!(text.contains(" more would settle it"), "{text}");
    assert!(text.contains("needs 6 launches, has 3"), "{text}");
}

#[test]
fn percentile_of_too_few_inferences_is_bounded_from_below() {
    let run = record::few_inferences();
    let findings = analysis::findings(&run);
    let text = terminal(&run, &findings);
    assert!(
        text.contains("≥ ") && text.contains("not measured: needs 368 inferences"),
        "{text}"
    );
    let text = markdown(&run, &findings);
    assert!(
        text.contains("p99 not measured: needs 368 inferences, has 96; at least "),
        "{text}"
    );
    assert!(csv(&run, &findings).contains("needs 368 inferences, has 96; at least "));
}

#[test]
fn latency_that_rises_during_the_run_is_a_caveat() {
    let run = record::slowing_down();
    let text = terminal(&run, &analysis::findings(&run));
    assert!(
        text.contains("fp32 at batch 1: slowing down: its latency rose while it was measured"),
        "{text}"
    );
}

#[test]
fn percentiles_without_latencies_of_launches_say_what_they_assume() {
    let mut run = record::digits();
    run.launches
        .iter_mut()
        .flat_map(|launch| &mut launch.cells)
        .for_each(|cell| cell.latency_histogram = None);
    assert!(
        csv(&run, &analysis::findings(&run))
            .contains("neighbouring inferences are not independent")
    );
}

#[test]
fn killed_run_is_marked_as_incomplete() {
    let run = record::killed();
    let findings = analysis::findings(&run);
    assert!(terminal(&run, &findings).starts_with("INCOMPLETE"));
    assert!(markdown(&run, &findings).contains("> **INCOMPLETE"));
    assert!(csv(&run, &findings).contains("the run ended before this cell was measured"));
}

#[test]
fn verdict_on_the_machine_is_in_every_report_with_its_remedy() {
    let run = record::digits();
    let findings = analysis::findings(&run);
    for text in [
        terminal(&run, &findings).replace("\n    ", " "),
        markdown(&run, &findings),
    ] {
        assert!(
            text.contains("Machine SUSPECT: ") && text.contains("to do: end other work"),
            "{text}"
        );
    }
    let json = serde_json::to_value(&findings).unwrap();
    assert_eq!(json["fitness"]["verdict"], "suspect");
}

#[test]
fn invalid_run_says_so_first() {
    let mut run = record::digits();
    run.fitness.as_mut().unwrap().verdict = FitnessVerdict::Invalid;
    let findings = analysis::findings(&run);
    assert!(terminal(&run, &findings).starts_with("Machine INVALID: "));
    assert!(markdown(&run, &findings).contains("> **Machine INVALID: "));
}

#[test]
fn run_without_a_verdict_says_why() {
    for (mut run, why) in [
        (
            record::single_variant(),
            "the record is of an older version",
        ),
        (record::killed(), "the run did not come to its end"),
    ] {
        (run.fitness, run.conditions) = (None, None);
        let text = terminal(&run, &analysis::findings(&run));
        assert!(
            text.contains(&format!("Machine not judged: {why}")),
            "{text}"
        );
    }
}

#[test]
fn run_without_anything_measured_recommends_nothing() {
    let run = record::nothing_measured();
    let text = terminal(&run, &analysis::findings(&run));
    assert!(text.contains("No answer: "), "{text}");
}

#[test]
fn score_that_fell_significantly_keeps_a_fast_variant_back() {
    let run = record::worse_accuracy();
    let text = terminal(&run, &analysis::findings(&run));
    assert!(
        text.starts_with("Do not ship int8 (5.0 points lost ("),
        "{text}"
    );
    assert!(
        text.contains("Left out: int8: top-1 -5.0 points (significant, p < 0.001)"),
        "{text}"
    );
}

#[test]
fn loss_too_small_to_matter_is_said_but_keeps_nothing_back() {
    let run = record::regression();
    let text = terminal(&run, &analysis::findings(&run));
    assert!(text.starts_with("Ship int8"), "{text}");
    assert!(
        text.contains("its score fell, by no more than it may"),
        "{text}"
    );
}

#[test]
fn agreement_stands_in_for_accuracy_without_labels() {
    let run = record::unlabelled();
    let text = terminal(&run, &analysis::findings(&run));
    assert!(
        text.contains("top-1 agreement with the baseline outputs 99.3%"),
        "{text}"
    );
    assert!(
        text.contains("without labels, only the agreement with the reference is known"),
        "{text}"
    );
}

#[test]
fn agreement_without_a_largest_element_is_told_by_the_cosine() {
    let mut run = record::unlabelled();
    run.accuracy
        .iter_mut()
        .flat_map(|accuracy| &mut accuracy.agreement)
        .for_each(|one| one.top1_agreeing_count = None);
    let text = terminal(&run, &analysis::findings(&run));
    assert!(
        text.contains("cosine 0.") && !text.contains("- agree"),
        "{text}"
    );
}

#[test]
fn failure_that_variants_share_is_one_line_that_names_them() {
    let failing = |name: &str| {
        let kind = onnxprof::record::FailureKind::BadModel;
        let mut variant = VariantShape::new(name, "fp16", 1.0, 57_394);
        variant.failure = Some(Failure {
            kind,
            message: "there is no memory left".into(),
            hint: None,
        });
        variant
    };
    let run = record::build(&RunShape {
        name: "failing".into(),
        variants: vec![
            VariantShape::new("fp32", "fp32", 200_000.0, 100_000),
            failing("one"),
            failing("other"),
        ],
        batch_sizes: vec![1],
        rounds: 6,
        alternations: 2,
        block_inferences: 40,
        samples: 0,
    });
    let text = terminal(&run, &analysis::findings(&run));
    assert!(
        text.contains("Left out: one and other: there is no memory left.\n"),
        "{text}"
    );
}

#[test]
fn agreement_is_told_for_every_output_of_several() {
    let mut run = record::unlabelled();
    for accuracy in &mut run.accuracy {
        let second = accuracy.agreement.clone().into_iter().map(|one| Agreement {
            output: "embedding".into(),
            ..one
        });
        accuracy.agreement.extend(second);
    }
    let text = terminal(&run, &analysis::findings(&run));
    assert!(
        text.contains("Agreement with the reference, output by output"),
        "{text}"
    );
    assert!(
        text.lines()
            .any(|line| line.contains("int8") && line.contains("embedding")),
        "{text}"
    );
}

#[test]
fn many_variants_and_batch_sizes_are_all_reported() {
    let run = record::large(20, 20);
    let findings = analysis::findings(&run);
    let rows = csv(&run, &findings)
        .lines()
        .filter(|line| line.contains(",latency_p50_ns,"))
        .count();
    assert_eq!((findings.cells.len(), rows), (400, 400));
    assert!(terminal(&run, &findings).contains("v19"));
}
