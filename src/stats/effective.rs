//! How many independent latencies those of a few launches are worth.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{TAIL, Z};

/// How many independent latencies one latency is worth at most.
const MOST_WORTH: u64 = 4;

pub(super) struct Launches {
    counts: Vec<u64>,
    /// Launches that have any, less one.
    degrees: f64,
    /// `(z/t)^2`, see [`Launches::effective_n`].
    shrinkage: f64,
}

impl Launches {
    /// Launches of so many latencies each; `None` if fewer than two have any.
    pub(super) fn of(counts: Vec<u64>) -> Option<Self> {
        let degrees = counts
            .iter()
            .filter(|&&count| count > 0)
            .count()
            .checked_sub(1)
            .filter(|&degrees| degrees > 0)? as f64;
        let t = StudentsT::new(0.0, 1.0, degrees)
            .ok()?
            .inverse_cdf(1.0 - TAIL);
        Some(Launches {
            counts,
            degrees,
            shrinkage: (Z / t).powi(2),
        })
    }

    /// The effective sample size, at one threshold of latency, of `n` latencies that the launches
    /// are about; `at_most` are each launch's latencies at or below the threshold.
    ///
    /// Latencies of one launch are alike, and neighbours more so. Launches are independent, so the
    /// share p of latencies at or below the threshold has the variance of a ratio estimator over
    /// clusters, `v = L/(L-1) sum((n_i/n)^2 (p_i - p)^2)`, whatever goes on within a launch. As
    /// many independent latencies as would give the same variance, `p(1-p)/v`, are the effective
    /// ones. Because v is itself estimated from few launches, that number is multiplied by
    /// `(z/t)^2`, the quantiles of the normal distribution and of Student's t with L-1 degrees of
    /// freedom. The product may exceed n, where v came out small by chance: by simulation, a bound
    /// at n would raise the coverage of a 95% interval over independent latencies to 98%, while the
    /// t quantile alone has it at 95 to 97%. The bound of 4n is for latencies that are nearly all
    /// the same, where v says nothing.
    ///
    /// Source: Korn and Graubard, *Survey Methodology* 24 (1998) 193-201.
    pub(super) fn effective_n(&self, at_most: &[u64], n: u64) -> u64 {
        let counted: u64 = self.counts.iter().sum();
        let share = at_most.iter().sum::<u64>() as f64 / counted as f64;
        let variance = self.variance(at_most, share, counted as f64);
        // The latencies that the launches hold stand for all n.
        let worth = share * (1.0 - share) / variance * self.shrinkage * (n as f64 / counted as f64);
        // Without any variance, the quotient is infinite or not a number.
        let most = n.saturating_mul(MOST_WORTH);
        if worth < most as f64 {
            (worth as u64).max(1)
        } else {
            most
        }
    }

    /// The variance of a share, from how the launches differ from it.
    fn variance(&self, at_most: &[u64], share: f64, counted: f64) -> f64 {
        let squares: f64 = at_most
            .iter()
            .zip(&self.counts)
            .map(|(&at_most, &count)| (at_most as f64 - share * count as f64) / counted)
            .map(|deviation| deviation.powi(2))
            .sum();
        squares * (self.degrees + 1.0) / self.degrees
    }
}

#[cfg(test)]
mod tests {
    use super::super::percentile::Ranks;
    use super::super::{Quantile, Z};
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;
    use statrs::distribution::Normal;

    /// Effective n of launches of 100 latencies each, which stand for `n`.
    fn effective_n(at_most: &[u64], n: u64) -> u64 {
        Launches::of(vec![100; at_most.len()])
            .unwrap()
            .effective_n(at_most, n)
    }

    #[test]
    fn effective_n_is_computed_by_hand() {
        // p = 0.9; deviations of +-4 and +-8 of 400; v = 4/3 * 160/160,000; 0.09/v = 67.5; t with 3
        // degrees is 3.1824.
        let launches = [94, 86, 98, 82];
        let expected = 67.5 * (Z / 3.182_446_305).powi(2);
        assert_eq!(effective_n(&launches, 400), expected as u64);
        assert_eq!(effective_n(&launches, 800), (2.0 * expected) as u64);
    }

    #[test]
    fn latencies_without_variance_are_worth_four_times_their_number() {
        assert_eq!(effective_n(&[90; 8], 800), 3_200);
        assert_eq!(effective_n(&[100; 8], 800), 3_200);
    }

    #[test]
    fn overruns_of_one_launch_alone_are_worth_little() {
        assert!(effective_n(&[100, 100, 100, 100, 100, 100, 100, 92], 800) < 99);
    }

    #[test]
    fn one_launch_tells_nothing_about_launches() {
        assert!(Launches::of(vec![]).is_none());
        assert!(Launches::of(vec![100, 0]).is_none());
        assert!(Launches::of(vec![100, 0, 1]).is_some());
    }

    const TRIALS: usize = 2_000;
    const PER_LAUNCH: usize = 600;
    const QUANTILES: [Quantile; 3] = [Quantile::P50, Quantile::P90, Quantile::P99];

    /// How the standard normal latencies of a launch depend on each other.
    #[derive(Clone, Copy, Debug)]
    enum Noise {
        Independent,
        /// Autoregressive, with this correlation between neighbours.
        Neighbours(f64),
        /// This share of the variance is the launch's own.
        Launch(f64),
    }

    /// Standard normal values, all equally likely: drawing one of them takes a fraction of
    /// computing one.
    fn normals() -> Vec<f64> {
        let normal = Normal::standard();
        (0..65_536)
            .map(|place| normal.inverse_cdf((f64::from(place) + 0.5) / 65_536.0))
            .collect()
    }

    fn launch(noise: Noise, mut normal: impl FnMut() -> f64) -> Vec<f64> {
        let mut last = normal();
        let mut next = || match noise {
            Noise::Independent => normal(),
            Noise::Neighbours(correlation) => {
                last = correlation * last + (1.0 - correlation * correlation).sqrt() * normal();
                last
            }
            Noise::Launch(share) => share.sqrt() * last + (1.0 - share).sqrt() * normal(),
        };
        (0..PER_LAUNCH).map(|_| next()).collect()
    }

    fn up_to(values: &[f64], bound: f64) -> u64 {
        values.iter().filter(|&&value| value <= bound).count() as u64
    }

    /// Whether the interval of `quantile` holds the true one; `None` if there is no interval.
    fn is_held(launches: &[Vec<f64>], pooled: &mut [f64], quantile: Quantile) -> Option<bool> {
        let n = pooled.len() as u64;
        let (_, &mut threshold, _) =
            pooled.select_nth_unstable_by(quantile.rank(n) as usize - 1, f64::total_cmp);
        let at_most = launches.iter().map(|values| up_to(values, threshold));
        let effective = Launches::of(launches.iter().map(|values| values.len() as u64).collect())?
            .effective_n(&at_most.collect::<Vec<_>>(), n);
        let (low, high) = Ranks::of(quantile, n, effective).two_sided()?;
        let truth = Normal::standard().inverse_cdf(quantile.share());
        Some((low..high).contains(&up_to(pooled, truth)))
    }

    /// Checks that 93 to 97% of intervals hold the true percentile.
    fn assert_coverage(noise: Noise) {
        let normals = normals();
        let mut rng = Pcg64::seed_from_u64(98);
        for launches in [8, 10] {
            let mut held: [Vec<bool>; 3] = Default::default();
            for _ in 0..TRIALS {
                let mut draw = || normals[usize::from(rng.random::<u16>())];
                let values: Vec<Vec<f64>> =
                    (0..launches).map(|_| launch(noise, &mut draw)).collect();
                let mut pooled = values.concat();
                for (held, quantile) in held.iter_mut().zip(QUANTILES) {
                    held.extend(is_held(&values, &mut pooled, quantile));
                }
            }
            for (held, quantile) in held.iter().zip(QUANTILES) {
                let covered = held.iter().filter(|&&held| held).count() as f64 / held.len() as f64;
                assert!(
                    (0.93..=0.97).contains(&covered) && held.len() > TRIALS / 2,
                    "{noise:?}, {launches} launches, {quantile:?}, {} intervals: {covered}",
                    held.len()
                );
            }
        }
    }

    #[test]
    fn intervals_over_independent_latencies_cover_what_they_promise() {
        assert_coverage(Noise::Independent);
    }

    #[test]
    fn intervals_over_correlated_neighbours_cover_what_they_promise() {
        assert_coverage(Noise::Neighbours(0.8));
    }

    #[test]
    fn intervals_over_launches_that_differ_cover_what_they_promise() {
        assert_coverage(Noise::Launch(0.05));
    }
}
