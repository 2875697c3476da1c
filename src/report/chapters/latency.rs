//! Latency of a single prediction: which variant is the fastest?

use super::{Audience, Block, Chapter, Source, charts, distribution, tables};
use crate::report::chapter::Place;

const LEGEND: &str = "How to read: 2.1 (2.0 to 2.2) is a value with its 95% confidence interval over fresh worker \
processes; ± is the wider half of that interval, in percent of the value, and of a ratio the same whichever way round it \
is written; why a - stands somewhere is said below the table.";

pub(super) fn chapter(source: Source<'_>) -> Chapter {
    Chapter::new("latency", "Latency", "Latency of a single prediction")
        .with(Block::table(Place::Chapter, tables::variants(source)))
        .only(Audience::PAGE, how_to_read())
        .with(Block::Charts(charts::latency(source)))
}

pub(super) fn how_to_read() -> Block {
    Block::Legend(LEGEND.into())
}

pub(super) fn legend(_: Source<'_>) -> Chapter {
    Chapter::untitled("legend").with(how_to_read())
}

pub(super) fn strips(source: Source<'_>) -> Chapter {
    Chapter::untitled("latency").with_all(distribution::distributions(source).map(Block::Strips))
}
