//! Targets of a rule: cells or sessions of the run.

use std::collections::BTreeSet;

use super::held::Target;
use super::{LeftOut, Mistake, Rule, RuleError, Run};
use crate::analysis::SessionFindings;
use crate::check::Budget;
use crate::metric::Level;
use crate::plan::{CellKey, Plan, SweepEnd};
use crate::record::Outcome;

pub(super) struct Targets<'a> {
    pub(super) counted: Vec<Target<'a>>,
    pub(super) left_out: Vec<LeftOut>,
}

/// Without another run to compare with, the baseline is left out of rules that compare.
pub(super) fn targets<'a>(
    rule: &Rule,
    run: Run<'a>,
    own_baseline: bool,
) -> Result<Targets<'a>, RuleError> {
    let mut sessions = sessions(rule, run)?;
    if own_baseline && !matches!(rule.check.budget, Budget::Absolute(_)) {
        sessions.retain(|session| !session.is_baseline);
    }
    if sessions.is_empty() {
        return Err(Mistake::BaselineAlone.at(rule.line));
    }
    if rule.check.metric.level() == Level::Cell {
        return cells(rule, run, &sessions);
    }
    check_no_place(rule)?;
    let counted = sessions.into_iter().map(|session| Target {
        session,
        cell: None,
    });
    Ok(Targets {
        counted: counted.collect(),
        left_out: Vec::new(),
    })
}

/// Of a metric that a session has once.
fn check_no_place(rule: &Rule) -> Result<(), RuleError> {
    let metric = rule.check.metric.key();
    if rule.batch_size.is_some() {
        return Err(Mistake::NoBatchSize(metric).at(rule.batch_size_line));
    }
    if !rule.dims.is_empty() {
        return Err(Mistake::NoShape(metric).at(rule.dims_line));
    }
    Ok(())
}

fn sessions<'a>(rule: &Rule, run: Run<'a>) -> Result<Vec<&'a SessionFindings>, RuleError> {
    let all = run.findings.sessions.iter();
    let Some(name) = &rule.variant else {
        return Ok(all.collect());
    };
    let plan = &run.record.plan;
    let named: Vec<_> = all
        .filter(|session| plan.variant_of(session.session).name == *name || session.label == *name)
        .collect();
    if named.is_empty() {
        let names = plan
            .variants
            .iter()
            .map(|variant| format!("`{}`", variant.name.exact()));
        return Err(Mistake::UnknownVariant(name.clone(), listed(names)).at(rule.variant_line));
    }
    Ok(named)
}

fn listed(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

fn cells<'a>(
    rule: &Rule,
    run: Run<'a>,
    sessions: &[&'a SessionFindings],
) -> Result<Targets<'a>, RuleError> {
    let plan = &run.record.plan;
    check_batch_size(rule, plan)?;
    check_dims(rule, plan)?;
    let (mut counted, mut unmeasured, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    for target in meant(rule, run, sessions) {
        match needless(rule, run, &target) {
            Some(needless) => {
                left_out.push(needless);
                unmeasured.push(target);
            }
            None => counted.push(target),
        }
    }
    if counted.is_empty() {
        (counted, left_out) = (unmeasured, Vec::new());
    }
    Ok(Targets { counted, left_out })
}

fn meant<'a>(rule: &Rule, run: Run<'a>, sessions: &[&'a SessionFindings]) -> Vec<Target<'a>> {
    let plan = &run.record.plan;
    let mut targets = Vec::new();
    for &session in sessions {
        targets.extend(
            run.findings
                .cells
                .iter()
                .filter(|cell| {
                    cell.key.session == session.session && is_meant(rule, plan, cell.key)
                })
                .map(|cell| Target {
                    session,
                    cell: Some(cell),
                }),
        );
    }
    targets
}

fn is_meant(rule: &Rule, plan: &Plan, key: CellKey) -> bool {
    let sizes = &plan.shapes[key.shape].dims;
    rule.batch_size.is_none_or(|size| size == key.batch_size)
        && rule
            .dims
            .iter()
            .all(|(name, size)| sizes.get(&name.as_str().into()) == Some(size))
}

fn check_batch_size(rule: &Rule, plan: &Plan) -> Result<(), RuleError> {
    match rule.batch_size {
        Some(size) if !plan.batch_sizes.contains(&size) => Err(Mistake::UnknownBatchSize(
            size,
            listed(plan.batch_sizes.iter().map(u64::to_string)),
        )
        .at(rule.batch_size_line)),
        _ => Ok(()),
    }
}

fn check_dims(rule: &Rule, plan: &Plan) -> Result<(), RuleError> {
    for (name, &size) in &rule.dims {
        let known = plan
            .shapes
            .iter()
            .filter_map(|shape| shape.dims.get(&name.as_str().into()));
        let known: BTreeSet<u64> = known.copied().collect();
        if !known.contains(&size) {
            let known = if known.is_empty() {
                "it swept no such dimension".into()
            } else {
                listed(known.iter().map(u64::to_string))
            };
            return Err(Mistake::UnknownShape(name.clone(), size, known).at(rule.dims_line));
        }
    }
    Ok(())
}

/// A cell that nobody named and that the run did not measure, where the sweep ended on its own
/// terms.
fn needless(rule: &Rule, run: Run<'_>, target: &Target<'_>) -> Option<LeftOut> {
    let plan = &run.record.plan;
    let named = rule.batch_size.is_some() || plan.sweep_end == SweepEnd::Listed;
    if named || !target.session.outcome.is_ok() {
        return None;
    }
    let key = target.cell?.key;
    let Outcome::Skipped { reason } = &run.record.cell(key)?.outcome else {
        return None;
    };
    Some(LeftOut {
        line: rule.line,
        session: target.session.label.clone().into(),
        batch_size: key.batch_size,
        shape_words: plan.shape_words(key.shape).into(),
        reason: reason.clone(),
    })
}
