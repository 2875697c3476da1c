//! The split of what a sweep chose.

use super::{Between, GainSplit, Ratios, StepBasis, StepRatio};
use crate::analysis::decide::facts::Facts;
use crate::analysis::decide::judgement::RunJudgement;
use crate::analysis::{Answer, CellFindings, Choice, Decision, Estimate, ratio_of_cells};
use crate::metric::{Direction, Metric};
use crate::plan::{CellKey, Objective};

/// Of the choice for what was asked for, else of the other one, over single predictions of the
/// baseline; `None` where fewer than two causes differ, and where neither is shown to be better.
pub(in crate::analysis) fn of_sweep(
    facts: &Facts<'_>,
    answer: &Answer,
    judgement: &RunJudgement,
) -> Option<GainSplit> {
    if judgement.decision == Decision::NoAnswer {
        return None;
    }
    let single = facts.single().into_iter();
    let today = single
        .map(|cell| cell.key)
        .find(|key| facts.is_baseline(key.session))?;
    let latency = (Metric::LatencyP50, &answer.latency);
    let throughput = (Metric::Throughput, &answer.throughput);
    let choices = match judgement.objective {
        Objective::Throughput => [throughput, latency],
        Objective::Latency | Objective::Memory | Objective::Energy => [latency, throughput],
    };
    choices
        .into_iter()
        .find_map(|(metric, choice)| of_choice(facts, today, metric, choice))
}

fn of_choice(
    facts: &Facts<'_>,
    today: CellKey,
    metric: Metric,
    choice: &Choice,
) -> Option<GainSplit> {
    let between = Between {
        metric,
        from: today,
        to: choice.pick()?.key,
    };
    let split = between.split(&facts.index.record.plan.sessions, &Cells { facts, metric })?;
    let is_more = split.factor.interval().is_some_and(|ends| ends.low > 1.0);
    is_more.then_some(split)
}

/// Ratios between the cells of a sweep.
struct Cells<'a> {
    facts: &'a Facts<'a>,
    metric: Metric,
}

impl Cells<'_> {
    fn measured(&self, key: CellKey) -> Option<&CellFindings> {
        self.facts.cell(key).filter(|cell| cell.outcome.is_ok())
    }

    /// From blocks that took turns: those of the baseline with the others at one place.
    fn in_turns(&self, from: CellKey, after: &CellFindings) -> Option<Estimate> {
        let comparison = after
            .comparison
            .as_ref()
            .filter(|found| found.baseline == from)?;
        let change = if self.metric == Metric::Throughput {
            &comparison.throughput
        } else {
            &comparison.p50
        };
        Some(change.ratio.clone())
    }

    /// How many times as good, of a ratio of the metric.
    fn factor(&self, ratio: Estimate) -> Estimate {
        match self.metric.direction() {
            Direction::Higher => ratio,
            Direction::Lower | Direction::Neutral => ratio.reciprocal(),
        }
    }
}

impl Ratios for Cells<'_> {
    fn ratio(&self, from: CellKey, to: CellKey) -> Option<StepRatio> {
        let (before, after) = (self.measured(from)?, self.measured(to)?);
        let (ratio, basis) = match self.in_turns(from, after) {
            Some(ratio) => (ratio, StepBasis::InTurns),
            None => (
                Estimate::Measured(ratio_of_cells(self.metric, before, after)?),
                StepBasis::NotInTurns,
            ),
        };
        Some(StepRatio {
            factor: self.factor(ratio),
            basis,
        })
    }

    fn is_measured(&self, key: CellKey) -> bool {
        self.measured(key).is_some()
    }
}
