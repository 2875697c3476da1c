//! One configuration of a search, and what became of it.

use serde::Serialize;

use super::relative::Relative;
use super::standing::{HeldSlo, SloStanding};
use crate::analysis::figures::{AccuracyChange, Estimate, Figure, find};
use crate::metric::Metric;
use crate::plan::CellKey;
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
    /// The change of accuracy against the baseline's; absent for what computes the same, and without labels.
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
        self.figure(Metric::LatencyP50).is_some_and(|p50| p50.measured().is_some())
    }

    pub(super) fn value(&self, metric: Metric) -> Option<f64> {
        self.figure(metric).and_then(Estimate::value)
    }
}
