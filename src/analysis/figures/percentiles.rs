//! Percentiles of a cell's latencies, and what their launches make of them.

use super::{Bounds, Counted, Estimate, Measured};
use crate::stats::{Percentile, TooFew, Unbounded};
use crate::text::Plain;

/// Below this share of the inferences, effective ones are worth a remark: few launches alone lose
/// half now and then.
const REMARKABLE_SHARE: f64 = 0.5;

/// The interval is from order statistics. A bound below the `median` says nothing of the tail.
pub(super) fn tail(percentile: &Result<Percentile, Unbounded>, median: Option<f64>) -> Estimate {
    match percentile {
        Ok(percentile) => Estimate::Measured(Measured {
            interval: percentile.interval.ok(),
            bounds: percentile
                .interval
                .as_ref()
                .err()
                .and_then(|unbounded| one_sided(&told(unbounded, median))),
            remark: remark(percentile),
            ..Measured::exact(percentile.value, percentile.n, Counted::Inferences)
        }),
        Err(unbounded) => absent(&told(unbounded, median)),
    }
}

fn told(unbounded: &Unbounded, median: Option<f64>) -> Unbounded {
    Unbounded {
        at_least: unbounded
            .at_least
            .filter(|&least| median.is_none_or(|median| least >= median)),
        ..*unbounded
    }
}

pub(super) fn absent(unbounded: &Unbounded) -> Estimate {
    Estimate::Absent {
        reason: unbounded.too_few.to_string().into(),
        bounds: one_sided(unbounded),
    }
}

fn one_sided(unbounded: &Unbounded) -> Option<Bounds> {
    let bounds = Bounds {
        at_least: unbounded.at_least,
        at_most: unbounded.at_most,
    };
    (bounds.at_least.is_some() || bounds.at_most.is_some()).then_some(bounds)
}

fn remark(percentile: &Percentile) -> Option<Plain> {
    match (&percentile.interval, percentile.effective_n) {
        (Err(Unbounded { too_few: TooFew { needs, has, .. }, .. }), _) => Some(
            format!("no interval: needs {needs} independent inferences, these are worth {has} (effective n)").into(),
        ),
        (Ok(_), None) => Some("neighbouring inferences are not independent, so the interval is too narrow".into()),
        (Ok(_), Some(effective)) => ((effective as f64) < REMARKABLE_SHARE * percentile.n as f64)
            .then(|| format!("effective n {effective}, because inferences of one launch are alike").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats;

    #[test]
    fn a_bound_below_the_median_says_nothing_of_the_tail() {
        let too_few = TooFew {
            needs: 368,
            has: 1,
            counted: stats::Counted::Inferences,
        };
        let unbounded = Unbounded {
            too_few,
            at_least: Some(187.0),
            at_most: Some(900.0),
        };
        for (median, at_least) in [
            (Some(221.0), None),
            (Some(187.0), Some(187.0)),
            (None, Some(187.0)),
        ] {
            let told = Unbounded {
                at_least,
                ..unbounded
            };
            assert_eq!(tail(&Err(unbounded), median), absent(&told), "{median:?}");
        }
    }
}
