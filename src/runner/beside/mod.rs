//! What is found out beside the rounds: what outputs are worth, and what explains the figures.
//!
//! It comes after the rounds and has a share of the budget of its own, so that neither takes the other's time.
//! Nothing is begun that is known not to end within it.

pub(in crate::runner) mod budget;
pub(in crate::runner) mod contrast;
pub(in crate::runner) mod coupling;
pub(in crate::runner) mod idle;
pub(in crate::runner) mod peaks;
pub(in crate::runner) mod profile;
pub(in crate::runner) mod score;

use std::time::{Duration, Instant};

use crate::plan::BESIDE_SHARE;
use crate::runner::{Run, RunError};

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

/// Time for the profiles that come last.
pub(in crate::runner) fn rest_share(run: &Run<'_>) -> Duration {
    of_budget(run, profile::BUDGET_SHARE)
}

/// A share of the budget; nothing without one, and nothing where every latency comes from a script.
fn of_budget(run: &Run<'_>, share: f64) -> Duration {
    let is_any_real = run.plan().sessions.iter().any(|spec| !spec.is_scripted());
    let budget = run.budget().filter(|_| is_any_real && run.extent == crate::runner::Extent::Whole);
    budget.map(|budget| budget.mul_f64(share)).unwrap_or_default()
}
