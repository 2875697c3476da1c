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

/// A caller that is busy until some time with some requests.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Busy {
    until: Nanos,
    caller: usize,
}

/// Serves all requests with so many callers, and counts them in `tally`. Nobody is late: a request
/// is sent when it is due.
pub fn simulate(
    arrivals: &mut dyn Arriving,
    desk: &mut Desk,
    callers: usize,
    service: &mut dyn Service,
    tally: &mut Tally,
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

struct Course<'a> {
    desk: &'a mut Desk,
    service: &'a mut dyn Service,
    tally: &'a mut Tally,
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

impl Course<'_> {
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
    use super::*;
    use crate::plan::{Arrivals, Offer, Serving, Share};
    use crate::traffic::arrivals;
    use crate::units::PerSecond;

    struct Fixed(Nanos);

    impl Service for Fixed {
        fn time(&mut self, _: &[Request], _: Nanos) -> Option<Nanos> {
            Some(self.0)
        }
    }

    #[test]
    fn one_server_of_constant_time_waits_as_the_formula_says() {
        let (utilization, service) = (0.6, Nanos(1_000_000));
        let rate = PerSecond(utilization * 1e9 / service.0 as f64);
        let length = Nanos(400_000_000_000);
        let offer = Offer::at(rate, length, 7);
        let mut arrivals = arrivals(&Arrivals::Poisson, &offer, Share::WHOLE).unwrap();
        let mut desk = Desk::new(&Serving::single(None));
        let mut tally = Tally::new(length, 10, 1);
        simulate(
            arrivals.as_mut(),
            &mut desk,
            1,
            &mut Fixed(service),
            &mut tally,
        );
        let expected = utilization / (2.0 * (1.0 - utilization)) * service.0 as f64;
        let mean = tally.waiting.mean().unwrap();
        assert!((mean / expected - 1.0).abs() < 0.05, "{mean} of {expected}");
        assert_eq!(tally.response.count(), tally.lag.count());
    }
}
