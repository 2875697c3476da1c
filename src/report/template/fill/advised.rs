//! What is advised: by the run, or by searches.

use super::Fill;
use crate::analysis::Advice;
use crate::report::chapters::tuning::{self, Task};
use crate::report::words::Source;

pub(super) const NO_GAIN: &str = "the run shows no gain";

/// Advice; none of a search, which decides by itself.
pub(super) fn advised(source: Source<'_>) -> &[Advice] {
    match source.findings.tuning {
        Some(_) => &[],
        None => &source.findings.decisions.advice,
    }
}

/// Answers of searches, of the run itself and beside it.
pub(super) fn searched(fill: Fill<'_>) -> impl Iterator<Item = Task> {
    let beside = fill.beside.searches.iter().filter_map(|search| {
        let mut task = tuning::task(search.source())?;
        task.view.area = format!("{} (by {})", task.view.area, search.path);
        Some(task)
    });
    tuning::task(*fill).into_iter().chain(beside)
}
