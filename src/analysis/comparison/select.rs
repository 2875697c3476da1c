//! Which session is compared with which.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::named_run::NamedRun;
use crate::plan::{Plan, SessionSpec, Variant};

/// A comparison that cannot be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// One run, and no word on which of its variants.
    #[error("run `{run}` has {} to choose from: {}", counted(names), listed(names))]
    WhichVariants {
        /// The run.
        run: PathBuf,
        /// Its variants.
        names: Vec<String>,
    },
    /// Two variants were named for more than two runs.
    #[error("{runs} runs were named, and `--variants` goes with one run or two")]
    TooManyRuns {
        /// Runs that were named.
        runs: usize,
    },
    /// A variant was to be compared with itself.
    #[error("`{name}` cannot be compared with itself within one run")]
    Itself {
        /// The variant.
        name: String,
    },
    /// A run has no variant of that name.
    #[error("run `{run}` has no variant `{name}`, but {}", listed(names))]
    UnknownVariant {
        /// The run.
        run: PathBuf,
        /// The name that was asked for.
        name: String,
        /// Its variants.
        names: Vec<String>,
    },
    /// Two variants were measured with several session options each, none of them the same.
    #[error("`{baseline}` and `{candidate}` were not measured with the same session options")]
    UnlikeSessions {
        /// The baseline.
        baseline: String,
        /// The candidate.
        candidate: String,
    },
    /// Two runs have no variant in common.
    #[error(
        "runs have no variant in common: `{baseline}` has {}, `{candidate}` has {}",
        listed(baseline_names),
        listed(candidate_names)
    )]
    NothingInCommon {
        /// The run that others are compared with.
        baseline: PathBuf,
        /// The other run.
        candidate: PathBuf,
        /// Variants of the one.
        baseline_names: Vec<String>,
        /// Variants of the other.
        candidate_names: Vec<String>,
    },
}

fn listed(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

fn counted(names: &[String]) -> String {
    format!("{} variant{}", names.len(), if names.len() == 1 { "" } else { "s" })
}

/// A session of one of the runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) run: usize,
    pub(super) session: usize,
}

/// Baseline and candidate of every comparison.
pub(super) type Pairings = Vec<(Place, Place)>;

/// Which sessions `variants`, or the runs' own names, put side by side.
pub(super) fn pairings(runs: &[NamedRun<'_>], variants: Option<(&str, &str)>) -> Result<Pairings, SelectError> {
    match (runs, variants) {
        ([run], None) => match names(run).as_slice() {
            [baseline, candidate] => named((0, run, baseline), (0, run, candidate)),
            names => Err(SelectError::WhichVariants { run: run.path.clone(), names: names.to_vec() }),
        },
        ([run], Some((baseline, candidate))) => named((0, run, baseline), (0, run, candidate)),
        ([old, new], Some((baseline, candidate))) => named((0, old, baseline), (1, new, candidate)),
        (runs, Some(_)) => Err(SelectError::TooManyRuns { runs: runs.len() }),
        (runs, None) => of_the_same_name(runs),
    }
}

pub(super) fn names(run: &NamedRun<'_>) -> Vec<String> {
    run.plan().variants.iter().map(|variant| variant.name.clone()).collect()
}

type Named<'r> = (usize, &'r NamedRun<'r>, &'r str);

fn named(baseline: Named<'_>, candidate: Named<'_>) -> Result<Pairings, SelectError> {
    let variant = |(_, run, name): Named<'_>| {
        let is_it = |variant: &Variant| variant.name == name || variant.path.file_stem() == Some(OsStr::new(name));
        let unknown = || SelectError::UnknownVariant { run: run.path.clone(), name: name.into(), names: names(run) };
        run.plan().variants.iter().position(is_it).ok_or_else(unknown)
    };
    let (old, new) = (variant(baseline)?, variant(candidate)?);
    if (baseline.0, old) == (candidate.0, new) {
        return Err(SelectError::Itself { name: baseline.2.into() });
    }
    let found = sessions((baseline.0, baseline.1.plan(), old), (candidate.0, candidate.1.plan(), new));
    if found.is_empty() {
        return Err(SelectError::UnlikeSessions { baseline: baseline.2.into(), candidate: candidate.2.into() });
    }
    Ok(found)
}

fn of_the_same_name(runs: &[NamedRun<'_>]) -> Result<Pairings, SelectError> {
    let mut all = Pairings::new();
    let Some((first, others)) = runs.split_first() else { return Ok(all) };
    for (place, other) in others.iter().enumerate() {
        let found = first.plan().variants.iter().enumerate().flat_map(|(old, variant)| {
            let new = other.plan().variants.iter().position(|candidate| candidate.name == variant.name);
            new.map_or_else(Vec::new, |new| sessions((0, first.plan(), old), (place + 1, other.plan(), new)))
        });
        let found: Pairings = found.collect();
        if found.is_empty() {
            return Err(SelectError::NothingInCommon {
                baseline: first.path.clone(),
                candidate: other.path.clone(),
                baseline_names: names(first),
                candidate_names: names(other),
            });
        }
        all.extend(found);
    }
    Ok(all)
}

/// The sessions of two variants, each with the one that was asked for alike; a variant's only session goes with the
/// other's only one, however they differ.
fn sessions(
    (baseline_run, baseline_plan, baseline): (usize, &Plan, usize),
    (candidate_run, candidate_plan, candidate): (usize, &Plan, usize),
) -> Pairings {
    let old = sessions_of(baseline_plan, baseline);
    let new = sessions_of(candidate_plan, candidate);
    let pair = |old: usize, new: usize| {
        (Place { run: baseline_run, session: old }, Place { run: candidate_run, session: new })
    };
    if let ([old], [new]) = (old.as_slice(), new.as_slice()) {
        return vec![pair(*old, *new)];
    }
    let alike = |one: &SessionSpec, other: &SessionSpec| {
        one.execution_provider == other.execution_provider
            && one.provider == other.provider
            && one.binding == other.binding
            && one.options == other.options
    };
    let partner = |&old: &usize| {
        let one = &baseline_plan.sessions[old];
        let alike: Vec<usize> = new.iter().copied().filter(|&new| alike(one, &candidate_plan.sessions[new])).collect();
        // Of several runtimes, the same one.
        let same = alike.iter().copied().find(|&new| candidate_plan.sessions[new].runtime == one.runtime);
        same.or(alike.first().copied()).map(|new| pair(old, new))
    };
    old.iter().filter_map(partner).collect()
}

fn sessions_of(plan: &Plan, variant: usize) -> Vec<usize> {
    let sessions = plan.sessions.iter().enumerate();
    sessions.filter(|(_, session)| session.variant == variant).map(|(session, _)| session).collect()
}
