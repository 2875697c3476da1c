//! Labels as they lie around: arrays of numpy's, columns of text, lists of JSON. They say what they hold; what they are
//! to an output is decided where outputs are scored.

mod file;
mod list;

pub(super) use file::{beside, has_row_for_each, place, read};
pub use list::{LabelFacts, Labels};
