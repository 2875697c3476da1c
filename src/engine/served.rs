//! What a caller runs for requests that arrive by themselves.

use ort::environment::Environment;
use ort::value::DynValue;

use super::gathered::{GatheredInput, Shared, SharedBatch, SizedValue};
use super::value::{self, HeldSet};
use super::{EngineError, Inference, Result, ServedInference, ServedInputs};
use crate::inputs::Tensor;

/// Samples and inputs of batches, held once for all callers of a session.
pub(super) fn shared(inputs: &ServedInputs, environment: &Environment) -> Result<Shared> {
    let samples = value::hold(inputs.samples.clone(), environment)?;
    let sets = inputs
        .batches
        .iter()
        .map(|batch| batch.inputs.clone())
        .collect();
    let sets = value::hold(sets, environment)?;
    let Some((largest, size)) = sets.last().zip(inputs.batches.last().map(|last| last.size)) else {
        return Err(nothing("batches"));
    };
    let mut gathered = Vec::new();
    for input in largest.iter() {
        let name = input.name.to_string_lossy();
        let Some(&axis) = inputs.axes.get(&(&*name).into()) else {
            continue;
        };
        let values: Option<Vec<_>> = samples
            .iter()
            .map(|sample| of_name(sample, &name))
            .collect();
        let batch = SizedValue {
            size: size as usize,
            value: input.value.value(),
        };
        let values = values.ok_or_else(|| nothing(&name))?;
        gathered.push(GatheredInput::new(&name, &batch, axis, &values)?);
    }
    let sizes = inputs.batches.iter().map(|batch| batch.size as usize);
    Ok(Shared {
        gathered,
        batches: sizes
            .zip(sets)
            .map(|(size, inputs)| SharedBatch { size, inputs })
            .collect(),
    })
}

fn of_name<'s>(set: &'s HeldSet, name: &str) -> Option<&'s DynValue> {
    set.iter()
        .find(|input| input.name.to_bytes() == name.as_bytes())
        .map(|input| input.value.value())
}

fn nothing(name: &str) -> EngineError {
    EngineError::Bind {
        name: name.to_owned(),
        message: "nothing is given to it".into(),
    }
}

/// A caller that runs each request alone, on the inputs of its sample, which are bound for good.
/// Each sample is run, so that its outputs have their memory.
pub(super) fn alone<'s>(
    inference: Box<dyn Inference + 's>,
    samples_count: usize,
) -> Result<Box<dyn ServedInference + 's>> {
    let mut alone = Alone {
        inference,
        sample: 0,
        binds_anew: false,
    };
    for sample in 0..samples_count {
        alone.warm(sample)?;
    }
    Ok(Box::new(alone))
}

struct Alone<'s> {
    inference: Box<dyn Inference + 's>,
    sample: usize,
    /// Whether outputs are bound anew after each inference, since they may come in other sizes.
    binds_anew: bool,
}

impl Alone<'_> {
    /// Runs a sample twice: where outputs are not as large as they are declared, or a second run
    /// into the memory of the first fails, they are bound anew from then on.
    fn warm(&mut self, sample: usize) -> Result<()> {
        self.run(&[sample])?;
        let can_bind = !self.inference.keeps_outputs();
        self.binds_anew |= can_bind && self.inference.undeclared_output().is_some();
        self.prepare()?;
        match self.run(&[sample]) {
            Err(_) if can_bind && !self.binds_anew => {
                self.binds_anew = true;
                self.prepare()?;
                self.run(&[sample])?;
            }
            ran => ran?,
        }
        self.prepare()
    }
}

impl ServedInference for Alone<'_> {
    #[inline]
    fn run(&mut self, samples: &[usize]) -> Result<()> {
        for &sample in samples {
            self.sample = sample;
            self.inference.choose(sample);
            self.inference.run()?;
        }
        Ok(())
    }

    fn prepare(&mut self) -> Result<()> {
        if !self.binds_anew {
            return Ok(());
        }
        self.inference.choose(self.sample);
        self.inference.bind_outputs()
    }

    fn outputs(&self, _place: usize) -> Vec<Tensor> {
        self.inference.outputs()
    }
}
