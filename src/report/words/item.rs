//! Labelled lines, and parts under headings of their own.

use serde::Serialize;

use super::table::Table;

/// A labelled line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The label.
    pub label: String,
    /// The text.
    pub text: String,
    /// Whether that is a command.
    pub is_code: bool,
}

impl Item {
    pub(in crate::report) fn new(label: impl Into<String>, text: impl Into<String>) -> Self {
        Item {
            label: label.into(),
            text: text.into(),
            is_code: false,
        }
    }

    pub(in crate::report) fn code(label: impl Into<String>, text: impl Into<String>) -> Self {
        Item {
            is_code: true,
            ..Item::new(label, text)
        }
    }
}

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
