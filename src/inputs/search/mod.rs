//! Which sizes and values are tried, in which order, and along which axes samples may lie.
//!
//! Nothing here runs a model: [`Search`] says what to feed next and is told what became of it.

use super::{InputError, InputPlan, RuntimeWords, plan};
use crate::onnx::{Model, ShapeFacts};
use crate::plan::{InputRequest, Shape, unswept};
use crate::record::{AxisReason, BatchAxis, BatchProof, FedInput, SizeSource};

/// Candidates for what a model's inputs are fed, the best guess first.
#[derive(Debug)]
pub struct Search {
    next: Option<InputPlan>,
    tried: Vec<String>,
    open: String,
}

impl Search {
    /// The candidates for `model` at the sizes of `shape`, which hold beside those that `request` asks for.
    ///
    /// # Errors
    /// As [`plan()`].
    pub fn new(model: &Model, request: &InputRequest, shape: &Shape) -> Result<Search, InputError> {
        let mut request = request.clone();
        request.dims.extend(shape.dims.clone());
        let names: Vec<String> = ShapeFacts::of(&model.graph).dims.into_iter().map(|dim| dim.name).collect();
        let open = format!("the model leaves {} open", names.join(", "));
        Ok(Search { next: Some(plan(model, &request)?), tried: Vec::new(), open })
    }

    /// What to feed next; `None` when nothing is left to try. The first one is what [`plan()`] returns.
    #[expect(clippy::should_implement_trait, reason = "what comes next depends on what became of the last")]
    pub fn next(&mut self) -> Option<InputPlan> {
        let next = self.next.take()?;
        self.tried.push(trial(&next));
        Some(next)
    }

    /// Takes in what the runtime said when it refused the last plan: it narrows what comes next.
    pub fn refused(&mut self, _words: &str) {}

    /// Takes in that outputs held numbers that are none: other values are worth a try.
    pub fn not_finite(&mut self) {}

    /// Axes that samples may lie along, the most likely first; each names its axis in every input that follows.
    #[must_use]
    pub fn batch_candidates(&self, plan: &InputPlan) -> Vec<BatchAxis> {
        if plan.batch_axis.reason == AxisReason::NoAxis { Vec::new() } else { vec![plan.batch_axis.clone()] }
    }

    /// The same plan with the batch along `axis`; where that is absent, every axis has a size and there is no batch.
    ///
    /// # Errors
    /// An input has no such axis.
    pub fn with_batch(&self, plan: &InputPlan, axis: Option<&BatchAxis>) -> Result<InputPlan, InputError> {
        let mut plan = plan.clone();
        for fed in &mut plan.fed {
            let along = axis.and_then(|axis| axis.axes.get(&fed.name)).map(|&axis| axis as usize);
            place_batch(fed, along)?;
        }
        plan.batch_axis = axis.cloned().unwrap_or(BatchAxis {
            axes: Default::default(),
            symbol: None,
            fixed_size: None,
            reason: AxisReason::NoAxis,
            proof: BatchProof::Untried,
        });
        Ok(plan)
    }

    /// The error of a model that nothing runs with; `words` is what the runtime said of the last trial.
    #[must_use]
    pub fn nothing_runs(&self, words: &str) -> InputError {
        let remedy = "give sizes with --dim NAME=VALUE, or real inputs with --data FILE.npz".to_owned();
        let words = RuntimeWords(words.to_owned());
        InputError::NothingRuns { open: self.open.clone(), tried: self.tried(), remedy, words }
    }

    /// What was tried: `image [1, 3, 224, 224], mask [1, 128]`, one a trial.
    #[must_use]
    pub fn tried(&self) -> Vec<String> {
        self.tried.clone()
    }
}

/// Shapes that a model is asked about where none is swept: one, or prefill and decode of a decoder with a cache.
#[must_use]
pub fn usual_shapes(_model: &Model, _request: &InputRequest) -> Vec<Shape> {
    unswept()
}

fn place_batch(fed: &mut FedInput, along: Option<usize>) -> Result<(), InputError> {
    if along.is_some_and(|axis| axis >= fed.dims.len()) {
        return Err(InputError::UnknownRank { input: fed.name.clone() });
    }
    for axis in 0..fed.dims.len() {
        if along == Some(axis) {
            fed.dims[axis] = None;
        } else if fed.dims[axis].is_none() {
            fed.dims[axis] = Some(fed.rows_per_sample.get(&axis).copied().unwrap_or(1));
        } else {
            continue;
        }
        if let Some(source) = fed.sources.get_mut(axis) {
            *source = if along == Some(axis) { SizeSource::Batch } else { SizeSource::MadeUp };
        }
    }
    fed.rows_per_sample.retain(|&axis, _| along == Some(axis));
    Ok(())
}

/// Inputs with their shapes at batch 1.
fn trial(plan: &InputPlan) -> String {
    let inputs = plan.fed.iter().map(|fed| format!("{} {:?}", fed.name, fed.shape(1)));
    inputs.collect::<Vec<_>>().join(", ")
}
