//! The order of a run: single predictions of every session first, then larger batches, then what lies beside them.

use std::time::Duration;

use super::beside::{self, profile};
use super::rounds::Rounds;
use super::{Extent, Run, RunError};
use crate::record::EndReason;

/// Every session has as many launches at its smallest batch size as an interval takes before anything else is done;
/// larger batches follow, then what lies beside the rounds, within its share of the budget; further rounds take what it
/// leaves. Rounds that were asked for by their number are all alike.
pub(super) async fn measure(run: &mut Run<'_>) -> Result<EndReason, RunError> {
    let mut rounds = Rounds::default();
    run.close_unsupported()?;
    run.note_monitoring()?;
    if run.extent == Extent::Whole {
        profile::place_all(run).await?;
    }
    run.time.held = beside::share(run) + beside::rest_share(run);
    let mut reason = rounds.measure(run).await?;
    // What is settled rests from rounds alone.
    let resting = std::mem::take(&mut run.resting);
    run.time.held = beside::rest_share(run);
    if run.extent == Extent::Whole {
        beside::all(run).await?;
    }
    run.resting = resting;
    // What was kept free and not needed goes to the rounds.
    if reason == EndReason::BudgetSpent && run.may_measure() {
        reason = rounds.measure(run).await?;
    }
    run.resting.clear();
    run.time.held = Duration::ZERO;
    if run.extent == Extent::Whole {
        profile::rest(run).await?;
    }
    Ok(reason)
}
