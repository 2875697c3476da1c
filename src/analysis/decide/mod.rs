//! Conclusions from the figures: the answer, the bottlenecks of the sessions, advice, and
//! possibilities that were not tried; the place of single predictions, and the findings
//! that stand out.
//!
//! Every decision that a report tells is taken here, once. Read [`answer`] first.

pub(super) mod advice;
pub(super) mod answer;
pub(super) mod bottlenecks;
mod commands;
pub(super) mod conclusions;
pub(super) mod enough;
pub(super) mod facts;
mod gain;
mod judged;
pub(super) mod judgement;
mod levels;
pub(super) mod not_tried;
pub(super) mod split;
mod standing_out;

pub use facts::single_place;
pub use gain::{NoGain, Trade, ratio_of_cells};
pub use judged::JudgedOutputs;
pub use levels::{TwoLevels, two_levels};
pub use standing_out::ScoreTarget;
