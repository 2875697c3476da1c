//! Which estimate over rounds to use: coverage and width of four, on the same rounds.

use onnxprof::stats::{END_ERROR, PairedRatio, median};
use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, StudentsT};

use crate::options::Options;
use crate::random::Random;
use crate::rounds::KINDS;
use crate::support::{BenchError, Rows, Targets};
use crate::tally::{Share, written};

const TRIALS: usize = 10_000;
const ROUNDS: [usize; 3] = [8, 10, 15];
const SD: f64 = 0.02;
/// What an interval must hold at least to be in the choice.
const LEAST_COVERAGE: f64 = 0.95;

/// The ends of an interval for the centre of rounds of pairs, on the scale of the logarithm.
type Interval = fn(&[Vec<f64>]) -> Result<(f64, f64), BenchError>;

const ESTIMATORS: [(&str, Interval); 4] = [
    ("Hodges-Lehmann, signed rank", signed_rank),
    ("median, sign test", sign_test),
    ("20% trimmed mean", trimmed_mean),
    ("mean, Student's t", student),
];

/// How one estimator fared with one kind of noise and number of rounds.
#[derive(Default)]
struct Fared {
    covered: Share,
    width: f64,
}

/// Prints coverage and mean width of each, and the choice that follows.
pub fn compare(options: &Options, targets: &mut Targets) -> Result<(), BenchError> {
    let mut headings = vec!["noise", "rounds", "n"];
    headings.extend(ESTIMATORS.iter().map(|(name, _)| *name));
    let mut rows = Rows::new(&headings);
    let mut all: Vec<[Fared; 4]> = Vec::new();
    for (place, noise) in KINDS.iter().enumerate() {
        for count in ROUNDS {
            let mut random = Random::new(options.seed, 200 + 10 * place as u64 + count as u64);
            let mut fared: [Fared; 4] = Default::default();
            for _ in 0..options.scaled(TRIALS) {
                let rounds = noise.rounds(&mut random, count, 0.0, SD);
                for ((_, interval), fared) in ESTIMATORS.iter().zip(&mut fared) {
                    let (low, high) = interval(&rounds)?;
                    fared.covered.count((low..=high).contains(&0.0));
                    fared.width += high - low;
                }
            }
            let cells = fared.each_ref().map(Fared::cell);
            rows.push(&[
                &noise.name,
                &count,
                &fared[0].covered.n(),
                &cells[0],
                &cells[1],
                &cells[2],
                &cells[3],
            ]);
            all.push(fared);
        }
    }
    rows.print(&written("estimators", options));
    choose(&all, targets);
    Ok(())
}

impl Fared {
    fn mean_width(&self) -> f64 {
        self.width / self.covered.n() as f64
    }

    fn cell(&self) -> String {
        format!(
            "{:.1}%, width {:.2}%",
            100.0 * self.covered.value(),
            100.0 * self.mean_width()
        )
    }
}

/// The narrowest in the geometric mean of those that cover enough everywhere.
fn choose(all: &[[Fared; 4]], targets: &mut Targets) {
    let mut candidates: Vec<(f64, &str)> = Vec::new();
    for (place, (name, _)) in ESTIMATORS.iter().enumerate() {
        let logs: f64 = all.iter().map(|fared| fared[place].mean_width().ln()).sum();
        let width = (logs / all.len() as f64).exp();
        let least = all
            .iter()
            .map(|fared| fared[place].covered.value())
            .fold(1.0, f64::min);
        let covers = all
            .iter()
            .all(|fared| fared[place].covered.may_be(LEAST_COVERAGE..=1.0));
        println!(
            "{name}: coverage at least {:.1}%, width {:.2}% in the geometric mean",
            100.0 * least,
            100.0 * width
        );
        if covers {
            candidates.push((width, name));
        }
    }
    let chosen = candidates
        .iter()
        .min_by(|one, other| one.0.total_cmp(&other.0))
        .map_or("none", |(_, name)| name);
    println!("chosen: {chosen}, the narrowest that covers at least 95% with every kind of noise\n");
    targets.check(
        &format!("what is in use is what is chosen: {chosen}"),
        chosen == ESTIMATORS[0].0,
    );
}

fn signed_rank(rounds: &[Vec<f64>]) -> Result<(f64, f64), BenchError> {
    let interval = PairedRatio::of(rounds)
        .and_then(|paired| paired.interval())
        .ok_or("too few rounds")?;
    Ok((interval.low.ln(), interval.high.ln()))
}

/// The rounds' medians, ascending.
fn centres(rounds: &[Vec<f64>]) -> Result<Vec<f64>, BenchError> {
    let mut centres: Vec<f64> = rounds
        .iter()
        .map(|pairs| median(pairs))
        .collect::<Option<_>>()
        .ok_or("no pairs")?;
    centres.sort_unstable_by(f64::total_cmp);
    Ok(centres)
}

/// Order statistics about the median. Source: Hahn and Meeker, *Statistical Intervals* (1991),
/// section 5.2.
fn sign_test(rounds: &[Vec<f64>]) -> Result<(f64, f64), BenchError> {
    let sorted = centres(rounds)?;
    let below = Binomial::new(0.5, sorted.len() as u64)?;
    let left_out = (0..sorted.len())
        .take_while(|&k| below.cdf(k as u64) <= END_ERROR / 2.0)
        .last();
    let first = left_out.ok_or("too few rounds")?;
    Ok((sorted[first], sorted[sorted.len() - 1 - first]))
}

/// Source: Tukey and McLaughlin, *Sankhya A* 25 (1963): the standard error from winsorized values.
fn trimmed_mean(rounds: &[Vec<f64>]) -> Result<(f64, f64), BenchError> {
    let sorted = centres(rounds)?;
    let trimmed = sorted.len() / 5;
    let kept = &sorted[trimmed..sorted.len() - trimmed];
    let (first, last) = (kept[0], kept[kept.len() - 1]);
    let winsorized: Vec<f64> = sorted
        .iter()
        .map(|value| value.clamp(first, last))
        .collect();
    let (_, sd) = mean_and_sd(&winsorized);
    let share = kept.len() as f64 / sorted.len() as f64;
    around(
        mean_and_sd(kept).0,
        sd / (share * (sorted.len() as f64).sqrt()),
        kept.len(),
    )
}

fn student(rounds: &[Vec<f64>]) -> Result<(f64, f64), BenchError> {
    let centres = centres(rounds)?;
    let (mean, sd) = mean_and_sd(&centres);
    around(mean, sd / (centres.len() as f64).sqrt(), centres.len())
}

fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0)).sqrt())
}

/// Student's interval of a mean of `count` values.
fn around(mean: f64, standard_error: f64, count: usize) -> Result<(f64, f64), BenchError> {
    let reach = StudentsT::new(0.0, 1.0, count as f64 - 1.0)?.inverse_cdf(1.0 - END_ERROR / 2.0)
        * standard_error;
    Ok((mean - reach, mean + reach))
}
