//! When a run may look at its figures to decide how to go on, and what each look may spend.
//!
//! Looking after every round and stopping at the first verdict would make false verdicts likelier
//! than stated. Looks are therefore fixed in advance, and the probability of a false verdict is
//! divided between them and the end of the run: three looks at 0.2% and the end at 4% make at most
//! 4.6% together (Bonferroni), whenever the run ends and however many looks it came to. An interval
//! that is narrow ends a comparison only if it leaves the verdict open or a look's own error
//! settles it: a spread that looks small by luck would else make verdicts of it. Early looks being
//! strict and the end nearly unadjusted follows Haybittle (*Br. J. Radiol.* 44, 1971) and Peto et
//! al. (*Br. J. Cancer* 34, 1976).

use super::{END_ERROR, Evidence, PairedRatio, Relation};

/// Rounds after which a run looks. With ten, the signed-rank test can reach 0.2%; each later look
/// comes after twice as many rounds, because one after few more would see little that is new and
/// add to the error.
pub const LOOK_ROUNDS: [u64; 3] = [10, 20, 40];

/// Probability of a false verdict that each look may spend.
pub const LOOK_ERROR: f64 = 0.002;

/// Outcome of a look at one comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The interval is as narrow as asked for: nothing is left to do.
    Narrow,
    /// The verdict is settled, but the interval is wider than asked for: others come first.
    Settled,
    /// More rounds are needed.
    Open,
}

/// Looks at a comparison, one of `comparisons` in the run, after the rounds behind it.
///
/// `floor` is the noise floor on the scale of the logarithm, `target` the half-width asked for. A
/// verdict counts as settled only if no number of other comparisons can take it back at the end, so
/// a look's error is also divided by their number. A verdict that only the end's error would give
/// is not taken: the comparison goes on.
#[must_use]
pub fn look(paired: &PairedRatio, floor: f64, target: f64, comparisons: u64) -> Look {
    let error = LOOK_ERROR.min(END_ERROR / comparisons.max(1) as f64);
    let evidence = paired.evidence(floor);
    let is_narrow = paired.interval().is_some()
        && paired
            .half_width_ratio()
            .is_some_and(|width| width <= target);
    match (is_narrow, is_open(&evidence, error)) {
        (true, false) => Look::Narrow,
        (true, true) if is_open(&evidence, END_ERROR) => Look::Narrow,
        (false, false) => Look::Settled,
        _ => Look::Open,
    }
}

fn is_open(evidence: &Evidence, error: f64) -> bool {
    evidence.relation(error) == Relation::Undecided
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(count: usize, centre: f64, spread: f64) -> PairedRatio {
        let round = |i: usize| vec![centre + spread * (i as f64 / (count - 1) as f64 - 0.5)];
        PairedRatio::of(&(0..count).map(round).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn errors_of_all_looks_and_the_end_make_five_percent() {
        assert!(LOOK_ERROR * LOOK_ROUNDS.len() as f64 + END_ERROR <= 0.05 + 1e-12);
    }

    #[test]
    fn looks_settle_what_no_other_comparison_can_take_back() {
        for (count, centre, spread, floor, comparisons, expected) in [
            (10, 0.5, 0.4, 0.02, 1, Look::Settled),
            (9, 0.5, 0.4, 0.02, 1, Look::Open),
            (10, 0.5, 0.4, 0.02, 100, Look::Open),
            (15, 0.5, 0.4, 0.02, 100, Look::Settled),
            // A narrow interval ends it unless the verdict hangs in the balance.
            (10, 0.02, 0.01, 0.02, 1, Look::Narrow),
            (10, 0.0, 0.03, 0.02, 1, Look::Narrow),
            (10, 0.01, 0.03, 0.0, 1, Look::Open),
            (10, 0.02, 0.2, 0.02, 1, Look::Open),
        ] {
            assert_eq!(
                look(&rounds(count, centre, spread), floor, 0.02, comparisons),
                expected,
                "{count} rounds of {centre} +- {spread}, floor {floor}, 1 of {comparisons}"
            );
        }
    }
}
