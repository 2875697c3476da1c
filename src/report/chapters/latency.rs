//! Latency of a single prediction: which variant is the fastest?

use super::cards::{self, Cards};
use super::{Audience, Block, Chapter, Source, charts, distribution, standing, tables, words};
use crate::report::chapter::Place;

const LEGEND: &str = "How to read: 2.1 (2.0 to 2.2) is a value with its 95% confidence interval over fresh \
processes; ± is the wider half of that interval, in percent of the value, and of a ratio the same whichever way round it \
is written; why a - stands somewhere is said below the table.";

pub(super) fn chapter(source: Source<'_>) -> Chapter {
    Chapter::new("latency", "Latency", "Latency of a single prediction")
        .only(
            Audience::AS_TEXT,
            Block::table(Place::Chapter, tables::variants(source)),
        )
        .only(Audience::PAGE, how_to_read())
        .with(Block::Charts(charts::latency(source)))
}

/// What a page opens with.
pub(super) fn cards(source: Source<'_>) -> Chapter {
    let Cards { cards, left_count } = cards::cards(source);
    let more = (left_count > 0).then(|| {
        let more = words::number_of(left_count, "more variant");
        Block::Legend(format!("The table has {more}."))
    });
    Chapter::new("variants", "Variants", "Variants")
        .open()
        .with(Block::Cards(cards))
        .with_all(more)
}

pub(super) fn standing(source: Source<'_>) -> Chapter {
    Chapter::new("table", "Table", "Side by side")
        .open()
        .with(Block::Standing(standing::standing(source)))
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
