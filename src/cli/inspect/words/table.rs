//! Tables without lines, and sizes.

use std::fmt::Write;

use comfy_table::Table;

use crate::report::view::text::plain;
use crate::units::Bytes;

pub(super) fn rows(rows: impl IntoIterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    for row in rows {
        table.add_row(row.iter().map(plain));
    }
    table
}

/// Appends a table, two spaces in and without trailing spaces.
pub(super) fn push_table(text: &mut String, table: Table) {
    for line in table.to_string().lines() {
        let _ = writeln!(text, "  {}", line.trim());
    }
}

/// A size in its largest unit of 1024.
pub(super) fn bytes(size: Bytes) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if size.0 < 1024 {
        return format!("{} B", size.0);
    }
    let mut scaled = size.as_f64() / 1024.0;
    let mut unit = 0;
    while scaled >= 1024.0 && unit + 1 < UNITS.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    format!("{scaled:.2} {}", UNITS[unit])
}
