//! Renderings of a run: for people through one [`view`], for machines from the record and its findings.
//!
//! No renderer computes a statistic. Read [`view::View`] first.

mod comparison_csv;
mod csv;
mod doctor;
mod markdown;
mod terminal;
pub mod view;

pub use comparison_csv::comparison_csv;
pub use csv::csv;
pub use doctor::{Examination, examination, null_test};
pub use markdown::{MarkdownError, comparison_markdown, markdown};
pub use terminal::{Color, comparison_terminal, terminal, terminal_forecast};
