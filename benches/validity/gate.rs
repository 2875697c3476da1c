//! Whether a gate passes and fails what it should, about its budget.

use onnxprof::stats::{Interval, PairedRatio};

use crate::options::Options;
use crate::random::Random;
use crate::rounds::KINDS;
use crate::support::{BenchError, Rows, Targets};
use crate::tally::{Share, written};

const TRIALS: usize = 4_000;
const ROUNDS: [usize; 3] = [10, 15, 22];
const SPREADS: [f64; 3] = [0.01, 0.03, 0.1];
/// The rule: median latency at most this many times the baseline's.
const BUDGET: f64 = 1.05;
/// Where the truth lies, as a multiple of the budget.
const TRUTHS: [f64; 3] = [0.97, 1.0, 1.03];

/// What a gate says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Decision {
    Pass,
    Fail,
    Open,
}

/// A rule passes when even the unfavourable end of the interval is inside the budget, and fails
/// when even the favourable end is outside.
fn decide(interval: Interval) -> Decision {
    if interval.high <= BUDGET {
        Decision::Pass
    } else if interval.low > BUDGET {
        Decision::Fail
    } else {
        Decision::Open
    }
}

/// How often a gate passed and failed.
#[derive(Default)]
struct Tally {
    passed: Share,
    failed: Share,
    decided: Share,
}

/// Wrong decisions where the truth lies at the budget, and 3% inside and outside. At the budget any
/// decision is wrong.
pub fn about_budget(options: &Options, targets: &mut Targets) -> Result<(), BenchError> {
    let mut rows = Rows::new(&[
        "noise",
        "spread",
        "rounds",
        "n",
        "at the budget: decided",
        "3% inside: failed",
        "passed",
        "3% outside: passed",
        "failed",
    ]);
    for (place, noise) in KINDS.iter().enumerate() {
        for (at, spread) in SPREADS.into_iter().enumerate() {
            let mut random = Random::new(options.seed, 600 + 10 * place as u64 + at as u64);
            for count in ROUNDS {
                let sample =
                    |truth: f64| noise.rounds(&mut random, count, (BUDGET * truth).ln(), spread);
                let [inside, on, outside] = tally(sample, options.scaled(TRIALS))?;
                let sd = format!("{:.0}%", 100.0 * spread);
                let (n, wrongly_failed, wrongly_passed) =
                    (on.decided.n(), inside.failed, outside.passed);
                rows.push(&[
                    &noise.name,
                    &sd,
                    &count,
                    &n,
                    &on.decided,
                    &wrongly_failed,
                    &inside.passed,
                    &wrongly_passed,
                    &outside.failed,
                ]);
                let worst = [on.decided, wrongly_failed, wrongly_passed].map(|share| share.value());
                let worst = worst.into_iter().fold(0.0, f64::max);
                let what = format!(
                    "{}, spread {sd}, {count} rounds: wrong at most 5%",
                    noise.name
                );
                targets.check(&format!("{what}: {:.1}%", 100.0 * worst), worst <= 0.05);
            }
        }
    }
    rows.print(&written("gate", options));
    Ok(())
}

fn tally(
    mut sample: impl FnMut(f64) -> Vec<Vec<f64>>,
    trials: usize,
) -> Result<[Tally; 3], BenchError> {
    let mut tallies: [Tally; 3] = Default::default();
    for (truth, tally) in TRUTHS.into_iter().zip(&mut tallies) {
        for _ in 0..trials {
            let paired = PairedRatio::of(&sample(truth)).ok_or("rounds without pairs")?;
            let decision = paired.interval().map_or(Decision::Open, decide);
            tally.passed.count(decision == Decision::Pass);
            tally.failed.count(decision == Decision::Fail);
            tally.decided.count(decision != Decision::Open);
        }
    }
    Ok(tallies)
}
