//! How many alternations a round holds, so that enough rounds fit into the budget.

use std::time::Duration;

/// Rounds that a run aims at: the signed-rank interval wants at least six, and some are lost to bad luck.
pub(super) const TARGET_ROUNDS: u64 = 8;
/// More alternations than this tell less than another launch would.
const MAX_ALTERNATIONS: u64 = 8;
/// If starting and loading every session once takes more than this share of the remaining time for every target round,
/// there are fewer rounds with more alternations each.
const MAX_LAUNCH_SHARE: f64 = 0.6;

/// What the first round took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RoundCost {
    /// Starting, loading and warming up everything once.
    pub fixed: Duration,
    /// One alternation at every batch size.
    pub alternation: Duration,
}

/// Alternations in each of the remaining rounds.
pub(super) fn alternations(remaining: Duration, rounds_done: u64, cost: RoundCost) -> u64 {
    let wanted = TARGET_ROUNDS.saturating_sub(rounds_done).max(1);
    let affordable = (remaining.as_secs_f64() * MAX_LAUNCH_SHARE / cost.fixed.as_secs_f64().max(1e-6)).floor() as u64;
    let rounds = wanted.min(affordable.max(1));
    let per_round = remaining.as_secs_f64() / rounds as f64 - cost.fixed.as_secs_f64();
    let alternations = (per_round / cost.alternation.as_secs_f64().max(1e-6)).floor();
    (alternations.max(1.0) as u64).min(MAX_ALTERNATIONS)
}

/// Whether so little time is left that another round would be cut off early.
pub(super) fn too_late_for_another(remaining: Duration, cost: RoundCost, alternations: u64) -> bool {
    let round = cost.fixed + cost.alternation * u32::try_from(alternations).unwrap_or(u32::MAX);
    remaining < round / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: RoundCost = RoundCost { fixed: Duration::from_millis(500), alternation: Duration::from_millis(840) };

    #[test]
    fn a_generous_budget_buys_many_alternations() {
        assert_eq!(alternations(Duration::from_secs(56), 1, CHEAP), 8);
    }

    #[test]
    fn a_small_budget_keeps_the_rounds_and_gives_up_alternations() {
        assert_eq!(alternations(Duration::from_secs(18), 1, CHEAP), 2);
        assert_eq!(alternations(Duration::from_secs(3), 1, CHEAP), 1);
    }

    #[test]
    fn slow_loading_buys_fewer_rounds() {
        let slow = RoundCost { fixed: Duration::from_secs(9), alternation: Duration::from_secs(1) };
        assert_eq!(alternations(Duration::from_secs(60), 1, slow), 6);
    }

    #[test]
    fn a_round_that_could_only_begin_is_not_begun() {
        assert!(too_late_for_another(Duration::from_millis(600), CHEAP, 2));
        assert!(!too_late_for_another(Duration::from_secs(2), CHEAP, 2));
    }
}
