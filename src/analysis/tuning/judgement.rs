//! The judgement on a search: the rules about sessions and runs, on what its rounds showed.

use std::collections::BTreeSet;

use super::{Candidate, Contender, State, TuningFindings, TuningVerdict, floor};
use crate::analysis::decide::judgement::{Decided, KnownRun, compared_otherwise, decided};
use crate::analysis::{Decision, Estimate, Judgement, Reason, RunJudgement, Speed};
use crate::record::{FitnessVerdict, RunRecord};
use crate::stats::MIN_LAUNCHES;

/// The same judgement with what the search showed of each session, in rounds of its own, instead of
/// its comparison with the baseline's at one batch size.
pub(in crate::analysis) fn of_search(
    judgement: RunJudgement,
    record: &RunRecord,
    search: &TuningFindings,
) -> RunJudgement {
    let others: Vec<Judgement> = judgement
        .others
        .iter()
        .map(|one| judged(one, record, search))
        .collect();
    let Decided {
        decision,
        reason,
        session,
        ..
    } = decide(record, search, &others);
    RunJudgement {
        decision,
        reason,
        session,
        more_ns: search
            .contender
            .as_ref()
            .and_then(|contender| contender.more_ns),
        others,
        ..judgement
    }
}

fn decide(record: &RunRecord, search: &TuningFindings, others: &[Judgement]) -> Decided {
    let best = search.best().map(|best| best.key.session);
    let by_rules = decided(
        KnownRun {
            is_baseline_usable: best.is_some(),
            is_unfit: record
                .fitness
                .as_ref()
                .is_some_and(|fitness| fitness.verdict == FitnessVerdict::Invalid),
            is_covered: search
                .default()
                .is_none_or(|default| is_covered(record, default)),
            others,
        },
        record.plan.baseline_session(),
    );
    let about_best = |decision, reason| Decided {
        decision,
        reason,
        session: best,
        ..by_rules
    };
    match search.verdict {
        TuningVerdict::NothingMeasured => about_best(Decision::NoAnswer, Reason::NotMeasured),
        _ if by_rules.decision == Decision::DoNotShip => by_rules,
        _ if by_rules.reason == Reason::MachineUnfit => {
            about_best(Decision::NoAnswer, Reason::MachineUnfit)
        }
        TuningVerdict::NothingMeets => about_best(Decision::DoNotShip, Reason::LimitsBroken),
        TuningVerdict::NotShown => about_best(Decision::Undecided, Reason::LimitsOpen),
        TuningVerdict::Found if search.best != search.defaults => {
            // Of the baseline's own file and options, at another batch size.
            let own = others.iter().find(|one| Some(one.session) == best);
            own.map_or(about_best(Decision::Ship, Reason::Better), |own| {
                about_best(own.decision, own.reason)
            })
        }
        // There was more to try.
        TuningVerdict::Undecided if by_rules.decision == Decision::Keep => {
            about_best(Decision::Undecided, Reason::SpeedOpen)
        }
        TuningVerdict::Found | TuningVerdict::Undecided => Decided {
            session: by_rules.session.or(best),
            ..by_rules
        },
    }
}

/// A session that was raced, as its rounds show it; as it was judged, where it was not.
fn judged(one: &Judgement, record: &RunRecord, search: &TuningFindings) -> Judgement {
    let own: Vec<&Candidate> = search
        .candidates
        .iter()
        .filter(|candidate| candidate.key.session == one.session && candidate.is_measured())
        .collect();
    if own.is_empty() {
        return one.clone();
    }
    let contender = search
        .contender
        .as_ref()
        .filter(|contender| search.candidates[contender.place].key.session == one.session);
    let speed = speed(&own, search, contender);
    let is_covered = own.iter().any(|candidate| is_covered(record, candidate));
    compared_otherwise(one, speed, is_covered)
}

fn speed(own: &[&Candidate], search: &TuningFindings, contender: Option<&Contender>) -> Speed {
    let is_out = |candidate: &&Candidate| matches!(candidate.state, State::Out | State::AsGood);
    let is_best = own.iter().any(|candidate| candidate.state == State::Best);
    match (search.verdict, contender) {
        (TuningVerdict::Found, _) if is_best => Speed::Better,
        (_, Some(contender)) if is_surely_better(search, contender) => Speed::Better,
        (_, Some(_)) => Speed::Open,
        (TuningVerdict::Found, None) if search.best == search.defaults => Speed::NotBetter,
        (_, None) if own.iter().all(is_out) => Speed::NotBetter,
        (_, None) => Speed::Open,
    }
}

/// Beyond the noise floor, by rounds that did not choose it: what keeps it from being the answer is
/// something else.
fn is_surely_better(search: &TuningFindings, contender: &Contender) -> bool {
    let beyond = (-floor(search.objective)).exp();
    !contender.is_chosen_by_it
        && contender
            .cost_ratio
            .as_ref()
            .and_then(Estimate::measured)
            .is_some_and(|cost| {
                cost.value < beyond && cost.interval.is_some_and(|ends| ends.high < 1.0)
            })
}

/// Whether a configuration was launched as often as an interval takes.
fn is_covered(record: &RunRecord, candidate: &Candidate) -> bool {
    let launches: BTreeSet<u64> = record
        .blocks
        .iter()
        .filter(|block| block.key == candidate.key)
        .map(|block| block.launch)
        .collect();
    launches.len() as u64 >= MIN_LAUNCHES
}
