//! Faults of a scripted session that only load brings to light.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use serde::Deserialize;

use crate::units::Nanos;

/// What happens to a scripted variant while requests are served that arrive by themselves.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnderLoad {
    /// One request in so many is handed wrong outputs; absent: none.
    pub corrupt_every: Option<u64>,
    /// Memory that each request leaves behind, which is really taken.
    #[serde(default)]
    pub leak_bytes: usize,
    /// Share by which latencies grow in each minute since serving began in the process.
    #[serde(default)]
    pub drift_per_minute_ratio: f64,
    /// An inference that starts in a stall ends so much later as the stall still lasts. Begins so
    /// long after serving began in the process.
    #[serde(default)]
    pub stall_at_ns: Nanos,
    /// Length of the stall.
    #[serde(default)]
    pub stall_ns: Nanos,
}

impl UnderLoad {
    pub(super) fn latency(&self, undisturbed: Nanos, at: Nanos) -> Nanos {
        let minutes = at.as_secs_f64() / 60.0;
        let drifted = undisturbed.as_f64() * (1.0 + self.drift_per_minute_ratio * minutes);
        let stalled = if at >= self.stall_at_ns {
            (self.stall_at_ns + self.stall_ns).since(at)
        } else {
            Nanos(0)
        };
        Nanos(drifted as u64) + stalled
    }
}

/// What load has left in a session.
#[derive(Debug, Default)]
pub(super) struct Load {
    pub(super) began_at: OnceLock<Nanos>,
    requests: AtomicU64,
    leaked: Mutex<Vec<Vec<u8>>>,
}

impl Load {
    /// Counts a request; whether its outputs are to be wrong.
    pub(super) fn take(&self, faults: &UnderLoad) -> bool {
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        if faults.leak_bytes > 0
            && let Ok(mut leaked) = self.leaked.lock()
        {
            leaked.push(black_box(vec![1; faults.leak_bytes]));
        }
        faults
            .corrupt_every
            .is_some_and(|every| number.is_multiple_of(every.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_grow_with_time_and_wait_for_the_end_of_a_stall() {
        const MS: u64 = 1_000_000;
        let faults: UnderLoad = serde_json::from_value(serde_json::json!({
            "drift_per_minute_ratio": 0.01, "stall_at_ns": 30_000 * MS, "stall_ns": 100 * MS,
        }))
        .unwrap();
        let at = |ms: u64| faults.latency(Nanos(10 * MS), Nanos(ms * MS)).0;
        assert_eq!((at(0), at(60_000)), (10 * MS, 101 * MS / 10));
        // 0.5% more after half a minute, and 60 ms of the stall are left.
        assert_eq!(at(30_040), 10_050_066 + 60 * MS);
        assert_eq!(at(30_100) / MS, 10);
    }
}
