//! The worth of a session's outputs: against labels or targets, and against a reference.
//!
//! [`Scorer`] and [`AgreementScorer`] are fed batch by batch, where the outputs are, and leave what
//! the record keeps; [`analysis`](crate::analysis) turns that into figures with intervals, wherever
//! the record is read. Nothing here runs a model, reads a file or prints. Read [`Scorer`] first.
//!
//! An element that is not a number is counted and reported. It never enters a mean.

mod agreement;
mod batch;
mod classification;
mod elements;
mod error;
mod form;
mod kind;
mod numbers;
mod regression;
mod rows;
mod scorer;
mod surroundings;
#[cfg(test)]
mod testing;
mod truth;
mod unlike;

pub use agreement::AgreementScorer;
pub use error::AccuracyError;
pub use scorer::Scorer;
pub use surroundings::Surroundings;
pub use truth::Truth;

use batch::Batch;
use error::{Result, found};
use kind::Signs;
use numbers::{
    agree_in_class, agreeing_count, best, classes, describe, errors, integers, is_float,
    is_integer, numbers, per_sample, whole_errors,
};
use truth::Targets;
