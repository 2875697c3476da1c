//! Checks: a metric, a comparison and a budget, as rules of a gate and SLOs of a search write them.
//!
//! It reads checks, and holds nothing against them. Begin at [`Check::parse`].

mod budget;
mod error;
mod parse;
mod slo;

pub use budget::{Budget, Drop};
pub use error::CheckError;
pub use parse::{Check, Side};
pub use slo::{Slo, SloError};
