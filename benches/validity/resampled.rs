//! Intervals that the ratio of two 99th percentiles may be given, from resampled rounds.

use onnxprof::stats::{END_ERROR, Interval, LaunchLatencies, Quantile};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use crate::random::Random;
use crate::support::BenchError;

const RESAMPLES: usize = 1_000;
/// Share of a normal distribution within one standard deviation.
const WITHIN_SD: f64 = 0.682_689_5;

/// The ends of an interval for a log-ratio.
type Ends = fn(&Resampled) -> Result<(f64, f64), BenchError>;

/// What is tried; the first is what was in use first.
pub const INTERVALS: [(&str, Ends); 14] = [
    ("standard deviation, Student's t", |all| {
        all.student(all.sd() * all.correction())
    }),
    ("the same, not corrected for L", |all| all.student(all.sd())),
    ("standard deviation, normal", |all| {
        all.normal(all.sd() * all.correction())
    }),
    ("central 68%, Student's t", |all| {
        all.student(all.half_of(WITHIN_SD)? * all.correction())
    }),
    ("the same, not corrected for L", |all| {
        all.student(all.half_of(WITHIN_SD)?)
    }),
    ("central 68%, normal", |all| {
        all.normal(all.half_of(WITHIN_SD)? * all.correction())
    }),
    ("central 95%, Student's t", |all| {
        let sd = all.half_of(0.95)? / Normal::standard().inverse_cdf(0.975);
        all.student(sd * all.correction())
    }),
    ("percentiles", |all| all.between(END_ERROR / 2.0)),
    ("percentiles, expanded", |all| {
        all.expanded(all.correction())
    }),
    ("the same, not corrected for L", |all| all.expanded(1.0)),
    ("each side's 34%, Student's t", |all| {
        all.each_side(WITHIN_SD, all.correction())
    }),
    ("the same, not corrected for L", |all| {
        all.each_side(WITHIN_SD, 1.0)
    }),
    ("each side's 47.5%, Student's t", |all| {
        all.each_side(0.95, all.correction())
    }),
    ("the same, not corrected for L", |all| {
        all.each_side(0.95, 1.0)
    }),
];

/// Log-ratios of resampled rounds.
pub struct Resampled {
    centre: f64,
    /// Ascending.
    logs: Vec<f64>,
    rounds: f64,
}

impl Resampled {
    /// Resamples rounds in which both sides were launched.
    pub fn of(launches: &[Vec<LaunchLatencies>; 2]) -> Self {
        let [candidate, baseline] = launches.each_ref().map(|launches| Side::of(launches));
        let rounds = candidate.counts.len().min(baseline.counts.len());
        let log_ratio = |weights: &[usize]| candidate.log_p99(weights) - baseline.log_p99(weights);
        let mut random = Random::new(1, 900);
        let mut weights = vec![0; rounds];
        let mut logs: Vec<f64> = (0..RESAMPLES)
            .map(|_| {
                weights.fill(0);
                for _ in 0..rounds {
                    weights[(random.uniform() * rounds as f64) as usize] += 1;
                }
                log_ratio(&weights)
            })
            .collect();
        logs.sort_unstable_by(f64::total_cmp);
        Resampled {
            centre: log_ratio(&vec![1; rounds]),
            logs,
            rounds: rounds as f64,
        }
    }

    /// One of the intervals, of the ratio.
    pub fn interval(&self, ends: Ends) -> Result<Interval, BenchError> {
        let (low, high) = ends(self)?;
        Ok(Interval {
            low: low.exp(),
            high: high.exp(),
        })
    }

    fn sd(&self) -> f64 {
        let n = self.logs.len() as f64;
        let mean = self.logs.iter().sum::<f64>() / n;
        let squares: f64 = self.logs.iter().map(|log| (log - mean).powi(2)).sum();
        (squares / (n - 1.0)).sqrt()
    }

    /// What a resampled standard deviation of L values is too small by.
    fn correction(&self) -> f64 {
        (self.rounds / (self.rounds - 1.0)).sqrt()
    }

    fn t(&self) -> Result<StudentsT, BenchError> {
        Ok(StudentsT::new(0.0, 1.0, self.rounds - 1.0)?)
    }

    fn student(&self, standard_error: f64) -> Result<(f64, f64), BenchError> {
        let reach = self.t()?.inverse_cdf(1.0 - END_ERROR / 2.0) * standard_error;
        Ok((self.centre - reach, self.centre + reach))
    }

    fn normal(&self, standard_error: f64) -> Result<(f64, f64), BenchError> {
        let reach = Normal::standard().inverse_cdf(1.0 - END_ERROR / 2.0) * standard_error;
        Ok((self.centre - reach, self.centre + reach))
    }

    /// Percentiles so far out as Student's t reaches. Source: Hesterberg, *American Statistician* 69
    /// (2015), section 4.3.
    fn expanded(&self, correction: f64) -> Result<(f64, f64), BenchError> {
        let reach = self.t()?.inverse_cdf(END_ERROR / 2.0) * correction;
        self.between(Normal::standard().cdf(reach))
    }

    /// Each end as far out as the resamples reach on its side, of which the middle has this share.
    fn each_side(&self, share: f64, correction: f64) -> Result<(f64, f64), BenchError> {
        let (low, high) = self.between((1.0 - share) / 2.0)?;
        let in_sd = 1.0 / Normal::standard().inverse_cdf(f64::midpoint(1.0, share));
        let reach = self.t()?.inverse_cdf(1.0 - END_ERROR / 2.0) * in_sd * correction;
        Ok((
            self.centre - reach * (self.centre - low),
            self.centre + reach * (high - self.centre),
        ))
    }

    /// Half of the range that holds this share of the resamples.
    fn half_of(&self, share: f64) -> Result<f64, BenchError> {
        let (low, high) = self.between((1.0 - share) / 2.0)?;
        Ok((high - low) / 2.0)
    }

    /// The range that leaves this share out on each side.
    fn between(&self, beyond: f64) -> Result<(f64, f64), BenchError> {
        let left_out = (beyond * RESAMPLES as f64) as usize;
        let low = self.logs.get(left_out).ok_or("too few resamples")?;
        Ok((*low, self.logs[RESAMPLES - 1 - left_out]))
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
