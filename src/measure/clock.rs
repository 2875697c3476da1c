//! The one place that reads the clock of a measurement.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::sys::prctl;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep};

use crate::units::Nanos;

/// A clock that never goes backwards.
pub trait Clock: Sync {
    /// Time since an arbitrary but fixed origin.
    fn now(&self) -> Nanos;
}

/// The system's monotonic clock (`CLOCK_MONOTONIC`).
#[derive(Clone, Copy, Debug, Default)]
pub struct MonotonicClock;

impl Clock for MonotonicClock {
    #[inline]
    fn now(&self) -> Nanos {
        // CLOCK_MONOTONIC exists on every system that onnxprof runs on; 0 would show as an absurd
        // span.
        clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Nanos(0), |time| {
            Nanos(time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64)
        })
    }
}

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

impl MonotonicClock {
    /// Waits until a time; returns at once where it has passed.
    pub fn sleep_until(self, time: Nanos) {
        let wanted = TimeSpec::new((time.0 / SECOND) as i64, (time.0 % SECOND) as i64);
        while self.now() < time {
            // A signal ends it early.
            let _ = clock_nanosleep(
                ClockId::CLOCK_MONOTONIC,
                ClockNanosleepFlags::TIMER_ABSTIME,
                &wanted,
            );
        }
    }

    /// Has the kernel wake this thread when it is time, and not up to 50 us later together with
    /// others, which is its default.
    pub fn wake_in_time() {
        // An old kernel keeps its default, which shows as lag.
        let _ = prctl::set_timerslack(1);
    }
}

/// A clock that stands still until it is told to move: scripted engines measure nothing real.
#[derive(Debug, Default)]
pub struct ManualClock {
    now_ns: AtomicU64,
}

impl ManualClock {
    /// Moves the clock forward.
    pub fn advance(&self, span: Nanos) {
        self.now_ns.fetch_add(span.0, Ordering::Relaxed);
    }

    /// Puts the clock to a time, which may be an earlier one: inferences that are played one after
    /// the other may have run at the same time.
    pub fn set(&self, now: Nanos) {
        self.now_ns.store(now.0, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Nanos {
        Nanos(self.now_ns.load(Ordering::Relaxed))
    }
}

/// Whichever clock an engine's inferences run on.
#[derive(Clone, Debug)]
pub enum EngineClock {
    /// Inferences take real time.
    Monotonic,
    /// Inferences take the time that a script says.
    Manual(Arc<ManualClock>),
}

impl Clock for EngineClock {
    #[inline]
    fn now(&self) -> Nanos {
        match self {
            EngineClock::Monotonic => MonotonicClock.now(),
            EngineClock::Manual(clock) => clock.now(),
        }
    }
}
