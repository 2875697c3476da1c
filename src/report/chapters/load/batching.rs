//! Batches as they were formed.

use crate::analysis::load::batches;
use crate::report::chapter::{Block, Chapter};
use crate::report::words::load::Load;
use crate::report::words::{ABSENT, Builder, Source, Table, number};

pub(in crate::report::chapters) fn chapter(source: Source<'_>) -> Chapter {
    let chapter = Chapter::new("batching", "Batching", "Batches as they were formed").titled();
    let Some(load) = Load::of(source) else {
        return chapter;
    };
    if load.plan.servings.iter().all(|one| one.batcher.is_none()) {
        return chapter;
    }
    chapter
        .with(Block::Sentence("Over all rates that were measured.".into()))
        .table(table(load))
}

fn table(load: Load<'_>) -> Table {
    let header = [
        "variant",
        "requests of a batch",
        "inferences",
        "of all requests",
        "median service",
    ];
    let mut table = Builder::new("Batches by size", &header);
    let batched = load.candidates().filter(|candidate| {
        load.serving(candidate.key)
            .is_some_and(|serving| serving.batcher.is_some())
    });
    for candidate in batched {
        for batch in batches(load.source.record, candidate.key) {
            table.plain_row([
                load.name(candidate.key),
                number::count(batch.size),
                number::count(batch.runs_count),
                number::percent(batch.of_requests.0),
                batch.service_p50_ns.map_or(ABSENT.into(), number::time),
            ]);
        }
    }
    table.finish([])
}
