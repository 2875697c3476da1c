//! Everything that was found of a run. Data only; read [`Findings`] first.

use std::collections::HashMap;

use serde::Serialize;

use super::decide::advice::{Advice, NotTried};
use super::decide::conclusions::{Answer, Bottleneck, Headline};
use super::explain::{DenormalFindings, Explanation};
use super::figures::{BatchCurve, CellFindings, SessionFindings};
use super::operators::OperatorFindings;
use super::operators::Roofline;
use super::scaling::{IdleFindings, Scaling};
use super::tuning::TuningFindings;
use crate::plan::CellKey;
use crate::record::{EndReason, Fitness};

/// Everything that a run record says once statistics and rules have been applied to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Findings {
    /// Whether the run came to its own end.
    pub complete: bool,
    /// Why measuring ended; absent if the run never got there.
    pub ended_by: Option<EndReason>,
    /// Whether the machine was fit to measure on; absent if the run did not come to its end, and of records of version
    /// 1.0.
    pub fitness: Option<Fitness>,
    /// What to ship.
    pub answer: Answer,
    /// One sentence's worth of facts for each session other than the baseline's.
    pub headlines: Vec<Headline>,
    /// Each session, in the order of the plan.
    pub sessions: Vec<SessionFindings>,
    /// Each cell of the plan, in the order of sessions, batch sizes and load modes.
    pub cells: Vec<CellFindings>,
    /// Throughput over batch sizes, for each session and load mode with at least one measured cell.
    pub batch_curves: Vec<BatchCurve>,
    /// What each of these curves shows, in the same order.
    pub scaling: Vec<Scaling>,
    /// What idle gaps cost, for each session that was measured after them.
    pub idle_gaps: Vec<IdleFindings>,
    /// Operators of the sessions that were profiled, in the order of sessions and batch sizes.
    pub operators: Vec<OperatorFindings>,
    /// What limits the sessions, as far as this was measured; the most consequential first.
    pub bottlenecks: Vec<Bottleneck>,
    /// What to do, ranked by the conservative end of the measured gain.
    pub advice: Vec<Advice>,
    /// Why each session takes the time that it takes, against the baseline's and within its variant: for each pair of
    /// sessions together, one for each batch size and shape that both were profiled at, the smallest first.
    pub explanations: Vec<Explanation>,
    /// Sessions against themselves with denormal numbers flushed to zero.
    pub denormals: Vec<DenormalFindings>,
    /// What limits the nodes that take the time, for each profile.
    pub rooflines: Vec<Roofline>,
    /// What was not measured and could bring more, each with the command that tries it.
    pub not_tried: Vec<NotTried>,
    /// What the search found, where the run is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tuning: Option<TuningFindings>,
    #[serde(skip)]
    pub(super) cell_places: HashMap<CellKey, usize>,
}

impl Findings {
    /// What was found in a cell.
    #[must_use]
    pub fn cell(&self, key: CellKey) -> Option<&CellFindings> {
        self.cell_places.get(&key).map(|&place| &self.cells[place])
    }
}
