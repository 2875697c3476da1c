//! A rule that holds a session against the judgement: whether it is to be shipped.

use super::held::{Case, Held, Pairing, Target};
use super::types::Runs;
use super::verdict::Basis;
use super::{GateVerdict, Judgement};
use crate::analysis::{self, Decision, Estimate};
use crate::check::Side;

/// The judgement on the target; `None` of the baseline's, and of what has failed.
fn judged<'a>(target: &Target<'_>, runs: &Runs<'a>) -> Option<&'a analysis::Judgement> {
    let findings = runs.run.run.findings;
    let judged = findings.decisions.judgement.of(target.session.session)?;
    target.failure().is_none().then_some(judged)
}

pub(super) fn case(target: &Target<'_>, runs: &Runs<'_>) -> Case {
    let advantage = judged(target, runs).and_then(|one| one.advantage.as_ref());
    Case {
        held: Held::RatioToBaseline,
        figure: advantage.map_or_else(
            || Estimate::absent("it was not compared with the baseline"),
            |found| found.ratio.clone(),
        ),
        side: Side::AtMost,
        budget: 1.0,
        pairing: Pairing::Together,
    }
}

/// The same verdict as everywhere else: only what is to be shipped passes.
pub(super) fn judgement(target: &Target<'_>, runs: &Runs<'_>) -> Judgement {
    let Some(one) = judged(target, runs) else {
        let reason = target
            .failure()
            .unwrap_or_else(|| "it was not judged".into());
        return Judgement::without_figure(GateVerdict::Fail, reason);
    };
    let basis = Basis::Judgement {
        decision: one.decision,
        reason: one.reason,
    };
    Judgement::by(basis, verdict(one.decision))
}

fn verdict(decision: Decision) -> GateVerdict {
    match decision {
        Decision::Ship => GateVerdict::Pass,
        Decision::Keep | Decision::DoNotShip => GateVerdict::Fail,
        Decision::Undecided | Decision::NoAnswer => GateVerdict::Inconclusive,
    }
}
