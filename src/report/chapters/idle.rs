//! Latency after idle gaps.

use super::{Builder, Section, Source, Table, number, words};
use crate::analysis::{GapFindings, IdleFindings};
use crate::metric::Unit;
use crate::report::words::{MEANINGLESS, not_measured};

pub(super) fn section(source: Source<'_>) -> Section {
    let found = &source.findings.idle_gaps;
    let (lines, tables) = if found.is_empty() {
        let line =
            "Not measured: `--idle-gaps` measures what the first request after a pause takes.";
        (vec![line.to_owned()], Vec::new())
    } else {
        after_gaps(source, found)
    };
    Section {
        title: "Latency after idle gaps".to_owned(),
        lines,
        tables,
    }
}

const GAP_HEADER: [&str; 5] = [
    "variant, gap",
    "latency",
    "against no gap",
    "launches",
    "inferences",
];

fn after_gaps(source: Source<'_>, found: &[IdleFindings]) -> (Vec<String>, Vec<Table>) {
    let title = "Single inferences after a time without any: what does a pause cost?";
    let mut table = Builder::new(title, &GAP_HEADER);
    let mut lines =
        vec!["Each variant was launched for this alone; a gap is held against none within the same launch.".to_owned()];
    for session in found {
        let batch = source.batch(session.shape, session.batch_size);
        let name = format!("{}, {batch}", source.name(session.session));
        match &session.gaps {
            Ok(gaps) => gaps.iter().for_each(|gap| {
                let cells = gap_cells(&mut table, gap, format!("{name}, {}", gap_words(gap)));
                table.plain_row(cells);
            }),
            Err(reason) => lines.push(format!("{name}: {}.", not_measured(reason))),
        }
    }
    let table = Some(table.finish(Vec::new())).filter(|table| !table.rows.is_empty());
    (lines, table.into_iter().collect())
}

fn gap_words(gap: &GapFindings) -> String {
    match gap.gap_ns.0 {
        0 => "no gap".to_owned(),
        _ => format!("gap {}", number::time(gap.gap_ns)),
    }
}

fn gap_cells(table: &mut Builder, gap: &GapFindings, row: String) -> Vec<String> {
    let latency = table.figure("latency", &row, Some(&gap.latency_ns), |latency| {
        words::amount(Unit::Ns, latency)
    });
    let measured = gap.latency_ns.measured();
    if let Some(remark) = measured.and_then(|measured| measured.remark.as_ref()) {
        let reason = remark.exact().trim_start_matches("no interval: ");
        table.absence("interval", &row, reason);
    }
    let change = gap.change.as_ref().map(words::latency_change);
    let change = change.map_or(MEANINGLESS.into(), |change| change.to_string());
    let launches = measured.map(|measured| number::count(measured.n));
    let inferences = number::count(gap.inferences_count);
    vec![
        row,
        latency,
        change,
        launches.unwrap_or_default(),
        inferences,
    ]
}
