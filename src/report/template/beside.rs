//! What a template is filled from beside the run: what people give, and other results.

use serde::Deserialize;

use super::given::Context;
use crate::analysis::Findings;
use crate::analysis::gate::GateVerdict;
use crate::record::RunRecord;
use crate::report::words::Source;
use crate::text::Plain;

/// What the whole template is filled from beside the run. Nothing by default.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// What people give.
    pub context: Context,
    /// Searches for session options, whose answers are tasks.
    pub searches: Vec<Search>,
    /// Sentences on the run against earlier ones.
    pub comparisons: Vec<String>,
    /// Results of gates.
    pub gates: Vec<GateResult>,
}

/// A search beside the run.
#[derive(Clone, Debug)]
pub struct Search {
    /// Its folder, as it was named.
    pub path: Plain,
    /// Its record.
    pub record: RunRecord,
    /// Its findings.
    pub findings: Findings,
}

impl Search {
    pub(super) fn source(&self) -> Source<'_> {
        Source {
            record: &self.record,
            findings: &self.findings,
        }
    }
}

/// The result of a gate, as `onnxprof gate --json` writes it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct GateResult {
    /// Its file, as it was named.
    #[serde(skip)]
    pub path: Plain,
    /// The verdict on all rules.
    pub verdict: GateVerdict,
    /// The verdict on each.
    pub checks: Vec<GateCheck>,
}

/// One rule on one cell or session.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct GateCheck {
    /// The check as written.
    pub check: Plain,
    /// Label of the session.
    pub session: Plain,
    /// The verdict.
    pub verdict: GateVerdict,
}
