//! Whether samples of a batch change each other's outputs in a variant that the batch was not
//! proved on: one whose quantization takes its scales from all that it is fed.

use std::time::Duration;

use super::score;
use crate::protocol::{CouplingRequest, Request, Response};
use crate::record::{Coupling, Event, Failure};
use crate::runner::before::settle;
use crate::runner::time::times;
use crate::runner::{Launch, Progress, Result, Run};
use crate::units::Nanos;

/// Share of the budget that all variants together may take.
const BUDGET_SHARE: f64 = 0.02;
/// Time for one variant where there is no budget.
const WITHOUT_BUDGET: Duration = Duration::from_secs(3);
/// Inferences without which nothing is told: two samples alone, and both together.
const INFERENCES: u32 = 4;

pub(super) async fn all(run: &mut Run<'_>) -> Result<()> {
    let sessions: Vec<usize> = (0..run.plan().variants.len())
        .filter(|&variant| may_couple(run, variant))
        .filter_map(|variant| real_session_of(run, variant))
        .collect();
    let time = run.beside_time(BUDGET_SHARE);
    let limit = time.map_or(WITHOUT_BUDGET, |time| time / times(sessions.len().max(1)));
    for session in sessions {
        let variant = run.spec(session).variant;
        let Some(coupling) = coupling(run, session, limit).await? else {
            continue;
        };
        if let Coupling::Coupled { off_ratio, .. } = &coupling {
            let name = run.plan().variants[variant].name.exact();
            run.note(format!(
                "`{name}`: samples of a batch are not independent of each other: outputs differ by up to {:.1}% of the \
                 largest from those of each alone",
                off_ratio.0 * 100.0
            ))?;
        }
        run.append(Event::Coupling { variant, coupling })?;
    }
    Ok(())
}

/// Whether several samples are fed at once to a variant whose scales they share, and that was
/// not tried out.
fn may_couple(run: &Run<'_>, variant: usize) -> bool {
    let Ok(described) = &run.descriptions[variant] else {
        return false;
    };
    let is_fed_batches = run.plan().batch_sizes.iter().any(|&size| size > 1);
    let takes_any = [1, 2]
        .iter()
        .all(|&size| described.inputs.supports_batch(size).is_ok());
    is_fed_batches && takes_any && described.probe.is_none() && described.model.shares_scales()
}

fn real_session_of(run: &Run<'_>, variant: usize) -> Option<usize> {
    run.in_turn()
        .into_iter()
        .find(|&one| run.spec(one).variant == variant && run.has_open_cells(one))
}

async fn coupling(run: &mut Run<'_>, session: usize, limit: Duration) -> Result<Option<Coupling>> {
    let Ok(described) = run.description(session) else {
        return Ok(None);
    };
    if limit < run.launch_with(session, INFERENCES) {
        return Ok(Some(Coupling::Unknown {
            reason: "there was no time for it; raise `--budget`".into(),
        }));
    }
    let limit = limit.saturating_sub(run.launch_time(session).unwrap_or_default());
    let request = CouplingRequest {
        inputs: described.inputs.clone(),
        random_outputs: score::random_outputs(run),
        inference_ns: run.inference_time(session).map(Nanos::from),
        limit_ns: limit.into(),
        memory_bytes: settle::room(),
        float_rounding: run.spec(session).float_rounding(),
    };
    run.begin_beside(session, |session| Progress::Coupling { session });
    let Some(mut launch) = run.launch(session, 0).await? else {
        return Ok(None);
    };
    let coupling = match launch.couple(request, run.patience(limit)).await {
        Ok(coupling) => coupling,
        Err(failure) => {
            run.fail_beside(&mut launch, &failure)?;
            Coupling::Unknown {
                reason: failure.message,
            }
        }
    };
    launch.worker.end().await;
    Ok(Some(coupling))
}

impl Launch {
    async fn couple(
        &mut self,
        request: CouplingRequest,
        patience: Duration,
    ) -> Result<Coupling, Failure> {
        let request = Request::Couple(Box::new(request));
        match self
            .worker
            .ask_within(patience, &request, "compare samples of a batch")
            .await?
        {
            Response::Coupled(coupling) => Ok(coupling),
            other => Err(self.worker.unexpected(&other).await),
        }
    }
}
