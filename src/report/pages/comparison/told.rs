//! What of runs is unlike, and sides of a comparison by name.

use std::path::Path;

use crate::analysis::comparison::{ComparedRun, Comparisons, Difference, Pair, Setting};
use crate::record::FitnessVerdict;
use crate::report::words::{self, number, plain};

pub(super) fn path(path: &Path) -> String {
    plain(&path.display().to_string())
}

pub(super) fn warnings(comparisons: &Comparisons) -> Vec<String> {
    let first = comparisons
        .runs
        .first()
        .map(|run| path(&run.path))
        .unwrap_or_default();
    comparisons
        .runs
        .iter()
        .flat_map(|run| [incomplete(run), unfit(run), other_machine(run, &first)])
        .flatten()
        .chain(
            comparisons
                .pairs
                .iter()
                .filter_map(|pair| other_model(comparisons, pair)),
        )
        .collect()
}

fn other_model(comparisons: &Comparisons, pair: &Pair) -> Option<String> {
    let differing = differing(&pair.model_differences)?;
    Some(format!(
        "OTHER MODEL: {}: {differing}.",
        sides(comparisons, pair)
    ))
}

fn incomplete(run: &ComparedRun) -> Option<String> {
    (!run.complete).then(|| {
        format!(
            "INCOMPLETE: {} did not come to its own end.",
            path(&run.path)
        )
    })
}

fn other_machine(run: &ComparedRun, first: &str) -> Option<String> {
    let differing = differing(&run.host_differences)?;
    Some(format!(
        "OTHER MACHINE: {} was not measured where {first} was, so a change may be the machine's: {differing}.",
        path(&run.path)
    ))
}

fn unfit(run: &ComparedRun) -> Option<String> {
    let fitness = run.fitness.as_ref();
    let fitness = fitness.filter(|fitness| fitness.verdict != FitnessVerdict::Valid)?;
    let seen = fitness.reasons.iter().map(|reason| &reason.seen);
    Some(format!(
        "{}: {}: {}.",
        fitness.verdict.word(),
        path(&run.path),
        words::joined(seen, "; ")
    ))
}

/// A setting that differs: `memory 8.00 GiB → 16.0 GiB`.
#[must_use]
pub fn difference(difference: &Difference) -> String {
    format!(
        "{} {} → {}",
        difference.what,
        setting(&difference.baseline),
        setting(&difference.candidate)
    )
}

pub(in crate::report) fn differing(differences: &[Difference]) -> Option<String> {
    let all = words::joined(differences.iter().map(difference), "; ");
    (!all.is_empty()).then_some(all)
}

fn setting(setting: &Option<Setting>) -> String {
    match setting {
        None => "not told".into(),
        Some(Setting::Text(text)) if text.is_empty() => "none".into(),
        Some(Setting::Text(text)) => plain(text),
        Some(Setting::Count(count)) => number::count(*count),
        Some(Setting::Amount(amount)) => amount.to_string(),
        Some(Setting::Bytes(bytes)) => number::bytes(*bytes),
        Some(Setting::Flag(on)) => words::on_or_off(*on),
    }
}

/// `int8 in runs/new against int8 in runs/old`; without the runs where there is one.
pub(super) fn sides(comparisons: &Comparisons, pair: &Pair) -> String {
    let [baseline, candidate] =
        [&pair.baseline, &pair.candidate].map(|party| match comparisons.runs.len() {
            1 => plain(&party.label),
            _ => format!(
                "{} in {}",
                plain(&party.label),
                path(&comparisons.runs[party.run].path)
            ),
        });
    format!("{candidate} against {baseline}")
}
