//! What a report shows, chapter by chapter.

use onnxprof::report::charts::Topic;
use onnxprof::report::view::{Item, Section, Table};
use onnxprof::report::{Block, Paper, Report};

/// The blocks of all chapters called `id`.
fn blocks<'a>(report: &'a Report, paper: Paper, id: &'a str) -> impl Iterator<Item = &'a Block> {
    report
        .chapters(paper)
        .filter(move |chapter| chapter.id == id)
        .flat_map(move |chapter| chapter.shown(paper))
}

/// The sentences of a chapter of the summary.
pub fn lines(report: &Report, id: &str) -> Vec<String> {
    let lines = |block: &Block| {
        if let Block::Lines(lines) = block {
            lines.clone()
        } else {
            Vec::new()
        }
    };
    blocks(report, Paper::Summary, id).flat_map(lines).collect()
}

/// The labelled lines of a chapter of the summary.
pub fn items(report: &Report, id: &str) -> Vec<Item> {
    let items = |block: &Block| {
        if let Block::Items(items) = block {
            items.clone()
        } else {
            Vec::new()
        }
    };
    blocks(report, Paper::Summary, id).flat_map(items).collect()
}

/// The parts of a chapter of the page that have headings of their own.
pub fn sections(report: &Report, id: &str) -> Vec<Section> {
    let sections = |block: &Block| {
        if let Block::Sections(sections) = block {
            sections.clone()
        } else {
            Vec::new()
        }
    };
    blocks(report, Paper::Page, id).flat_map(sections).collect()
}

/// The tables of a chapter of the page.
pub fn tables(report: &Report, id: &str) -> Vec<Table> {
    tables_on(report, Paper::Page, id)
}

/// The tables of a chapter as a paper has it.
pub fn tables_on(report: &Report, paper: Paper, id: &str) -> Vec<Table> {
    let table = |block: &Block| {
        if let Block::Table(placed) = block {
            Some(placed.table.clone())
        } else {
            None
        }
    };
    blocks(report, paper, id).filter_map(table).collect()
}

/// The charts of a chapter of the page.
pub fn charts(report: &Report, id: &str) -> Topic {
    let topic = |block: &Block| {
        if let Block::Charts(topic) = block {
            Some(topic.clone())
        } else {
            None
        }
    };
    blocks(report, Paper::Page, id).find_map(topic).unwrap()
}
