//! What a caller runs for requests that arrive by themselves.

use ort::environment::Environment;
use ort::value::DynValue;

use super::gathered::{GatheredInput, Shared, SharedBatch, SizedValue};
use super::value::{self, HeldSet};
use super::{EngineError, Inference, Result, ServedInference, ServedInputs, warming};
use crate::inputs::Tensor;
use crate::measure::{Clock, MonotonicClock};

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
pub(super) fn alone<'s>(
    inference: Box<dyn Inference + 's>,
    samples_count: usize,
) -> Result<Box<dyn ServedInference + 's>> {
    let mut alone = Alone {
        inference,
        sample: 0,
        has_run: vec![false; samples_count],
        binds_anew: false,
    };
    let began_at = MonotonicClock.now();
    for sample in 0..samples_count {
        alone.run(&[sample])?;
        alone.prepare()?;
        if sample == 0 {
            // Into the memory of the first run.
            alone.run(&[sample])?;
            alone.prepare()?;
        }
        if !warming::is_left(began_at) {
            break;
        }
    }
    Ok(Box::new(alone))
}

struct Alone<'s> {
    inference: Box<dyn Inference + 's>,
    sample: usize,
    /// Whether each sample has run.
    has_run: Vec<bool>,
    /// Whether outputs are bound anew after each inference, since they may come in other sizes.
    binds_anew: bool,
}

impl Alone<'_> {
    fn can_bind(&self) -> bool {
        !self.binds_anew && !self.inference.keeps_outputs()
    }

    /// Runs a sample; where the memory of the outputs is in the way, it is bound anew from then on.
    #[inline]
    fn run_sample(&mut self, sample: usize) -> Result<()> {
        self.inference.choose(sample);
        match self.inference.run() {
            Err(_) if self.can_bind() && self.has_run[sample] => {
                self.binds_anew = true;
                self.inference.choose(sample);
                self.inference.bind_outputs()?;
                self.inference.run()
            }
            ran => ran,
        }
    }
}

impl ServedInference for Alone<'_> {
    #[inline]
    fn run(&mut self, samples: &[usize]) -> Result<()> {
        for &sample in samples {
            self.sample = sample;
            self.run_sample(sample)?;
        }
        Ok(())
    }

    /// After the first run of each sample it is known whether outputs are as large as they are
    /// declared.
    fn prepare(&mut self) -> Result<()> {
        if !std::mem::replace(&mut self.has_run[self.sample], true) && self.can_bind() {
            self.binds_anew = self.inference.undeclared_output().is_some();
        }
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
