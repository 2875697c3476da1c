//! From the record to findings: figures with their intervals, verdicts, limits and advice.
//!
//! Pure: record in, findings out. Nothing here prints, scales or words anything for people; the
//! statistics are those of [`crate::stats`]. Begin at [`findings()`] and read [`Findings`] first.

pub mod comparison;
mod contention;
mod decide;
mod distribution;
mod explain;
mod figures;
mod findings;
mod forecast;
mod front;
pub mod gate;
pub mod load;
mod null_test;
mod operators;
mod scaling;
pub mod tuning;

pub use crate::stats::{LatencyModes, SpeedStates};
pub use contention::{Cause, Contention, Requests, Slowdown, contention, requests};
pub use decide::advice::{
    Action, Advice, Against, Evidence, HIGH_GAIN, Level, MEDIUM_GAIN, NotTried, Priority, Setting,
    Untried,
};
pub use decide::bottlenecks::BUSY_SHARE;
pub use decide::conclusions::{
    Answer, Basis, BetterKernel, Bottleneck, BottleneckKind, Caveat, Choice, Headline, NotReached,
    Pick, Rejection, RejectionReason, Rival, ShapeAnswer,
};
pub use decide::judgement::{
    Advantage, AgreementHeld, Decision, JudgedBy, Judgement, MachineEffect, OutputsJudgement,
    OutputsStanding, RULES, RUN_RULES, Reason, Rule, RunJudgement, RunRule, ScoreHeld, Speed,
};
pub(in crate::analysis) use decide::split::{Between, Ratios, StepRatio};
pub use decide::split::{GainCause, GainSplit, GainStep, StepBasis, Unsplit};
pub use decide::{
    JudgedOutputs, NoGain, ScoreTarget, Trade, TwoLevels, ratio_of_cells, single_place, two_levels,
};
pub use distribution::{
    CellSpread, DistributionPoint, Spread, TimelineBlock, distribution, spread, timeline,
};
pub use explain::{
    AddedNodes, CLAUSE_SHARE, Clause, DenormalFindings, Explanation, FusionChange, Instructions,
    LatencyStep, OperatorChange, ProfileBasis, ReducedArithmetic, Step, StepKind,
};
pub use figures::pairwise::pairwise;
pub use figures::sessions::before_load_memory;
pub use figures::{
    AccuracyChange, AccuracyFindings, AccuracyVerdict, BatchCurve, Bounds, CellFindings, Cells,
    Change, Comparison, Counted, CurvePoint, Estimate, Figure, Figures, HeldAgainst, Interval,
    Measured, OutputAgreement, SATURATION_SHARE, SessionFindings, Support, UnhealthyOutput,
    Verdict, find,
};
pub use findings::{Causes, Decisions, Ending, Findings};
pub use forecast::{
    AffordableRounds, Expectation, ExpectedWidth, FORECAST_COVERAGE, HalfWidth, SeenRun, precision,
    seen_run, sufficient_rounds,
};
pub use front::{Front, FrontPoint, front};
pub use null_test::{Pairing, SmallestClaim, null_test};
pub use operators::{
    Arithmetic, Bound, Breakdown, CountChange, DeviceFindings, DeviceVerdict, FAR_SHARE,
    GraphChange, GroupShare, HotNode, LEAST_NODE_SHARE, NEAR_COMPUTE, NOTABLE_IDLE, NodeShare,
    NodeTimes, OperatorFindings, OperatorGroup, OperatorShare, Portion, PortionBounds, Rest,
    Roofline, SMALL_CALL, SURE_DISTORTION, TimeLevel, TraceCoverage, Work, bytes, work,
};
pub use scaling::{
    BatchFit, Cliff, CliffEvidence, CliffSign, Deviation, FirstRun, GapFindings, IdleFindings,
    Knee, KneePlace, LINE_TOLERANCE, MemoryFit, Scaling, Within, WithinLimit,
};

use crate::record::RunRecord;

use decide::advice;
use decide::facts::Facts;
use decide::{judgement, split};
use figures::index::Index;
use figures::{cells, pace, sessions, to_baseline};
use tuning::Searched;

/// Everything that a record says. The record's indices must lead somewhere, as those of every
/// record do that [`store::load`](crate::store::load) returns.
#[must_use]
pub fn findings(record: &RunRecord) -> Findings {
    let index = Index::new(record);
    let mut cells = Cells::from(cells::all(&index));
    to_baseline::judge_together(&index, &mut cells, pace::round_time(record));
    to_baseline::mark_worse_tails(&mut cells);
    let sessions = sessions::all(&index, &cells);
    let batch_curves = scaling::batch_curves(&cells);
    let facts = Facts {
        index: &index,
        sessions: &sessions,
        cells: &cells,
        curves: &batch_curves,
        outputs: judgement::outputs(&index, &sessions),
    };
    let idle_gaps = scaling::idle_gaps(record);
    let causes = causes(&facts);
    let mut decisions = decisions(&facts, &causes, &idle_gaps);
    let tuning = tuning::of(
        record,
        Figures {
            sessions: &sessions,
            cells: &cells,
        },
    );
    let tuning = tuning.map(|Searched { findings, split }| {
        decisions.judgement = tuning::of_search(decisions.judgement.clone(), record, &findings);
        decisions.split = split.filter(|_| decisions.judgement.decision == Decision::Ship);
        findings
    });
    decisions.advise_as_judged();
    Findings {
        load: load::findings(record),
        ending: Ending {
            complete: record.is_complete(),
            ended_by: record.run.ended_by,
            fitness: record.fitness.clone(),
        },
        scaling: scaling::scaling(&facts),
        causes,
        decisions,
        tuning,
        idle_gaps,
        sessions,
        cells,
        batch_curves,
    }
}

fn causes(facts: &Facts<'_>) -> Causes {
    let record = facts.index.record;
    let rooflines = operators::rooflines(record);
    let denormals = explain::denormals(record);
    Causes {
        operators: operators::findings(record, facts.cells),
        explanations: explain::explanations(facts, &denormals, &rooflines),
        rooflines,
        denormals,
    }
}

fn decisions(facts: &Facts<'_>, causes: &Causes, idle_gaps: &[IdleFindings]) -> Decisions {
    let answer = decide::answer::answer(facts);
    let judgement = judgement::judge(facts);
    Decisions {
        split: split::of_sweep(facts, &answer, &judgement),
        judgement,
        headlines: headlines(facts),
        bottlenecks: decide::bottlenecks::bottlenecks(facts, &causes.rooflines),
        advice: advice::advice(facts, &answer, &causes.denormals, idle_gaps),
        not_tried: decide::not_tried::not_tried(facts, &answer),
        answer,
    }
}

fn headlines(facts: &Facts<'_>) -> Vec<Headline> {
    facts
        .sessions
        .iter()
        .filter(|session| !session.is_baseline && session.outcome.is_ok())
        .map(|session| headline(facts, session.session))
        .collect()
}

fn headline(facts: &Facts<'_>, session: usize) -> Headline {
    let smallest = facts
        .cells
        .iter()
        .filter(|cell| cell.key.session == session && cell.comparison.is_some())
        .min_by_key(|cell| (cell.key.shape, cell.key.batch_size));
    Headline {
        session,
        shape: smallest.map_or(0, |cell| cell.key.shape),
        batch_size: smallest.map(|cell| cell.key.batch_size),
        change: smallest.and_then(|cell| Some(cell.comparison.as_ref()?.p50.clone())),
        size_factor: facts.size_factor(session),
    }
}
