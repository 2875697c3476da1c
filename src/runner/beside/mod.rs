//! Findings beside the rounds: the worth of outputs, and explanations of the figures.
//!
//! It comes after the rounds and has a share of the budget of its own, so that neither takes the
//! other's time. Nothing is begun that is known not to end within it.

pub(in crate::runner) mod contrast;
pub(in crate::runner) mod coupling;
pub(in crate::runner) mod idle;
pub(in crate::runner) mod peaks;
pub(in crate::runner) mod profile;
mod rates;
pub(in crate::runner) mod score;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::plan::{BESIDE_SHARE, Plan};
use crate::runner::{Extent, Run, RunError};

pub(in crate::runner) async fn all(run: &mut Run<'_>) -> Result<(), RunError> {
    let share = share(run).min(run.remaining());
    run.time.beside_end = run.budget().map(|_| Instant::now() + share);
    score::all(run).await?;
    coupling::all(run).await?;
    profile::all(run).await?;
    idle::all(run).await?;
    contrast::all(run).await?;
    peaks::all(run).await
}

/// Time for everything beside the rounds but the profiles that come last.
pub(in crate::runner) fn share(run: &Run<'_>) -> Duration {
    of_budget(run, BESIDE_SHARE).saturating_sub(rest_share(run))
}

pub(in crate::runner) fn rest_share(run: &Run<'_>) -> Duration {
    of_budget(run, profile::BUDGET_SHARE)
}

/// Time for so many launches: a share of the budget, or `each` without one; nothing for none.
fn taken(plan: &Plan, share: f64, each: Duration, count: usize) -> Duration {
    match plan.schedule.budget_ns {
        _ if count == 0 => Duration::ZERO,
        Some(budget) => Duration::from(budget).mul_f64(share),
        None => each.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX)),
    }
}

/// A share of the budget; nothing without one, and nothing where every latency comes from a script.
fn of_budget(run: &Run<'_>, share: f64) -> Duration {
    let is_any_real = run.plan().sessions.iter().any(|spec| !spec.is_scripted());
    let budget = run
        .budget()
        .filter(|_| is_any_real && run.extent == Extent::Whole);
    budget
        .map(|budget| budget.mul_f64(share))
        .unwrap_or_default()
}

/// The most time that launches of their own take, by what they find out. Figures without a budget
/// are what they usually take.
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
        let libraries: BTreeSet<_> = on_cpu()
            .map(|spec| (spec.runtime.path(), spec.options.intra_threads))
            .collect();
        let sessions = real.clone().count();
        let passes = if plan.batch_sizes.len() > 1 { 2 } else { 1 };
        let idle_sessions = if plan.idle_gaps_ns.is_empty() {
            0
        } else {
            sessions
        };
        let mut left = plan.schedule.budget_ns.map_or(Duration::MAX, |budget| {
            Duration::from(budget).mul_f64(BESIDE_SHARE)
        });
        let mut bounded = |time: Duration| {
            let time = time.min(left);
            left = left.saturating_sub(time);
            time
        };
        // In the order in which they come.
        let profiles =
            bounded(taken(plan, profile::BUDGET_SHARE, profile::MAX_LENGTH, sessions) * passes);
        let idle_gaps = bounded(taken(
            plan,
            idle::BUDGET_SHARE,
            idle::WITHOUT_BUDGET,
            idle_sessions,
        ));
        let denormals = bounded(taken(
            plan,
            contrast::BUDGET_SHARE,
            contrast::SHORTEST_PAIR,
            on_cpu().count(),
        ));
        let peaks = bounded(taken(
            plan,
            peaks::BUDGET_SHARE,
            peaks::LEAST,
            libraries.len(),
        ));
        Diagnosing {
            profiles,
            denormals,
            peaks,
            idle_gaps,
        }
    }

    /// All of them together.
    #[must_use]
    pub fn total(self) -> Duration {
        self.profiles + self.denormals + self.peaks + self.idle_gaps
    }
}
