//! A session that runs nothing, and its inferences.

use std::path::PathBuf;
use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::noise::{CellNoise, Machine};
use super::script::{FaultSite, ScriptedVariant, strike};
use super::served::Load;
use crate::engine::{
    Effect, EngineError, Inference, Result, ServedInference, ServedInputs, Session,
};
use crate::inputs::{Argument, InputSet, Tensor, TensorData};
use crate::measure::{Clock, ManualClock, MonotonicClock};
use crate::observed::Observed;
use crate::record::ArenaStats;
use crate::units::Nanos;

pub(super) struct ScriptedSession {
    pub(super) variant: ScriptedVariant,
    pub(super) latency_ratio: f64,
    pub(super) _memory: Vec<u8>,
    pub(super) model: PathBuf,
    pub(super) real_time: bool,
    pub(super) clock: Arc<ManualClock>,
    pub(super) machine: Option<Machine>,
    pub(super) load: Load,
    pub(super) effect: Effect,
}

impl ScriptedSession {
    fn request(&self, batch_size: u64) -> Box<dyn Inference + '_> {
        Box::new(self.inference(batch_size, u64::from(std::process::id())))
    }

    fn inference(&self, batch_size: u64, seed: u64) -> ScriptedInference<'_> {
        ScriptedInference {
            session: self,
            batch_size,
            random: Pcg64Mcg::seed_from_u64(seed),
            noise: self.machine.as_ref().map(Machine::begin),
        }
    }

    fn now(&self) -> Nanos {
        if self.real_time {
            MonotonicClock.now()
        } else {
            self.clock.now()
        }
    }

    fn pass(&self, span: Nanos) {
        self.clock.advance(span);
        if self.real_time {
            std::thread::sleep(span.into());
        }
    }
}

impl Session for ScriptedSession {
    fn effect(&self) -> Effect {
        self.effect.clone()
    }

    fn bind(&self, sets: Vec<InputSet>, requests: u64) -> Result<Vec<Box<dyn Inference + '_>>> {
        let batch_size = sets
            .first()
            .and_then(|set| set.first())
            .and_then(|input| input.value.as_tensor()?.shape().first())
            .map_or(1, |&size| size as u64);
        Ok((0..requests).map(|_| self.request(batch_size)).collect())
    }

    fn serve(
        &self,
        inputs: &ServedInputs,
        callers: u64,
    ) -> Result<Vec<Box<dyn ServedInference + '_>>> {
        Ok((0..callers)
            .map(|number| caller(self, inputs, number))
            .collect())
    }

    fn evaluate(&mut self, _inputs: &[Argument]) -> Result<Vec<Tensor>> {
        Err(EngineError::Run {
            message: format!(
                "a script computes no outputs for `{}`",
                self.model.display()
            ),
        })
    }

    fn arena(&self) -> Observed<ArenaStats> {
        Err("a script has no arena".into())
    }
}

struct ScriptedInference<'session> {
    session: &'session ScriptedSession,
    batch_size: u64,
    random: Pcg64Mcg,
    noise: Option<CellNoise>,
}

impl ScriptedInference<'_> {
    /// The latency of the next inference, or its fault.
    fn next_latency(&mut self) -> Result<Nanos> {
        let variant = &self.session.variant;
        if let Some(fault) = &variant.fault
            && fault.at == FaultSite::Run
            && self.batch_size >= fault.from_batch_size
        {
            strike(fault.kind, |message| EngineError::Run { message })?;
        }
        let mut factor = 1.0 + variant.jitter_ratio * (self.random.random::<f64>() * 2.0 - 1.0);
        if variant.exponential {
            factor *= -(1.0 - self.random.random::<f64>()).ln();
        }
        let latency = variant.latency_of(self.batch_size) as f64;
        let undisturbed = Nanos((latency * factor * self.session.latency_ratio) as u64);
        Ok(match &mut self.noise {
            Some(noise) => noise.run(undisturbed),
            None => undisturbed,
        })
    }
}

impl Inference for ScriptedInference<'_> {
    fn run(&mut self) -> Result<()> {
        let latency = self.next_latency()?;
        self.session.pass(latency);
        Ok(())
    }
}

/// What one caller runs: any number of requests at once.
fn caller<'s>(
    session: &'s ScriptedSession,
    inputs: &ServedInputs,
    number: u64,
) -> Box<dyn ServedInference + 's> {
    let sizes: Vec<u64> = inputs.batches.iter().map(|batch| batch.size).collect();
    let most = sizes.last().copied().unwrap_or(1) as usize;
    Box::new(ScriptedCaller {
        inference: session.inference(1, inputs.seed.wrapping_mul(31).wrapping_add(number)),
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
