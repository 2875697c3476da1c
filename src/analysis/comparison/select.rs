//! Runs that are compared, and which session is compared with which.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::side::Sides;
use crate::analysis::Findings;
use crate::analysis::figures::index::Index;
use crate::plan::{Plan, SessionSpec, Variant};
use crate::record::RunRecord;

/// A run, and what it is called by.
pub struct NamedRun<'a> {
    /// The folder or file that was named.
    pub path: PathBuf,
    /// The record, looked through.
    pub(super) index: Index<'a>,
    /// Findings on the record by itself.
    pub findings: Findings,
}

impl<'a> NamedRun<'a> {
    /// The run that was found at `path`.
    #[must_use]
    pub fn new(path: PathBuf, record: &'a RunRecord) -> Self {
        NamedRun {
            path,
            index: Index::new(record),
            findings: crate::analysis::findings(record),
        }
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> &'a RunRecord {
        self.index.record
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.index.record.plan
    }
}

/// A comparison that cannot be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// One run, and no word on which of its variants.
    #[error("run `{}` has {} to choose from: {}", .0.display(), counted(.1), listed(.1))]
    WhichVariants(PathBuf, Vec<String>),
    /// Two variants were named for more than two runs.
    #[error("{0} runs were named, and `--variants` goes with one run or two")]
    TooManyRuns(usize),
    /// A variant was to be compared with itself.
    #[error("`{0}` cannot be compared with itself within one run")]
    Itself(String),
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
    #[error("`{0}` and `{1}` were not measured with the same session options")]
    UnlikeSessions(String, String),
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
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn counted(names: &[String]) -> String {
    format!(
        "{} variant{}",
        names.len(),
        if names.len() == 1 { "" } else { "s" }
    )
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) run: usize,
    pub(super) session: usize,
}

#[derive(Clone, Copy)]
struct VariantOf<'r> {
    run: usize,
    plan: &'r Plan,
    variant: usize,
}

impl<'r> VariantOf<'r> {
    fn find(run: usize, plan: &'r Plan, is_meant: impl Fn(&Variant) -> bool) -> Option<Self> {
        Some(VariantOf {
            run,
            plan,
            variant: plan.variants.iter().position(is_meant)?,
        })
    }

    /// The variant of that name, or of that name as a file.
    fn named(run: usize, runs: &'r [NamedRun<'_>], name: &str) -> Result<Self, SelectError> {
        let found = &runs[run];
        VariantOf::find(run, found.plan(), |variant| is_called(variant, name)).ok_or_else(|| {
            SelectError::UnknownVariant {
                run: found.path.clone(),
                name: name.into(),
                names: names(found),
            }
        })
    }

    fn place(self, session: usize) -> Place {
        Place {
            run: self.run,
            session,
        }
    }

    fn sessions(self) -> Vec<usize> {
        self.plan
            .sessions
            .iter()
            .enumerate()
            .filter(|(_, session)| session.variant == self.variant)
            .map(|(session, _)| session)
            .collect()
    }
}

fn is_called(variant: &Variant, name: &str) -> bool {
    variant.name == name || variant.path.file_stem() == Some(OsStr::new(name))
}

pub(super) fn pairings(
    runs: &[NamedRun<'_>],
    variants: Option<(&str, &str)>,
) -> Result<Vec<Sides<Place>>, SelectError> {
    match (runs, variants) {
        ([run], None) => match names(run).as_slice() {
            [baseline, candidate] => named(runs, baseline, candidate),
            names => Err(SelectError::WhichVariants(run.path.clone(), names.to_vec())),
        },
        ([_] | [_, _], Some((baseline, candidate))) => named(runs, baseline, candidate),
        (runs, Some(_)) => Err(SelectError::TooManyRuns(runs.len())),
        (runs, None) => of_the_same_name(runs),
    }
}

pub(super) fn names(run: &NamedRun<'_>) -> Vec<String> {
    run.plan()
        .variants
        .iter()
        .map(|variant| variant.name.exact().to_owned())
        .collect()
}

/// A variant of the first run with one of the last.
fn named(
    runs: &[NamedRun<'_>],
    baseline: &str,
    candidate: &str,
) -> Result<Vec<Sides<Place>>, SelectError> {
    let old = VariantOf::named(0, runs, baseline)?;
    let new = VariantOf::named(runs.len() - 1, runs, candidate)?;
    if (old.run, old.variant) == (new.run, new.variant) {
        return Err(SelectError::Itself(baseline.into()));
    }
    let found = sessions(old, new);
    if found.is_empty() {
        return Err(SelectError::UnlikeSessions(
            baseline.into(),
            candidate.into(),
        ));
    }
    Ok(found)
}

fn of_the_same_name(runs: &[NamedRun<'_>]) -> Result<Vec<Sides<Place>>, SelectError> {
    let mut all = Vec::new();
    let Some((first, others)) = runs.split_first() else {
        return Ok(all);
    };
    for (run, other) in (1..).zip(others) {
        let found: Vec<Sides<Place>> = common_variants(first.plan(), other.plan(), run)
            .flat_map(|(old, new)| sessions(old, new))
            .collect();
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

/// Variants of the first run, and those of run number `run` that are called alike.
fn common_variants<'r>(
    first: &'r Plan,
    other: &'r Plan,
    run: usize,
) -> impl Iterator<Item = (VariantOf<'r>, VariantOf<'r>)> {
    first
        .variants
        .iter()
        .enumerate()
        .filter_map(move |(variant, own)| {
            let old = VariantOf {
                run: 0,
                plan: first,
                variant,
            };
            Some((
                old,
                VariantOf::find(run, other, |one| one.name == own.name)?,
            ))
        })
}

/// Each with the one that was asked for alike; a variant's only one with the other's only one,
/// however they differ.
fn sessions(baseline: VariantOf<'_>, candidate: VariantOf<'_>) -> Vec<Sides<Place>> {
    let (old, new) = (baseline.sessions(), candidate.sessions());
    if let ([old], [new]) = (&old[..], &new[..]) {
        return vec![Sides {
            baseline: baseline.place(*old),
            candidate: candidate.place(*new),
        }];
    }
    old.into_iter()
        .filter_map(|old| {
            Some(Sides {
                baseline: baseline.place(old),
                candidate: candidate.place(partner(
                    &baseline.plan.sessions[old],
                    candidate.plan,
                    &new,
                )?),
            })
        })
        .collect()
}

/// The session of another plan that is compared with one of this: of the variant of that name, the
/// one that was asked for alike, or the only one of each.
pub(in crate::analysis) fn counterpart(plan: &Plan, session: usize, other: &Plan) -> Option<usize> {
    let spec = &plan.sessions[session];
    let own = VariantOf {
        run: 0,
        plan,
        variant: spec.variant,
    };
    let name = &plan.variants[spec.variant].name;
    let sessions = VariantOf::find(1, other, |one| one.name == *name)?.sessions();
    match sessions[..] {
        [only] if own.sessions().len() == 1 => Some(only),
        _ => partner(spec, other, &sessions),
    }
}

/// Of several runtimes, the same one.
fn partner(spec: &SessionSpec, plan: &Plan, sessions: &[usize]) -> Option<usize> {
    sessions
        .iter()
        .copied()
        .filter(|&session| spec.is_alike(&plan.sessions[session]))
        .min_by_key(|&session| plan.sessions[session].runtime != spec.runtime)
}
