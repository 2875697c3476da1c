//! One way of serving at one rate.

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use super::times::ServiceTimes;
use super::types::Simulated;
use crate::analysis::figures::{OfLoad, Source, source};
use crate::check::{Side, Slo};
use crate::plan::{Arrivals, Offer, Serving, Share};
use crate::stats::Quantile;
use crate::traffic::{self, Counting, Desk, Request, Service};
use crate::units::{Nanos, PerSecond, Ratio};

/// Service times are drawn by a seed of their own.
const OF_SERVICE: u64 = 0x51AF_D7ED_558C_CD00;
/// Requests at the start that do not count, since the queue is empty then: one in so many.
const FIRST: u64 = 10;

pub(super) struct Run<'a> {
    pub(super) serving: &'a Serving,
    pub(super) offer: Offer,
    pub(super) arrivals: &'a Arrivals,
    pub(super) times: &'a ServiceTimes,
    pub(super) slo: &'a [Slo],
}

impl Run<'_> {
    pub(super) fn simulated(&self) -> Simulated {
        let expected = self.offer.mean_rate().0 * self.offer.length_ns.as_secs_f64();
        let mut counted = Counted::new(expected as u64 / FIRST, self.offer.length_ns);
        let mut drawn = Drawn {
            times: self.times,
            callers: self.serving.callers * self.serving.processes,
            random: Pcg64Mcg::seed_from_u64(self.offer.seed ^ OF_SERVICE),
        };
        // Patterns that read no file are always had.
        if let Ok(mut arriving) = traffic::arrivals(self.arrivals, &self.offer, Share::WHOLE) {
            let mut desk = Desk::new(self.serving);
            let callers = usize::try_from(drawn.callers.max(1)).unwrap_or(1);
            traffic::simulate(
                arriving.as_mut(),
                &mut desk,
                callers,
                &mut drawn,
                &mut counted,
            );
        }
        self.told(counted)
    }

    fn told(&self, mut counted: Counted) -> Simulated {
        counted.responses.sort_unstable();
        let completed = counted.responses.len() as u64;
        let sum: u64 = counted.responses.iter().map(|time| time.0).sum();
        let span = counted.end.max(self.offer.length_ns).as_secs_f64();
        let threads = (self.serving.callers * self.serving.processes).max(1) as f64;
        let rejected = counted.rejected as f64 / counted.offered.max(1) as f64;
        let mut simulated = Simulated {
            serving: self.serving.clone(),
            requests_count: completed,
            response_mean_ns: Nanos(sum / completed.max(1)),
            response_p50_ns: counted.at(Quantile::P50),
            response_p99_ns: counted.at(Quantile::P99),
            achieved_per_sec: PerSecond(counted.completed as f64 / span),
            utilization_ratio: Ratio(counted.busy.as_secs_f64() / (span * threads)),
            batch_size_mean: counted.completed as f64 / counted.runs.max(1) as f64,
            rejected_ratio: Ratio(rejected),
            keeps_slo: None,
        };
        simulated.keeps_slo = self.keeps_slo(&counted, &simulated);
        simulated
    }

    /// Whether every limit on responses and errors is kept, and what comes is completed.
    fn keeps_slo(&self, counted: &Counted, simulated: &Simulated) -> Option<bool> {
        let keeps = |slo: &Slo| match source(slo.metric) {
            Source::Load(OfLoad::Response(quantile)) if slo.side == Side::AtMost => {
                Some(counted.at(quantile).as_f64() <= slo.limit)
            }
            Source::Load(OfLoad::ErrorRate) => Some(simulated.rejected_ratio.0 <= slo.limit),
            Source::Load(_) | Source::Session(_) | Source::Cell(_) => None,
        };
        let kept: Vec<bool> = self.slo.iter().filter_map(keeps).collect();
        (!kept.is_empty()).then(|| kept.into_iter().all(|kept| kept))
    }
}

/// Times drawn from those that were measured.
struct Drawn<'a> {
    times: &'a ServiceTimes,
    callers: u64,
    random: Pcg64Mcg,
}

impl Service for Drawn<'_> {
    fn time(&mut self, batch: &[Request], _start: Nanos) -> Option<Nanos> {
        let size = batch.len() as u64;
        Some(self.times.draw(self.callers, size, &mut self.random))
    }
}

/// What became of requests.
struct Counted {
    /// Of requests from this number on.
    first: u64,
    responses: Vec<Nanos>,
    offered: u64,
    completed: u64,
    rejected: u64,
    runs: u64,
    busy: Nanos,
    end: Nanos,
}

impl Counted {
    fn new(first: u64, length: Nanos) -> Self {
        Counted {
            first,
            responses: Vec::with_capacity(first as usize * FIRST as usize),
            offered: 0,
            completed: 0,
            rejected: 0,
            runs: 0,
            busy: Nanos(0),
            end: length,
        }
    }

    /// Of responses that are sorted.
    fn at(&self, quantile: Quantile) -> Nanos {
        let rank = quantile.rank(self.responses.len() as u64) as usize;
        self.responses.get(rank - 1).copied().unwrap_or_default()
    }
}

impl Counting for Counted {
    fn came(&mut self, _request: &Request, was_taken: bool, _waiting: u64) {
        self.offered += 1;
        self.rejected += u64::from(!was_taken);
    }

    fn ran(&mut self, batch: &[Request], start: Nanos, end: Nanos) {
        self.runs += 1;
        self.completed += batch.len() as u64;
        self.busy = self.busy + end.since(start);
        self.end = self.end.max(end);
        let counts = batch.iter().filter(|request| request.number >= self.first);
        self.responses
            .extend(counts.map(|request| end.since(request.scheduled)));
    }

    fn failed(&mut self, _batch: &[Request], _end: Nanos) {}
}
