//! What is decided for whoever reads the findings: where single predictions are.

mod single;

pub use single::single_place;
pub(super) use single::{measured_shapes, single_place_at};
