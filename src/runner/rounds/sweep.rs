//! Where a sweep over batch sizes ends by itself.

use crate::plan::{CellKey, Workload};
use crate::record::{BlockRecord, Phase, RunRecord};
use crate::units::Bytes;

/// A larger batch must add at least this to a session's best throughput, or it counts as saturated.
const LEAST_GAIN: f64 = 0.03;
/// Batch sizes in a row that must be saturated in every session.
const SATURATED_IN_A_ROW: usize = 2;
/// The next batch size must be expected to leave this share of the available memory free.
const MEMORY_RESERVE: f64 = 0.2;
/// One alternation must not take more than this share of the budget.
const LARGEST_ALTERNATION: f64 = 0.2;

pub(super) struct Step {
    pub batch_size: u64,
    /// Predictions per second of each session, where it was measured.
    pub throughput: Vec<Option<f64>>,
    pub peak_memory: Option<Bytes>,
    /// Share of the budget that one alternation took.
    pub budget_share: f64,
}

pub(super) fn step(record: &RunRecord, shape: usize, batch_size: u64, budget_share: f64) -> Step {
    let plan = &record.plan;
    let at = Workload {
        shape,
        batch_size,
        load: plan.load_modes[0],
    };
    let peak_memory = record
        .launches
        .iter()
        .flat_map(|launch| &launch.cells)
        .filter(|cell| (cell.shape, cell.batch_size) == (shape, batch_size))
        .filter_map(|cell| cell.peak_memory_bytes)
        .map(|peak| peak.0)
        .sum::<u64>();
    Step {
        batch_size,
        throughput: (0..plan.sessions.len())
            .map(|session| throughput(&record.blocks, at.of(session)))
            .collect(),
        peak_memory: (peak_memory > 0).then_some(Bytes(peak_memory)),
        budget_share,
    }
}

/// Of the round under way: the best of cells that were measured in more rounds would be better by
/// chance alone.
fn throughput(blocks: &[BlockRecord], key: CellKey) -> Option<f64> {
    let round = blocks.last()?.round;
    blocks
        .iter()
        .rev()
        .take_while(|block| block.round == round)
        .filter(|block| block.key == key && block.phase == Phase::Timed)
        .map(|block| block.predictions() / block.elapsed_ns.as_secs_f64().max(1e-9))
        .max_by(f64::total_cmp)
}

/// Why the batch sizes after these steps need not be measured; `None` if they do.
pub(super) fn end(steps: &[Step], next: u64, available: Option<Bytes>) -> Option<String> {
    let last = steps.last()?;
    saturation(steps)
        .or_else(|| memory(steps, next, available?))
        .or_else(|| (last.budget_share > LARGEST_ALTERNATION).then(|| time(last)))
}

fn saturation(steps: &[Step]) -> Option<String> {
    let (before, tail) = steps.split_at(steps.len().checked_sub(SATURATED_IN_A_ROW)?);
    let are_measured = tail
        .iter()
        .all(|step| step.throughput.iter().any(Option::is_some));
    let saturated = !before.is_empty()
        && are_measured
        && (0..steps[0].throughput.len()).all(|session| gains_nothing(session, before, tail));
    saturated.then(|| {
        let sizes: Vec<String> = tail.iter().map(|step| step.batch_size.to_string()).collect();
        format!(
            "throughput has saturated: batch sizes {} added less than {:.0}% in every session{}; name others with `--batch`",
            sizes.join(" and "),
            LEAST_GAIN * 100.0,
            if is_any_absent(tail) { " that takes them" } else { "" }
        )
    })
}

fn is_any_absent(tail: &[Step]) -> bool {
    tail.iter().any(|step| step.throughput.contains(&None))
}

/// A session that was not measured in the tail has nothing to say; one that was measured there for
/// the first time has gained.
fn gains_nothing(session: usize, before: &[Step], tail: &[Step]) -> bool {
    let best = before
        .iter()
        .filter_map(|step| step.throughput[session])
        .fold(0.0, f64::max);
    tail.iter()
        .filter_map(|step| step.throughput[session])
        .all(|rate| rate < best * (1.0 + LEAST_GAIN))
}

fn memory(steps: &[Step], next: u64, available: Bytes) -> Option<String> {
    let [.., before, last] = steps else {
        return None;
    };
    let before_peak = before.peak_memory?;
    let per_sample = last.peak_memory?.0.saturating_sub(before_peak.0) as f64
        / (last.batch_size - before.batch_size) as f64;
    let growth = per_sample * (next - last.batch_size) as f64;
    (growth > available.as_f64() * (1.0 - MEMORY_RESERVE)).then(|| {
        format!(
            "memory would not suffice: batch size {next} is expected to need {:.0} MiB more, and {:.0} MiB are available",
            growth / f64::from(1 << 20),
            available.as_f64() / f64::from(1 << 20)
        )
    })
}

fn time(last: &Step) -> String {
    format!(
        "one alternation at batch size {} took {:.0}% of the budget; raise `--budget`, or name batch sizes with `--batch`",
        last.batch_size,
        last.budget_share * 100.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fitness::testing::block;

    fn steps(rates: &[f64]) -> Vec<Step> {
        let step = |(index, &rate): (usize, &f64)| Step {
            batch_size: 1 << index,
            throughput: vec![Some(rate)],
            peak_memory: Some(Bytes((100 << 20) + (10 << 20) * (1 << index))),
            budget_share: 0.01,
        };
        rates.iter().enumerate().map(step).collect()
    }

    #[test]
    fn a_session_that_takes_no_such_batch_gains_nothing_and_is_not_said_to() {
        let mut steps = steps(&[100.0, 150.0, 151.0, 149.0]);
        let said = |steps: &[Step]| end(steps, 16, None).unwrap();
        assert!(said(&steps).contains("in every session;"));
        for (index, step) in steps.iter_mut().enumerate() {
            step.throughput.push((index == 0).then_some(50.0));
        }
        assert!(said(&steps).contains("in every session that takes them;"));
    }

    #[test]
    fn a_lucky_block_of_an_earlier_round_does_not_end_the_sweep() {
        let block = |round: u64, inferences_count: u64| BlockRecord {
            round,
            inferences_count,
            ..block(0, &[])
        };
        let blocks = [block(0, 10), block(1, 30), block(2, 12), block(2, 11)];
        assert_eq!(throughput(&blocks, blocks[0].key), Some(12.0 / 0.03));
        assert_eq!(throughput(&[], blocks[0].key), None);
    }

    #[test]
    fn a_sweep_ends_where_larger_batches_tell_nothing_or_do_not_fit() {
        let mut unmeasured = steps(&[100.0, 1.0, 1.0]);
        unmeasured[1..]
            .iter_mut()
            .for_each(|step| step.throughput = vec![None]);
        let mut slow = steps(&[100.0, 200.0]);
        slow[1].budget_share = 0.4;
        for (name, steps, next, available, words) in [
            (
                "growing throughput",
                steps(&[100.0, 150.0, 180.0, 190.0]),
                16,
                None,
                None,
            ),
            (
                "two without a gain",
                steps(&[100.0, 150.0, 151.0, 149.0]),
                16,
                None,
                Some("batch sizes 4 and 8"),
            ),
            (
                "one without a gain",
                steps(&[100.0, 150.0, 151.0]),
                8,
                None,
                None,
            ),
            ("two that were not measured", unmeasured, 8, None, None),
            (
                "too large",
                steps(&[100.0, 150.0, 180.0]),
                8,
                Some(Bytes(30 << 20)),
                Some("40 MiB more"),
            ),
            (
                "an alternation that eats the budget",
                slow,
                4,
                None,
                Some("40% of the budget"),
            ),
        ] {
            let reason = end(&steps, next, available);
            let says = reason
                .as_ref()
                .map(|reason| words.is_some_and(|words| reason.contains(words)));
            assert_eq!(says, words.map(|_| true), "{name}: {reason:?}");
        }
    }
}
