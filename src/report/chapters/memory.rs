//! Where memory goes.

use crate::report::chapter::{Block, Chapter};
use crate::report::charts;
use crate::report::words::Source;

pub(super) fn chapter(source: Source<'_>) -> Chapter {
    Chapter::new("memory", "Memory", "Memory").with(Block::Charts(charts::memory(source)))
}
