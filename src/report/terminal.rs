//! The summary for a terminal: the answer first, then one table per question. Readable at 100 columns.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, TableStyle};

use crate::analysis::gate::GateVerdict;

use super::spark;
use super::view::{ComparisonView, ForecastView, GateView, Item, RowKind, Section, Table, TuningView, View, text};

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
}

impl From<Color> for Style {
    /// With all of Unicode.
    fn from(color: Color) -> Self {
        Style { color, glyphs: Glyphs::Unicode }
    }
}

/// Columns that the summary is laid out for.
const WIDTH: usize = 100;

/// Characters that a row's name keeps, however wide its table is.
const NAME_WIDTH: usize = 12;

/// Blanks between columns.
const GAP: u16 = 2;

pub(super) const BOLD: &str = "\u{1b}[1m";
pub(super) const GREEN: &str = "\u{1b}[32m";
const DIM: &str = "\u{1b}[2m";
pub(super) const RED: &str = "\u{1b}[31m";
const RESET: &str = "\u{1b}[0m";

/// The summary of a run; `folder` is where its files are.
#[must_use]
pub fn terminal(view: &View, folder: Option<&Path>, style: impl Into<Style>) -> String {
    let Style { color, glyphs } = style.into();
    let mut out = Output::new(color);
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
        return out.into_glyphs(glyphs);
    }
    if let Some(distributions) = &view.distributions {
        out.styled(BOLD, &distributions.title);
        spark::lines(distributions, glyphs).iter().for_each(|line| out.line(line));
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
    out.into_glyphs(glyphs)
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
pub fn terminal_forecast(view: &ForecastView, color: Color) -> String {
    let mut out = Output { text: String::new(), color };
    view.lines.iter().for_each(|line| out.wrapped(line, 0));
    out.blank();
    out.table(&view.precision);
    out.text
}

/// A part of a report on its own.
#[must_use]
pub fn section_terminal(section: &Section, color: Color) -> String {
    let mut out = Output::new(color);
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
pub fn gate_terminal(view: &GateView, color: Color) -> String {
    let mut out = Output { text: String::new(), color };
    out.styled(
        if view.checks.iter().any(|check| check.verdict == GateVerdict::Fail) { RED } else { BOLD },
        &view.title,
    );
    out.blank();
    layout(&view.table()).lines().for_each(|line| out.line(line));
    if !view.remarks.is_empty() {
        out.blank();
        view.remarks.iter().for_each(|remark| out.wrapped(remark, 2));
    }
    out.text
}

/// A comparison of runs.
#[must_use]
pub fn comparison_terminal(view: &ComparisonView, color: Color) -> String {
    let mut out = Output { text: String::new(), color };
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
    out.text
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
    color: Color,
}

impl Output {
    pub(super) fn new(color: Color) -> Self {
        Output { text: String::new(), color }
    }

    /// The text in signs that the terminal has.
    fn into_glyphs(self, glyphs: Glyphs) -> String {
        match glyphs {
            Glyphs::Unicode => self.text,
            Glyphs::Ascii => spark::ascii(&self.text),
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text
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
        for line in wrap(paragraph, WIDTH) {
            match self.color {
                Color::Always => self.line(&format!("{style}{line}{RESET}")),
                Color::Never => self.line(&line),
            }
        }
    }

    /// A paragraph, indented; its further lines are indented by two more.
    pub(super) fn wrapped(&mut self, paragraph: &str, indent: usize) {
        for (number, line) in wrap(paragraph, WIDTH - indent - 2).into_iter().enumerate() {
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
        let rendered = layout(table);
        let mut kinds = table.rows.iter().map(|row| row.kind);
        for (number, line) in rendered.lines().enumerate() {
            // The header and the line below it come before the rows, each of which is one line.
            let kind = if number < 2 { None } else { kinds.next() };
            let style = match kind {
                Some(RowKind::Pick) => GREEN,
                Some(RowKind::Absent) => DIM,
                _ => "",
            };
            match self.color {
                Color::Always if !style.is_empty() => self.line(&format!("{style}{}{RESET}", line.trim_end())),
                _ => self.line(line),
            }
        }
        table.notes.iter().for_each(|note| self.wrapped(note, 2));
    }
}

/// Columns apart by blanks, a rule below the header.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─'));

/// The table's lines: a header, a rule, and one line for each row. Names are cut where the table would not fit, as far as
/// they can still be told apart.
fn layout(table: &Table) -> String {
    let columns = table.header.len();
    let others = (1..columns).map(|column| {
        let cells = table.rows.iter().map(|row| &row.cells[column]).chain([&table.header[column]]);
        usize::from(GAP) + cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    });
    let fitting = WIDTH.saturating_sub(others.sum()).max(NAME_WIDTH);
    let names: HashSet<&str> = table.rows.iter().map(|row| row.cells[0].as_str()).collect();
    let name_width = distinct_width(&names, fitting);
    let cell = |cells: &[String], column: usize| match column {
        0 => text::shortened(&cells[column], name_width),
        _ => cells[column].clone(),
    };
    let mut layout = comfy_table::Table::new();
    layout.load_style(STYLE);
    layout.set_content_arrangement(ContentArrangement::Disabled);
    layout.set_header((0..columns).map(|column| cell(&table.header, column)));
    for row in &table.rows {
        layout.add_row((0..columns).map(|column| cell(&row.cells, column)));
    }
    for (number, column) in layout.column_iter_mut().enumerate() {
        column.set_padding((0, if number + 1 == columns { 0 } else { GAP }));
        column.set_cell_alignment(CellAlignment::Left);
    }
    layout.trim_fmt()
}

/// The smallest width from `fitting` on at which all names differ though they are cut.
fn distinct_width(names: &HashSet<&str>, fitting: usize) -> usize {
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let differ = |width: &usize| {
        names.iter().map(|name| text::shortened(name, *width)).collect::<HashSet<_>>().len() == names.len()
    };
    (fitting..longest).find(differ).unwrap_or(fitting.max(longest))
}

/// `paragraph` in lines of at most `width` characters, broken at spaces.
fn wrap(paragraph: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in paragraph.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(String::new());
            used = 0;
        }
        let Some(line) = lines.last_mut() else { continue };
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        let _ = write!(line, "{word}");
        used += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_only_as_far_as_they_differ() {
        let width = |names: &[&str]| distinct_width(&names.iter().copied().collect(), 12);
        assert_eq!(width(&["fp32", "int8-dynamic-per-channel"]), 12);
        assert_eq!(width(&["int8-dynamic (cpu, 1.24.1)", "int8-dynamic (cpu, 1.31.1)"]), 23);
        assert_eq!(width(&["same-beginning-a", "same-beginning-b"]), 16);
    }
}
