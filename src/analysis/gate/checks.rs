//! Rules held against a run.

use std::iter;

use super::held::{Case, Target, judged};
use super::types::Runs;
use super::{
    Checked, Gate, GateVerdict, Held, Judgement, Rule, RuleError, Run, relative, target, verdict,
};
use crate::analysis::figures::index::Index;
use crate::check::Budget;
use crate::metric::{Group, Metric, Unit};
use crate::record::{Fitness, FitnessVerdict};
use crate::text::Plain;

/// Holds a run against rules. A rule about the baseline means the same session and cell of
/// `against`, or else the baseline variant of the same run, which is not held against itself.
///
/// # Errors
/// A rule that names what the run does not have, or that is left with nothing to check.
pub fn gate(rules: &[Rule], run: Run<'_>, against: Option<Run<'_>>) -> Result<Gate, RuleError> {
    let runs = Runs {
        run,
        index: Index::new(run.record),
        against: against.map(|against| (against, Index::new(against.record))),
    };
    let mut checks = Vec::new();
    let mut left_out = Vec::new();
    for rule in rules {
        let targets = target::targets(rule, run, against.is_none())?;
        checks.extend(
            targets
                .counted
                .iter()
                .map(|target| checked(rule, target, &runs)),
        );
        left_out.extend(targets.left_out);
    }
    Ok(Gate {
        verdict: verdict::worst(checks.iter().map(|check| check.judgement.verdict)),
        checks,
        left_out,
        remarks: remarks(run, against),
    })
}

fn checked(rule: &Rule, target: &Target<'_>, runs: &Runs<'_>) -> Checked {
    let case = case(rule, target, runs);
    let judgement = judgement(rule.check.metric, target, runs, &case);
    Checked {
        check: rule.text.clone(),
        line: rule.line,
        session: target.session.label.as_str().into(),
        cell: target.cell.map(|cell| cell.key),
        shape_words: target.cell.map_or_else(Plain::default, |cell| {
            runs.run.record.plan.shape_words(cell.key.shape).into()
        }),
        metric: rule.check.metric,
        held: case.held,
        figure: case.figure,
        budget: case.budget,
        judgement,
    }
}

fn case(rule: &Rule, target: &Target<'_>, runs: &Runs<'_>) -> Case {
    match rule.check.budget {
        Budget::Absolute(budget) => Case {
            held: Held::Figure,
            figure: target.figure(rule.check.metric),
            side: rule.check.side,
            budget,
        },
        Budget::TimesBaseline(_) | Budget::Drop(_) => relative::case(&rule.check, target, runs),
    }
}

fn judgement(metric: Metric, target: &Target<'_>, runs: &Runs<'_>, case: &Case) -> Judgement {
    match (target.failure(), unfit(runs)) {
        (Some(reason), _) if case.figure.measured().is_none() => {
            Judgement::without_figure(GateVerdict::Fail, reason)
        }
        (_, Some(fitness)) if is_timing(metric) => {
            Judgement::without_figure(GateVerdict::Inconclusive, why_unfit(fitness))
        }
        _ => judged(metric, target, runs.run.record, case),
    }
}

/// The first of the runs that was on a machine not fit to measure on.
fn unfit<'a>(runs: &Runs<'a>) -> Option<&'a Fitness> {
    let other = runs.against.as_ref().map(|(against, _)| *against);
    iter::once(runs.run)
        .chain(other)
        .flat_map(|run| &run.record.fitness)
        .find(|fitness| fitness.verdict == FitnessVerdict::Invalid)
}

/// Whether a metric depends on how fast the machine was.
fn is_timing(metric: Metric) -> bool {
    matches!(metric.unit(), Unit::Ns | Unit::PerSec) || metric.group() == Group::ToBaseline
}

fn why_unfit(fitness: &Fitness) -> String {
    let seen = fitness
        .reasons
        .iter()
        .find(|reason| reason.severity == FitnessVerdict::Invalid)
        .map(|reason| format!(": {}", reason.seen.exact()))
        .unwrap_or_default();
    format!(
        "the machine was not fit to measure on ({}){seen}",
        FitnessVerdict::Invalid.word()
    )
}

fn remarks(run: Run<'_>, against: Option<Run<'_>>) -> Vec<Plain> {
    let unlike =
        against.and_then(|against| relative::other_machine(&run.record.host, &against.record.host));
    let of_other = against.map(|against| remarks_of("the baseline run", against));
    unlike
        .map(Plain::from)
        .into_iter()
        .chain(remarks_of("the run", run))
        .chain(of_other.into_iter().flatten())
        .collect()
}

fn remarks_of(name: &str, run: Run<'_>) -> Vec<Plain> {
    let fitness = run
        .record
        .fitness
        .as_ref()
        .filter(|fitness| fitness.verdict != FitnessVerdict::Valid)
        .map(|fitness| remark_of(name, fitness));
    let ending = (!run.findings.ending.complete).then(|| format!("{name} is incomplete").into());
    fitness.into_iter().chain(ending).collect()
}

fn remark_of(name: &str, fitness: &Fitness) -> Plain {
    let seen = Plain::joined(fitness.reasons.iter().map(|reason| &reason.seen), "; ");
    format!("{name} is {}: {}", fitness.verdict.word(), seen.exact()).into()
}
