//! Outputs under load beside those of the same samples without.

use std::collections::BTreeSet;

use crate::engine::{self, ServedInference};
use crate::inputs::Tensor;
use crate::measure::{Clock, MonotonicClock};
use crate::observed::Observed;
use crate::plan::FloatRounding;
use crate::protocol::ServeRequest;
use crate::record::{Failure, Integrity};
use crate::text::Plain;
use crate::units::Nanos;
use crate::worker::probe;

/// Part of the segment's length that running samples alone may take.
const PART: u64 = 4;
/// A server may fail one of many requests: a sample is tried so often.
const TRIES: u32 = 3;
/// However short the segment is.
const LEAST: Nanos = Nanos(500_000_000);

/// Outputs of each sample, run alone while nothing else was asked for.
pub(super) struct Reference {
    outputs: Vec<Vec<Tensor>>,
    random: BTreeSet<String>,
    floats: FloatRounding,
}

impl Reference {
    /// Runs each sample alone by the first caller, as far as there is time; requests carry those
    /// that ran.
    pub(super) fn take(
        callers: &mut [Box<dyn ServedInference + '_>],
        samples_count: usize,
        request: &ServeRequest,
    ) -> Result<Self, Failure> {
        let mut reference = Reference {
            outputs: Vec::new(),
            random: request.random_outputs.clone(),
            floats: request.spec.float_rounding(),
        };
        if let Some(caller) = callers.first_mut() {
            let began_at = MonotonicClock.now();
            let longest = Nanos(request.offer.length_ns.0 / PART).max(LEAST);
            for sample in 0..samples_count {
                let outputs = alone(caller.as_mut(), sample)?;
                reference.outputs.push(reference.compared(outputs));
                if MonotonicClock.now().since(began_at) > longest {
                    break;
                }
            }
        }
        Ok(reference)
    }

    pub(super) fn samples_count(&self) -> usize {
        self.outputs.len()
    }

    fn compared(&self, mut outputs: Vec<Tensor>) -> Vec<Tensor> {
        outputs.retain(|output| !self.random.contains(&output.name));
        outputs
    }

    /// Adds what the outputs of a request are beside those of its sample.
    pub(super) fn judge(&self, sample: usize, outputs: Vec<Tensor>, found: &mut Integrity) {
        let outputs = self.compared(outputs);
        found.checked += 1;
        match self.outputs.get(sample) {
            Some(alone) if *alone == outputs => found.same += 1,
            Some(alone) if self.are_close(alone, &outputs) => found.close += 1,
            _ => found.wrong += 1,
        }
    }

    fn are_close(&self, alone: &[Tensor], outputs: &[Tensor]) -> bool {
        alone.len() == outputs.len()
            && alone.iter().zip(outputs).all(|(alone, loaded)| {
                alone.name == loaded.name && probe::is_same(&alone.data, &loaded.data, self.floats)
            })
    }

    /// The finding, or why there is none.
    pub(super) fn told(&self, found: Integrity) -> Observed<Integrity> {
        if self.outputs.iter().all(Vec::is_empty) {
            return Err(Plain::from(if self.random.is_empty() {
                "the model has no outputs in memory of the CPU to compare"
            } else {
                "all outputs that could be compared are random"
            }));
        }
        if found.checked == 0 {
            return Err(Plain::from("no request was answered"));
        }
        Ok(found)
    }
}

fn alone(caller: &mut dyn ServedInference, sample: usize) -> engine::Result<Vec<Tensor>> {
    let mut outputs = run_alone(caller, sample);
    for _ in 1..TRIES {
        outputs = outputs.or_else(|_| run_alone(caller, sample));
    }
    outputs
}

fn run_alone(caller: &mut dyn ServedInference, sample: usize) -> engine::Result<Vec<Tensor>> {
    caller.run(&[sample])?;
    let outputs = caller.outputs(0);
    caller.prepare()?;
    Ok(outputs)
}
