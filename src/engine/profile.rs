//! A profiled session and one without the profiler, taking turns.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{EngineError, Inference};
use crate::measure::{Clock, MonotonicClock};
use crate::record::{NodeProfile, Profiled};
use crate::trace::{self, Counted, Inferences};
use crate::units::{Bytes, Nanos};

/// Stretches of each of the two sessions, where there is time for all of them.
const STRETCHES: u64 = 6;
/// How long the threads of a session's pool are given to fall asleep, before another session runs: they spin for some
/// 25 ms after an inference, in the other's way.
const SPINNING: Duration = Duration::from_millis(30);
/// Session configuration by which kernels leave weights as they are.
pub(super) const KEEP_WEIGHTS: &str = "session.disable_prepacking";
/// A larger trace is read, but not kept.
const MAX_KEPT: Bytes = Bytes(32 << 20);

/// What profiling is to give, and what it may take.
#[derive(Clone, Debug)]
pub struct ProfileTarget {
    /// Where the trace is to be kept.
    pub trace_file: PathBuf,
    /// An empty folder in the same file system, where the profiler may write.
    pub scratch: PathBuf,
    /// Profiled inferences after the first, at most.
    pub max_inferences: u64,
    /// Time after which no inferences are begun, but for the two that there must be.
    pub length: Nanos,
    /// Whether the distortion is measured.
    pub distortion: Distortion,
}

/// Whether it is measured how much the profiler distorts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distortion {
    /// A second session of the same model runs without the profiler.
    Measured,
    /// There is no second session.
    Unknown,
}

/// The sessions that take turns, with their inputs bound.
pub(super) struct Pair<'s> {
    pub profiled: Box<dyn Inference + 's>,
    pub plain: Option<Box<dyn Inference + 's>>,
    /// Whether either has threads that spin after an inference.
    pub spins: bool,
}

/// What taking turns has shown.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Latencies without the profiler.
    plain: Vec<Nanos>,
    /// Median latency with the profiler / without it, one for each pair of stretches.
    ratios: Vec<f64>,
}

impl Pair<'_> {
    /// Runs both until the target is met.
    pub(super) fn take_turns(&mut self, target: &ProfileTarget) -> Result<Turns, EngineError> {
        let began = MonotonicClock.now();
        let mut turns = Turns::default();
        stretch(self.profiled.as_mut(), 1)?;
        if let Some(plain) = &mut self.plain {
            self.spins.then(|| std::thread::sleep(SPINNING));
            stretch(plain.as_mut(), 1)?;
        }
        let stretches = STRETCHES.min(target.max_inferences).max(1);
        let length = (target.max_inferences / stretches).max(1);
        for number in 0..stretches {
            if number > 0 && MonotonicClock.now().since(began) > target.length {
                break;
            }
            self.turn(&mut turns, length, number)?;
        }
        Ok(turns)
    }

    /// A stretch of each, of which the one that comes first is not the same in every turn.
    fn turn(&mut self, turns: &mut Turns, inferences: u64, number: u64) -> Result<(), EngineError> {
        let Pair { profiled, plain, spins } = self;
        let Some(plain) = plain else { return stretch(profiled.as_mut(), inferences).map(drop) };
        let run = |inference: &mut dyn Inference| {
            spins.then(|| std::thread::sleep(SPINNING));
            stretch(inference, inferences)
        };
        let (with, without) = if number.is_multiple_of(2) {
            let with = run(profiled.as_mut())?;
            (with, run(plain.as_mut())?)
        } else {
            let without = run(plain.as_mut())?;
            (run(profiled.as_mut())?, without)
        };
        turns.ratios.push(median(&with).as_f64() / median(&without).as_f64().max(1.0));
        turns.plain.extend(without);
        Ok(())
    }
}

fn stretch(inference: &mut dyn Inference, count: u64) -> Result<Vec<Nanos>, EngineError> {
    let timed = |_| {
        let start = MonotonicClock.now();
        inference.run().map(|()| MonotonicClock.now().since(start))
    };
    (0..count).map(timed).collect()
}

/// The middle one, the lower of the two in the middle of an even number; 0 of none.
fn median(latencies: &[Nanos]) -> Nanos {
    let mut sorted = latencies.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

/// Reads the trace that the profiler wrote to `written`, and keeps it where it is wanted.
pub(super) fn read(written: &Path, target: &ProfileTarget, turns: &Turns) -> Result<Profiled, EngineError> {
    let failed = |message: String| EngineError::Profile { message };
    let found = trace::read(written, Counted::Typical).map_err(|error| failed(error.to_string()))?;
    if found.inferences == Inferences::OnlyFirst {
        return Err(failed("the trace holds only one inference".into()));
    }
    let size = std::fs::metadata(written).map_or(u64::MAX, |metadata| metadata.len());
    if size <= MAX_KEPT.0 {
        // A trace that cannot be kept has been read all the same.
        let _ = std::fs::rename(written, &target.trace_file);
    }
    Ok(Profiled {
        unprofiled_ns: (!turns.plain.is_empty()).then(|| median(&turns.plain)),
        distortion_ratios: turns.ratios.clone(),
        ..found.profiled
    })
}

/// The nodes with the shapes and bytes of a session that keeps weights as the model has them: kernels that pack weights
/// for themselves, as those of `Gemm`, `MatMul` and `QLinearConv` do, leave them out of a trace.
pub(super) fn with_weights(operators: Profiled, unpacked: &Profiled) -> Profiled {
    let nodes = operators.nodes.into_iter().map(|node| {
        let is_same = |other: &&NodeProfile| {
            (&other.name, other.node_index, &other.operator) == (&node.name, node.node_index, &node.operator)
                && other.outputs == node.outputs
        };
        match unpacked.nodes.iter().find(is_same) {
            Some(other) => NodeProfile {
                inputs: other.inputs.clone(),
                activation_bytes: other.activation_bytes,
                parameter_bytes: other.parameter_bytes,
                ..node
            },
            None => node,
        }
    });
    Profiled { nodes: nodes.collect(), ..operators }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_the_lower_of_two() {
        let of = |values: &[u64]| median(&values.iter().copied().map(Nanos).collect::<Vec<_>>());
        assert_eq!((of(&[3, 1, 2]), of(&[4, 1, 3, 2]), of(&[])), (Nanos(2), Nanos(2), Nanos(0)));
    }

    /// Counts its inferences into a place that the test reads.
    struct Counted<'c>(&'c std::cell::Cell<u64>);

    // SAFETY: tests run it on their own thread alone.
    unsafe impl Send for Counted<'_> {}

    impl Inference for Counted<'_> {
        fn run(&mut self) -> Result<(), EngineError> {
            self.0.set(self.0.get() + 1);
            Ok(())
        }
    }

    fn target(max_inferences: u64, length: Nanos) -> ProfileTarget {
        let (trace_file, scratch) = (PathBuf::new(), PathBuf::new());
        ProfileTarget { trace_file, scratch, max_inferences, length, distortion: Distortion::Measured }
    }

    #[test]
    fn both_sessions_run_as_often_and_no_more_than_they_may() {
        let counts = [std::cell::Cell::new(0), std::cell::Cell::new(0)];
        let [profiled, plain] = &counts;
        let mut pair =
            Pair { profiled: Box::new(Counted(profiled)), plain: Some(Box::new(Counted(plain))), spins: false };
        let turns = pair.take_turns(&target(20, Nanos(u64::MAX))).unwrap();
        assert_eq!((profiled.get(), plain.get()), (1 + 18, 1 + 18));
        assert_eq!((turns.ratios.len(), turns.plain.len()), (6, 18));
    }

    #[test]
    fn without_time_there_is_one_turn() {
        let count = std::cell::Cell::new(0);
        let mut pair = Pair { profiled: Box::new(Counted(&count)), plain: None, spins: true };
        let turns = pair.take_turns(&target(2, Nanos(0))).unwrap();
        assert_eq!((count.get(), turns.ratios.len()), (2, 0));
    }
}
