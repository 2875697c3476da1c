//! Rules about what happened to the blocks.

use super::rule::{Bounds, Seen, reason};
use crate::record::{BlockRecord, FitnessReason, FitnessVerdict, Phase};
use crate::units::Ratio;

/// Disturbed share of the timed blocks. Up to a quarter, a disturbed block is run again; beyond,
/// the next try is as likely disturbed. Where it is three quarters, what is left is no picture of
/// the quiet machine.
const DISTURBED: Bounds = Bounds {
    suspect: 0.25,
    invalid: 0.75,
};
/// Share of the blocks during which an unpinned worker moved: each move costs it its caches.
const WANDERING: Bounds = Bounds {
    suspect: 0.25,
    invalid: f64::INFINITY,
};

fn timed<'a>(seen: Seen<'a>) -> impl Iterator<Item = &'a BlockRecord> {
    seen.blocks
        .iter()
        .filter(|block| block.phase == Phase::Timed)
}

pub(super) fn disturbed(seen: Seen<'_>) -> Option<FitnessReason> {
    let all = timed(seen).count();
    let disturbed = timed(seen)
        .filter(|block| !block.disturbances.is_empty())
        .count();
    let verb = if disturbed == 1 { "was" } else { "were" };
    DISTURBED.of_share(
        Ratio(disturbed as f64 / all.max(1) as f64),
        |share, bounds| {
            format!("{disturbed} of {all} timed blocks {verb} disturbed, {share} ({bounds})")
        },
        "end other work on the machine, and leave a CPU free with `--intra-threads`",
    )
}

/// A worker on a single CPU cannot move unless somebody changed where it may run.
pub(super) fn migrations_of_pinned(seen: Seen<'_>) -> Option<FitnessReason> {
    let [cpu] = seen.conditions.worker_cpus[..] else {
        return None;
    };
    let moves: u64 = timed(seen).filter_map(|block| block.migrations_count).sum();
    (moves > 0).then(|| {
        let text = format!("processes that were pinned to CPU {cpu} were moved {moves} times");
        reason(
            FitnessVerdict::Suspect,
            text,
            "search for a tool or a container runtime that changes CPU sets while the run goes on",
        )
    })
}

/// Workers with more CPUs than threads, or not pinned at all, may move.
pub(super) fn wandering(seen: Seen<'_>) -> Option<FitnessReason> {
    if seen.conditions.worker_cpus.len() == 1 {
        return None;
    }
    let all = timed(seen)
        .filter_map(|block| block.migrations_count)
        .count();
    let moved = timed(seen)
        .filter(|block| block.migrations_count > Some(0))
        .count();
    // Workers that are not pinned may use all CPUs that this process may.
    let are_pinned = seen.conditions.worker_cpus.len() < seen.host.affinity_cpus.len();
    let remedy = if are_pinned {
        "keep each session to one CPU with `--intra-threads 1`"
    } else {
        "name fewer threads than there are CPUs with `--intra-threads`, and no `--pin none`, so that a session is \
         pinned to as many"
    };
    WANDERING.of_share(
        Ratio(moved as f64 / all.max(1) as f64),
        |_, bound| format!("the process changed CPU during {moved} of {all} blocks ({bound})"),
        remedy,
    )
}

#[cfg(test)]
mod tests {
    use super::super::judge;
    use super::super::testing::{block, quiet};
    use super::*;
    use crate::record::{Conditions, Disturbance, Host};

    #[test]
    fn workers_that_are_pinned_are_not_told_to_be() {
        let blocks = vec![block(3, &[]); 4];
        let remedy = |affinity_cpus: &[u64]| {
            let conditions = Conditions {
                worker_cpus: vec![0, 1],
                ..quiet()
            };
            let host = Host {
                affinity_cpus: affinity_cpus.to_vec(),
                ..Host::default()
            };
            wandering(Seen {
                host: &host,
                conditions: &conditions,
                blocks: &blocks,
            })
            .unwrap()
            .remedy
            .unwrap()
        };
        assert!(remedy(&[0, 1, 2, 3]).contains("`--intra-threads 1`"));
        for all in [&[0, 1][..], &[]] {
            assert!(remedy(all).contains("fewer threads than there are CPUs"));
        }
    }

    #[test]
    fn blocks_count_by_the_share_that_was_disturbed_or_moved() {
        let disturbed = block(0, &[Disturbance::ContextSwitches]);
        let moved = |times| block(times, &[]);
        for (unlike, unlike_count, count, worker_cpus, expected) in [
            (disturbed.clone(), 5, 20, &[1][..], FitnessVerdict::Valid),
            (disturbed.clone(), 6, 20, &[1], FitnessVerdict::Suspect),
            (disturbed, 16, 20, &[1], FitnessVerdict::Invalid),
            (moved(0), 1, 1, &[1], FitnessVerdict::Valid),
            (moved(1), 1, 1, &[1], FitnessVerdict::Suspect),
            (moved(2), 1, 10, &[0, 1], FitnessVerdict::Valid),
            (moved(1), 4, 4, &[0, 1], FitnessVerdict::Suspect),
        ] {
            let mut blocks = vec![unlike; unlike_count];
            blocks.resize(count, block(0, &[]));
            let conditions = Conditions {
                worker_cpus: worker_cpus.to_vec(),
                ..quiet()
            };
            let fitness = judge(Seen {
                host: &Host::default(),
                conditions: &conditions,
                blocks: &blocks,
            });
            assert_eq!(
                fitness.verdict, expected,
                "{unlike_count} of {count} on {worker_cpus:?}: {:?}",
                blocks[0]
            );
        }
    }
}
