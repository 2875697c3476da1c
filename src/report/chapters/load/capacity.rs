//! The highest rate that keeps the SLO, and how it was found.

use crate::analysis::load::LoadCandidate;
use crate::metric::Unit;
use crate::report::chapter::{Block, Chapter};
use crate::report::words::load::{Load, asked, short_time};
use crate::report::words::{self, ABSENT, Builder, RowKind, Source, Table, number, plain};

pub(in crate::report::chapters) fn chapter(source: Source<'_>) -> Chapter {
    let chapter = Chapter::new("capacity", "Capacity", "Capacity, and how it was found").titled();
    match Load::of(source).filter(|load| load.is_of_capacity()) {
        Some(load) => chapter
            .open()
            .with_all(
                load.slo()
                    .map(|slo| Block::Sentence(format!("SLO: {slo}."))),
            )
            .table(found(load))
            .table(worth(load)),
        None => chapter,
    }
}

fn found(load: Load<'_>) -> Table {
    let header = [
        "variant",
        "requests/s",
        "limited by",
        "proven up to/s",
        "shown to break from/s",
        "rounds",
        "requests",
        "measured for",
    ];
    let mut table = Builder::new("Highest rates that keep the SLO", &header);
    for candidate in load.candidates() {
        let capacity = &candidate.capacity;
        let mut line = table.line(load.name(candidate.key));
        line.estimate("requests/s", Some(&capacity.rate_per_sec), |rate| {
            words::amount(Unit::PerSec, rate).replacen("/s", "", 1)
        });
        line.text(capacity.limited_by.as_ref().map_or(ABSENT.into(), plain));
        for rate in [capacity.proven_per_sec, capacity.broken_from_per_sec] {
            line.text(rate.map_or(ABSENT.into(), asked));
        }
        line.text(number::count(capacity.rounds_count));
        line.text(number::count(capacity.requests_count));
        line.text(number::time(capacity.elapsed_ns));
        line.end(RowKind::Plain);
    }
    table.finish([
        "proven, and shown to break: by early stopping, with as many independent requests as those of the segments are worth; \
         measured for: rates far from the edge included"
            .into(),
    ])
}

/// What capacities are in other units.
fn worth(load: Load<'_>) -> Table {
    let cycle = load.candidates().next().map(|one| one.worth.user_cycle_ns);
    let users = format!(
        "users, a request each {}",
        short_time(cycle.unwrap_or_default())
    );
    let header = [
        "variant",
        "requests a minute",
        users.as_str(),
        "cost of a million",
    ];
    let mut table = Builder::new("What these rates are worth", &header);
    let held = load.candidates().filter(|one| holds(one));
    for candidate in held {
        let worth = &candidate.worth;
        let mut line = table.line(load.name(candidate.key));
        for (head, estimate) in [
            ("requests a minute", &worth.transactions_per_minute),
            (users.as_str(), &worth.virtual_users),
            ("cost of a million", &worth.cost_per_million),
        ] {
            line.estimate(head, Some(estimate), |found| {
                words::amount(Unit::Count, found)
            });
        }
        line.end(RowKind::Plain);
    }
    table.finish([])
}

fn holds(candidate: &LoadCandidate) -> bool {
    candidate.capacity.rate_per_sec.measured().is_some()
}
