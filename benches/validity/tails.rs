//! The 99th percentile of a model against itself and against slowdowns of known size, through the
//! real pipeline on scripted machines; and the two intervals that resampled launches may give.

use onnxprof::analysis::{Change, Verdict};
use onnxprof::stats::{END_ERROR, Interval, LaunchLatencies, Quantile};

use crate::kinds::kinds;
use crate::options::Options;
use crate::pipeline::{BATCH_SIZES, Compared, Scripted};
use crate::random::Random;
use crate::scripted::ROUNDS;
use crate::support::{BenchError, Rows, Targets, median};
use crate::tally::{Share, written};

/// Comparisons with itself for each kind of noise.
const COMPARISONS: usize = 600;
/// Comparisons for each kind of noise and each size.
const PLANTED_COMPARISONS: usize = 200;
const PLANTED: [(&str, f64); 2] = [("slow-5", 1.05), ("slow-30", 1.3)];
const COVERAGE: std::ops::RangeInclusive<f64> = 0.93..=0.97;
/// Resamples whose percentiles bound an interval.
const RESAMPLES: usize = 1_000;

#[derive(Default)]
struct Fared {
    /// Faster or slower, alone and judged together with the others of the run.
    alone: Share,
    together: Share,
    covered: Share,
    by_percentiles: Share,
    half_widths: Vec<f64>,
}

/// How often a model's tail is called different from its own, and whether slowdowns lie inside the
/// intervals.
pub fn coverage(options: &Options, targets: &mut Targets) -> Result<(), BenchError> {
    let mut rows = Rows::new(&[
        "noise",
        "slowdown",
        "n",
        "called different, alone",
        "judged together",
        "truth inside the interval",
        "half-width, median",
        "inside that of percentiles",
    ]);
    for (place, (name, noise)) in kinds().into_iter().enumerate() {
        let seed = options.seed + 300_000 + 1_000 * place as u64;
        let mut of_itself = Fared::default();
        let copies = Scripted {
            candidates: &[("copy", 1.0)],
            noise: &noise,
            seed,
            rounds: ROUNDS,
        };
        for compared in several(&copies, options.scaled(COMPARISONS))? {
            of_itself.note(&compared, 1.0)?;
        }
        of_itself.report(name, 1.0, &mut rows)?;
        for (what, share) in [
            ("alone", &of_itself.alone),
            ("together", &of_itself.together),
        ] {
            targets.check(
                &format!("{name}: p99 false {what} at most 5%: {share}"),
                share.may_be(0.0..=0.05),
            );
        }
        let mut planted: [Fared; 2] = Default::default();
        let slowed = Scripted {
            candidates: &PLANTED,
            seed: seed + 500,
            ..copies
        };
        for compared in several(&slowed, options.scaled(PLANTED_COMPARISONS))? {
            planted[compared.candidate].note(&compared, PLANTED[compared.candidate].1)?;
        }
        for ((_, ratio), fared) in PLANTED.iter().zip(&planted) {
            fared.report(name, *ratio, &mut rows)?;
        }
        for fared in [&of_itself].into_iter().chain(&planted) {
            targets.check(
                &format!("{name}: coverage of p99 is 93% at least: {}", fared.covered),
                fared.covered.may_be(*COVERAGE.start()..=1.0),
            );
        }
    }
    rows.print(&written("tails", options));
    Ok(())
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
    fn note(&mut self, compared: &Compared, truth: f64) -> Result<(), BenchError> {
        let change: &Change = compared
            .p99
            .as_ref()
            .map_err(|reason| format!("p99 was not compared: {reason}"))?;
        self.together.count(differs(change.verdict));
        self.alone
            .count(differs(change.alone.unwrap_or(change.verdict)));
        self.covered.count(
            change
                .ratio
                .interval()
                .is_some_and(|interval| interval.contains(truth)),
        );
        self.by_percentiles
            .count(by_percentiles(&compared.launches)?.contains(truth));
        self.half_widths.extend(change.half_width_ratio());
        Ok(())
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
            &self.by_percentiles,
        ]);
        Ok(())
    }
}

/// The latencies of one side, the longest first, each with its launch.
struct Side {
    latencies: Vec<(u64, usize)>,
    counts: Vec<usize>,
}

impl Side {
    fn of(launches: &[LaunchLatencies]) -> Self {
        let mut latencies: Vec<(u64, usize)> = launches
            .iter()
            .enumerate()
            .flat_map(|(launch, one)| {
                (1..=one.latencies.count())
                    .filter_map(move |rank| Some((one.latencies.at_rank(rank)?.0, launch)))
            })
            .collect();
        latencies.sort_unstable_by(|one, other| other.cmp(one));
        let counts = launches.iter().map(|one| one.latencies.count() as usize);
        Side {
            latencies,
            counts: counts.collect(),
        }
    }

    fn log_p99(&self, weights: &[usize]) -> f64 {
        let all: usize = self.counts.iter().zip(weights).map(|(n, w)| n * w).sum();
        let above = all - Quantile::P99.rank(all as u64) as usize;
        let mut seen = 0;
        let found = self.latencies.iter().find(|(_, launch)| {
            seen += weights[*launch];
            seen > above
        });
        found.map_or(f64::NAN, |(latency, _)| (*latency as f64).ln())
    }
}

/// The interval between two percentiles of the ratio over resampled rounds.
fn by_percentiles(launches: &[Vec<LaunchLatencies>; 2]) -> Result<Interval, BenchError> {
    let [candidate, baseline] = launches.each_ref().map(|launches| Side::of(launches));
    let rounds = candidate.counts.len().min(baseline.counts.len());
    let mut random = Random::new(1, 900);
    let mut logs: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let mut weights = vec![0; rounds];
            for _ in 0..rounds {
                weights[(random.uniform() * rounds as f64) as usize] += 1;
            }
            candidate.log_p99(&weights) - baseline.log_p99(&weights)
        })
        .collect();
    logs.sort_unstable_by(f64::total_cmp);
    let beyond = (END_ERROR / 2.0 * RESAMPLES as f64) as usize;
    Ok(Interval {
        low: logs.get(beyond).ok_or("no resamples")?.exp(),
        high: logs[RESAMPLES - 1 - beyond].exp(),
    })
}
