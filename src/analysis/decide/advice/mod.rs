//! Advice, ranked by the conservative end of the measured gain, and possibilities that were not
//! tried.
//!
//! Nothing is advised that was not measured, or that does not follow from measured figures alone.

mod diagnosed;
mod serving;
mod ship;
mod types;
mod weighed;

pub use types::{Action, Advice, Against, Evidence, Level, NotTried, Priority, Setting, Untried};

use std::cmp::Ordering;

use crate::analysis::decide::conclusions::Answer;
use crate::analysis::decide::facts::Facts;
use crate::analysis::explain::DenormalFindings;
use crate::analysis::figures::Estimate;
use crate::analysis::scaling::IdleFindings;
use crate::metric::Metric;

/// From this gain on, the lower end of its interval makes an advice one of high priority.
pub const HIGH_GAIN: f64 = 1.5;

/// The same for medium priority.
pub const MEDIUM_GAIN: f64 = 1.1;

pub(in crate::analysis) fn advice(
    facts: &Facts<'_>,
    answer: &Answer,
    denormals: &[DenormalFindings],
    idle_gaps: &[IdleFindings],
) -> Vec<Advice> {
    let (latency, throughput) = (answer.latency.pick(), answer.throughput.pick());
    let mut advice = ship::advice(facts, answer);
    advice.extend(throughput.and_then(|pick| serving::batch(facts, pick)));
    advice.extend(latency.and_then(|pick| serving::load_before_traffic(facts, pick)));
    advice.extend(diagnosed::options(facts, denormals));
    advice.extend(diagnosed::keep_warm(facts, idle_gaps));
    for advice in &mut advice {
        advice.priority = priority(advice);
    }
    advice.sort_by(order);
    advice
}

fn order(one: &Advice, other: &Advice) -> Ordering {
    Tier::of(one)
        .cmp(&Tier::of(other))
        .then(conservative(&other.gain).total_cmp(&conservative(&one.gain)))
}

/// Who gains; advice of one tier is not weighed against that of another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tier {
    EveryPrediction,
    SomePredictions,
    Resources,
}

impl Tier {
    fn of(advice: &Advice) -> Self {
        match (&advice.action, advice.metric) {
            (Action::KeepWarm { .. } | Action::LoadBeforeTraffic { .. }, _) => {
                Tier::SomePredictions
            }
            (_, Metric::FileSize | Metric::CpuUtilization) => Tier::Resources,
            _ => Tier::EveryPrediction,
        }
    }
}

/// Without an interval nothing is promised.
fn conservative(gain: &Estimate) -> f64 {
    gain.interval().map_or(1.0, |interval| interval.low)
}

fn priority(advice: &Advice) -> Priority {
    match (Tier::of(advice), conservative(&advice.gain)) {
        (Tier::EveryPrediction, gain) if gain >= HIGH_GAIN => Priority::High,
        (Tier::EveryPrediction, gain) if gain >= MEDIUM_GAIN => Priority::Medium,
        (Tier::SomePredictions, gain) if gain >= HIGH_GAIN => Priority::Medium,
        _ => Priority::Low,
    }
}
