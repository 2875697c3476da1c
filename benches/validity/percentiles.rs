//! Whether the interval of a percentile holds the true one, for latencies of known distributions.

use onnxprof::stats::{Buckets, Latencies, LaunchLatencies, Quantile};
use onnxprof::units::Nanos;
use statrs::distribution::{ContinuousCDF, Normal};

use crate::options::Options;
use crate::random::Random;
use crate::support::{BenchError, Rows, Targets};
use crate::tally::{Share, written};

const TRIALS: usize = 4_000;
const SAMPLES: usize = 2_000;
const QUANTILES: [(&str, Quantile); 4] = [
    ("p50", Quantile::P50),
    ("p90", Quantile::P90),
    ("p95", Quantile::P95),
    ("p99", Quantile::P99),
];
/// What latencies are multiples of: large enough for whole nanoseconds not to matter.
const UNIT_NS: f64 = 10_000_000.0;

/// A distribution of latencies, as multiples of [`UNIT_NS`].
struct Distribution {
    name: &'static str,
    draw: fn(&mut Random) -> f64,
    cumulative: fn(f64) -> f64,
}

const DISTRIBUTIONS: [Distribution; 3] = [
    Distribution {
        name: "log-normal, sd 0.3",
        draw: |random| (0.3 * random.normal()).exp(),
        cumulative: |value| below(value.ln() / 0.3),
    },
    Distribution {
        name: "exponential",
        draw: Random::exponential,
        cumulative: |value| 1.0 - (-value).exp(),
    },
    Distribution {
        name: "two speeds, 70% at 1 and 30% at 1.5",
        draw: |random| {
            let centre = if random.uniform() < 0.7 { 1.0 } else { 1.5 };
            centre * (0.05 * random.normal()).exp()
        },
        cumulative: |value| 0.7 * below(value.ln() / 0.05) + 0.3 * below((value / 1.5).ln() / 0.05),
    },
];

/// The share of a standard normal distribution below a value.
fn below(value: f64) -> f64 {
    Normal::standard().cdf(value)
}

/// Where a cumulative distribution reaches a share, by bisection.
fn truth(cumulative: fn(f64) -> f64, share: f64) -> f64 {
    let (mut low, mut high) = (1e-9, 100.0);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if cumulative(middle) < share {
            low = middle
        } else {
            high = middle
        }
    }
    high
}

/// How often the interval of each percentile holds the truth, of those that have one.
#[derive(Default)]
struct Fared {
    covered: [Share; 4],
    bounded: [Share; 4],
}

impl Fared {
    fn note(&mut self, all: &Latencies, launches: &[Latencies], truths: [f64; 4]) {
        let launches: Vec<LaunchLatencies> = (0..)
            .zip(launches)
            .map(|(round, latencies)| LaunchLatencies {
                round,
                latencies: Buckets::from(latencies),
            })
            .collect();
        let percentiles =
            Buckets::from(all).percentiles(QUANTILES.map(|(_, quantile)| quantile), &launches);
        for (at, (percentile, truth)) in percentiles.into_iter().zip(truths).enumerate() {
            let interval = percentile
                .ok()
                .and_then(|percentile| percentile.interval.ok());
            self.bounded[at].count(interval.is_some());
            if let Some(interval) = interval {
                self.covered[at].count(interval.contains(truth));
            }
        }
    }

    fn report(&self, name: &str, latencies: usize, rows: &mut Rows, targets: &mut Targets) {
        let cells = self.covered.map(|covered| covered.to_string());
        let [p50, p90, p95, p99] = &cells;
        let without = self
            .bounded
            .map(|bounded| format!("{:.0}%", 100.0 * (1.0 - bounded.value())))
            .join(", ");
        rows.push(&[
            &name,
            &self.bounded[0].n(),
            &latencies,
            p50,
            p90,
            p95,
            p99,
            &without,
        ]);
        for ((percentile, _), covered) in QUANTILES
            .iter()
            .zip(&self.covered)
            .filter(|(_, covered)| covered.n() > 0)
        {
            let met = covered.may_be(0.93..=0.97);
            targets.check(
                &format!("{name}, {percentile}: coverage is 93 to 97%: {covered}"),
                met,
            );
        }
    }
}

/// Coverage of the intervals of percentiles, of independent latencies and of those that launches
/// have in common.
pub fn coverage(options: &Options, targets: &mut Targets) -> Result<(), BenchError> {
    let mut rows = Rows::new(&[
        "latencies",
        "n",
        "latencies of each",
        "p50",
        "p90",
        "p95",
        "p99",
        "without interval",
    ]);
    for (place, distribution) in DISTRIBUTIONS.iter().enumerate() {
        let mut random = Random::new(options.seed, 800 + place as u64);
        let mut latencies = Latencies::new();
        let mut fared = Fared::default();
        let truths = QUANTILES
            .map(|(_, quantile)| UNIT_NS * truth(distribution.cumulative, quantile.share()));
        for _ in 0..options.scaled(TRIALS) {
            latencies.reset();
            for _ in 0..SAMPLES {
                latencies.record(nanos((distribution.draw)(&mut random)));
            }
            fared.note(&latencies, &[], truths);
        }
        fared.report(distribution.name, SAMPLES, &mut rows, targets);
    }
    for (place, family) in FAMILIES.iter().enumerate() {
        let mut random = Random::new(options.seed, 850 + place as u64);
        family
            .try_often(options.scaled(TRIALS), &mut random)
            .report(family.name, LAUNCHES * OF_LAUNCH, &mut rows, targets);
    }
    rows.print(&written("percentiles", options));
    Ok(())
}

fn nanos(units: f64) -> Nanos {
    Nanos((UNIT_NS * units).round() as u64)
}

/// Launches of a cell, and the latencies of each.
const LAUNCHES: usize = 12;
const OF_LAUNCH: usize = 400;

/// Launches of log-normal latencies whose neighbours correlate, and which differ from each other.
struct Family {
    name: &'static str,
    rho: f64,
    launch_sd: f64,
}

/// Spread of the logarithm within a launch.
const WITHIN_SD: f64 = 0.2;

const FAMILIES: [Family; 4] = [
    Family {
        name: "12 launches, independent",
        rho: 0.0,
        launch_sd: 0.0,
    },
    Family {
        name: "12 launches, autocorrelation 0.9",
        rho: 0.9,
        launch_sd: 0.0,
    },
    Family {
        name: "12 launches that differ by 3%",
        rho: 0.0,
        launch_sd: 0.03,
    },
    Family {
        name: "12 launches, both",
        rho: 0.9,
        launch_sd: 0.03,
    },
];

impl Family {
    fn try_often(&self, trials: usize, random: &mut Random) -> Fared {
        let total_sd = WITHIN_SD.hypot(self.launch_sd);
        let truths =
            QUANTILES.map(|(_, quantile)| UNIT_NS * (total_sd * standard_quantile(quantile)).exp());
        let mut launches: Vec<Latencies> = (0..LAUNCHES).map(|_| Latencies::new()).collect();
        let mut all = Latencies::new();
        let mut fared = Fared::default();
        for _ in 0..trials {
            all.reset();
            for launch in &mut launches {
                launch.reset();
                self.fill(launch, random);
                all.merge(launch);
            }
            fared.note(&all, &launches, truths);
        }
        fared
    }

    fn fill(&self, launch: &mut Latencies, random: &mut Random) {
        let effect = self.launch_sd * random.normal();
        let mut state = random.normal();
        for _ in 0..OF_LAUNCH {
            launch.record(nanos((effect + WITHIN_SD * state).exp()));
            state = self.rho * state + (1.0 - self.rho * self.rho).sqrt() * random.normal();
        }
    }
}

fn standard_quantile(quantile: Quantile) -> f64 {
    Normal::standard().inverse_cdf(quantile.share())
}
