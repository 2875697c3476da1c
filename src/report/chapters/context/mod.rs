//! Background of the figures: how the run ended, the configuration in force, how good the figures
//! are, and the machine.

mod configuration;
mod ending;
mod machine;
mod quality;

pub(in crate::report) use configuration::configuration;
pub(super) use configuration::effective;
pub(in crate::report) use ending::ending;
pub(in crate::report) use machine::{hardware, machine};
pub(super) use quality::quality;
