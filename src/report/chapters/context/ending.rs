//! How the run ended, and how much of it was measured.

use std::collections::BTreeSet;

use crate::plan::Plan;
use crate::record::{EndReason, RunRecord};
use crate::report::words::number::time;
use crate::report::words::{self, Source, number};

/// A budget of which at least this share has gone is spent; the reports take the rest.
const SPENT_SHARE: f64 = 0.95;

pub(in crate::report) fn ending(source: Source<'_>) -> String {
    let record = source.record;
    let rounds = rounds(record);
    let after = record
        .run
        .elapsed_ns
        .map(|elapsed| format!(" after {}", time(elapsed)))
        .unwrap_or_default();
    match record.run.ended_by {
        Some(EndReason::TargetReached) => {
            let [asked, target] = asked(&record.plan);
            format!("Complete: {asked} is known to {target} (as asked for){after} and {rounds}.")
        }
        Some(EndReason::BudgetSpent) if source.findings.tuning.is_some() => {
            format!("Complete: {}{after} and {rounds}.", spent(record))
        }
        Some(EndReason::BudgetSpent) => {
            let [asked, target] = asked(&record.plan);
            format!(
                "Complete: {}{after} and {rounds}; asked for was {asked} to {target}.",
                spent(record)
            )
        }
        Some(EndReason::SearchDone) => {
            format!("Complete: the search had nothing left to try{after}.")
        }
        Some(EndReason::RoundsDone) => {
            format!("Complete: all {rounds} asked for were done{after}.")
        }
        Some(EndReason::Interrupted) => format!("INCOMPLETE: interrupted{after} and {rounds}."),
        Some(EndReason::NothingLeft) => {
            format!("Ended{after}: no session could be measured any further.")
        }
        None => format!(
            "INCOMPLETE: the run did not come to its end; {rounds} had been measured, at least in part."
        ),
    }
}

/// `3 rounds`: those of which anything was measured.
fn rounds(record: &RunRecord) -> String {
    let rounds: BTreeSet<_> = record.blocks.iter().map(|block| block.round).collect();
    words::number_of(rounds.len() as u64, "round")
}

/// The budget, and whether it was spent.
fn spent(record: &RunRecord) -> String {
    let Some(budget) = record.plan.schedule.budget_ns else {
        return "the budget was spent".into();
    };
    match record.run.elapsed_ns {
        Some(elapsed) if elapsed.as_f64() < SPENT_SHARE * budget.as_f64() => {
            format!("measuring ended within the budget of {}", time(budget))
        }
        _ => format!("the budget of {} was spent", time(budget)),
    }
}

/// The figures that were asked for, and how well they were to be known.
fn asked(plan: &Plan) -> [String; 2] {
    let what = if plan.sessions.len() > 1 && plan.baseline_session().is_some() {
        "every ratio to the baseline"
    } else {
        "every median latency"
    };
    [
        what.into(),
        format!(
            "± {}",
            number::share(plan.schedule.target_half_width_ratio.0)
        ),
    ]
}
