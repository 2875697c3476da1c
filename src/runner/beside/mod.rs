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

use crate::plan::{BESIDE_SHARE, RuntimeChoice};
use crate::runner::RunError;
use crate::runner::rounds::round::Run;

/// What a loaded machine may add to the time of a launch beside the rounds before its worker counts as stuck.
const GRACE: Duration = Duration::from_secs(5);

impl Run<'_> {
    /// Finds out everything that lies beside the rounds, what decides the answer first.
    pub(in crate::runner) async fn beside(&mut self) -> Result<(), RunError> {
        let share = self.beside_share().min(self.remaining());
        self.beside_until = self.budget().map(|_| Instant::now() + share);
        self.score_all().await?;
        self.couple_all().await?;
        self.profile_all().await?;
        self.idle_all().await?;
        self.contrast_all().await?;
        self.measure_peaks().await
    }

    /// Time for everything beside the rounds but the profiles that come last.
    pub(in crate::runner) fn beside_share(&self) -> Duration {
        self.of_budget(BESIDE_SHARE).saturating_sub(self.rest_share())
    }

    /// Time for the profiles that come last.
    pub(in crate::runner) fn rest_share(&self) -> Duration {
        self.of_budget(profile::BUDGET_SHARE)
    }

    /// A share of the budget; nothing without one, and nothing where every latency comes from a script.
    fn of_budget(&self, share: f64) -> Duration {
        let is_real = |runtime: &RuntimeChoice| matches!(runtime, RuntimeChoice::Library(_));
        let is_any_real = self.plan.sessions.iter().any(|session| is_real(&session.runtime));
        let budget = self.budget().filter(|_| is_any_real && self.extent == crate::runner::Extent::Whole);
        budget.map(|budget| budget.mul_f64(share)).unwrap_or_default()
    }

    fn budget(&self) -> Option<Duration> {
        self.plan.schedule.budget_ns.map(Duration::from)
    }

    /// Time for a part of what lies beside the rounds that may take this share of the budget; absent without a limit.
    pub(in crate::runner) fn beside_time(&self, share: f64) -> Option<Duration> {
        let budget = self.budget()?;
        let left = self.beside_until.map_or(budget, |end| end.saturating_duration_since(Instant::now()));
        Some(budget.mul_f64(share).min(left))
    }

    /// How long a worker beside the rounds is waited for that is expected to need so much.
    pub(in crate::runner) fn patience(&self, expected: Duration) -> Duration {
        expected.saturating_mul(2).saturating_add(GRACE)
    }
}
