//! Pages that are printed beside the reports of a run: comparisons, several runs over each other, gates, forecasts, and the
//! findings of `doctor`.

pub(super) mod comparison;
pub(super) mod forecast;
pub(super) mod gate;
pub(super) mod null_test;
mod rows;
pub(super) mod runs;
