//! A scripted session under load, with faults that only load brings to light.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use ndarray::{ArrayD, IxDyn};
use serde::Deserialize;

use super::{ScriptedInference, ScriptedSession};
use crate::engine::{Result, ServedInference, ServedInputs};
use crate::inputs::{Tensor, TensorData};
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
    fn latency(&self, undisturbed: Nanos, at: Nanos) -> Nanos {
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
    began_at: OnceLock<Nanos>,
    requests: AtomicU64,
    leaked: Mutex<Vec<Vec<u8>>>,
}

impl Load {
    /// Counts a request; whether its outputs are to be wrong.
    fn take(&self, faults: &UnderLoad) -> bool {
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

/// What one caller runs: any number of requests at once.
pub(super) fn caller<'s>(
    session: &'s ScriptedSession,
    inputs: &ServedInputs,
    caller: u64,
) -> Box<dyn ServedInference + 's> {
    let sizes: Vec<u64> = inputs.batches.iter().map(|batch| batch.size).collect();
    let most = sizes.last().copied().unwrap_or(1) as usize;
    Box::new(ScriptedCaller {
        inference: session.inference(1, inputs.seed.wrapping_mul(31).wrapping_add(caller)),
        began_at: *session.load.began_at.get_or_init(|| session.now()),
        sizes,
        answers: Vec::with_capacity(most),
    })
}

struct ScriptedCaller<'s> {
    inference: ScriptedInference<'s>,
    began_at: Nanos,
    sizes: Vec<u64>,
    answers: Vec<Answer>,
}

struct Answer {
    sample: usize,
    is_wrong: bool,
}

impl ScriptedCaller<'_> {
    /// The size of the batch that has room for so many requests.
    fn size(&self, requests: usize) -> u64 {
        let requests = requests as u64;
        let mut sizes = self.sizes.iter().copied();
        sizes.find(|&size| size >= requests).unwrap_or(requests)
    }
}

impl ServedInference for ScriptedCaller<'_> {
    fn run(&mut self, samples: &[usize]) -> Result<()> {
        let session = self.inference.session;
        let faults = &session.variant.under_load;
        self.inference.batch_size = self.size(samples.len());
        let latency = self.inference.next_latency()?;
        let at = session.now().since(self.began_at);
        session.pass(faults.latency(latency, at));
        self.answers.clear();
        for &sample in samples {
            self.answers.push(Answer {
                sample,
                is_wrong: session.load.take(faults),
            });
        }
        Ok(())
    }

    /// The place of the sample, or another number.
    fn outputs(&self, place: usize) -> Vec<Tensor> {
        let of = |answer: &Answer| answer.sample as f32 + if answer.is_wrong { 0.5 } else { 0.0 };
        self.answers
            .get(place)
            .map(of)
            .map(|value| Tensor {
                name: "y".into(),
                data: TensorData::Float(ArrayD::from_elem(IxDyn(&[1]), value)),
            })
            .into_iter()
            .collect()
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
