//! Searching for the best session options: what is measured next, and what is dropped on which
//! evidence.
//!
//! The search is a race in stages. **Grid**: every variant, runtime and execution provider at every
//! number of threads and every batch size. **Options**: the best one so far with one other option
//! changed, again and again until no change helps. **Final**: the best ones and the defaults
//! against each other. In every stage some configurations at a time form a heat: they take turns in
//! short blocks in fresh processes, the best one so far among them.
//!
//! It decides and measures nothing: a [`Search`] answers with the next step from the record alone,
//! so that a search that was killed goes on where it was, and the same record leads to the same
//! step.

mod afford;
mod look;
mod space;
mod stages;

use crate::analysis;
use crate::analysis::tuning::Judge;
use crate::plan::TuningPlan;
use crate::record::{EndReason, Heat, RunRecord, Stage, Tuning};
use crate::runner::{Clock, Guide, Move};
use crate::units::Nanos;

/// Less time than this does not hold one round.
const LEAST: Nanos = Nanos(1_000_000_000);

/// The rest of the budget of a search; `None` where that does not hold a round, or there is no
/// budget.
#[must_use]
pub fn time_left(record: &RunRecord) -> Option<Nanos> {
    Some(record.plan.schedule.budget_ns?.since(record.spent())).filter(|left| *left >= LEAST)
}

/// The guide of a search.
#[derive(Clone, Copy, Debug, Default)]
pub struct Search;

impl Guide for Search {
    fn next(&mut self, record: &RunRecord, clock: Clock) -> Move {
        let tuning = record.tuning.clone().unwrap_or_default();
        if let Some(heat) = tuning.open_heat() {
            return go_on(record, &tuning, heat, clock);
        }
        if clock.is_over {
            return Move::End(EndReason::BudgetSpent);
        }
        if let Some(session) = unscored(record, &tuning) {
            return Move::Score(session);
        }
        judged(record, |judge| stages::next(judge, &tuning, clock))
    }
}

/// The next step of an open heat: a look at it, or one more round.
fn go_on(record: &RunRecord, tuning: &Tuning, heat: &Heat, clock: Clock) -> Move {
    if heat.rounds.is_empty() && clock.is_over {
        return Move::Look {
            decisions: Vec::new(),
            champion: Some(heat.reference),
        };
    }
    let is_due = look::is_due(heat) || is_first_glance(record, tuning, clock);
    let failed = look::failures(record, heat);
    if is_due || clock.is_over || !failed.is_empty() {
        return judged(record, |judge| look::look(judge, heat, failed, clock));
    }
    let alternations = record.plan.schedule.alternations_count;
    Move::Round {
        cells: look::members(record, tuning, heat),
        // Launches tell more than blocks while many are to be told apart; the last ones are also
        // measured for their figures.
        alternations: alternations.unwrap_or(match heat.stage {
            Stage::Grid | Stage::Options => 2,
            Stage::Final => 6,
        }),
    }
}

/// Whether the open heat has the defaults alone because time is short: then it ends with its first
/// round.
fn is_first_glance(record: &RunRecord, tuning: &Tuning, clock: Clock) -> bool {
    let [heat] = &tuning.heats[..] else {
        return false;
    };
    heat.cells == [heat.reference]
        && heat.rounds.len() == 1
        && judged(record, |judge| stages::has_untried(judge, tuning, clock))
}

fn judged<T>(record: &RunRecord, answer: impl FnOnce(&Judge<'_>) -> T) -> T {
    let findings = analysis::findings(record);
    answer(&Judge::new(record, findings.figures()))
}

/// A session that is to be scored before the search goes on: those that it begins with, the
/// baseline's first.
fn unscored(record: &RunRecord, tuning: &Tuning) -> Option<usize> {
    let plan = record.plan.tuning.as_ref()?;
    let baseline = record.plan.baseline_session()?;
    if !is_time_to_score(record, plan, tuning) {
        return None;
    }
    [baseline]
        .into_iter()
        .chain(0..plan.base_sessions_count)
        .find(|&session| stages::is_to_score(record, session))
}

/// Labels decide what is measured at all. Without them outputs are compared between variants alone,
/// once it is known how long an inference takes.
fn is_time_to_score(record: &RunRecord, plan: &TuningPlan, tuning: &Tuning) -> bool {
    let is_labelled = record
        .dataset
        .as_ref()
        .is_some_and(|data| data.has_labels());
    if is_labelled || plan.max_accuracy_drop_ratio.is_some() {
        return tuning.heats.is_empty();
    }
    // Of the defaults alone nothing can be compared.
    let begun = match tuning.heats.first() {
        Some(heat) if heat.cells.len() == 1 => 2,
        _ => 1,
    };
    tuning.heats.len() == begun && record.plan.variants.len() > 1
}
