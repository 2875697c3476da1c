//! Configurations of a search: what became of each, and which of them no other one is better than
//! in everything.

use serde::Serialize;

use super::gain::{Relative, Scale};
use super::standing::{HeldSlo, SloStanding};
use crate::analysis::figures::{AccuracyChange, Estimate, Figure, find};
use crate::metric::Metric;
use crate::plan::{CellKey, Objective};
use crate::record::Fate;

/// A configuration and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Candidate {
    /// Its cell.
    pub key: CellKey,
    /// Whether it may be the answer.
    pub standing: SloStanding,
    /// Each check of the SLO on it.
    pub slo: Vec<HeldSlo>,
    /// The last decision about it; absent where nothing was: it is undecided.
    pub fate: Option<Fate>,
    /// State in the end.
    pub state: State,
    /// Cost over the best one's; absent where no chain of turns leads there.
    pub relative: Option<Relative>,
    /// The figures that configurations are compared by, that of the objective, and the p99 latency.
    pub figures: Vec<Figure>,
    /// The change of accuracy against the baseline's; absent for what computes the same, and
    /// without labels.
    pub accuracy_change: Option<AccuracyChange>,
}

/// State of a configuration by the end of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is the best one, or the one that comes closest.
    Best,
    /// It does as well as the best one, within the noise floor.
    AsGood,
    /// It was not told apart from the best one.
    Undecided,
    /// It is out of the race, or does as well as one that is.
    Out,
}

impl Candidate {
    /// The estimate of one of its figures.
    #[must_use]
    pub fn figure(&self, metric: Metric) -> Option<&Estimate> {
        find(&self.figures, metric)
    }

    /// Whether it was timed.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        self.figure(Metric::LatencyP50)
            .is_some_and(|p50| p50.measured().is_some())
    }

    pub(super) fn value(&self, metric: Metric) -> Option<f64> {
        self.figure(metric).and_then(Estimate::value)
    }
}

/// Axes of the front: latency, throughput, memory and accuracy, as far as they were measured.
pub const AXES: [Metric; 4] = [
    Metric::LatencyP50,
    Metric::Throughput,
    Metric::PeakMemory,
    Metric::AccuracyTop1,
];

/// Costs of a configuration on [`AXES`], in their order, of which less is better: logarithms, but
/// for the accuracy.
type Costs = [Option<f64>; AXES.len()];

/// Indices of the measured configurations that no other one dominates, in their order: one
/// dominates another if it is better by more than the noise floor on one axis and as good on the
/// others. The one that the answer names, `taken`, always stands among them: values alone do not
/// overrule what a search decided by intervals.
///
/// Latency and throughput are ratios to the best one, from blocks that took turns.
pub(super) fn front(candidates: &[Candidate], scale: &Scale<'_>) -> Vec<usize> {
    let all: Vec<(usize, Costs)> = candidates
        .iter()
        .enumerate()
        .filter(|(_, one)| one.is_measured())
        .map(|(place, one)| (place, costs(one, scale)))
        .collect();
    undominated(
        &all,
        candidates.iter().position(|one| one.key == scale.best),
    )
}

fn undominated(all: &[(usize, Costs)], taken: Option<usize>) -> Vec<usize> {
    let mut front: Vec<(usize, Costs)> = Vec::new();
    for (place, own) in all {
        if Some(*place) == taken || !front.iter().any(|(_, other)| dominates(other, own)) {
            front.retain(|(place, other)| Some(*place) == taken || !dominates(own, other));
            front.push((*place, *own));
        }
    }
    front.into_iter().map(|(place, _)| place).collect()
}

fn costs(one: &Candidate, scale: &Scale<'_>) -> Costs {
    [
        scale.log_ratio(Objective::Latency, one.key),
        scale.log_ratio(Objective::Throughput, one.key),
        one.value(Metric::PeakMemory).map(f64::ln),
        Metric::SCORES
            .into_iter()
            .find_map(|metric| Some(metric.direction().cost(one.value(metric)?))),
    ]
}

fn dominates(one: &Costs, other: &Costs) -> bool {
    let mut is_better = false;
    for ((metric, own), theirs) in AXES.into_iter().zip(one).zip(other) {
        let Some((own, theirs)) = own.zip(*theirs) else {
            continue;
        };
        // Scores carry no noise of the machine.
        let floor = metric
            .noise_floor()
            .filter(|_| metric != Metric::AccuracyTop1);
        let tolerance = floor.map_or(0.0, |floor| floor.0.ln_1p());
        if own - theirs > tolerance {
            return false;
        }
        is_better |= theirs - own > tolerance;
    }
    is_better
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(latency: f64, throughput: f64, memory: f64, accuracy: Option<f64>) -> Costs {
        [
            Some(latency.ln()),
            Some(-throughput.ln()),
            Some(memory.ln()),
            accuracy.map(|score| -score),
        ]
    }

    #[test]
    fn what_the_answer_names_stands_whatever_the_values_say() {
        let all = [
            (0, costs(1.0, 1.0, 1.0, None)),
            (1, costs(0.9, 1.0, 1.0, None)),
            (2, costs(0.8, 1.0, 2.0, None)),
        ];
        assert_eq!(undominated(&all, None), [1, 2]);
        assert_eq!(undominated(&all, Some(0)), [0, 1, 2]);
    }

    #[test]
    fn better_in_one_and_as_good_in_the_others_dominates() {
        let one = costs(1.0, 1.0, 1.0, Some(0.9));
        for (other, is_better, why) in [
            (costs(0.9, 1.0, 1.0, Some(0.9)), true, "better in one"),
            (
                costs(0.9, 0.99, 1.01, Some(0.9)),
                true,
                "within the noise floor",
            ),
            (costs(0.9, 0.9, 1.0, Some(0.9)), false, "worse in another"),
            // Scores carry no noise of the machine.
            (
                costs(0.9, 1.0, 1.0, Some(0.899)),
                false,
                "scores have no noise floor",
            ),
            (one, false, "the same"),
            (
                costs(0.9, 1.0, 1.0, None),
                true,
                "what is not known of one decides nothing",
            ),
        ] {
            assert_eq!(dominates(&other, &one), is_better, "{why}");
        }
    }
}
