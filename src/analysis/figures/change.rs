//! Changes from a baseline: a ratio, then a verdict.

use serde::Serialize;

use super::estimate::{Estimate, Interval, Measured};
use super::pace;
use crate::metric::{Direction, Metric};
use crate::observed::Observed;
use crate::plan::CellKey;
use crate::record::Pairs;
use crate::stats::{
    CONFIDENCE, END_ERROR, Evidence, PairedRatio, Relation, TailRatio, UnpairedRatio, relations,
};
use crate::units::{Nanos, Ratio};

/// A cell against the baseline's of the same batch size and load mode.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The baseline's cell.
    pub baseline: CellKey,
    /// Median latency.
    pub p50: Change,
    /// 10th percentile of latency, which follows the machine's fast mode.
    pub p10: Change,
    /// 99th percentile of latency, of the latencies of all launches; or why it is not compared.
    pub p99: Observed<Change>,
    /// Throughput.
    pub throughput: Change,
    /// Whether the 99th percentile is worse although the median is not, by their verdicts.
    pub worse_tail: bool,
}

/// A measured ratio to the baseline and what it amounts to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Session / baseline: below 1 is faster for a latency, above 1 for throughput.
    pub ratio: Estimate,
    /// Changes within this share of 1 are not told from noise.
    pub noise_floor: Ratio,
    /// Its verdict.
    pub verdict: Verdict,
    /// The verdict that the interval alone would give, where the other comparisons that it is judged
    /// together with, or the checks of the run, keep it open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alone: Option<Verdict>,
    /// About how many more rounds would settle an inconclusive verdict.
    pub rounds_to_settle: Option<u64>,
    /// About how long these take, by how long rounds of the run took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_to_settle_ns: Option<Nanos>,
    /// Whether it is left open because other work was going on, and both sides use the machine
    /// unlike.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_withheld: bool,
    #[serde(skip)]
    evidence: Evidence,
    /// `rounds_to_settle` while nothing is settled yet.
    #[serde(skip)]
    rounds_forecast: Option<u64>,
}

impl Change {
    /// How many times as fast as the baseline a latency ratio makes the session: the reciprocal of
    /// the ratio.
    #[must_use]
    pub fn speedup(&self) -> Option<(f64, Option<Interval>)> {
        let measured = self.ratio.measured()?;
        Some((
            1.0 / measured.value,
            measured.interval.map(Interval::reciprocal),
        ))
    }
}

impl Change {
    /// The [half-width](Interval::factor_half_width_ratio) of the ratio, whichever way round it is
    /// written; `None` without an interval.
    #[must_use]
    pub fn half_width_ratio(&self) -> Option<f64> {
        let measured = self.ratio.measured()?;
        Some(measured.interval?.factor_half_width_ratio(measured.value))
    }
}

/// Verdicts on a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Better: the change exceeds the noise floor, and the interval excludes 1 even when all
    /// comparisons of the run are judged together.
    Faster,
    /// Worse, by the same rule.
    Slower,
    /// The whole interval lies within the noise floor, by the same measure.
    Same,
    /// None of these.
    Inconclusive,
}

impl Change {
    /// The change that rounds of log-ratios show, not judged yet; `None` if there is no ratio.
    pub(in crate::analysis) fn paired(metric: Metric, rounds: &[Vec<f64>]) -> Option<Self> {
        let paired = PairedRatio::of(rounds)?;
        let found = paired.ratio();
        let noise_floor = floor(metric);
        Some(Change {
            rounds_forecast: paired
                .more_rounds_for(settling_half_width(found.value, noise_floor.0.ln_1p())),
            ..Change::unsettled(
                Estimate::Measured(Measured::over_launches(&found)),
                noise_floor,
                paired.evidence(noise_floor.0.ln_1p()),
            )
        })
    }

    /// Between launches that did not take turns, not judged yet; `None` if a value is not positive,
    /// or a side has none.
    pub(in crate::analysis) fn unpaired(
        metric: Metric,
        candidate: &[f64],
        baseline: &[f64],
    ) -> Option<Self> {
        let unpaired = UnpairedRatio::of(candidate, baseline)?;
        let noise_floor = floor(metric);
        Some(Change::unsettled(
            Estimate::Measured(Measured::over_launches(&unpaired.ratio())),
            noise_floor,
            unpaired.evidence(noise_floor.0.ln_1p()),
        ))
    }

    /// Of percentiles, not judged yet.
    pub(in crate::analysis) fn of_tails(metric: Metric, tails: &TailRatio) -> Self {
        let found = tails.ratio();
        let noise_floor = floor(metric);
        let floor = noise_floor.0.ln_1p();
        Change {
            rounds_forecast: tails.more_rounds_for(settling_half_width(found.value, floor)),
            ..Change::unsettled(
                Estimate::Measured(Measured::over_launches(&found)),
                noise_floor,
                tails.evidence(floor),
            )
        }
    }

    /// Between two values that carry no noise, not judged yet; `None` if one of them is not
    /// positive.
    pub(in crate::analysis) fn exact(candidate: &Measured, baseline: &Measured) -> Option<Self> {
        let centre = (candidate.value / baseline.value).ln();
        let differs = candidate.value != baseline.value;
        let (p_different, p_same) = if differs { (0.0, 1.0) } else { (1.0, 0.0) };
        let evidence = Evidence {
            centre,
            floor: 0.0,
            p_different,
            p_same,
        };
        centre.is_finite().then(|| {
            Change::unsettled(
                Estimate::exact(centre.exp(), candidate.n, candidate.n_of),
                Ratio(0.0),
                evidence,
            )
        })
    }

    fn unsettled(ratio: Estimate, noise_floor: Ratio, evidence: Evidence) -> Self {
        Change {
            ratio,
            noise_floor,
            verdict: Verdict::Inconclusive,
            alone: None,
            rounds_to_settle: None,
            time_to_settle_ns: None,
            is_withheld: false,
            evidence,
            rounds_forecast: None,
        }
    }

    /// Tells in time how long the rounds take that would settle it.
    pub(in crate::analysis) fn time(&mut self, round: Option<Nanos>) {
        self.time_to_settle_ns = self
            .rounds_to_settle
            .zip(round)
            .map(|(count, round)| pace::rounds(count, round));
    }

    /// Leaves it open, whatever the interval says: a quiet machine alone would settle it.
    pub(in crate::analysis) fn withhold(&mut self) {
        self.is_withheld = true;
        self.verdict = Verdict::Inconclusive;
        self.alone = None;
        self.rounds_to_settle = None;
        self.time_to_settle_ns = None;
    }

    /// Takes the verdict that a relation among others amounts to, which alone might be wrong with
    /// probability `error`; once there is one, nothing is left to settle.
    fn settle(&mut self, metric: Metric, relation: Relation, error: f64) {
        self.verdict = Verdict::of(relation, metric.direction());
        // The level of the interval that is shown.
        let shown = error.max(1.0 - CONFIDENCE);
        let alone = Verdict::of(self.evidence.relation(shown), metric.direction());
        self.alone = (self.verdict != alone).then_some(alone);
        // A forecast of none is wrong where the verdict is open: the interval is narrow enough, but
        // lopsided.
        let open = self.verdict == Verdict::Inconclusive;
        self.rounds_to_settle = self.rounds_forecast.filter(|&rounds| open && rounds > 0);
    }
}

/// The noise floor of a metric; without one, any change whose interval excludes 1 counts.
fn floor(metric: Metric) -> Ratio {
    metric.noise_floor().unwrap_or_default()
}

/// Judges changes of one metric together, so that the share of false verdicts among those given
/// stays within `error`.
pub(in crate::analysis) fn judge<'c>(
    metric: Metric,
    changes: impl Iterator<Item = &'c mut Change>,
    error: f64,
) {
    let (evidence, changes): (Vec<_>, Vec<_>) =
        changes.map(|change| (change.evidence, change)).unzip();
    for (change, relation) in changes.into_iter().zip(relations(&evidence, error)) {
        change.settle(metric, relation, error);
    }
}

/// Changes of medians that have an interval, as one family; the others cannot have a verdict.
pub(in crate::analysis) fn judge_bounded<'c>(changes: impl Iterator<Item = &'c mut Change>) {
    judge(
        Metric::LatencyP50RatioToBaseline,
        changes.filter(|change| change.ratio.interval().is_some()),
        END_ERROR,
    );
}

/// Logarithms of ratios of which each round has one.
pub(in crate::analysis) fn log_rounds(ratios: impl Iterator<Item = f64>) -> Vec<Vec<f64>> {
    ratios
        .map(f64::ln)
        .filter(|ratio| ratio.is_finite())
        .map(|ratio| vec![ratio])
        .collect()
}

impl Verdict {
    /// Verdict by a relation to the baseline, for a metric of which less, or more, is better.
    #[must_use]
    pub fn of(relation: Relation, direction: Direction) -> Self {
        match (relation, direction) {
            (Relation::Same, _) => Verdict::Same,
            (Relation::Undecided, _) => Verdict::Inconclusive,
            (Relation::Below, Direction::Higher)
            | (Relation::Above, Direction::Lower | Direction::Neutral) => Verdict::Slower,
            (Relation::Above, Direction::Higher)
            | (Relation::Below, Direction::Lower | Direction::Neutral) => Verdict::Faster,
        }
    }
}

/// The relative half-width at which the verdict on a ratio that stays where it is would be settled:
/// small enough to exclude 1 if the change exceeds the floor, else small enough to lie within the
/// floor.
pub(in crate::analysis) fn settling_half_width(ratio: f64, floor: f64) -> f64 {
    let change = ratio.ln().abs();
    if change > floor {
        change
    } else {
        floor - change
    }
}

pub(in crate::analysis) fn median_change(pairs: &Pairs<'_>) -> Option<Change> {
    Change::paired(
        Metric::LatencyP50RatioToBaseline,
        &pairs.log_ratios(|block| block.median_ns.as_f64()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The change that eight rounds of two pairs give, each pair off by up to `noise` from `ratio`.
    fn change_of(metric: Metric, ratio: f64, noise: f64) -> Change {
        let pair = |round: u64, sign: f64| ratio.ln() + sign * noise * (round as f64 - 3.5) / 3.5;
        let mut change = Change::paired(
            metric,
            &(0..8)
                .map(|round| vec![pair(round, 1.0), pair(round, 0.9)])
                .collect::<Vec<_>>(),
        )
        .unwrap();
        change.settle(metric, change.evidence.relation(END_ERROR), END_ERROR);
        change
    }

    fn latency(ratio: f64, noise: f64) -> Change {
        change_of(Metric::LatencyP50RatioToBaseline, ratio, noise)
    }

    /// Between 0 and 1, and in no order.
    fn scattered(number: u32) -> f64 {
        f64::from(number.wrapping_mul(2_654_435_761)) / f64::from(u32::MAX)
    }

    #[test]
    fn an_interval_within_the_floor_is_same_or_what_keeps_it_open_is_said() {
        let metric = Metric::LatencyP50RatioToBaseline;
        let floor = floor(metric).0;
        let mut said = 0;
        for rounds in 6..20_u32 {
            for scale in 1..40_u32 {
                let log_ratios: Vec<Vec<f64>> = (0..rounds)
                    .map(|round| scattered(round + 20 * scale) - 0.5)
                    .map(|noise| vec![noise * f64::from(scale) / 400.0])
                    .collect();
                let mut change = Change::paired(metric, &log_ratios).unwrap();
                let mut others = [latency(1.0, 0.5), latency(1.0, 0.5)];
                judge(
                    metric,
                    std::iter::once(&mut change).chain(&mut others),
                    END_ERROR,
                );
                let ends = change.ratio.interval().unwrap();
                let is_within = ends.low.ln().min(-ends.high.ln()) >= -floor.ln_1p();
                let verdicts = (change.verdict, change.alone);
                if is_within {
                    assert!(
                        verdicts.0 == Verdict::Same || verdicts.1 == Some(Verdict::Same),
                        "{rounds} rounds, {ends:?}: {verdicts:?}"
                    );
                    said += u32::from(verdicts.1.is_some());
                } else {
                    assert_ne!(verdicts.0, Verdict::Same, "{rounds} rounds, {ends:?}");
                }
            }
        }
        assert!(said > 0, "some are kept open");
    }

    #[test]
    fn what_is_withheld_has_no_verdict_and_no_time_that_would_settle_it() {
        let mut change = latency(0.5, 0.01);
        assert_eq!(change.verdict, Verdict::Faster);
        change.withhold();
        change.time(Some(Nanos(1)));
        assert_eq!(
            (change.verdict, change.alone, change.time_to_settle_ns),
            (Verdict::Inconclusive, None, None)
        );
        assert!(change.is_withheld && change.ratio.interval().is_some());
    }

    #[test]
    fn a_verdict_that_others_keep_open_says_what_it_would_be_alone() {
        let metric = Metric::LatencyP50RatioToBaseline;
        let mut changes = vec![latency(1.0, 0.015)];
        assert_eq!(
            (changes[0].verdict, changes[0].alone),
            (Verdict::Same, None)
        );
        changes.extend((0..9).map(|_| latency(1.0, 0.2)));
        judge(metric, changes.iter_mut(), END_ERROR);
        let interval = changes[0].ratio.interval().unwrap();
        assert!(
            interval.low > 1.0 / 1.02 && interval.high < 1.02,
            "{interval:?}"
        );
        assert_eq!(
            (changes[0].verdict, changes[0].alone),
            (Verdict::Inconclusive, Some(Verdict::Same))
        );
        assert!(changes[1..].iter().all(|change| change.alone.is_none()));
    }

    #[test]
    fn what_would_settle_it_is_told_in_time() {
        let mut change = latency(0.95, 0.2);
        let rounds = change.rounds_to_settle.unwrap();
        change.time(Some(Nanos(3)));
        assert_eq!(change.time_to_settle_ns, Some(Nanos(3 * rounds)));
        let mut settled = latency(0.5, 0.01);
        settled.time(Some(Nanos(3)));
        assert_eq!(settled.time_to_settle_ns, None);
    }

    #[test]
    fn change_beyond_the_floor_is_told_by_its_direction_and_a_wide_interval_says_what_would_settle_it()
     {
        let throughput = |ratio| change_of(Metric::ThroughputRatioToBaseline, ratio, 0.01);
        for (what, change, verdict) in [
            ("half the latency", latency(0.5, 0.01), Verdict::Faster),
            ("twice the latency", latency(2.0, 0.01), Verdict::Slower),
            ("half the throughput", throughput(0.5), Verdict::Slower),
            ("twice the throughput", throughput(2.0), Verdict::Faster),
            (
                "a sure change within the noise floor",
                latency(0.99, 0.002),
                Verdict::Same,
            ),
            (
                "an interval around 1 within the floor",
                latency(1.0, 0.005),
                Verdict::Same,
            ),
            (
                "an interval that ends just beyond the floor",
                latency(1.01, 0.03),
                Verdict::Inconclusive,
            ),
            ("a wide interval", latency(0.95, 0.2), Verdict::Inconclusive),
        ] {
            assert_eq!(change.verdict, verdict, "{what}: {change:?}");
        }
        let within = latency(0.99, 0.002);
        assert!(within.ratio.interval().unwrap().high < 1.0, "{within:?}");
        let change = latency(0.95, 0.2);
        assert!(change.rounds_to_settle.unwrap() > 8, "{change:?}");
        assert_eq!(latency(0.5, 0.01).rounds_to_settle, None);
    }
}
