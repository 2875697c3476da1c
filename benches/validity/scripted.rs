//! A model against itself, and slowdowns of known size, through the real pipeline on scripted
//! machines.

use onnxprof::analysis::Verdict;
use onnxprof::metric::Metric;
use onnxprof::stats::{END_ERROR, PairedRatio, Relation};

use crate::kinds::kinds;
use crate::options::Options;
use crate::pipeline::{BATCH_SIZES, Compared, Scripted};
use crate::support::{BenchError, Rows, Targets, median};
use crate::tally::{Share, written};

/// Comparisons of a model with itself, for each kind of noise.
const COMPARISONS: usize = 2_000;
/// Rounds of a comparison with itself.
pub const ROUNDS: usize = 10;
/// Comparisons for each kind of noise and each size.
const PLANTED_COMPARISONS: usize = 400;
/// Candidates and how much slower they are.
const PLANTED: [(&str, f64); 5] = [
    ("slow-1", 1.01),
    ("slow-2", 1.02),
    ("slow-3", 1.03),
    ("slow-5", 1.05),
    ("slow-10", 1.1),
];
/// Rounds after which planted slowdowns are looked for, in the same runs.
const PLANTED_ROUNDS: [usize; 4] = [8, 10, 15, 22];
/// Which share of intervals may hold the truth.
const COVERAGE: std::ops::RangeInclusive<f64> = 0.93..=0.97;

/// The noise floor of a median, on the scale of the logarithm.
pub fn floor() -> f64 {
    Metric::LatencyP50RatioToBaseline
        .noise_floor()
        .map_or(0.0, |floor| floor.0.ln_1p())
}

fn runs(options: &Options, comparisons: usize) -> u64 {
    options.scaled(comparisons).div_ceil(BATCH_SIZES as usize) as u64
}

/// The ratio that rounds show.
pub fn paired(rounds: &[Vec<f64>]) -> Result<PairedRatio, BenchError> {
    PairedRatio::of(rounds).ok_or_else(|| "a comparison without pairs".into())
}

/// Whether a verdict claims a difference.
pub fn differs(relation: Relation) -> bool {
    matches!(relation, Relation::Above | Relation::Below)
}

/// How often a model is called different from itself.
pub fn itself(options: &Options, targets: &mut Targets) -> Result<(), BenchError> {
    let mut rows = Rows::new(&[
        "noise",
        "n",
        "false, each judged alone",
        "false, judged together",
        "interval leaves 1 out",
        "called the same",
        "half-width, median",
    ]);
    for (place, (name, noise)) in kinds().into_iter().enumerate() {
        let (mut alone, mut together, mut missed, mut same) = (
            Share::default(),
            Share::default(),
            Share::default(),
            Share::default(),
        );
        let mut half_widths = Vec::new();
        for run in 0..runs(options, COMPARISONS) {
            let seed = options.seed + 1_000 * place as u64 + run;
            let scripted = Scripted {
                candidates: &[("copy", 1.0)],
                noise: &noise,
                seed,
                rounds: ROUNDS,
            };
            for compared in scripted.run()? {
                let paired = paired(&compared.rounds)?;
                let relation = paired.evidence(floor()).relation(END_ERROR);
                alone.count(differs(relation));
                same.count(relation == Relation::Same);
                together.count(matches!(
                    compared.together,
                    Verdict::Faster | Verdict::Slower
                ));
                missed.count(
                    paired
                        .interval()
                        .is_none_or(|interval| !interval.contains(1.0)),
                );
                half_widths.extend(paired.half_width_ratio());
            }
        }
        let half_width = format!("{:.2}%", 100.0 * median(&half_widths)?);
        rows.push(&[
            &name,
            &alone.n(),
            &alone,
            &together,
            &missed,
            &same,
            &half_width,
        ]);
        for (what, share) in [
            ("alone", &alone),
            ("together", &together),
            ("by an interval that leaves 1 out", &missed),
        ] {
            targets.check(
                &format!("{name}: false {what} at most 5%: {share}"),
                share.value() <= 0.05,
            );
        }
    }
    rows.print(&written("scripted", options));
    Ok(())
}

/// What planted slowdowns showed after some number of rounds.
#[derive(Default)]
struct Found {
    covered: Share,
    slower: Share,
    told: Share,
}

/// Whether slowdowns are found, and their sizes lie inside the intervals.
pub fn planted(options: &Options, targets: &mut Targets) -> Result<(), BenchError> {
    let mut rows = Rows::new(&[
        "noise",
        "slowdown",
        "rounds",
        "n",
        "truth inside the interval",
        "called slower",
        "interval leaves 1 out",
    ]);
    for (place, (name, noise)) in kinds().into_iter().enumerate() {
        let mut found: Vec<Vec<Found>> = PLANTED
            .iter()
            .map(|_| PLANTED_ROUNDS.iter().map(|_| Found::default()).collect())
            .collect();
        for run in 0..runs(options, PLANTED_COMPARISONS) {
            let seed = options.seed + 100_000 + 1_000 * place as u64 + run;
            let rounds = PLANTED_ROUNDS[PLANTED_ROUNDS.len() - 1];
            for compared in (Scripted {
                candidates: &PLANTED,
                noise: &noise,
                seed,
                rounds,
            })
            .run()?
            {
                note(&compared, &mut found[compared.candidate])?;
            }
        }
        for ((_, ratio), by_rounds) in PLANTED.iter().zip(&found) {
            for (rounds, found) in PLANTED_ROUNDS.iter().zip(by_rounds) {
                let size = format!("{:.0}%", 100.0 * (ratio - 1.0));
                rows.push(&[
                    &name,
                    &size,
                    rounds,
                    &found.covered.n(),
                    &found.covered,
                    &found.slower,
                    &found.told,
                ]);
                targets.check(
                    &format!(
                        "{name}, {size}, {rounds} rounds: coverage is 93 to 97%: {}",
                        found.covered
                    ),
                    found.covered.may_be(COVERAGE),
                );
            }
        }
    }
    rows.print(&written("planted", options));
    Ok(())
}

fn note(compared: &Compared, found: &mut [Found]) -> Result<(), BenchError> {
    let truth = PLANTED[compared.candidate].1;
    for (rounds, found) in PLANTED_ROUNDS.iter().zip(found) {
        let paired = paired(
            compared
                .rounds
                .get(..*rounds)
                .ok_or("a run ended before its last round")?,
        )?;
        let holds = |value: f64| {
            paired
                .interval()
                .is_some_and(|interval| interval.contains(value))
        };
        found.covered.count(holds(truth));
        found.told.count(!holds(1.0));
        found
            .slower
            .count(paired.evidence(floor()).relation(END_ERROR) == Relation::Above);
    }
    Ok(())
}
