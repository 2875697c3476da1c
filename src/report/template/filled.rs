//! The whole template with its values.

use super::beside::Beside;
use super::fill::Fill;
use super::keys::Key;
use super::lines::{Line, lines};
use super::outline::labels;
use super::values::values;
use crate::analysis::Findings;
use crate::record::RunRecord;
use crate::report::words::Source;
use crate::report::words::item::Item;

/// The whole performance template, filled.
#[derive(Clone, Debug, PartialEq)]
pub struct Filled {
    /// Name of the run.
    pub(in crate::report) title: String,
    pub(in crate::report) lines: Vec<Line>,
}

impl Filled {
    /// Fills every field from a run, and from what there is beside it.
    #[must_use]
    pub fn new(record: &RunRecord, findings: &Findings, beside: &Beside) -> Self {
        let source = Source { record, findings };
        Filled {
            title: record.run.name.to_string(),
            lines: lines(Fill { source, beside }),
        }
    }
}

pub(in crate::report) fn items(source: Source<'_>, wanted: impl Fn(Key) -> bool) -> Vec<Item> {
    let beside = Beside::default();
    let fill = Fill {
        source,
        beside: &beside,
    };
    labels(wanted)
        .map(|(key, label)| Item::list(label, values(fill, key)))
        .collect()
}
