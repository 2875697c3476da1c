//! Whether samples of a batch change each other's outputs in a variant that the batch was not
//! proved on: one whose quantization takes its scales from all that it is fed.

use std::time::Duration;

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

impl Run<'_> {
    pub(super) async fn couple_all(&mut self) -> Result<()> {
        let sessions: Vec<usize> = (0..self.plan().variants.len())
            .filter(|&variant| self.may_couple(variant))
            .filter_map(|variant| self.real_session_of(variant))
            .collect();
        let time = self.beside_time(BUDGET_SHARE);
        let limit = time.map_or(WITHOUT_BUDGET, |time| time / times(sessions.len().max(1)));
        for session in sessions {
            let variant = self.spec(session).variant;
            let Some(coupling) = self.coupling(session, limit).await? else {
                continue;
            };
            if let Coupling::Coupled { off_ratio, .. } = &coupling {
                let name = self.plan().variants[variant].name.exact();
                self.note(format!(
                "`{name}`: samples of a batch are not independent of each other: outputs differ by up to {:.1}% of the \
                 largest from those of each alone",
                off_ratio.0 * 100.0
            ))?;
            }
            self.append(Event::Coupling { variant, coupling })?;
        }
        Ok(())
    }

    /// Whether several samples are fed at once to a variant whose scales they share, and that was
    /// not tried out.
    fn may_couple(&self, variant: usize) -> bool {
        let Ok(described) = &self.descriptions[variant] else {
            return false;
        };
        let is_fed_batches = self.plan().batch_sizes.iter().any(|&size| size > 1);
        let takes_any = [1, 2]
            .iter()
            .all(|&size| described.inputs.supports_batch(size).is_ok());
        is_fed_batches && takes_any && described.probe.is_none() && described.model.shares_scales()
    }

    fn real_session_of(&self, variant: usize) -> Option<usize> {
        self.in_turn()
            .into_iter()
            .find(|&one| self.spec(one).variant == variant && self.has_open_cells(one))
    }

    async fn coupling(&mut self, session: usize, limit: Duration) -> Result<Option<Coupling>> {
        let Ok(described) = self.description(session) else {
            return Ok(None);
        };
        if limit < self.launch_with(session, INFERENCES) {
            return Ok(Some(Coupling::Unknown {
                reason: "there was no time for it; raise `--budget`".into(),
            }));
        }
        let limit = limit.saturating_sub(self.launch_time(session).unwrap_or_default());
        let request = CouplingRequest {
            inputs: described.inputs.clone(),
            random_outputs: self.random_outputs(),
            inference_ns: self.inference_time(session).map(Nanos::from),
            limit_ns: limit.into(),
            memory_bytes: settle::room(),
            float_rounding: self.spec(session).float_rounding(),
        };
        self.begin_beside(session, |session| Progress::Coupling { session });
        let Some(mut launch) = self.launch(session, 0).await? else {
            return Ok(None);
        };
        let coupling = match launch.couple(request, self.patience(limit)).await {
            Ok(coupling) => coupling,
            Err(failure) => {
                self.fail_beside(&mut launch, &failure)?;
                Coupling::Unknown {
                    reason: failure.message,
                }
            }
        };
        launch.worker.end().await;
        Ok(Some(coupling))
    }
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
