//! What a search answers where its last heats were cut short: no answer without an interval, and
//! one figure for one comparison.

use onnxprof::analysis::tuning::{TuningFindings, TuningVerdict};
use onnxprof::analysis::{self, Estimate};
use onnxprof::plan::CellKey;
use onnxprof::record::{BlockRecord, EndReason, Heat, RunRecord, Stage};
use onnxprof::report::{self, Color, Report};
use serde_json::json;

use super::tune;
use crate::workbench::Workbench;

/// A whole search, in which two threads at batch 4 win over the defaults by a factor of five.
fn searched() -> RunRecord {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    let variants = json!({"a": {"fixed_ns": 90_000, "per_sample_ns": 10_000,
        "options": [{"intra_threads": 2, "latency_ratio": 0.6}]}});
    let words = [
        "--batch",
        "1,4",
        "--intra-threads",
        "1,2",
        "--keep",
        "optimization,execution,spinning,arena,pattern",
    ];
    tune(&bench, &model, &variants, &words).run().assert_code(0);
    let mut record = bench.record();
    record.run.ended_by = Some(EndReason::BudgetSpent);
    record
}

/// Leaves so many rounds of every heat of a kind.
fn cut(record: &RunRecord, wanted: impl Fn(Stage) -> bool, rounds: usize) -> RunRecord {
    let mut record = record.clone();
    let heats = &mut record.tuning.as_mut().unwrap().heats;
    heats
        .iter_mut()
        .filter(|heat| wanted(heat.stage))
        .for_each(|heat| heat.rounds.truncate(rounds));
    keep(&mut record, |_, _| true);
    record
}

/// Leaves the blocks of rounds that are still in a heat, as far as they are wanted.
fn keep(record: &mut RunRecord, wanted: impl Fn(CellKey, u64) -> bool) {
    let left: Vec<u64> = heats(record)
        .iter()
        .flat_map(|heat| heat.rounds.clone())
        .collect();
    record
        .blocks
        .retain(|block| left.contains(&block.round) && wanted(block.key, block.round));
}

fn heats(record: &RunRecord) -> &[Heat] {
    &record.tuning.as_ref().unwrap().heats
}

/// The findings and what a terminal says of them, in one line.
fn told(record: &RunRecord) -> (TuningFindings, String) {
    let findings = analysis::findings(record);
    let text = report::terminal(&Report::new(record, &findings), None, Color::Never);
    (
        findings.tuning.unwrap(),
        text.split_whitespace().collect::<Vec<_>>().join(" "),
    )
}

fn interval(gain: &Option<Estimate>) -> Option<(f64, f64)> {
    let interval = gain.as_ref()?.interval()?;
    Some((interval.low, interval.high))
}

#[test]
fn no_answer_stands_without_an_interval_and_no_comparison_has_two_figures() {
    let whole = searched();
    for rounds in 0..9 {
        for record in [
            cut(&whole, |stage| stage == Stage::Final, rounds),
            cut(&whole, |_| true, rounds.max(1)),
        ] {
            let (found, text) = told(&record);
            let is_shipped = text.contains("Ship: a (2 intra-op threads) at batch 4");
            let Some((low, high)) = interval(&found.gain) else {
                assert!(
                    !is_shipped && (text.contains("Undecided: ") || text.contains("No answer: ")),
                    "{rounds}: {text}"
                );
                assert!(text.contains("more would decide"), "{rounds}: {text}");
                continue;
            };
            assert!(is_shipped, "{rounds}, {low} to {high}: {text}");
            assert!(text.contains("Throughput over the defaults: "), "{text}");
            let of_defaults = found.candidates[found.defaults.unwrap()]
                .relative
                .as_ref()
                .unwrap();
            let product = of_defaults.cost_ratio.value().unwrap()
                * found.gain.as_ref().unwrap().value().unwrap();
            assert!((product - 1.0).abs() < 1e-9, "{rounds}: {product}");
        }
    }
    let (found, text) = told(&cut(&whole, |_| true, 2));
    assert!(interval(&found.gain).is_none(), "{:?}", found.gain);
    assert!(
        text.contains(
            "No answer: a verdict takes 6 launches of each configuration; a (2 intra-op threads) at batch 4 looks"
        ),
        "{text}"
    );
}

#[test]
fn what_took_turns_with_the_best_one_is_not_said_to_be_not_compared() {
    let whole = searched();
    let best = told(&whole).0.best.unwrap();
    let best = told(&whole).0.candidates[best].key;
    let other = *heats(&whole)
        .iter()
        .flat_map(|heat| &heat.cells)
        .find(|key| **key != best)
        .unwrap();
    // Nobody decided on it.
    let mut record = whole.clone();
    let tuning = record.tuning.as_mut().unwrap();
    tuning.decisions.retain(|decision| decision.key != other);
    let text = told(&record).1;
    let words = "Neither shown to be better nor worse than it: a";
    assert!(text.contains(words), "`{words}` is missing: {text}");
    assert!(!text.contains("Not compared directly"), "{text}");
}

#[test]
fn what_took_no_turns_with_the_best_one_is_said_to_be_not_compared_directly() {
    let whole = searched();
    let best = told(&whole).0.best.unwrap();
    let best = told(&whole).0.candidates[best].key;
    let other = *heats(&whole)
        .iter()
        .flat_map(|heat| &heat.cells)
        .find(|key| **key != best)
        .unwrap();
    let mut record = whole.clone();
    let tuning = record.tuning.as_mut().unwrap();
    tuning.decisions.retain(|decision| decision.key != other);
    // It took turns with others alone.
    let mut apart = tuning.heats[0].clone();
    apart.cells = vec![other];
    for heat in &mut tuning.heats {
        if heat.cells.contains(&best) {
            heat.cells.retain(|key| *key != other);
        }
    }
    tuning.heats.push(apart);
    let (found, text) = told(&record);
    let still_best = found.candidates[found.best.unwrap()].key;
    assert_eq!(still_best, best);
    let words = "Not compared directly with it: a";
    assert!(text.contains(words), "`{words}` is missing: {text}");
    assert!(
        !text.contains("Neither shown to be better nor worse"),
        "{text}"
    );
}

#[test]
fn a_gain_is_told_by_way_of_another_one_where_both_took_no_turns() {
    let mut record = searched();
    let found = told(&record).0;
    let (best, defaults) = (
        found.best.unwrap(),
        found.candidates[found.defaults.unwrap()].key,
    );
    let best = found.candidates[best].key;
    let first = heats(&record)[0].clone();
    let between = *first
        .cells
        .iter()
        .find(|key| **key != best && **key != defaults && key.batch_size == 4)
        .unwrap();
    // The first heat twice: once the one between wins over the defaults, and once it loses to the
    // best.
    const LATER: u64 = 1_000;
    let again: Vec<BlockRecord> = record
        .blocks
        .iter()
        .filter(|block| first.rounds.contains(&block.round))
        .cloned()
        .collect();
    record.blocks.extend(again.into_iter().map(|mut block| {
        (block.round, block.launch) = (block.round + LATER, block.launch + LATER);
        block
    }));
    let heat = |later: u64, cells: [CellKey; 2]| Heat {
        reference: cells[0],
        cells: cells.to_vec(),
        rounds: first.rounds.iter().map(|round| round + later).collect(),
        champion: Some(cells[1]),
        ..first.clone()
    };
    record.tuning.as_mut().unwrap().heats =
        vec![heat(0, [defaults, between]), heat(LATER, [between, best])];
    keep(&mut record, |key, round| {
        key == between || (key == defaults && round < LATER) || (key == best && round >= LATER)
    });
    let (found, text) = told(&record);
    let (low, high) = interval(&found.gain).unwrap();
    // 32.5 us x 0.6 over 100 us, of two steps with noise of their own.
    assert!(0.15 < low && low < high && high < 0.26, "{low} to {high}");
    assert!(
        text.contains("Ship: a (2 intra-op threads) at batch 4"),
        "{text}"
    );
    assert!(
        text.contains("by way of others, with which both took turns"),
        "{text}"
    );
}

#[test]
fn rounds_that_chose_a_configuration_do_not_ship_it() {
    let record = cut(&searched(), |stage| stage == Stage::Final, 1);
    let (found, text) = told(&record);
    assert!(
        text.contains("Ship: "),
        "the defaults were dropped by a test of their own: {text}"
    );
    // Without that, the best one is one of four that were tried in the rounds that speak for it.
    let defaults = found.candidates[found.defaults.unwrap()].key;
    let mut open = record;
    open.tuning
        .as_mut()
        .unwrap()
        .decisions
        .retain(|decision| decision.key != defaults);
    let (_, text) = told(&open);
    assert!(
        text.contains("Undecided: nothing that was tried is shown to be better"),
        "{text}"
    );
    assert!(
        text.contains("looks better: throughput ") && text.contains("in the rounds that chose it"),
        "{text}"
    );
}

#[test]
fn the_defaults_are_kept_only_where_all_was_tried() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    let variants = json!({"a": {"fixed_ns": 100_000, "options": [{"intra_threads": 2, "latency_ratio": 1.5}]}});
    let words = [
        "--batch",
        "1",
        "--intra-threads",
        "1,2",
        "--keep",
        "optimization,execution,spinning,arena,pattern",
    ];
    tune(&bench, &model, &variants, &words).run().assert_code(0);
    let whole = bench.record();
    let (found, text) = told(&whole);
    assert_eq!(
        (found.verdict, found.best),
        (TuningVerdict::Found, found.defaults),
        "{text}"
    );
    assert!(text.contains("Keep the defaults: a at batch 1"), "{text}");

    // The same figures, but the time was over before all was tried.
    let mut cut = whole.clone();
    cut.run.ended_by = Some(EndReason::BudgetSpent);
    let (found, text) = told(&cut);
    assert_eq!(found.verdict, TuningVerdict::Undecided, "{text}");
    for words in [
        "Undecided: the only configuration that was tried beside the defaults is not better by more than 2",
        "; variants, threads and batch sizes alone make 2.",
        "There was more to try: `onnxprof tune --resume RUN --budget 5m` goes on from here.",
    ] {
        assert!(text.contains(words), "`{words}` is missing: {text}");
    }
    assert!(!text.contains("Keep the defaults"), "{text}");

    // One that was to take turns and never did is not shown to be no better.
    let mut begun = whole;
    let tuning = begun.tuning.as_mut().unwrap();
    let last = tuning.heats.last().unwrap().clone();
    let defaults = last.champion.unwrap();
    let other = CellKey {
        batch_size: 4,
        ..defaults
    };
    tuning.heats.push(Heat {
        number: last.number + 1,
        reference: defaults,
        cells: vec![defaults, other],
        rounds: Vec::new(),
        looks: Vec::new(),
        ..last
    });
    let (found, text) = told(&begun);
    assert_eq!(found.verdict, TuningVerdict::Undecided, "{text}");
}

#[test]
fn what_breaks_the_slo_is_not_said_to_be_no_better() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    // Batch 4 takes 220 us, and makes 1.8 times as many predictions.
    let variants = json!({"a": {"fixed_ns": 60_000, "per_sample_ns": 40_000}});
    let kept = [
        "--intra-threads",
        "1",
        "--keep",
        "optimization,execution,spinning,arena,pattern",
    ];
    let words = [
        &["--batch", "1,4", "--slo", "latency_p50<=0.15ms"][..],
        &kept,
    ]
    .concat();
    tune(&bench, &model, &variants, &words).run().assert_code(0);
    let mut record = bench.record();
    record.run.ended_by = Some(EndReason::BudgetSpent);
    let (found, text) = told(&record);
    assert_eq!(
        (found.verdict, found.best),
        (TuningVerdict::Undecided, found.defaults),
        "{text}"
    );
    for words in [
        "Undecided: the only configuration that was tried beside the defaults is not both better by more than 2",
        " and within what was asked for; variants, threads and batch sizes alone make 2.",
    ] {
        assert!(text.contains(words), "`{words}` is missing: {text}");
    }
    assert!(!text.contains("is not better by more than"), "{text}");
}
