//! What a restart costs.

use super::tables;
use crate::report::chapter::{Block, Chapter};
use crate::report::charts;
use crate::report::words::Source;

fn empty() -> Chapter {
    Chapter::new("loading", "Loading", "Loading")
}

pub(super) fn table(source: Source<'_>) -> Chapter {
    empty().folded([tables::loading(source)])
}

pub(super) fn charts(source: Source<'_>) -> Chapter {
    empty().with(Block::Charts(charts::loading(source)))
}
