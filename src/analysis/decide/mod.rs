//! What is decided for whoever reads the findings: where single predictions are, what stands out, and which advice sets
//! the targets.

mod gain;
mod single;
mod standing_out;
mod targets;
mod trade;

pub use gain::NoGain;
pub use single::single_place;
pub(super) use single::{measured_shapes, single_place_at};
pub use standing_out::slowest;
pub use targets::ScoreTarget;
pub use trade::Trade;
