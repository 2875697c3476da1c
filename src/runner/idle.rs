//! Latencies after idle gaps: a launch of its own for each session, in which nothing is asked for between inferences.
//!
//! A worker that waits leaves its CPU idle: the processor lowers its clock and sleeps, caches go to others, and threads
//! of the pool stop to spin. What the next inference pays for that is what a service with little traffic pays.

use std::time::Duration;

use super::RunError;
use super::launch::Launch;
use super::round::Run;
use crate::inputs::InputPlan;
use crate::plan::{At, CellKey, LoadMode, RuntimeChoice};
use crate::protocol::{Request, Response};
use crate::record::{Event, Failure, IdleGap, IdleGaps};
use crate::units::Nanos;

/// Share of the budget that all gaps of all sessions may take.
const BUDGET_SHARE: f64 = 0.2;
/// Time for one session where there is no budget.
const WITHOUT_BUDGET: Duration = Duration::from_secs(20);
/// Inferences after one gap beyond which more tell little.
const MOST: u64 = 60;
/// With fewer, a median says nothing.
const LEAST: u64 = 3;
/// Times that every gap has its turn: what drifts meanwhile strikes all of them.
const TURNS: u64 = 6;

/// How often each gap is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Share {
    gap: Duration,
    count: u64,
}

impl Run<'_> {
    /// Measures every session after idle gaps, where they were asked for.
    pub(super) async fn idle_all(&mut self) -> Result<(), RunError> {
        if self.plan.idle_gaps_ns.is_empty() {
            return Ok(());
        }
        let is_measured = |session: &usize| {
            let is_script = matches!(self.plan.sessions[*session].runtime, RuntimeChoice::Script(_));
            !is_script && self.has_open_cells(*session)
        };
        let sessions: Vec<usize> = (0..self.plan.sessions.len()).filter(is_measured).collect();
        let time = match self.plan.schedule.budget_ns {
            Some(budget) => Duration::from(budget).mul_f64(BUDGET_SHARE).div_f64(sessions.len().max(1) as f64),
            None => WITHOUT_BUDGET,
        };
        for session in sessions {
            if let Some((key, inputs)) = self.smallest(session) {
                let label = self.journal.record().session_label(session);
                self.observer.observe(&super::Progress::Idling { session: &label });
                let gaps = self.idle(key, &inputs, time).await?;
                let found = IdleGaps { session, shape: key.shape, batch_size: key.batch_size, gaps };
                self.journal.append(Event::IdleGaps(found))?;
            }
        }
        Ok(())
    }

    /// The first cell of a session that its model takes, with one request in flight, and what is fed there.
    fn smallest(&self, session: usize) -> Option<(CellKey, InputPlan)> {
        let described = self.descriptions[self.plan.sessions[session].variant].as_ref().ok()?;
        let key = self.plan.places().map(|at| at.of(session)).find(|key| self.is_open(*key))?;
        let at = At { load_mode: LoadMode::Closed { concurrency: 1 }, ..key.at() };
        Some((at.of(session), described.inputs_at(key.shape).ok()?.clone()))
    }

    async fn idle(
        &mut self,
        key: CellKey,
        inputs: &InputPlan,
        time: Duration,
    ) -> Result<Result<Vec<IdleGap>, String>, RunError> {
        let gaps: Vec<Duration> = self.plan.idle_gaps_ns.iter().copied().map(Duration::from).collect();
        let Some(mut launch) = self.launch(key.session, 0).await? else {
            return Ok(Err("the session could not be launched".into()));
        };
        let began = launch.begin(&self.roots, key, inputs).await;
        let measured = match began {
            Ok((cell, _)) => {
                let single = Duration::from(cell.warmup.elapsed_ns).div_f64(cell.warmup.inferences_count.max(1) as f64);
                let shares = shares(&gaps, time, single);
                measure(&mut launch, &shares).await.map(|found| gaps_of(&shares, found, time))
            }
            Err(failure) => Err(failure),
        };
        launch.worker.end().await;
        Ok(measured.map_err(|failure| failure.message))
    }
}

/// How often each gap is measured, so that all of them take `time` at most: the short ones first, each up to its share of
/// what is left, so that what they do not need goes to the long ones. `single` is the time of one inference, of which
/// every gap takes two.
fn shares(gaps: &[Duration], time: Duration, single: Duration) -> Vec<Share> {
    let mut left = time.as_secs_f64();
    let mut shares = Vec::new();
    for (place, &gap) in gaps.iter().enumerate() {
        let cost = (gap + single * 2).as_secs_f64().max(1e-6);
        let fits = (left / (gaps.len() - place) as f64 / cost) as u64;
        let count = if fits < LEAST { 0 } else { fits.min(MOST) };
        left -= cost * count as f64;
        shares.push(Share { gap, count });
    }
    shares
}

/// Latencies by gap. The gaps take turns.
async fn measure(launch: &mut Launch, shares: &[Share]) -> Result<Vec<Vec<Nanos>>, Failure> {
    let mut found = vec![Vec::new(); shares.len()];
    for turn in 0..TURNS {
        for (share, latencies) in shares.iter().zip(&mut found) {
            let count = share.count * (turn + 1) / TURNS - share.count * turn / TURNS;
            if count > 0 {
                latencies.extend(ask(launch, share.gap, count).await?);
            }
        }
    }
    Ok(found)
}

async fn ask(launch: &mut Launch, gap: Duration, count: u64) -> Result<Vec<Nanos>, Failure> {
    let request = Request::Idle { gap_ns: gap.into(), count };
    match launch.worker.ask(&request, "measure inferences after idle gaps").await? {
        Response::Idled { latencies_ns } => Ok(latencies_ns),
        other => Err(launch.worker.unexpected(&other).await),
    }
}

fn gaps_of(shares: &[Share], found: Vec<Vec<Nanos>>, time: Duration) -> Vec<IdleGap> {
    let gap = |(share, latencies): (&Share, Vec<Nanos>)| IdleGap {
        gap_ns: share.gap.into(),
        latencies_ns: if share.count == 0 { Err(why_not(share.gap, time)) } else { Ok(latencies) },
    };
    shares.iter().zip(found).map(gap).collect()
}

fn why_not(gap: Duration, time: Duration) -> String {
    format!(
        "{LEAST} gaps of {gap:?} do not fit into the session's share of the {:.0}% of the budget for idle gaps ({:.1} s); \
         raise `--budget`",
        BUDGET_SHARE * 100.0,
        time.as_secs_f64()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn counts(time: Duration, single: Duration) -> Vec<u64> {
        let gaps = [Duration::ZERO, MS * 10, MS * 100, MS * 1000];
        shares(&gaps, time, single).iter().map(|share| share.count).collect()
    }

    #[test]
    fn short_gaps_are_measured_more_often_and_leave_their_time_to_long_ones() {
        // 12 s and 1 ms for an inference: 60 x 2 ms, 60 x 12 ms, then 11.16 s / 2 / 102 ms = 54.7, then 5.652 s / 1.002 s.
        assert_eq!(counts(MS * 12_000, MS), [60, 60, 54, 5]);
    }

    #[test]
    fn what_does_not_fit_three_times_is_left_out() {
        // 2 s: 60 x 2 ms, then 1.88 s / 3 / 12 ms = 52.2, then 1.256 s / 2 / 102 ms = 6.2, then 0.644 s for 1.002 s.
        assert_eq!(counts(MS * 2_000, MS), [60, 52, 6, 0]);
        let found = gaps_of(&[Share { gap: MS * 1000, count: 0 }], vec![Vec::new()], MS * 2_000);
        let reason = found[0].latencies_ns.as_ref().unwrap_err();
        assert!(reason.starts_with("3 gaps of 1s do not fit") && reason.contains("20% of the budget"), "{reason}");
    }

    #[test]
    fn a_long_inference_counts_twice() {
        // 60 s and 5 s for an inference: 60 s / 4 / 10 s is less than the three that a median takes, and so on.
        assert_eq!(counts(MS * 60_000, MS * 5_000), [0, 0, 0, 5]);
    }
}
