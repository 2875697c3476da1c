//! The judgement on a run: on every session that is not the baseline's, and on all together.

use serde::Serialize;

use super::rules::{Known, KnownRun, rule, run_rule};
use super::{Decision, Judgement, Reason, advantage, machine};
use crate::analysis::decide::facts::Facts;
use crate::plan::{CellKey, Objective};
use crate::record::FitnessVerdict;
use crate::stats::MIN_LAUNCHES;
use crate::units::Nanos;

/// What to do, as far as the run decides it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunJudgement {
    /// The decision.
    pub decision: Decision,
    /// Why.
    pub reason: Reason,
    /// What decides between sessions.
    pub objective: Objective,
    /// Index of the session that the decision is about: the one to ship, to keep or not to ship, or
    /// the one that looks best; absent where there is none.
    pub session: Option<usize>,
    /// The cell of the baseline that the others are compared with; absent where it was not
    /// measured.
    pub baseline: Option<CellKey>,
    /// Every session but the baseline's, in the order of the plan.
    pub others: Vec<Judgement>,
    /// About how much longer measuring takes that would settle it; absent where time settles
    /// nothing, and where nothing tells.
    pub more_ns: Option<Nanos>,
}

impl RunJudgement {
    /// The judgement on a session; `None` on the baseline's.
    #[must_use]
    pub fn of(&self, session: usize) -> Option<&Judgement> {
        self.others.iter().find(|one| one.session == session)
    }

    /// The judgement that the decision is about, if it is about a session that is not the
    /// baseline's.
    #[must_use]
    pub fn subject(&self) -> Option<&Judgement> {
        self.of(self.session?)
    }

    /// The sessions of a decision.
    pub fn with(&self, decision: Decision) -> impl Iterator<Item = &Judgement> {
        self.others
            .iter()
            .filter(move |one| one.decision == decision)
    }
}

/// Judges the sessions of a run, and the run.
#[must_use]
pub(in crate::analysis) fn judge(facts: &Facts<'_>) -> RunJudgement {
    let record = facts.index.record;
    let objective = record.plan.objective();
    let others: Vec<Judgement> = (0..facts.sessions.len())
        .filter(|&session| !facts.is_baseline(session))
        .map(|session| of_session(facts, objective, session))
        .collect();
    let baseline = facts
        .index
        .baseline
        .and_then(|baseline| advantage::cell(facts, objective, baseline));
    let metric = advantage::metric(facts, objective);
    let rule = run_rule(KnownRun {
        is_baseline_usable: baseline.is_some_and(|cell| facts.usable(cell.key.session)),
        is_unfit: record
            .fitness
            .as_ref()
            .is_some_and(|fitness| fitness.verdict == FitnessVerdict::Invalid),
        is_covered: baseline
            .and_then(|cell| cell.figure(metric)?.measured())
            .is_some_and(|found| found.interval.is_some() || found.n >= MIN_LAUNCHES),
        others: &others,
    });
    let subject = subject(rule.decision, &others);
    RunJudgement {
        decision: rule.decision,
        reason: rule
            .reason
            .or(subject.map(|one| one.reason))
            .unwrap_or(Reason::NotBetter),
        objective,
        session: match rule.decision {
            Decision::Keep => facts.index.baseline,
            Decision::Ship | Decision::Undecided | Decision::DoNotShip | Decision::NoAnswer => {
                subject.map(|one| one.session)
            }
        },
        baseline: baseline.map(|cell| cell.key),
        more_ns: subject.and_then(|one| more_time(facts, one)),
        others,
    }
}

fn of_session(facts: &Facts<'_>, objective: Objective, session: usize) -> Judgement {
    let cell = advantage::cell(facts, objective, session);
    let advantage = cell.and_then(|cell| advantage::of(facts, objective, cell));
    let outputs = facts.outputs[session].clone();
    let machine = machine::effect(facts.index.record, session);
    let rule = rule(Known {
        is_measured: cell.is_some(),
        speed: advantage.as_ref().map(|one| one.speed),
        is_covered: advantage.as_ref().is_some_and(|one| one.is_covered()),
        outputs: outputs.standing,
        machine,
    });
    Judgement {
        session,
        key: cell.map(|cell| cell.key),
        decision: rule.decision,
        reason: rule.reason,
        advantage,
        outputs,
        machine,
    }
}

/// The one of a decision that has, or looks to have, the most of what was asked for.
fn subject(decision: Decision, others: &[Judgement]) -> Option<&Judgement> {
    let factor = |one: &Judgement| one.advantage.as_ref().and_then(|one| one.factor());
    others
        .iter()
        .filter(|one| one.decision == decision && one.reason != Reason::NotMeasured)
        .max_by(|one, other| {
            factor(one)
                .unwrap_or(f64::NEG_INFINITY)
                .total_cmp(&factor(other).unwrap_or(f64::NEG_INFINITY))
        })
}

/// As long as the rounds so far took, one by one.
fn more_time(facts: &Facts<'_>, judgement: &Judgement) -> Option<Nanos> {
    let record = facts.index.record;
    let more = match judgement.reason {
        Reason::SpeedOpen => judgement.advantage.as_ref()?.rounds_to_settle?,
        Reason::FewLaunches => {
            let had = judgement.advantage.as_ref()?.ratio.measured()?.n;
            MIN_LAUNCHES.checked_sub(had)?
        }
        Reason::NotMeasured
        | Reason::OutputsDiffer
        | Reason::MachineUnfit
        | Reason::NotBetter
        | Reason::MachineSensitive
        | Reason::OutputsOpen
        | Reason::Better
        | Reason::Alone
        | Reason::LimitsBroken
        | Reason::LimitsOpen
        | Reason::BaselineUnusable => return None,
    };
    let rounds = record.blocks.iter().map(|block| block.round + 1).max()?;
    let round_ns = record.run.elapsed_ns?.as_f64() / rounds as f64;
    Some(Nanos((round_ns * more as f64) as u64))
}
