//! A profiled session and one without the profiler, taking turns.

use std::path::Path;
use std::time::Duration;

use super::{EngineError, Inference, ProfileTarget, Result};
use crate::measure::{Clock, MonotonicClock};
use crate::record::{NodeProfile, Profiled};
use crate::trace::{self, Counted, Inferences};
use crate::units::{Bytes, Nanos};

/// Stretches of each of the two sessions, where there is time for all of them.
const STRETCHES: u64 = 6;
/// Time for a pool's threads to fall asleep: they spin for some 25 ms after an inference, in
/// another's way.
const SPINNING: Duration = Duration::from_millis(30);
/// How long a session runs before its stretches, though no more often than in them, since what is
/// profiled is in the trace. Threads that have just been woken share a CPU for some milliseconds,
/// and inferences then took up to twice as long as in timed blocks.
const WAKING: Nanos = Nanos(10_000_000);
pub(super) const KEEP_WEIGHTS: &str = "session.disable_prepacking";
/// A larger trace is read, but not kept.
const MAX_KEPT: Bytes = Bytes(32 << 20);

/// The sessions that take turns, with their inputs bound.
pub(super) struct Pair<'s> {
    pub profiled: Box<dyn Inference + 's>,
    pub plain: Option<Box<dyn Inference + 's>>,
    /// Whether either has threads that spin after an inference.
    pub spins: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Profiled,
    Plain,
}

#[derive(Default)]
pub(super) struct Turns {
    plain: Vec<Nanos>,
    /// Median latency with the profiler / without it, one for each pair of stretches.
    ratios: Vec<f64>,
    last: Option<Which>,
    /// How often a session may run before its stretches; never where its inferences take longer
    /// than waking up.
    waking_count: u64,
}

impl Pair<'_> {
    pub(super) fn take_turns(&mut self, target: &ProfileTarget) -> Result<Turns> {
        let began = MonotonicClock.now();
        let mut turns = Turns::default();
        let first = self.stretch(&mut turns, Which::Profiled, 1)?;
        // Woken up, it is as quick as those that follow.
        let second = self.stretch(&mut turns, Which::Plain, 1)?;
        let inference = first.into_iter().chain(second).min().unwrap_or_default();
        let stretches = STRETCHES.min(target.max_inferences).max(1);
        let affordable = target.length.0 / (2 * stretches) / inference.0.max(1);
        let inferences = (target.max_inferences / stretches).min(affordable).max(1);
        turns.waking_count = if self.spins && inference < WAKING {
            target.max_inferences
        } else {
            0
        };
        turns.last = None;
        let mut medians = [Vec::new(), Vec::new()];
        for (which, planned) in in_order(stretches) {
            for _ in 0..planned {
                let is_late = MonotonicClock.now().since(began) > target.length;
                if is_late && !medians[which as usize].is_empty() {
                    break;
                }
                let latencies = self.stretch(&mut turns, which, inferences)?;
                medians[which as usize].push(median(&latencies).as_f64());
                if which == Which::Plain {
                    turns.plain.extend(latencies);
                }
            }
        }
        if self.plain.is_some() {
            let [with, without] = medians;
            turns.ratios = ratios(&with, &without);
        }
        Ok(turns)
    }

    /// Inferences of one session, woken up first where the other one ran before; nothing of one
    /// that there is not.
    fn stretch(&mut self, turns: &mut Turns, which: Which, count: u64) -> Result<Vec<Nanos>> {
        let inference = match which {
            Which::Profiled => self.profiled.as_mut(),
            Which::Plain => match &mut self.plain {
                Some(plain) => plain.as_mut(),
                None => return Ok(Vec::new()),
            },
        };
        if self.spins && turns.last != Some(which) {
            if turns.last.is_some() {
                std::thread::sleep(SPINNING);
            }
            wake(inference, turns.waking_count)?;
        }
        turns.last = Some(which);
        stretch(inference, count)
    }
}

fn wake(inference: &mut dyn Inference, most: u64) -> Result<()> {
    let began = MonotonicClock.now();
    for _ in 0..most {
        if MonotonicClock.now().since(began) >= WAKING {
            break;
        }
        run_anew(inference)?;
    }
    Ok(())
}

/// Outputs are bound anew before an inference, since their sizes may change.
pub(super) fn run_anew(inference: &mut dyn Inference) -> Result<()> {
    inference.bind_outputs()?;
    inference.run()
}

/// Outputs are bound anew before each inference, since their sizes may change.
fn stretch(inference: &mut dyn Inference, count: u64) -> Result<Vec<Nanos>> {
    (0..count).map(|_| timed(inference)).collect()
}

fn timed(inference: &mut dyn Inference) -> Result<Nanos> {
    inference.bind_outputs()?;
    let start = MonotonicClock.now();
    inference.run().map(|()| MonotonicClock.now().since(start))
}

/// Stretches of each session in turn. Each change of sessions takes a sleep and a waking: there are
/// two of them.
fn in_order(stretches: u64) -> [(Which, u64); 3] {
    let half = stretches.div_ceil(2);
    [
        (Which::Plain, half),
        (Which::Profiled, stretches),
        (Which::Plain, stretches - half),
    ]
}

fn ratios(with: &[f64], without: &[f64]) -> Vec<f64> {
    with.iter()
        .zip(without)
        .map(|(with, without)| with / without.max(1.0))
        .collect()
}

/// The middle one, the lower of the two in the middle of an even number; 0 of none.
fn median(latencies: &[Nanos]) -> Nanos {
    let mut sorted = latencies.to_vec();
    sorted.sort_unstable();
    sorted
        .get(sorted.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or_default()
}

pub(super) fn read(written: &Path, target: &ProfileTarget, turns: &Turns) -> Result<Profiled> {
    let found = trace::read(written, Counted::Typical)
        .map_err(|error| EngineError::Profile(error.to_string()))?;
    if found.inferences == Inferences::OnlyFirst {
        return Err(EngineError::Profile(
            "the trace holds only one inference".into(),
        ));
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

/// The nodes with the shapes and bytes of a session that keeps weights as the model has them:
/// kernels that pack weights for themselves, as those of `Gemm`, `MatMul` and `QLinearConv` do,
/// leave them out of a trace.
pub(super) fn with_weights(operators: Profiled, unpacked: &Profiled) -> Profiled {
    let nodes = operators.nodes.into_iter().map(|node| {
        match unpacked
            .nodes
            .iter()
            .find(|other| is_same_node(other, &node))
        {
            Some(other) => NodeProfile {
                inputs: other.inputs.clone(),
                activation_bytes: other.activation_bytes,
                parameter_bytes: other.parameter_bytes,
                ..node
            },
            None => node,
        }
    });
    Profiled {
        nodes: nodes.collect(),
        ..operators
    }
}

fn is_same_node(one: &NodeProfile, other: &NodeProfile) -> bool {
    (&one.name, one.node_index, &one.operator) == (&other.name, other.node_index, &other.operator)
        && one.outputs == other.outputs
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::Distortion;
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_the_lower_of_two() {
        let of = |values: &[u64]| median(&values.iter().copied().map(Nanos).collect::<Vec<_>>());
        assert_eq!(
            (of(&[3, 1, 2]), of(&[4, 1, 3, 2]), of(&[])),
            (Nanos(2), Nanos(2), Nanos(0))
        );
    }

    struct Counted<'c>(&'c std::cell::Cell<u64>);

    // SAFETY: tests run it on their own thread alone.
    unsafe impl Send for Counted<'_> {}

    impl Inference for Counted<'_> {
        fn run(&mut self) -> Result<()> {
            self.0.set(self.0.get() + 1);
            Ok(())
        }
    }

    fn target(max_inferences: u64, length: Nanos) -> ProfileTarget {
        ProfileTarget {
            trace_file: PathBuf::new(),
            scratch: PathBuf::new(),
            max_inferences,
            length,
            distortion: Distortion::Measured,
        }
    }

    #[test]
    fn both_sessions_run_as_often_and_no_more_than_they_may() {
        let counts = [std::cell::Cell::new(0), std::cell::Cell::new(0)];
        let [profiled, plain] = &counts;
        let mut pair = Pair {
            profiled: Box::new(Counted(profiled)),
            plain: Some(Box::new(Counted(plain))),
            spins: false,
        };
        let turns = pair.take_turns(&target(20, Nanos(u64::MAX))).unwrap();
        assert_eq!((profiled.get(), plain.get()), (1 + 18, 1 + 18));
        assert_eq!((turns.ratios.len(), turns.plain.len()), (6, 18));
        pair.spins = true;
        let turns = pair.take_turns(&target(2, Nanos(0))).unwrap();
        assert!(
            plain.get() > 19 + 2 && turns.plain.len() == 1,
            "those that wake it up are not timed"
        );
        assert_eq!(
            profiled.get(),
            19 + 1 + 2 + 1,
            "woken up by no more than it may run"
        );
    }

    #[test]
    fn without_time_there_is_one_turn() {
        let count = std::cell::Cell::new(0);
        let mut pair = Pair {
            profiled: Box::new(Counted(&count)),
            plain: None,
            spins: true,
        };
        let turns = pair.take_turns(&target(2, Nanos(0))).unwrap();
        assert_eq!(
            (count.get(), turns.ratios.len()),
            (4, 0),
            "one, two that wake it up, and one"
        );
    }
}
