//! A part of a report under a heading of its own.

use serde::Serialize;

use crate::report::words::table::Table;

/// A heading, what is to be said in sentences, and tables.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// Sentences, the most important first.
    pub lines: Vec<String>,
    /// Tables; those without rows are left out.
    pub tables: Vec<Table>,
}
