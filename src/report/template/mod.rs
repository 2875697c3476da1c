//! The whole performance template: what was measured, what people gave, and one line for what
//! neither knows.
//!
//! Its text is the template's own file, so that headings and fields are the same, in the same
//! order. Read [`keys::Key`] first.

mod beside;
mod fill;
mod filled;
mod found;
mod given;
mod keys;
mod lines;
mod outline;
mod values;

pub use beside::{Beside, GateCheck, GateResult, Search};
pub use filled::Filled;
pub(super) use filled::items;
pub use given::{Context, ContextError, starting_file};
pub(super) use keys::Key;
pub(super) use lines::Line;
