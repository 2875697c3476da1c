//! What fuzzing calls: the same functions that tests feed damaged files to.

#[path = "../../damaged/readers.rs"]
pub mod readers;
