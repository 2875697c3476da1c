//! What the launches beside the rounds may take: those that explain figures, and do not measure them.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::plan::{BESIDE_SHARE, Plan};
use crate::runner::beside::contrast;
use crate::runner::beside::idle;
use crate::runner::beside::peaks;
use crate::runner::beside::profile;

/// The most time that launches of their own take, by what they find out. Figures without a budget are what they usually
/// take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Diagnosing {
    /// Profiles of operators, before and after the rounds.
    pub profiles: Duration,
    /// Sessions with denormal numbers flushed to zero, against themselves.
    pub denormals: Duration,
    /// The machine's peaks; nothing of it where an earlier run has left them in the cache.
    pub peaks: Duration,
    /// Latencies after idle gaps.
    pub idle_gaps: Duration,
}

impl Diagnosing {
    /// The expectation of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let real = plan.sessions.iter().filter(|spec| !spec.is_scripted());
        let on_cpu = || real.clone().filter(|spec| !spec.is_accelerated());
        let libraries: BTreeSet<_> = on_cpu().map(|spec| (spec.runtime.path(), spec.options.intra_threads)).collect();
        let taken = |share: f64, each: Duration, count: usize| match plan.schedule.budget_ns {
            _ if count == 0 => Duration::ZERO,
            Some(budget) => Duration::from(budget).mul_f64(share),
            None => each.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX)),
        };
        let sessions = real.clone().count();
        let passes = if plan.batch_sizes.len() > 1 { 2 } else { 1 };
        let idle_sessions = if plan.idle_gaps_ns.is_empty() { 0 } else { sessions };
        let mut left =
            plan.schedule.budget_ns.map_or(Duration::MAX, |budget| Duration::from(budget).mul_f64(BESIDE_SHARE));
        let mut bounded = |time: Duration| {
            let time = time.min(left);
            left = left.saturating_sub(time);
            time
        };
        // In the order in which they come.
        let profiles = bounded(taken(profile::BUDGET_SHARE, profile::MAX_LENGTH, sessions) * passes);
        let idle_gaps = bounded(taken(idle::BUDGET_SHARE, idle::WITHOUT_BUDGET, idle_sessions));
        let denormals = bounded(taken(contrast::BUDGET_SHARE, contrast::SHORTEST_PAIR, on_cpu().count()));
        let peaks = bounded(taken(peaks::BUDGET_SHARE, peaks::LEAST, libraries.len()));
        Diagnosing { profiles, denormals, peaks, idle_gaps }
    }

    /// All of them together.
    #[must_use]
    pub fn total(self) -> Duration {
        self.profiles + self.denormals + self.peaks + self.idle_gaps
    }
}
