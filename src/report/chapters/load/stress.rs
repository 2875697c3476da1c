//! Stress: where it breaks, how, and how it recovers, over time.

use super::answer::{by, sign};
use crate::analysis::load::{LoadCandidate, Saturation, Stress};
use crate::metric::Unit;
use crate::plan::Question;
use crate::report::chapter::{Block, Chapter};
use crate::report::charts;
use crate::report::words::load::{Load, asked};
use crate::report::words::{self, ABSENT, Builder, RowKind, Source, Table, number, plain};

pub(in crate::report::chapters) fn chapter(source: Source<'_>) -> Chapter {
    let chapter = Chapter::new("stress", "Stress", "Stress and recovery").titled();
    match Load::of(source).filter(|load| load.plan.question == Question::Stress) {
        Some(load) => chapter
            .open()
            .table(breaking(load))
            .with(Block::Charts(charts::load::stress(load))),
        None => chapter,
    }
}

fn breaking(load: Load<'_>) -> Table {
    let header = [
        "variant",
        "breaks at/s",
        "how",
        "offered up to/s",
        "recovers in",
        "recovered at",
        "rounds",
    ];
    let mut table = Builder::new("Breaking points and recovery", &header);
    for candidate in load.candidates() {
        match &candidate.stress {
            Ok(stress) => of_stress(load, candidate, stress, &mut table),
            Err(reason) => {
                let name = load.name(candidate.key);
                let mark = table.absence("breaks at/s", &name, reason);
                let rest = std::iter::repeat_n(ABSENT.to_owned(), header.len() - 2);
                let cells: Vec<String> = [name, mark].into_iter().chain(rest).collect();
                table.row(RowKind::Absent, cells);
            }
        }
    }
    table.finish([
        "breaks: from there on fewer requests are completed than come, or more fail than may; recovers: from the fall of the \
         rate until the median response of a part of the time is again what it was before"
            .into(),
    ])
}

fn of_stress(load: Load<'_>, candidate: &LoadCandidate, stress: &Stress, table: &mut Builder) {
    let mut line = table.line(load.name(candidate.key));
    line.estimate("breaks at/s", Some(&stress.breaking_point), |rate| {
        words::amount(Unit::PerSec, rate).replacen("/s", "", 1)
    });
    line.text(stress.failure_mode.map_or(ABSENT, by));
    line.text(asked(stress.highest_offered_per_sec));
    line.estimate("recovers in", Some(&stress.recovery), |time| {
        words::amount(Unit::Ns, time)
    });
    line.text(match stress.recovered_up_to_ns {
        Some(time) => number::at_most(Unit::Ns, time.as_f64(), None),
        None => ABSENT.into(),
    });
    line.text(number::count(stress.rounds_count));
    line.end(RowKind::Plain);
}

/// From which rates on less is completed than comes.
pub(in crate::report::chapters) fn saturation(source: Source<'_>) -> Chapter {
    let chapter = Chapter::new("saturation", "Saturation", "Saturation").titled();
    let lines: Vec<String> = Load::of(source)
        .into_iter()
        .flat_map(|load| {
            load.candidates()
                .map(move |candidate| saturated(load, candidate))
        })
        .collect();
    if lines.is_empty() {
        chapter
    } else {
        chapter.with(Block::Lines(lines))
    }
}

fn saturated(load: Load<'_>, candidate: &LoadCandidate) -> String {
    let name = load.name(candidate.key);
    match &candidate.saturation {
        Ok(Saturation::From {
            rate_per_sec,
            kept_up_per_sec,
            sign: shown,
        }) => {
            let below =
                kept_up_per_sec.map(|rate| format!("; it keeps up to {} a second", asked(rate)));
            format!(
                "{name}: from {} requests a second on: {}{}.",
                asked(*rate_per_sec),
                sign(shown),
                below.unwrap_or_default()
            )
        }
        Ok(Saturation::No { up_to_per_sec }) => format!(
            "{name}: all that comes is completed up to {} requests a second, the highest rate measured.",
            asked(*up_to_per_sec)
        ),
        Err(reason) => format!("{name}: {}.", words::not_measured(&plain(reason))),
    }
}
