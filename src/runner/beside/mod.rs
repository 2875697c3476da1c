//! Findings beside the rounds: the worth of outputs, and explanations of the figures.
//!
//! It comes after the rounds and has a share of the budget of its own, so that neither takes the
//! other's time. Nothing is begun that is known not to end within it.

mod contrast;
mod coupling;
pub(super) mod idle;
mod peaks;
pub(super) mod profile;
mod rates;
pub(super) mod score;
mod weights;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::plan::{BESIDE_SHARE, Plan};
use crate::runner::time::times;
use crate::runner::{Extent, Result, Run};

pub(super) async fn all(run: &mut Run<'_>) -> Result<()> {
    scores(run).await?;
    coupling::all(run).await?;
    profile::all(run).await?;
    idle::all(run).await?;
    contrast::all(run).await?;
    peaks::all(run).await
}

/// The worth of outputs alone.
pub(super) async fn scores(run: &mut Run<'_>) -> Result<()> {
    let share = share(run).min(run.remaining());
    run.time.beside_end = run.budget().map(|_| Instant::now() + share);
    score::all(run).await
}

/// Time for everything beside the rounds but the profiles that come last.
pub(super) fn share(run: &Run<'_>) -> Duration {
    budget_share(run, BESIDE_SHARE).saturating_sub(rest_share(run))
}

pub(super) fn rest_share(run: &Run<'_>) -> Duration {
    match run.extent {
        Extent::Whole => budget_share(run, profile::BUDGET_SHARE),
        Extent::Rounds | Extent::Scored | Extent::Probe(_) => Duration::ZERO,
    }
}

/// A share of the budget; nothing without one, and nothing where every latency comes from a
/// script.
fn budget_share(run: &Run<'_>, share: f64) -> Duration {
    let is_any_real = run.real_sessions().next().is_some();
    match run.budget() {
        Some(budget) if is_any_real && is_scored(run.extent) => budget.mul_f64(share),
        _ => Duration::ZERO,
    }
}

fn is_scored(extent: Extent) -> bool {
    match extent {
        Extent::Whole | Extent::Scored => true,
        Extent::Rounds | Extent::Probe(_) => false,
    }
}

/// Time left beside the rounds, as launches take it one kind after the other.
struct Left {
    budget: Option<Duration>,
    left: Duration,
}

impl Left {
    /// Time for so many launches: a share of the budget, or `each` without one; nothing for none.
    fn for_launches(&self, share: f64, each: Duration, count: usize) -> Duration {
        match self.budget {
            _ if count == 0 => Duration::ZERO,
            Some(budget) => budget.mul_f64(share),
            None => each.saturating_mul(times(count)),
        }
    }

    fn take(&mut self, time: Duration) -> Duration {
        let time = time.min(self.left);
        self.left = self.left.saturating_sub(time);
        time
    }
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
        let real = plan
            .sessions
            .iter()
            .filter(|spec| !spec.is_scripted() && !spec.is_remote());
        let on_cpu = || real.clone().filter(|spec| !spec.is_accelerated());
        let libraries: BTreeSet<_> = on_cpu()
            .map(|spec| (spec.runtime.path(), spec.options.intra_threads))
            .collect();
        let sessions = real.clone().count();
        let passes = if plan.batch_sizes.len() > 1 { 2 } else { 1 };
        let has_gaps = !plan.idle_gaps_ns.is_empty();
        let budget = plan.schedule.budget_ns.map(Duration::from);
        let mut left = Left {
            budget,
            left: budget.map_or(Duration::MAX, |budget| budget.mul_f64(BESIDE_SHARE)),
        };
        let profiles = left.for_launches(profile::BUDGET_SHARE, profile::MAX_LENGTH, sessions);
        let idle_sessions = if has_gaps { sessions } else { 0 };
        let gaps = left.for_launches(idle::BUDGET_SHARE, idle::WITHOUT_BUDGET, idle_sessions);
        let denormals = left.for_launches(
            contrast::BUDGET_SHARE,
            contrast::SHORTEST_PAIR,
            on_cpu().count(),
        );
        let peaks = left.for_launches(peaks::BUDGET_SHARE, peaks::LEAST, libraries.len());
        // In the order in which they come.
        Diagnosing {
            profiles: left.take(profiles * passes),
            idle_gaps: left.take(gaps),
            denormals: left.take(denormals),
            peaks: left.take(peaks),
        }
    }

    /// All of them together.
    #[must_use]
    pub fn total(self) -> Duration {
        self.profiles + self.denormals + self.peaks + self.idle_gaps
    }
}
