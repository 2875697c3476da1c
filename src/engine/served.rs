//! What a caller runs for requests that arrive by themselves.

use super::{Inference, Result, ServedInference};
use crate::inputs::Tensor;

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
