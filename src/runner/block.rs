//! One block, seen from the parent: sample, ask, sample, and say what disturbed it.

use super::Launch;
use super::time::BlockTime;
use crate::plan::CellKey;
use crate::protocol::{BlockReport, Request, Response};
use crate::record::{BlockRecord, Disturbance, Failure, Phase};
use crate::sample::{BlockSample, Sampler};
use crate::units::Nanos;

/// Involuntary context switches that a block may have whatever its length: the kernel's own
/// housekeeping.
const SWITCHES_ALWAYS: u64 = 3;
/// And this many more for each second, the rate at which an otherwise idle machine was seen to
/// interrupt.
const SWITCHES_PER_SEC: f64 = 100.0;
/// Share of a block's time, over all CPUs, that the host may take.
const STEAL_SHARE: f64 = 0.05;

/// Above it none is run again: on a loaded machine the next try is disturbed as well, and takes the
/// others' time.
const MAX_DISTURBED_SHARE: f64 = 0.25;

#[derive(Clone, Copy)]
pub(super) struct BlockPlace {
    pub key: CellKey,
    pub alternation: u64,
    pub position: u64,
    pub started_ns: Nanos,
    pub time: BlockTime,
}

pub(super) struct Measured {
    pub block: BlockRecord,
    pub histogram: String,
    pub sampling_cost_ns: Nanos,
}

pub(super) struct Meter {
    sampler: Sampler,
    costs: Vec<Nanos>,
    /// Blocks that count, all of them and those that were disturbed.
    pub blocks_count: u64,
    disturbed_count: u64,
}

impl Meter {
    pub(super) fn new(sampler: Sampler) -> Meter {
        Meter {
            sampler,
            costs: Vec::new(),
            blocks_count: 0,
            disturbed_count: 0,
        }
    }

    pub(super) async fn measure(
        &self,
        launch: &mut Launch,
        place: BlockPlace,
    ) -> Result<Measured, Failure> {
        let pid = launch.worker.pid;
        let BlockTime {
            length,
            min_inferences,
            limit,
            expected,
        } = place.time;
        let request = Request::Block {
            length_ns: length,
            min_inferences,
            limit_ns: limit,
        };
        let doing = format!("run a block at batch size {}", place.key.batch_size);
        let before = self.sampler.sample(pid);
        let report = match launch
            .worker
            .ask_expecting(expected, &request, &doing)
            .await?
        {
            Response::Block(report) => report,
            other => return Err(launch.worker.unexpected(&other).await),
        };
        let after = self.sampler.sample(pid);
        Ok(Measured {
            block: record(launch, place, &report, &after.since(&before)),
            histogram: report.histogram,
            sampling_cost_ns: after.cost_ns,
        })
    }

    pub(super) fn count(&mut self, measured: &Measured) {
        self.costs.push(measured.sampling_cost_ns);
        self.blocks_count += 1;
        self.disturbed_count += u64::from(!measured.block.disturbances.is_empty());
    }

    pub(super) fn is_disturbed_throughout(&self) -> bool {
        self.disturbed_count as f64 > self.blocks_count as f64 * MAX_DISTURBED_SHARE
    }

    /// Cost of sampling beside a block that counts: median.
    pub(super) fn cost(&mut self) -> Option<Nanos> {
        self.costs.sort_unstable();
        self.costs.get(self.costs.len() / 2).copied()
    }
}

fn record(
    launch: &Launch,
    place: BlockPlace,
    report: &BlockReport,
    sample: &BlockSample,
) -> BlockRecord {
    BlockRecord {
        key: place.key,
        launch: launch.record.launch,
        round: launch.record.round,
        alternation: place.alternation,
        position: place.position,
        phase: Phase::Timed,
        started_ns: place.started_ns,
        elapsed_ns: report.elapsed_ns,
        rebinding_ns: report.rebinding_ns,
        inferences_count: report.inferences_count,
        median_ns: report.median_ns,
        p10_ns: report.p10_ns,
        mean_ns: report.mean_ns,
        cpu_time_ns: report.cpu_time_ns,
        involuntary_switches_count: report.involuntary_switches_count,
        major_faults_count: report.major_faults_count,
        minor_faults_count: Some(report.minor_faults_count),
        steal_ns: sample.steal_ns,
        throttled_ns: sample.throttled_ns,
        migrations_count: sample.migrations_count,
        resident_bytes: sample.resident_bytes,
        cpu_energy: sample.cpu_energy,
        disturbances: disturbances(report, sample),
    }
}

fn disturbances(report: &BlockReport, sample: &BlockSample) -> Vec<Disturbance> {
    let seconds = (report.elapsed_ns + report.rebinding_ns.unwrap_or_default()).as_secs_f64();
    let switches = SWITCHES_ALWAYS as f64 + SWITCHES_PER_SEC * seconds;
    [
        (
            Disturbance::ContextSwitches,
            report.involuntary_switches_count as f64 > switches,
        ),
        (
            Disturbance::Steal,
            sample
                .steal_ns
                .is_some_and(|steal| steal.as_secs_f64() > STEAL_SHARE * seconds),
        ),
        (
            Disturbance::Throttled,
            sample.throttled_ns.is_some_and(|throttled| throttled.0 > 0),
        ),
        (Disturbance::MajorFaults, report.major_faults_count > 0),
    ]
    .into_iter()
    .filter_map(|(disturbance, seen)| seen.then_some(disturbance))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(switches: u64, faults: u64) -> BlockReport {
        BlockReport {
            elapsed_ns: Nanos(30_000_000),
            involuntary_switches_count: switches,
            major_faults_count: faults,
            ..BlockReport::default()
        }
    }

    fn sample(steal: Option<u64>, throttled: Option<u64>) -> BlockSample {
        BlockSample {
            steal_ns: steal.map(Nanos),
            throttled_ns: throttled.map(Nanos),
            migrations_count: None,
            resident_bytes: None,
            cpu_energy: None,
        }
    }

    #[test]
    fn a_block_is_disturbed_by_each_sign_that_is_beyond_its_bound() {
        let all = [
            Disturbance::ContextSwitches,
            Disturbance::Steal,
            Disturbance::Throttled,
            Disturbance::MajorFaults,
        ];
        for (name, report, sample, expected) in [
            (
                "quiet",
                report(6, 0),
                sample(Some(1_000_000), Some(0)),
                &[][..],
            ),
            (
                "disturbed in every way",
                report(7, 1),
                sample(Some(10_000_000), Some(1)),
                &all,
            ),
            ("without sources", report(0, 0), sample(None, None), &[]),
        ] {
            assert_eq!(disturbances(&report, &sample), expected, "{name}");
        }
    }
}
