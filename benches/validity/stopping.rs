//! Whether a run may end as soon as it has seen enough: false verdicts and coverage where it stops
//! by its own looks.

use std::collections::BTreeMap;
use std::fmt;

use onnxprof::stats::{END_ERROR, LOOK_ERROR, LOOK_ROUNDS, Look, PairedRatio, Relation, look};

use crate::options::Options;
use crate::random::Random;
use crate::rounds::{KINDS, RoundNoise};
use crate::support::{BenchError, Rows, Targets};
use crate::tally::{Share, written};

const TRIALS: usize = 4_000;
/// Trials of the worst rule on fresh numbers: the worst of many is partly so by luck.
const TRIALS_AGAIN: usize = 20_000;
const SPREADS: [f64; 5] = [0.01, 0.02, 0.05, 0.1, 0.2];
const TARGETS: [f64; 4] = [0.005, 0.02, 0.05, 0.1];
const FLOORS: [f64; 2] = [0.0, 0.02];
/// Where a run ends at the latest.
const LAST_ROUNDS: [usize; 6] = [10, 15, 20, 30, 40, 60];

/// Where a comparison stops.
#[derive(Clone, Copy)]
struct Rule {
    floor: f64,
    target: f64,
    last_round: usize,
}

/// How rules fared, over all of one floor and target.
#[derive(Default)]
struct Fared {
    false_verdicts: Share,
    covered: Share,
    rounds: usize,
}

/// A model against itself under every rule; the largest share of false verdicts of each group is
/// what counts.
pub fn itself(options: &Options, targets: &mut Targets) -> Result<(), BenchError> {
    let mut rows = Rows::new(&[
        "noise",
        "spread",
        "rules",
        "n of each",
        "false verdicts, worst rule",
        "again, 5 times as often",
        "which rule that is",
        "coverage at the stop, lowest",
        "highest",
        "mean rounds",
    ]);
    for (place, noise) in KINDS.iter().enumerate().take(3) {
        for (at, spread) in SPREADS.into_iter().enumerate() {
            let mut random = Random::new(options.seed, 400 + 10 * place as u64 + at as u64);
            let rules = rules();
            let fared = try_rules(&rules, options.scaled(TRIALS), noise, spread, &mut random)?;
            let (rule, worst) = extreme(&fared, |fared| fared.false_verdicts, f64::max)?;
            let rule = rules[rule];
            let again = try_rules(
                &[rule],
                options.scaled(TRIALS_AGAIN),
                noise,
                spread,
                &mut random,
            )?;
            let again = again[0].false_verdicts;
            let (_, lowest) = extreme(&fared, |fared| fared.covered, f64::min)?;
            let (_, highest) = extreme(&fared, |fared| fared.covered, f64::max)?;
            let rounds: usize = fared.iter().map(|fared| fared.rounds).sum();
            let n: u64 = fared.iter().map(|fared| fared.covered.n()).sum();
            let sd = format!("{:.0}%", 100.0 * spread);
            let mean_rounds = format!("{:.1}", rounds as f64 / n as f64);
            rows.push(&[
                &noise.name,
                &sd,
                &fared.len(),
                &worst.n(),
                &worst,
                &again,
                &rule,
                &lowest,
                &highest,
                &mean_rounds,
            ]);
            targets.check(
                &format!("{}, spread {sd}: false verdicts of the worst rule ({rule}) at most 5%: {again}", noise.name),
                again.value() <= 0.05,
            );
            targets.check(
                &format!(
                    "{}, spread {sd}: coverage at the stop at least 93%: {lowest}",
                    noise.name
                ),
                lowest.may_be(0.93..=1.0),
            );
        }
    }
    rows.print(&written("stopping", options));
    Ok(())
}

/// The rule of the largest, or smallest, share, and that share.
fn extreme(
    fared: &[Fared],
    share: fn(&Fared) -> Share,
    choose: fn(f64, f64) -> f64,
) -> Result<(usize, Share), BenchError> {
    let value = fared
        .iter()
        .map(|fared| share(fared).value())
        .reduce(choose)
        .ok_or("there are no rules")?;
    let place = fared
        .iter()
        .position(|fared| share(fared).value() == value)
        .ok_or("a share is not a number")?;
    Ok((place, share(&fared[place])))
}

impl fmt::Display for Rule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (floor, target) = (100.0 * self.floor.exp_m1(), 100.0 * self.target);
        write!(
            out,
            "floor {floor:.0}%, target {target:.1}%, at most {} rounds",
            self.last_round
        )
    }
}

fn rules() -> Vec<Rule> {
    let mut rules = Vec::new();
    for floor in FLOORS {
        for target in TARGETS {
            rules.extend(LAST_ROUNDS.map(|last_round| Rule {
                floor: floor.ln_1p(),
                target,
                last_round,
            }));
        }
    }
    rules
}

fn try_rules(
    rules: &[Rule],
    trials: usize,
    noise: &RoundNoise,
    sd: f64,
    random: &mut Random,
) -> Result<Vec<Fared>, BenchError> {
    let mut fared: Vec<Fared> = rules.iter().map(|_| Fared::default()).collect();
    for _ in 0..trials {
        let rounds = noise.rounds(random, LAST_ROUNDS[LAST_ROUNDS.len() - 1], 0.0, sd);
        let mut seen = BTreeMap::new();
        for count in LAST_ROUNDS {
            seen.insert(
                count,
                PairedRatio::of(&rounds[..count]).ok_or("rounds without pairs")?,
            );
        }
        for (rule, fared) in rules.iter().zip(&mut fared) {
            let (count, relation) = rule.stop(&seen)?;
            fared.rounds += count;
            fared
                .false_verdicts
                .count(matches!(relation, Relation::Above | Relation::Below));
            fared.covered.count(
                seen[&count]
                    .interval()
                    .is_some_and(|interval| interval.contains(1.0)),
            );
        }
    }
    Ok(fared)
}

impl Rule {
    /// After how many rounds a comparison stops, and with which verdict.
    fn stop(&self, seen: &BTreeMap<usize, PairedRatio>) -> Result<(usize, Relation), BenchError> {
        for count in LOOK_ROUNDS
            .map(|count| count as usize)
            .into_iter()
            .filter(|&count| count < self.last_round)
        {
            match look(&seen[&count], self.floor, self.target, 1) {
                Look::Open => {}
                Look::Narrow => {
                    return Ok((count, seen[&count].evidence(self.floor).relation(END_ERROR)));
                }
                Look::Settled => {
                    return Ok((
                        count,
                        seen[&count].evidence(self.floor).relation(LOOK_ERROR),
                    ));
                }
            }
        }
        let last = seen
            .get(&self.last_round)
            .ok_or("a rule ends where no data was kept")?;
        Ok((
            self.last_round,
            last.evidence(self.floor).relation(END_ERROR),
        ))
    }
}
