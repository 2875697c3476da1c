//! One table of the variants by run.

use super::over_each_other::{Group, Member, Overlay, run_name};
use crate::analysis::comparison::{Delta, Row, RowOutcome};
use crate::metric::Metric;
use crate::report::chapters::screen::{FIGURES, add_figures};
use crate::report::chapters::tables::short_change;
use crate::report::pages::rows::cells_of;
use crate::report::words::{self, BASELINE, Builder, RowKind, Table};

/// Variants in the table; what is left out is counted.
const VARIANTS: usize = 12;

const CHANGE: &str = "vs run 1";

pub(super) fn table(overlay: &Overlay<'_>) -> Table {
    let mut header = vec!["variant", "run", CHANGE];
    header.extend(FIGURES);
    let title = format!("Variants by run at {}", overlay.at_words());
    let mut table = Builder::new(title, &header);
    let groups = overlay.groups();
    for group in groups.iter().take(VARIANTS) {
        for &member in &group.members {
            add(&mut table, overlay, group, member);
        }
    }
    let mut notes = vec![
        format!(
            "{CHANGE}: median latency, launch against launch; ± is the half-width of the 95% interval"
        ),
        "throughput/s: the most of all batch sizes".into(),
        words::BOUND.into(),
    ];
    let left = groups.len().saturating_sub(VARIANTS) as u64;
    notes.extend(
        (left > 0).then(|| format!("left out here: {}", words::number_of(left, "variant"))),
    );
    table.finish(notes)
}

fn add(table: &mut Builder, overlay: &Overlay<'_>, group: &Group<'_>, member: Member<'_>) {
    let source = overlay.runs[member.run];
    let run = run_name(member.run);
    let name = format!("{} in {run}", group.label);
    let cells = vec![group.label.clone(), run];
    let outcome = &source.session(member.session).outcome;
    let Some(cell) = overlay.cell(member).filter(|cell| cell.outcome.is_ok()) else {
        let outcome = overlay.cell(member).map_or(outcome, |cell| &cell.outcome);
        return table.absent_row(cells, &name, outcome);
    };
    let change = against_first(table, overlay, member, &name);
    let mut line = table.line_of(cells, name);
    line.text(change);
    add_figures(&mut line, source, cell);
    line.end(if member.run == 0 {
        RowKind::Baseline
    } else {
        RowKind::Plain
    });
}

fn against_first(
    table: &mut Builder,
    overlay: &Overlay<'_>,
    member: Member<'_>,
    name: &str,
) -> String {
    if member.run == 0 {
        return BASELINE.into();
    }
    let Some(pair) = member.pair else {
        return table.absence(
            CHANGE,
            name,
            "run 1 has nothing of that name and these options",
        );
    };
    let rows = overlay.paired(pair).map(|cell| &cell.rows);
    match rows.and_then(|rows| rows.iter().find(|row| row.metric == Metric::LatencyP50)) {
        Some(row) => change(table, row, name),
        None => table.absence(CHANGE, name, "both runs did not measure it there"),
    }
}

/// `1.30x slower ± 3.5%`.
fn change(table: &mut Builder, row: &Row, name: &str) -> String {
    match &row.outcome {
        RowOutcome::Compared {
            delta: Delta::Ratio { change, .. },
        } => short_change(change),
        RowOutcome::Compared {
            delta: Delta::Score { .. },
        } => String::new(),
        RowOutcome::NotCompared { .. } => {
            let [absent, _, _] = cells_of(table, row, name);
            absent
        }
    }
}
