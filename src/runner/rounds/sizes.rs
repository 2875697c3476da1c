//! Which batch sizes are tried where nobody named any: those that models take, of which a model's
//! own is always one.

use std::collections::BTreeSet;

use crate::record::{AxisReason, BatchAxis};

/// The only batch size that a model takes; `None` if any will do.
pub(in crate::runner) fn only(axis: &BatchAxis) -> Option<u64> {
    let has_none = axis.reason == AxisReason::NoAxis;
    axis.fixed_size.or(has_none.then_some(1))
}

/// The sizes to try with models of which each takes `only` one size, or any (`None`); what no model
/// takes is not tried.
pub(in crate::runner) fn fitted(sizes: &[u64], only: &[Option<u64>]) -> Vec<u64> {
    let is_any_free = only.contains(&None);
    let fitted: BTreeSet<u64> = sizes
        .iter()
        .copied()
        .filter(|_| is_any_free)
        .chain(own(only))
        .collect();
    fitted.into_iter().collect()
}

/// Sizes that are the only ones which a model takes: they are measured whatever other sizes show.
pub(super) fn own(only: &[Option<u64>]) -> BTreeSet<u64> {
    only.iter().copied().flatten().collect()
}

/// Whether a size is left out where sizes from `first` on would tell nothing.
pub(super) fn is_left_out(size: u64, first: u64, own: &BTreeSet<u64>) -> bool {
    size >= first && !own.contains(&size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::rounds::sweep::{self, Step};

    const USUAL: [u64; 7] = [1, 2, 4, 8, 16, 32, 64];
    const LARGEST: u64 = 1000;

    type Curve = fn(u64) -> f64;

    /// The sizes that a first round measures, and why it ended, if it did.
    fn swept(only: &[Option<u64>], curve: Curve) -> (BTreeSet<u64>, Vec<String>) {
        let sizes = fitted(&USUAL, only);
        let own = own(only);
        let mut measured = BTreeSet::new();
        let mut steps = Vec::<Step>::new();
        let mut reasons = Vec::new();
        let mut closed = BTreeSet::new();
        for (place, &size) in sizes.iter().enumerate() {
            if closed.contains(&size) {
                continue;
            }
            measured.insert(size);
            let rate =
                |only: &Option<u64>| only.is_none_or(|only| only == size).then(|| curve(size));
            steps.push(Step {
                batch_size: size,
                throughput: only.iter().map(rate).collect(),
                peak_memory: None,
                budget_share: 0.01,
            });
            let Some(&next) = sizes.get(place + 1) else {
                break;
            };
            if let Some(reason) = sweep::end(&steps, next, None) {
                closed.extend(
                    sizes
                        .iter()
                        .copied()
                        .filter(|&size| is_left_out(size, next, &own)),
                );
                reasons.push(reason);
            }
        }
        (measured, reasons)
    }

    #[test]
    fn a_model_s_own_size_is_always_measured() {
        let curves: [Curve; 2] = [
            |size| 100.0 * size.min(4) as f64,
            |size| 100.0 * size as f64,
        ];
        for size in 1..=LARGEST {
            for curve in curves {
                for only in [
                    &[Some(size)][..],
                    &[None, Some(size)],
                    &[Some(size), None, Some(1)],
                    &[Some(size), Some(7)],
                ] {
                    let (measured, reasons) = swept(only, curve);
                    for own in only.iter().flatten() {
                        assert!(
                            measured.contains(own),
                            "{own} of {only:?} is not measured: {reasons:?}"
                        );
                    }
                    if !only.contains(&None) {
                        assert_eq!(measured, own(only), "{only:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_is_said_of_a_size_that_was_not_measured() {
        for size in 1..=LARGEST {
            let only = [None, Some(size)];
            let (measured, reasons) = swept(&only, |size| 100.0 * size.min(4) as f64);
            let sizes: BTreeSet<u64> = USUAL.into_iter().chain([size]).collect();
            for reason in reasons
                .iter()
                .filter(|reason| reason.contains("added less than"))
            {
                let said = sizes
                    .difference(&measured)
                    .filter(|size| names(reason, **size));
                assert_eq!(said.count(), 0, "{size}: {reason}");
            }
        }
    }

    fn names(sentence: &str, number: u64) -> bool {
        sentence
            .split(|c: char| !c.is_ascii_digit())
            .any(|word| word == number.to_string())
    }

    #[test]
    fn sizes_beyond_the_last_that_tells_something_are_left_out() {
        let (measured, reasons) = swept(&[None], |size| 100.0 * size.min(4) as f64);
        assert_eq!(measured, BTreeSet::from([1, 2, 4, 8, 16]));
        assert!(
            reasons[0].contains("batch sizes 8 and 16 added less than 3%"),
            "{reasons:?}"
        );
    }
}
