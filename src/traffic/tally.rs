//! What is counted of requests while they are served.

use super::Request;
use crate::stats::Latencies;
use crate::units::Nanos;

/// Counts and histograms of one thread that serves, or of one that sends. Memory is taken at the
/// start; nothing allocates after.
#[derive(Clone, Debug)]
pub struct Tally {
    /// From the scheduled arrival to the last output.
    pub response: Latencies,
    /// From the start of the inference to the last output.
    pub service: Latencies,
    /// From the scheduled arrival to the start of the inference.
    pub waiting: Latencies,
    /// From the scheduled arrival to the moment of sending.
    pub lag: Latencies,
    /// Equal parts of the segment; what ends later than the last counts to it.
    pub windows: Vec<Window>,
    /// Inference times by the number of requests in them: at index 0 of those with one.
    pub runs: Vec<Latencies>,
    /// Length of a window.
    window: Nanos,
}

/// Counts of one part of a segment.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// Requests scheduled in it.
    pub offered: u64,
    /// Requests answered in it.
    pub completed: u64,
    /// Requests rejected in it.
    pub rejected: u64,
    /// Requests that failed in it.
    pub failed: u64,
    /// Requests that waited when it ended.
    pub queue: u64,
    /// Longest response time.
    pub response_max: Nanos,
    /// Response times, in coarse steps.
    pub responses: Coarse,
}

/// Buckets of a factor of 2^(1/64) each, which take little memory.
#[derive(Clone, Debug)]
pub struct Coarse(Box<[u32; Coarse::BUCKETS]>);

impl Default for Coarse {
    fn default() -> Self {
        Coarse(Box::new([0; Coarse::BUCKETS]))
    }
}

impl Coarse {
    const PER_OCTAVE: f64 = 64.0;
    const BUCKETS: usize = 42 * 64;

    fn record(&mut self, value: Nanos) {
        let bucket = ((value.0.max(1) as f64).log2() * Self::PER_OCTAVE) as usize;
        self.0[bucket.min(Self::BUCKETS - 1)] += 1;
    }

    fn merge(&mut self, other: &Coarse) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0.iter()) {
            *mine += theirs;
        }
    }

    /// The median, within 1.1%, between the ends of its bucket by how many lie below it there;
    /// `None` of nothing.
    #[must_use]
    pub fn median(&self) -> Option<Nanos> {
        let total: u64 = self.0.iter().map(|&count| u64::from(count)).sum();
        let mut left = total.div_ceil(2);
        (total > 0).then_some(())?;
        for (bucket, &count) in self.0.iter().enumerate() {
            if u64::from(count) >= left {
                let place = (left as f64 - 0.5) / f64::from(count);
                let octaves = (bucket as f64 + place) / Self::PER_OCTAVE;
                return Some(Nanos(octaves.exp2() as u64));
            }
            left -= u64::from(count);
        }
        None
    }
}

impl Tally {
    /// An empty tally of a segment of this length, cut into so many windows, with batches of up to
    /// `max_batch`.
    #[must_use]
    pub fn new(length: Nanos, windows: usize, max_batch: u64) -> Self {
        let windows = windows.max(1);
        Tally {
            response: Latencies::new(),
            service: Latencies::new(),
            waiting: Latencies::new(),
            lag: Latencies::new(),
            windows: vec![Window::default(); windows],
            runs: vec![Latencies::new(); max_batch.max(1) as usize],
            window: Nanos(length.0.div_ceil(windows as u64).max(1)),
        }
    }

    /// Length of a window.
    #[must_use]
    pub fn window_length(&self) -> Nanos {
        self.window
    }

    /// A request came, and waits or was rejected.
    pub fn came(&mut self, request: &Request, was_taken: bool, waiting: u64) {
        self.lag.record(request.sent.since(request.scheduled));
        self.window_at(request.scheduled).offered += 1;
        let window = self.window_at(request.sent);
        window.queue = waiting;
        if !was_taken {
            window.rejected += 1;
        }
    }

    /// So many requests waited when a window ended, by its number.
    pub fn window_ended(&mut self, window: usize, waiting: u64) {
        if let Some(window) = self.windows.get_mut(window) {
            window.queue = waiting;
        }
    }

    /// An inference of these requests ran from `start` to `end`.
    pub fn ran(&mut self, batch: &[Request], start: Nanos, end: Nanos) {
        let service = end.since(start);
        if let Some(runs) = batch
            .len()
            .checked_sub(1)
            .and_then(|size| self.runs.get_mut(size))
        {
            runs.record(service);
        }
        for request in batch {
            let response = end.since(request.scheduled);
            self.response.record(response);
            self.service.record(service);
            self.waiting.record(start.since(request.scheduled));
            let window = self.window_at(end);
            window.completed += 1;
            window.response_max = window.response_max.max(response);
            window.responses.record(response);
        }
    }

    /// An inference of these requests failed at `end`.
    pub fn failed(&mut self, batch: &[Request], end: Nanos) {
        self.window_at(end).failed += batch.len() as u64;
    }

    /// Adds what another thread counted of the same segment. Queues are those of the thread that
    /// sends, which is this one.
    pub fn merge(&mut self, other: &Tally) {
        self.response.merge(&other.response);
        self.service.merge(&other.service);
        self.waiting.merge(&other.waiting);
        self.lag.merge(&other.lag);
        for (mine, theirs) in self.windows.iter_mut().zip(&other.windows) {
            mine.offered += theirs.offered;
            mine.completed += theirs.completed;
            mine.rejected += theirs.rejected;
            mine.failed += theirs.failed;
            mine.queue = mine.queue.max(theirs.queue);
            mine.response_max = mine.response_max.max(theirs.response_max);
            mine.responses.merge(&theirs.responses);
        }
        for (mine, theirs) in self.runs.iter_mut().zip(&other.runs) {
            mine.merge(theirs);
        }
    }

    fn window_at(&mut self, time: Nanos) -> &mut Window {
        let last = self.windows.len() - 1;
        let index = ((time.0 / self.window.0) as usize).min(last);
        &mut self.windows[index]
    }
}
