//! Labelled lines, and parts under headings of their own.

use serde::Serialize;

use super::table::Table;

/// A labelled line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The label.
    pub label: String,
    /// The text; empty where there are lines.
    pub text: String,
    /// Lines of a list below the label.
    pub lines: Vec<String>,
    /// Whether that is a command.
    pub is_code: bool,
}

impl Item {
    pub(in crate::report) fn new(label: impl Into<String>, text: impl Into<String>) -> Self {
        Item {
            label: label.into(),
            text: text.into(),
            lines: Vec::new(),
            is_code: false,
        }
    }

    /// With a list below the label; one line stands behind it.
    pub(in crate::report) fn list(label: impl Into<String>, mut lines: Vec<String>) -> Self {
        match lines.len() {
            0 | 1 => Item::new(label, lines.pop().unwrap_or_default()),
            _ => Item {
                lines,
                ..Item::new(label, "")
            },
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
