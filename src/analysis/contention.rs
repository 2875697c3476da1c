//! What other work on the machine, or its limits, did to timed blocks; and how many requests failed.

use crate::plan::CellKey;
use crate::record::{BlockRecord, Disturbance, FailureKind, Outcome, Phase, RunRecord};
use crate::stats::{Proportion, median};

use super::Interval;

/// Disturbances of the timed blocks of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Contention {
    /// Timed blocks, those that were run again included.
    pub blocks_count: u64,
    /// Timed blocks that something disturbed.
    pub disturbed_count: u64,
    /// Timed blocks by what disturbed them; a block may have several causes.
    pub causes: Vec<Cause>,
    /// Median latency of disturbed blocks over that of the others; absent where no cell has both.
    pub slowdown: Option<Slowdown>,
}

/// A disturbance and how many blocks it hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The disturbance.
    pub disturbance: Disturbance,
    /// Timed blocks that it hit.
    pub blocks_count: u64,
}

/// By how much disturbed blocks were slower.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slowdown {
    /// Median over cells of the ratio of medians over blocks.
    pub factor: f64,
    /// Cells with both kinds of blocks.
    pub cells_count: u64,
}

const DISTURBANCES: [Disturbance; 4] = [
    Disturbance::ContextSwitches,
    Disturbance::Steal,
    Disturbance::Throttled,
    Disturbance::MajorFaults,
];

/// Disturbances of the timed blocks of a run; `None` where none was timed.
#[must_use]
pub fn contention(record: &RunRecord) -> Option<Contention> {
    let timed: Vec<&BlockRecord> = timed(record).collect();
    let disturbed = timed.iter().filter(|block| is_disturbed(block)).count() as u64;
    let causes = DISTURBANCES.map(|disturbance| Cause {
        disturbance,
        blocks_count: timed
            .iter()
            .filter(|block| block.disturbances.contains(&disturbance))
            .count() as u64,
    });
    (!timed.is_empty()).then(|| Contention {
        blocks_count: timed.len() as u64,
        disturbed_count: disturbed,
        causes: causes
            .into_iter()
            .filter(|cause| cause.blocks_count > 0)
            .collect(),
        slowdown: slowdown(record),
    })
}

fn timed(record: &RunRecord) -> impl Iterator<Item = &BlockRecord> {
    record
        .blocks
        .iter()
        .filter(|block| block.phase == Phase::Timed)
}

fn is_disturbed(block: &BlockRecord) -> bool {
    !block.disturbances.is_empty()
}

fn is_quiet(block: &BlockRecord) -> bool {
    !is_disturbed(block)
}

fn slowdown(record: &RunRecord) -> Option<Slowdown> {
    let factors: Vec<f64> = record
        .cells
        .iter()
        .filter_map(|cell| {
            let disturbed = of_blocks(record, cell.key, is_disturbed)?;
            Some(disturbed / of_blocks(record, cell.key, is_quiet)?)
        })
        .filter(|factor| factor.is_finite())
        .collect();
    Some(Slowdown {
        factor: median(&factors)?,
        cells_count: factors.len() as u64,
    })
}

/// Median over the wanted blocks of a cell of their median latency.
fn of_blocks(record: &RunRecord, key: CellKey, is_wanted: fn(&BlockRecord) -> bool) -> Option<f64> {
    let medians: Vec<f64> = timed(record)
        .filter(|block| block.key == key && is_wanted(block))
        .map(|block| block.median_ns.as_f64())
        .collect();
    median(&medians)
}

/// Timed requests of a run that failed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Requests {
    /// Requests that were sent: inferences in timed blocks, and those that failed.
    pub sent_count: u64,
    /// Requests that failed: the inference did, or its worker was lost. A launch ends with the
    /// first.
    pub failed_count: u64,
    /// 95% confidence interval of the share that fails (Wilson's).
    pub interval: Interval,
}

/// Requests of one session, or of all; `None` where none was sent.
#[must_use]
pub fn requests(record: &RunRecord, session: Option<usize>) -> Option<Requests> {
    let is_meant = |one: usize| session.is_none_or(|wanted| wanted == one);
    let answered: u64 = timed(record)
        .filter(|block| is_meant(block.key.session))
        .map(|block| block.inferences_count)
        .sum();
    let failed = record
        .launches
        .iter()
        .filter(|launch| is_meant(launch.session) && is_of_request(&launch.outcome))
        .count() as u64;
    let share = Proportion::new(failed, answered + failed)?;
    Some(Requests {
        sent_count: share.n,
        failed_count: share.count,
        interval: share.interval(),
    })
}

/// Whether a launch ended with a request that was not answered.
fn is_of_request(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Failed(failure) => match failure.kind {
            FailureKind::Inference
            | FailureKind::Crashed
            | FailureKind::OutOfMemory
            | FailureKind::TimedOut => true,
            FailureKind::BadModel
            | FailureKind::BadInput
            | FailureKind::Usage
            | FailureKind::Runtime
            | FailureKind::SessionLoad
            | FailureKind::Protocol => false,
        },
        Outcome::Ok | Outcome::Skipped { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Failure, LaunchRecord};
    use crate::units::Nanos;

    fn block(median: u64, disturbances: Vec<Disturbance>) -> BlockRecord {
        let text = serde_json::json!({
            "key": {"session": 0, "shape": 0, "batch_size": 1, "load_mode": {"closed": {"concurrency": 1}}},
            "launch": 0, "round": 0, "alternation": 0, "position": 0, "phase": "timed",
            "started_ns": 0, "elapsed_ns": 100, "inferences_count": 10, "median_ns": median,
            "p10_ns": median, "mean_ns": median, "cpu_time_ns": 0, "involuntary_switches_count": 0,
            "major_faults_count": 0, "steal_ns": null, "throttled_ns": null, "resident_bytes": null,
            "disturbances": disturbances,
        });
        serde_json::from_value(text).unwrap()
    }

    fn record() -> RunRecord {
        let text = include_str!("../../tests/it/record/run-1.3.json");
        let mut record: RunRecord = serde_json::from_str(text).unwrap();
        record.cells.truncate(1);
        record.blocks.clear();
        record.launches.clear();
        record
    }

    #[test]
    fn disturbed_blocks_are_counted_by_cause_and_held_against_the_others_of_their_cell() {
        let mut record = record();
        assert_eq!(contention(&record), None);
        let key = record.cells[0].key;
        for (median, disturbances) in [
            (100, vec![]),
            (100, vec![]),
            (150, vec![Disturbance::ContextSwitches]),
            (150, vec![Disturbance::ContextSwitches, Disturbance::Steal]),
        ] {
            record.blocks.push(BlockRecord {
                key,
                ..block(median, disturbances)
            });
        }
        let found = contention(&record).unwrap();
        assert_eq!((found.blocks_count, found.disturbed_count), (4, 2));
        assert_eq!(
            found.causes,
            [
                Cause {
                    disturbance: Disturbance::ContextSwitches,
                    blocks_count: 2
                },
                Cause {
                    disturbance: Disturbance::Steal,
                    blocks_count: 1
                },
            ]
        );
        let slowdown = found.slowdown.unwrap();
        assert_eq!((slowdown.factor, slowdown.cells_count), (1.5, 1));
    }

    #[test]
    fn a_failed_inference_is_a_request_that_failed_and_a_failed_load_is_none() {
        let mut record = record();
        let key = record.cells[0].key;
        record.blocks = vec![BlockRecord {
            key,
            median_ns: Nanos(1),
            ..block(1, vec![])
        }];
        for (kind, failed, sent) in [
            (FailureKind::SessionLoad, 0, 10),
            (FailureKind::Inference, 1, 11),
        ] {
            record.launches = vec![LaunchRecord {
                session: key.session,
                outcome: Outcome::Failed(Failure::of(kind, "it failed")),
                ..LaunchRecord::default()
            }];
            let found = requests(&record, Some(key.session)).unwrap();
            assert_eq!((found.failed_count, found.sent_count), (failed, sent));
            assert!(found.interval.high > 0.0);
        }
        assert_eq!(requests(&record, Some(99)), None);
    }
}
