//! From words to a plan: the options of every command that measures, each subject in a file of its
//! own, and what they come to on this machine.
//!
//! Nothing is measured here, and nothing is written. Read [`profile::plan`] first.

mod bounds;
mod family;
mod goal;
mod inputs;
mod judging;
mod load;
mod notes;
pub mod profile;
mod providers;
mod runtimes;
mod schedule;
mod scoring;
pub mod search;
mod session;
mod space;
pub mod under_load;
pub mod values;

pub use family::{Family, family};
pub use goal::{GoalArgs, ObjectiveArg};
pub use inputs::{InputArgs, parse_dim};
pub use notes::notes_on;
pub use profile::MeasureArgs;
pub use providers::{Libraries, Provider, libraries, providers};
pub use runtimes::{Runtimes, opener, own_program, runtimes};
pub use search::SearchArgs;
pub use session::{custom_ops, default_threads};
pub use under_load::UnderLoadArgs;
