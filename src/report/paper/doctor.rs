//! Findings of `doctor` on a machine, for a terminal.

use serde::Serialize;

use super::style::{BOLD, GREEN, RED, Style};
use super::terminal::Output;
use crate::analysis::SmallestClaim;
use crate::record::{Conditions, Fitness, FitnessVerdict, Host};
use crate::report::view::{self, Item};

/// A machine and the verdict on it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Examination<'a> {
    /// The machine.
    pub host: &'a Host,
    /// Conditions while it was looked at.
    pub conditions: &'a Conditions,
    /// Whether it is fit to measure on.
    pub fitness: &'a Fitness,
}

/// The verdict on a machine, in a line.
#[must_use]
pub fn fitness_words(fitness: &Fitness) -> String {
    view::verdict(fitness).swap_remove(0)
}

/// The verdict with its reasons and remedies, then everything that was looked at.
#[must_use]
pub fn examination(found: Examination<'_>, style: impl Into<Style>) -> String {
    let mut out = Output::new(style);
    verdict(&mut out, found.fitness);
    section(&mut out, "Machine", &view::machine(found.host));
    let settings = view::gpu_settings(found.host);
    if !settings.is_empty() {
        section(&mut out, "GPU", &settings);
    }
    with_conditions(out, found)
}

/// The smallest differences that may be claimed, below the verdict on the machine.
#[must_use]
pub fn null_test(
    found: Examination<'_>,
    claims: &[SmallestClaim],
    style: impl Into<Style>,
) -> String {
    let mut out = Output::new(style);
    verdict(&mut out, found.fitness);
    out.blank();
    out.table(&view::smallest_claims(claims));
    with_conditions(out, found)
}

fn with_conditions(mut out: Output, found: Examination<'_>) -> String {
    section(
        &mut out,
        "Conditions",
        &view::conditions(found.host, found.conditions),
    );
    out.into_text()
}

fn verdict(out: &mut Output, fitness: &Fitness) {
    let style = match fitness.verdict {
        FitnessVerdict::Valid => GREEN,
        FitnessVerdict::Suspect => BOLD,
        FitnessVerdict::Invalid => RED,
    };
    out.verdict(style, &view::verdict(fitness));
}

fn section(out: &mut Output, title: &str, items: &[Item]) {
    out.blank();
    out.items(title, items);
}
