//! How the run ended, and how much of it was measured.

use std::collections::BTreeSet;

use crate::analysis::CellFindings;
use crate::metric::Metric;
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
            let [_, target] = asked(&record.plan);
            let known = known(source);
            format!("Complete: {known} known to {target} (as asked for){after} and {rounds}.")
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
        Some(EndReason::RulesDecided) => {
            format!("Complete: every rule of the gate was decided{after} and {rounds}.")
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
        Some(EndReason::LoadAnswered) => {
            format!("Complete: what was asked is answered{after}.")
        }
        Some(EndReason::SloBroken) => {
            format!("Ended{after}: single requests without load break the SLO already.")
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

/// `every ratio to the baseline is`, or `5 of 6 ratios to the baseline are`: those whose half-width
/// is as asked for.
fn known(source: Source<'_>) -> String {
    let plan = &source.record.plan;
    let half_widths: Vec<Option<f64>> = source
        .cells()
        .filter(|cell| cell.outcome.is_ok())
        .filter_map(|cell| half_width(plan, cell))
        .collect();
    let target = plan.schedule.target_half_width_ratio.0;
    let all = half_widths.len();
    let reached = half_widths.into_iter().flatten();
    let reached = reached.filter(|&half_width| half_width <= target).count();
    if reached == all {
        format!("{} is", asked(plan)[0])
    } else if is_of_ratios(plan) {
        format!("{reached} of {all} ratios to the baseline are")
    } else {
        format!("{reached} of {all} median latencies are")
    }
}

/// That of the figure that was asked for; `None` where it is not of this cell.
fn half_width(plan: &Plan, cell: &CellFindings) -> Option<Option<f64>> {
    if is_of_ratios(plan) {
        return Some(cell.comparison.as_ref()?.p50.half_width_ratio());
    }
    let median = cell.figure(Metric::LatencyP50)?.measured()?;
    Some(median.half_width_ratio())
}

fn is_of_ratios(plan: &Plan) -> bool {
    plan.sessions.len() > 1 && plan.baseline_session().is_some()
}

/// The figures that were asked for, and how well they were to be known.
fn asked(plan: &Plan) -> [String; 2] {
    let what = if is_of_ratios(plan) {
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
