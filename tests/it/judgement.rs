//! What to do, on scripted records of every combination of speed, outputs, samples, machine and
//! launches, against headlines that stand in a table.

use onnxprof::analysis::{self, Decision};
use onnxprof::record::{Agreement, Fitness, FitnessReason, FitnessVerdict, OutputKind, RunRecord};
use onnxprof::report::{self, Color, Report};
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

/// The headline's verb, and who it is about.
fn headline(run: &RunRecord) -> (String, Decision) {
    let findings = analysis::findings(run);
    let text = report::screen(&Report::new(run, &findings), None, Color::Never);
    let verdict = text
        .lines()
        .find(|line| {
            ["Ship", "Keep", "Undecided", "Do not ship", "No answer"]
                .iter()
                .any(|verb| line.starts_with(verb))
        })
        .unwrap_or_default();
    (verdict.to_owned(), findings.decisions.judgement.decision)
}

#[test]
fn the_headline_is_the_one_of_the_table_on_every_scripted_record() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for one in scripted() {
        let (said, decision) = headline(&one.record());
        count += 1;
        if !said.starts_with(one.headline) || !agrees(decision, one.headline) {
            wrong.push(format!("{}: {} expected, {said}", one.told(), one.headline));
        }
    }
    assert!(
        wrong.is_empty() && count >= 200,
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
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
