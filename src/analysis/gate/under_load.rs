//! Rules about figures under load.

use super::at_load::{AtLoad, NOT_UNDER_LOAD};
use super::held::Target;
use super::{Mistake, Rule, RuleError, Run, Selected};
use crate::analysis::figures::{Estimate, SessionFindings};
use crate::analysis::load::{LoadCandidate, LoadFindings, LoadPoint, quotient};
use crate::metric::{Group, Metric};
use crate::observed::Observed;
use crate::record::{LoadStage, RunRecord};

/// Shares of a rate by which one that is named may differ from one that was asked for.
const SAME_RATE: f64 = 1e-6;

/// Of sessions that a rule names: their ways of serving and rates.
pub(super) fn targets<'a>(
    rule: &Rule,
    run: Run<'a>,
    sessions: &[&'a SessionFindings],
) -> Result<Vec<Target<'a>>, RuleError> {
    let Some(load) = &run.findings.load else {
        let of_session = |&session| Target {
            session,
            cell: None,
            load: None,
        };
        return Ok(sessions.iter().map(of_session).collect());
    };
    let mut targets = Vec::new();
    for &session in sessions {
        for candidate in candidates(rule, load, session)? {
            targets.extend(points(rule, candidate)?.into_iter().map(|point| Target {
                session,
                cell: None,
                load: Some(AtLoad { candidate, point }),
            }));
        }
    }
    Ok(targets)
}

/// Of a session, those served as the rule says.
fn candidates<'a>(
    rule: &Rule,
    load: &'a LoadFindings,
    session: &SessionFindings,
) -> Result<Vec<&'a LoadCandidate>, RuleError> {
    let own = load
        .candidates
        .iter()
        .filter(|candidate| candidate.key.session == session.session);
    let Some(Selected { value, line }) = &rule.selectors.serving else {
        return Ok(own.collect());
    };
    let found: Vec<&LoadCandidate> = own
        .clone()
        .filter(|candidate| candidate.key.serving as u64 + 1 == *value)
        .collect();
    if found.is_empty() {
        let known: Vec<String> = (1..=own.count()).map(|place| place.to_string()).collect();
        return Err(Mistake::UnknownNumber("way of serving", *value, known.join(", ")).at(*line));
    }
    Ok(found)
}

/// Rates that the rule is about: the named one, else all that were asked for.
fn points<'a>(
    rule: &Rule,
    candidate: &'a LoadCandidate,
) -> Result<Vec<Option<&'a LoadPoint>>, RuleError> {
    let metric = rule.check.metric;
    match &rule.selectors.rate {
        Some(Selected { line, .. }) if metric.group() == Group::Load => {
            Err(Mistake::OverRates(metric.key()).at(*line))
        }
        Some(rate) => Ok(vec![Some(at_rate(rate, candidate)?)]),
        None if metric.group() == Group::Load => Ok(vec![None]),
        None => {
            let asked: Vec<Option<&LoadPoint>> = candidate
                .points
                .iter()
                .filter(|point| was_asked_for(point.stage))
                .map(Some)
                .collect();
            Ok(if asked.is_empty() { vec![None] } else { asked })
        }
    }
}

/// Of several parts of the run at one rate, that with most requests.
fn at_rate<'a>(
    rate: &Selected<f64>,
    candidate: &'a LoadCandidate,
) -> Result<&'a LoadPoint, RuleError> {
    candidate
        .points
        .iter()
        .filter(|point| point.stage != LoadStage::Ramp)
        .filter(|point| (point.asked.0 - rate.value).abs() <= SAME_RATE * rate.value.abs())
        .max_by_key(|point| point.requests_count)
        .ok_or_else(|| unknown_rate(rate, candidate))
}

fn unknown_rate(rate: &Selected<f64>, candidate: &LoadCandidate) -> RuleError {
    let mut known: Vec<f64> = candidate
        .points
        .iter()
        .filter(|point| point.stage != LoadStage::Ramp)
        .map(|point| point.asked.0)
        .collect();
    known.sort_unstable_by(f64::total_cmp);
    known.dedup();
    let known: Vec<String> = known.iter().map(f64::to_string).collect();
    Mistake::Unknown("rate", rate.value.to_string(), known.join(", ")).at(rate.line)
}

fn was_asked_for(stage: LoadStage) -> bool {
    match stage {
        LoadStage::Asked | LoadStage::Soak => true,
        LoadStage::Bracket | LoadStage::Edge | LoadStage::Before | LoadStage::Ramp => false,
    }
}

/// The figure over that of the same way of serving, at the same rate, of another session or run.
pub(super) fn ratio(
    metric: Metric,
    target: &Target<'_>,
    own: &RunRecord,
    other: Run<'_>,
    session: usize,
) -> Observed<Estimate> {
    let at = target.load.ok_or(NOT_UNDER_LOAD)?;
    let plan = own.plan.load.as_ref().ok_or(NOT_UNDER_LOAD)?;
    let there = other.record.plan.load.as_ref();
    let there = there.ok_or("the baseline run was not under load")?;
    let load = other.findings.load.as_ref();
    let load = load.ok_or("the baseline run was not under load")?;
    let serving = &plan.servings[at.candidate.key.serving];
    let candidate = load
        .candidates
        .iter()
        .filter(|candidate| candidate.key.session == session)
        .find(|candidate| there.servings[candidate.key.serving] == *serving)
        .ok_or("the baseline was not served in this way")?;
    let point = match at.point {
        Some(point) => Some(
            candidate
                .points
                .iter()
                .find(|other| other.stage == point.stage && other.asked == point.asked)
                .ok_or("the baseline was not measured at this rate")?,
        ),
        None => None,
    };
    let reference = AtLoad { candidate, point };
    Ok(quotient(&at.figure(metric), &reference.figure(metric)))
}
