//! A run under load on its way: who is measured, what was, and what is left to spend.

use crate::analysis::load::capacity::{self, Limit, Seen};
use crate::plan::LoadPlan;
use crate::record::{
    EndReason, FailureKind, LoadKey, LoadSegment, LoadStage, Offer, Phase, RunRecord,
};
use crate::runner::{Clock, LoadMove, NextSegment};
use crate::units::{Nanos, PerSecond};

/// A candidate that failed so often in a row is left out.
const MOST_FAILURES: usize = 2;

pub(super) struct Course<'a> {
    pub(super) record: &'a RunRecord,
    pub(super) plan: &'a LoadPlan,
    pub(super) clock: Clock,
    /// Segments that count.
    pub(super) seen: Vec<&'a Seen>,
    pub(super) limits: Vec<Limit>,
    /// Those that are still measured, the first one what the others are compared with.
    pub(super) candidates: Vec<LoadKey>,
}

impl<'a> Course<'a> {
    /// `None` where nothing is planned under load, or no candidate is left.
    pub(super) fn of(record: &'a RunRecord, seen: Vec<&'a Seen>, clock: Clock) -> Option<Self> {
        let plan = record.plan.load.as_ref()?;
        let mut course = Course {
            record,
            plan,
            clock,
            seen,
            limits: capacity::limits(&plan.slo),
            candidates: Vec::new(),
        };
        course.candidates = course.in_order();
        (!course.candidates.is_empty()).then_some(course)
    }

    /// The baseline's sessions first, each in all ways of serving.
    fn in_order(&self) -> Vec<LoadKey> {
        let mut sessions: Vec<usize> = (0..self.record.plan.sessions.len()).collect();
        sessions.sort_by_key(|&session| Some(session) != self.record.plan.baseline_session());
        let keys = sessions.into_iter().flat_map(|session| {
            (0..self.plan.servings.len()).map(move |serving| LoadKey { session, serving })
        });
        keys.filter(|&key| self.single_service(key).is_some() && !self.has_failed(key))
            .collect()
    }

    pub(super) fn segments(&self) -> &'a [LoadSegment] {
        self.record
            .load
            .as_ref()
            .map_or(&[], |load| load.segments.as_slice())
    }

    /// Of what it cannot have more of, once is enough.
    fn has_failed(&self, key: LoadKey) -> bool {
        let own = self.segments().iter().rev().filter(|one| one.key == key);
        let failures: Vec<FailureKind> = own
            .map_while(|one| one.failure.as_ref().map(|failure| failure.kind))
            .collect();
        failures.len() >= MOST_FAILURES || failures.contains(&FailureKind::OutOfMemory)
    }

    /// Mean time of an inference without load at the smallest batch size, in seconds.
    fn single_service(&self, key: LoadKey) -> Option<f64> {
        self.services(key).next().map(|(_, seconds)| seconds)
    }

    /// Batch sizes that are formed, and mean times of an inference without load, in seconds.
    fn services(&self, key: LoadKey) -> impl Iterator<Item = (u64, f64)> {
        let most = self.plan.servings[key.serving].max_batch();
        let sizes = &self.record.plan.batch_sizes;
        let smallest = sizes.first().copied().unwrap_or(1);
        sizes
            .iter()
            .filter(move |&&size| size <= most.max(smallest))
            .filter_map(move |&size| Some((size, self.mean_service(key.session, size)?)))
    }

    fn mean_service(&self, session: usize, batch_size: u64) -> Option<f64> {
        let blocks = self.record.blocks.iter().filter(|block| {
            block.phase == Phase::Timed
                && (block.key.session, block.key.batch_size) == (session, batch_size)
        });
        let (time, count) = blocks.fold((0.0, 0.0), |(time, count), block| {
            let inferences = block.inferences_count as f64;
            (
                time + block.mean_ns.as_secs_f64() * inferences,
                count + inferences,
            )
        });
        (count > 0.0).then(|| time / count)
    }

    /// Requests per second that one thread after another would serve at most without load.
    pub(super) fn nominal(&self, key: LoadKey) -> f64 {
        let smallest = self.record.plan.batch_sizes.first().copied().unwrap_or(1);
        let rates = self
            .services(key)
            .map(|(size, seconds)| (size / smallest).max(1) as f64 / seconds.max(1e-9));
        rates.fold(0.0, f64::max) * self.parallel(key)
    }

    /// Inferences that run at once on CPUs of their own.
    fn parallel(&self, key: LoadKey) -> f64 {
        let serving = &self.plan.servings[key.serving];
        let threads = self.record.plan.sessions[key.session].options.intra_threads;
        let cpus = self.record.host.usable_cpus_count;
        let callers = serving.callers * serving.processes;
        callers.min((cpus / threads.max(1)).max(1)) as f64
    }

    /// Requests per second that were completed under more load than can be served, where that was
    /// measured.
    pub(super) fn served_at_most(&self, key: LoadKey) -> Option<f64> {
        let probed = self
            .seen
            .iter()
            .filter(|one| one.key == key && one.stage == LoadStage::Bracket);
        probed.map(|one| one.completed_per_sec()).reduce(f64::max)
    }

    /// Rounds that are measured: as many as were asked for.
    pub(super) fn rounds_or(&self, usual: u64) -> u64 {
        self.record.plan.schedule.rounds_count.unwrap_or(usual)
    }

    /// Seed of the requests of a round's so manieth segment of each candidate.
    pub(super) fn seed(&self, round: u64, index: usize) -> u64 {
        let mixed = self.record.plan.schedule.seed
            ^ (round + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ (index as u64 + 1).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
        mixed.wrapping_mul(0xFF51_AFD7_ED55_8CCD) ^ (mixed >> 33)
    }

    /// An offer at one rate, which no machine exceeds.
    pub(super) fn offer(&self, rate: f64, length: Nanos, seed: u64) -> Offer {
        Offer::at(PerSecond(rate.min(1e6)), length, seed)
    }

    /// Whether a segment of this length would not come to its end in time.
    pub(super) fn is_late_for(&self, length: Nanos) -> bool {
        self.clock.is_over || self.clock.left < self.expected(length)
    }

    /// By what a second of load has taken so far.
    fn expected(&self, length: Nanos) -> std::time::Duration {
        std::time::Duration::from(length).mul_f64(self.pace().unwrap_or(1.0))
    }

    /// Seconds that a second of a segment takes, by the starts of segments that follow each other;
    /// where a script plays time, less than nothing to speak of.
    fn pace(&self) -> Option<f64> {
        let segments = self.segments();
        let (first, last) = (segments.first()?, segments.last()?);
        let taken = last.started_ns.since(first.started_ns).as_secs_f64();
        let asked: f64 = segments[..segments.len() - 1]
            .iter()
            .map(|one| one.offer.whole_length().as_secs_f64())
            .sum();
        (asked > 0.0).then(|| taken / asked)
    }

    pub(super) fn segment(
        &self,
        key: LoadKey,
        round: u64,
        stage: LoadStage,
        offer: Offer,
    ) -> LoadMove {
        if self.is_late_for(offer.whole_length()) {
            return end(EndReason::BudgetSpent);
        }
        LoadMove::Segment(NextSegment {
            key,
            round,
            stage,
            offer,
        })
    }
}

pub(super) fn end(reason: EndReason) -> LoadMove {
    LoadMove::End { reason, note: None }
}
