//! What is printed beside the reports of a run: comparisons, gates, forecasts, and what `doctor`
//! found.

pub(super) mod comparison;
pub(super) mod forecast;
pub(super) mod gate;
pub(super) mod null_test;
mod rows;
