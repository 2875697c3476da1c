//! The summary for a terminal: the answer first, then one table per question. Readable at 100
//! columns.

use std::path::Path;

use super::layout::{self, wrap};
use super::spark;
use super::style::{BOLD, Color, DIM, GREEN, Glyphs, RED, RESET, Style};
use crate::analysis::gate::GateVerdict;
use crate::report::chapter::{Alarm, Block, Chapter, Heading, Label, Paper};
use crate::report::chapters::Report;
use crate::report::view::{
    ComparisonView, Distributions, ForecastView, GateView, Item, RowKind, Section, Table, text,
};
use crate::report::words::session_code::SessionCode;

/// One screen: first and last line are the verdict; `folder` is where the run's files are.
#[must_use]
pub fn screen(report: &Report, folder: Option<&Path>, style: impl Into<Style>) -> String {
    let mut out = Output::new(style);
    for chapter in report.chapters(Paper::Screen) {
        out.chapter(chapter.shown(Paper::Screen));
    }
    out.blank();
    if let Some(folder) = folder {
        let folder = text::plain(&folder.display().to_string());
        out.line(&format!("Page: {folder}/report.html"));
        out.line(&format!("All of it: `onnxprof show {folder} --all`"));
    }
    out.verdict(BOLD, std::slice::from_ref(&report.verdict));
    out.into_text()
}

/// All that is said of a run; `folder` is where its files are.
#[must_use]
pub fn terminal(report: &Report, folder: Option<&Path>, style: impl Into<Style>) -> String {
    let mut out = Output::new(style);
    for chapter in report.chapters(Paper::Summary) {
        out.chapter(chapter.shown(Paper::Summary));
    }
    if let Some(folder) = folder {
        out.blank();
        let folder = text::plain(&folder.display().to_string());
        out.line(&format!("Run folder: {folder}"));
    }
    out.into_text()
}

/// The chapters of a run in whole, as far as a terminal can show them; those with these ids, or all
/// where none is named.
#[must_use]
pub fn terminal_chapters(report: &Report, ids: &[String], style: impl Into<Style>) -> String {
    let mut out = Output::new(style);
    let mut last = "";
    for chapter in report.whole() {
        if !ids.is_empty() && !ids.iter().any(|id| id == chapter.id) {
            continue;
        }
        if chapter.id != last {
            out.chapter_title(chapter);
            last = chapter.id;
        }
        out.chapter(chapter.shown(Paper::Whole));
    }
    out.into_text()
}

/// Time that a plan will take, and precision that it will buy.
#[must_use]
pub fn terminal_forecast(view: &ForecastView, style: impl Into<Style>) -> String {
    let mut out = Output::new(style);
    out.paragraphs(&view.lines, 0);
    out.blank();
    out.table(&view.precision);
    out.into_text()
}

/// A part of a report on its own.
#[must_use]
pub fn section_terminal(section: &Section, style: impl Into<Style>) -> String {
    let mut out = Output::new(style);
    out.section(section);
    out.into_text()
}

/// Verdicts on the rules of a gate.
#[must_use]
pub fn gate_terminal(view: &GateView, style: impl Into<Style>) -> String {
    let mut out = Output::new(style);
    out.styled(
        if view
            .checks
            .iter()
            .any(|check| check.verdict == GateVerdict::Fail)
        {
            RED
        } else {
            BOLD
        },
        &view.title,
    );
    // What bears on all verdicts comes before them.
    for warning in &view.warnings {
        out.styled(RED, warning);
    }
    out.blank();
    out.rows_with_remarks(&view.table());
    if !view.remarks.is_empty() {
        out.blank();
        out.paragraphs(&view.remarks, 2);
    }
    out.into_text()
}

/// A comparison of runs.
#[must_use]
pub fn comparison_terminal(view: &ComparisonView, style: impl Into<Style>) -> String {
    let mut out = Output::new(style);
    out.styled(BOLD, &view.title);
    for warning in &view.warnings {
        out.styled(RED, warning);
    }
    out.blank();
    out.paragraphs(&view.headlines, 0);
    out.blank();
    out.wrapped(&view.legend, 0);
    out.tables(&view.tables);
    out.blank();
    out.paragraphs(&view.caveats, 0);
    out.blank();
    out.items("Runs", &view.runs);
    if !view.differences.is_empty() {
        out.blank();
        out.items("Also differs", &view.differences);
    }
    out.into_text()
}

pub(super) struct Output {
    text: String,
    style: Style,
}

impl Output {
    pub(super) fn new(style: impl Into<Style>) -> Self {
        Output {
            text: String::new(),
            style: style.into(),
        }
    }

    pub(super) fn into_text(self) -> String {
        match self.style.glyphs {
            Glyphs::Unicode => self.text,
            Glyphs::Ascii => spark::ascii(&self.text),
        }
    }

    /// The chapter's id, which asks for it, and its title.
    fn chapter_title(&mut self, chapter: &Chapter) {
        if !self.text.is_empty() {
            self.blank();
        }
        let title = match chapter.title {
            "" => format!("== {} ==", chapter.id),
            title => format!("== {}: {title} ==", chapter.id),
        };
        self.styled(BOLD, &title);
    }

    /// Blocks stand apart by a blank line, but for those below a heading.
    fn chapter<'a>(&mut self, blocks: impl Iterator<Item = &'a Block>) {
        let mut is_below_heading = false;
        for block in blocks.filter(|block| !block.is_empty_as_text()) {
            let is_heading = matches!(block, Block::Heading(_));
            if (is_heading || !is_below_heading) && !self.text.is_empty() {
                self.blank();
            }
            is_below_heading |= is_heading;
            self.block(block, if is_below_heading { 2 } else { 0 });
        }
    }

    fn block(&mut self, block: &Block, indent: usize) {
        match block {
            Block::Alarm(alarm) => self.alarm(alarm),
            Block::Verdict(lines) => self.verdict(BOLD, lines),
            Block::Lines(lines) => self.paragraphs(lines, indent),
            Block::Sentence(text) | Block::Legend(text) | Block::Absent(text) => {
                self.wrapped(text, indent)
            }
            Block::Heading(Heading { text, .. }) | Block::Label(Label { text, .. }) => {
                self.styled(BOLD, text)
            }
            Block::Lead(item) => self.item(item, indent),
            Block::Items(items) | Block::Commands(items) => {
                for item in items {
                    self.item(item, indent);
                }
            }
            Block::Folded(fold) => self.items(&fold.title, &fold.items),
            Block::Numbered(numbered) => {
                for entry in &numbered.entries {
                    self.items(&entry.title, &entry.fields);
                }
            }
            Block::Table(placed) => self.table(&placed.table),
            Block::Charts(_) | Block::Cards(_) | Block::Standing(_) => {}
            Block::Strips(distributions) => self.strips(distributions),
            Block::Code(code) => self.code(code),
            Block::Command(command) => self.line(&format!("  {command}")),
            Block::Sections(sections) => {
                for (place, section) in sections.iter().enumerate() {
                    if place > 0 {
                        self.blank();
                    }
                    self.section(section);
                }
            }
        }
    }

    fn alarm(&mut self, alarm: &Alarm) {
        let why = if alarm.reasons.is_some() {
            " Why is said below the tables."
        } else {
            ""
        };
        self.styled(RED, &format!("{}{why}", alarm.text));
    }

    /// The first line stands out.
    pub(super) fn verdict(&mut self, style: &str, lines: &[String]) {
        if let Some((first, rest)) = lines.split_first() {
            self.styled(style, first);
            self.paragraphs(rest, 2);
        }
    }

    fn code(&mut self, code: &SessionCode) {
        self.styled(BOLD, &code.language);
        for line in &code.lines {
            self.line(&format!("  {line}"));
        }
    }

    fn strips(&mut self, distributions: &Distributions) {
        self.styled(BOLD, &distributions.title);
        for line in spark::lines(distributions, self.style) {
            self.line(&line);
        }
        self.wrapped(&distributions.note, 2);
    }

    fn section(&mut self, section: &Section) {
        self.styled(BOLD, &section.title);
        self.paragraphs(&section.lines, 0);
        self.tables(&section.tables);
    }

    fn tables(&mut self, tables: &[Table]) {
        for table in tables.iter().filter(|table| !table.rows.is_empty()) {
            self.blank();
            self.table(table);
        }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    pub(super) fn styled(&mut self, style: &str, paragraph: &str) {
        for line in wrap(paragraph, self.style.width) {
            self.dressed(style, &line);
        }
    }

    fn dressed(&mut self, style: &str, line: &str) {
        match self.style.color {
            Color::Always if !style.is_empty() => {
                self.line(&format!("{style}{}{RESET}", line.trim_end()))
            }
            _ => self.line(line),
        }
    }

    /// Further lines are indented by two more.
    fn wrapped(&mut self, paragraph: &str, indent: usize) {
        let width = self.style.width.saturating_sub(indent + 2);
        for (number, line) in wrap(paragraph, width).into_iter().enumerate() {
            let indent = if number == 0 { indent } else { indent + 2 };
            self.line(&format!("{:indent$}{line}", ""));
        }
    }

    pub(super) fn paragraphs(&mut self, lines: &[String], indent: usize) {
        for line in lines {
            self.wrapped(line, indent);
        }
    }

    pub(super) fn items(&mut self, title: &str, items: &[Item]) {
        self.styled(BOLD, title);
        for item in items {
            self.item(item, 2);
        }
    }

    fn item(&mut self, item: &Item, indent: usize) {
        let told = format!("{}: {}", item.label, item.text);
        self.wrapped(told.trim_end(), indent);
        for line in &item.lines {
            self.wrapped(line, indent + 2);
        }
    }

    pub(super) fn table(&mut self, table: &Table) {
        self.styled(BOLD, &table.title);
        self.rows(table);
        self.paragraphs(&table.notes, 2);
    }

    /// Without its title and its notes.
    fn rows(&mut self, table: &Table) {
        self.laid_out(layout::lines(table, self.style.width));
    }

    /// Without its title and its notes; what the last column says stands below where it does not fit.
    fn rows_with_remarks(&mut self, table: &Table) {
        self.laid_out(layout::lines_with_remarks(table, self.style.width));
    }

    fn laid_out(&mut self, lines: Vec<layout::Line>) {
        for layout::Line { text, kind } in lines {
            let style = match kind {
                Some(RowKind::Pick) => GREEN,
                Some(RowKind::Absent) => DIM,
                _ => "",
            };
            self.dressed(style, &text);
        }
    }
}
