//! Counting what is not a number.

use super::numbers::{numbers, per_sample};
use crate::inputs::Tensor;
use crate::record::OutputHealth;

/// Adds one batch of a floating-point output to its counts.
pub(super) fn add(health: &mut OutputHealth, tensor: &Tensor, samples_count: usize) {
    let elements = numbers(&tensor.data).unwrap_or_default();
    health.elements_count += elements.len() as u64;
    health.nan_count += elements.iter().filter(|element| element.is_nan()).count() as u64;
    health.infinite_count += elements.iter().filter(|element| element.is_infinite()).count() as u64;
    health.affected_samples_count += match per_sample(&tensor.data, samples_count) {
        Some(0) => 0,
        Some(per_sample) => {
            let affected = |sample: &&[f64]| sample.iter().any(|element| !element.is_finite());
            elements.chunks_exact(per_sample).filter(affected).count() as u64
        }
        None if elements.iter().all(|element| element.is_finite()) => 0,
        None => samples_count as u64,
    };
}

/// The counts of an output before its first batch.
pub(super) fn none_yet(name: &str) -> OutputHealth {
    OutputHealth {
        name: name.to_owned(),
        elements_count: 0,
        nan_count: 0,
        infinite_count: 0,
        affected_samples_count: 0,
    }
}
