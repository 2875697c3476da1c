//! From the record to findings: figures with their intervals, verdicts, limits and advice.
//!
//! Pure: record in, findings out. Nothing here prints, scales or words anything for people; the statistics are those
//! of [`crate::stats`]. Begin at [`findings()`] and read [`Findings`] first.

mod accuracy;
mod agreement;
pub mod between;
mod cell;
mod compare;
mod decide;
mod distribution;
mod energy;
mod explain;
mod figures;
mod findings;
mod forecast;
mod front;
pub mod gate;
mod index;
mod null_test;
mod operators;
mod over_launches;
mod percentiles;
mod reproduce;
mod scaling;
mod session;
mod summary;
mod timeline;
pub mod tuning;

pub use decide::advice::{
    Action, Advice, Against, Evidence, HIGH_GAIN, Level, MEDIUM_GAIN, NotTried, Priority, Setting, Untried,
};
pub use decide::conclusions::{
    Answer, Basis, Bottleneck, BottleneckKind, Caveat, Choice, Headline, NotReached, Pick, Rejection, RejectionReason,
    Rival, ShapeAnswer,
};
pub use decide::facts::{ERROR_LOSS_FLOOR, SHARE_LOSS_FLOOR};
pub use decide::{NoGain, ScoreTarget, Trade, single_place, slowest};
pub use distribution::{CellSpread, DistributionPoint, Spread, distribution, spread};
pub use explain::{
    AddedNodes, CLAUSE_SHARE, Clause, DenormalFindings, Explanation, FusionChange, Instructions, LatencyStep,
    OperatorChange, ProfileBasis, ReducedArithmetic, Step, StepKind,
};
pub use figures::{
    AccuracyChange, AccuracyFindings, AccuracyVerdict, BatchCurve, Bounds, CellFindings, Change, Comparison, Counted,
    CurvePoint, Estimate, Figure, HeldAgainst, Interval, LatencyModes, Measured, OutputAgreement, SATURATION_SHARE,
    SessionFindings, SpeedStates, Support, UnhealthyOutput, Verdict, find,
};
pub use findings::Findings;
pub use forecast::{HalfWidth, Precision, SeenRun, precision, seen_run};
pub use front::{Front, FrontPoint, front};
pub use null_test::{Pairing, SmallestClaim, null_test};
pub use operators::{
    Arithmetic, Bound, Breakdown, CountChange, GraphChange, GroupShare, HotNode, LEAST_NODE_SHARE, NodeShare,
    OperatorFindings, OperatorGroup, OperatorShare, Rest, Roofline, SMALL_CALL, Work, work,
};
pub use scaling::{
    BatchFit, Cliff, CliffEvidence, CliffSign, Deviation, FirstRun, GapFindings, IdleFindings, Knee, KneePlace,
    LINE_TOLERANCE, MemoryFit, Scaling, Within, WithinLimit,
};
pub use session::before_load_memory;
pub use timeline::{TimelineBlock, timeline};

use std::collections::HashMap;

use crate::plan::CellKey;
use crate::record::RunRecord;

use decide::advice;
use decide::facts::Facts;
use index::Index;

/// Share of samples on which a variant without labels must agree with the baseline to pass as the same model: one
/// disagreement in a hundred is about what a quantized image classifier shows.
pub const AGREEMENT_FLOOR: f64 = 0.99;

/// Everything that a record says. The record's indices must lead somewhere, as those of every record do that
/// [`store::load`](crate::store::load) returns.
#[must_use]
pub fn findings(record: &RunRecord) -> Findings {
    let index = Index::new(record);
    let mut cells = cell::all(&index);
    let places: HashMap<CellKey, usize> = cells.iter().enumerate().map(|(place, cell)| (cell.key, place)).collect();
    compare::judge_together(&mut cells);
    compare::mark_worse_tails(&mut cells, &places);
    let sessions = sessions(&index, &cells);
    let curves = scaling::batch_curves(&cells);
    let facts = Facts { index: &index, sessions: &sessions, cells: &cells, places: &places, curves: &curves };
    let rooflines = operators::rooflines(record);
    let answer = decide::answer::answer(&facts);
    let headlines = headlines(&facts);
    let scaling = scaling::scaling(&facts);
    let bottlenecks = decide::bottlenecks::bottlenecks(&facts);
    let denormals = explain::denormals(record);
    let idle_gaps = scaling::idle_gaps(record);
    let diagnosed = advice::Diagnosed { denormals: &denormals, idle_gaps: &idle_gaps };
    let advice = advice::advice(&facts, &answer, &diagnosed);
    let not_tried = decide::not_tried::not_tried(&facts, &answer);
    let explanations = explain::explanations(&facts, &denormals, &rooflines);
    let mut found = Findings {
        complete: record.is_complete(),
        ended_by: record.run.ended_by,
        fitness: record.fitness.clone(),
        answer,
        headlines,
        bottlenecks,
        advice,
        not_tried,
        explanations,
        denormals,
        sessions,
        cells,
        batch_curves: curves,
        scaling,
        idle_gaps,
        rooflines,
        operators: operators::findings(record),
        tuning: None,
        cell_places: places,
    };
    found.tuning = tuning::of(record, &found);
    found
}

fn sessions(index: &Index<'_>, cells: &[CellFindings]) -> Vec<SessionFindings> {
    let mut of_session: Vec<Vec<&CellFindings>> = vec![Vec::new(); index.record.plan.sessions.len()];
    cells.iter().for_each(|cell| of_session[cell.key.session].push(cell));
    of_session.iter().enumerate().map(|(session, cells)| session::findings(index, session, cells)).collect()
}

/// The facts of a sentence for each session that was measured and is not the baseline's.
fn headlines(facts: &Facts<'_>) -> Vec<Headline> {
    let mut compared: HashMap<usize, &CellFindings> = HashMap::new();
    for cell in facts.cells.iter().filter(|cell| cell.comparison.is_some()) {
        let smallest = compared.entry(cell.key.session).or_insert(cell);
        if (cell.key.shape, cell.key.batch_size) < (smallest.key.shape, smallest.key.batch_size) {
            *smallest = cell;
        }
    }
    let others = facts.sessions.iter().filter(|session| !session.is_baseline && session.outcome.is_ok());
    let headline = |session: &SessionFindings| {
        let cell = compared.get(&session.session);
        Headline {
            session: session.session,
            shape: cell.map_or(0, |cell| cell.key.shape),
            batch_size: cell.map(|cell| cell.key.batch_size),
            change: cell.and_then(|cell| Some(cell.comparison.as_ref()?.p50.clone())),
            size_factor: advice::size_factor(facts, session.session),
        }
    };
    others.map(headline).collect()
}
