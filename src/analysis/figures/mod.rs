//! Figures with their intervals: what is found of sessions, of cells and of curves over batch sizes, before anything is
//! concluded from it. Data only; read [`Estimate`] first.

mod cell;
mod change;
mod curve;
mod estimate;
mod scores;
mod session;

pub use cell::{CellFindings, LatencyModes, SpeedStates, Support};
pub use change::{Change, Comparison, Verdict};
pub use curve::{BatchCurve, CurvePoint, SATURATION_SHARE};
pub use estimate::{Bounds, Counted, Estimate, Figure, Interval, Measured, find};
pub use scores::{AccuracyChange, AccuracyFindings, AccuracyVerdict, HeldAgainst, OutputAgreement, UnhealthyOutput};
pub use session::SessionFindings;
