//! One value a round, and what they say together.

use super::pool::Read;
use crate::analysis::figures::{Estimate, Measured};
use crate::stats::over_launches;

const NOTHING: &str = "no segment counts";

/// `value`, a figure over all rounds at once, with the interval of `values`, one a round, which is
/// widened to hold it.
pub(super) fn around(value: f64, values: &[f64]) -> Estimate {
    match over_launches(values) {
        Some(found) => Estimate::Measured(Measured::over_launches(&found.around(value))),
        None => Estimate::absent("nothing was measured"),
    }
}

/// The centre of `values`, one a round.
pub(super) fn centre(values: &[f64], absent: &str) -> Estimate {
    match over_launches(values) {
        Some(found) => Estimate::Measured(Measured::over_launches(&found)),
        None => Estimate::absent(absent),
    }
}

/// The sum of one over the sum of the other, of all rounds, with the interval of those of each.
pub(super) fn ratio(
    rounds: &[Vec<&Read<'_>>],
    upper: impl Fn(&Read<'_>) -> f64,
    lower: impl Fn(&Read<'_>) -> f64,
) -> Estimate {
    let sums = quotients(rounds, upper, lower);
    let whole = Quotient {
        upper: sums.iter().map(|quotient| quotient.upper).sum(),
        lower: sums.iter().map(|quotient| quotient.lower).sum(),
    };
    if whole.lower <= 0.0 {
        return Estimate::absent(NOTHING);
    }
    let values: Vec<f64> = sums.iter().map(Quotient::value).collect();
    around(whole.value(), &values)
}

pub(super) struct Quotient {
    pub(super) upper: f64,
    pub(super) lower: f64,
}

impl Quotient {
    fn value(&self) -> f64 {
        self.upper / self.lower
    }
}

/// The sum of one over the sum of the other, of each round.
pub(super) fn per_round(
    rounds: &[Vec<&Read<'_>>],
    upper: impl Fn(&Read<'_>) -> f64,
    lower: impl Fn(&Read<'_>) -> f64,
) -> Vec<f64> {
    quotients(rounds, upper, lower)
        .iter()
        .map(Quotient::value)
        .collect()
}

fn quotients(
    rounds: &[Vec<&Read<'_>>],
    upper: impl Fn(&Read<'_>) -> f64,
    lower: impl Fn(&Read<'_>) -> f64,
) -> Vec<Quotient> {
    rounds
        .iter()
        .map(|round| Quotient {
            upper: round.iter().map(|read| upper(read)).sum(),
            lower: round.iter().map(|read| lower(read)).sum(),
        })
        .filter(|quotient| quotient.lower > 0.0)
        .collect()
}
