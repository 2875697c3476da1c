//! The queue that serves, driven in a time of its own.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Arriving, Desk, Next, Request, Tally};
use crate::units::Nanos;

/// What takes the place of inferences.
pub trait Service {
    /// Time of an inference of these requests that starts at `start`; `None` if it fails at once.
    fn time(&mut self, batch: &[Request], start: Nanos) -> Option<Nanos>;
}

/// What counts requests that are served.
pub trait Counting {
    /// A request came, and waits or was rejected; so many wait now.
    fn came(&mut self, request: &Request, was_taken: bool, waiting: u64);

    /// An inference of these requests ran from `start` to `end`.
    fn ran(&mut self, batch: &[Request], start: Nanos, end: Nanos);

    /// An inference of these requests failed at `end`.
    fn failed(&mut self, batch: &[Request], end: Nanos);
}

impl Counting for Tally {
    fn came(&mut self, request: &Request, was_taken: bool, waiting: u64) {
        Tally::came(self, request, was_taken, waiting);
    }

    fn ran(&mut self, batch: &[Request], start: Nanos, end: Nanos) {
        Tally::ran(self, batch, start, end);
    }

    fn failed(&mut self, batch: &[Request], end: Nanos) {
        Tally::failed(self, batch, end);
    }
}

/// A caller that is busy until some time with some requests.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Busy {
    until: Nanos,
    caller: usize,
}

/// Serves all requests with so many callers, and counts them in `tally`. Nobody is late: a request
/// is sent when it is due.
pub fn simulate<S: Service, C: Counting>(
    arrivals: &mut dyn Arriving,
    desk: &mut Desk,
    callers: usize,
    service: &mut S,
    tally: &mut C,
) {
    let mut course = Course {
        desk,
        service,
        tally,
        busy: BinaryHeap::with_capacity(callers),
        free: (0..callers).collect(),
        batches: vec![Running::default(); callers],
    };
    let (mut now, mut number) = (Nanos(0), 0);
    loop {
        let mut wake = course.start(now);
        if arrivals.is_over() && course.busy.is_empty() {
            course.desk.close();
            if course.desk.waiting() == 0 {
                return;
            }
            wake = Some(now);
        }
        let arrival = arrivals.peek();
        let end = course.busy.peek().map(|Reverse(busy)| busy.until);
        let Some(next) = [arrival, end, wake].into_iter().flatten().min() else {
            return;
        };
        now = now.max(next);
        if end == Some(next) {
            course.finish(arrivals);
        } else if arrival == Some(next) {
            arrivals.pop();
            if !course.arrive(number, next) {
                arrivals.rejected(next);
            }
            number += 1;
        }
    }
}

struct Course<'a, S, C> {
    desk: &'a mut Desk,
    service: &'a mut S,
    tally: &'a mut C,
    busy: BinaryHeap<Reverse<Busy>>,
    free: Vec<usize>,
    batches: Vec<Running>,
}

/// What a caller runs.
#[derive(Clone, Debug, Default)]
struct Running {
    batch: Vec<Request>,
    start: Nanos,
    has_failed: bool,
}

impl<S: Service, C: Counting> Course<'_, S, C> {
    /// Whether the request was taken.
    fn arrive(&mut self, number: u64, due: Nanos) -> bool {
        let request = Request {
            number,
            scheduled: due,
            sent: due,
        };
        let was_taken = self.desk.offer(request);
        self.tally.came(&request, was_taken, self.desk.waiting());
        was_taken
    }

    /// Lets free callers take what they may; returns when one is to ask again.
    fn start(&mut self, now: Nanos) -> Option<Nanos> {
        while let Some(&caller) = self.free.last() {
            let running = &mut self.batches[caller];
            match self.desk.take(now, &mut running.batch) {
                Next::Run => {
                    let time = self.service.time(&running.batch, now);
                    running.start = now;
                    running.has_failed = time.is_none();
                    let until = now + time.unwrap_or_default();
                    self.free.pop();
                    self.busy.push(Reverse(Busy { until, caller }));
                }
                Next::Later(time) => return Some(time),
                Next::Nothing | Next::Closed => return None,
            }
        }
        None
    }

    fn finish(&mut self, arrivals: &mut dyn Arriving) {
        let Some(Reverse(Busy { until, caller })) = self.busy.pop() else {
            return;
        };
        let running = &self.batches[caller];
        if running.has_failed {
            self.tally.failed(&running.batch, until);
        } else {
            self.tally.ran(&running.batch, running.start, until);
        }
        for _ in &running.batch {
            arrivals.answered(until);
        }
        self.free.push(caller);
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_distr::Exp1;
    use rand_pcg::Pcg64Mcg;

    use super::*;
    use crate::plan::{Arrivals, Offer, Serving, Share};
    use crate::stats::{Buckets, Latencies, Quantile};
    use crate::traffic::arrivals;
    use crate::units::PerSecond;

    const MS: Nanos = Nanos(1_000_000);

    /// Every inference takes as long.
    struct Fixed(Nanos);

    impl Service for Fixed {
        fn time(&mut self, _: &[Request], _: Nanos) -> Option<Nanos> {
            Some(self.0)
        }
    }

    /// Inferences take exponential times of this mean.
    struct Exponential {
        mean: Nanos,
        random: Pcg64Mcg,
    }

    impl Service for Exponential {
        fn time(&mut self, _: &[Request], _: Nanos) -> Option<Nanos> {
            let drawn: f64 = self.random.sample(Exp1);
            Some(Nanos((drawn * self.mean.as_f64()) as u64))
        }
    }

    /// The first inference from some time on takes 100 ms longer.
    struct Stalling {
        at: Nanos,
        has_stalled: bool,
    }

    impl Stalling {
        const STALL: Nanos = Nanos(100_000_000);
    }

    impl Service for Stalling {
        fn time(&mut self, _: &[Request], start: Nanos) -> Option<Nanos> {
            if self.has_stalled || start < self.at {
                return Some(MS);
            }
            self.has_stalled = true;
            Some(MS + Self::STALL)
        }
    }

    /// What becomes of Poisson arrivals at a rate for so many seconds.
    fn served(rate: f64, seconds: u64, callers: usize, service: &mut impl Service) -> Tally {
        let length = Nanos(seconds * 1_000_000_000);
        let offer = Offer::at(PerSecond(rate), length, 7);
        let mut arriving = arrivals(&Arrivals::Poisson, &offer, Share::WHOLE).unwrap();
        let mut desk = Desk::new(&Serving::single(None));
        let mut tally = Tally::new(length, 10, 1);
        simulate(arriving.as_mut(), &mut desk, callers, service, &mut tally);
        assert_eq!(tally.response.count(), tally.lag.count());
        tally
    }

    #[track_caller]
    fn assert_within_5_percent(found: f64, expected: f64) {
        assert!(
            (found / expected - 1.0).abs() < 0.05,
            "{found} of {expected}"
        );
    }

    #[test]
    fn one_server_of_constant_time_waits_as_the_formula_says() {
        let utilization = 0.6;
        let tally = served(600.0, 400, 1, &mut Fixed(MS));
        let expected = utilization / (2.0 * (1.0 - utilization)) * MS.as_f64();
        assert_within_5_percent(tally.waiting.mean().unwrap(), expected);
    }

    #[test]
    fn one_server_of_exponential_time_waits_as_the_formula_says() {
        let utilization: f64 = 0.6;
        let random = Pcg64Mcg::seed_from_u64(3);
        let tally = served(600.0, 400, 1, &mut Exponential { mean: MS, random });
        let over = MS.as_f64() / (1.0 - utilization);
        assert_within_5_percent(tally.waiting.mean().unwrap(), utilization * over);
        let p99 = tally.waiting.nearest_rank(Quantile::P99).unwrap();
        assert_within_5_percent(p99.as_f64(), (utilization / 0.01).ln() * over);
    }

    #[test]
    fn two_servers_of_exponential_time_wait_as_the_formula_says() {
        // Erlang C of two servers: 2 u^2 / (1 + u).
        let utilization: f64 = 0.8;
        let random = Pcg64Mcg::seed_from_u64(4);
        let tally = served(1600.0, 400, 2, &mut Exponential { mean: MS, random });
        let waits = 2.0 * utilization * utilization / (1.0 + utilization);
        let expected = waits * MS.as_f64() / (2.0 * (1.0 - utilization));
        assert_within_5_percent(tally.waiting.mean().unwrap(), expected);
    }

    fn above(latencies: &Latencies, bound: Nanos) -> u64 {
        Buckets::from(latencies).count_above(bound)
    }

    #[test]
    fn a_stall_is_in_the_responses_of_all_who_waited_for_it_and_in_one_service_time() {
        let mut stalling = Stalling {
            at: Nanos(5_000_000_000),
            has_stalled: false,
        };
        let tally = served(500.0, 10, 1, &mut stalling);
        assert!(tally.response.max().unwrap() >= Stalling::STALL);
        // Of some 50 requests that came meanwhile, half waited for more than half of it, and those
        // that came while these were served waited as well.
        let half = Nanos(Stalling::STALL.0 / 2);
        assert!((25..100).contains(&above(&tally.response, half)));
        assert_eq!(above(&tally.service, half), 1);
        assert_eq!(above(&tally.service, Nanos(2 * MS.0)), 1);
    }
}
