//! A segment as it counts for a capacity.

use super::fit::Share;
use super::limit::{BrokenBy, Limit};
use crate::record::{LoadCounts, LoadKey, LoadSegment, LoadStage, ServedLoad};
use crate::stats::{Buckets, Latencies, Quantile};
use crate::units::Nanos;

/// Share of the bound on responses, or else of their median, up to which requests may be sent late.
const MOST_LAG: f64 = 0.05;
/// A segment whose last response comes later than its last request by this share of its length had
/// more requests than could be served.
const MOST_DRAINING: f64 = 0.1;

/// A segment that came to its end, and whose requests were sent when they were due.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What was loaded.
    pub key: LoadKey,
    /// Its round.
    pub round: u64,
    /// What it was for.
    pub stage: LoadStage,
    /// Requests per second.
    pub rate: f64,
    /// Time over which they came, in seconds.
    pub length: f64,
    /// Until the last response, in seconds.
    pub elapsed: f64,
    /// Requests by what became of them.
    pub counts: LoadCounts,
    /// Requests by which the queue grew over the segment, by a straight line.
    pub growth: f64,
    /// Requests that waited, on average.
    pub queue: f64,
    response: Buckets,
}

impl Seen {
    /// `None` where it failed, or where requests were sent late.
    #[must_use]
    pub fn of(segment: &LoadSegment, limits: &[Limit]) -> Option<Self> {
        if segment.failure.is_some() || segment.processes.is_empty() {
            return None;
        }
        let served = segment.processes.iter().map(|process| &process.served);
        let response = joined(served.clone().map(|one| &one.times.response))?;
        let lag = joined(served.clone().map(|one| &one.times.lag))?;
        is_on_time(&response, &lag, limits).then_some(())?;
        let queue = queue(served.clone());
        let elapsed = served.clone().map(|one| one.elapsed_ns).max()?;
        Some(Seen {
            key: segment.key,
            round: segment.round,
            stage: segment.stage,
            rate: segment.offer.mean_rate().0,
            length: segment.offer.length_ns.as_secs_f64(),
            elapsed: elapsed.as_secs_f64(),
            counts: served.fold(LoadCounts::default(), |sum, one| sum.plus(one.counts)),
            growth: growth(&queue),
            queue: queue.iter().sum::<f64>() / queue.len().max(1) as f64,
            response,
        })
    }

    /// Requests that break a limit.
    #[must_use]
    pub fn broken(&self, limit: &Limit) -> u64 {
        let errors = self.counts.errors();
        match limit.broken_by {
            BrokenBy::Errors => errors,
            BrokenBy::Longer(bound) => errors + self.response.count_above(bound),
        }
    }

    /// Its share of requests that break a limit.
    #[must_use]
    pub fn share(&self, limit: &Limit) -> Share {
        Share {
            log_rate: self.rate.ln(),
            requests: self.counts.offered as f64,
            broken: self.broken(limit) as f64,
        }
    }

    /// Whether all limits were kept in it, and all that came was served soon after.
    #[must_use]
    pub fn holds(&self, limits: &[Limit]) -> bool {
        let keeps =
            |limit: &Limit| self.broken(limit) as f64 <= limit.allowed * self.counts.offered as f64;
        self.kept_up(limits) && limits.iter().all(keeps)
    }

    /// Whether nothing was left over for long when the last request had come.
    fn kept_up(&self, limits: &[Limit]) -> bool {
        let usual = tightest(limits).or_else(|| self.response.nearest_rank(Quantile::P50));
        let usual = usual.unwrap_or_default().as_secs_f64();
        self.elapsed <= self.length * (1.0 + MOST_DRAINING) + usual
    }

    /// Responses per second until the last one.
    #[must_use]
    pub fn completed_per_sec(&self) -> f64 {
        self.counts.completed as f64 / self.elapsed.max(1e-9)
    }
}

fn joined<'a>(times: impl Iterator<Item = &'a String>) -> Option<Buckets> {
    let mut times = times.peekable();
    let first = times.next()?;
    if times.peek().is_none() {
        return Buckets::decode(first).ok();
    }
    let mut all = Latencies::decode(first).ok()?;
    for text in times {
        all.merge(&Latencies::decode(text).ok()?);
    }
    Buckets::decode(&all.encode()).ok()
}

fn is_on_time(response: &Buckets, lag: &Buckets, limits: &[Limit]) -> bool {
    let bound = tightest(limits).or_else(|| response.nearest_rank(Quantile::P50));
    let Some((bound, lag)) = bound.zip(lag.nearest_rank(Quantile::P99)) else {
        // Nothing was answered: that is no fault of whoever sends.
        return true;
    };
    lag.as_f64() <= MOST_LAG * bound.as_f64()
}

/// The lowest bound on responses.
fn tightest(limits: &[Limit]) -> Option<Nanos> {
    let bounds = limits.iter().filter_map(|limit| match limit.broken_by {
        BrokenBy::Longer(bound) => Some(bound),
        BrokenBy::Errors => None,
    });
    bounds.min()
}

/// Requests that waited in all processes, window by window, up to the end of the offer.
fn queue<'a>(served: impl Iterator<Item = &'a ServedLoad> + Clone) -> Vec<f64> {
    let windows = served
        .clone()
        .map(|one| one.windows.len())
        .min()
        .unwrap_or(0);
    (0..windows)
        .map(|index| {
            let waiting = served.clone().map(|one| one.windows[index].queue as f64);
            waiting.sum()
        })
        .collect()
}

/// By least squares, from the first value to the last.
fn growth(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    if values.len() < 3 {
        return 0.0;
    }
    let middle = (n - 1.0) / 2.0;
    let (mut moments, mut squares) = (0.0, 0.0);
    for (place, value) in values.iter().enumerate() {
        let place = place as f64 - middle;
        moments += place * value;
        squares += place * place;
    }
    moments / squares * (n - 1.0)
}

#[cfg(test)]
mod tests {
    use super::growth;

    #[test]
    fn growth_is_that_of_a_line() {
        assert!((growth(&[1.0, 2.0, 3.0, 4.0]) - 3.0).abs() < 1e-12);
        assert!(growth(&[1.0, 3.0, 1.0, 3.0, 1.0]).abs() < 1e-12);
        assert!(growth(&[]).abs() < 1e-12);
    }
}
