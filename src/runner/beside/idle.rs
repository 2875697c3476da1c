//! Latencies after idle gaps: launches of their own for each session, in which nothing is asked for
//! between inferences.
//!
//! A worker that waits leaves its CPU idle: the processor lowers its clock and sleeps, caches go to
//! others, and threads of the pool stop to spin. What the next inference pays for that is what a
//! service with little traffic pays.

use std::time::{Duration, Instant};

use crate::inputs::InputPlan;
use crate::observed::Observed;
use crate::plan::CellKey;
use crate::protocol::{Request, Response};
use crate::record::{Event, Failure, IdleGap, IdleGaps};
use crate::runner::time::times;
use crate::runner::{Launch, Progress, Result, Run};
use crate::units::Nanos;

/// Share of the budget that all gaps of all sessions may take.
pub const BUDGET_SHARE: f64 = 0.15;
/// Time for one session where there is no budget.
pub(super) const WITHOUT_BUDGET: Duration = Duration::from_secs(20);
/// Launches of one session: an interval takes 6; with 8, one gap in four that costs time is told
/// even where the others cost none, although all are judged together.
const LAUNCHES: u64 = 8;
/// Share of a session's time that starting its launches may take: with more, fewer launches tell
/// more.
const LAUNCH_SHARE: f64 = 0.5;
/// Inferences after one gap beyond which more tell little.
const MOST: u64 = 60;
/// Inferences that a launch runs before the first gap: the first one, and two of its warm-up.
const STARTING_INFERENCES: u32 = 3;
/// With fewer, a median says nothing.
const LEAST: u64 = 3;

struct Share {
    gap: Duration,
    count: u64,
}

struct Spending {
    launches: u64,
    shares: Vec<Share>,
    single: Duration,
}

pub(super) async fn all(run: &mut Run<'_>) -> Result<()> {
    if run.plan().idle_gaps_ns.is_empty() {
        return Ok(());
    }
    let sessions: Vec<usize> = run
        .real_sessions()
        .filter(|&session| run.has_open_cells(session))
        .collect();
    let share = run.beside_time(BUDGET_SHARE);
    let time = share.map_or(WITHOUT_BUDGET, |share| {
        share.div_f64(sessions.len().max(1) as f64)
    });
    for session in sessions {
        let Some((key, inputs)) = run.smallest(session) else {
            continue;
        };
        run.begin_beside(session, |session| Progress::Idling { session });
        let gaps = if run.launch_with(session, STARTING_INFERENCES) > time {
            Err(format!(
                "one launch does not fit into its time ({:.1} s)",
                time.as_secs_f64()
            )
            .into())
        } else {
            idle_gaps(run, key, &inputs, time).await?
        };
        run.append(Event::IdleGaps(IdleGaps {
            session,
            shape: key.shape,
            batch_size: key.batch_size,
            gaps,
        }))?;
    }
    Ok(())
}

/// Latencies of each launch, by gap. What the first launch takes decides how many there are.
async fn idle_gaps(
    run: &mut Run<'_>,
    key: CellKey,
    inputs: &InputPlan,
    time: Duration,
) -> Result<Observed<Vec<IdleGap>>> {
    let gaps: Vec<Duration> = run
        .plan()
        .idle_gaps_ns
        .iter()
        .map(|&gap| gap.into())
        .collect();
    let mut spending: Option<Spending> = None;
    let mut found: Vec<Vec<Vec<Nanos>>> = vec![Vec::new(); gaps.len()];
    for number in 0..LAUNCHES {
        if spending
            .as_ref()
            .is_some_and(|so_far| number >= so_far.launches)
        {
            break;
        }
        let log = run.diagnosis_log(key.session)?;
        let began = Instant::now();
        let measured: Result<(), Failure> = async {
            let (mut launch, single) = run
                .unrecorded(key, run.spec(key.session), inputs, log)
                .await?;
            let measured = spending
                .get_or_insert_with(|| Spending::of(&gaps, time, began.elapsed(), single))
                .measure(&mut launch, number, &mut found)
                .await;
            launch.worker.end().await;
            measured
        }
        .await;
        if let Err(failure) = measured {
            run.lose(key.session, &failure)?;
            return Ok(Err(failure.message));
        }
    }
    Ok(Ok(spending
        .map(|spending| gaps_of(&spending.shares, found, time))
        .unwrap_or_default()))
}

impl Spending {
    /// `started` is the time that a launch takes before its first gap, and `single` that of one
    /// inference.
    fn of(gaps: &[Duration], time: Duration, started: Duration, single: Duration) -> Self {
        let time = time.as_secs_f64();
        let started = started.as_secs_f64();
        let affordable = (time * LAUNCH_SHARE / started.max(1e-6)) as u64;
        let launches = affordable.clamp(1, LAUNCHES);
        let left = time - started * launches as f64;
        Spending {
            launches,
            shares: shares(gaps, left.max(0.0), single),
            single,
        }
    }

    /// Inferences of a launch within a share: as many as in the others, as far as that can be.
    fn of_launch(&self, share: &Share, number: u64) -> u64 {
        share.count * (number + 1) / self.launches - share.count * number / self.launches
    }

    /// Measures the gaps in one launch, in turn the short ones first and the long ones first.
    async fn measure(
        &self,
        launch: &mut Launch,
        number: u64,
        found: &mut [Vec<Vec<Nanos>>],
    ) -> Result<(), Failure> {
        let mut all: Vec<(&Share, &mut Vec<_>)> = self.shares.iter().zip(found).collect();
        if number % 2 == 1 {
            all.reverse();
        }
        for (share, latencies) in all {
            latencies.push(match self.of_launch(share, number) {
                0 => Vec::new(),
                count => self.ask(launch, share.gap, count).await?,
            });
        }
        Ok(())
    }

    async fn ask(
        &self,
        launch: &mut Launch,
        gap: Duration,
        count: u64,
    ) -> Result<Vec<Nanos>, Failure> {
        let request = Request::Idle {
            gap_ns: gap.into(),
            count,
        };
        match launch
            .worker
            .ask_expecting(
                (gap + self.single * 2).saturating_mul(times(count)),
                &request,
                "measure inferences after idle gaps",
            )
            .await?
        {
            Response::Idled { latencies_ns } => Ok(latencies_ns),
            other => Err(launch.worker.unexpected(&other).await),
        }
    }
}

/// So that all gaps take `left` seconds at most: each once in every launch first, as far as there
/// is time, and then the short ones more often, each up to its share of what is left. Every gap
/// takes two inferences.
fn shares(gaps: &[Duration], mut left: f64, single: Duration) -> Vec<Share> {
    let mut shares: Vec<Share> = Vec::new();
    for &gap in gaps {
        let fits = ((left / cost(gap, single)) as u64).min(LAUNCHES);
        let count = if fits < LEAST { 0 } else { fits };
        left -= cost(gap, single) * count as f64;
        shares.push(Share { gap, count });
    }
    for (share, to_come) in shares.iter_mut().zip((1..=gaps.len()).rev()) {
        if share.count == LAUNCHES {
            let each = cost(share.gap, single);
            let more = ((left / to_come as f64 / each) as u64).min(MOST - LAUNCHES);
            left -= each * more as f64;
            share.count += more;
        }
    }
    shares
}

/// Seconds that an inference after a gap takes, with the one before the gap.
fn cost(gap: Duration, single: Duration) -> f64 {
    (gap + single * 2).as_secs_f64().max(1e-6)
}

fn gaps_of(shares: &[Share], found: Vec<Vec<Vec<Nanos>>>, time: Duration) -> Vec<IdleGap> {
    shares
        .iter()
        .zip(found)
        .map(|(share, latencies)| IdleGap {
            gap_ns: share.gap.into(),
            latencies_ns: match share.count {
                0 => Err(why_not(share.gap, time).into()),
                _ => Ok(latencies),
            },
        })
        .collect()
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
    const GAPS: [Duration; 4] = [
        Duration::ZERO,
        Duration::from_millis(10),
        Duration::from_millis(100),
        Duration::from_secs(1),
    ];

    fn counts(left: f64, single: Duration) -> Vec<u64> {
        shares(&GAPS, left, single)
            .iter()
            .map(|share| share.count)
            .collect()
    }

    #[test]
    fn every_gap_has_its_place_in_every_launch_before_short_ones_are_measured_more_often() {
        // Once in each of 8 launches: 8 x (2 + 12 + 102 + 1002) ms = 8.944 s of 12 s. Of the 3.056
        // s that are left: 52 more without a gap and 52 x 12 ms, then 2.328 s / 2 / 102 ms = 11.4,
        // then 1.206 s / 1.002 s = 1.2.
        assert_eq!(counts(12.0, MS), [60, 60, 19, 9]);
    }

    #[test]
    fn what_does_not_fit_three_times_is_left_out() {
        // 2 s less 8 x 116 ms = 1.072 s, in which a gap of 1 s fits once; a quarter of it is 22.3 x
        // 12 ms after 52 x 2 ms have taken 0.104 s of theirs, and 0.704 s / 2 / 102 ms = 3.4.
        assert_eq!(counts(2.0, MS), [60, 34, 11, 0]);
        // A long inference counts twice: 10 s without a gap fit 6 times into 60 s.
        assert_eq!(counts(60.0, MS * 5_000), [6, 0, 0, 0]);
        let found = gaps_of(
            &[Share {
                gap: MS * 1000,
                count: 0,
            }],
            vec![Vec::new()],
            MS * 2_000,
        );
        let reason = found[0].latencies_ns.as_ref().unwrap_err();
        assert!(
            reason.starts_with("3 gaps of 1s do not fit") && reason.contains("15% of the budget"),
            "{reason}"
        );
    }

    #[test]
    fn a_gap_that_fits_into_some_launches_alone_is_measured_there() {
        // 5 s less 8 x 116 ms: 4 times 1.002 s.
        let spending = Spending {
            launches: 8,
            shares: shares(&GAPS, 5.0, MS),
            single: MS,
        };
        let long = &spending.shares[3];
        let by_launch: Vec<u64> = (0..8)
            .map(|number| spending.of_launch(long, number))
            .collect();
        assert_eq!((long.count, by_launch), (4, vec![0, 1, 0, 1, 0, 1, 0, 1]));
    }

    #[test]
    fn launches_that_take_long_to_start_are_fewer() {
        let launches = |started: u32| Spending::of(&GAPS, MS * 12_000, MS * started, MS).launches;
        assert_eq!(
            [100, 1_000, 2_000, 5_000, 60_000].map(launches),
            [8, 6, 3, 1, 1]
        );
    }
}
