//! Figures against the baseline: the same run's, or another run's.

use super::held::{Case, Held, Pairing, Target, is_timing};
use super::same::same;
use super::types::{Indexed, Runs};
use super::under_load;
use super::{Against, Run, Same, Unfit};
use crate::analysis::comparison::{
    Delta, Design, Side, Sides, change, counterpart, host_differences,
};
use crate::analysis::{AccuracyChange, Counted, Estimate, Findings};
use crate::check::{Budget, Check, Drop};
use crate::metric::{Level, Metric};
use crate::observed::Observed;
use crate::plan::{Plan, SessionSpec, Workload};
use crate::record::Host;

pub(super) fn case(check: &Check, target: &Target<'_>, runs: &Runs<'_>) -> Case {
    let again = again(check.metric, target, runs);
    if target.failure().is_none()
        && again.is_none()
        && let Some(same) = same(target, runs)
    {
        return of_same(check, same);
    }
    let compared = match again {
        Some(again) => again,
        None => compared(target, runs),
    };
    if check.metric.level() == Level::Load {
        return of_load(check, target, runs, compared);
    }
    match compared.and_then(|compared| changed(check.metric, compared)) {
        Ok(Changed {
            delta: Delta::Ratio { design, change },
            is_borne,
            ..
        }) => Case {
            pairing: match is_borne || runs.terms.unfit == Unfit::Counts {
                true => pairing(design),
                false => Pairing::Unlike,
            },
            ..of_ratio(check, change.ratio, factor(check.budget))
        },
        Ok(Changed {
            delta: Delta::Score { design, change },
            score,
            ..
        }) => Case {
            pairing: pairing(design),
            ..of_score(check, change, score)
        },
        Err(reason) => of_ratio(check, Estimate::absent(reason), as_written(check.budget)),
    }
}

/// Figures under load are not those of one round, and are compared as estimates.
fn of_load(
    check: &Check,
    target: &Target<'_>,
    runs: &Runs<'_>,
    compared: Observed<Compared<'_>>,
) -> Case {
    let ratio = compared.and_then(|Compared { sides, findings }| {
        let other = Run {
            record: sides.baseline.run.record,
            findings,
        };
        under_load::ratio(
            check.metric,
            target,
            runs.record(),
            other,
            sides.baseline.session,
        )
    });
    match ratio {
        Ok(ratio) => of_ratio(check, ratio, factor(check.budget)),
        Err(reason) => of_ratio(check, Estimate::absent(reason), as_written(check.budget)),
    }
}

/// Of a figure that is a ratio to the run's own baseline already.
pub(super) fn of_figure(target: &Target<'_>, runs: &Runs<'_>) -> Pairing {
    let session = |session| Side {
        run: &runs.run.index,
        session,
        at: None,
    };
    let baseline = runs.record().plan.baseline_session();
    let is_borne = baseline.is_none_or(|baseline| {
        let sides = Sides {
            candidate: session(target.session.session),
            baseline: session(baseline),
        };
        sides.are_borne()
    });
    match is_borne || runs.terms.unfit == Unfit::Counts {
        true => Pairing::Together,
        false => Pairing::Unlike,
    }
}

fn pairing(design: Design) -> Pairing {
    match design {
        Design::Paired => Pairing::Together,
        Design::Separate | Design::Exact => Pairing::Apart,
    }
}

/// A ratio of 1, or a difference of 0.
fn of_same(check: &Check, same: Same) -> Case {
    let (held, value, budget) = match check.budget {
        Budget::Drop(Drop::Points(points)) => (Held::DifferenceToBaseline, 0.0, -points),
        Budget::Drop(Drop::Share(_))
        | Budget::TimesBaseline(_)
        | Budget::Absolute(_)
        | Budget::Judgement => (Held::RatioToBaseline, 1.0, factor(check.budget)),
    };
    Case {
        held,
        figure: Estimate::exact(value, 1, Counted::Files),
        side: check.side,
        budget,
        pairing: Pairing::Same(same),
    }
}

fn of_ratio(check: &Check, figure: Estimate, budget: f64) -> Case {
    Case {
        held: Held::RatioToBaseline,
        figure,
        side: check.side,
        budget,
        pairing: Pairing::Apart,
    }
}

fn factor(budget: Budget) -> f64 {
    match budget {
        Budget::Drop(Drop::Share(share)) => 1.0 - share,
        Budget::TimesBaseline(budget)
        | Budget::Absolute(budget)
        | Budget::Drop(Drop::Points(budget)) => budget,
        Budget::Judgement => 1.0,
    }
}

/// A drop below zero.
fn as_written(budget: Budget) -> f64 {
    match budget {
        Budget::TimesBaseline(factor) | Budget::Absolute(factor) => factor,
        Budget::Drop(Drop::Points(drop) | Drop::Share(drop)) => -drop,
        Budget::Judgement => 1.0,
    }
}

/// Of a score, a share is held as a difference as well.
fn of_score(check: &Check, change: AccuracyChange, baseline: f64) -> Case {
    let budget = match check.budget {
        Budget::Drop(Drop::Points(points)) => -points,
        Budget::Drop(Drop::Share(share)) => -share * baseline,
        Budget::TimesBaseline(factor) | Budget::Absolute(factor) => (factor - 1.0) * baseline,
        Budget::Judgement => 0.0,
    };
    Case {
        held: Held::DifferenceToBaseline,
        figure: change.difference,
        side: check.side,
        budget,
        pairing: Pairing::Apart,
    }
}

/// A target and what it is compared with.
struct Compared<'a> {
    sides: Sides<Side<'a>>,
    /// Of the run that the baseline was measured in.
    findings: &'a Findings,
}

struct Changed {
    delta: Delta,
    /// The baseline's, where the metric is a score; else 1.
    score: f64,
    /// Whether the state of the machine bears a verdict on times.
    is_borne: bool,
}

fn changed(metric: Metric, compared: Compared<'_>) -> Observed<Changed> {
    let Compared { sides, findings } = compared;
    let delta = change(metric, sides)?;
    let score = findings
        .sessions
        .get(sides.baseline.session)
        .and_then(|session| session.figure(metric)?.value());
    match (&delta, score) {
        (Delta::Score { .. }, None) => Err("the baseline has no score".into()),
        (Delta::Score { .. } | Delta::Ratio { .. }, _) => Ok(Changed {
            delta,
            score: score.unwrap_or(1.0),
            is_borne: sides.are_borne(),
        }),
    }
}

/// The target in the run that measured its files again, for times; `None` where none did.
fn again<'a>(
    metric: Metric,
    target: &Target<'_>,
    runs: &'a Runs<'a>,
) -> Option<Observed<Compared<'a>>> {
    let plan = &runs.record().plan;
    let spec = &plan.sessions[target.session.session];
    let again = runs.other.as_ref()?.again.get(&spec.variant)?;
    is_timing(metric).then(|| of_two_versions(target, plan, again))
}

/// The session of the target's place among those of its variant, of each of two versions.
fn of_two_versions<'a>(
    target: &Target<'_>,
    plan: &Plan,
    again: &'a Indexed<'a>,
) -> Observed<Compared<'a>> {
    let own = target.session.session;
    let variant = plan.sessions[own].variant;
    let place = plan.sessions[..own]
        .iter()
        .filter(|spec| spec.variant == variant)
        .count();
    let other = &again.index.record.plan;
    let at = at(target, plan, other)?;
    // The two versions are all that was measured again.
    let newer = 1 - other.baseline.min(1);
    Ok(Compared {
        sides: Sides {
            candidate: Side {
                run: &again.index,
                session: nth_session(other, newer, place)?,
                at,
            },
            baseline: Side {
                run: &again.index,
                session: nth_session(other, other.baseline, place)?,
                at,
            },
        },
        findings: again.run.findings,
    })
}

/// The session at that place among those of a variant.
fn nth_session(plan: &Plan, variant: usize, place: usize) -> Observed<usize> {
    (0..plan.sessions.len())
        .filter(|&session| plan.sessions[session].variant == variant)
        .nth(place)
        .ok_or_else(|| "it was not measured again".into())
}

/// The target, and the same of the other run or of the older version, or else the baseline.
fn compared<'a>(target: &Target<'_>, runs: &'a Runs<'a>) -> Observed<Compared<'a>> {
    let plan = &runs.record().plan;
    let own = target.session.session;
    let (other, session) = match (&runs.other, runs.terms.against) {
        (Some(other), _) => (
            &other.compared,
            counterpart(plan, own, &other.compared.index.record.plan)
                .ok_or_else(|| no_counterpart(plan, own, &other.compared.index.record.plan))?,
        ),
        (None, Against::OlderVersion) => (
            &runs.run,
            older_version(plan, own).ok_or("the older version has no session of these options")?,
        ),
        (None, Against::OwnBaseline | Against::Run { .. }) => (
            &runs.run,
            plan.baseline_session()
                .ok_or("the run has no baseline session")?,
        ),
    };
    Ok(Compared {
        sides: Sides {
            candidate: Side {
                run: &runs.run.index,
                session: own,
                at: target.cell.map(|cell| cell.key.workload()),
            },
            baseline: Side {
                run: &other.index,
                session,
                at: at(target, plan, &other.index.record.plan)?,
            },
        },
        findings: other.run.findings,
    })
}

/// The baseline variant's session of the same options.
fn older_version(plan: &Plan, own: usize) -> Option<usize> {
    let spec = &plan.sessions[own];
    plan.sessions
        .iter()
        .position(|other| other.variant == plan.baseline && is_same_but_variant(spec, other))
}

fn is_same_but_variant(one: &SessionSpec, other: &SessionSpec) -> bool {
    one.runtime == other.runtime && one.is_alike(other)
}

fn no_counterpart(plan: &Plan, own: usize, other: &Plan) -> String {
    let name = &plan.variant_of(own).name;
    if other.variants.iter().any(|variant| variant.name == *name) {
        format!(
            "the baseline run has no session of `{}` with these options",
            name.exact()
        )
    } else {
        format!("the baseline run has no variant `{}`", name.exact())
    }
}

/// Where a target that is a cell was measured, as another plan has it.
fn at(target: &Target<'_>, plan: &Plan, other: &Plan) -> Observed<Option<Workload>> {
    target
        .cell
        .map(|cell| in_other_run(cell.key.workload(), plan, other))
        .transpose()
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
