//! Rules held against a run.

use std::collections::BTreeSet;
use std::iter;

use super::held::{Case, Pairing, Target, is_of_outputs, is_timing, judged};
use super::types::Runs;
use super::{
    Checked, Gate, GateVerdict, Held, Judgement, Rule, RuleError, Run, Terms, Unfit, relative,
    shipped, target, verdict,
};
use crate::check::Budget;
use crate::metric::{Group, Level};
use crate::plan::CellKey;
use crate::record::{Fitness, FitnessVerdict};
use crate::text::Plain;

/// Factor of intervals that decide before the end of a run. Of a normal estimate, 1.58 x 1.96
/// standard errors leave 0.2% out, as much as each of three looks may spend ([`crate::stats::look`]).
pub const LOOKS_WIDENED: f64 = 1.58;

/// Holds a run against rules, on the terms that tell what a rule about the baseline means.
///
/// # Errors
/// A rule that names what the run does not have, or that is left with nothing to check.
pub fn gate(rules: &[Rule], run: Run<'_>, terms: Terms<'_>) -> Result<Gate, RuleError> {
    let runs = Runs::new(run, terms);
    let mut checks = Vec::new();
    let mut left_out = Vec::new();
    for rule in rules {
        let targets = target::targets(rule, run, terms.against)?;
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
        remarks: remarks(run, terms.against.run()),
    })
}

/// Cells about which a rule is not decided while a run goes on that is looked at several times:
/// intervals that are wider by [`LOOKS_WIDENED`] do not decide it. All cells of a session about
/// which one is not; rules about outputs are not among them, which are scored apart from launches,
/// nor are those about figures under load, which rounds without it do not measure.
///
/// # Errors
/// As [`gate`].
pub fn undecided(
    rules: &[Rule],
    run: Run<'_>,
    terms: Terms<'_>,
) -> Result<BTreeSet<CellKey>, RuleError> {
    let runs = Runs::new(run, terms);
    let mut open = BTreeSet::new();
    for rule in rules
        .iter()
        .filter(|rule| !is_of_outputs(rule.check.metric))
        .filter(|rule| rule.check.metric.level() != Level::Load)
    {
        let targets = target::targets(rule, run, terms.against)?.counted;
        for target in targets.iter().filter(|target| is_open(rule, target, &runs)) {
            let session = target.session.session;
            let cells = run.record.plan.cells();
            match target.cell {
                Some(cell) => open.extend([cell.key]),
                None => open.extend(cells.filter(|key| key.session == session)),
            }
        }
    }
    Ok(open)
}

fn is_open(rule: &Rule, target: &Target<'_>, runs: &Runs<'_>) -> bool {
    let case = case(rule, target, runs);
    let widened = Case {
        figure: case.figure.widened(LOOKS_WIDENED),
        ..case
    };
    judgement(rule, target, runs, &widened).verdict == GateVerdict::Inconclusive
}

fn checked(rule: &Rule, target: &Target<'_>, runs: &Runs<'_>) -> Checked {
    let case = case(rule, target, runs);
    let judgement = judgement(rule, target, runs, &case);
    Checked {
        check: rule.text.clone(),
        line: rule.line,
        session: target.session.label.as_str().into(),
        cell: target.cell.map(|cell| cell.key),
        load: target.load.map(|load| load.place()),
        place_words: place_words(target, runs),
        metric: rule.check.metric,
        held: case.held,
        figure: case.figure,
        budget: case.budget,
        judgement,
    }
}

fn place_words(target: &Target<'_>, runs: &Runs<'_>) -> Plain {
    match (target.cell, target.load) {
        (Some(cell), _) => target::place_words(&runs.record().plan, cell.key),
        (None, Some(load)) => load.words(runs.record()),
        (None, None) => Plain::default(),
    }
}

fn case(rule: &Rule, target: &Target<'_>, runs: &Runs<'_>) -> Case {
    let metric = rule.check.metric;
    match rule.check.budget {
        Budget::Absolute(budget) => Case {
            held: Held::Figure,
            figure: target.figure(metric),
            side: rule.check.side,
            budget,
            pairing: match metric.group() == Group::ToBaseline {
                true => relative::of_figure(target, runs),
                false => Pairing::Apart,
            },
        },
        Budget::TimesBaseline(_) | Budget::Drop(_) => relative::case(&rule.check, target, runs),
        Budget::Judgement => shipped::case(target, runs),
    }
}

fn judgement(rule: &Rule, target: &Target<'_>, runs: &Runs<'_>, case: &Case) -> Judgement {
    let metric = rule.check.metric;
    if rule.check.budget == Budget::Judgement {
        return shipped::judgement(target, runs);
    }
    match (target.failure(), unfit(runs)) {
        (Some(reason), _) if case.figure.measured().is_none() => {
            Judgement::without_figure(GateVerdict::Fail, reason)
        }
        (_, Some(fitness)) if is_timing(metric) && case.pairing == Pairing::Apart => {
            Judgement::without_figure(GateVerdict::Inconclusive, why_unfit(fitness))
        }
        _ => judged(metric, target, runs.record(), case),
    }
}

/// The first of the runs that was on a machine not fit to measure on, if that counts.
fn unfit<'a>(runs: &Runs<'a>) -> Option<&'a Fitness> {
    if runs.terms.unfit == Unfit::Counts {
        return None;
    }
    iter::once(runs.run.run)
        .chain(runs.terms.against.run())
        .flat_map(|run| &run.record.fitness)
        .find(|fitness| fitness.verdict == FitnessVerdict::Invalid)
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
