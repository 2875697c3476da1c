//! How unknowns grow with the samples of a batch.

use super::super::problem::Derivation;
use super::{Choice, Problem, SizeSource, Sized, Unknown};

/// Number of samples that each unknown grows by with the batch: its size for two samples beside
/// that for one.
pub(in super::super) fn rows(
    problem: &Problem,
    choice: &Choice,
    sizes: &[Sized],
) -> Vec<Option<u64>> {
    let [one, two] = [1, 2].map(|samples| grown(problem, choice, sizes, samples));
    one.into_iter()
        .zip(two)
        .map(|(one, two)| one.filter(|&one| is_doubled(one, two)))
        .collect()
}

fn is_doubled(one: u64, two: Option<u64>) -> bool {
    one > 0 && two.is_some() && two == one.checked_mul(2)
}

/// Sizes of the unknowns where so many samples lie along the batch.
fn grown(problem: &Problem, choice: &Choice, sizes: &[Sized], samples: u64) -> Vec<Option<u64>> {
    let mut grown: Vec<Option<u64>> = sizes.iter().map(|sized| Some(sized.size)).collect();
    for &index in &choice.batch {
        grown[index] = Some(samples);
    }
    for _ in 0..problem.unknowns.len() {
        for (index, unknown) in problem.unknowns.iter().enumerate() {
            if may_grow(unknown, &sizes[index]) && !choice.batch.contains(&index) {
                grown[index] = computed(&unknown.derived, &grown);
            }
        }
    }
    grown
}

/// Whether the size of an unknown follows those of others, though it be asked for.
fn may_grow(unknown: &Unknown, sized: &Sized) -> bool {
    let follows = matches!(sized.source, SizeSource::Derived { .. }) || unknown.asked.is_some();
    follows && !unknown.derived.is_empty()
}

fn computed(derived: &[Derivation], sizes: &[Option<u64>]) -> Option<u64> {
    derived
        .iter()
        .find_map(|one| u64::try_from(one.expr.evaluate(&|dim| sizes[dim])?).ok())
}
