//! The judgement on a search: its verdict, as far as the machine and the outputs bear it.

use super::{Candidate, TuningFindings, TuningVerdict};
use crate::analysis::{Decision, MachineEffect, OutputsStanding, Reason, RunJudgement};
use crate::record::{FitnessVerdict, RunRecord};

/// The same judgement with the decision of the search, which chose between configurations by rounds
/// of its own.
pub(in crate::analysis) fn of_search(
    judgement: RunJudgement,
    record: &RunRecord,
    search: &TuningFindings,
) -> RunJudgement {
    let best = search.best();
    let reason = reason(&judgement, record, search);
    RunJudgement {
        decision: decision(reason),
        reason,
        session: best.map(|best| best.key.session),
        more_ns: search
            .contender
            .as_ref()
            .and_then(|contender| contender.more_ns),
        ..judgement
    }
}

fn decision(reason: Reason) -> Decision {
    match reason {
        Reason::Better => Decision::Ship,
        Reason::NotBetter | Reason::Alone => Decision::Keep,
        Reason::MachineSensitive | Reason::SpeedOpen | Reason::OutputsOpen | Reason::LimitsOpen => {
            Decision::Undecided
        }
        Reason::OutputsDiffer | Reason::LimitsBroken => Decision::DoNotShip,
        Reason::NotMeasured
        | Reason::MachineUnfit
        | Reason::FewLaunches
        | Reason::BaselineUnusable => Decision::NoAnswer,
    }
}

fn reason(judgement: &RunJudgement, record: &RunRecord, search: &TuningFindings) -> Reason {
    let Some(best) = search.best() else {
        return Reason::NotMeasured;
    };
    let is_unfit = record
        .fitness
        .as_ref()
        .is_some_and(|fitness| fitness.verdict == FitnessVerdict::Invalid);
    match search.verdict {
        TuningVerdict::NothingMeasured => Reason::NotMeasured,
        _ if is_unfit => Reason::MachineUnfit,
        TuningVerdict::NothingMeets => Reason::LimitsBroken,
        TuningVerdict::NotShown => Reason::LimitsOpen,
        TuningVerdict::Undecided => Reason::SpeedOpen,
        TuningVerdict::Found if search.best == search.defaults => Reason::NotBetter,
        TuningVerdict::Found => found(judgement, best),
    }
}

/// Of a configuration that is shown to be better than the defaults.
fn found(judgement: &RunJudgement, best: &Candidate) -> Reason {
    let Some(session) = judgement.of(best.key.session) else {
        return Reason::Better;
    };
    match session.outputs.standing {
        OutputsStanding::Refused => Reason::OutputsDiffer,
        _ if session.machine == MachineEffect::Much => Reason::MachineSensitive,
        OutputsStanding::Open => Reason::OutputsOpen,
        OutputsStanding::Kept => Reason::Better,
    }
}
