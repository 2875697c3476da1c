//! Segments of a candidate, read, and those of one rate together.

use std::collections::BTreeMap;

use super::validity;
use super::windows::joined;
use crate::observed::Observed;
use crate::plan::LoadPlan;
use crate::record::{
    LoadCounts, LoadKey, LoadSegment, LoadStage, LoadTimes, LoadWindow, RunRecord,
};
use crate::stats::Buckets;
use crate::units::{Bytes, Nanos, PerSecond};

/// A segment with its histograms read, those of all of its processes together.
pub(super) struct Read<'a> {
    pub(super) segment: &'a LoadSegment,
    pub(super) counts: LoadCounts,
    /// Until the last response of any process.
    pub(super) elapsed: Nanos,
    pub(super) times: Times,
    pub(super) windows: Vec<LoadWindow>,
    /// Why it does not count.
    pub(super) invalid: Option<String>,
}

#[derive(Default)]
pub(super) struct Times {
    pub(super) response: Buckets,
    pub(super) service: Buckets,
    pub(super) waiting: Buckets,
    pub(super) lag: Buckets,
}

/// Segments of one candidate in one part of the run at one rate.
pub(super) struct Pool<'a> {
    pub(super) stage: LoadStage,
    pub(super) asked: PerSecond,
    pub(super) segments: Vec<Read<'a>>,
}

/// What a record plans and finds under load.
#[derive(Clone, Copy)]
pub(super) struct Loaded<'a> {
    pub(super) record: &'a RunRecord,
    pub(super) plan: &'a LoadPlan,
}

impl<'a> Loaded<'a> {
    /// `None` of a run that is not under load.
    pub(super) fn of(record: &'a RunRecord) -> Option<Self> {
        Some(Loaded {
            record,
            plan: record.plan.load.as_ref()?,
        })
    }

    /// In the order in which they were measured.
    pub(super) fn segments(&self) -> &'a [LoadSegment] {
        self.record
            .load
            .as_ref()
            .map_or(&[], |load| load.segments.as_slice())
    }

    /// By stage, then by rate.
    pub(super) fn pools(&self, key: LoadKey) -> Vec<Pool<'a>> {
        let mut pools: BTreeMap<(LoadStage, u64), Pool<'a>> = BTreeMap::new();
        for segment in self.segments().iter().filter(|one| one.key == key) {
            let asked = segment.offer.mean_rate();
            pools
                // Bits of positive numbers are in their order.
                .entry((segment.stage, asked.0.max(0.0).to_bits()))
                .or_insert_with(|| Pool {
                    stage: segment.stage,
                    asked,
                    segments: Vec::new(),
                })
                .segments
                .push(Read::of(segment, self.plan));
        }
        pools.into_values().collect()
    }

    /// CPUs that each process may use.
    pub(super) fn cpus(&self) -> f64 {
        self.record.host.usable_cpus_count.max(1) as f64
    }
}

impl<'a> Read<'a> {
    fn of(segment: &'a LoadSegment, plan: &LoadPlan) -> Self {
        let times = Times::of(segment);
        let served = segment.processes.iter().map(|process| &process.served);
        let mut read = Read {
            segment,
            counts: served
                .clone()
                .map(|served| served.counts)
                .fold(LoadCounts::default(), LoadCounts::plus),
            elapsed: served
                .clone()
                .map(|served| served.elapsed_ns)
                .max()
                .unwrap_or_default(),
            windows: joined(segment),
            invalid: times.as_ref().err().map(|reason| reason.exact().to_owned()),
            times: times.unwrap_or_default(),
        };
        read.invalid = read
            .invalid
            .take()
            .or_else(|| validity::why_not(&read.times.lag, &read.times.response, &plan.slo));
        read
    }

    pub(super) fn counts_for_figures(&self) -> bool {
        self.invalid.is_none() && self.segment.failure.is_none()
    }

    /// Of all of its processes together, or of the server that has the model.
    pub(super) fn cpu_time(&self) -> Observed<Nanos> {
        let of_processes = || {
            let processes = self.segment.processes.iter();
            Ok(processes.map(|process| process.served.cpu_time_ns).sum())
        };
        let of_server = self.segment.server_cpu_time_ns.clone();
        of_server.unwrap_or_else(of_processes)
    }

    /// Resident memory of its processes, each at its most; `None` where one is not known.
    pub(super) fn peak_memory(&self) -> Option<Bytes> {
        self.segment
            .processes
            .iter()
            .map(|process| {
                process
                    .samples
                    .iter()
                    .filter_map(|sample| sample.memory_bytes)
                    .max()
            })
            .sum()
    }
}

impl Times {
    fn of(segment: &LoadSegment) -> Observed<Self> {
        Ok(Times {
            response: pooled(segment, |times| &times.response)?,
            service: pooled(segment, |times| &times.service)?,
            waiting: pooled(segment, |times| &times.waiting)?,
            lag: pooled(segment, |times| &times.lag)?,
        })
    }
}

fn pooled(segment: &LoadSegment, of: fn(&LoadTimes) -> &String) -> Observed<Buckets> {
    let parts = segment
        .processes
        .iter()
        .map(|process| of(&process.served.times))
        .filter(|text| !text.is_empty())
        .map(|text| Buckets::decode(text))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("its times cannot be read: {error}"))?;
    Ok(Buckets::pooled(&parts))
}

impl<'a> Pool<'a> {
    pub(super) fn valid(&self) -> impl Iterator<Item = &Read<'a>> + Clone {
        self.segments
            .iter()
            .filter(|segment| segment.counts_for_figures())
    }

    /// Segments that count, by their rounds.
    pub(super) fn rounds(&self) -> Vec<Vec<&Read<'a>>> {
        let mut rounds: BTreeMap<u64, Vec<&Read<'a>>> = BTreeMap::new();
        for segment in self.valid() {
            rounds
                .entry(segment.segment.round)
                .or_default()
                .push(segment);
        }
        rounds.into_values().collect()
    }
}
