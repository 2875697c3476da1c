//! Where memory goes, what a restart costs, how the run went, and what it took of GPU and energy.

use super::{Block, Chapter, Source, charts, context, gpu_cost, measurement, tables};

pub(super) fn memory(source: Source<'_>) -> Chapter {
    Chapter::new("memory", "Memory", "Memory").with(Block::Charts(charts::memory(source)))
}

fn empty_loading() -> Chapter {
    Chapter::new("loading", "Loading", "Loading")
}

pub(super) fn loading_table(source: Source<'_>) -> Chapter {
    empty_loading().folded([tables::loading(source)])
}

pub(super) fn loading_charts(source: Source<'_>) -> Chapter {
    empty_loading().with(Block::Charts(charts::loading(source)))
}

fn empty_run() -> Chapter {
    Chapter::new("run", "The run", "How the run went")
}

pub(super) fn run(source: Source<'_>) -> Chapter {
    empty_run()
        .with(Block::Sentence(context::ending(source)))
        .with(Block::Charts(if measurement::warns_of_machine(source) {
            charts::resources_over_time(source)
        } else {
            charts::timeline(source)
        }))
}

pub(super) fn energy(source: Source<'_>) -> Chapter {
    empty_run().folded(gpu_cost::energy(source))
}
