//! At which rate the share of requests that break a limit is as large as allowed.
//!
//! Near the edge the logarithm of that share rises about linearly with the logarithm of the rate.
//! Each round has a level of its own, its processes' being a little faster or slower, and all have
//! one slope: a Poisson regression, which parts of a round without any such request do not upset.
//! Where a round's line crosses the allowed share is its estimate.
//!
//! Requests that break a limit come in groups. That leaves the estimate where it is and its spread
//! over rounds says what it is worth; but the logarithm of a round's count lies too low on average,
//! so that the rounds together are moved to where the line of all of them crosses, of which that is
//! less true.

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
    let slope = slope(rounds)?;
    let crossing = |shares: &[Share]| (allowed.ln() - level(shares, slope)) / slope;
    let all: Vec<Share> = rounds.iter().flatten().copied().collect();
    let each: Vec<f64> = rounds.iter().map(|shares| crossing(shares)).collect();
    let mean = each.iter().sum::<f64>() / each.len() as f64;
    let moved = crossing(&all) - mean;
    Some(each.iter().map(|one| one + moved).collect())
}

/// Logarithm of the share at a rate of 1.
fn level(shares: &[Share], slope: f64) -> f64 {
    let broken: f64 = shares.iter().map(|share| share.broken).sum();
    // A round without any is worth half of one: its edge lies beyond what was measured.
    (broken.max(0.5) / weight(shares, slope)).ln()
}

fn weight(shares: &[Share], slope: f64) -> f64 {
    let weights = shares
        .iter()
        .map(|share| share.requests * (slope * share.log_rate).exp());
    weights.sum()
}

/// The slope of greatest likelihood, where that is inside of [`SLOPES`].
fn slope(rounds: &[Vec<Share>]) -> Option<f64> {
    let (mut low, mut high) = (SLOPES.start, SLOPES.end);
    let rises = score(rounds, low) > 0.0;
    if !rises || score(rounds, high) > 0.0 {
        return None;
    }
    for _ in 0..STEPS {
        let middle = low.midpoint(high);
        if score(rounds, middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(low.midpoint(high))
}

/// Derivative of the logarithm of the likelihood by the slope, with the best level of each round.
fn score(rounds: &[Vec<Share>], slope: f64) -> f64 {
    rounds
        .iter()
        .map(|shares| score_of_round(shares, slope))
        .sum()
}

fn score_of_round(shares: &[Share], slope: f64) -> f64 {
    let Some(first) = shares.first() else {
        return 0.0;
    };
    let (mut weights, mut moments, mut broken, mut seen) = (0.0, 0.0, 0.0, 0.0);
    for share in shares {
        // About the first rate, which keeps exponentials within bounds.
        let place = share.log_rate - first.log_rate;
        let weight = share.requests * (slope * place).exp();
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
    use super::*;

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
        let rounds = [exact(0.01_f64.ln(), 8.0), exact(0.02_f64.ln(), 8.0)];
        let found = crossings(&rounds, 0.01).unwrap();
        let expected = [6.0, 6.0 - 2.0_f64.ln() / 8.0];
        let apart = found[0] - found[1] - (expected[0] - expected[1]);
        assert!(apart.abs() < 1e-6, "{found:?}");
        let centre = f64::midpoint(found[0], found[1]);
        // Both together have a share of 1.5%.
        assert!(
            (centre - (6.0 - 1.5_f64.ln() / 8.0)).abs() < 1e-6,
            "{found:?}"
        );
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
