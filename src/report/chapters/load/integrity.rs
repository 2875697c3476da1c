//! Outputs under load beside those without, and requests that were sent late.

use super::cells;
use crate::analysis::load::{LoadCandidate, MOST_LAG_SHARE};
use crate::record::SenderPlace;
use crate::report::chapter::{Block, Chapter};
use crate::report::words::load::{Load, asked};
use crate::report::words::{ABSENT, Builder, RowKind, Source, Table, number};
use crate::units::Nanos;

pub(in crate::report::chapters) fn chapter(source: Source<'_>) -> Chapter {
    let chapter = Chapter::new(
        "integrity",
        "Integrity",
        "Outputs under load beside those without",
    )
    .titled();
    match Load::of(source) {
        Some(load) => chapter.table(table(load)),
        None => chapter,
    }
}

fn table(load: Load<'_>) -> Table {
    let header = [
        "variant",
        "compared",
        "equal to the bit",
        "within the tolerance",
        "wrong",
        "share of wrong",
        "time to compare",
    ];
    let mut table = Builder::new("Outputs under load", &header);
    for candidate in load.candidates() {
        let name = load.name(candidate.key);
        match &candidate.integrity {
            Ok(found) => {
                let mut line = table.line(name);
                for count in [
                    found.checked_count,
                    found.same_count,
                    found.close_count,
                    found.wrong_count,
                ] {
                    line.text(number::count(count));
                }
                line.estimate(
                    "share of wrong",
                    Some(&found.wrong_ratio),
                    cells::small_share,
                );
                line.text(number::time(found.cost_ns));
                line.end(RowKind::Plain);
            }
            Err(reason) => {
                let mark = table.absence("outputs", &name, reason);
                let rest = std::iter::repeat_n(mark, header.len() - 1);
                let cells: Vec<String> = std::iter::once(name).chain(rest).collect();
                table.row(RowKind::Absent, cells);
            }
        }
    }
    table.finish(["comparing is in no response time".into()])
}

/// Whether requests were sent when they were due.
pub(in crate::report::chapters) fn generator(source: Source<'_>) -> Chapter {
    let chapter = Chapter::new(
        "generator",
        "Generator",
        "Were requests sent when they were due?",
    )
    .titled();
    match Load::of(source) {
        Some(load) => chapter
            .with(Block::Sentence(format!(
                "A segment counts for nothing where the 99th percentile of the lag, from the scheduled arrival to the moment \
                 of sending, is more than {} of the bound on the response, or of the median response where no bound was given.",
                number::limit(MOST_LAG_SHARE)
            )))
            .table(lags(load)),
        None => chapter,
    }
}

fn lags(load: Load<'_>) -> Table {
    let header = [
        "variant",
        "p99 lag at most",
        "at/s",
        "segments",
        "of these invalid",
        "sent from",
    ];
    let mut table = Builder::new("Lag of the generator", &header);
    for candidate in load.candidates() {
        let latest = candidate
            .points
            .iter()
            .filter_map(|point| {
                Some(Latest {
                    lag: point.lag_p99_ns?,
                    at: asked(point.asked),
                })
            })
            .max_by_key(|latest| latest.lag);
        let segments = candidate.points.iter().map(|point| &point.segments);
        let invalid = segments.clone().map(|one| one.invalid.len() as u64).sum();
        let valid: u64 = segments.map(|one| one.valid_count).sum();
        let (lag, at) = match latest {
            Some(latest) => (number::time(latest.lag), latest.at),
            None => (ABSENT.into(), ABSENT.into()),
        };
        table.plain_row([
            load.name(candidate.key),
            lag,
            at,
            number::count(valid + invalid),
            number::count(invalid),
            sender(load, candidate).into(),
        ]);
    }
    table.finish([])
}

struct Latest {
    lag: Nanos,
    at: String,
}

/// Where the thread that sends ran.
fn sender(load: Load<'_>, candidate: &LoadCandidate) -> &'static str {
    let mut processes = load
        .segments()
        .filter(|segment| segment.key == candidate.key)
        .flat_map(|segment| &segment.processes);
    match processes.find_map(|process| process.served.sender) {
        Some(SenderPlace::OwnCpu) => "a CPU of its own",
        Some(SenderPlace::Shared) => "the model's CPUs",
        None => ABSENT,
    }
}
