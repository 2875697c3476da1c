//! Rules held against a run.

use super::relative;
use super::rules::{Rule, RuleError};
use super::target::{self, Target};
use super::types::{Case, Checked, Gate, Held, Run, Runs};
use super::verdict::{self, Basis, GateVerdict, Judgement, Settling};
use crate::analysis::comparison::RunIndex;
use crate::analysis::figures::source::quantile;
use crate::analysis::figures::{Counted, Estimate, Figures};
use crate::check::{Budget, Side, Slo};
use crate::metric::{Group, Level, Metric, Unit};
use crate::plan::CellKey;
use crate::record::{Fitness, FitnessVerdict, RunRecord};
use crate::stats::early_stopping::{self, Under};
use crate::stats::{Buckets, Quantile};
use crate::text::Plain;
use crate::units::Nanos;

/// Confidence of the claim that a percentile is under its budget: MLPerf's.
const EARLY_STOPPING_CONFIDENCE: f64 = 0.99;

/// Holds a run against rules. A rule about the baseline means the same session and cell of `against`, or else the
/// baseline variant of the same run, which is not held against itself.
///
/// # Errors
/// A rule that names what the run does not have, or that is left with nothing to check.
pub fn gate(rules: &[Rule], run: Run<'_>, against: Option<Run<'_>>) -> Result<Gate, RuleError> {
    let runs = Runs {
        run,
        index: RunIndex::new(run.record),
        against: against.map(|against| (against, RunIndex::new(against.record))),
    };
    let mut checks = Vec::new();
    let mut left_out = Vec::new();
    for rule in rules {
        let targets = target::targets(rule, run, against.is_none())?;
        checks.extend(targets.counted.iter().map(|target| checked(rule, target, &runs)));
        left_out.extend(targets.left_out);
    }
    let verdict = verdict::worst(checks.iter().map(|check| check.judgement.verdict));
    Ok(Gate { verdict, checks, left_out, remarks: remarks(run, against) })
}

fn checked(rule: &Rule, target: &Target<'_>, runs: &Runs<'_>) -> Checked {
    let case = match rule.check.budget {
        Budget::Absolute(budget) => {
            Case { held: Held::Figure, figure: target.figure(rule.check.metric), side: rule.check.side, budget }
        }
        Budget::TimesBaseline(_) | Budget::Drop(_) => relative::case(&rule.check, target, runs),
    };
    let against = runs.against.as_ref().map(|(against, _)| *against);
    let records = [Some(runs.run), against].into_iter().flatten().map(|run| run.record);
    let unfit = records.filter_map(|record| record.fitness.as_ref()).find(|fitness| is_invalid(fitness));
    let judgement = match (target.failure(), unfit) {
        (Some(reason), _) if case.figure.measured().is_none() => Judgement::without_figure(GateVerdict::Fail, reason),
        (_, Some(fitness)) if is_timing(rule.check.metric) => {
            Judgement::without_figure(GateVerdict::Inconclusive, why_unfit(fitness))
        }
        _ => judged(rule.check.metric, target, runs.run.record, &case),
    };
    Checked {
        check: rule.text.clone(),
        line: rule.line,
        session: target.session.label.as_str().into(),
        cell: target.cell.map(|cell| cell.key),
        shape_words: target
            .cell
            .map_or_else(Plain::default, |cell| runs.run.record.plan.shape_words(cell.key.shape).into()),
        metric: rule.check.metric,
        held: case.held,
        figure: case.figure,
        budget: case.budget,
        judgement,
    }
}

/// What an SLO says of one cell, or of its session where the metric is one of sessions: the figure and the judgement;
/// `None` for a cell that the run does not have.
#[must_use]
pub fn held_at(slo: &Slo, record: &RunRecord, figures: Figures<'_>, key: CellKey) -> Option<(Estimate, Judgement)> {
    let session = figures.sessions.get(key.session)?;
    let cell = figures.cells.at(key)?;
    let cell = (slo.metric.level() == Level::Cell).then_some(cell);
    let target = Target { session, cell, variant: record.plan.variant_of(key.session).name.clone() };
    let case = Case { held: Held::Figure, figure: target.figure(slo.metric), side: slo.side, budget: slo.limit };
    let judgement = judged(slo.metric, &target, record, &case);
    Some((case.figure, judgement))
}

fn judged(metric: Metric, target: &Target<'_>, record: &RunRecord, case: &Case) -> Judgement {
    let latencies = || Buckets::decode(record.cell(target.cell?.key)?.latency_histogram.as_ref()?).ok();
    match (quantile(metric), case.held, case.side) {
        (Some(quantile), Held::Figure, Side::AtMost) => match latencies() {
            Some(latencies) => percentile(quantile, &latencies, case),
            None => verdict::judge(&case.figure, case.side, case.budget),
        },
        _ => verdict::judge(&case.figure, case.side, case.budget),
    }
}

/// A percentile under its budget by the early-stopping rule, which also speaks where the sample is too small for an
/// interval; above it where the whole interval is. That rule takes inferences as independent, and the interval counts them
/// for what they are worth: where there is one, it must agree.
fn percentile(quantile: Quantile, latencies: &Buckets, case: &Case) -> Judgement {
    // A latency is above a budget of fractions of a nanosecond exactly where it is above the whole nanoseconds of it.
    let overruns_count = latencies.count_above(Nanos(case.budget as u64));
    let under = early_stopping::is_under(quantile, latencies.count(), overruns_count, EARLY_STOPPING_CONFIDENCE);
    let above = case.figure.interval().is_some_and(|interval| interval.low > case.budget);
    let basis = Basis::EarlyStopping { overruns_count };
    let decided = |verdict| Judgement { verdict, basis, reason: None, settling: None };
    let below = case.figure.interval().is_none_or(|interval| interval.high <= case.budget);
    match under {
        Under::Proven if below => decided(GateVerdict::Pass),
        Under::Proven => verdict::judge(&case.figure, case.side, case.budget),
        Under::Refuted | Under::Open { .. } if above => {
            Judgement { basis: Basis::Interval, ..decided(GateVerdict::Fail) }
        }
        Under::Refuted if case.figure.interval().is_none() => decided(GateVerdict::Fail),
        Under::Refuted => decided(GateVerdict::Inconclusive),
        Under::Open { more_inferences } => {
            let settling = Some(Settling { more: more_inferences, of: Counted::Inferences });
            Judgement { settling, ..decided(GateVerdict::Inconclusive) }
        }
    }
}

/// Whether a metric depends on how fast the machine was.
fn is_timing(metric: Metric) -> bool {
    matches!(metric.unit(), Unit::Ns | Unit::PerSec) || metric.group() == Group::ToBaseline
}

fn is_invalid(fitness: &Fitness) -> bool {
    fitness.verdict == FitnessVerdict::Invalid
}

fn why_unfit(fitness: &Fitness) -> String {
    let worst = fitness.reasons.iter().find(|reason| reason.severity == FitnessVerdict::Invalid);
    let seen = worst.map(|reason| format!(": {}", reason.seen.exact())).unwrap_or_default();
    format!("the machine was not fit to measure on ({}){seen}", FitnessVerdict::Invalid.word())
}

/// What bears on all verdicts: another machine, or one that was not fit.
fn remarks(run: Run<'_>, against: Option<Run<'_>>) -> Vec<Plain> {
    let mut remarks = Vec::new();
    if let Some(against) = against {
        remarks.extend(relative::other_machine(&run.record.host, &against.record.host).map(Plain::from));
    }
    let named = [("the run", Some(run)), ("the baseline run", against)];
    for (name, run) in named.into_iter().filter_map(|(name, run)| Some((name, run?))) {
        if let Some(fitness) = run.record.fitness.as_ref().filter(|fitness| fitness.verdict != FitnessVerdict::Valid) {
            let seen: Vec<&str> = fitness.reasons.iter().map(|reason| reason.seen.exact()).collect();
            remarks.push(format!("{name} is {}: {}", fitness.verdict.word(), seen.join("; ")).into());
        }
        if !run.findings.ending.complete {
            remarks.push(format!("{name} is incomplete").into());
        }
    }
    remarks
}
