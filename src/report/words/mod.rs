//! Figures, phrases and tables for people: all scaling and rounding happens here.

pub(super) mod item;
pub(super) mod judged;
pub mod number;
mod phrases;
pub(super) mod quantization;
mod scores;
pub(super) mod session_code;
pub(super) mod table;
pub mod text;

pub(super) use phrases::*;
pub(super) use scores::*;
