//! What the answer says of figures that few stand behind, and of what there was no time for.

use onnxprof::analysis;
use onnxprof::plan::SweepEnd;
use onnxprof::record::{EndReason, NOT_REACHED, RunRecord};
use onnxprof::report::{self, Color, Report};
use onnxprof::units::Nanos;

use crate::support::record::{self, RunShape, VariantShape};

const BATCH_SIZES: [u64; 4] = [1, 2, 4, 8];

/// A run of models of 20 ms an inference, whose throughput grows with the batch, and that was
/// measured in six launches.
fn run(names: &[&str]) -> RunRecord {
    let variant = |name: &&str| VariantShape {
        per_sample: 0.4,
        ..VariantShape::new(name, "fp32", 20e6, 1 << 20)
    };
    let mut run = record::build(&RunShape {
        name: "slow".into(),
        variants: names.iter().map(variant).collect(),
        batch_sizes: BATCH_SIZES.to_vec(),
        rounds: 6,
        alternations: 2,
        block_inferences: 4,
        samples: 0,
    });
    run.run.ended_by = Some(EndReason::BudgetSpent);
    run.plan.schedule.budget_ns = Some(Nanos(4_000_000_000));
    run
}

/// The report of a run in one line.
fn shown(run: &RunRecord) -> String {
    let findings = analysis::findings(run);
    let view = Report::new(run, &findings);
    let texts = [
        report::terminal(&view, None, Color::Never),
        report::markdown(&view).unwrap().replace('\\', ""),
    ];
    texts
        .concat()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn assert_said(text: &str, said: &[&str], unsaid: &[&str]) {
    for part in said {
        assert!(
            text.contains(part),
            "`{part}` is missing:\n{}",
            &text[..text.len().min(2500)]
        );
    }
    for part in unsaid {
        assert!(
            !text.contains(part),
            "`{part}` is said:\n{}",
            &text[..text.len().min(2500)]
        );
    }
}

#[test]
fn a_batch_size_of_few_inferences_that_looks_better_is_named_and_not_denied() {
    let mut run = run(&["one"]);
    for batch_size in [2, 4, 8] {
        record::thin(&mut run, (0, batch_size), 3, 1.0);
    }
    let said = [
        "Keep one: there is no other variant to compare it with.",
        "Most throughput shown: one at batch 1:",
        "batch 8 looks higher: ",
        ", from 3 inferences; about ",
        "would decide: `--batch 1,8 --budget",
        "still rising at batch 8",
    ];
    assert_said(
        &shown(&run),
        &said,
        &[
            "bring less than 5% more",
            "only one batch size was measured",
        ],
    );
}

#[test]
fn a_batch_size_of_few_inferences_that_looks_no_better_changes_nothing() {
    let mut run = run(&["one"]);
    // At twice the time of an inference, batch 8 has 8 / (2 x 3.8) of the throughput of batch 1:
    // nothing more than batch 4.
    record::thin(&mut run, (0, 8), 3, 2.0);
    let text = shown(&run);
    assert_said(
        &text,
        &[
            "Most throughput: one at batch 4: ",
            "larger batches bring less than 5% more",
        ],
        &["looks higher"],
    );
}

#[test]
fn a_variant_of_few_launches_that_looks_better_is_named_with_their_number() {
    let mut run = run(&["one", "two"]);
    for session in 0..2 {
        for batch_size in [2, 4, 8] {
            record::skip(&mut run, session, batch_size, "saturated");
        }
    }
    record::thin(&mut run, (1, 1), 40, 0.5);
    let said = [
        "No answer: a verdict takes 6 launches of each variant, and there were 1",
        "two at batch 1 looks higher: ",
        ", from 1 launch",
    ];
    assert_said(&shown(&run), &said, &["looks higher: , ", "Ship two"]);
}

#[test]
fn a_run_by_its_number_of_rounds_is_told_how_many_would_do() {
    let mut run = run(&["one"]);
    run.plan.schedule.rounds_count = Some(2);
    record::thin(&mut run, (0, 8), 3, 1.0);
    assert_said(
        &shown(&run),
        &["from 3 inferences; `--rounds 6` would give it an interval"],
        &["would decide"],
    );
}

#[test]
fn a_baseline_that_took_turns_and_was_shown_to_be_worse_is_no_tie() {
    let mut run = run(&["one", "two"]);
    for session in 0..2 {
        for batch_size in [2, 4, 8] {
            record::skip(&mut run, session, batch_size, "saturated");
        }
    }
    // The machine slows both down from round to round, by far more than two is faster.
    for block in &mut run.blocks {
        let slowed =
            (1.0 + 0.1 * block.round as f64) * if block.key.session == 1 { 0.9 } else { 1.0 };
        let times = [
            &mut block.median_ns,
            &mut block.p10_ns,
            &mut block.mean_ns,
            &mut block.elapsed_ns,
        ];
        times
            .into_iter()
            .for_each(|time| *time = Nanos((time.as_f64() * slowed) as u64));
    }
    assert_said(
        &shown(&run),
        &["Undecided: two is 1."],
        &["Neither shown to be better nor worse"],
    );
}

#[test]
fn a_named_batch_size_that_there_was_no_time_for_comes_with_a_budget() {
    let mut run = run(&["one"]);
    run.plan.sweep_end = SweepEnd::Listed;
    for batch_size in [4, 8] {
        record::skip(&mut run, 0, batch_size, NOT_REACHED);
    }
    // Two launches of 0.3 s, and three inferences of 80 ms and as many of 160 ms: in six rounds 8 s
    // or so.
    let text = shown(&run);
    assert_said(
        &text,
        &[
            "Not reached: batch 4 and 8; about ",
            " would do: `--budget ",
        ],
        &[],
    );
    run.plan.schedule.budget_ns = Some(Nanos(900_000_000_000));
    assert_said(&shown(&run), &[], &["Not reached"]);
}

#[test]
fn a_size_that_one_variant_alone_did_not_come_to_is_named_with_it() {
    let mut run = run(&["one", "two"]);
    run.plan.sweep_end = SweepEnd::Listed;
    record::skip(&mut run, 1, 8, NOT_REACHED);
    assert_said(
        &shown(&run),
        &[
            "Not reached: batch 8 by two; about ",
            " would do: `--budget ",
        ],
        &[],
    );
    record::skip(&mut run, 0, 8, NOT_REACHED);
    record::skip(&mut run, 0, 4, NOT_REACHED);
    assert_said(
        &shown(&run),
        &["Not reached: batch 4 and 8 by one; batch 8 by two; about "],
        &[],
    );
}

#[test]
fn where_every_size_was_measured_none_is_called_not_reached() {
    let mut run = run(&["one"]);
    run.plan.sweep_end = SweepEnd::Listed;
    run.plan.schedule.budget_ns = Some(Nanos(1_000_000_000));
    assert_said(
        &shown(&run),
        &["Most throughput: one at batch "],
        &["Not reached", "is open"],
    );
}

#[test]
fn a_sweep_that_ran_out_of_time_names_the_next_size() {
    let mut run = run(&["one"]);
    for batch_size in [4, 8] {
        record::skip(&mut run, 0, batch_size, NOT_REACHED);
    }
    assert_said(
        &shown(&run),
        &[
            "Not reached: batch sizes from 4 on; about ",
            "`--batch 1,4 --budget ",
        ],
        &[],
    );
    run.run.ended_by = Some(EndReason::Interrupted);
    assert_said(&shown(&run), &[], &["Not reached"]);
}

#[test]
fn memory_that_inputs_were_tried_out_in_is_absent_for_that_reason() {
    let mut run = run(&["one"]);
    for launch in &mut run.launches {
        launch.is_probed = true;
        launch
            .cells
            .iter_mut()
            .for_each(|cell| cell.peak_memory_bytes = None);
    }
    let why = |reason: &str| format!("peak memory of one not measured: {reason}");
    let (tried, untold) = (
        why("inputs were tried out in the process before"),
        why("the system does not tell"),
    );
    assert_said(&shown(&run), &[&tried], &[&untold]);
    run.launches[0].is_probed = false;
    assert_said(&shown(&run), &[&untold], &[&tried]);
}
