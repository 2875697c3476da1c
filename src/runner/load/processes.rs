//! The processes that serve in a round.

use std::collections::BTreeMap;

use crate::memory;
use crate::plan::{LoadPlan, Serving};
use crate::record::{Event, Failure, FailureKind, LoadKey, Outcome, RunRecord};
use crate::runner::{Launch, Result, Run};
use crate::units::Bytes;

/// Processes by what they serve; those of a round serve all its segments.
#[derive(Default)]
pub(super) struct Served {
    round: Option<u64>,
    launches: BTreeMap<LoadKey, Vec<Launch>>,
}

impl Served {
    /// Ends the processes of another round.
    pub(super) async fn begin_round(&mut self, run: &mut Run<'_>, round: u64) -> Result<()> {
        if self.round == Some(round) {
            return Ok(());
        }
        self.end(run).await?;
        self.round = Some(round);
        Ok(())
    }

    pub(super) async fn end(&mut self, run: &mut Run<'_>) -> Result<()> {
        if self.launches.is_empty() {
            return Ok(());
        }
        for (_, launches) in std::mem::take(&mut self.launches) {
            end_all(launches).await;
        }
        run.checkpoint()
    }

    /// Takes the processes of a candidate out, started where they are not yet; or why there are
    /// none.
    pub(super) async fn take(
        &mut self,
        run: &mut Run<'_>,
        plan: &LoadPlan,
        key: LoadKey,
    ) -> Result<Result<Vec<Launch>, Failure>> {
        if let Some(launches) = self.launches.remove(&key) {
            return Ok(Ok(launches));
        }
        let serving = serving(plan, key).clone();
        if let Err(failure) = ask_for_memory(run.record(), key, &serving) {
            return Ok(Err(failure));
        }
        let round = run.next_round() + self.round.unwrap_or_default();
        let mut launches = Vec::new();
        for _ in 0..serving.processes {
            match run.launch(key.session, round).await? {
                Some(launch) => launches.push(launch),
                None => {
                    end_all(launches).await;
                    return Ok(Err(last_failure(run.record(), key.session)));
                }
            }
        }
        Ok(Ok(launches))
    }

    /// Keeps processes for the next segment of the round.
    pub(super) fn keep(&mut self, key: LoadKey, launches: Vec<Launch>) {
        self.launches.insert(key, launches);
    }

    /// Ends processes of which one failed.
    pub(super) async fn drop_failed(
        &mut self,
        run: &mut Run<'_>,
        launches: Vec<Launch>,
        failure: &Failure,
    ) -> Result<()> {
        for launch in &launches {
            if !launch.worker.is_alive() {
                let mut record = launch.record.clone();
                record.outcome = Outcome::Failed(failure.clone());
                run.append(Event::Launch(Box::new(record)))?;
            }
        }
        end_all(launches).await;
        Ok(())
    }
}

async fn end_all(launches: Vec<Launch>) {
    for launch in launches {
        launch.worker.end().await;
    }
}

pub(super) fn serving(plan: &LoadPlan, key: LoadKey) -> &Serving {
    &plan.servings[key.serving]
}

fn last_failure(record: &RunRecord, session: usize) -> Failure {
    let mut launches = record
        .launches_of(session)
        .collect::<Vec<_>>()
        .into_iter()
        .rev();
    launches
        .find_map(|launch| match &launch.outcome {
            Outcome::Failed(failure) => Some(failure.clone()),
            Outcome::Ok | Outcome::Skipped { .. } => None,
        })
        .unwrap_or_else(|| Failure::of(FailureKind::SessionLoad, "the session was not created"))
}

/// Each further session takes what one took when it was loaded without load.
fn ask_for_memory(record: &RunRecord, key: LoadKey, serving: &Serving) -> Result<(), Failure> {
    let of_one = record
        .launches_of(key.session)
        .filter_map(|launch| {
            let after = launch.after_load_memory_bytes?.0;
            Some(after.saturating_sub(launch.before_load_memory_bytes?.0))
        })
        .max();
    let sessions = serving.sessions.saturating_mul(serving.processes);
    let needed = Bytes(of_one.unwrap_or_default().saturating_mul(sessions));
    memory::ask(needed, || {
        format!(
            "{sessions} sessions of `{}`",
            record.session_label(key.session)
        )
    })
    .map_err(|reason| {
        Failure::of(FailureKind::OutOfMemory, reason.to_string())
            .hinted("name fewer `--sessions` or `--processes`")
    })
}
