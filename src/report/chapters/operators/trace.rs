//! A trace without a run.

use super::breakdown;
use crate::analysis::Breakdown;
use crate::record::Profiled;
use crate::report::words::section::Section;
use crate::report::words::text::plain;
use crate::trace::Inferences;

/// Findings on a trace called `name`.
#[must_use]
pub fn trace(name: &str, profiled: &Profiled, breakdown: &Breakdown, inferences: Inferences) -> Section {
    let mut lines = breakdown::lines(breakdown);
    if inferences == Inferences::OnlyFirst {
        lines.insert(
            1,
            "It is the first inference, which prepares what later ones find ready: a trace of two or more tells more"
                .into(),
        );
    }
    Section { title: format!("Operators in {}", plain(name)), lines, tables: breakdown::tables(breakdown, profiled) }
}
