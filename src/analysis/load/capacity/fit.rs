//! At which rate the share of requests that break a limit is as large as allowed.
//!
//! Near the edge the logarithm of that share rises about linearly with the logarithm of the rate. A
//! Poisson regression over all rounds finds that line, which parts of a run without any such
//! request do not upset; where it crosses the allowed share is the estimate. That requests break a
//! limit in groups, and that processes of a round are a little faster or slower, leaves it where it
//! is. What it is worth is told by the jackknife: a round's pseudo-value says how far the estimate
//! depends on that round, slope and level together, and takes its bias away. Pseudo-values of
//! rounds are taken as independent, as figures of rounds are.
//!
//! Source: Efron and Tibshirani, *An Introduction to the Bootstrap* (1993), chapter 11.

/// Slopes are sought in here: below, the share hardly depends on the rate.
const SLOPES: std::ops::Range<f64> = 0.5..500.0;
const STEPS: u32 = 60;

/// Requests of one segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Logarithm of the offered rate.
    pub log_rate: f64,
    /// Requests that came.
    pub requests: f64,
    /// Of these, those that break the limit.
    pub broken: f64,
}

/// Logarithms of the rates at which the share is as large as allowed, one of each round; `None`
/// where nothing breaks the limit, or the share does not rise with the rate.
pub fn crossings(rounds: &[Vec<Share>], allowed: f64) -> Option<Vec<f64>> {
    let all = crossing(rounds.iter().flatten().copied(), allowed)?;
    let count = rounds.len() as f64;
    if rounds.len() < 2 {
        return Some(vec![all]);
    }
    (0..rounds.len())
        .map(|left_out| {
            let others = rounds
                .iter()
                .enumerate()
                .filter(|(round, _)| *round != left_out);
            let without = crossing(others.flat_map(|(_, shares)| shares).copied(), allowed)?;
            Some(count * all - (count - 1.0) * without)
        })
        .collect()
}

/// Where the line through all segments crosses the allowed share.
fn crossing(shares: impl Iterator<Item = Share>, allowed: f64) -> Option<f64> {
    let shares: Vec<Share> = shares.collect();
    let line = Line::through(&shares)?;
    Some(line.origin + (allowed.ln() - line.level) / line.slope)
}

/// The logarithm of a share over that of the rate.
struct Line {
    /// Logarithm of a rate.
    origin: f64,
    /// Logarithm of the share there.
    level: f64,
    slope: f64,
}

impl Line {
    /// That of greatest likelihood, where its slope is inside of [`SLOPES`].
    fn through(shares: &[Share]) -> Option<Self> {
        let origin = shares.first()?.log_rate;
        let (mut low, mut high) = (SLOPES.start, SLOPES.end);
        if score(shares, origin, low) <= 0.0 || score(shares, origin, high) > 0.0 {
            return None;
        }
        for _ in 0..STEPS {
            let middle = low.midpoint(high);
            if score(shares, origin, middle) > 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        let slope = low.midpoint(high);
        let broken: f64 = shares.iter().map(|share| share.broken).sum();
        let weights = shares.iter().map(|share| weight(share, origin, slope));
        Some(Line {
            origin,
            level: (broken / weights.sum::<f64>()).ln(),
            slope,
        })
    }
}

/// Requests that would break the limit if a share of 1 did at the origin.
fn weight(share: &Share, origin: f64, slope: f64) -> f64 {
    share.requests * (slope * (share.log_rate - origin)).exp()
}

/// Derivative of the logarithm of the likelihood by the slope, at the best level.
fn score(shares: &[Share], origin: f64, slope: f64) -> f64 {
    let (mut weights, mut moments, mut broken, mut seen) = (0.0, 0.0, 0.0, 0.0);
    for share in shares {
        let place = share.log_rate - origin;
        let weight = weight(share, origin, slope);
        weights += weight;
        moments += weight * place;
        broken += share.broken;
        seen += share.broken * place;
    }
    if weights > 0.0 {
        seen - broken * moments / weights
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    use super::*;
    use crate::stats::{OverLaunches, median, over_launches};

    fn exact(level: f64, slope: f64) -> Vec<Share> {
        [-0.08, -0.04, 0.0, 0.04, 0.08]
            .map(|place: f64| Share {
                log_rate: 6.0 + place,
                requests: 1e4,
                broken: 1e4 * (level + slope * place).exp(),
            })
            .to_vec()
    }

    #[test]
    fn a_line_is_followed_to_where_it_crosses() {
        let one = crossings(&[exact(0.02_f64.ln(), 8.0)], 0.01).unwrap();
        assert!(
            (one[0] - (6.0 - 2.0_f64.ln() / 8.0)).abs() < 1e-6,
            "{one:?}"
        );
        // Both together have a share of 1.5%; what one says alone is twice that less the other.
        let rounds = [exact(0.01_f64.ln(), 8.0), exact(0.02_f64.ln(), 8.0)];
        let found = crossings(&rounds, 0.01).unwrap();
        let all = 6.0 - 1.5_f64.ln() / 8.0;
        assert!((found[0] - (2.0 * all - one[0])).abs() < 1e-6, "{found:?}");
        assert!((found[1] - (2.0 * all - 6.0)).abs() < 1e-6, "{found:?}");
    }

    /// Poisson arrivals at a server of constant service time 1 that waits no longer than `bound` with
    /// its service.
    fn served(random: &mut Pcg64Mcg, rate: f64, length: f64) -> Share {
        let (mut now, mut free) = (0.0, 0.0_f64);
        let mut share = Share {
            log_rate: rate.ln(),
            requests: 0.0,
            broken: 0.0,
        };
        loop {
            now -= (1.0 - random.random::<f64>()).ln() / rate;
            if now >= length {
                return share;
            }
            free = free.max(now) + 1.0;
            share.requests += 1.0;
            share.broken += f64::from(u8::from(free - now > BOUND));
        }
    }

    const BOUND: f64 = 5.0;
    /// Where 1% of responses take longer than that, by the same recursion over 40 million requests.
    const EDGE: f64 = 0.5609;
    const SEARCHES: usize = 200;

    /// A search as `load` makes it: eight rounds of five segments about an edge that is known within
    /// 5% at first.
    fn search(random: &mut Pcg64Mcg) -> OverLaunches {
        let mut centre = EDGE * random.random_range(0.95..1.05);
        let mut rounds = Vec::new();
        loop {
            let places = [0.92, 0.96, 1.0, 1.04, 1.08];
            let segments = places.map(|place| served(random, centre * place, 4_000.0 / centre));
            rounds.push(segments.to_vec());
            // One round may hold too few for a slope.
            let Some(crossings) = crossings(&rounds, 0.01) else {
                continue;
            };
            let rates: Vec<f64> = crossings.iter().map(|log| log.exp()).collect();
            let found = over_launches(&rates).unwrap();
            if rounds.len() >= 8 {
                return found;
            }
            centre = found.value;
        }
    }

    #[test]
    fn an_edge_is_found_within_three_percent_and_covered_by_its_interval() {
        let mut random = Pcg64Mcg::seed_from_u64(16);
        let (mut near, mut covered, mut widths) = (0, 0, Vec::new());
        for _ in 0..SEARCHES {
            let found = search(&mut random);
            near += usize::from((found.value / EDGE - 1.0).abs() < 0.03);
            covered += usize::from(found.interval.unwrap().contains(EDGE));
            widths.push(found.half_width_ratio().unwrap());
        }
        let [near, covered] = [near, covered].map(|count| count as f64 / SEARCHES as f64);
        let width = median(&widths).unwrap();
        assert!(near >= 0.95, "{near}");
        assert!((0.92..=0.985).contains(&covered), "{covered}");
        assert!(width < 0.03, "{width}");
    }

    #[test]
    fn without_a_rise_nothing_is_crossed() {
        let never = vec![Share {
            log_rate: 1.0,
            requests: 100.0,
            broken: 0.0,
        }];
        assert_eq!(crossings(&[never], 0.01), None);
        assert_eq!(crossings(&[exact(-3.0, -2.0)], 0.01), None);
        assert_eq!(crossings(&[], 0.01), None);
    }
}
