//! Renderings of a run: for people through one [`view`], for machines from the record and its findings.
//!
//! No renderer computes a statistic. Read [`view::View`] first.

mod comparison_csv;
mod csv;
mod doctor;
mod full;
mod github;
mod html;
mod junit;
mod layout;
mod markdown;
mod names;
mod operators_csv;
mod palette;
mod spark;
mod svg;
mod terminal;
pub mod view;

pub use comparison_csv::comparison_csv;
pub use csv::csv;
pub use doctor::{Examination, examination, null_test};
pub use full::{Context, ContextError, starting_file};
pub use github::{annotations, step_summary};
pub use html::{HtmlError, html};
pub use junit::junit;
pub use markdown::{
    MarkdownError, comparison_markdown, full_markdown, illustrated_markdown, markdown, section_markdown,
};
pub use names::Names;
pub use operators_csv::{operators_csv, trace_csv};
pub use svg::svg;
pub use terminal::{
    Color, Glyphs, Style, comparison_terminal, gate_terminal, section_terminal, terminal, terminal_forecast,
};
