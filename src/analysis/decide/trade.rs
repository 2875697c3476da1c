//! What more throughput costs in latency beyond the knee of a curve.

use crate::analysis::BatchCurve;

/// A batch size with enough throughput against the knee's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trade {
    /// The batch size with enough throughput, larger than the knee's.
    pub batch_size: u64,
    /// Its throughput over that of the knee.
    pub throughput_factor: f64,
    /// Its median latency over that of the knee.
    pub latency_factor: f64,
}

impl BatchCurve {
    /// Cost and gain of the batch size with enough throughput against the knee's; `None` where it is no
    /// larger one.
    #[must_use]
    pub fn trade(&self, knee: u64) -> Option<Trade> {
        let (enough, knee) = self.point(self.enough).zip(self.point(knee))?;
        (enough.batch_size > knee.batch_size).then(|| Trade {
            batch_size: enough.batch_size,
            throughput_factor: enough.throughput_per_sec / knee.throughput_per_sec,
            latency_factor: enough.latency_p50_ns / knee.latency_p50_ns,
        })
    }
}
