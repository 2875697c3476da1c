//! From evidence to a verdict: the one place that decides.

use serde::{Deserialize, Serialize};

/// Probability of a false verdict that is left for the end of the run.
pub const END_ERROR: f64 = 0.04;

/// How a log-ratio lies to zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Below zero, and farther from it than the floor.
    Below,
    /// Above zero, and farther from it than the floor.
    Above,
    /// Within the floor: a finding, not the want of one.
    Same,
    /// None of these could be shown.
    Undecided,
}

/// Evidence of values on a log-ratio: where it lies, and how surely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// The estimate.
    pub centre: f64,
    /// Changes within this much of zero, on the scale of the logarithm, are not worth a verdict.
    pub floor: f64,
    /// Two-sided probability of such values if there were no change.
    pub p_different: f64,
    /// Twice the larger of the probabilities of such values if the change were as large as the
    /// floor, up or down: two one-sided tests of equivalence (Schuirmann, *J. Pharmacokinet.
    /// Biopharm.* 15, 1987), doubled so that at one and the same level the verdict is `Same`
    /// exactly where the two-sided interval lies within the floor.
    pub p_same: f64,
}

impl Evidence {
    /// From one-sided tests: `p_above(x)` is the probability of such values if the centre were at
    /// `x` and not above it, and `p_below(x)` the same if it were not below.
    pub(super) fn from_one_sided(
        centre: f64,
        floor: f64,
        p_above: impl Fn(f64) -> f64,
        p_below: impl Fn(f64) -> f64,
    ) -> Self {
        let different = 2.0 * p_above(0.0).min(p_below(0.0));
        let same = 2.0 * p_above(-floor).max(p_below(floor));
        Evidence {
            centre,
            floor,
            p_different: different.min(1.0),
            p_same: same.min(1.0),
        }
    }

    /// The verdict that is wrong with probability `error` at most: `Same` if the change lies within
    /// the floor; `Below` or `Above` if it is not zero *and* the estimate exceeds the floor.
    #[must_use]
    pub fn relation(&self, error: f64) -> Relation {
        if self.p_same <= error {
            Relation::Same
        } else if self.p_different <= error && self.centre < -self.floor {
            Relation::Below
        } else if self.p_different <= error && self.centre > self.floor {
            Relation::Above
        } else {
            Relation::Undecided
        }
    }
}

/// Relations of several comparisons at once, with at most `error` of the claimed differences false
/// in expectation, and as many of the claimed equivalences: the two kinds of claim are two
/// families.
#[must_use]
pub fn relations(evidence: &[Evidence], error: f64) -> Vec<Relation> {
    let different: Vec<f64> = evidence.iter().map(|one| one.p_different).collect();
    let same: Vec<f64> = evidence.iter().map(|one| one.p_same).collect();
    let adjusted = benjamini_hochberg(&different)
        .into_iter()
        .zip(benjamini_hochberg(&same));
    evidence
        .iter()
        .zip(adjusted)
        .map(|(evidence, (p_different, p_same))| {
            Evidence {
                p_different,
                p_same,
                ..*evidence
            }
            .relation(error)
        })
        .collect()
}

/// Probabilities adjusted for their number: to call those at or below `q` significant keeps the
/// expected share of false ones among them at `q` or less, for independent or positively dependent
/// tests, as those against one baseline are.
///
/// Source: Benjamini and Hochberg, *J. R. Stat. Soc. B* 57 (1995); dependence: Benjamini and
/// Yekutieli, *Ann. Stat.* 29 (2001).
fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&one, &other| p[other].total_cmp(&p[one]));
    let mut adjusted = vec![1.0; p.len()];
    let mut least: f64 = 1.0;
    for (from_largest, index) in order.into_iter().enumerate() {
        let rank = p.len() - from_largest;
        least = least.min(p[index] * p.len() as f64 / rank as f64);
        adjusted[index] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::testing::assert_near;

    fn evidence(p_different: f64) -> Evidence {
        Evidence {
            centre: 0.1,
            floor: 0.02,
            p_different,
            p_same: 1.0,
        }
    }

    #[test]
    fn adjusted_probabilities_are_the_published_ones() {
        // Benjamini and Hochberg (1995), section 4.1: 15 comparisons, of which 4 are rejected at
        // 5%.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
            0.5719, 0.6528, 0.7590, 1.0,
        ];
        let adjusted = benjamini_hochberg(&p);
        assert_eq!(adjusted.iter().filter(|&&p| p <= 0.05).count(), 4);
        assert_near(adjusted[3], 0.0095 * 15.0 / 4.0, 1e-12);
        assert!(adjusted.is_sorted() && adjusted[14] == 1.0);
    }

    #[test]
    fn one_comparison_is_not_adjusted() {
        assert_eq!(benjamini_hochberg(&[0.03]), [0.03]);
        assert_eq!(benjamini_hochberg(&[]), [0.0; 0]);
    }

    #[test]
    fn a_lone_weak_claim_among_many_is_none() {
        let mut many = vec![evidence(0.5); 20];
        many.push(evidence(0.03));
        assert!(
            relations(&many, 0.05)
                .iter()
                .all(|&relation| relation == Relation::Undecided)
        );
        assert_eq!(relations(&many[20..], 0.05), [Relation::Above]);
    }

    #[test]
    fn sure_change_within_the_floor_is_not_called() {
        let small = Evidence {
            centre: 0.01,
            floor: 0.02,
            p_different: 1e-6,
            p_same: 0.2,
        };
        assert_eq!(small.relation(0.05), Relation::Undecided);
        let same = Evidence {
            p_same: 0.01,
            ..small
        };
        let below = Evidence {
            centre: -0.03,
            ..small
        };
        assert_eq!(
            [same, below].map(|evidence| evidence.relation(0.05)),
            [Relation::Same, Relation::Below]
        );
    }
}
