//! How the run went, and what it took of GPU and energy.

use super::{context, gpu};
use crate::report::chapter::{Block, Chapter};
use crate::report::charts;
use crate::report::words::Source;

fn empty() -> Chapter {
    Chapter::new("run", "The run", "How the run went")
}

pub(super) fn chapter(source: Source<'_>) -> Chapter {
    empty().with(Block::Sentence(context::ending(source))).with(Block::Charts(charts::timeline(source)))
}

pub(super) fn energy(source: Source<'_>) -> Chapter {
    empty().folded(gpu::energy(source))
}
