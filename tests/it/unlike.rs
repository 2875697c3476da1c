//! Sessions that use the machine unlike, while other work was going on: no command decides between
//! their times.

use onnxprof::analysis::comparison::Delta;
use onnxprof::analysis::comparison::{NamedRun, RowOutcome, compare};
use onnxprof::analysis::gate::{self, GateVerdict, Rule, Run, Terms};
use onnxprof::analysis::{self, Decision, Reason, Verdict};
use onnxprof::metric::Metric;
use onnxprof::plan::{CellKey, SessionSpec};
use onnxprof::record::{FitnessVerdict, RunRecord};
use onnxprof::report::view::ComparisonView;
use onnxprof::report::{self, Color, Report};

use crate::support::record;

/// Ways in which sessions use a machine unlike.
const WAYS: [fn(&mut SessionSpec); 3] = [
    |spec| spec.options.intra_threads = 2,
    |spec| spec.options.allow_spinning = Some(false),
    |spec| spec.execution_provider = "XnnpackExecutionProvider".into(),
];

/// The digits run, in which the fourth session is twice as fast as the first, and uses the machine
/// in that way.
fn run(machine: FitnessVerdict, change: fn(&mut SessionSpec)) -> RunRecord {
    let mut run = record::digits();
    run.fitness.as_mut().unwrap().verdict = machine;
    change(&mut run.plan.sessions[3]);
    run
}

fn verdict(run: &RunRecord) -> Verdict {
    let findings = analysis::findings(run);
    let mut cells = findings.cells.iter();
    let cell = cells.find(|cell| cell.key.session == 3).unwrap();
    cell.comparison.as_ref().unwrap().p50.verdict
}

/// Of the fourth session against the second, as where a reader of the page chooses that one.
fn against_another(run: &RunRecord) -> Verdict {
    let cells = run.plan.cells().filter(|key| key.batch_size == 1);
    let keys: Vec<CellKey> = cells.filter(|key| [1, 3].contains(&key.session)).collect();
    let changes = analysis::pairwise(run, &keys);
    changes[0][1].as_ref().unwrap().verdict
}

fn compared(run: &RunRecord) -> (Verdict, String) {
    let named = [NamedRun::new("runs/a".into(), run)];
    let found = compare(&named, Some(("fp32", "int8-static"))).unwrap();
    let row = found.pairs[0].cells[0]
        .rows
        .iter()
        .find(|row| row.metric == Metric::LatencyP50);
    let RowOutcome::Compared {
        delta: Delta::Ratio { change, .. },
    } = &row.unwrap().outcome
    else {
        panic!("{row:?}")
    };
    let view = ComparisonView::new(&found);
    (
        change.verdict,
        report::comparison_terminal(&view, Color::Never),
    )
}

fn gated(run: &RunRecord, check: &str) -> (GateVerdict, String) {
    let of_cell = if check.starts_with("file_size") {
        ""
    } else {
        "batch_size = 1\n"
    };
    let text = format!("[[rule]]\ncheck = \"{check}\"\nvariant = \"int8-static\"\n{of_cell}");
    let rules: Vec<Rule> = gate::rules(&text).unwrap();
    let findings = analysis::findings(run);
    let run = Run {
        record: run,
        findings: &findings,
    };
    let gate = gate::gate(&rules, run, Terms::default()).unwrap();
    let reason = gate.checks[0].judgement.reason.clone().unwrap_or_default();
    (gate.verdict, reason.exact().to_owned())
}

#[test]
fn nothing_is_decided_on_a_busy_machine_between_sessions_that_use_it_unlike() {
    for (machine, ways) in [
        (FitnessVerdict::Suspect, &WAYS[..]),
        (FitnessVerdict::Invalid, &WAYS[..1]),
    ] {
        for &way in ways {
            let run = run(machine, way);
            let findings = analysis::findings(&run);
            let judged = findings.decisions.judgement.of(3).unwrap();
            assert!(
                matches!(
                    (judged.decision, judged.reason),
                    (Decision::Undecided, Reason::MachineSensitive)
                        | (Decision::NoAnswer, Reason::MachineUnfit)
                ),
                "{judged:?}"
            );
            assert_eq!(verdict(&run), Verdict::Inconclusive);
            assert_eq!(against_another(&run), Verdict::Inconclusive);
            let (verdict, text) = compared(&run);
            assert_eq!(verdict, Verdict::Inconclusive, "{text}");
            assert!(text.contains("open, busy machine"), "{text}");
            for check in [
                "latency_p50 <= 1.05 x baseline",
                "latency_p50_ratio_to_baseline <= 1.05",
                "latency_p50 <= 0.1 x baseline",
            ] {
                let (verdict, reason) = gated(&run, check);
                assert_eq!(verdict, GateVerdict::Inconclusive, "{check}: {reason}");
                assert!(reason.contains("slows down unlike"), "{check}: {reason}");
            }
            let screen = report::screen(&Report::new(&run, &findings), None, Color::Never);
            assert!(
                !screen.contains("int8-static is probably") && !screen.contains("Ship int8-static"),
                "{screen}"
            );
        }
    }
}

#[test]
fn like_sessions_are_decided_there_and_unlike_ones_on_a_quiet_machine() {
    let alike = run(FitnessVerdict::Suspect, |_| {});
    let quiet = run(FitnessVerdict::Valid, WAYS[0]);
    for run in [alike, quiet] {
        assert_eq!(verdict(&run), Verdict::Faster);
        assert_eq!(against_another(&run), Verdict::Faster);
        assert_eq!(compared(&run).0, Verdict::Faster);
        let (verdict, reason) = gated(&run, "latency_p50 <= 1.05 x baseline");
        assert_eq!(verdict, GateVerdict::Pass, "{reason}");
        let (verdict, reason) = gated(&run, "latency_p50 <= 0.1 x baseline");
        assert_eq!(verdict, GateVerdict::Fail, "{reason}");
    }
}

#[test]
fn what_is_no_time_is_compared_whatever_the_machine() {
    let run = run(FitnessVerdict::Suspect, WAYS[0]);
    let (verdict, reason) = gated(&run, "file_size <= 1 x baseline");
    assert_eq!(verdict, GateVerdict::Pass, "{reason}");
}
