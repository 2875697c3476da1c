//! The most throughput under a latency limit.

use crate::analysis::{BatchCurve, Estimate, Facts, Within, WithinLimit};
use crate::metric::Metric;
use crate::text::Plain;

/// A batch size keeps the limit if the upper end of the latency's interval does, or else the
/// largest of the launches.
pub(super) fn within(facts: &Facts<'_>, curve: &BatchCurve) -> Vec<WithinLimit> {
    let Some(limit_ns) = facts.index.record.plan.latency_limit_ns else {
        return Vec::new();
    };
    [Metric::LatencyP50, Metric::LatencyP99]
        .map(|metric| WithinLimit {
            limit_ns,
            metric,
            outcome: best(limit_ns.as_f64(), &candidates(facts, curve, metric)),
        })
        .into()
}

fn candidates<'a>(facts: &'a Facts<'_>, curve: &BatchCurve, metric: Metric) -> Vec<Candidate<'a>> {
    curve
        .points
        .iter()
        .filter_map(|point| {
            Some(Candidate {
                batch_size: point.batch_size,
                throughput: point.throughput_per_sec,
                latency: facts.cell(curve.key(point.batch_size))?.figure(metric)?,
            })
        })
        .collect()
}

struct Candidate<'a> {
    batch_size: u64,
    throughput: f64,
    latency: &'a Estimate,
}

fn best(limit: f64, candidates: &[Candidate<'_>]) -> Within {
    let measured: Vec<(f64, &Candidate<'_>)> = candidates
        .iter()
        .filter_map(|candidate| Some((upper(candidate.latency)?, candidate)))
        .collect();
    let best = measured
        .iter()
        .filter(|(latency, _)| *latency <= limit)
        .map(|(_, candidate)| candidate)
        .max_by(|one, other| one.throughput.total_cmp(&other.throughput));
    let closest = measured
        .iter()
        .min_by(|one, other| one.0.total_cmp(&other.0));
    match (best, closest) {
        (Some(best), _) => Within::Best(best.batch_size),
        (None, Some((_, closest))) => Within::Closest(closest.batch_size),
        (None, None) => Within::Unknown(why_unknown(candidates)),
    }
}

fn why_unknown(candidates: &[Candidate<'_>]) -> Plain {
    candidates
        .iter()
        .find_map(|candidate| candidate.latency.absent_reason())
        .cloned()
        .unwrap_or_else(|| "no batch size was measured".into())
}

fn upper(latency: &Estimate) -> Option<f64> {
    let measured = latency.measured()?;
    match (measured.interval.or(measured.range), measured.bounds) {
        (Some(interval), _) => Some(interval.high),
        (None, Some(bounds)) => bounds.at_most,
        (None, None) => Some(measured.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::figures::{Counted, Interval, Measured};

    fn latency(value: f64, high: f64) -> Estimate {
        Estimate::Measured(Measured {
            interval: Some(Interval { low: value, high }),
            ..Measured::exact(value, 6, Counted::Launches)
        })
    }

    fn found(limit: f64, latencies: &[Estimate]) -> Within {
        let candidates = latencies.iter().enumerate();
        let candidates = candidates.map(|(place, latency)| Candidate {
            batch_size: 1 << place,
            throughput: [100.0, 180.0, 170.0][place],
            latency,
        });
        best(limit, &candidates.collect::<Vec<_>>())
    }

    #[test]
    fn most_throughput_counts_among_those_whose_interval_keeps_the_limit() {
        let rising = [
            latency(10.0, 11.0),
            latency(18.0, 21.0),
            latency(30.0, 31.0),
        ];
        let none = [Estimate::absent("needs 1000 samples")];
        for (limit, latencies, expected, why) in [
            (
                20.0,
                &rising[..],
                Within::Best(1),
                "the interval of batch 2 exceeds 20",
            ),
            (
                21.0,
                &rising,
                Within::Best(2),
                "the interval of batch 2 ends there",
            ),
            (
                50.0,
                &rising,
                Within::Best(2),
                "batch 4 has less throughput",
            ),
            (
                5.0,
                &[latency(10.0, 11.0), latency(9.0, 12.0)],
                Within::Closest(1),
                "none keeps it",
            ),
            (
                5.0,
                &none,
                Within::Unknown("needs 1000 samples".into()),
                "no batch size has the percentile",
            ),
        ] {
            assert_eq!(found(limit, latencies), expected, "{why}");
        }
    }
}
