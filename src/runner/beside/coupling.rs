//! Whether samples of a batch change each other's outputs in a variant that the batch was not
//! proved on: one whose quantization takes its scales from all that it is fed.

use std::time::Duration;

use crate::inputs::InputPlan;
use crate::protocol::{CouplingRequest, Request, Response};
use crate::record::{Coupling, Event};
use crate::runner::before::settle;
use crate::runner::{Progress, Run, RunError};
use crate::units::Nanos;

/// Share of the budget that all variants together may take.
const BUDGET_SHARE: f64 = 0.02;
/// Time for one variant where there is no budget.
const WITHOUT_BUDGET: Duration = Duration::from_secs(3);
/// Inferences without which nothing is told: two samples alone, and both together.
const INFERENCES: u32 = 4;

pub(in crate::runner) async fn all(run: &mut Run<'_>) -> Result<(), RunError> {
    let sessions: Vec<(usize, usize)> = (0..run.plan().variants.len())
        .filter(|&variant| may_couple(run, variant))
        .filter_map(|variant| Some((variant, real_session_of(run, variant)?)))
        .collect();
    let time = run
        .beside_time(BUDGET_SHARE)
        .map(|time| time / u32::try_from(sessions.len().max(1)).unwrap_or(1));
    let limit = time.unwrap_or(WITHOUT_BUDGET);
    for (variant, session) in sessions {
        let Some(coupling) = coupling(run, variant, session, limit).await? else {
            continue;
        };
        if let Coupling::Coupled { off_ratio, .. } = &coupling {
            let name = &run.plan().variants[variant].name;
            run.note(format!(
                "`{name}`: samples of a batch are not independent of each other: outputs differ by up to {:.1}% of the \
                 largest from those of each alone",
                off_ratio.0 * 100.0
            ))?;
        }
        run.journal.append(Event::Coupling { variant, coupling })?;
    }
    Ok(())
}

/// Whether several samples are fed at once to a variant whose scales they share, and that was not
/// tried out.
fn may_couple(run: &Run<'_>, variant: usize) -> bool {
    let Ok(described) = &run.descriptions[variant] else {
        return false;
    };
    let is_fed_batches = run.plan().batch_sizes.iter().any(|&size| size > 1);
    let takes_any =
        described.inputs.supports_batch(1).is_ok() && described.inputs.supports_batch(2).is_ok();
    is_fed_batches && takes_any && described.probe.is_none() && described.model.shares_scales()
}

fn real_session_of(run: &Run<'_>, variant: usize) -> Option<usize> {
    run.in_turn().into_iter().find(|&session| {
        run.plan().sessions[session].variant == variant && run.has_open_cells(session)
    })
}

fn coupling_request(
    run: &Run<'_>,
    session: usize,
    inputs: InputPlan,
    limit: Duration,
) -> CouplingRequest {
    let random = run.journal.record().random_outputs();
    CouplingRequest {
        inputs,
        random_outputs: random.into_iter().map(str::to_owned).collect(),
        inference_ns: run.inference_time(session).map(Nanos::from),
        limit_ns: limit.into(),
        memory_bytes: settle::room(),
        float_rounding: run.plan().sessions[session].float_rounding(),
    }
}

async fn coupling(
    run: &mut Run<'_>,
    variant: usize,
    session: usize,
    limit: Duration,
) -> Result<Option<Coupling>, RunError> {
    let Ok(described) = &run.descriptions[variant] else {
        return Ok(None);
    };
    let inputs = described.inputs.clone();
    if limit < run.launch_with(session, INFERENCES) {
        let reason = "there was no time for it; raise `--budget`".into();
        return Ok(Some(Coupling::Unknown { reason }));
    }
    let label = run.label(session);
    run.observer
        .observe(&Progress::Coupling { session: &label });
    let limit = limit.saturating_sub(run.launch_time(session).unwrap_or_default());
    let request = coupling_request(run, session, inputs, limit);
    let patience = run.patience(limit);
    let Some(mut launch) = run.launch(session, 0).await? else {
        return Ok(None);
    };
    let request = Request::Couple(Box::new(request));
    let failure = match launch
        .worker
        .ask_within(patience, &request, "compare samples of a batch")
        .await
    {
        Ok(Response::Coupled(coupling)) => {
            launch.worker.end().await;
            return Ok(Some(coupling));
        }
        Ok(other) => launch.worker.unexpected(&other).await,
        Err(failure) => failure,
    };
    run.fail_beside(&mut launch, &failure)?;
    launch.worker.end().await;
    Ok(Some(Coupling::Unknown {
        reason: failure.message,
    }))
}
