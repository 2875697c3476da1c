//! Renderings of a run: for people through one [`view`], for machines from the record and its findings.
//!
//! No renderer computes a statistic. Read [`view::View`] first.

mod comparison_csv;
mod csv;
mod doctor;
mod github;
mod junit;
mod markdown;
mod terminal;
pub mod view;

pub use comparison_csv::comparison_csv;
pub use csv::csv;
pub use doctor::{Examination, examination, null_test};
pub use github::{annotations, step_summary};
pub use junit::junit;
pub use markdown::{MarkdownError, comparison_markdown, markdown};
pub use terminal::{Color, comparison_terminal, gate_terminal, terminal, terminal_forecast};
