//! The summary for a terminal: the answer first, then one table per question. Readable at 100 columns.

use std::path::Path;

use crate::analysis::gate::GateVerdict;

use super::layout::{self, wrap};
use super::spark;
use crate::report::view::{
    ComparisonView, ForecastView, GateView, Item, RowKind, Section, Table, TuningView, View, text,
};

/// Whether escape sequences may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// Plain text.
    Never,
    /// Headings are bold, recommended rows green, rows without figures dim.
    Always,
}

/// Which characters a terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyphs {
    /// All of Unicode.
    Unicode,
    /// ASCII alone, but for names from outside.
    Ascii,
}

/// How a summary looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether escape sequences may be used.
    pub color: Color,
    /// Which characters may be used.
    pub glyphs: Glyphs,
    /// Columns that lines may take.
    pub width: usize,
}

impl Style {
    /// Columns where nobody says how many there are, and the most that are used: longer lines are hard to read.
    pub const WIDTH: usize = 100;
}

impl From<Color> for Style {
    /// With all of Unicode, as wide as it gets.
    fn from(color: Color) -> Self {
        Style { color, glyphs: Glyphs::Unicode, width: Style::WIDTH }
    }
}

pub(super) const BOLD: &str = "\u{1b}[1m";
pub(super) const GREEN: &str = "\u{1b}[32m";
const DIM: &str = "\u{1b}[2m";
pub(super) const RED: &str = "\u{1b}[31m";
const RESET: &str = "\u{1b}[0m";

/// The summary of a run; `folder` is where its files are.
#[must_use]
pub fn terminal(view: &View, folder: Option<&Path>, style: impl Into<Style>) -> String {
    let mut out = Output::new(style);
    if !view.complete {
        out.styled(RED, &view.ending);
        out.blank();
    }
    if view.invalid
        && let Some(verdict) = view.fitness.first()
    {
        out.styled(RED, &format!("{verdict}. Why is said below the tables."));
        out.blank();
    }
    answer(&mut out, view);
    if let Some(tuning) = &view.tuning {
        search(&mut out, tuning);
        measurement(&mut out, view, folder);
        return out.into_text();
    }
    if let Some(distributions) = &view.distributions {
        out.styled(BOLD, &distributions.title);
        spark::lines(distributions, out.style).iter().for_each(|line| out.line(line));
        out.wrapped(&distributions.note, 2);
        out.blank();
    }
    out.wrapped(&view.legend, 0);
    let tables = [
        Some(&view.variants),
        Some(&view.sweep),
        view.accuracy.as_ref(),
        view.agreement.as_ref(),
        Some(&view.loading),
        view.energy.as_ref(),
        view.operator_summary.as_ref(),
    ];
    for table in tables.into_iter().flatten().filter(|table| !table.rows.is_empty()) {
        out.blank();
        out.table(table);
    }
    if !view.scaling_summary.is_empty() {
        out.blank();
        out.styled(BOLD, "Batch size");
        view.scaling_summary.iter().for_each(|line| out.wrapped(line, 2));
    }
    if let Some(line) = &view.not_tried_line {
        out.blank();
        out.wrapped(line, 0);
    }
    out.blank();
    out.items("Configuration in force", &view.configuration);
    if !view.placement.is_empty() {
        out.blank();
        out.items("Where the nodes ran", &view.placement);
    }
    measurement(&mut out, view, folder);
    out.into_text()
}

/// The configurations of a search that matter most, and the best one as code.
fn search(out: &mut Output, view: &TuningView) {
    for table in [&view.shortlist, &view.front].into_iter().filter(|table| !table.rows.is_empty()) {
        out.table(table);
        out.blank();
    }
    for code in &view.code {
        out.styled(BOLD, &code.language);
        code.lines.iter().for_each(|line| out.line(&format!("  {line}")));
        out.blank();
    }
    out.styled(BOLD, "Search");
    view.method.iter().for_each(|line| out.wrapped(line, 2));
}

fn measurement(out: &mut Output, view: &View, folder: Option<&Path>) {
    out.blank();
    out.styled(BOLD, "Measurement");
    out.wrapped(&view.ending, 2);
    view.fitness.iter().for_each(|line| out.wrapped(line, 2));
    view.quality.iter().for_each(|line| out.wrapped(line, 2));
    if let Some(folder) = folder {
        out.blank();
        out.line(&format!("Run folder: {}", text::plain(&folder.display().to_string())));
    }
}

/// What a plan will take and buy.
#[must_use]
pub fn terminal_forecast(view: &ForecastView, style: impl Into<Style>) -> String {
    let mut out = Output::new(style);
    view.lines.iter().for_each(|line| out.wrapped(line, 0));
    out.blank();
    out.table(&view.precision);
    out.into_text()
}

/// A part of a report on its own.
#[must_use]
pub fn section_terminal(section: &Section, style: impl Into<Style>) -> String {
    let mut out = Output::new(style);
    out.styled(BOLD, &section.title);
    section.lines.iter().for_each(|line| out.wrapped(line, 0));
    for table in section.tables.iter().filter(|table| !table.rows.is_empty()) {
        out.blank();
        out.table(table);
    }
    out.into_text()
}

/// What became of the rules of a gate.
#[must_use]
pub fn gate_terminal(view: &GateView, style: impl Into<Style>) -> String {
    let mut out = Output::new(style);
    out.styled(
        if view.checks.iter().any(|check| check.verdict == GateVerdict::Fail) { RED } else { BOLD },
        &view.title,
    );
    out.blank();
    out.rows(&view.table());
    if !view.remarks.is_empty() {
        out.blank();
        view.remarks.iter().for_each(|remark| out.wrapped(remark, 2));
    }
    out.into_text()
}

/// A comparison of runs.
#[must_use]
pub fn comparison_terminal(view: &ComparisonView, style: impl Into<Style>) -> String {
    let mut out = Output::new(style);
    out.styled(BOLD, &view.title);
    view.warnings.iter().for_each(|warning| out.styled(RED, warning));
    out.blank();
    view.headlines.iter().for_each(|line| out.wrapped(line, 0));
    out.blank();
    out.wrapped(&view.legend, 0);
    for table in view.tables.iter().filter(|table| !table.rows.is_empty()) {
        out.blank();
        out.table(table);
    }
    out.blank();
    view.caveats.iter().for_each(|caveat| out.wrapped(caveat, 0));
    out.blank();
    out.items("Runs", &view.runs);
    if !view.differences.is_empty() {
        out.blank();
        out.items("Also differs", &view.differences);
    }
    out.into_text()
}

fn answer(out: &mut Output, view: &View) {
    if let Some((first, rest)) = view.answer.split_first() {
        out.styled(BOLD, first);
        rest.iter().for_each(|line| out.wrapped(line, 2));
        out.blank();
    }
    if !view.headlines.is_empty() {
        view.headlines.iter().for_each(|line| out.wrapped(line, 0));
        out.blank();
    }
    if !view.why.is_empty() {
        out.styled(BOLD, "Why");
        view.why.iter().for_each(|line| out.wrapped(line, 2));
        out.blank();
    }
}

/// Text under construction.
pub(super) struct Output {
    text: String,
    style: Style,
}

impl Output {
    pub(super) fn new(style: impl Into<Style>) -> Self {
        Output { text: String::new(), style: style.into() }
    }

    /// The text in signs that the terminal has.
    pub(super) fn into_text(self) -> String {
        match self.style.glyphs {
            Glyphs::Unicode => self.text,
            Glyphs::Ascii => spark::ascii(&self.text),
        }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A paragraph in a style.
    pub(super) fn styled(&mut self, style: &str, paragraph: &str) {
        for line in wrap(paragraph, self.style.width) {
            self.dressed(style, &line);
        }
    }

    /// A line in a style, which may be none.
    fn dressed(&mut self, style: &str, line: &str) {
        match self.style.color {
            Color::Always if !style.is_empty() => self.line(&format!("{style}{}{RESET}", line.trim_end())),
            _ => self.line(line),
        }
    }

    /// A paragraph, indented; its further lines are indented by two more.
    pub(super) fn wrapped(&mut self, paragraph: &str, indent: usize) {
        let width = self.style.width.saturating_sub(indent + 2);
        for (number, line) in wrap(paragraph, width).into_iter().enumerate() {
            let indent = if number == 0 { indent } else { indent + 2 };
            self.line(&format!("{:indent$}{line}", ""));
        }
    }

    pub(super) fn items(&mut self, title: &str, items: &[Item]) {
        self.styled(BOLD, title);
        items.iter().for_each(|item| self.wrapped(&format!("{}: {}", item.label, item.text), 2));
    }

    pub(super) fn table(&mut self, table: &Table) {
        self.styled(BOLD, &table.title);
        self.rows(table);
        table.notes.iter().for_each(|note| self.wrapped(note, 2));
    }

    /// The lines of a table without its title and its notes.
    fn rows(&mut self, table: &Table) {
        for layout::Line { text, kind } in layout::lines(table, self.style.width) {
            let style = match kind {
                Some(RowKind::Pick) => GREEN,
                Some(RowKind::Absent) => DIM,
                _ => "",
            };
            self.dressed(style, &text);
        }
    }
}
