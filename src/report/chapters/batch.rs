//! How far batching pays, and how latency, throughput and memory go with batch size and shape.

use super::{scaling, tables};
use crate::report::chapter::{Block, Chapter};
use crate::report::charts;
use crate::report::words::Source;

fn empty() -> Chapter {
    Chapter::new("batch", "Batch sizes", "Batch sizes")
}

pub(super) fn chapter(source: Source<'_>) -> Chapter {
    empty().with(Block::Charts(charts::batch(source))).folded([tables::sweep(source)])
}

pub(super) fn scaling(source: Source<'_>) -> Chapter {
    empty().with_all(Some(scaling::sections(source)).filter(|sections| !sections.is_empty()).map(Block::Sections))
}

/// Where throughput is worth its latency, and what keeps the latency limit.
pub(super) fn summary(source: Source<'_>) -> Chapter {
    let lines = scaling::summary(source);
    let chapter = Chapter::untitled("batch");
    if lines.is_empty() { chapter } else { chapter.with(Block::heading("Batch size")).with(Block::Lines(lines)) }
}
