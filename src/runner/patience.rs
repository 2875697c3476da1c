//! How long a worker is waited for before it counts as stuck, and who is told meanwhile.
//!
//! A worker of which nothing is known is waited for as long as the user says. Once a session has
//! answered with inferences, and its longest answer or its loading took `a` (or a request is
//! expected to take `a`, if that is longer), its workers have the larger of 5 s and `3 a`, and no
//! longer than what is left of the run, but the larger of 2 s and `2 a` however little that is:
//! what is begun in time may end late, and an honest worker in the midst of its last inference is
//! not to be killed for it, nor for what a loaded machine adds to it. So a worker that hangs costs
//! a run the larger of 2 s and `2 a` beyond its end, and never more. New launches are treated
//! alike, `a` being the longest launch. The first inferences of a session have what is left, or 5 s
//! or three launches where that is more; nothing has longer than `--timeout`.

use std::pin::pin;
use std::time::{Duration, Instant};

use super::{Observer, Progress};
use crate::protocol::Request;

/// A worker that answers within this time is not stuck: what a loaded machine may add.
const LEAST: Duration = Duration::from_secs(5);
/// One that takes less than so many times its longest answer is not stuck either.
const TIMES: u32 = 3;
/// However little is left of the run, a worker is waited for this long, or twice as long as its
/// longest answer took.
const GRACE: Duration = Duration::from_secs(2);
/// Inferences of a cell before its first block, at most, where they are long.
pub(super) const BEFORE_BLOCKS: u32 = 4;
/// When whoever shows progress is first told that a worker is still waited for; then twice as late
/// each time.
const FIRST_WORD: Duration = Duration::from_secs(5);

#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// As long as the user lets a worker take of which nothing is known.
    pub usual: Duration,
    /// When the time of the run is over; absent: never.
    pub end: Option<Instant>,
    /// Longest time that the session took to be created, from the start of its worker; absent if it
    /// never was.
    pub load: Option<Duration>,
    /// Longest answer of the session that had inferences in it; absent if there was none.
    pub answer: Option<Duration>,
}

impl Patience {
    /// How long the answer to a request is waited for that is `expected` to take so long; zero
    /// where nothing is known.
    pub(super) fn limit(&self, request: &Request, expected: Duration) -> Duration {
        if is_of_start(request) {
            self.limit_of_start()
        } else {
            self.limit_of_run(expected)
        }
    }

    pub(super) fn limit_of_start(&self) -> Duration {
        self.load.map_or(self.usual, |load| self.limit_of(load))
    }

    fn limit_of_run(&self, expected: Duration) -> Duration {
        let longest = self
            .load
            .unwrap_or_default()
            .max(self.answer.unwrap_or_default());
        if self.answer.is_some() || !expected.is_zero() {
            return self.limit_of(longest.max(expected));
        }
        self.usual
            .min(until(self.end).max(longest * TIMES).max(LEAST))
    }

    /// The limit where something of the kind took so long: no more than what is left, but what was
    /// begun may end.
    fn limit_of(&self, longest: Duration) -> Duration {
        let left = until(self.end).max(GRACE);
        longest
            .saturating_mul(TIMES)
            .max(LEAST)
            .min(left.max(longest.saturating_mul(2)))
            .min(self.usual)
    }

    /// Takes note of what an answer took; `since_start` is the time since the worker was started.
    pub(super) fn learn(&mut self, request: &Request, took: Duration, since_start: Duration) {
        match request {
            Request::Load { .. } => self.load = longest(self.load, since_start),
            request if is_of_start(request) => {}
            _ => self.answer = longest(self.answer, took),
        }
    }
}

fn longest(known: Option<Duration>, took: Duration) -> Option<Duration> {
    Some(known.unwrap_or_default().max(took))
}

fn is_of_start(request: &Request) -> bool {
    matches!(
        request,
        Request::Describe { .. } | Request::Open { .. } | Request::Load { .. }
    )
}

/// Time until then; without an end, more than anything takes.
pub(super) fn until(end: Option<Instant>) -> Duration {
    end.map_or(Duration::MAX, |end| {
        end.saturating_duration_since(Instant::now())
    })
}

/// Says after a while how long a worker is waited for. `what` is such as `fp32 is being loaded`,
/// for `limit` at most.
pub(super) async fn telling<T>(
    observer: &mut dyn Observer,
    what: &str,
    limit: Duration,
    work: impl Future<Output = T>,
) -> T {
    let began = tokio::time::Instant::now();
    let mut work = pin!(work);
    let mut word = FIRST_WORD;
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep_until(began + word) => {
                observer.observe(&Progress::Waiting { what, waited: word, limit });
                word *= 2;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const END: Request = Request::End;

    fn patience(left: Option<u32>, load: Option<Duration>, answer: Option<Duration>) -> Patience {
        Patience {
            usual: SECOND * 120,
            end: left.map(|left| Instant::now() + SECOND * left),
            load,
            answer,
        }
    }

    #[track_caller]
    fn assert_about(limit: Duration, secs: f64) {
        assert!(
            (limit.as_secs_f64() - secs).abs() < 0.5,
            "{limit:?} is not about {secs} s"
        );
    }

    #[test]
    fn first_load_is_waited_for_as_long_as_the_user_says_and_others_like_it() {
        for (left, load, secs) in [
            (Some(10), None, 120.0),
            (None, Some(SECOND), 5.0),
            (None, Some(SECOND * 4), 12.0),
            (None, Some(SECOND * 50), 120.0),
        ] {
            assert_about(patience(left, load, None).limit_of_start(), secs);
        }
    }

    #[test]
    fn a_worker_has_three_times_its_longest_answer_and_not_more_than_is_left_but_may_end_what_it_began()
     {
        assert_about(
            patience(Some(100), Some(SECOND), Some(SECOND)).limit(&END, SECOND * 10),
            30.0,
        );
        for (left, answer, secs) in [
            (100, SECOND / 10, 5.0),
            (100, SECOND * 4, 12.0),
            (4, SECOND, 4.0),
            (7, SECOND * 3, 7.0),
            // Less is left than what an honest worker may need that is in the midst of its last
            // inference.
            (0, SECOND / 10, 2.0),
            (0, SECOND * 3, 6.0),
        ] {
            assert_about(
                patience(Some(left), Some(SECOND), Some(answer)).limit(&END, Duration::ZERO),
                secs,
            );
        }
        // Nothing is known of what an inference takes.
        assert_about(
            patience(Some(9), Some(SECOND), None).limit(&END, Duration::ZERO),
            9.0,
        );
        assert_about(
            patience(None, Some(SECOND), None).limit(&END, Duration::ZERO),
            120.0,
        );
    }
}
