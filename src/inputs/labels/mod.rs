//! Labels as they lie around: arrays of numpy's, columns of text, lists of JSON. They say what they
//! hold; what they are to an output is decided where outputs are scored.

mod file;
mod json;
mod list;
mod names;
mod table;
mod words;

#[cfg(test)]
mod tests;

pub(super) use file::{beside, has_row_for_each, read};
pub use list::{LabelFacts, Labels};
pub(super) use names::{likeliest, place};
