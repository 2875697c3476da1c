//! Everything that was found of a run. Data only; read [`Findings`] first.

use serde::Serialize;

use super::tuning::TuningFindings;
use super::{
    Advice, Answer, BatchCurve, Bottleneck, CellFindings, Cells, DenormalFindings, Explanation,
    Figures, Headline, IdleFindings, NotTried, OperatorFindings, Roofline, Scaling,
    SessionFindings,
};
use crate::plan::CellKey;
use crate::record::{EndReason, Fitness};

/// Everything that a run record says once statistics and rules have been applied to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Findings {
    /// Whether the run came to its own end.
    pub complete: bool,
    /// Why measuring ended; absent if the run never got there.
    pub ended_by: Option<EndReason>,
    /// Whether the machine was fit to measure on; absent if the run did not come to its end, and of
    /// records of version 1.0.
    pub fitness: Option<Fitness>,
    /// Choice of a session to ship.
    pub answer: Answer,
    /// One sentence's worth of facts for each session other than the baseline's.
    pub headlines: Vec<Headline>,
    /// Each session, in the order of the plan.
    pub sessions: Vec<SessionFindings>,
    /// Each cell of the plan, in the order of sessions, batch sizes and load modes.
    pub cells: Cells,
    /// Throughput over batch sizes, for each session and load mode with at least one measured cell.
    pub batch_curves: Vec<BatchCurve>,
    /// Findings on each of these curves, in the same order.
    pub scaling: Vec<Scaling>,
    /// Costs of idle gaps, for each session that was measured after them.
    pub idle_gaps: Vec<IdleFindings>,
    /// Operators of the sessions that were profiled, in the order of sessions and batch sizes.
    pub operators: Vec<OperatorFindings>,
    /// Limits of the sessions, as far as this was measured; the most consequential first.
    pub bottlenecks: Vec<Bottleneck>,
    /// Advice, ranked by the conservative end of the measured gain.
    pub advice: Vec<Advice>,
    /// Why each session takes the time that it takes, against the baseline's and within its
    /// variant: for each pair of sessions together, one for each batch size and shape that both
    /// were profiled at, the smallest first.
    pub explanations: Vec<Explanation>,
    /// Sessions against themselves with denormal numbers flushed to zero.
    pub denormals: Vec<DenormalFindings>,
    /// Limits of the nodes that take the time, for each profile.
    pub rooflines: Vec<Roofline>,
    /// Settings that were not measured and could bring more, each with the command that tries it.
    pub not_tried: Vec<NotTried>,
    /// Findings of the search, where the run is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tuning: Option<TuningFindings>,
}

impl Findings {
    /// Findings on a cell.
    #[must_use]
    pub fn cell(&self, key: CellKey) -> Option<&CellFindings> {
        self.cells.at(key)
    }

    /// Figures of sessions and cells, without conclusions.
    #[must_use]
    pub fn figures(&self) -> Figures<'_> {
        Figures {
            sessions: &self.sessions,
            cells: &self.cells,
        }
    }
}
