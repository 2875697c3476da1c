//! Requests that were rejected or failed.

use super::over_rounds::ratio;
use super::pool::Read;
use super::slo;
use crate::analysis::figures::{Counted, Estimate, Interval, Measured};
use crate::plan::LoadPlan;
use crate::stats::Proportion;

/// Rejected and failed requests over all, with an interval that holds both that over rounds and
/// Wilson's of as many requests: rounds without an error do not show that there are none.
pub(super) fn rate(rounds: &[Vec<&Read<'_>>]) -> Estimate {
    let all = rounds.iter().flatten().map(|read| read.counts);
    let errors: u64 = all.clone().map(|counts| counts.errors()).sum();
    let offered: u64 = all.map(|counts| counts.offered).sum();
    let Some(proportion) = Proportion::new(errors, offered) else {
        return Estimate::absent("no request came");
    };
    let over_rounds = ratio(
        rounds,
        |read| read.counts.errors() as f64,
        |read| read.counts.offered as f64,
    );
    let of_requests = Measured {
        interval: Some(proportion.interval()),
        ..Measured::exact(proportion.share(), offered, Counted::Requests)
    };
    match (errors, over_rounds) {
        (0, _) => Estimate::Measured(of_requests),
        (_, Estimate::Measured(measured)) => Estimate::Measured(Measured {
            interval: measured
                .interval
                .map(|interval| hull(interval, proportion.interval())),
            ..measured
        }),
        (_, absent @ Estimate::Absent { .. }) => absent,
    }
}

/// Share of errors beyond which it counts as broken where the SLO allows no other.
const MOST_ERRORS: f64 = 0.01;

/// The most errors that are not a failure.
pub(super) fn error_limit(plan: &LoadPlan) -> f64 {
    slo::most_errors(&plan.slo).unwrap_or(MOST_ERRORS)
}

fn hull(one: Interval, other: Interval) -> Interval {
    Interval {
        low: one.low.min(other.low),
        high: one.high.max(other.high),
    }
}
