//! The judgement on a run: on every session that is not the baseline's, and on all together.

use serde::Serialize;

use super::rules::{Known, KnownRun, rule, run_rule};
use super::{Decision, Judgement, Reason, Speed, advantage, machine};
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
    let decided = decided(
        KnownRun {
            is_baseline_usable: baseline.is_some_and(|cell| facts.usable(cell.key.session)),
            is_unfit: record
                .fitness
                .as_ref()
                .is_some_and(|fitness| fitness.verdict == FitnessVerdict::Invalid),
            is_covered: baseline
                .and_then(|cell| cell.figure(metric)?.measured())
                .is_some_and(|found| found.interval.is_some() || found.n >= MIN_LAUNCHES),
            others: &others,
        },
        facts.index.baseline,
    );
    RunJudgement {
        decision: decided.decision,
        reason: decided.reason,
        objective,
        session: decided.session,
        baseline: baseline.map(|cell| cell.key),
        more_ns: others
            .iter()
            .find(|one| Some(one.session) == decided.subject)
            .and_then(|one| more_time(facts, one)),
        others,
    }
}

/// What is decided on a run.
#[derive(Clone, Copy, Debug)]
pub(in crate::analysis) struct Decided {
    pub decision: Decision,
    pub reason: Reason,
    /// Index of the session that the decision is about.
    pub session: Option<usize>,
    /// Index of the session whose judgement it follows from.
    pub subject: Option<usize>,
}

/// The first rule that applies to what is known of a run, and whom it is about.
pub(in crate::analysis) fn decided(run: KnownRun<'_>, baseline: Option<usize>) -> Decided {
    let rule = run_rule(run);
    let subject = subject(rule.decision, run.others);
    let own = subject.map(|one| one.session);
    Decided {
        decision: rule.decision,
        reason: rule
            .reason
            .or(subject.map(|one| one.reason))
            .unwrap_or(Reason::NotBetter),
        session: match rule.decision {
            Decision::Keep => baseline,
            Decision::Ship | Decision::Undecided | Decision::DoNotShip | Decision::NoAnswer => own,
        },
        subject: own,
    }
}

/// The judgement on a session whose comparison with the baseline is known otherwise.
pub(in crate::analysis) fn compared_otherwise(
    one: &Judgement,
    speed: Speed,
    is_covered: bool,
) -> Judgement {
    let rule = rule(Known {
        is_measured: one.reason != Reason::NotMeasured,
        speed: Some(speed),
        is_covered,
        outputs: one.outputs.standing,
        machine: one.machine,
    });
    Judgement {
        decision: rule.decision,
        reason: rule.reason,
        ..one.clone()
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
