//! Figures against the baseline: the same run's, or another run's.

use super::held::{Case, Held, Target};
use super::types::Runs;
use crate::analysis::comparison::{Delta, Side, Sides, change, host_differences};
use crate::analysis::figures::index::Index;
use crate::analysis::{AccuracyChange, Estimate};
use crate::check::{Budget, Check, Drop};
use crate::observed::Observed;
use crate::plan::{Plan, Workload};
use crate::record::Host;

pub(super) fn case(check: &Check, target: &Target<'_>, runs: &Runs<'_>) -> Case {
    match changed(check, target, runs) {
        Ok((Delta::Ratio { change, .. }, _)) => of_ratio(check, change.ratio, factor(check.budget)),
        Ok((Delta::Score { change, .. }, score)) => of_score(check, change, score),
        Err(reason) => of_ratio(check, Estimate::absent(reason), as_written(check.budget)),
    }
}

fn of_ratio(check: &Check, figure: Estimate, budget: f64) -> Case {
    Case {
        held: Held::RatioToBaseline,
        figure,
        side: check.side,
        budget,
    }
}

fn factor(budget: Budget) -> f64 {
    match budget {
        Budget::Drop(Drop::Share(share)) => 1.0 - share,
        Budget::TimesBaseline(budget)
        | Budget::Absolute(budget)
        | Budget::Drop(Drop::Points(budget)) => budget,
    }
}

/// A drop below zero.
fn as_written(budget: Budget) -> f64 {
    match budget {
        Budget::TimesBaseline(factor) | Budget::Absolute(factor) => factor,
        Budget::Drop(Drop::Points(drop) | Drop::Share(drop)) => -drop,
    }
}

/// Of a score, a share is held as a difference as well.
fn of_score(check: &Check, change: AccuracyChange, baseline: f64) -> Case {
    let budget = match check.budget {
        Budget::Drop(Drop::Points(points)) => -points,
        Budget::Drop(Drop::Share(share)) => -share * baseline,
        Budget::TimesBaseline(factor) | Budget::Absolute(factor) => (factor - 1.0) * baseline,
    };
    Case {
        held: Held::DifferenceToBaseline,
        figure: change.difference,
        side: check.side,
        budget,
    }
}

/// With the baseline's score where the metric is one.
fn changed(check: &Check, target: &Target<'_>, runs: &Runs<'_>) -> Observed<(Delta, f64)> {
    let sides = Sides {
        candidate: Side {
            run: &runs.index,
            session: target.session.session,
            at: target.cell.map(|cell| cell.key.workload()),
        },
        baseline: baseline(target, runs)?,
    };
    let delta = change(check.metric, sides)?;
    let score = runs
        .against
        .as_ref()
        .map_or(runs.run.findings, |(against, _)| against.findings)
        .sessions
        .get(sides.baseline.session)
        .and_then(|session| session.figure(check.metric)?.value());
    match (&delta, score) {
        (Delta::Score { .. }, None) => Err("the baseline has no score".into()),
        _ => Ok((delta, score.unwrap_or(1.0))),
    }
}

/// The other side of a target: the same of the other run, or else of the baseline of this one.
fn baseline<'a>(target: &Target<'_>, runs: &'a Runs<'a>) -> Observed<Side<'a>> {
    let plan = &runs.run.record.plan;
    let (run, session) = match &runs.against {
        None => (
            &runs.index,
            plan.baseline_session()
                .ok_or("the run has no baseline session")?,
        ),
        Some((_, index)) => (
            index,
            counterpart(index, plan.variant_of(target.session.session).name.exact())?,
        ),
    };
    let at = target
        .cell
        .map(|cell| in_other_run(cell.key.workload(), plan, &run.record.plan))
        .transpose()?;
    Ok(Side { run, session, at })
}

/// The session whose variant has the name.
fn counterpart(index: &Index<'_>, name: &str) -> Observed<usize> {
    let plan = &index.record.plan;
    (0..plan.sessions.len())
        .find(|&session| plan.variant_of(session).name == name)
        .ok_or_else(|| format!("the baseline run has no variant `{name}`").into())
}

fn in_other_run(at: Workload, plan: &Plan, other: &Plan) -> Observed<Workload> {
    Ok(Workload {
        shape: plan.same_shape(at.shape, other).ok_or_else(|| {
            format!(
                "the baseline run did not measure{}",
                plan.shape_words(at.shape)
            )
        })?,
        ..at
    })
}

pub(super) fn other_machine(here: &Host, there: &Host) -> Option<String> {
    let names: Vec<&str> = host_differences(there, here)
        .iter()
        .map(|difference| difference.what)
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "the baseline run is of another machine: {} differ",
            names.join(", ")
        )
    })
}
