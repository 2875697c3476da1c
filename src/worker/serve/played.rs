//! Requests served in a time of its own, with latencies that a script plays.

use super::integrity::Reference;
use super::outcome::Course;
use crate::engine::ServedInference;
use crate::measure::{Clock, ManualClock, Usage};
use crate::protocol::ServeRequest;
use crate::record::Integrity;
use crate::traffic::{Arriving, Desk, Request, Service, Tally, simulate};
use crate::units::Nanos;

/// Callers take the same times, so that the first one plays for all.
pub(super) fn run(
    clock: &ManualClock,
    callers: Vec<Box<dyn ServedInference + '_>>,
    request: &ServeRequest,
    reference: Reference,
    arrivals: &mut dyn Arriving,
) -> Course {
    let before = Usage::now();
    let mut played = Played {
        clock,
        began_at: clock.now(),
        callers,
        limit: request.limit_ns,
        reference,
        samples: Vec::new(),
        integrity: Integrity::default(),
        last_end: Nanos(0),
        first_error: None,
    };
    let length = request.offer.whole_length();
    let mut tally = Tally::new(
        length,
        request.windows_count as usize,
        request.serving.max_batch(),
    );
    let mut desk = Desk::new(&request.serving);
    let callers_count = request.serving.callers.max(1) as usize;
    simulate(arrivals, &mut desk, callers_count, &mut played, &mut tally);
    let elapsed = played.last_end.max(length);
    clock.set(played.began_at + elapsed);
    Course {
        tally,
        elapsed,
        integrity: played.reference.told(played.integrity),
        first_error: played.first_error,
        exchanged: None,
        sender: None,
        usage: Usage::now().since(&before),
    }
}

struct Played<'a> {
    clock: &'a ManualClock,
    began_at: Nanos,
    callers: Vec<Box<dyn ServedInference + 'a>>,
    limit: Nanos,
    reference: Reference,
    /// Places of the samples of the batch that is run.
    samples: Vec<usize>,
    integrity: Integrity,
    last_end: Nanos,
    first_error: Option<String>,
}

impl Service for Played<'_> {
    fn time(&mut self, batch: &[Request], start: Nanos) -> Option<Nanos> {
        if start >= self.limit {
            self.first_error
                .get_or_insert_with(|| "the time was up".to_owned());
            return None;
        }
        let count = self.reference.samples_count().max(1) as u64;
        self.samples.clear();
        self.samples.extend(
            batch
                .iter()
                .map(|request| (request.number % count) as usize),
        );
        let at = self.began_at + start;
        self.clock.set(at);
        let caller = self.callers.first_mut()?;
        if let Err(error) = caller.run(&self.samples) {
            self.first_error.get_or_insert_with(|| error.to_string());
            return None;
        }
        for (place, &sample) in self.samples.iter().enumerate() {
            let outputs = caller.outputs(place);
            self.reference.judge(sample, outputs, &mut self.integrity);
        }
        let time = self.clock.now().since(at);
        self.last_end = self.last_end.max(start + time);
        Some(time)
    }
}
