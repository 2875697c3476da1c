//! What follows from the figures: the answer, what limits the sessions, what to do, and what was not tried; where single
//! predictions are, what stands out, and which advice sets the targets.
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
mod levels;
pub(super) mod not_tried;
mod single;
mod standing_out;
mod targets;
mod trade;

pub use gain::NoGain;
pub use judged::JudgedOutputs;
pub use levels::{TwoLevels, two_levels};
pub use single::single_place;
pub use standing_out::slowest;
pub use targets::ScoreTarget;
pub use trade::Trade;
