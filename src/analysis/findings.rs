//! Everything that was found of a run. Data only; read [`Findings`] first.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::load::LoadFindings;
use super::tuning::TuningFindings;
use super::{
    Action, Advice, Answer, BatchCurve, Bottleneck, CellFindings, Cells, Decision,
    DenormalFindings, Explanation, Figures, GainSplit, Headline, IdleFindings, NotTried,
    OperatorFindings, Roofline, RunJudgement, Scaling, SessionFindings,
};
use crate::plan::CellKey;
use crate::record::{EndReason, Fitness};

/// Everything that a run record says once statistics and rules have been applied to it. As JSON it
/// is one flat object.
#[derive(Clone, Debug, PartialEq)]
pub struct Findings {
    /// How the run ended.
    pub ending: Ending,
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
    /// Why sessions take the time that they take.
    pub causes: Causes,
    /// Choice, advice and limits.
    pub decisions: Decisions,
    /// Findings of the search, where the run is one.
    pub tuning: Option<TuningFindings>,
    /// What requests showed that arrive by themselves, where the run is one under load.
    pub load: Option<LoadFindings>,
}

/// How a run ended, and whether the machine was fit for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// Whether the run came to its own end.
    pub complete: bool,
    /// Why measuring ended; absent if the run never got there.
    pub ended_by: Option<EndReason>,
    /// Whether the machine was fit to measure on; absent if the run did not come to its end, and of
    /// records of version 1.0.
    pub fitness: Option<Fitness>,
}

/// Why sessions take the time that they take, as far as profiles and contrasts tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Causes {
    /// Operators of the sessions that were profiled, in the order of sessions and batch sizes.
    pub operators: Vec<OperatorFindings>,
    /// Limits of the nodes that take the time, for each profile.
    pub rooflines: Vec<Roofline>,
    /// Sessions against themselves with denormal numbers flushed to zero.
    pub denormals: Vec<DenormalFindings>,
    /// Why each session takes the time that it takes, against the baseline's and within its
    /// variant: for each pair of sessions together, one for each batch size and shape that both
    /// were profiled at, the smallest first.
    pub explanations: Vec<Explanation>,
}

/// Decisions for whoever ships one of the sessions.
#[derive(Clone, Debug, PartialEq)]
pub struct Decisions {
    /// What to do, as far as the run decides it.
    pub judgement: RunJudgement,
    /// The gain of the setting that wins over what runs today, split by what differs; absent where
    /// less than two things differ, and where nothing is shown to be better.
    pub split: Option<GainSplit>,
    /// Choice of a session to ship.
    pub answer: Answer,
    /// One sentence's worth of facts for each session other than the baseline's.
    pub headlines: Vec<Headline>,
    /// Limits of the sessions, as far as this was measured; the most consequential first.
    pub bottlenecks: Vec<Bottleneck>,
    /// Advice, ranked by the conservative end of the measured gain.
    pub advice: Vec<Advice>,
    /// Settings that were not measured and could bring more, each with the command that tries it.
    pub not_tried: Vec<NotTried>,
}

impl Decisions {
    /// Leaves out advice to ship what is not judged to be shipped, such as what is only smaller.
    pub(super) fn advise_as_judged(&mut self) {
        let judgement = &self.judgement;
        self.advice.retain(|advice| match advice.action {
            Action::Ship { key } => judgement
                .of(key.session)
                .is_none_or(|one| one.decision == Decision::Ship),
            Action::Switch { .. }
            | Action::Batch { .. }
            | Action::SetOption { .. }
            | Action::KeepWarm { .. }
            | Action::LoadBeforeTraffic { .. } => true,
        });
    }
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

impl Serialize for Findings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Findings {
            ending,
            causes,
            decisions,
            tuning,
            load,
            ..
        } = self;
        let optional = usize::from(tuning.is_some()) + usize::from(load.is_some());
        let mut object = serializer.serialize_struct("Findings", 19 + optional)?;
        object.serialize_field("complete", &ending.complete)?;
        object.serialize_field("ended_by", &ending.ended_by)?;
        object.serialize_field("fitness", &ending.fitness)?;
        object.serialize_field("judgement", &decisions.judgement)?;
        object.serialize_field("gain_split", &decisions.split)?;
        object.serialize_field("answer", &decisions.answer)?;
        object.serialize_field("headlines", &decisions.headlines)?;
        object.serialize_field("sessions", &self.sessions)?;
        object.serialize_field("cells", &self.cells)?;
        object.serialize_field("batch_curves", &self.batch_curves)?;
        object.serialize_field("scaling", &self.scaling)?;
        object.serialize_field("idle_gaps", &self.idle_gaps)?;
        object.serialize_field("operators", &causes.operators)?;
        object.serialize_field("bottlenecks", &decisions.bottlenecks)?;
        object.serialize_field("advice", &decisions.advice)?;
        object.serialize_field("explanations", &causes.explanations)?;
        object.serialize_field("denormals", &causes.denormals)?;
        object.serialize_field("rooflines", &causes.rooflines)?;
        object.serialize_field("not_tried", &decisions.not_tried)?;
        match tuning {
            Some(tuning) => object.serialize_field("tuning", tuning)?,
            None => object.skip_field("tuning")?,
        }
        match load {
            Some(load) => object.serialize_field("load", load)?,
            None => object.skip_field("load")?,
        }
        object.end()
    }
}
