//! A run that is compared by its name.

use std::path::PathBuf;

use super::side::RunIndex;
use crate::analysis::Findings;
use crate::plan::Plan;
use crate::record::RunRecord;

/// A run, and what it is called by.
pub struct NamedRun<'a> {
    /// The folder or file that was named.
    pub path: PathBuf,
    /// The record, looked through.
    pub index: RunIndex<'a>,
    /// Findings on the record by itself.
    pub findings: Findings,
}

impl<'a> NamedRun<'a> {
    /// The run that was found at `path`.
    #[must_use]
    pub fn new(path: PathBuf, record: &'a RunRecord) -> Self {
        NamedRun { path, index: RunIndex::new(record), findings: crate::analysis::findings(record) }
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.index.record().plan
    }
}
