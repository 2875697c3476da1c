//! Renderings of a run for people, from its [`Chapter`]s.
//!
//! No renderer computes a statistic. Read [`Report`] first.

mod chapter;
mod chapters;
pub mod charts;
mod pages;
mod paper;
mod template;
pub mod view;
mod words;

pub use chapter::{Block, Chapter, Paper};
pub use chapters::Report;
pub use pages::runs::of_runs;
pub use paper::doctor::{Examination, examination, fitness_words, null_test};
pub use paper::html::{HtmlError, full_html, html};
pub use paper::markdown::{
    MarkdownError, comparison_markdown, full_markdown, illustrated_markdown, markdown,
    section_markdown,
};
pub use paper::services::{Undecided, annotations, junit, step_summary};
pub use paper::style::{Color, Glyphs, Style};
pub use paper::svg::svg;
pub use paper::terminal::{
    comparison_terminal, gate_terminal, screen, section_terminal, terminal, terminal_chapters,
    terminal_forecast,
};
pub use template::{
    Beside, Context, ContextError, Filled, GateCheck, GateResult, Search, starting_file,
};
