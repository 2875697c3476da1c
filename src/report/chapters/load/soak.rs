//! Soak: what changes over a long time, with slopes.

use super::cells;
use crate::analysis::load::{Drift, Soak};
use crate::metric::Unit;
use crate::plan::Question;
use crate::report::chapter::{Block, Chapter};
use crate::report::charts;
use crate::report::words::load::{Load, asked_rate};
use crate::report::words::{self, Builder, RowKind, Source, Table, number, plain};

pub(in crate::report::chapters) fn chapter(source: Source<'_>) -> Chapter {
    let chapter = Chapter::new("soak", "Soak", "What changes over a long time").titled();
    let load = Load::of(source).filter(|load| matches!(load.plan.question, Question::Soak { .. }));
    match load {
        Some(load) => chapter
            .open()
            .with(Block::Lines(lines(load)))
            .table(table(load))
            .with(Block::Charts(charts::load::soak(load))),
        None => chapter,
    }
}

/// What was soaked, and what each request costs of memory.
fn lines(load: Load<'_>) -> Vec<String> {
    load.candidates()
        .map(|candidate| {
            let name = load.name(candidate.key);
            match &candidate.soak {
                Ok(soak) => format!("{name}: {}.", extent(soak)),
                Err(reason) => format!("{name}: {}.", words::not_measured(&plain(reason))),
            }
        })
        .collect()
}

fn extent(soak: &Soak) -> String {
    let each = &soak.memory_per_request;
    let grows = each.interval().is_some_and(|ends| ends.low > 0.0);
    let each = grows.then(|| {
        format!(
            "; memory grows by {} a request",
            words::amount(Unit::Bytes, each)
        )
    });
    format!(
        "{} at {}{}; {} share an error of 5%",
        number::time(soak.length_ns),
        asked_rate(soak.rate_per_sec),
        each.unwrap_or_default(),
        words::number_of(soak.tests_count, "test")
    )
}

fn table(load: Load<'_>) -> Table {
    let header = [
        "variant",
        "what",
        "level",
        "change in an hour",
        "matters from in a day",
        "shown",
        "moves at once",
    ];
    let mut table = Builder::new("Levels and slopes", &header);
    for candidate in load.candidates() {
        let Ok(soak) = &candidate.soak else { continue };
        for (what, unit, drift) in [
            ("median response", Unit::Ns, &soak.response),
            ("memory", Unit::Bytes, &soak.memory),
            ("open files", Unit::Count, &soak.open_files),
        ] {
            let name = load.name(candidate.key);
            let row = format!("{what} of {name}");
            let mut line = table.line_of(vec![name, what.into()], row);
            line.estimate("level", Some(&drift.level), |level| {
                cells::value(unit, level)
            });
            line.estimate("change in an hour", Some(&drift.per_hour), |slope| {
                cells::slope(unit, slope)
            });
            line.text(number::value(unit, drift.floor_per_day, None));
            line.text(if drift.drifts {
                "it changes"
            } else {
                "no change"
            });
            line.text(shifts(drift, unit));
            line.end(RowKind::Plain);
        }
    }
    table.finish([
        "change: median slope of all pairs (Theil and Sen), with an interval that allows for neighbours that are alike; shown \
         where the interval leaves 0 out and a day of it is more than matters"
            .into(),
    ])
}

fn shifts(drift: &Drift, unit: Unit) -> String {
    words::joined(
        drift.shifts.iter().map(|shift| {
            format!(
                "after {} from {} to {}",
                number::time(shift.at_ns),
                number::value(unit, shift.before, None),
                number::value(unit, shift.after, None)
            )
        }),
        "; ",
    )
}
