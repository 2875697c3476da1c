//! The 99th percentile of a model against itself and against slowdowns of known size, through the
//! real pipeline on scripted machines; and which interval to use for its ratio.
//!
//! The rule of the choice: of the intervals below, the one with the smallest half-width (geometric
//! mean of the medians of the kinds of noise) of those that
//!
//! 1. hold the truth in 93 to 97% of all comparisons together,
//! 2. hold it in 93 to 97% with each kind of noise, as far as its 95% interval can tell, and
//! 3. leave 1 out, where a model is compared with itself, in at most 5% with each kind, as far as
//!    the interval of that can tell.
//!
//! It is taken with seed 1, and what is in use must keep 1 to 3 with seed 2 as well.

use onnxprof::analysis::{Change, Verdict};

use crate::kinds::kinds;
use crate::options::Options;
use crate::pipeline::{BATCH_SIZES, Compared, Scripted};
use crate::resampled::{INTERVALS, Resampled};
use crate::scripted::ROUNDS;
use crate::support::{BenchError, Rows, Targets, median};
use crate::tally::{Share, written};

/// Comparisons with itself for each kind of noise.
const COMPARISONS: usize = 600;
/// Comparisons for each kind of noise and each size.
const PLANTED_COMPARISONS: usize = 200;
const PLANTED: [(&str, f64); 2] = [("slow-5", 1.05), ("slow-30", 1.3)];
const COVERAGE: std::ops::RangeInclusive<f64> = 0.93..=0.97;
const FALSE: std::ops::RangeInclusive<f64> = 0.0..=0.05;

/// What the program says of comparisons with one truth.
#[derive(Default)]
struct Fared {
    /// Faster or slower, alone and judged together with the others of the run.
    alone: Share,
    together: Share,
    covered: Share,
    half_widths: Vec<f64>,
}

/// How one of the intervals fared with one kind of noise.
#[derive(Default)]
struct Tried {
    /// Whatever the truth.
    covered: Share,
    /// Of a model and itself.
    leaves_one_out: Share,
    half_widths: Vec<f64>,
}

type Choice = [Tried; INTERVALS.len()];

/// How often a model's tail is called different from its own, whether slowdowns lie inside the
/// intervals, and which of several intervals would be chosen.
pub fn coverage(options: &Options, targets: &mut Targets) -> Result<(), BenchError> {
    let mut rows = Rows::new(&[
        "noise",
        "slowdown",
        "n",
        "called different, alone",
        "judged together",
        "truth inside the interval",
        "half-width, median",
    ]);
    let mut all = Share::default();
    let mut choices = Vec::new();
    for (place, (name, noise)) in kinds().into_iter().enumerate() {
        let mut choice = Choice::default();
        let copies = Scripted {
            candidates: &[("copy", 1.0)],
            noise: &noise,
            seed: options.seed + 300_000 + 1_000 * place as u64,
            rounds: ROUNDS,
        };
        let slowed = Scripted {
            candidates: &PLANTED,
            seed: copies.seed + 500,
            ..copies
        };
        for (scripted, count) in [(copies, COMPARISONS), (slowed, PLANTED_COMPARISONS)] {
            let compared = several(&scripted, options.scaled(count))?;
            for (candidate, (_, truth)) in scripted.candidates.iter().enumerate() {
                let mut fared = Fared::default();
                for compared in compared.iter().filter(|one| one.candidate == candidate) {
                    all.count(fared.note(compared, *truth)?);
                    note_all(&mut choice, compared, *truth)?;
                }
                fared.report(name, *truth, &mut rows)?;
                fared.check(name, *truth, targets);
            }
        }
        choices.push((name, choice));
    }
    rows.print(&written("tails", options));
    targets.check(
        &format!("p99, all together: coverage is 93 to 97%: {all}"),
        COVERAGE.contains(&all.value()),
    );
    choose(&choices, options)
}

/// Comparisons of as many runs as they take, each of a seed of its own.
fn several(scripted: &Scripted<'_>, comparisons: usize) -> Result<Vec<Compared>, BenchError> {
    let runs = comparisons.div_ceil(BATCH_SIZES as usize) as u64;
    let mut all = Vec::new();
    for run in 0..runs {
        all.extend(
            Scripted {
                seed: scripted.seed + run,
                ..*scripted
            }
            .run()?,
        );
    }
    Ok(all)
}

fn differs(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Faster | Verdict::Slower)
}

impl Fared {
    /// Notes a comparison, and says whether its interval holds the truth.
    fn note(&mut self, compared: &Compared, truth: f64) -> Result<bool, BenchError> {
        let change: &Change = compared
            .p99
            .as_ref()
            .map_err(|reason| format!("p99 was not compared: {reason}"))?;
        self.together.count(differs(change.verdict));
        self.alone
            .count(differs(change.alone.unwrap_or(change.verdict)));
        let interval = change.ratio.interval();
        let holds = interval.is_some_and(|interval| interval.contains(truth));
        self.covered.count(holds);
        self.half_widths.extend(change.half_width_ratio());
        Ok(holds)
    }

    fn report(&self, name: &str, ratio: f64, rows: &mut Rows) -> Result<(), BenchError> {
        rows.push(&[
            &name,
            &format!("{:.0}%", 100.0 * (ratio - 1.0)),
            &self.covered.n(),
            &self.alone,
            &self.together,
            &self.covered,
            &format!("{:.1}%", 100.0 * median(&self.half_widths)?),
        ]);
        Ok(())
    }

    fn check(&self, name: &str, truth: f64, targets: &mut Targets) {
        if truth == 1.0 {
            for (what, share) in [("alone", &self.alone), ("together", &self.together)] {
                targets.check(
                    &format!("{name}: p99 false {what} at most 5%: {share}"),
                    share.may_be(FALSE),
                );
            }
        }
        targets.check(
            &format!(
                "{name}, {truth}: coverage of p99 is 93 to 97%: {}",
                self.covered
            ),
            self.covered.may_be(COVERAGE),
        );
    }
}

fn note_all(choice: &mut Choice, compared: &Compared, truth: f64) -> Result<(), BenchError> {
    let resampled = Resampled::of(&compared.launches);
    for ((_, ends), tried) in INTERVALS.into_iter().zip(choice) {
        let interval = resampled.interval(ends)?;
        tried.covered.count(interval.contains(truth));
        if truth == 1.0 {
            tried.leaves_one_out.count(!interval.contains(1.0));
        }
        tried
            .half_widths
            .push((interval.high / interval.low).ln() / 2.0);
    }
    Ok(())
}

/// Prints how each interval fared, and the choice that the rule at the head makes.
fn choose(choices: &[(&str, Choice)], options: &Options) -> Result<(), BenchError> {
    let mut headings = vec!["interval", "all"];
    headings.extend(choices.iter().map(|(name, _)| *name));
    headings.extend(["half-width, geometric mean", "keeps the rule"]);
    let mut rows = Rows::new(&headings);
    let mut chosen: Option<(f64, &str)> = None;
    for (place, (name, _)) in INTERVALS.iter().enumerate() {
        let of_kinds: Vec<&Tried> = choices.iter().map(|(_, choice)| &choice[place]).collect();
        let together = Share::of_all(of_kinds.iter().map(|tried| &tried.covered));
        let width = geometric_mean(&of_kinds)?;
        let keeps = COVERAGE.contains(&together.value())
            && of_kinds.iter().all(|tried| tried.keeps_the_rule());
        if keeps && chosen.is_none_or(|(least, _)| width < least) {
            chosen = Some((width, name));
        }
        let cells: Vec<String> = of_kinds
            .iter()
            .map(|tried| format!("{}; 1 left out {}", tried.covered, tried.leaves_one_out))
            .collect();
        let width = format!("{:.1}%", 100.0 * width);
        let mut row: Vec<&dyn std::fmt::Display> = vec![name, &together];
        row.extend(cells.iter().map(|cell| cell as &dyn std::fmt::Display));
        row.extend([&width as &dyn std::fmt::Display, &keeps]);
        rows.push(&row);
    }
    rows.print(&written("tails", options));
    println!(
        "chosen: {}
",
        chosen.map_or("none", |(_, name)| name)
    );
    Ok(())
}

impl Tried {
    /// What the rule asks of each kind of noise.
    fn keeps_the_rule(&self) -> bool {
        self.covered.may_be(COVERAGE) && self.leaves_one_out.may_be(FALSE)
    }
}

fn geometric_mean(of_kinds: &[&Tried]) -> Result<f64, BenchError> {
    let mut logs = 0.0;
    for tried in of_kinds {
        logs += median(&tried.half_widths)?.ln();
    }
    Ok((logs / of_kinds.len() as f64).exp())
}
