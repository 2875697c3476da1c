//! Paragraphs and tables as lines of a width.

use std::collections::HashSet;

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, TableStyle};

use super::style::Style;
use crate::report::view::{RowKind, Table, text};
use crate::report::words::common_length;
use crate::report::words::table::Row;

/// Of a row, however wide its table is.
const NAME_WIDTH: usize = 12;

const GAP: u16 = 2;

/// Longer words are cut: no path that anybody reads is as long, but a name in a model may be.
const LONGEST_WORD: usize = 300;

const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─'));

pub(super) struct Line {
    pub(super) text: String,
    /// Absent in the header.
    pub(super) kind: Option<RowKind>,
}

/// Side by side where the columns fit, else row below row. At the widest, a long last column may
/// stand out.
pub(super) fn lines(table: &Table, width: usize) -> Vec<Line> {
    let side_by_side = side_by_side(table, width);
    if is_within(&side_by_side, width) || width >= Style::WIDTH {
        side_by_side
    } else {
        row_below_row(table, width)
    }
}

/// As [`lines`], but where the columns do not fit, those of the last one stand below their rows.
pub(super) fn lines_with_remarks(table: &Table, width: usize) -> Vec<Line> {
    let whole = side_by_side(table, width);
    if is_within(&whole, width) {
        return whole;
    }
    let Some((without, remarks)) = without_last(table) else {
        return whole;
    };
    let rows = side_by_side(&without, width);
    if !is_within(&rows, width) {
        return row_below_row(table, width);
    }
    let headers = rows.len().saturating_sub(remarks.len());
    let mut lines = Vec::new();
    for (number, line) in rows.into_iter().enumerate() {
        let kind = line.kind;
        lines.push(line);
        let remark = number.checked_sub(headers).map_or("", |row| remarks[row]);
        lines.extend(
            wrap(remark, width.saturating_sub(REMARK_INDENT))
                .into_iter()
                .filter(|text| !text.is_empty())
                .map(|text| Line {
                    text: format!("{:REMARK_INDENT$}{text}", ""),
                    kind,
                }),
        );
    }
    lines
}

const REMARK_INDENT: usize = 4;

fn is_within(lines: &[Line], width: usize) -> bool {
    lines.iter().all(|line| line.text.chars().count() <= width)
}

/// A table without its last column, and the cells of that.
fn without_last(table: &Table) -> Option<(Table, Vec<&str>)> {
    let (_, header) = table.header.split_last()?;
    let mut without = Table {
        header: header.to_vec(),
        ..table.clone()
    };
    for row in &mut without.rows {
        row.cells.truncate(header.len());
    }
    let last = table.rows.iter().filter_map(|row| row.cells.last());
    Some((without, last.map(String::as_str).collect()))
}

/// Names are cut where the table would not fit, as far as they still differ.
fn side_by_side(table: &Table, width: usize) -> Vec<Line> {
    let kinds = [None, None]
        .into_iter()
        .chain(table.rows.iter().map(|row| Some(row.kind)));
    layout(table, name_width(table, width))
        .trim_fmt()
        .lines()
        .zip(kinds)
        .map(|(line, kind)| Line {
            text: line.trim_end().to_owned(),
            kind,
        })
        .collect()
}

/// Characters that the first column may have.
fn name_width(table: &Table, width: usize) -> usize {
    let others =
        (1..table.header.len()).map(|column| usize::from(GAP) + column_width(table, column));
    let fitting = width.saturating_sub(others.sum()).max(NAME_WIDTH);
    let names: HashSet<&str> = table.rows.iter().map(|row| row.cells[0].as_str()).collect();
    distinct_width(&names, fitting)
}

fn column_width(table: &Table, column: usize) -> usize {
    table
        .rows
        .iter()
        .map(|row| &row.cells[column])
        .chain([&table.header[column]])
        .map(|cell| cell.chars().count())
        .max()
        .unwrap_or(0)
}

fn layout(table: &Table, name_width: usize) -> comfy_table::Table {
    let columns = table.header.len();
    let mut layout = comfy_table::Table::new();
    layout.load_style(STYLE);
    layout.set_content_arrangement(ContentArrangement::Disabled);
    layout.set_header(with_short_name(&table.header, name_width));
    for row in &table.rows {
        layout.add_row(with_short_name(&row.cells, name_width).take(columns));
    }
    for (number, column) in layout.column_iter_mut().enumerate() {
        column.set_padding((0, if number + 1 == columns { 0 } else { GAP }));
        column.set_cell_alignment(CellAlignment::Left);
    }
    layout
}

fn with_short_name(cells: &[String], name_width: usize) -> impl Iterator<Item = String> {
    cells
        .first()
        .map(|name| text::shortened(name, name_width))
        .into_iter()
        .chain(cells.iter().skip(1).cloned())
}

/// Each cell stands behind its column's head.
fn row_below_row(table: &Table, width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for row in &table.rows {
        let name = text::shortened(&row.cells[0], width);
        let cells = wrap(&headed_cells(table, row), width.saturating_sub(2));
        lines.extend(
            std::iter::once(name)
                .chain(cells.iter().map(|cells| format!("  {cells}")))
                .map(|text| Line {
                    text,
                    kind: Some(row.kind),
                }),
        );
    }
    lines
}

/// All that are not empty, besides the name.
fn headed_cells(table: &Table, row: &Row) -> String {
    let cells = table.header.iter().zip(&row.cells).skip(1);
    let cells = cells.filter(|(_, cell)| !cell.is_empty());
    text::joined(cells.map(|(head, cell)| format!("{head}: {cell}")), "; ")
}

/// At which all names differ though they are cut: what two of them begin with alike, one more, and
/// the ellipsis.
fn distinct_width(names: &HashSet<&str>, fitting: usize) -> usize {
    let longest = names
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    let mut names: Vec<&str> = names.iter().copied().collect();
    names.sort_unstable();
    names
        .windows(2)
        .map(|pair| common_length(pair[0], pair[1]) + 2)
        .max()
        .unwrap_or(0)
        .min(longest)
        .max(fitting)
}

/// Broken at spaces; a longer word has a line of its own.
pub(super) fn wrap(paragraph: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in paragraph
        .split(' ')
        .map(|word| text::shortened(word, LONGEST_WORD))
    {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(String::new());
            used = 0;
        }
        let Some(line) = lines.last_mut() else {
            continue;
        };
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(&word);
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
        assert_eq!(
            width(&["int8-dynamic (cpu, 1.24.1)", "int8-dynamic (cpu, 1.31.1)"]),
            23
        );
        assert_eq!(width(&["same-beginning-a", "same-beginning-b"]), 16);
        let long = "n".repeat(1_000_000);
        assert_eq!(
            width(&[&format!("{long}a"), &format!("{long}b"), &long]),
            1_000_001
        );
    }

    #[test]
    fn table_that_does_not_fit_stands_row_below_row() {
        let words = |words: &[&str]| {
            words
                .iter()
                .map(|&word| word.to_owned())
                .collect::<Vec<_>>()
        };
        let table = Table {
            title: "Variants".into(),
            header: words(&["variant", "median latency", "accuracy"]),
            rows: vec![Row {
                cells: words(&["int8-static", "32 us", ""]),
                kind: RowKind::Pick,
            }],
            ..Table::default()
        };
        let shown = |width| {
            lines(&table, width)
                .into_iter()
                .map(|line| line.text)
                .collect::<Vec<_>>()
        };
        assert_eq!(shown(37).last().unwrap(), "int8-static  32 us");
        assert_eq!(shown(36), ["int8-static", "  median latency: 32 us"]);
        assert_eq!(
            shown(12),
            ["int8-static", "  median", "  latency:", "  32 us"]
        );
        assert!(
            lines(&table, 36)
                .iter()
                .all(|line| line.kind == Some(RowKind::Pick))
        );
    }

    #[test]
    fn remarks_that_do_not_fit_stand_below_their_rows() {
        let row = |cells: [&str; 3]| Row {
            cells: cells.map(str::to_owned).to_vec(),
            kind: RowKind::Plain,
        };
        let table = Table {
            header: ["verdict", "of", "because"].map(str::to_owned).to_vec(),
            rows: vec![
                row(["open", "fp32", "more rounds would settle it"]),
                row(["pass", "int8", ""]),
            ],
            ..Table::default()
        };
        let shown = |width| {
            lines_with_remarks(&table, width)
                .into_iter()
                .map(|line| line.text)
                .collect::<Vec<_>>()
        };
        assert_eq!(shown(42)[2], "open     fp32  more rounds would settle it");
        assert_eq!(
            shown(30)[2..],
            [
                "open     fp32",
                "    more rounds would settle",
                "    it",
                "pass     int8"
            ]
        );
        assert_eq!(shown(10)[..2], ["open", "  of:"]);
    }

    #[test]
    fn words_that_nobody_reads_to_the_end_are_cut() {
        let lines = wrap(&format!("a {} b", "x".repeat(5_000)), 50);
        assert_eq!(
            lines
                .iter()
                .map(|line| line.chars().count())
                .collect::<Vec<_>>(),
            [1, 300, 1]
        );
        assert!(lines[1].ends_with('…'));
    }
}
