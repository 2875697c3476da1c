//! What to do, on scripted records of every combination of speed, outputs, samples, machine and
//! launches, against headlines that stand in a table: as a run, as a search of the same launches, by
//! a gate, and in every part of the reports.

use std::collections::BTreeSet;
use std::time::Duration;

use onnxprof::analysis::gate::{self, GateVerdict};
use onnxprof::analysis::{self, Decision};
use onnxprof::plan::{CellKey, Execution, Objective, Space, TuningPlan};
use onnxprof::record::{
    Agreement, EndReason, Fitness, FitnessReason, FitnessVerdict, Heat, OutputKind, RunRecord,
    Stage, Tuning,
};
use onnxprof::report::{self, Beside, Color, Filled, Report};
use onnxprof::runner::{Clock, Guide, Move};
use onnxprof::tune::Search;
use onnxprof::units::Nanos;

use crate::support::record::{self, RunShape, VariantShape};

const TABLE: &str = include_str!("judgement.tsv");

/// A line of the table.
struct Scripted<'t> {
    speed: &'t str,
    outputs: &'t str,
    samples: &'t str,
    machine: &'t str,
    launches: &'t str,
    headline: &'t str,
}

impl<'t> Scripted<'t> {
    fn of(line: &'t str) -> Self {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap();
        Scripted {
            speed: next(),
            outputs: next(),
            samples: next(),
            machine: next(),
            launches: next(),
            headline: next(),
        }
    }

    fn samples_count(&self) -> usize {
        if self.samples == "many" { 600 } else { 20 }
    }

    fn record(&self) -> RunRecord {
        let mut fp32 = VariantShape::new("fp32", "fp32", 200_000.0, 1_600_000);
        let single_ns = match self.speed {
            "faster" => 100_000.0,
            "slower" => 300_000.0,
            _ => 200_000.0,
        };
        let mut int8 = VariantShape::new("int8", "int8 QDQ", single_ns, 400_000);
        let count = self.samples_count();
        fp32.wrong = (0..count / 20).collect();
        int8.wrong = match self.outputs {
            "better" => (0..count / 50).collect(),
            "worse" => (0..count / 20 + count / 10).collect(),
            _ => fp32.wrong.clone(),
        };
        let mut run = record::build(&RunShape {
            name: "net".into(),
            variants: vec![fp32, int8],
            batch_sizes: vec![1],
            rounds: self.launches.parse().unwrap(),
            alternations: 2,
            block_inferences: 20,
            samples: count,
        });
        if self.speed == "open" {
            wander(&mut run);
        }
        self.compare(&mut run);
        self.judge_machine(&mut run);
        run
    }

    /// Without labels, but for outputs that have them.
    fn compare(&self, run: &mut RunRecord) {
        let share = match self.outputs {
            "better" | "same" | "worse" => return,
            "close" | "close-made-up" => 1.0,
            "between" => 0.95,
            _ => 0.75,
        };
        if self.outputs.ends_with("made-up") {
            run.dataset = None;
            run.plan.inputs.data = None;
        }
        if let Some(data) = &mut run.dataset {
            data.class_labels = None;
        }
        if self.outputs == "nothing" {
            run.accuracy.clear();
        }
        for scored in &mut run.accuracy {
            scored.scores = None;
            for agreement in &mut scored.agreement {
                agree(agreement, share);
            }
        }
    }

    fn judge_machine(&self, run: &mut RunRecord) {
        let verdict = match self.machine {
            "valid" => FitnessVerdict::Valid,
            "invalid" => FitnessVerdict::Invalid,
            _ => FitnessVerdict::Suspect,
        };
        let reason = FitnessReason {
            severity: verdict,
            seen: "other processes used all CPUs".into(),
            remedy: None,
        };
        run.fitness = Some(Fitness {
            verdict,
            reasons: if verdict == FitnessVerdict::Valid {
                Vec::new()
            } else {
                vec![reason]
            },
        });
        if self.machine == "suspect-unlike" {
            run.plan.sessions[1].options.intra_threads = 2;
        }
    }

    fn told(&self) -> String {
        let Scripted {
            speed,
            outputs,
            samples,
            machine,
            launches,
            ..
        } = self;
        format!("{speed}, {outputs}, {samples} samples, {machine}, {launches} launches")
    }
}

fn agree(agreement: &mut Agreement, share: f64) {
    agreement.kind = Some(OutputKind::Classes);
    agreement.top1_agreeing_count = Some((agreement.samples_count as f64 * share) as u64);
}

/// Launches of the second variant that are now faster and now slower than the first's, so that
/// nothing is shown.
fn wander(run: &mut RunRecord) {
    for block in &mut run.blocks {
        if block.key.session == 1 {
            let factor = [0.6, 1.3, 0.8, 1.2][block.round as usize % 4];
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
}

fn scripted() -> impl Iterator<Item = Scripted<'static>> {
    TABLE.lines().skip(1).map(Scripted::of)
}

/// Two rows of five, which have all levels of everything: what is asked of them takes long.
fn two_of_five() -> impl Iterator<Item = Scripted<'static>> {
    let rows = scripted().enumerate();
    rows.filter(|(place, _)| [0, 2].contains(&(place % 5)))
        .map(|(_, one)| one)
}

/// Whether a decision is the one that a headline tells.
fn agrees(decision: Decision, headline: &str) -> bool {
    match decision {
        Decision::Ship => headline.starts_with("Ship"),
        Decision::Keep => headline.starts_with("Keep"),
        Decision::Undecided => headline.starts_with("Undecided"),
        Decision::DoNotShip => headline.starts_with("Do not ship"),
        Decision::NoAnswer => headline.starts_with("No answer"),
    }
}

const VERBS: [&str; 5] = ["Ship", "Keep", "Undecided", "Do not ship", "No answer"];

/// The first and the last line of the screen, which both are the verdict, and the decision.
fn headlines(run: &RunRecord) -> (Vec<String>, Decision) {
    let findings = analysis::findings(run);
    let text = report::screen(&Report::new(run, &findings), None, Color::Never);
    let verdicts = text
        .lines()
        .filter(|line| VERBS.iter().any(|verb| line.starts_with(verb)))
        .map(str::to_owned)
        .collect();
    (verdicts, findings.decisions.judgement.decision)
}

/// Collects what is not as the table says.
#[derive(Default)]
struct Held {
    count: usize,
    wrong: Vec<String>,
}

impl Held {
    fn note(&mut self, one: &Scripted<'_>, is_right: bool, said: &str) {
        self.count += 1;
        if !is_right {
            let told = one.told();
            self.wrong
                .push(format!("{told}: {} expected, {said}", one.headline));
        }
    }

    #[track_caller]
    fn assert_all(&self) {
        let Held { count, wrong } = self;
        assert!(
            wrong.is_empty() && *count >= 200,
            "{} of {count}:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }
}

#[test]
fn the_headline_is_the_one_of_the_table_on_every_scripted_record() {
    let mut held = Held::default();
    for one in scripted() {
        let (said, decision) = headlines(&one.record());
        let is_right = said.len() == 2
            && said.iter().all(|said| said.starts_with(one.headline))
            && agrees(decision, one.headline);
        held.note(&one, is_right, &said.join(" / "));
    }
    held.assert_all();
}

/// The same launches, as rounds of a search that tries the two variants and nothing else. What it
/// makes of them is asked of the search itself.
fn searched(mut run: RunRecord) -> RunRecord {
    let cells: Vec<CellKey> = run.plan.cells().collect();
    let options = &run.plan.sessions[0].options;
    run.plan.tuning = Some(TuningPlan {
        objective: Objective::Latency,
        slo: Vec::new(),
        max_accuracy_drop_ratio: None,
        space: Space {
            batch_sizes: vec![1],
            intra_threads: vec![options.intra_threads],
            graph_optimizations: vec![options.graph_optimization],
            executions: vec![Execution {
                mode: options.execution_mode,
                inter_threads: options.inter_threads,
            }],
            spinning: vec![options.allow_spinning],
            memory_arena: vec![options.memory_arena],
            memory_pattern: vec![options.memory_pattern],
        },
        base_sessions_count: 2,
        cells: cells.iter().copied().collect(),
    });
    let rounds: BTreeSet<u64> = run.blocks.iter().map(|block| block.round).collect();
    run.tuning = Some(Tuning {
        heats: vec![Heat {
            number: 0,
            stage: Stage::Final,
            reference: cells[0],
            cells,
            rounds: rounds.into_iter().collect(),
            looks: Vec::new(),
            champion: None,
        }],
        ..Tuning::default()
    });
    look(&mut run);
    run.run.ended_by = Some(match Search.next(&run, clock(false)) {
        Move::End(reason) => reason,
        // There are no outputs to score, and nothing else to try.
        Move::Score(_) => EndReason::SearchDone,
        _ => EndReason::BudgetSpent,
    });
    run
}

fn clock(is_over: bool) -> Clock {
    Clock {
        spent_ratio: 0.5,
        left: Duration::from_secs(60),
        is_over,
    }
}

/// The look at the end of the heat, written down as a run does it.
fn look(run: &mut RunRecord) {
    let Move::Look {
        decisions,
        champion,
    } = Search.next(run, clock(true))
    else {
        panic!("a heat that has no time left is looked at");
    };
    let tuning = run.tuning.as_mut().unwrap();
    tuning.decisions.extend(decisions);
    tuning.heats[0].champion = champion;
}

#[test]
fn a_search_of_the_same_launches_comes_to_the_same_decision() {
    let mut held = Held::default();
    for one in two_of_five() {
        let (said, decision) = headlines(&searched(one.record()));
        let verb = VERBS.iter().find(|verb| one.headline.starts_with(**verb));
        let is_right = said.len() == 2
            && said.iter().all(|said| said.starts_with(verb.unwrap()))
            && agrees(decision, one.headline);
        held.note(&one, is_right, &said.join(" / "));
    }
    held.assert_all();
}

/// What a gate makes of a headline, as the rules' page says.
fn gate_verdict(headline: &str) -> GateVerdict {
    match headline {
        "Ship int8" => GateVerdict::Pass,
        "Undecided" | "No answer" => GateVerdict::Inconclusive,
        _ => GateVerdict::Fail,
    }
}

fn gated(run: &RunRecord, rules: &str) -> gate::Gate {
    let findings = analysis::findings(run);
    let run = gate::Run {
        record: run,
        findings: &findings,
    };
    gate::gate(&gate::rules(rules).unwrap(), run, gate::Terms::default()).unwrap()
}

#[test]
fn a_gate_passes_what_is_to_be_shipped_and_nothing_else() {
    let mut held = Held::default();
    for one in scripted().step_by(5) {
        for record in [one.record(), searched(one.record())] {
            let found = gated(&record, "[[rule]]\ncheck = \"ship\"\nvariant = \"int8\"\n");
            let said = format!("{:?}", found.verdict);
            held.note(&one, found.verdict == gate_verdict(one.headline), &said);
        }
    }
    held.assert_all();
}

/// They are about what is to be shipped, or else about what is kept, and the run keeps them.
#[test]
fn rules_that_gate_init_writes_are_about_what_the_headline_names() {
    let mut held = Held::default();
    for one in two_of_five() {
        let record = one.record();
        let findings = analysis::findings(&record);
        let rules = gate::init(gate::Run {
            record: &record,
            findings: &findings,
        });
        let is_to_ship = one.headline == "Ship int8";
        let about = if is_to_ship { "int8" } else { "fp32" };
        let variants = || rules.lines().filter(|line| line.starts_with("variant = "));
        let is_right = variants().count() > 0
            && variants().all(|line| line == format!("variant = \"{about}\""))
            && rules.contains("check = \"ship\"\nvariant") == is_to_ship
            && gated(&record, &rules).verdict == GateVerdict::Pass;
        held.note(&one, is_right, &rules);
    }
    held.assert_all();
}

/// What a release is held to beside being better: it is not slower, and no worse.
#[test]
fn rules_on_changes_let_pass_what_is_to_be_shipped_and_refuse_what_must_not_be() {
    let mut held = Held::default();
    const RULES: &str = "[[rule]]\ncheck = \"latency_p50 <= 1.05 x baseline\"\n\
                         [[rule]]\ncheck = \"accuracy_top1 drop <= 1 points\"\n";
    for one in two_of_five() {
        let found = gated(&one.record(), RULES);
        let verdicts: Vec<GateVerdict> = found
            .checks
            .iter()
            .map(|check| check.judgement.verdict)
            .collect();
        let is_labelled = ["better", "same", "worse"].contains(&one.outputs);
        let is_right = match one.headline {
            "Ship int8" => verdicts[0] == GateVerdict::Pass && verdicts[1] != GateVerdict::Fail,
            "Do not ship int8" if is_labelled => verdicts[1] == GateVerdict::Fail,
            _ => true,
        };
        held.note(&one, is_right, &format!("{verdicts:?}"));
    }
    held.assert_all();
}

/// Sentences that ask for the variant, none of which may stand in a report that does not ship it.
const ASKING: [&str; 6] = [
    "Ship int8",
    "Run int8",
    "Switch fp32 to int8",
    "replace `models/net/net-fp32.onnx`",
    "Keep int8",
    "Load int8",
];

#[test]
fn no_part_of_a_report_ships_what_the_headline_does_not() {
    let mut held = Held::default();
    for one in scripted().step_by(5) {
        for record in [one.record(), searched(one.record())] {
            let findings = analysis::findings(&record);
            let report = Report::new(&record, &findings);
            let filled = Filled::new(&record, &findings, &Beside::default());
            let whole = report::full_markdown(&report, &filled).unwrap()
                + &report::terminal(&report, None, Color::Never);
            let asked: Vec<&str> = whole
                .lines()
                .filter(|line| ASKING.iter().any(|words| line.contains(words)))
                .collect();
            let is_right = one.headline == "Ship int8" || asked.is_empty();
            held.note(&one, is_right, &asked.join(" / "));
        }
    }
    held.assert_all();
}
