//! The answer of a run under load: the verdict in one sentence, then what changes most beside it.

mod capacity;
mod curve;
mod remarks;
mod scenario;
mod soak;
mod stress;

pub(in crate::report) use remarks::wrong;
pub(super) use remarks::{remarks, sign};
pub(in crate::report) use soak::told as soaked;
pub(in crate::report) use stress::by;

use crate::analysis::load::LoadCandidate;
use crate::plan::{Question, Scenario};
use crate::report::words::load::Load;
use crate::report::words::{self, number};

/// Candidates that a sentence names before it only counts them.
const NAMED: usize = 3;

/// The verdict, by what was asked.
pub(in crate::report::chapters) fn verdict(load: Load<'_>) -> String {
    if let Some(invalid) = remarks::all_invalid(load) {
        return invalid;
    }
    match &load.plan.question {
        Question::Capacity | Question::Scenario(Scenario::Server) => capacity::verdict(load),
        Question::Curve { .. } | Question::Users { .. } => of_each(load, curve::of),
        Question::Stress => of_each(load, stress::of),
        Question::Soak { .. } => of_each(load, soak::of),
        Question::Scenario(Scenario::SingleStream) => of_each(load, scenario::single_stream),
        Question::Scenario(Scenario::MultiStream) => of_each(load, scenario::multi_stream),
        Question::Scenario(Scenario::Offline) => of_each(load, scenario::offline),
    }
}

/// A clause for each candidate, the first ones.
fn of_each(load: Load<'_>, clause: fn(Load<'_>, &LoadCandidate) -> String) -> String {
    let mut clauses: Vec<String> = load
        .candidates()
        .take(NAMED)
        .map(|candidate| clause(load, candidate))
        .collect();
    let more = load.candidates().len().saturating_sub(NAMED);
    if more > 0 {
        clauses.push(format!(
            "{} more stand{} below",
            number::in_words(more),
            if more == 1 { "s" } else { "" }
        ));
    }
    format!("{}.", words::joined(clauses, "; "))
}
