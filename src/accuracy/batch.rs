//! The outputs of a batch of samples.

use std::ops::Range;

use super::{AccuracyError, Result, found, is_float, numbers, per_sample};
use crate::inputs::{Labels, Tensor};

#[derive(Debug)]
pub(super) struct Batch<'o> {
    pub(super) outputs: &'o [Tensor],
    pub(super) samples: Range<usize>,
}

impl<'o> Batch<'o> {
    /// Elements per sample of an output, if its first dimension is the samples.
    pub(super) fn per_sample(&self, output: &Tensor) -> Option<usize> {
        per_sample(&output.data, self.samples.len())
    }

    /// Floating-point outputs whose first dimension is the samples.
    pub(super) fn floats(&self) -> impl Iterator<Item = &'o Tensor> {
        self.outputs
            .iter()
            .filter(|output| is_float(&output.data) && self.per_sample(output).is_some())
    }

    /// The output of that name, which says classes.
    pub(super) fn class_output(&self, name: &str) -> Result<&'o Tensor> {
        self.outputs
            .iter()
            .find(|output| output.name == name)
            .ok_or_else(|| self.no_output("classes"))
    }

    /// The output of that name, or the first floating-point one whose first dimension is the
    /// samples.
    pub(super) fn number_output(&self, chosen: Option<&str>) -> Result<&'o Tensor> {
        self.floats()
            .find(|output| chosen.is_none_or(|name| output.name == name))
            .ok_or_else(|| self.no_output("numbers"))
    }

    /// The labels of the samples as numbers, one sample after the other.
    pub(super) fn labels(&self, labels: &Labels) -> Result<Vec<f64>> {
        labels
            .rows(self.samples.clone())
            .map(|labels| numbers(&labels))
            .ok_or_else(|| self.too_few_labels(labels.len()))
    }

    pub(super) fn no_output(&self, wanted: &'static str) -> AccuracyError {
        AccuracyError::NoOutput(wanted, found(self.outputs))
    }

    /// There are labels or targets for `has` samples, and not for all of these.
    pub(super) fn too_few_labels(&self, has: usize) -> AccuracyError {
        let sample = self.samples.end.saturating_sub(1);
        AccuracyError::TooFewLabels { has, sample }
    }

    pub(super) fn shape_changed(&self, output: &Tensor) -> AccuracyError {
        let shape = output.data.shape().to_vec();
        AccuracyError::ShapeChanged(output.name.clone(), shape, self.samples.len())
    }
}
