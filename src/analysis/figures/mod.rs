//! Figures with their intervals: what is found of sessions, of cells and of curves over batch
//! sizes, before anything is concluded from it.
//!
//! [`source`](mod@source) says where each metric comes from. Read [`Estimate`] first, then
//! [`source::source`].

#![warn(clippy::wildcard_enum_match_arm)]

mod agreement;
mod cell;
pub(super) mod cells;
pub(super) mod change;
pub(super) mod energy;
mod estimate;
pub(super) mod index;
mod measurement;
mod outputs;
pub(super) mod over_launches;
mod over_samples;
pub(super) mod pace;
pub(super) mod pairwise;
mod percentiles;
mod remote;
mod run;
pub(super) mod score_change;
mod scores;
pub(super) mod sessions;
pub(super) mod source;
pub(super) mod tails;
pub(super) mod to_baseline;

pub use cell::{BatchCurve, CellFindings, CurvePoint, SATURATION_SHARE, Support};
pub use change::{Change, Comparison, Verdict};
pub use estimate::{Bounds, Counted, Estimate, Figure, Interval, Measured, find};
pub(super) use index::Index;
use measurement::Measurement;
pub(super) use over_launches::{centre, largest, median, per_launch};
pub use run::{Cells, Figures, SessionFindings};
pub use scores::{
    AccuracyChange, AccuracyFindings, AccuracyVerdict, HeldAgainst, OutputAgreement,
    UnhealthyOutput,
};
pub(super) use source::{OfCell, OfLoad, OfSession, Source, source};
