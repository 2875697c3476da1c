//! How requests arrive, and how they are made again.

use crate::record::{LoadSegment, Offer};
use crate::report::chapter::Chapter;
use crate::report::words::load::{Load, arrivals, asked, serving};
use crate::report::words::{self, Builder, Item, Source, Table, number};

/// Offers that the table names.
const MOST: usize = 12;

pub(in crate::report::chapters) fn chapter(source: Source<'_>) -> Chapter {
    let chapter = Chapter::new("arrivals", "Arrivals", "How requests arrived").titled();
    let Some(load) = Load::of(source) else {
        return chapter;
    };
    let mut items = vec![
        Item::new("Arrivals", arrivals(load)),
        Item::new(
            "Samples that requests carry in turn",
            number::count(load.plan.samples_count),
        ),
        Item::new("Length of a segment", number::time(load.plan.segment_ns)),
        Item::new(
            "Seed of the run",
            load.source.record.plan.schedule.seed.to_string(),
        ),
    ];
    items.push(Item::list(
        "Served by",
        load.plan.servings.iter().map(serving).collect(),
    ));
    chapter
        .with(crate::report::chapter::Block::Items(items))
        .folded([offers(load)])
}

/// Each offer once: the same offer gives the same requests at the same times.
fn offers(load: Load<'_>) -> Table {
    let header = [
        "round", "from/s", "to/s", "for", "then/s", "for that", "seed",
    ];
    let mut table = Builder::new("Offers, with which requests are made again", &header);
    let mut offers: Vec<&LoadSegment> = Vec::new();
    for segment in load.segments() {
        if !offers.iter().any(|one| one.offer == segment.offer) {
            offers.push(segment);
        }
    }
    for segment in offers.iter().take(MOST) {
        table.plain_row(cells(segment.round, &segment.offer));
    }
    let more = offers.len().saturating_sub(MOST);
    table.finish((more > 0).then(|| {
        format!(
            "{} in run.json",
            words::counted_noun(more as u64, "more offer")
        )
    }))
}

fn cells(round: u64, offer: &Offer) -> [String; 7] {
    let fall = offer.fall;
    [
        number::count(round + 1),
        asked(offer.from),
        if offer.to == offer.from {
            String::new()
        } else {
            asked(offer.to)
        },
        number::time(offer.length_ns),
        fall.map(|fall| asked(fall.to)).unwrap_or_default(),
        fall.map(|fall| number::time(fall.length_ns))
            .unwrap_or_default(),
        offer.seed.to_string(),
    ]
}
